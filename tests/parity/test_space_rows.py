"""Labels on the spaces of a data group equal what the SDK's space objects give for them."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars
from encord.objects import ClassificationInstance, LabelRowV2, ObjectInstance, OntologyStructure, Shape
from encord.objects.frames import Range
from encord.ontology import Ontology
from encord.orm.label_row import LabelRowMetadata
from encord.orm.ontology import Ontology as OrmOntology
from hypothesis import given, settings
from hypothesis import strategies as st

from all_labels import (
    SHAPES,
    Labels,
    Row,
    add_attributes,
    all_attributes,
    coordinates,
    draw_answers,
    labels,
    sdk_answer,
    structures,
    table,
)
from ropewalk import _core
from ropewalk.emulator.rows import RowHeader, listing_entry
from ropewalk.project.plan import PlanOptions, plan_of
from ropewalk.project.snapshot import Medium
from ropewalk.project.spaces import Space
from sdk_oracle import LABEL_HASH, WHEN, WHEN_TEXT, normalised, object_number, server_row
from snapshots import make_data_group, make_image, make_snapshot

BRANCH = "model-v3"
CAMERA = {"space_type": "video", "frames_per_second": 25.0, "duration": 0.36}
GROUP = make_data_group(
    "ü/scene",
    (
        Space("space/left+", "left.mp4", layout_key="left", width=7, height=5, number_of_frames=9, **CAMERA),  # type: ignore[arg-type]
        Space("space-right", "right.mp4", layout_key="right", width=4, height=6, number_of_frames=9, **CAMERA),  # type: ignore[arg-type]
        Space("space-still", "still É.png", "image", "still", width=5, height=8),
        Space("space-report", "report.pdf", "pdf", "report", number_of_frames=3),
        Space("space-volume", "volume.nii", "medical_file", "volume", width=3, height=4, number_of_frames=5),
        Space(
            "space-frames",
            "frames",
            "image_sequence",
            "frames",
            width=6,
            height=5,
            number_of_frames=2,
            frames=tuple(
                {"data_uuid": f"uuid-{n}", "data_type": "image/png", "data_sequence": n, "data_title": f"{n}.png"}
                for n in range(2)
            ),
        ),
        Space("space-talk", "talk.mp3", "audio", "microphone", duration=11.999),
        Space("space-notes", "notes.txt", "text", "notes"),
        Space("space-pulse", "pulse.csv", "time_series", "pulse"),
    ),
)
TIMES = {"created_at": WHEN, "last_edited_at": WHEN, "manual_annotation": False}
RANGE_SHAPES = {"audio": Shape.AUDIO, "text": Shape.TEXT, "time_series": Shape.TIME_RANGE}


def medium_of(space: Space) -> Medium:
    """Make the medium that labels of a space are drawn for: named by group and title."""
    return Medium(
        space.space_id,
        f"{GROUP.title}/{space.title}",
        space.data_type,
        make_image().dataset_hash,
        "",
        width=space.width,
        height=space.height,
        number_of_frames=space.number_of_frames,
    )


@st.composite
def group_structures(draw: Any) -> OntologyStructure:
    structure = draw(structures())
    for item in structure.objects:
        if item.shape in RANGE_SHAPES.values():
            add_attributes(draw, item, item.shape.value, dynamic=False)
    return structure


@st.composite
def labels_of(draw: Any, space: Space, structure: OntologyStructure) -> Labels:
    shape = RANGE_SHAPES.get(space.space_type)
    if shape is None:
        without = [Shape.BITMASK] if space.space_type == "pdf" else []
        if space.space_type not in ("video", "image_sequence"):
            structure = _without_dynamic(structure)
        drawn: Labels = draw(labels(medium_of(space), structure, without))
        return drawn
    index = next(n for n, item in enumerate(structure.objects) if item.shape is shape)
    ranges = st.lists(st.integers(0, 11_999), min_size=2, max_size=8, unique=True).map(sorted).filter(_apart)
    rows = []
    for track in draw(st.sets(st.sampled_from("abc"))):
        answers, points = draw_answers(draw, structure.objects[index].attributes), draw(ranges)
        rows += [
            Row(index, first, last, None, answers, None, track)
            for first, last in zip(points[::2], points[1::2], strict=False)
        ]
    end = 11_999 if shape is Shape.AUDIO else 2**32 - 2
    classified = [
        Row(number, 0, end, None, draw_answers(draw, item.attributes, all_of=True), draw(st.sampled_from([None, 0.25])))
        for number, item in enumerate(structure.classifications)
        if draw(st.booleans())
    ]
    return Labels(structure, tuple(rows), tuple(classified))


def _apart(points: list[int]) -> bool:
    return all(second - first > 1 for first, second in zip(points[1::2], points[2::2], strict=False))


def _without_dynamic(structure: OntologyStructure) -> OntologyStructure:
    """Copy an ontology without the questions whose answers vary: the SDK has them on videos only."""
    document = structure.to_dict()
    for item in document["objects"]:
        item["attributes"] = [one for one in item.get("attributes", []) if not one.get("dynamic")]
    return OntologyStructure.from_dict(document)


# --- for the SDK -----------------------------------------------------------------------------------------------------


def empty_row(structure: OntologyStructure) -> LabelRowV2:
    header = RowHeader(LABEL_HASH, GROUP.data_hash, BRANCH, WHEN, WHEN, 0)
    entry = listing_entry(GROUP, BRANCH, header, images_data=False, image_sizes=True, workflow_graph_node=None)
    ontology = Ontology(OrmOntology("all", structure, "ontology", WHEN, WHEN), None)  # type: ignore[arg-type]
    row = LabelRowV2(LabelRowMetadata.from_dict(entry), None, ontology)  # type: ignore[arg-type]
    row.from_labels_dict(server_row(GROUP, BRANCH))
    return row


def add_to_space(space: Any, structure: OntologyStructure, drawn: Labels, numbers: set[Any]) -> None:
    """Put labels on a space of the SDK; the first object of a class in the row keeps a number."""
    instances: dict[Any, ObjectInstance] = {}
    ranges: dict[Any, list[Range]] = defaultdict(list)
    varying: list[Any] = []
    for number, label in enumerate(drawn.objects):
        item = structure.objects[label.item]
        key = (label.item, label.track) if label.track else number
        if key not in instances:
            number_of = object_number(label.track)
            taken = (label.item, number_of) in numbers
            numbers.add((label.item, number_of))
            instances[key] = item.create_instance(object_number=None if taken else number_of)
        instance = instances[key]
        by_name = {attribute.name: attribute for attribute in all_attributes(item.attributes)}
        for name, value in label.answers:
            attribute = by_name[name]
            if not attribute.dynamic:
                instance.set_answer(sdk_answer(attribute, value), attribute, overwrite=True)
        if item.shape in RANGE_SHAPES.values():
            ranges[key].append(Range(label.frame, label.last))
            space.put_object_instance(instance, ranges[key], on_overlap="replace", **TIMES)
            continue
        place = [coordinates(SHAPES[label.item], label.geometry)]
        place = place if space._space_info["space_type"] == "image" else [label.frame, *place]
        space.put_object_instance(instance, *place, confidence=label.score, **TIMES)
        varying += [
            (instance, label.frame, sdk_answer(by_name[name], value), by_name[name])
            for name, value in label.answers
            if by_name[name].dynamic
        ]
    # The SDK does not put an object on another frame once it has such answers.
    for answer in varying:
        space.set_dynamic_answer(*answer)
    placed: dict[str, list[Range]] = defaultdict(list)
    first: dict[str, Row] = {}
    for label in drawn.classified:
        key = json.dumps([label.item, label.answers, 1.0 if label.score is None else label.score])
        first.setdefault(key, label)
        placed[key].append(Range(label.frame, label.last))
    for key, label in first.items():
        item = structure.classifications[label.item]
        answered: ClassificationInstance = item.create_instance()
        by_name = {attribute.name: attribute for attribute in all_attributes(item.attributes)}
        for name, value in label.answers:
            answered.set_answer(sdk_answer(by_name[name], value), by_name[name])
        frames = [placed[key]] if hasattr(space, "set_dynamic_answer") else []
        space.put_classification_instance(
            answered, *frames, confidence=1.0 if label.score is None else label.score, **TIMES
        )


# --- comparing -------------------------------------------------------------------------------------------------------


def comparable(row: dict[str, Any]) -> list[str]:
    """Write a row as `normalised` does; the spaces of the SDK leave out null authors, and order answers otherwise."""
    for member in ("object_answers", "classification_answers"):
        for answer in row[member].values():
            answer["classifications"].sort(key=json.dumps)
    return normalised(row, ("createdBy", "lastEditedBy"))


def core_row(structure: OntologyStructure, tables: list[polars.DataFrame], header: bytes | None) -> dict[str, Any]:
    project = make_snapshot((GROUP,), structure.to_dict())
    with tempfile.TemporaryDirectory() as folder:
        rejects = Path(folder, "rejects.ndjson")
        stage = _core.Stage(plan_of(project, BRANCH, PlanOptions(off_image="keep")), str(rejects), folder)
        for number, rows in enumerate(tables):
            stage.add(rows, f"model-{number}", "table")
        staged = stage.finish()
        assert staged.counts["rejected"] == 0, rejects.read_text()
        assert len(staged) == 1, "labels of all spaces are one row"
        encoded: dict[str, Any] = json.loads(staged.encode(0, header, WHEN_TEXT))
        return encoded


@settings(max_examples=60)
@given(data=st.data())
def test_labels_on_spaces_equal_the_sdks(data: st.DataObject) -> None:
    structure = data.draw(group_structures())
    theirs = empty_row(structure)
    tables = []
    numbers: set[Any] = set()
    for space in GROUP.spaces:
        drawn = data.draw(labels_of(space, structure))
        if drawn.objects or drawn.classified:
            tables.append(table(drawn, medium_of(space), "model"))
            add_to_space(theirs._space_map[space.space_id], structure, drawn, numbers)
    if not tables:
        return
    header = json.dumps(server_row(GROUP, BRANCH)).encode()
    ours = core_row(structure, data.draw(st.permutations(tables)), header)
    assert comparable(json.loads(json.dumps(ours))) == comparable(json.loads(json.dumps(theirs.to_encord_dict())))
    # The SDK reads all of it, and what it read is the same.
    opened = empty_row(structure)
    opened.from_labels_dict(json.loads(json.dumps(ours)))
    assert comparable(opened.to_encord_dict()) == comparable(json.loads(json.dumps(ours)))
    # A server may leave out spaces without labels.
    bare = json.dumps(server_row(GROUP, BRANCH) | {"spaces": {}}).encode()
    assert core_row(structure, tables, bare)["spaces"] == ours["spaces"]
    # A row that no server knows has the same spaces.
    assert core_row(structure, tables, None)["spaces"].keys() == ours["spaces"].keys()
