"""Label rows as a source: what is not read of them is counted under its name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from encord.objects import Shape
from encord.objects.attributes import TextAttribute
from encord.objects.classification import OntologyClassificationLevel

from ropewalk import Report
from ropewalk.converting.convert import convert
from ropewalk.reading.sources import find_sources
from snapshots import make_ontology, make_snapshot, make_sound, make_video

Row = dict[str, Any]
VIDEO = make_video("drive.mp4")
SOUND = make_sound(duration=0.5)
PAGE = replace(SOUND, title="page.html", data_hash=make_video("page").data_hash, data_type="PLAIN_TEXT", duration=None)
MEDIA = {"video": VIDEO, "audio": SOUND, "plain_text": PAGE}


def ontology() -> Row:
    structure = make_ontology()
    structure.add_object("Bark", Shape.AUDIO, feature_node_hash="obj-bark")
    structure.add_object("Words", Shape.TEXT, feature_node_hash="obj-word")
    note = structure.add_classification(feature_node_hash="cls-note")
    note._level = OntologyClassificationLevel.GLOBAL
    note.add_attribute(TextAttribute, "Note", feature_node_hash="att-note")
    return structure.to_dict()


def label_row(data_type: str) -> Row:
    medium = MEDIA[data_type]
    unit = {"data_hash": medium.data_hash, "data_title": medium.title, "data_type": medium.file_type}
    return {
        "data_hash": medium.data_hash,
        "data_title": medium.title,
        "data_type": data_type,
        "data_units": {medium.data_hash: {**unit, "data_sequence": 0, "width": 64, "height": 36, "labels": {}}},
        "object_answers": {},
        "classification_answers": {},
        "object_actions": {},
        "spaces": {},
    }


def box(object_hash: str, **more: Any) -> Row:
    return {
        "objectHash": object_hash,
        "featureHash": "obj-car1",
        "name": "Car",
        "shape": "bounding_box",
        "boundingBox": {"x": 0.0625, "y": 0.25, "w": 0.3125, "h": 0.125},
        "confidence": 0.5,
        **more,
    }


NIGHT = {"name": "Weather", "featureHash": "att-wthr", "answers": [{"name": "Night", "featureHash": "opt-nght"}]}
TEXT = {"name": "Note", "featureHash": "att-note", "answers": "at sea"}


def answer(feature_hash: str, said: Row, **more: Any) -> Row:
    return {"classificationHash": "answer01", "featureHash": feature_hash, "classifications": [said], **more}


def on_frame(row: Row, frame: int, **labels: Any) -> Row:
    (unit,) = row["data_units"].values()
    unit["labels"][str(frame)] = {"objects": [], "classifications": [], **labels}
    return row


def with_answers(data_type: str, **answers: Row) -> Row:
    return {**label_row(data_type), "classification_answers": answers}


def in_a_space(**more: Any) -> Row:
    row = label_row("video")
    row["spaces"] = {"s": {"space_type": "video", "labels": {"2": {"objects": [box("a")], "classifications": []}}}}
    row["object_answers"] = {"a": {"objectHash": "a", "classifications": []}}
    return {**row, **more}


def without_feature_hash(on_the_frame: bool) -> Row:
    row = with_answers("video", answer01=answer("", NIGHT, range=None))
    del row["classification_answers"]["answer01"]["featureHash"]
    standing = {"classificationHash": "answer01", "name": "Weather", "featureHash": "cls-wthr"}
    return on_frame(row, 4, objects=[box("a"), box("b")], classifications=[standing] if on_the_frame else [])


GOOD = on_frame(label_row("video"), 3, objects=[box("a")])
PLACE = {"start": {"xpath": "a", "offset": 1}, "end": {"xpath": "b", "offset": 2}}
WHOLE = {"whole_medium": 1}

# name: (the row, written, rejected by code, filtered by reason, warnings)
CASES: dict[str, tuple[Row, int, Row, Row, Row]] = {
    "a global answer on no frame": (with_answers("video", a=answer("cls-note", TEXT, range=[])), 1, {}, {}, {}),
    "a global answer on frame 0": (with_answers("video", a=answer("cls-note", TEXT, range=[[0, 0]])), 1, {}, {}, {}),
    "a global answer without a range": (with_answers("video", a=answer("cls-note", TEXT)), 1, {}, {}, {}),
    "another answer on no frame": (
        with_answers("video", a=answer("cls-wthr", NIGHT, range=[])),
        0,
        {},
        {"on_no_frame": 1},
        {},
    ),
    "an answer on sound without ranges": (
        with_answers("audio", a=answer("cls-wthr", NIGHT, range=[])),
        1,
        {},
        {},
        WHOLE,
    ),
    "an answer about an unknown class": (
        with_answers("video", a=answer("cls-none", {**NIGHT, "name": "Mood"}, range=[])),
        0,
        {"unknown_classification": 1},
        {},
        {},
    ),
    "rows of 2023": (without_feature_hash(on_the_frame=True), 3, {}, {}, {}),
    "rows of 2023 without a hash": (without_feature_hash(on_the_frame=False), 2, {"bad_label": 1}, {}, {}),
    "a deleted object": (
        on_frame(label_row("video"), 3, objects=[box("a"), box("b", isDeleted=True), box("c", isDeleted=False)]),
        2,
        {},
        {"deleted": 1},
        {},
    ),
    "a deleted answer": (
        with_answers("video", a=answer("cls-wthr", NIGHT, range=[[1, 2]], isDeleted=True)),
        0,
        {},
        {"deleted": 1},
        {},
    ),
    "a classification that nobody answered": (
        on_frame(label_row("video"), 3, classifications=[{"classificationHash": "x", "featureHash": "cls-wthr"}]),
        0,
        {},
        {"unanswered": 1},
        {},
    ),
    "ranges of an HTML document": (
        {
            **label_row("plain_text"),
            "object_answers": {"a": {"objectHash": "a", "range": [], "range_html": [PLACE] * 2}},
        },
        0,
        {"unsupported_label": 2},
        {},
        {},
    ),
    "a sound without a range": (
        {**label_row("audio"), "object_answers": {"a": {"objectHash": "a", "featureHash": "obj-bark", "range": []}}},
        0,
        {},
        {"on_no_frame": 1},
        {},
    ),
    "an object in a space": (in_a_space(), 0, {"unsupported_label": 1}, {}, {}),
    "a sound in a space": (
        in_a_space(
            spaces={"s": {"space_type": "audio", "labels": {}}},
            object_answers={"a": {"objectHash": "a", "featureHash": "obj-bark", "range": [], "spaces": {"s": {}}}},
        ),
        0,
        {"unsupported_label": 1},
        {},
        {},
    ),
    "an answer in a space": (
        with_answers("video", a=answer("cls-wthr", NIGHT, range=[], spaces={"s": {"range": [[0, 3]]}})),
        0,
        {"unsupported_label": 1},
        {},
        {},
    ),
    "an answer at the root of the spaces": (
        with_answers("video", a=answer("cls-wthr", NIGHT, range=[[1, 2]], spaces={"root": {"range": [[0, 3]]}})),
        1,
        {},
        {},
        {},
    ),
    "nulls": (
        with_answers("video", a=answer("cls-wthr", NIGHT, range=[[1, 2]], spaces=None, confidence=None)),
        1,
        {},
        {},
        {},
    ),
    "an entry that is none": ({**copy.deepcopy(GOOD), "classification_answers": {"a": 7}}, 1, {"bad_label": 1}, {}, {}),
    "an action that is none": (
        {**copy.deepcopy(GOOD), "object_actions": {"a": {"actions": 7}}},
        1,
        {"bad_label": 1},
        {},
        {},
    ),
}


@pytest.fixture
def converted(tmp_path: Path) -> Callable[[Row], Report]:
    def converted(row: Row) -> Report:
        path = tmp_path / "export.json"
        path.write_text(json.dumps([row]))
        project = make_snapshot(tuple(MEDIA.values()), ontology())
        return convert(find_sources([path]), tmp_path / "out.ndjson", project, work_dir=tmp_path, format="encord")

    return converted


@pytest.mark.parametrize("case", CASES)
def test_labels_are_read_or_counted(case: str, converted: Callable[[Row], Report]) -> None:
    row, written, rejected, filtered, warnings = CASES[case]
    report = converted(row)
    found = (report.annotations_written, report.rejects_by_code, report.filtered_by_reason, report.warnings)
    assert found == (written, rejected, filtered, warnings)
    assert report.annotations_read == written + sum(rejected.values()) + sum(filtered.values())


def test_an_answer_of_a_text_is_rejected_by_the_medium(converted: Callable[[Row], Report]) -> None:
    """Until text is written, its answers are read and rejected, not lost."""
    report = converted(with_answers("plain_text", a=answer("cls-note", TEXT, range=[])))
    assert report.annotations_read == 1
    assert report.annotations_written + report.annotations_rejected == 1
