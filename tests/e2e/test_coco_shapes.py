"""Keypoints, turned boxes and polylines of COCO files, on the emulator, read back by the unmodified SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project
from encord.objects import Object, OntologyStructure, Shape
from encord.objects.coordinates import RotatableBoundingBoxCoordinates
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate

import ropewalk
import ropewalk.errors
from ropewalk.emulator import RunningEmulator, running_emulator
from snapshots import make_image, make_snapshot

WIDTH, HEIGHT = 64, 40
POINTS = ("Nose", "Left", "Right")
OBJECTS = {
    1: ("Box", Shape.BOUNDING_BOX),
    2: ("Ship", Shape.ROTATABLE_BOUNDING_BOX),
    3: ("Lane", Shape.POLYLINE),
    4: ("Light", Shape.POINT),
    5: ("Area", Shape.POLYGON),
}
PERSON = 6


def ontology() -> OntologyStructure:
    structure = OntologyStructure()
    for name, shape in OBJECTS.values():
        structure.add_object(name, shape)
    points = {
        str(n): SkeletonTemplateCoordinate(x=0.5 * n, y=0.2, name=name, color="#d33115", value=name.lower())
        for n, name in enumerate(POINTS)
    }
    template = SkeletonTemplate(name="Head", width=100, height=50, skeleton=points, skeleton_edges={})
    structure.add_skeleton_object("Person", template)
    return structure


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    media = (make_image("quay.jpg", width=WIDTH, height=HEIGHT),)
    with running_emulator(make_snapshot(media, ontology().to_dict())) as running:
        yield running


@pytest.fixture(scope="module")
def project(emulator: RunningEmulator) -> Project:
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
    )
    return client.get_project(emulator.project_hash)


class Importer:
    """Imports one annotation onto a branch of its own."""

    def __init__(self, project: Project, branch: str, work_dir: Path) -> None:
        self.project, self.branch, self.work_dir = project, branch, work_dir

    def run(self, category: int, names: Any = None, box_format: str = "xywh", unit: Any = None, **fields: Any) -> Any:
        """Import an annotation, with names of its category's keypoints, and give the report."""
        person = {"id": PERSON, "name": "Person"} | ({} if names is None else {"keypoints": names})
        document = {
            "images": [{"id": 7, "file_name": "quay.jpg", "width": WIDTH, "height": HEIGHT}],
            "categories": [*({"id": id_, "name": name} for id_, (name, _) in OBJECTS.items()), person],
            "annotations": [{"id": 21, "image_id": 7, "category_id": category, "score": 0.5, **fields}],
        }
        predictions = ropewalk.read_coco(document, box_format=box_format, unit=unit)
        return ropewalk.import_predictions(
            predictions, self.project, branch=self.branch, work_dir=self.work_dir, rejects=self.rejects
        )

    @property
    def rejects(self) -> Path:
        return self.work_dir / "rejects.ndjson"

    def read_back(self, category: int, **fields: Any) -> Any:
        """Import an annotation, and give the coordinates that the SDK reads."""
        report = self.run(category, **fields)
        assert (report.exit_code, report.annotations_written) == (0, 1), self.rejects.read_text()
        (row,) = self.project.list_label_rows_v2(branch_name=self.branch)
        row.initialise_labels()
        name = "Person" if category == PERSON else OBJECTS[category][0]
        (instance,) = row.get_object_instances(row.ontology_structure.get_child_by_title(name, type_=Object))
        (annotation,) = instance.get_annotations()
        assert annotation.confidence == 0.5
        return annotation.coordinates


@pytest.fixture
def importer(project: Project, tmp_path: Path, request: pytest.FixtureRequest) -> Importer:
    branch = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return Importer(project, branch, tmp_path)


def px(point: Any) -> tuple[float, float]:
    return round(point.x * WIDTH, 9), round(point.y * HEIGHT, 9)


def skeleton(coordinates: Any) -> list[tuple[str, tuple[float, float], str]]:
    return [(p.name, px(p), str(p.visibility.value)) for p in coordinates.values]


EXPECTED = [("Nose", (8, 9), "visible"), ("Left", (10, 5.5), "occluded"), ("Right", (3, 4), "invisible")]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (None, [8, 9, 2, 10, 5.5, 1, 3, 4, 0]),
        ("keypoint", [8, 9, 2, 10, 5.5, 1, 3, 4, 0]),
        (["a", "b", "c"], [8, 9, 2, 10, 5.5, 1, 3, 4, 0]),
        (["right", "nose", "left"], [3, 4, 0, 8, 9, 2, 10, 5.5, 1]),
    ],
)
@pytest.mark.parametrize("beside", [{}, {"bbox": [1, 2, 30, 20], "segmentation": [[1, 2, 9, 2, 9, 7]]}], ids=str)
def test_keypoints_are_a_skeleton(names: Any, numbers: list[float], beside: dict[str, Any], importer: Importer) -> None:
    coordinates = importer.read_back(PERSON, names=names, keypoints=numbers, **beside)
    assert skeleton(coordinates) == EXPECTED


def test_points_that_the_category_has_not_are_counted(importer: Importer) -> None:
    fields = {"names": ["Right", "Left"], "keypoints": [3, 4, 2, 10, 5.5, 0.25]}
    found = skeleton(importer.read_back(PERSON, **fields))
    assert found == [("Nose", (0, 0), "invisible"), ("Left", (10, 5.5), "visible"), ("Right", (3, 4), "visible")]
    again = importer.run(PERSON, **fields)
    assert again.warnings["keypoints_missing"] == 1


@pytest.mark.parametrize(
    ("names", "numbers", "code"),
    [
        (["nose", "tail", "left"], [8, 9, 2, 10, 5.5, 1, 3, 4, 0], "keypoint_names"),
        (None, [8, 9, 2, 10, 5.5, 1], "skeleton_points"),
        (["left", "nose"], [8, 9, 2, 10, 5.5, 1, 3, 4, 0], "skeleton_points"),
        (None, [0, 0, 0], "no_keypoints"),
        (None, [], "no_keypoints"),
        (None, [8, 9, 2, 10, 5.5, 1, None, 4, 1], "bad_field"),
    ],
)
def test_keypoints_that_do_not_fit(names: Any, numbers: list[float], code: str, importer: Importer) -> None:
    report = importer.run(PERSON, names=names, keypoints=numbers, bbox=[1, 2, 30, 20])
    assert (report.exit_code, report.annotations_rejected) == (3, 1)
    assert json.loads(importer.rejects.read_text())["code"] == code


def test_a_keypoint_is_a_point(importer: Importer) -> None:
    # As the SDK's exporter writes a point.
    beside = {"bbox": [5, 6.5, 0, 0], "segmentation": [[5, 6.5]]}
    assert px(importer.read_back(4, keypoints=[5, 6.5, 2], **beside)) == (5, 6.5)


def test_boxes_and_polygons_stay_what_they_are(importer: Importer) -> None:
    box = importer.read_back(1, bbox=[16, 10, 32, 5], keypoints=[5, 6, 2, 7, 8, 2], attributes={"rotation": 30})
    assert (box.top_left_x, box.top_left_y, box.width, box.height) == (0.25, 0.25, 0.5, 0.125)


def test_a_polygon_with_keypoints_stays_a_polygon(importer: Importer) -> None:
    polygon = importer.read_back(5, segmentation=[[16, 10, 32, 10, 32, 30]], keypoints=[5, 6, 2])
    assert [(p.x, p.y) for p in polygon.polygons[0][0]] == [(0.25, 0.25), (0.5, 0.25), (0.5, 0.75)]


@pytest.mark.parametrize(
    ("box_format", "fields"),
    [
        ("xywh", {"bbox": [16, 10, 32, 5], "attributes": {"rotation": 30.5}}),
        # As the SDK's exporter writes it.
        (
            "xywh",
            {
                "bbox": [16, 10, 32, 5],
                "segmentation": [[16, 10, 48, 10, 48, 15, 16, 15]],
                "attributes": {"rotation": 30.5},
                "keypoints": None,
            },
        ),
        ("cxcywha", {"bbox": [32, 12.5, 32, 5, 30.5]}),
    ],
)
def test_turned_boxes(box_format: str, fields: dict[str, Any], importer: Importer) -> None:
    found = importer.read_back(2, box_format=box_format, **fields)
    assert found == RotatableBoundingBoxCoordinates(
        top_left_x=0.25, top_left_y=0.25, width=0.5, height=0.125, theta=30.5
    )


def test_four_corners(importer: Importer) -> None:
    # Centre (32, 20), 20 wide and 10 high, a quarter turned clockwise.
    found = importer.read_back(2, box_format="corners", bbox=[37, 10, 37, 30, 27, 30, 27, 10])
    numbers = (found.top_left_x * WIDTH, found.top_left_y * HEIGHT, found.width * WIDTH, found.height * HEIGHT)
    assert numbers == pytest.approx((22, 15, 20, 10))
    assert found.theta == pytest.approx(90)


def test_a_polyline_as_encord_exports_it(importer: Importer) -> None:
    there = [4, 5, 10, 30, 40, 12.5]
    back = [40, 12.5, 10, 30, 4, 5]
    found = importer.read_back(3, segmentation=[there + back], bbox=[4, 5, 36, 25])
    assert [px(point) for point in found.values] == [(4, 5), (10, 30), (40, 12.5)]


def test_a_polygon_with_an_area_is_no_polyline(importer: Importer) -> None:
    report = importer.run(3, segmentation=[[4, 5, 10, 30, 40, 12.5]])
    assert report.annotations_rejected == 1
    assert json.loads(importer.rejects.read_text())["code"] == "shape_mismatch"


def test_a_box_format_that_there_is_not() -> None:
    with pytest.raises(ropewalk.errors.UsageError, match="xyxy.*expected one of xywh, cxcywha, corners"):
        ropewalk.read_coco([], box_format="xyxy")


FRACTIONS = [0.125, 0.25, 0.25, 0.5]
RING = [0.125, 0.25, 0.5, 0.25, 0.5, 0.75]


def test_fractions_that_are_read_as_pixels_are_counted(importer: Importer) -> None:
    report = importer.run(1, bbox=FRACTIONS)
    assert (report.annotations_written, report.warnings) == (1, {"fractions_as_px": 1})


@pytest.mark.parametrize(
    ("category", "fields"),
    [
        (1, {"bbox": [0, 0, 1, 1.5]}),
        (1, {"bbox": [0, 0, 0, 0], "segmentation": [[3, 2, 9, 2, 9, 7]]}),
        (5, {"segmentation": [[0.5, 0.5, 40, 0.5, 0.5, 20]], "bbox": FRACTIONS}),
        (1, {"bbox": FRACTIONS, "unit": "px"}),
    ],
)
def test_pixels_are_not_taken_for_fractions(category: int, fields: dict[str, Any], importer: Importer) -> None:
    assert "fractions_as_px" not in importer.run(category, **fields).warnings


def test_fractions_of_coco_are_written_as_they_are(importer: Importer) -> None:
    found = importer.read_back(1, bbox=FRACTIONS, unit="frac")
    assert [found.top_left_x, found.top_left_y, found.width, found.height] == FRACTIONS


def test_polygons_in_fractions(importer: Importer) -> None:
    found = importer.read_back(5, segmentation=[RING], unit="frac")
    assert [value for point in found.values for value in (point.x, point.y)] == RING


def test_keypoints_in_fractions(importer: Importer) -> None:
    numbers = [0.125, 0.25, 2, 0.5, 0.375, 1, 0.75, 0.5, 2]
    found = importer.read_back(PERSON, keypoints=numbers, unit="frac")
    assert [(point.x, point.y) for point in found.values] == [(0.125, 0.25), (0.5, 0.375), (0.75, 0.5)]


def test_corners_in_fractions_are_refused(importer: Importer) -> None:
    with pytest.raises(ropewalk.errors.UsageError, match="unit.*frac does not go with --box-format corners"):
        importer.run(2, bbox=[0.1, 0.1, 0.5, 0.1, 0.5, 0.4, 0.1, 0.4], box_format="corners", unit="frac")


@pytest.mark.parametrize(
    ("category", "fields"),
    [
        (3, {"segmentation": [[2, 3, 20, 9, 25, 7, 25, 7, 20, 9, 2, 3]]}),
        (4, {"keypoints": [5, 7, 2]}),
        (PERSON, {"keypoints": [8, 9, 2] * 3}),
    ],
)
def test_shapes_without_metrics_are_counted(category: int, fields: dict[str, Any], importer: Importer) -> None:
    assert importer.run(category, **fields).warnings["no_metrics"] == 1
