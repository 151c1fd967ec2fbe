"""The examples of Encord's guide to importing predictions, on the emulator, read back by the unmodified SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encord import EncordUserClient, Project
from encord.objects import Classification, LabelRowV2, Object, OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, RadioAttribute, TextAttribute
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import (
    BoundingBoxCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
    SkeletonCoordinates,
)
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate

import ropewalk
from ropewalk import rle
from ropewalk.emulator import RunningEmulator, running_emulator
from snapshots import make_image, make_image_group, make_snapshot, make_video

STILL, WIDE, CLIP, GROUP = "cherry.jpg", "orchard.jpg", "harvest.mp4", "baskets"
SIZES_WH = {STILL: (1254, 836), WIDE: (1920, 1080), CLIP: (1920, 1080)}
POINTS = ("Tip", "Left", "Right")
LINE = [0.1, 0.2, 0.35, 0.25, 0.3, 0.6, 0.15, 0.5]


def moved(n: int) -> list[float]:
    """Make the points of the n-th geometry: no two are alike."""
    return [value + 0.03 * n + 0.01 * (at % 2) for at, value in enumerate(LINE)]


def pairs(flat: list[float]) -> list[PointCoordinate]:
    return [PointCoordinate(x, y) for x, y in zip(flat[::2], flat[1::2], strict=True)]


def mask(title: str, n: int) -> np.ndarray:
    """Make a mask of an L as large as the medium."""
    width, height = SIZES_WH[title]
    pixels = np.zeros((height, width), dtype=bool)
    pixels[100 + 50 * n : 400 + 50 * n, 200:260] = True
    pixels[340 + 50 * n : 400 + 50 * n, 200:500] = True
    return pixels


@dataclass(frozen=True)
class Example:
    """A shape of the guide: its class, frames, the columns of the n-th geometry, and what the SDK reads of it."""

    name: str
    shape: Shape
    frames: tuple[int, ...]
    columns: Callable[[str, int], dict[str, Any]]
    expected: Callable[[str, int], Any]


def box(n: int) -> list[float]:
    return [0.1 + 0.05 * n, 0.2, 0.3, 0.15 + 0.02 * n]


def mask_columns(title: str, n: int) -> dict[str, Any]:
    width, height = SIZES_WH[title]
    string = rle.encode(mask(title, n))
    return {"rle": string, "rle_order": "row_major", "width_px": width, "height_px": height}


def sdk_box(n: int) -> dict[str, float]:
    x, y, w, h = box(n)
    return {"height": h, "width": w, "top_left_x": x, "top_left_y": y}


EXAMPLES = (
    Example(
        "Cherry",
        Shape.BOUNDING_BOX,
        (103, 104, 105),
        lambda _, n: {"box": box(n)},
        lambda _, n: BoundingBoxCoordinates(**sdk_box(n)),
    ),
    Example(
        "Other type of fruit",
        Shape.ROTATABLE_BOUNDING_BOX,
        (120, 121, 122),
        lambda _, n: {"box": box(n), "theta": 30.5 + n},
        lambda _, n: RotatableBoundingBoxCoordinates(theta=30.5 + n, **sdk_box(n)),
    ),
    Example(
        "Persimmon",
        Shape.POLYGON,
        (143, 144, 145),
        lambda _, n: {"points": [[moved(n)]]},
        lambda _, n: PolygonCoordinates(polygons=[[pairs(moved(n))]]),
    ),
    Example(
        "Branch",
        Shape.POLYLINE,
        (146, 147, 148),
        lambda _, n: {"points": [[moved(n)]]},
        lambda _, n: PolylineCoordinates(pairs(moved(n))),
    ),
    Example(
        "Pedicel",
        Shape.POINT,
        (143, 144, 145),
        lambda _, n: {"points": [[moved(n)[:2]]]},
        lambda _, n: pairs(moved(n))[0],
    ),
    Example("Blueberry", Shape.BITMASK, (156, 157, 159), mask_columns, lambda title, n: mask(title, n)),
    Example(
        "Strawberry",
        Shape.SKELETON,
        (163, 164, 165),
        lambda _, n: {"points": [[moved(n)[:6]]], "visibility": [2, 1, 0]},
        lambda _, n: [(p.x, p.y) for p in pairs(moved(n)[:6])],
    ),
)


def ontology() -> OntologyStructure:
    structure = OntologyStructure()
    for example in EXAMPLES:
        if example.shape is Shape.SKELETON:
            points = {
                str(n): SkeletonTemplateCoordinate(x=0.5 * n, y=0.2, name=name, color="#d33115", value=name.lower())
                for n, name in enumerate(POINTS)
            }
            template = SkeletonTemplate(name="Triangle", width=100, height=50, skeleton=points, skeleton_edges={})
            structure.add_skeleton_object(example.name, template)
        else:
            structure.add_object(example.name, example.shape)
    structure.add_classification().add_attribute(RadioAttribute, "Ripe?").add_option("Yes")
    many = structure.add_classification().add_attribute(ChecklistAttribute, "Many types of fruit?")
    for fruit in ("apple", "banana", "kiwi"):
        many.add_option(fruit)
    structure.add_classification().add_attribute(TextAttribute, "Remarks")
    return structure


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    def sized(title: str) -> dict[str, int]:
        return dict(zip(("width", "height"), SIZES_WH[title], strict=True))

    media = (
        make_image(STILL, **sized(STILL)),
        make_image(WIDE, **sized(WIDE)),
        make_video(CLIP, number_of_frames=200, **sized(CLIP)),
        make_image_group(GROUP),
    )
    with running_emulator(make_snapshot(media, ontology().to_dict())) as running:
        yield running


@pytest.fixture(scope="module")
def project(emulator: RunningEmulator) -> Project:
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
    )
    return client.get_project(emulator.project_hash)


@pytest.fixture
def imported(project: Project, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., dict[str, LabelRowV2]]:
    """Import rows, twice, and open what stands on the branch with the SDK."""
    branch = "".join(c if c.isalnum() else "-" for c in request.node.name)

    def run(rows: list[dict[str, Any]]) -> dict[str, LabelRowV2]:
        predictions = ropewalk.read_table(rows, unit="frac", source_label="model")
        report = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=tmp_path)
        assert (report.exit_code, report.annotations_written) == (0, len(rows))
        again = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=tmp_path / "again")
        assert (again.annotations_already_there, again.label_rows_saved) == (len(rows), 0)
        opened = project.list_label_rows_v2(branch_name=branch)
        with_labels = [row for row in opened if row.label_hash is not None]
        for row in with_labels:
            row.initialise_labels()
        return {row.data_title: row for row in with_labels}

    return run


def found(row: LabelRowV2, example: Example) -> dict[int, list[tuple[str, float, Any]]]:
    """Objects of a class by frame: object hash, confidence and coordinates."""
    item = row.ontology_structure.get_child_by_title(example.name, type_=Object)
    frames: dict[int, list[tuple[str, float, Any]]] = {}
    for instance in row.get_object_instances(item):
        for annotation in instance.get_annotations():
            assert not annotation.manual_annotation
            entry = (instance.object_hash, annotation.confidence, annotation.coordinates)
            frames.setdefault(annotation.frame, []).append(entry)
    return frames


def assert_equal(coordinates: Any, expected: Any) -> None:
    if isinstance(coordinates, BitmaskCoordinates):
        assert np.array_equal(coordinates.to_numpy_array().astype(bool), expected)
    elif isinstance(coordinates, SkeletonCoordinates):
        assert [(point.x, point.y) for point in coordinates.values] == expected
        assert [point.name for point in coordinates.values] == list(POINTS)
        assert [str(point.visibility.value) for point in coordinates.values if point.visibility] == [
            "visible",
            "occluded",
            "invisible",
        ]
    elif isinstance(coordinates, PolygonCoordinates):
        assert coordinates.polygons == expected.polygons
    else:
        assert coordinates == expected


def row_of(example: Example, title: str, n: int, **more: Any) -> dict[str, Any]:
    return {
        "media": title,
        "class": example.name,
        "shape": example.shape.value,
        "score": 0.5 + 0.1 * n,
        **example.columns(title, n),
        **more,
    }


each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


@each
@pytest.mark.parametrize("title", [STILL, WIDE])
def test_one_object_on_an_image(example: Example, title: str, imported: Any) -> None:
    rows = imported([row_of(example, title, 0)])
    assert rows.keys() == {title}
    ((_, confidence, coordinates),) = found(rows[title], example)[0]
    assert confidence == 0.5
    assert_equal(coordinates, example.expected(title, 0))


@each
def test_three_objects_on_an_image(example: Example, imported: Any) -> None:
    rows = imported([row_of(example, STILL, n) for n in range(3)])
    objects = sorted(found(rows[STILL], example)[0], key=lambda item: item[1])
    assert len({object_hash for object_hash, _, _ in objects}) == 3
    for n, (_, confidence, coordinates) in enumerate(objects):
        assert confidence == 0.5 + 0.1 * n
        assert_equal(coordinates, example.expected(STILL, n))


@each
def test_one_tracked_object_on_three_frames(example: Example, imported: Any) -> None:
    given = [row_of(example, CLIP, n, frame=frame, track="1") for n, frame in enumerate(example.frames)]
    frames = found(imported(given)[CLIP], example)
    assert tuple(sorted(frames)) == example.frames
    assert len({item[0] for items in frames.values() for item in items}) == 1
    for n, frame in enumerate(example.frames):
        ((_, confidence, coordinates),) = frames[frame]
        assert confidence == 0.5 + 0.1 * n
        assert_equal(coordinates, example.expected(CLIP, n))


@each
def test_three_tracked_objects_on_three_frames(example: Example, imported: Any) -> None:
    given = [
        row_of(example, CLIP, n, frame=frame, track=track) for n, track in enumerate("abc") for frame in example.frames
    ]
    frames = found(imported(given)[CLIP], example)
    assert {frame: len(items) for frame, items in frames.items()} == dict.fromkeys(example.frames, 3)
    by_object: dict[str, list[Any]] = {}
    for items in frames.values():
        for object_hash, confidence, coordinates in items:
            by_object.setdefault(object_hash, []).append((confidence, coordinates))
    assert len(by_object) == 3
    for seen in by_object.values():
        (confidence,) = {confidence for confidence, _ in seen}
        n = round((confidence - 0.5) * 10)
        assert len(seen) == 3
        for _, coordinates in seen:
            assert_equal(coordinates, example.expected(CLIP, n))


def answers(row: LabelRowV2, title: str) -> list[tuple[Any, float, list[tuple[int, int]]]]:
    item = row.ontology_structure.get_child_by_title(title, type_=Classification)
    found = []
    for instance in row.get_classification_instances(item):
        answer = instance.get_answer()
        if isinstance(answer, list):
            answer = [option.title for option in answer]
        elif not isinstance(answer, str):
            answer = answer.title
        found.append((answer, instance.confidence, [(span.start, span.end) for span in instance.range_list]))
    return found


def answer_row(title: str, name: str, values: list[str], **more: Any) -> dict[str, Any]:
    attributes = [{"name": name, "value": value} for value in values]
    return {"media": title, "kind": "answer", "class": name, "attributes": attributes, **more}


def test_radio(imported: Any) -> None:
    rows = imported([answer_row(STILL, "Ripe?", ["Yes"], score=0.75), answer_row(CLIP, "Ripe?", ["Yes"], frame=7)])
    assert answers(rows[STILL], "Ripe?") == [("Yes", 0.75, [(0, 0)])]
    assert answers(rows[CLIP], "Ripe?") == [("Yes", 1.0, [(7, 7)])]


def test_checklist_on_an_image_and_on_frames_of_a_video(imported: Any) -> None:
    name, fruits = "Many types of fruit?", ["apple", "kiwi"]
    frame_by_frame = [answer_row(CLIP, name, fruits, frame=frame) for frame in range(193, 198)]
    rows = imported([answer_row(STILL, name, fruits), *frame_by_frame])
    assert answers(rows[STILL], name) == [(fruits, 1.0, [(0, 0)])]
    # Runs of equal answers on neighbouring frames are one range.
    assert answers(rows[CLIP], name) == [(fruits, 1.0, [(193, 197)])]


def test_text_on_a_range(imported: Any) -> None:
    rows = imported([answer_row(CLIP, "Remarks", ['süß, "red"'], frame=10, frame_last=20, score=0.25)])
    assert answers(rows[CLIP], "Remarks") == [('süß, "red"', 0.25, [(10, 20)])]


EVERYWHERE = [(STILL, 0), (WIDE, 0), *((CLIP, frame) for frame in range(200)), *((GROUP, n) for n in range(3))]


def placed(rows: dict[str, LabelRowV2], example: Example) -> list[tuple[str, int]]:
    return sorted((title, frame) for title, row in rows.items() for frame in found(row, example))


def test_one_box_on_every_data_unit(imported: Any) -> None:
    cherry = EXAMPLES[0]
    rows = imported([row_of(cherry, title, 0, frame=frame) for title, frame in EVERYWHERE])
    assert placed(rows, cherry) == sorted(EVERYWHERE)


def test_one_row_on_every_data_unit(project: Project, tmp_path: Path) -> None:
    """A star for the medium: without a frame on all of them, with a frame on that one of a video."""
    cherry, fruit = EXAMPLES[:2]
    given = [
        row_of(cherry, "*", 0),
        row_of(fruit, "*", 1, frame=7, track="3"),
        row_of(cherry, STILL, 2),
        {"media": "*", "class": "Ripe?", "frame": 0, "attributes": [{"name": "", "value": "Yes"}]},
    ]
    predictions = ropewalk.read_table(given, unit="frac", source_label="model")
    report = ropewalk.import_predictions(predictions, project, branch="star", work_dir=tmp_path)
    assert (report.exit_code, report.annotations_read, report.rejects_by_code) == (0, 205 + 6 + 1 + 6, {})
    rows = {row.data_title: row for row in project.list_label_rows_v2(branch_name="star")}
    for row in rows.values():
        row.initialise_labels()
    assert placed(rows, cherry) == sorted(EVERYWHERE)
    assert len(found(rows[STILL], cherry)[0]) == 2
    assert placed(rows, fruit) == sorted([(STILL, 0), (WIDE, 0), (CLIP, 7), *((GROUP, n) for n in range(3))])
    ((_, confidence, coordinates),) = found(rows[CLIP], fruit)[7]
    assert confidence == 0.6
    assert_equal(coordinates, fruit.expected(CLIP, 1))
    assert answers(rows[GROUP], "Ripe?") == [("Yes", 1.0, [(0, 2)])]
    again = ropewalk.import_predictions(predictions, project, branch="star", work_dir=tmp_path / "again")
    assert (again.annotations_already_there, again.label_rows_saved) == (report.annotations_read, 0)


def test_a_star_is_counted_and_rejected_as_what_it_became(project: Project, tmp_path: Path) -> None:
    """Of the media only some are wanted, one is too small, and a bad row is rejected once."""
    cherry = EXAMPLES[0]
    given = [
        {"media": "*", "class": "Cherry", "unit": "px", "box": [1500, 900, 30, 20], "annotation_id": "wide"},
        {"media": "*", "class": "Cherry", "unit": "frac", "box": [0.1, 0.2, -0.3, 0.1], "annotation_id": "bad"},
        row_of(cherry, "*", 0, frame=250) | {"annotation_id": "late", "unit": "frac"},
    ]
    source = tmp_path / "rows.ndjson"
    source.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    options = {"only_media": ["*.jpg", "*.mp4"], "every": 100, "dry_run": True, "work_dir": tmp_path / "work"}
    kept = tmp_path / "rejects.ndjson"
    report = ropewalk.import_predictions(source, project, branch="star-dry", rejects=kept, **options)
    assert report.filtered_by_reason == {"only_media": 3 + 3, "every": 198}
    assert report.annotations_written == 1 + 2 + 2
    assert report.rejects_by_code == {"off_image": 1, "negative_box": 1, "frame_range": 1}
    assert report.rejects_file == str(kept)
    rejects = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    named = {reject["annotation_id"]: reject["annotation"]["media"] for reject in rejects}
    hashes = {row.data_title: row.data_hash for row in project.list_label_rows_v2()}
    assert named == {"wide": hashes[STILL], "bad": "*", "late": hashes[CLIP]}
