"""Random label rows: what the emulator accepts, the unmodified SDK opens; what the SDK shows of it, a source has."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest
from encord import EncordUserClient, Project
from encord.exceptions import EncordException
from encord.objects import LabelRowV2, OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, NumericAttribute, RadioAttribute, TextAttribute
from encord.objects.classification import OntologyClassificationLevel
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ropewalk import Report, convert
from ropewalk.emulator import running_emulator
from snapshots import make_image, make_image_group, make_ontology, make_snapshot, make_sound, make_video

Row = dict[str, Any]

MEDIA = (make_video("drive.mp4"), make_image("still.jpg"), make_image_group("walk"), make_sound())
WHEN = "Sat, 21 Nov 2026 23:48:11 UTC"


def ontology() -> OntologyStructure:
    structure = make_ontology()
    structure.add_object("Bark", Shape.AUDIO, feature_node_hash="obj-bark")
    for kind, name in ((TextAttribute, "Plate"), (NumericAttribute, "Doors")):
        structure.objects[0].add_attribute(kind, name, feature_node_hash=f"att-{name[:4].lower()}")
    seen = structure.objects[0].add_attribute(ChecklistAttribute, "Seen", dynamic=True, feature_node_hash="att-seen")
    seen.add_option("left", feature_node_hash="opt-left")
    place = structure.add_classification(feature_node_hash="cls-plac")
    place._level = OntologyClassificationLevel.GLOBAL
    attribute = place.add_attribute(RadioAttribute, "Place", feature_node_hash="att-plac")
    attribute.add_option("town", feature_node_hash="opt-town")
    attribute.add_option("sea", feature_node_hash="opt-sea1")
    return structure


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running_emulator(make_snapshot(MEDIA, ontology().to_dict())) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        yield client.get_project(running.project_hash)


FRACTIONS = st.sampled_from([0.0, 0.125, 0.5, 1.0, 1.5])
HASHES = st.sampled_from([f"hash000{n}" for n in range(4)])
RANGES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).map(list), max_size=2)
ATTRIBUTES = {
    "cls-wthr": ("att-wthr", ["opt-sun1", "opt-nght"]),
    "cls-plac": ("att-plac", ["opt-town", "opt-sea1"]),
}


@st.composite
def objects(draw: st.DrawFn) -> Row:
    feature, shape, geometry = draw(
        st.sampled_from(
            [
                ("obj-car1", "bounding_box", {"boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}),
                ("obj-lght", "point", {"point": {"0": {"x": 0.1, "y": 0.2}}}),
                ("obj-lane", "polyline", {"polyline": {"0": {"x": 0.1, "y": 0.2}, "1": {"x": 0.5, "y": 0.2}}}),
                ("obj-road", "polygon", {"polygon": {str(n): {"x": 0.1 * n, "y": 0.2} for n in range(3)}}),
                ("obj-whee", "circle", {"circle": {"x": 0.1, "y": 0.2, "r": 0.3}}),
                (
                    "obj-ship",
                    "rotatable_bounding_box",
                    {"rotatableBoundingBox": {"x": 0, "y": 0, "w": 1, "h": 1, "theta": 3}},
                ),
            ]
        )
    )
    return {
        "name": "n",
        "color": "#D33115",
        "shape": shape,
        "value": "n",
        "createdAt": WHEN,
        "createdBy": None,
        "confidence": draw(FRACTIONS.filter(lambda number: number <= 1)),
        "objectHash": draw(HASHES),
        "featureHash": feature,
        "manualAnnotation": False,
        **copy.deepcopy(geometry),
    }


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, Row]:
    feature = draw(st.sampled_from(sorted(ATTRIBUTES)))
    attribute, options = ATTRIBUTES[feature]
    classification_hash = draw(st.sampled_from([f"answer0{n}" for n in range(4)]))
    chosen = [{"name": "o", "value": "o", "featureHash": draw(st.sampled_from(options))}]
    answer: Row = {
        "classificationHash": classification_hash,
        "featureHash": feature,
        "classifications": [{"name": "q", "value": "q", "answers": chosen, "featureHash": attribute}],
        "range": draw(RANGES),
        "spaces": {},
        "confidence": draw(FRACTIONS),
        "createdAt": WHEN,
        "manualAnnotation": True,
    }
    for name in draw(st.sets(st.sampled_from(sorted(answer.keys() - {"featureHash"})), max_size=1)):
        del answer[name]
    return classification_hash, answer


ACTIONS = st.fixed_dictionaries(
    {
        "name": st.just("Seen"),
        "featureHash": st.sampled_from(["att-seen", "att-door", "no-such1"]),
        "answers": st.sampled_from([[{"name": "left", "value": "left", "featureHash": "opt-left"}], [], 4]),
        "range": RANGES,
        "dynamic": st.booleans(),
    }
)


def set_at(part: Any, draw: st.DrawFn, value: Any) -> None:
    """Put a value somewhere into a JSON value, or take something out."""
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        below = part[key]
        if isinstance(below, (dict, list)) and below and draw(st.integers(0, 3)):
            part = below
        elif isinstance(part, dict) and draw(st.booleans()):
            del part[key]
            return
        else:
            part[key] = value
            return


@st.composite
def changes(draw: st.DrawFn, empty: Row) -> Row:
    """Fill an empty label row as the server answers it, and perhaps spoil it."""
    row = copy.deepcopy(empty)
    hashes = set()
    sounds = row["data_type"] == "audio"
    for unit in row["data_units"].values():
        frames = draw(st.lists(st.integers(0, 13), max_size=3, unique=True))
        listed = [{"objects": draw(st.lists(objects(), max_size=2)), "classifications": []} for _ in frames]
        hashes |= {item["objectHash"] for frame in listed for item in frame["objects"]}
        if row["data_type"] == "video":
            unit["labels"] = dict(zip(map(str, frames), listed, strict=True))
        elif listed and not sounds:
            unit["labels"] = listed[0]
    classifications = [{"featureHash": "att-plat", "name": "Plate", "answers": draw(st.sampled_from(["x", 3]))}]
    for key in hashes:
        answered = classifications if draw(st.booleans()) else []
        row["object_answers"][key] = {"objectHash": key, "classifications": copy.deepcopy(answered)}
        if not sounds and draw(st.booleans()):
            row["object_actions"][key] = {"objectHash": key, "actions": draw(st.lists(ACTIONS, max_size=2))}
    if sounds:
        row["object_answers"] = {
            key: {
                "objectHash": key,
                "featureHash": draw(st.sampled_from(["obj-bark", "obj-car1"])),
                "classifications": [],
                "range": draw(RANGES),
                "createdAt": WHEN,
                "manualAnnotation": False,
            }
            for key in draw(st.sets(HASHES, max_size=2))
        }
    row["classification_answers"] = dict(draw(st.lists(answers(), max_size=4)))
    for _ in range(draw(st.integers(0, 2))):
        set_at(row, draw, draw(st.sampled_from([None, "", "x", 0, -1, 7.5, True, [], {}, [[0, 0]]])))
    return row


@pytest.mark.parametrize("medium", MEDIA, ids=[medium.title for medium in MEDIA])
def test_the_sdk_opens_what_is_accepted(medium: Any, project: Project) -> None:
    (listed,) = project.list_label_rows_v2(branch_name="any", data_title_eq=medium.title)
    listed.initialise_labels()
    empty, label_hash = json.loads(json.dumps(listed.to_encord_dict())), listed.label_hash
    assert label_hash is not None
    verdicts = set()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(row=changes(empty))
    def check(row: Row) -> None:
        try:
            project._client.save_label_rows([label_hash], [row])
        except EncordException:
            verdicts.add("refused")
            event("refused")
            return
        verdicts.add("accepted")
        event("accepted")
        (found,) = project.list_label_rows_v2(branch_name="any", data_title_eq=medium.title)
        found.initialise_labels()
        found.to_encord_dict()

    check()
    assert verdicts == {"accepted", "refused"}


def shown(row: LabelRowV2) -> set[tuple[str, str, int | None]]:
    """List what the SDK shows: objects by hash and answers by classification, with their frames; of sound without."""
    by_frame = row.data_type.value != "audio"
    objects = {
        ("object", item.object_hash, annotation.frame if by_frame else None)
        for item in row.get_object_instances()
        for annotation in item.get_annotations()
    }
    answered = {
        ("answer", item.feature_hash, None if item.is_global() or not by_frame else annotation.frame)
        for item in row.get_classification_instances()
        for annotation in item.get_annotations()
        if any(answer.is_answered() for answer in item._static_answer_map.values())
    }
    return objects | answered


def listed(table: polars.DataFrame, by_frame: bool) -> set[tuple[str, str, int | None]]:
    """List what a source has in the same way."""
    found = set()
    for row in table.iter_rows(named=True):
        what = row["track"] if row["kind"] == "object" else row["class"]
        first = row["frame"] or 0
        frames: Any = range(first, (first if row["frame_last"] is None else row["frame_last"]) + 1)
        if not by_frame or (row["kind"] == "answer" and row["class"] == "cls-plac"):
            frames = [None]
        found |= {(row["kind"], what, frame) for frame in frames}
    return found


@pytest.mark.parametrize("medium", MEDIA, ids=[medium.title for medium in MEDIA])
def test_a_source_has_what_the_sdk_shows(medium: Any, project: Project, tmp_path: Path) -> None:
    (row,) = project.list_label_rows_v2(branch_name="read", data_title_eq=medium.title)
    row.initialise_labels()
    empty, label_hash = json.loads(json.dumps(row.to_encord_dict())), row.label_hash
    assert label_hash is not None
    file, out = tmp_path / "rows.json", tmp_path / "table.parquet"
    seen: set[Any] = set()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(row=changes(empty))
    def check(row: Row) -> None:
        try:
            project._client.save_label_rows([label_hash], [row])
        except EncordException:
            return
        (opened,) = project.list_label_rows_v2(branch_name="read", data_title_eq=medium.title)
        opened.initialise_labels()
        file.write_text(json.dumps(row))
        report: Report = convert(file, out, format="encord", work_dir=tmp_path)
        theirs, ours = shown(opened), listed(polars.read_parquet(out), medium.data_type != "AUDIO")
        # What is missing was counted by name, one or more frames each.
        if not (report.rejects_by_code or report.filtered_by_reason):
            assert theirs <= ours
            seen.update(theirs)
        assert report.annotations_read == report.annotations_written + report.annotations_rejected + sum(
            report.filtered_by_reason.values()
        )

    check()
    assert len(seen) > 2
