"""Where commands write to: never over what is read, into pipes and stdout as they are, and no report of another run."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ropewalk.cli.commands import app
from ropewalk.errors import FileError
from ropewalk.files import FilesRead, written_whole
from ropewalk.importing.rejects import RejectFile
from ropewalk.project.snapshot import write_snapshot
from ropewalk.report import Report
from snapshots import make_snapshot

GOOD = {"media": "drive.mp4", "class": "Car", "frame": 3, "box": [1, 2, 30, 4], "unit": "px"}
BAD = GOOD | {"score": 7}

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes need a POSIX system")


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_snapshot(make_snapshot(), "project.json")
    path = Path("rows.ndjson")
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(BAD)}\n", encoding="utf-8")
    return path


def run(line: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, line.split())
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


REHEARSAL = "import rows.ndjson --project-file project.json --dry-run --branch b"
TO_ROWS = "convert rows.ndjson --project-file project.json"


@pytest.mark.parametrize(
    "command",
    [
        f"{REHEARSAL} --report",
        f"{REHEARSAL} --rejects",
        f"{TO_ROWS} --out rows.parquet --report",
        f"{TO_ROWS} --out",
    ],
)
@pytest.mark.parametrize("name", ["rows.ndjson", "hard.ndjson", "soft.ndjson"])
def test_a_file_that_is_read_is_not_written_over_by_any_name(command: str, name: str, source: Path) -> None:
    before = source.read_bytes()
    os.link(source, "hard.ndjson")
    os.symlink(source, "soft.ndjson")
    code, _, said = run(f"{command} {name}")
    assert (code, "a file that is read" in said) == (2, True), said
    assert source.read_bytes() == before


def test_a_hard_link_to_a_file_in_a_folder_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("[]")
    os.link(folder / "a.json", "elsewhere.json")
    Path("other.json").write_text("[]")
    os.link("other.json", "other-link.json")
    read = FilesRead.of([folder.parent])
    assert Path("elsewhere.json") in read
    assert Path("other-link.json") not in read


def test_two_outputs_are_not_one_file() -> None:
    code, _, said = run(f"{REHEARSAL} --report same.json --rejects ./same.json")
    assert (code, "--report and --rejects are both" in said) == (2, True), said
    code, _, said = run(f"{TO_ROWS} --out - --report -")
    assert (code, "are both" in said) == (2, True), said


@needs_pipes
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"{REHEARSAL} --rejects pipe", '"score_range"'),
        (f"{REHEARSAL} --report pipe", '"rejects_by_code"'),
        (f"{TO_ROWS} --out pipe", '"data_units"'),
    ],
)
def test_a_pipe_is_written_to_and_stays_one(command: str, expected: str) -> None:
    os.mkfifo("pipe")
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(Path("pipe").read_text(encoding="utf-8")), daemon=True)
    reader.start()
    code, _, said = run(f"{command.replace('pipe', str(Path('pipe').absolute()))}")
    reader.join(timeout=20)
    assert code == 3, said
    assert Path("pipe").is_fifo()
    assert expected in found[0]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"{REHEARSAL} --rejects -", '"score_range"'),
        (f"{REHEARSAL} --report -", '"rejects_by_code"'),
        (f"{TO_ROWS} --out -", '"data_units"'),
    ],
)
def test_stdout_holds_nothing_else(command: str, expected: str) -> None:
    code, out, said = run(command)
    assert code == 3, said
    assert expected in out
    json.loads(out)
    assert not Path("-").exists()


def test_what_only_lists_prints_json_for_a_dash() -> None:
    code, out, _ = run("media --project-file project.json --out -")
    assert (code, out) == run("media --project-file project.json --json")[:2]


def test_a_report_that_cannot_be_written_is_said_and_no_older_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Report, path: Path) -> None:
        raise FileError(f"{path}: cannot be written: No space left on device")

    report = Path("report.json")
    report.write_text('{"of": "another run"}')
    monkeypatch.setattr(Report, "save", full)
    code, _, said = run(f"{REHEARSAL} --max-rejects 0 --report {report}")
    assert code == 1
    assert "the report is not written: report.json: cannot be written: No space left" in said
    assert "--max-rejects" in said
    assert not report.exists()


def test_rejects_that_cannot_be_written_stop_the_import_with_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "some/temporary/file")

    monkeypatch.setattr("ropewalk.importing.rejects.shutil.move", full)
    Path("report.json").write_text('{"of": "another run"}')
    code, _, said = run(f"{REHEARSAL} --report report.json --rejects mine.ndjson")
    report = json.loads(Path("report.json").read_text())
    assert code == 1
    assert "mine.ndjson: the rejects cannot be written: No space left on device" in said
    assert (report["exit_code"], report["annotations_read"], report["rejects_by_code"]) == (1, 2, {"score_range": 1})
    assert "mine.ndjson" in report["stopped_by"]


def test_rejects_after_staging_are_counted_even_if_they_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rejects = RejectFile(tmp_path / "file" / "rejects.ndjson", tmp_path, "rejects", FilesRead.of([]))
    report = Report(annotations_read=1, annotations_not_sent=1)
    with pytest.raises(FileError, match="the rejects cannot be written"):
        rejects.append(['{"code": "row_too_large", "message": "too large"}\n'], report)
    assert report.rejects_by_code == {"row_too_large": 1}


def test_a_file_appears_whole_and_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    os.symlink(target, link)
    with pytest.raises(RuntimeError, match="stopped"), written_whole(link) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stopped")
    assert target.read_text() == "old"
    with written_whole(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_folder_that_is_missing_is_an_error_of_ours(tmp_path: Path) -> None:
    with (
        pytest.raises(FileError, match="out.json: cannot be written: No such file"),
        written_whole(tmp_path / "no" / "out.json"),
    ):
        raise AssertionError("there is nothing to write to")
