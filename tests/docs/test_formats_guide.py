"""The table that the guide describes is the table that comes out, and the rows it shows are read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars
from encord.objects import OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, RadioAttribute
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate

import ropewalk
from documents import ROOT, blocks
from snapshots import make_image, make_snapshot, make_video


def guide_rows() -> list[dict[str, Any]]:
    (text,) = blocks(ROOT / "docs" / "guide" / "table.md", "json")
    return [json.loads(line) for line in text.splitlines()]


def guide_ontology() -> OntologyStructure:
    """Make the ontology that the guide describes above its rows."""
    structure = OntologyStructure()
    for row in guide_rows():
        name = row["class"]
        shape = row.get("shape") or ("rotatable_bounding_box" if "theta" in row else "bounding_box")
        shape = "bitmask" if "rle" in row else "audio" if row["media"].endswith(".mp3") else shape
        shape = "text" if row["media"].endswith(".txt") else shape
        if name in ("Triangle", "Many types of fruit?") or any(item.name == name for item in structure.objects):
            continue
        structure.add_object(name, Shape(shape))
    cherry = next(item for item in structure.objects if item.name == "Cherry")
    cherry.add_attribute(RadioAttribute, "Ripe?").add_option("Yes")
    many = structure.add_classification().add_attribute(ChecklistAttribute, "Many types of fruit?")
    for fruit in ("Apple", "Banana", "Kiwi"):
        many.add_option(fruit)
    points = {
        str(n): SkeletonTemplateCoordinate(x=0.5 * n, y=0.25, name=name, color="#d33115", value=name)
        for n, name in enumerate(("tip", "left", "right"))
    }
    template = SkeletonTemplate(name="Triangle", width=100, height=50, skeleton=points, skeleton_edges={})
    structure.add_skeleton_object("Triangle", template)
    return structure


def test_the_rows_that_the_guide_shows_are_written(tmp_path: Path) -> None:
    media = (
        make_image("a.jpg", width=320, height=200),
        make_image("tiny.png", width=3, height=2),
        make_video("b.mp4", width=320, height=200, number_of_frames=200),
        replace(make_image("c.mp3", width=None, height=None), data_type="AUDIO", file_type="audio/mp3", duration=4.0),
        replace(make_image("d.txt", width=None, height=None), data_type="PLAIN_TEXT", file_type="text/plain"),
    )
    project = make_snapshot(media, guide_ontology().to_dict())
    report = ropewalk.import_predictions(
        ropewalk.read_table(guide_rows(), source_label="guide"), project, branch="b", work_dir=tmp_path, dry_run=True
    )
    assert report.rejects_by_code == {}, Path(report.rejects_file or "").read_text()
    assert report.annotations_written == len(guide_rows())


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
    lines = guide_rows()
    opened = ropewalk.read_table(lines).open()
    (batch,) = opened
    assert opened.rejects == []
    found = polars.DataFrame(batch)
    shapes = ["bounding_box", "rotatable_bounding_box", "polygon", "polyline", "point", "bitmask", "skeleton", "circle"]
    assert found["shape"].to_list() == [*shapes, "ellipse", "cuboid_2d", "bounding_box", None, None, None]
    assert found["kind"].to_list() == ["object"] * 11 + ["answer", "object", "object"]
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
