"""The table that the guide describes is the table that comes out, and the rows it shows are read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars

import ropewalk
from documents import ROOT, blocks


def test_the_columns_are_those_of_the_schema() -> None:
    guide = (ROOT / "docs" / "guide" / "table.md").read_text(encoding="utf-8")
    section = guide.split("## Columns")[1].split("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \| (.*?) \| .*? \| .*? \|$", section, re.MULTILINE)
    schema = ropewalk.read_coco([{"image_id": 7, "category_id": 1, "bbox": [2, 3, 5, 4]}]).to_polars().schema
    assert [name for name, _ in described] == list(schema)
    types = {
        "string": "String",
        "u64": "UInt64",
        "u32": "UInt32",
        "f64": "Float64",
        "binary": "Binary",
        "f64 x 4": "Array(Float64, shape=(4,))",
        "list of u8": "List(UInt8)",
        "list of list of list of f64": "List(List(List(Float64)))",
        "list of struct": "List(Struct({'name': String, 'value': String, 'frame': UInt32, 'frame_last': UInt32}))",
    }
    assert [types[type_] for _, type_ in described] == [str(found) for found in schema.values()]


def test_the_rows_that_the_guide_shows_are_read_as_what_they_are() -> None:
    (text,) = blocks(ROOT / "docs" / "guide" / "table.md", "json")
    lines = [json.loads(line) for line in text.splitlines()]
    opened = ropewalk.read_table(lines).open()
    (batch,) = opened
    assert opened.rejects == []
    found = polars.DataFrame(batch)
    shapes = ["bounding_box", "rotatable_bounding_box", "polygon", "polyline", "point", "bitmask", "skeleton", "circle"]
    assert found["shape"].to_list() == [*shapes, "ellipse", "bounding_box", None, None]
    assert found["kind"].to_list() == ["object"] * 10 + ["answer", "object"]
    # A table of the same rows, which has all columns, says the same.
    table = polars.DataFrame([line | ({"track": "1"} if "track" in line else {}) for line in lines])
    again = ropewalk.read_table(table).to_polars()
    assert again.drop("offset").equals(found.drop("offset"))


def test_a_star_is_every_data_unit_of_the_project(demo_folder: Path) -> None:
    """The guide's rows, with the classes of the demo."""
    (text,) = blocks(ROOT / "docs" / "guide" / "table.md", "jsonl")
    drawn, answered = text.splitlines()
    snapshot = ropewalk.read_snapshot(demo_folder / "project.json")
    everywhere = sum(medium.number_of_frames or 1 for medium in snapshot.media)
    predictions = ropewalk.read_table([json.loads(drawn) | {"class": "Car"}], source_label="star")
    report = ropewalk.import_predictions(predictions, snapshot, branch="model-1", dry_run=True)
    assert (report.annotations_written, report.rejects_by_code) == (everywhere, {})
    # The demo asks no questions: the answer is rejected on each medium by the name of its class.
    report = ropewalk.import_predictions(
        ropewalk.read_table([json.loads(answered)]), snapshot, branch="model-1", dry_run=True
    )
    assert report.rejects_by_code == {
        "unknown_classification": sum(len(medium.images) or 1 for medium in snapshot.media)
    }
    assert [item.name for item in report.unresolved_classes] == ["Many types of fruit?"]
