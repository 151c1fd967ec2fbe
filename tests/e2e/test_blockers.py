"""What stops an import: exit 1, a message that says where, and nothing at all written to any branch."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

from ropewalk.errors import BlockerError, SourceError
from workbench import CATEGORIES, IMAGES, Bench, box, dataset, ring

WHOLE = json.dumps(dataset([box(1), ring(2)])).encode()
CUT = len(WHOLE) - 40
HOSTILE_NAME = "odd\x1b[2Jname\n\x9b.json"


def broken_files() -> dict[str, tuple[bytes, str]]:
    """Name the broken files: content, and what the message must say."""
    inside = WHOLE.index(b'"bbox"')
    return {
        "truncated": (WHOLE[:CUT], f"byte {CUT}"),
        "truncated-in-an-annotation": (WHOLE[: inside + 10], f"byte {inside + 10}"),
        "truncated-by-one": (WHOLE[:-1], f"byte {len(WHOLE) - 1}"),
        "truncated-list": (b'[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}', "byte 56"),
        "not-utf8": (WHOLE.replace(b"f0003", b"f\xff003"), f"byte {WHOLE.index(b'f0003') + 1}"),
        "not-utf8-in-an-annotation": (WHOLE[:inside] + b'"x": "\xe9", ' + WHOLE[inside:], f"byte {inside + 6}"),
        "utf16": (WHOLE.decode().encode("utf-16"), "binary data"),
        "empty": (b"", "an empty file"),
        "only-space": (b" \n\t", "empty"),
        "only-a-mark": (b"\xef\xbb\xbf", "empty"),
        "truncated-in-gzip": (gzip.compress(WHOLE[:CUT]), f"byte {CUT}"),
        "xz": (lzma.compress(WHOLE), "an xz archive"),
        "a-number": (b"17", "text"),
        "no-coco": (b'{"hello": [1, 2]}', 'a JSON object with "hello"'),
        "something-behind": (WHOLE + b"]", f"byte {len(WHOLE)}"),
        "two-documents": (WHOLE + b"\n" + WHOLE, f"byte {len(WHOLE) + 1}"),
        "missing-comma": (WHOLE.replace(b', "category_id"', b' "category_id"', 1), "byte"),
        "deeply-nested": (b'[{"x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}]", 'entries have "x"'),
        "annotations-twice": (WHOLE[:-1] + b', "annotations": []}', "twice"),
    }


BROKEN = broken_files()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_sends_nothing(bench: Bench, name: str) -> None:
    content, said = BROKEN[name]
    # A whole file before it: what was read well is not sent either.
    sources = [bench.write(WHOLE, "a-whole.json"), bench.write(content, "b-broken.json")]
    before = bench.stored()
    with pytest.raises(SourceError, match="b-broken.json") as stopped:
        bench.run(sources)
    assert said in str(stopped.value)
    assert stopped.value.report is not None
    assert (stopped.value.report.exit_code, stopped.value.report.annotations_written) == (1, 0)
    assert bench.stored() == before


@pytest.mark.parametrize("name", ["truncated", "not-utf8", "empty"])
def test_a_broken_file_on_the_command_line(bench: Bench, name: str) -> None:
    content, said = BROKEN[name]
    before = bench.stored()
    report = bench.folder / "report.json"
    ran = bench.process("import", *bench.arguments(bench.write(content), "--report", report))
    assert (ran.code, bench.stored()) == (1, before)
    assert said in ran.err and "predictions.json" in ran.err and "Traceback" not in ran.err
    saved = json.loads(report.read_text())
    assert saved["exit_code"] == 1 and said in saved["stopped_by"]
    assert (saved["label_rows_saved"], saved["bytes_sent"]) == (0, 0)


def test_a_broken_file_of_annotations(bench: Bench) -> None:
    before = bench.stored()
    source = bench.write([box(1)], "results.json")
    with pytest.raises(SourceError, match=f"gt.json: byte {CUT}"):
        bench.run(source, annotations=bench.write(WHOLE[:CUT], "gt.json"))
    with pytest.raises(SourceError, match=r"results\.json.*images"):
        bench.run(source, annotations=source)
    assert bench.stored() == before


@pytest.mark.parametrize("branch", ["main", "encord-x", "a b", "", "a/b", "pr\u00e9d", "a\n", "\x1b[2J"])
def test_a_bad_branch_name_sends_nothing(bench: Bench, branch: str) -> None:
    source = bench.write(WHOLE)
    before = bench.stored()
    bench.branch = branch
    ran = bench.cli_import(source)
    assert (ran.code, bench.stored()) == (1, before)
    assert "branch" in ran.err and ran.err.rstrip("\n").isprintable()


def test_a_refused_branch_can_be_asked_for(bench: Bench) -> None:
    bench.branch = "encord-x"
    assert bench.cli_import(bench.write(WHOLE), "--allow-branch").code == 0
    assert len(bench.objects("encord-x")) == 2


@pytest.mark.parametrize(
    ("limit", "code"), [("1", 1), ("2", 3), ("24%", 1), ("25%", 3), ("0", 1), ("0%", 1), ("100%", 3)]
)
def test_too_many_rejects_send_nothing(bench: Bench, limit: str, code: int) -> None:
    wrong = [box(n, score=7) for n in (1, 2)]
    source = bench.write(dataset([*wrong, *(box(n) for n in range(3, 9))]))
    before = bench.stored()
    ran = bench.cli_import(source, "--max-rejects", limit)
    assert ran.code == code, ran.err
    # Whoever is stopped by rejects wants to see them.
    assert [reject["annotation_id"] for reject in bench.rejects()] == ["1", "2"]
    if code == 1:
        assert bench.stored() == before
        assert "--max-rejects" in ran.err and "2 of 8" in ran.err and "rejects-" in ran.err
    else:
        assert len(bench.objects()) == 6


@pytest.mark.parametrize(
    "content",
    [
        dataset([]),
        [],
        {"images": IMAGES, "categories": CATEGORIES},
        {"annotations": []},
        {"images": [], "annotations": [], "categories": []},
    ],
    ids=["dataset", "list", "no annotations section", "annotations alone", "all empty"],
)
def test_a_file_without_annotations_is_an_import_of_nothing(bench: Bench, content: object) -> None:
    before = bench.stored()
    report = bench.run(json.dumps(content))
    assert (report.exit_code, report.annotations_read, report.rejects_file) == (0, 0, None)
    ran = bench.cli_import(bench.folder / "predictions.json")
    assert (ran.code, bench.stored()) == (0, before)
    assert "0 annotations read" in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--class-map", "none.json"],
        ["--media-map", "list.json"],
        ["--annotations", "none.json"],
        ["--frame-pattern", "("],
        ["--frame-pattern", "no groups"],
        ["--only-media", "[z-a]["],
        ["--frame-stride", "0"],
        ["--frame-stride", "x"],
        ["--min-confidence", "1.5"],
        ["--min-confidence", "nan"],
        ["--simplify", "-1"],
        ["--simplify", "nan"],
        ["--limit-rows", "0"],
        ["--off-image", "shrink"],
        ["--media-from", "guess"],
        ["--frame-from", "guess"],
        ["--on-existing", "ask"],
        ["--empty-rows", "maybe"],
        ["--empty-rows", "create", "--limit-rows", "1"],
        ["--max-rejects", "-1"],
        ["--max-rejects", "101%"],
        ["--max-rejects", "nan%"],
        ["--jobs", "0"],
        ["--threads", "-1"],
        ["--no-such-option"],
        ["--source-label", ""],
        ["no-such-file.json"],
        ["no-such-*.json"],
        ["."],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(
    bench: Bench, arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = bench.write(WHOLE)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    Path("list.json").write_text("[]")
    if arguments == ["."]:
        Path("list.json").unlink()
    before = bench.stored()
    ran = bench.cli_import(source, *arguments)
    assert (ran.code, bench.stored()) == (2, before), ran
    assert ran.err.strip() and "Traceback" not in ran.err


def test_nothing_a_file_says_reaches_the_terminal_unescaped(bench: Bench) -> None:
    images = [{"id": 1, "file_name": "still.jpg"}, {"id": 2, "file_name": "a\x1b[31m\r\nb\u202e.jpg"}]
    categories = [*CATEGORIES, {"id": 8, "name": "C\x07\x1b]0;t\x07ow\u2028"}]
    wrong = [box(1, category=8), box(2, image=2), box(3, image="\x1b[1A"), box(4, category="\x1b[1A")]
    sound = bench.write(dataset([*wrong, box(5)], images=images, categories=categories), HOSTILE_NAME)
    ran = bench.cli_import(sound, "--rejects", bench.folder / "re\x1b[2Jjects.ndjson")
    assert ran.code == 3
    broken = bench.cli_import(bench.write(WHOLE[:CUT], HOSTILE_NAME))
    assert broken.code == 1
    missing = bench.cli_import("no\x1b[2Jfile.json")
    assert missing.code == 2
    table = bench.cli("convert", bench.folder / HOSTILE_NAME, "--out", bench.folder / "x\x1b[2J.parquet")
    assert table.code == 1
    for line in "\n".join((ran.out, ran.err, broken.err, missing.err, table.err)).split("\n"):
        assert line.isprintable(), repr(line)
    assert "\\x1b" in ran.out and "\\x1b" in broken.err and "\\x1b" in missing.err


def test_too_little_disk_is_a_blocker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 10

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    before = bench.stored()
    with pytest.raises(BlockerError, match="work_dir"):
        bench.run(WHOLE)
    assert bench.stored() == before
