"""The same predictions as COCO and as tables of every kind: equal label rows, and rejects that name their row."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy
import polars
import pyarrow
import pytest

import ropewalk
from ropewalk.errors import BlockerError, SchemaError, SourceError, UsageError
from snapshots import make_snapshot
from workbench import Bench, Json, box, check_sums, dataset, mask, ring

# Boxes, polygons and masks on an image, an image group and a video, tracked and not.
COCO = dataset(
    [
        box(1),
        box(2, image=103, track_id=4, score=0.5),
        box(3, image=104, track_id=4, score=0.25),
        ring(4),
        ring(5, image=2, segmentation=[[3, 4, 15, 4, 15, 8, 3, 20], [20, 2, 30, 2, 30, 9]]),
        mask(6),
        mask(7, image=105, size=(36, 64), score=1 / 3),
    ]
)


@pytest.fixture
def expected(bench: Bench) -> dict[str, Json]:
    """Import the predictions as COCO, and give the label rows."""
    assert bench.run(COCO).annotations_written == 7
    return bench.rows()


def label_of(bench: Bench) -> str:
    return f"{bench.folder.name}/predictions.json"


def frame_of(bench: Bench) -> polars.DataFrame:
    return ropewalk.read_coco(COCO, source_label=label_of(bench)).to_polars()


def lines_of(frame: polars.DataFrame) -> str:
    rows = [{k: v for k, v in row.items() if v is not None} for row in frame.to_dicts()]
    for row in rows:
        if "rle" in row:
            row["rle"] = row["rle"].decode("ascii")
    return "".join(json.dumps(row) + "\n" for row in rows)


def again(bench: Bench, given: Any, **options: Any) -> dict[str, Json]:
    """Import onto the same branch: rows that are equal are there already."""
    report = ropewalk.import_predictions(
        given, bench.project, branch=bench.branch, work_dir=bench.folder / "work", **options
    )
    check_sums(report)
    assert (report.annotations_already_there, report.exit_code) == (7, 0), report
    return bench.rows()


@pytest.mark.parametrize(
    "suffix", ["parquet", "arrow", "ipc", "feather", "stream.arrow", "ndjson", "jsonl", "ndjson.gz"]
)
def test_files_give_the_rows_of_coco(bench: Bench, expected: dict[str, Json], suffix: str) -> None:
    frame = frame_of(bench)
    path = bench.folder / f"table.{suffix}"
    if suffix == "parquet":
        frame.write_parquet(path)
    elif suffix == "stream.arrow":
        frame.write_ipc_stream(path)
    elif "json" in suffix:
        text = lines_of(frame).encode()
        path.write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    else:
        frame.write_ipc(path)
    assert again(bench, path) == expected


@pytest.mark.parametrize("kind", ["polars", "lazy", "pyarrow", "reader", "dicts"])
def test_tables_in_memory_give_the_rows_of_coco(bench: Bench, expected: dict[str, Json], kind: str) -> None:
    frame = frame_of(bench)
    table = {
        "polars": lambda: frame,
        "lazy": lambda: frame.lazy(),
        "pyarrow": lambda: pyarrow.table(frame),
        "reader": lambda: pyarrow.RecordBatchReader.from_batches(
            pyarrow.table(frame).schema, pyarrow.table(frame).to_batches(max_chunksize=2)
        ),
        "dicts": lambda: [json.loads(line) for line in lines_of(frame).splitlines()],
    }[kind]()
    assert again(bench, ropewalk.read_table(table)) == expected


def test_a_table_with_few_columns(bench: Bench, expected: dict[str, Json]) -> None:
    """What a model's own program writes: no kind, no shape where it is clear, the label given."""
    frame = frame_of(bench).select(
        "media", "class", "frame", "track", "score", "box", "points", "rle", "rle_order", "width_px", "height_px"
    )
    shape = polars.when(polars.col("points").is_not_null()).then(polars.lit("polygon"))
    frame = frame.with_columns(shape.alias("shape"), polars.lit("mine").alias("x_note"))
    given = ropewalk.read_table(frame, unit="px", source_label=label_of(bench))
    assert again(bench, given) == expected
    path = bench.folder / "few.parquet"
    frame.write_parquet(path)
    ran = bench.cli_import(path, "--unit", "px", "--source-label", label_of(bench), "--format", "parquet")
    assert ran.code == 0 and "7 already there" in ran.out
    assert bench.rows() == expected
    with pytest.raises(SchemaError, match="no column `unit`, and row 0 has coordinates.*--unit px"):
        bench.run(path)


def test_a_table_converted_is_the_table(bench: Bench) -> None:
    frame_of(bench).write_parquet(bench.folder / "table.parquet")
    for given, out in (("table.parquet", "b.arrow"), ("b.arrow", "c.parquet")):
        ran = bench.cli(
            "convert", bench.folder / given, "--out", bench.folder / out, "--work-dir", bench.folder / "work"
        )
        assert ran.code == 0, ran.err
    assert polars.read_parquet(bench.folder / "c.parquet").equals(frame_of(bench))


def test_rows_that_are_wrong_name_their_row_and_are_mended(bench: Bench) -> None:
    good = {"media": "still.jpg", "class": "Car", "box": [1.0, 2.0, 5.0, 7.5], "score": 0.5}
    wrong = [{"score": 2.0}, {"box": [1.0, 2.0, 5.0]}, {"class": "Cow"}, {"media": "drive.mp4"}, {"class": None}]
    frame = polars.DataFrame([good] + [good | more for more in wrong])
    path = bench.folder / "run.parquet"
    frame.write_parquet(path)
    report = bench.run(path, unit="px")
    assert report.rejects_by_code == {
        "score_range": 1,
        "bad_field": 1,
        "unknown_class": 1,
        # A video, and nothing says which frame.
        "no_frame": 1,
        "missing_field": 1,
    }
    lines = bench.rejects()
    assert {(line["code"], line["byte"]) for line in lines} == {
        ("score_range", 1),
        ("bad_field", 2),
        ("unknown_class", 3),
        ("no_frame", 4),
        ("missing_field", 5),
    }
    assert {line["source"] for line in lines} == {f"{bench.folder.name}/run.parquet"}
    for number, line in enumerate(lines):
        line["annotation"] |= good | {"box": [number, 3, 5, 7], "frame": 0}
    mended = bench.write("".join(json.dumps(line) + "\n" for line in lines), "mended.ndjson")
    assert bench.run(mended, on_existing="merge").annotations_written == 5
    assert len(bench.objects()) == 6


def test_a_ring_that_cannot_be_drawn_does_not_cost_its_polygon(bench: Bench) -> None:
    good, bad = [3.0, 4, 15, 4, 15, 8], [1.0, 2, 3, math.nan, 5, 6]
    row = {"media": "still.jpg", "class": "Road", "shape": "polygon", "unit": "px", "score": 0.5}
    frame = polars.DataFrame([row | {"points": [[bad], [good, bad]]}, row | {"points": [[bad]]}])
    path = bench.folder / "rings.parquet"
    frame.write_parquet(path)
    report = bench.run(path)
    assert (report.warnings, report.rejects_by_code) == ({"ring_dropped": 1}, {"not_finite": 1})
    [(_, _, item)] = bench.objects()
    assert [len(part) for part in item["polygons"]] == [1]
    assert numpy.multiply(item["polygons"][0][0], [30, 50] * 3) == pytest.approx(good)


def test_rejects_keep_the_identity_of_their_source(bench: Bench) -> None:
    """A mended row of a track is the same object as the rows that were written at once."""
    row = {"media": "drive.mp4", "class": "Car", "box": [1, 2, 5, 7], "unit": "px", "track": 3}
    rows = [row | {"frame": 0}, row | {"frame": 1, "score": 7}]
    bench.run(bench.write("".join(json.dumps(row) + "\n" for row in rows), "run.ndjson"))
    (line,) = bench.rejects()
    line["annotation"]["score"] = 0.5
    bench.run(bench.write(json.dumps(line), "mended.ndjson"), on_existing="merge")
    hashes = {item["objectHash"] for _, _, item in bench.objects()}
    assert (len(bench.objects()), len(hashes)) == (2, 1)


def test_a_late_reject_quotes_its_line(bench: Bench) -> None:
    row = {"media": "drive.mp4", "class": "Car", "box": [1, 2, 5, 7], "unit": "px", "track": 3, "frame": 1}
    text = "".join(json.dumps(row | {"score": score}) + "\n" for score in (0.5, 0.25))
    bench.run(bench.write(text, "run.ndjson"))
    (line,) = bench.rejects()
    assert (line["code"], line["annotation"]["score"], line["byte"]) == (
        "duplicate_track_frame",
        0.25,
        text.index("\n") + 1,
    )
    bench.branch += "-table"
    bench.run(bench.write(text, "run.ndjson"), format="ndjson")
    frame = polars.DataFrame([row | {"score": score} for score in (0.5, 0.25)])
    ropewalk.import_predictions(
        ropewalk.read_table(frame, source_label="run.ndjson"),
        bench.project,
        branch=bench.branch + "-2",
        work_dir=bench.folder / "work",
    )
    (line,) = bench.rejects(bench.folder / "work" / f"rejects-{bench.branch}-2.ndjson")
    assert line["annotation"] is None and "row 1 of its table" in line["message"]


def test_frames_may_stand_in_the_names_of_media(bench: Bench) -> None:
    rows = [
        {
            "media": f"drive.mp4/{frame:04}.png",
            "class": "Car",
            "box": [1 / 64, 2, 5, 7],
            "unit": "px",
            "width_px": 64,
            "height_px": 36,
        }
        for frame in (3, 5)
    ]
    bench.run(
        bench.write("".join(json.dumps(row) + "\n" for row in rows), "run.ndjson"),
        frame_pattern=r"(?P<media>.*)/(?P<frame>\d+)\.png",
    )
    assert bench.boxes() == [("drive.mp4", 3, 1.0), ("drive.mp4", 5, 1.0)]


def test_what_is_no_table_stops_the_import(bench: Bench) -> None:
    for name, content, message in (
        ("a.parquet", b"PAR1 and no more", "byte 8: this is not a Parquet file: expected it to end with PAR1"),
        ("b.arrow", b"ARROW1 and no more", "byte 8: expected this Arrow file to end with ARROW1; it may be cut off"),
        ("c.feather", b"", "byte 0: this is not an Arrow file or stream"),
    ):
        with pytest.raises(SourceError, match=f"{name}: {message}"):
            bench.run(bench.write(content, name))
    with pytest.raises(BlockerError, match="no column `bbox`"):
        bench.run(bench.write(b"", "d.parquet").parent / _misspelt(bench.folder / "d.parquet"))
    with pytest.raises(UsageError, match="int is not a table"):
        ropewalk.read_table(3)
    with pytest.raises(UsageError, match="unit is 'pixel'"):
        bench.run(COCO, unit="pixel")
    assert bench.objects() == []


def _misspelt(path: Path) -> str:
    polars.DataFrame([{"media": "still.jpg", "class": "Car", "bbox": [1, 2, 3, 4]}]).write_parquet(path)
    return path.name


def test_an_error_of_whoever_makes_the_table_arrives(bench: Bench) -> None:
    class Broken:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise ConnectionResetError("the model's server is gone")

    with pytest.raises(ConnectionResetError, match="server is gone"):
        ropewalk.read_table(Broken()).to_polars()


@pytest.mark.parametrize(("name", "shape"), [("Wheel", "circle"), ("Pond", "ellipse")])
def test_round_shapes_have_no_metrics(name: str, shape: str, tmp_path: Path) -> None:
    rows = [{"media": "still.jpg", "class": name, "unit": "px", "shape": shape, "box": [3, 4, 9, 9], "score": 0.5}]
    predictions = ropewalk.read_table(rows)
    report = ropewalk.import_predictions(predictions, make_snapshot(), branch="b", work_dir=tmp_path, dry_run=True)
    assert (report.annotations_written, report.warnings) == (1, {"no_metrics": 1})
