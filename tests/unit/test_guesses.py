"""Maps that are made for a source, and what an import makes of them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from ropewalk import Medium, Snapshot, convert, read_table
from ropewalk.errors import UsageError
from ropewalk.inspecting.guesses import class_map_for, media_map_for
from ropewalk.project.options import PlanOptions

OBJECTS = [
    ("Person", "bounding_box", "person00"),
    ("Cyclist", "bounding_box", "cyclist0"),
    ("Sign", "bounding_box", "signbox0"),
    ("Sign", "polygon", "signpoly"),
]


def medium(n: int, title: str, data_type: str = "IMAGE", **more: Any) -> Medium:
    hashes = (str(uuid.UUID(int=n)), str(uuid.UUID(int=99)))
    return Medium(hashes[0], title, data_type, hashes[1], "set", width=100, height=50, **more)


PROJECT = Snapshot(
    project_hash=str(uuid.UUID(int=1)),
    project_title="p",
    project_description="",
    ontology_hash=str(uuid.UUID(int=2)),
    ontology_title="",
    ontology_structure={
        "objects": [{"name": n, "shape": s, "featureNodeHash": h, "color": "#D33115"} for n, s, h in OBJECTS],
        "classifications": [],
    },
    media=(
        medium(10, "front.png"),
        medium(11, "left eye.png"),
        medium(12, "twice.png"),
        medium(13, "twice.png"),
        medium(14, "cam", "VIDEO", number_of_frames=20),
    ),
)


def row(media: str, class_: str, **more: Any) -> dict[str, Any]:
    return {"media": media, "class": class_, "box": [1, 2, 3, 4], "unit": "px", "score": 0.5} | more


def lines(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if not name.startswith("//")}


def test_a_class_map_has_the_nearest_names() -> None:
    names = ["people", "cyclst", "sign", "Cyclis group", "zebra", "Person"]
    made = class_map_for(read_table([row("front.png", name) for name in names]).inspect(), PROJECT)
    assert lines(made) == {
        "Cyclis group": None,
        "Person": "Person",
        "cyclst": "Cyclist",
        "people": "Person",
        "sign": "signbox0",
        "zebra": None,
        "*": "match",
    }
    assert made["// zebra"] == "1 annotation; nothing is near"
    assert "signpoly (polygon)" in made["// sign"]
    assert "near: Cyclist" in made["// Cyclis group"] or "nothing is near" in made["// Cyclis group"]


def test_a_media_map_has_what_an_import_would_match_and_what_is_near() -> None:
    names = ["run/front.png", "left_eyes.png", "twice.png", "nowhere.png", "cam/000003.png"]
    found = read_table([row(name, "Person") for name in names]).inspect()
    assert lines(media_map_for(found, PROJECT, PlanOptions())) == {
        "run/front.png": "front.png",
        "left_eyes.png": "left eye.png",
        "twice.png": None,
        "nowhere.png": None,
        "*": "match",
    }


def report_of(tmp_path: Path, rows: list[dict[str, Any]], **options: Any) -> Any:
    source = tmp_path / "rows.ndjson"
    source.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="ascii")
    return convert(source, tmp_path / "out.ndjson", PROJECT, work_dir=tmp_path / "work", **options)


@pytest.mark.parametrize(
    ("rest", "written", "rejected", "dropped"),
    [({}, 1, 2, 1), ({"*": None}, 1, 0, 3), ({"*": "match"}, 2, 1, 1)],
)
def test_classes_that_a_map_does_not_list(
    tmp_path: Path, rest: dict[str, Any], written: int, rejected: int, dropped: int
) -> None:
    given = {"// a comment": ["of any kind"], "folk": "person", "sky": None} | rest
    rows = [row("front.png", name) for name in ("folk", "sky", "Cyclist", "zebra")]
    report = report_of(tmp_path, rows, class_map=given)
    assert (report.annotations_written, report.annotations_rejected) == (written, rejected)
    assert report.filtered_by_reason == {"dropped_class": dropped}


@pytest.mark.parametrize(
    ("rest", "written", "rejected", "dropped"),
    [({}, 1, 2, 1), ({"*": None}, 1, 0, 3), ({"*": "match"}, 2, 1, 1)],
)
def test_media_that_a_map_does_not_list(
    tmp_path: Path, rest: dict[str, Any], written: int, rejected: int, dropped: int
) -> None:
    given = {"one.png": "front.png", "two.png": None} | rest
    rows = [row(name, "Person") for name in ("one.png", "two.png", "left eye.png", "nowhere.png")]
    report = report_of(tmp_path, rows, media_map=given)
    assert (report.annotations_written, report.annotations_rejected) == (written, rejected)
    assert report.filtered_by_reason == {"dropped_medium": dropped}


def test_a_made_map_imports_as_it_is(tmp_path: Path) -> None:
    rows = [row("front.png", name) for name in ("people", "cyclst", "zebra")]
    made = class_map_for(read_table(rows).inspect(), PROJECT)
    report = report_of(tmp_path, rows, class_map=made)
    assert (report.annotations_written, report.filtered_by_reason) == (2, {"dropped_class": 1})


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        ({"class_map": {"x": "Sign"}}, "name of 2 objects of the ontology; give a hash: signbox0, signpoly"),
        ({"media_map": {"x": "twice.png"}}, "name of 2 media"),
        ({"class_map": {"*": "keep"}}, "not a name or feature hash of the ontology"),
    ],
)
def test_values_that_name_no_single_thing(tmp_path: Path, maps: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        report_of(tmp_path, [row("front.png", "x")], **maps)
