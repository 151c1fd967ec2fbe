"""`verify`, and `--verify` on import: what stands there is compared object by object, and differences are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from editing import add_one, edit, move_first, objects_of
from ropewalk.emulator import running_emulator
from ropewalk.importing.verify import Verification, verify_predictions
from ropewalk.sinks.encord.client import open_project
from ropewalk.sinks.encord.transport import Blocks
from snapshots import make_image, make_snapshot
from workbench import NIGHT, STILL, Bench, Json, box, dataset, mask, ring

CONTENT = dataset(
    [
        box(1),
        box(2, score=0.5),
        *(box(10 + n, image=100 + n, track_id=7) for n in range(3)),
        ring(20, image=2),
        mask(21, score=0.25),
    ]
)


def remove_mask(row: Json) -> None:
    """Remove the one mask of the row."""
    objects = objects_of(row)
    objects.remove(next(item for item in objects if "bitmask" in item))


def verified(bench: Bench, source: Path, **options: object) -> tuple[Verification, list[Json]]:
    lines: list[str] = []
    given = {"branch": bench.branch, "work_dir": bench.folder / "work"} | options
    result = verify_predictions(source, bench.project, on_difference=lines.append, **given)  # type: ignore[arg-type]
    assert result.annotations_expected == result.equal + result.missing + result.changed
    return result, [json.loads(line) for line in lines]


def test_what_was_imported_stands_there(bench: Bench) -> None:
    source = bench.write(CONTENT)
    bench.run(source)
    result, differences = verified(bench, source)
    assert (result.annotations_expected, result.equal, result.exit_code) == (7, 7, 0)
    assert differences == result.examples == []
    # Nothing of this is written.
    stored = bench.stored()
    verified(bench, source)
    assert bench.stored() == stored


def test_each_difference_has_its_code_and_place(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    source = bench.write(CONTENT)
    bench.run(source)
    edit(bench, "still.jpg", move_first, monkeypatch)
    edit(bench, "still.jpg", remove_mask, monkeypatch)
    edit(bench, "drive.mp4", add_one, monkeypatch)
    result, differences = verified(bench, source)
    assert (result.equal, result.missing, result.changed, result.extra, result.exit_code) == (5, 1, 1, 1, 3)
    by_code = {difference["code"]: difference for difference in differences}
    assert sorted(d["code"] for d in differences) == ["changed", "extra", "missing"]
    assert by_code["changed"]["fields"] == ["boundingBox"]
    assert (by_code["changed"]["data_hash"], by_code["changed"]["frame"]) == (STILL, 0)
    assert (by_code["extra"]["object_hash"], by_code["extra"]["title"]) == ("someones", "drive.mp4")
    assert result.examples == differences
    assert {(d.title, d.data_hash, d.class_name, d.code, d.annotations) for d in result.differences} == {
        ("still.jpg", STILL, by_code["changed"]["class"], "changed", 1),
        ("still.jpg", STILL, by_code["missing"]["class"], "missing", 1),
        ("drive.mp4", by_code["extra"]["data_hash"], by_code["extra"]["class"], "extra", 1),
    }
    # Beside merged labels others may stand.
    edit(bench, "still.jpg", lambda row: None, monkeypatch)
    assert verified(bench, source, allow_extra=True)[0].exit_code == 3


def test_extra_objects_may_be_allowed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    source = bench.write(CONTENT)
    bench.run(source)
    edit(bench, "drive.mp4", add_one, monkeypatch)
    assert verified(bench, source)[0].exit_code == 3
    assert verified(bench, source, allow_extra=True)[0].exit_code == 0


def test_rows_that_are_missing_and_rows_that_are_not_mentioned(bench: Bench) -> None:
    bench.run(CONTENT, only_media=("still.jpg",))
    bench.run(dataset([box(5, image=50)], images=[{"id": 50, "file_name": "clips/night.mp4", "frame_index": 2}]))
    assert NIGHT in bench.rows()
    result, differences = verified(bench, bench.write(CONTENT))
    assert (result.equal, result.missing, result.rows_missing, result.rows_elsewhere) == (3, 4, 2, 1)
    assert {(d["code"], d["title"], d["annotations"]) for d in differences} == {
        ("row_missing", "drive.mp4", 3),
        ("row_missing", "walk", 1),
    }


def test_all_of_many_rows_are_read_and_twenty_differences_are_shown(tmp_path: Path) -> None:
    stills = tuple(make_image(f"still-{n}.jpg") for n in range(25))
    images = [{"id": n, "file_name": medium.title, "width": 30, "height": 50} for n, medium in enumerate(stills)]
    source = tmp_path / "predictions.json"
    source.write_text(json.dumps(dataset([box(n, image=n) for n in range(25)], images=images)))
    with running_emulator(make_snapshot(stills)) as emulator:
        project = open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)
        bench = Bench(emulator, project, "pred-many", tmp_path)
        nothing, differences = verified(bench, source)
        assert (nothing.rows_missing, len(differences), len(nothing.examples)) == (25, 25, 20)
        bench.run(source)
        assert (verified(bench, source)[0].equal, verified(bench, source)[1]) == (25, [])


def test_rejects_of_the_source_are_no_success(bench: Bench) -> None:
    source = bench.write(dataset([box(1), box(2, bbox=[1, 2])]))
    assert bench.run(source).exit_code == 3
    result, differences = verified(bench, source)
    assert (result.equal, result.rejected, result.exit_code, differences) == (1, {"bad_field": 1}, 3, [])


def test_an_import_can_verify_itself(bench: Bench) -> None:
    source = bench.write(CONTENT)
    report = bench.run(source, verify=True)
    assert report.exit_code == 0
    assert report.verification is not None and report.verification["equal"] == 7
    # Also when all was there before, and beside other objects after a merge.
    assert bench.run(source, verify=True).verification["equal"] == 7  # type: ignore[index]
    merged = bench.run(dataset([box(9)]), on_existing="merge", verify=True)
    assert (merged.exit_code, merged.verification["extra"] > 0) == (0, True)  # type: ignore[index]


def test_an_import_verifies_what_it_wrote_and_not_what_it_left_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ropewalk.errors import RefusalError
    from ropewalk.sinks.encord.rows import LabelRows

    bench.run(dataset([box(9)]))
    skipped = bench.run(CONTENT, on_existing="skip", verify=True)
    assert skipped.verification is not None
    assert (skipped.exit_code, skipped.label_rows_skipped, skipped.verification["equal"]) == (0, 1, 4)

    save = LabelRows.save

    def picky(self: LabelRows, label_hashes: list[str], rows: list[Blocks]) -> object:
        if any(b"still.jpg" in b"".join(row) for row in rows):
            raise RefusalError("not this one", status=400, name="CorruptedLabelError")
        return save(self, label_hashes, rows)

    monkeypatch.setattr(LabelRows, "save", picky)
    refused = bench.run(CONTENT, on_existing="replace", verify=True)
    assert refused.verification is not None
    # The import as a whole has rejects; what it stands for is as it should be.
    assert (refused.exit_code, refused.verification["exit_code"], refused.verification["equal"]) == (3, 0, 4)


def test_an_import_that_was_not_stored_as_sent_exits_with_3(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from ropewalk.sinks.encord.calls import DirectCalls

    save = DirectCalls.save_rows

    def damaging(self: DirectCalls, label_hashes: list[str], rows: list[Blocks]) -> object:
        damaged = (b"".join(row).replace(b'"confidence":0.5,', b'"confidence":0.75,') for row in rows)
        return save(self, label_hashes, [[row] for row in damaged])

    monkeypatch.setattr(DirectCalls, "save_rows", damaging)
    report = bench.run(CONTENT, verify=True)
    assert report.exit_code == 3
    assert report.verification is not None
    assert (report.verification["changed"], report.verification["equal"]) == (1, 6)
    assert report.verification["examples"][0]["fields"] == ["confidence"]


def test_the_command_says_it_in_numbers_lines_and_exit_codes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    source = bench.write(CONTENT)
    assert bench.cli_import(source).code == 0
    done = bench.cli("verify", *bench.arguments(source))
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        "verified: 7 of 7 annotations are there as they should be, 0 missing, 0 changed, 0 extra",
    )
    edit(bench, "still.jpg", move_first, monkeypatch)
    out = bench.folder / "differences.ndjson"
    done = bench.cli("verify", *bench.arguments(source, "--out", out))
    assert done.code == 3
    assert "6 of 7 annotations are there as they should be, 0 missing, 1 changed" in done.out
    (line,) = out.read_text().splitlines()
    assert json.loads(line)["code"] == "changed"
    machine = bench.cli("verify", *bench.arguments(source, "--json"))
    assert (machine.code, json.loads(machine.out)["changed"]) == (3, 1)
    imported = bench.cli_import(source, "--on-existing", "replace", "--verify")
    assert (imported.code, "verified: 7 of 7" in imported.out) == (0, True)
