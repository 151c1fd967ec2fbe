"""The file of a writer: whole or not at all, in batches, from whatever stands around it."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import ropewalk
from ropewalk import PredictionWriter, Report
from ropewalk.errors import BlockerError, FileError, UsageError
from ropewalk.importing import run as importing
from ropewalk.reading.tables import read_table
from ropewalk.writer import kept, prediction_writer
from snapshots import make_snapshot

BOXES = np.array([[2, 3, 12, 8], [1, 1, 5, 4.5]])
RING = np.array([[1, 2], [30, 4], [5, 9.5]])


def add_frames(writer: PredictionWriter, frames: range) -> None:
    """Add rows of every kind of column, by turns."""
    for frame in frames:
        if frame % 3 == 0:
            writer.add("drive.mp4", frame, boxes=BOXES, class_ids=[0, 1], track_ids=[1, None], scores=[0.5, 1])
        elif frame % 3 == 1:
            masks = np.zeros((1, 36, 64), bool)
            masks[0, frame : frame + 3, 2:50] = True
            writer.add("drive.mp4", frame, masks=masks, class_names="Tree", attributes=["x"])
        else:
            keypoints = [[[1, 2, 2], [frame, 4, 1]]]
            writer.add("drive.mp4", frame, keypoints=keypoints, class_ids=[1])
            writer.add("drive.mp4", frame, polygons=[RING, None], boxes=BOXES, class_ids=[0, 1])


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("limits", [{"buffer_rows": 1}, {"buffer_rows": 4}, {"buffer_bytes": 700}])
def test_batches_leave_no_trace(tmp_path: Path, suffix: str, limits: dict[str, Any]) -> None:
    tables = []
    for options in ({}, limits):
        path = tmp_path / f"predictions.{suffix}"
        with PredictionWriter(path, classes=["Car", "Road"], **options) as writer:
            add_frames(writer, range(12))
            kept = sorted(file.name for file in writer._kept.folder.iterdir())
            assert bool(kept) == bool(options)
        assert [file.name for file in tmp_path.iterdir()] == [path.name]
        tables.append(read_table(path).collect())
    assert tables[0].equals(tables[1])
    assert len(tables[0]) == 24
    assert tables[0]["offset"].to_list() == list(range(24))
    # Null exactly where nothing was given.
    null_counts = tables[0].select("track", "score", "box", "points", "visibility", "rle", "attributes").null_count()
    assert null_counts.rows() == [(20, 16, 8, 16, 20, 20, 20)]


def test_an_exception_in_the_block_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), PredictionWriter(path, classes=["Car", "Road"], buffer_rows=2) as writer:
        add_frames(writer, range(6))
        raise ZeroDivisionError
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_frame_that_does_not_fit_ends_the_block_or_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    with PredictionWriter(path) as writer:
        writer.add("a", 1, boxes=BOXES, class_names="Car")
        with pytest.raises(UsageError):
            writer.add("a", 2, boxes=BOXES, class_names="Car", scores=[0.5])
        writer.add("a", 3, boxes=BOXES, class_names="Car")
    assert read_table(path).collect()["frame"].to_list() == [1, 1, 3, 3]


def test_a_writer_without_a_block(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    writer = PredictionWriter(path, source_label="model 1")
    writer.add(Path("still.jpg"), boxes=BOXES, class_names="Car")
    assert len(writer) == 2 and not path.exists()
    writer.close()
    assert read_table(path).select("source", "media", "frame").collect().rows() == [("model 1", "still.jpg", 0)] * 2
    path.unlink()
    writer.close()
    assert not path.exists()
    for act in (lambda: writer.add("a", boxes=BOXES, class_names="Car"), writer.__enter__):
        with pytest.raises(UsageError, match="the writer is closed"):
            act()


def test_what_could_not_be_written_can_be_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    path = tmp_path / "predictions.parquet"
    writer = PredictionWriter(path, classes=["Car", "Road"], buffer_rows=2)
    add_frames(writer, range(6))
    with monkeypatch.context() as patch:
        patch.setattr(kept, "write_table", full)
        for _ in range(2):
            with pytest.raises(FileError, match="predictions.parquet cannot be written: no space.*close.* tries again"):
                writer.close()
    writer.close()
    assert len(read_table(path).collect()) == 12
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_frame_that_found_no_room_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise polars.exceptions.ComputeError("No space left on device (os error 28)")

    path = tmp_path / "predictions.parquet"
    writer = PredictionWriter(path, buffer_rows=1, on_error="skip")
    with monkeypatch.context() as patch:
        patch.setattr(polars.DataFrame, "write_ipc", full)
        with pytest.raises(FileError, match="No space left on device.*the next frame tries again"):
            writer.add("a", 1, boxes=BOXES, class_names="Car")
    writer.add("a", 2, boxes=BOXES, class_names="Car")
    writer.close()
    assert read_table(path).collect()["frame"].to_list() == [1, 1, 2, 2]
    assert writer.skipped == 0


def test_one_bad_frame_does_not_throw_away_the_run(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    with (
        pytest.warns(
            UserWarning, match=r"predictions.parquet: 3 frames skipped; the first: a, frame 2: scores\[0\] is 7"
        ),
        PredictionWriter(path, on_error="skip") as writer,
    ):
        for frame in range(5):
            writer.add("a", frame, boxes=BOXES, class_names="Car", scores=[7 if frame == 2 else 0.5, 1])
        writer.add("a\udcff", 5, boxes=BOXES, class_names="Car")
        writer.add_answers("a", 5, 4, classification="Weather", value="Sunny")
    assert read_table(path).collect()["frame"].to_list() == [0, 0, 1, 1, 3, 3, 4, 4]
    assert (writer.skipped, len(writer.errors)) == (3, 3)


def test_what_is_wrong_from_the_start_is_told_at_the_start(tmp_path: Path) -> None:
    for options, message in (
        ({"unit": "percent"}, "unit is 'percent'; expected one of px, frac"),
        ({"box_format": "yxyx"}, "box_format is 'yxyx'; expected one of xyxy, xywh, cxcywh"),
        ({"classes": "Car"}, "classes is str; expected a list of names"),
        ({"classes": ["Car", 3]}, "classes has 3 for 1; expected a name"),
        ({"threads": 0}, "threads is 0"),
        ({"buffer_rows": 0}, "buffer_rows is 0"),
        ({"source_label": ""}, "source_label is empty"),
        ({"on_error": "ignore"}, "on_error is 'ignore'; expected one of raise, skip"),
    ):
        with pytest.raises(UsageError, match=message):
            PredictionWriter(tmp_path / "a.parquet", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"a.csv: expected a name that ends in .parquet or .arrow"):
        PredictionWriter(tmp_path / "a.csv")
    with pytest.raises(UsageError, match=r"source_label is 'a\\udcff', expected a text that UTF-8 can write"):
        PredictionWriter(tmp_path / "a.parquet", source_label="a\udcff")
    with pytest.raises(FileError, match="its folder cannot be written to: No such file"):
        PredictionWriter(tmp_path / "missing" / "a.parquet")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("exit_code", [0, 3, None])
def test_an_upload_keeps_its_file_until_all_of_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int | None
) -> None:
    snapshot, calls = make_snapshot(), []

    def fake(source: Path, project: Any, **options: Any) -> Report:
        calls.append((polars.read_parquet(source)["frame"].to_list(), project, options))
        if exit_code is None:
            raise BlockerError("the network is gone")
        report = Report()
        report.exit_code = exit_code
        return report

    monkeypatch.setattr(importing, "import_predictions", fake)
    writer = PredictionWriter.upload(snapshot, branch="model-1", min_confidence=0.25, work_dir=tmp_path / "work")
    writer.add("drive.mp4", 5, boxes=BOXES, class_names="Car")
    assert not calls
    if exit_code is None:
        with pytest.raises(BlockerError) as caught:
            writer.close()
        notes = getattr(caught.value, "__notes__", [])
        assert not hasattr(caught.value, "add_note") or [str(writer.path) in note for note in notes] == [True]
    else:
        writer.close()
        assert writer.report is not None and writer.report.exit_code == exit_code
    given = {"branch": "model-1", "source_label": None, "format": "parquet"}
    assert calls == [([5, 5], snapshot, given | {"min_confidence": 0.25, "work_dir": tmp_path / "work"})]
    assert writer.path.exists() == (exit_code != 0)
    assert [file.name for file in (tmp_path / "work").iterdir()] == [writer.path.name] * (exit_code != 0)


def test_an_upload_with_tracks_needs_a_label_before_the_model_has_run(tmp_path: Path) -> None:
    options = {"branch": "model-1", "work_dir": tmp_path, "dry_run": True}
    with PredictionWriter.upload(make_snapshot(), **options) as writer:
        writer.add("drive.mp4", 5, boxes=BOXES, class_names="Car")
        with pytest.raises(UsageError, match=r"source_label is needed: drive\.mp4 has tracks"):
            writer.add("drive.mp4", 6, boxes=BOXES, class_names="Car", track_ids=[1, 2])
        writer.add("drive.mp4", 6, boxes=BOXES, class_names="Car", track_ids=[None, None])
    assert len(writer) == 4
    with PredictionWriter.upload(make_snapshot(), source_label="model-1", **options) as writer:
        writer.add("drive.mp4", 6, boxes=BOXES, class_names="Car", track_ids=[1, 2])
    assert len(writer) == 2


def test_a_file_without_a_label_goes_by_its_place(tmp_path: Path) -> None:
    """As any other: it may be moved, and written in parts."""
    path = tmp_path / "predictions.parquet"
    with PredictionWriter(path, classes=["Car"]) as writer:
        writer.add("drive.mp4", 5, boxes=BOXES, class_ids=[0, 0], track_ids=[1, 2])
    assert "source" not in read_table(path).collect_schema()
    assert set(ropewalk.read_table(path).to_polars()["source"]) == {f"{tmp_path.name}/predictions.parquet"}


def test_an_upload_that_is_broken_off_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "import_predictions", None)
    with (
        pytest.raises(ZeroDivisionError),
        PredictionWriter.upload(make_snapshot(), branch="model-1", work_dir=tmp_path) as writer,
    ):
        writer.add("drive.mp4", 5, boxes=BOXES, class_names="Car")
        raise ZeroDivisionError
    assert not any(tmp_path.iterdir()) and writer.report is None


def test_an_upload_checks_its_options_before_the_model_runs(tmp_path: Path) -> None:
    with pytest.raises(BlockerError, match="main"):
        PredictionWriter.upload(make_snapshot(), branch="main", work_dir=tmp_path / "work")
    with pytest.raises(UsageError, match="unknown option min_confidense"):
        PredictionWriter.upload(make_snapshot(), branch="model-1", min_confidense=1, work_dir=tmp_path / "work")
    assert not any(tmp_path.iterdir())


def test_the_example_runs() -> None:
    results = doctest.testmod(prediction_writer)
    assert results.attempted > 4 and not results.failed


def test_the_writer_is_public() -> None:
    assert ropewalk.PredictionWriter is PredictionWriter and "PredictionWriter" in ropewalk.__all__
