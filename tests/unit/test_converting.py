"""Conversion around the core: files whole, sums that hold, rejects beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars
import pytest

import ropewalk
from box_datasets import coco_boxes
from ropewalk.converting.convert import convert
from ropewalk.errors import SourceError, UsageError
from ropewalk.reading.sources import find_sources
from snapshots import make_snapshot

BOX = [0.25, 0.5, 0.125, 0.0625]
OTHER_BOX = [0.5, 0.125, 0.25, 0.75]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(coco_boxes({"drive.mp4": [BOX, None], "still.jpg": [OTHER_BOX, 0, BOX]})))
    return path


def run(source: Path, name: str, **options: Any) -> Any:
    given = {"work_dir": source.parent / "work"} | options
    return convert(find_sources(source), source.parent / name, given.pop("project", None), **given)


def test_label_rows_one_a_line(source: Path) -> None:
    report = run(source, "rows.ndjson", project=make_snapshot())
    rows = [json.loads(line) for line in (source.parent / "rows.ndjson").read_bytes().splitlines()]
    assert [len(row["object_answers"]) for row in rows] == [1, 2]
    sums = (report.annotations_read, report.annotations_written, report.annotations_rejected)
    assert (sums, report.label_rows_saved, report.exit_code) == ((5, 3, 1), 2, 3)
    assert report.bytes_sent == (source.parent / "rows.ndjson").stat().st_size


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_tables_of_several_sources(source: Path, suffix: str) -> None:
    second = source.with_name("second.json")
    second.write_text(json.dumps(coco_boxes({"walk": [OTHER_BOX]})))
    out = source.parent / f"ir.{suffix}"
    report = convert(find_sources([source, second]), out, None, work_dir=source.parent)
    table = polars.read_parquet(out) if suffix == "parquet" else polars.read_ipc(out)
    assert table["box"].to_list() == [[16, 16, 8, 2], [32, 4, 16, 24], [16, 16, 8, 2], [32, 4, 16, 24]]
    assert (report.annotations_read, report.annotations_written, report.annotations_rejected) == (6, 4, 1)
    assert (report.filtered_by_reason, report.exit_code) == ({"crowd": 1}, 3)
    assert report.rejects_file is not None
    assert len(Path(report.rejects_file).read_text().splitlines()) == 1


def test_thinned_out_rows_keep_their_sums(source: Path) -> None:
    whole = run(source, "whole.ndjson", project=make_snapshot())
    report = run(source, "rows.ndjson", project=make_snapshot(), max_per_frame=1, every=2, decimals=1)
    assert report.filtered_by_reason == whole.filtered_by_reason | {"max_per_frame": 1}
    assert report.annotations_written == whole.annotations_written - 1
    assert report.bytes_sent < whole.bytes_sent


def test_a_label_row_in_a_reject_file_counts_as_its_annotations(tmp_path: Path) -> None:
    line = json.dumps({"code": "row_too_large", "message": "61 MB", "annotation": None, "annotations": 7})
    rejects = tmp_path / "rejects.ndjson"
    rejects.write_text(line)
    report = run(rejects, "ir.parquet")
    assert (report.annotations_read, report.rejects_by_code) == (7, {"row_too_large": 7})
    assert report.rejects_file is not None
    again = json.loads(Path(report.rejects_file).read_text())
    assert (again["code"], again["message"], again["annotations"]) == ("row_too_large", "61 MB", 7)


def test_options_of_a_project_do_not_apply_to_a_table(source: Path) -> None:
    with pytest.raises(UsageError, match="frame_base needs a project"):
        run(source, "ir.parquet", frame_base=1)
    with pytest.raises(UsageError, match="project_file"):
        run(source, "rows.ndjson")
    with pytest.raises(UsageError, match="ends in"):
        run(source, "rows.csv", project=make_snapshot())


def test_a_source_that_breaks_off_leaves_no_file(source: Path) -> None:
    source.write_text(source.read_text()[:-9])
    with pytest.raises(SourceError):
        run(source, "rows.ndjson", project=make_snapshot())
    assert sorted(path.name for path in source.parent.iterdir()) == ["predictions.json", "work"]


def test_predictions_are_read_anew_each_time(source: Path) -> None:
    predictions = ropewalk.read_coco(source)
    assert predictions.to_polars()["media"].to_list() == ["drive.mp4", "still.jpg", "still.jpg"]
    assert sum(len(polars.DataFrame(batch)) for batch in predictions) == 3
    report = ropewalk.import_predictions(
        predictions, make_snapshot(), branch="b", dry_run=True, work_dir=source.parent / "work"
    )
    assert report.annotations_written == 3
    options = {"branch": "b", "dry_run": True, "work_dir": source.parent / "work"}
    assert (
        ropewalk.import_predictions(predictions, make_snapshot(), source_label="x", **options).annotations_written == 3
    )
    labelled = ropewalk.read_coco(source, source_label="run 7")
    with pytest.raises(UsageError, match="label already"):
        ropewalk.import_predictions(labelled, make_snapshot(), source_label="x", **options)
