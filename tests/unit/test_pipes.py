"""Pipes and standard input as sources: copied once, under a given label, and what is no source at all."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ropewalk import Snapshot, convert, import_predictions
from ropewalk.cli.commands import app
from ropewalk.errors import FileError, SourceError, UsageError
from ropewalk.reading.sources import find_sources
from snapshots import make_snapshot

CONTENT = json.dumps(
    {
        "annotations": [{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.5, "track_id": 1}],
        "images": [{"id": 7, "file_name": "still.jpg"}],
        "categories": [{"id": 3, "name": "Car"}],
    }
)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Make a pipe that holds CONTENT once."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_text, args=(CONTENT,), daemon=True).start()
    return path


@pytest.fixture
def snapshot() -> Snapshot:
    return make_snapshot()


def objects(file: Path) -> list[Any]:
    (line,) = file.read_text().splitlines()
    (unit,) = json.loads(line)["data_units"].values()
    return [{key: item[key] for key in ("objectHash", "boundingBox")} for item in unit["labels"]["objects"]]


def test_a_pipe_gives_the_objects_of_a_file(fifo: Path, tmp_path: Path, snapshot: Snapshot) -> None:
    """Also where images come after annotations, so that it is read twice."""
    work, file = tmp_path / "work", tmp_path / "run.json"
    file.write_text(CONTENT)
    for source, out in ((fifo, "a.ndjson"), (file, "b.ndjson")):
        report = convert(source, tmp_path / out, snapshot, source_label="model", work_dir=work)
        assert report.annotations_written == 1
    assert objects(tmp_path / "a.ndjson") == objects(tmp_path / "b.ndjson")
    gc.collect()
    assert list(work.glob("*/*")) == []


def test_standard_input_is_a_source(tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    arguments = ["convert", "-", "--out", str(out), "--work-dir", str(tmp_path)]
    ran = CliRunner().invoke(app, arguments, input=CONTENT)
    assert ran.exit_code == 2 and "give --source-label NAME" in ran.stderr
    ran = CliRunner().invoke(app, [*arguments, "--source-label", "model"], input=CONTENT)
    assert (ran.exit_code, out.exists()) == (0, True)


def test_a_name_for_the_copy_of_a_pipe_that_holds_something_else(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'[{"image_id": 7]')))
    with pytest.raises(SourceError, match="standard-input: byte 15"):
        convert("-", tmp_path / "x.parquet", source_label="model", work_dir=tmp_path)


def test_a_pipe_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Broken(b"[]")))
    with pytest.raises(FileError, match="-: cannot be copied to .*: Input/output error"):
        find_sources("-", "model", work_dir=tmp_path)
    assert list(tmp_path.glob("stage-*")) == []


@pytest.mark.parametrize("given", [5, None, [5], [None], [["a.json"]]], ids=str)
def test_what_is_no_source_is_said(given: Any, snapshot: Snapshot) -> None:
    with pytest.raises(UsageError, match="is not a source: expected the path of a file or folder"):
        import_predictions(given, snapshot, branch="b", dry_run=True)


def test_what_is_no_project_or_no_branch_is_said(tmp_path: Path, snapshot: Snapshot) -> None:
    file = tmp_path / "run.json"
    file.write_text(CONTENT)
    wrong: Any = 5
    with pytest.raises(UsageError, match="int is not a project"):
        import_predictions(file, wrong, branch="b")
    with pytest.raises(UsageError, match="int is not a branch name"):
        import_predictions(file, snapshot, branch=wrong, dry_run=True)
    (tmp_path / "taken").touch()
    with pytest.raises(FileError, match="taken: cannot be made: File exists"):
        import_predictions(file, snapshot, branch="b", dry_run=True, work_dir=tmp_path / "taken")


def test_a_link_to_nothing_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.json").write_text(CONTENT)
    (tmp_path / "run" / "b.json").symlink_to(tmp_path / "gone.json")
    with pytest.raises(FileError, match="b.json: a link to a file that does not exist; remove the link"):
        convert(tmp_path / "run", tmp_path / "x.parquet", work_dir=tmp_path / "work")
