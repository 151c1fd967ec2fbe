"""Evaluation: pycocotools' own numbers on COCO's own files, and on label rows of a project those of an import."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encord.objects import OntologyStructure, Shape
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import ropewalk
from ropewalk import Evaluation, Snapshot, evaluate, rle
from ropewalk.converting.convert import convert
from ropewalk.errors import UsageError
from ropewalk.reading.sources import find_sources
from snapshots import hash_of, make_image, make_image_group, make_snapshot, make_video

SAMPLES = Path(__file__).parents[3] / "shared" / "data"
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def by_hand(labels: Any, results: Any, iou: str) -> list[float | None]:
    """Run pycocotools as its own example does."""
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(labels)) if isinstance(labels, Path) else COCO()
        if not isinstance(labels, Path):
            truth.dataset = labels
            truth.createIndex()
        run = COCOeval(truth, truth.loadRes(str(results) if isinstance(results, Path) else results), iou)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [None if value < 0 else float(value) for value in run.stats]


@pytest.mark.parametrize("iou", ["bbox", "segm"])
def test_the_numbers_are_those_of_pycocotools(iou: str) -> None:
    labels = SAMPLES / "coco_val2014_100_instances.json"
    results = SAMPLES / f"coco_val2014_100_{iou}_results.json"
    if not labels.is_file():
        pytest.skip("COCO's example results are not here")
    found = evaluate(results, labels, iou=iou)
    assert list(found.metrics) == list(NAMES)
    assert list(found.metrics.values()) == by_hand(labels, results, iou)
    assert (found.images, found.labels, found.predictions, found.exit_code) == (100, 839, 734, 0)
    aps = [item.ap for item in found.classes if item.ap is not None]
    assert np.mean(aps) == pytest.approx(found.metrics["AP"], abs=1e-12)


W, H = 60, 40


def mask(x: int, y: int, w: int, h: int) -> dict[str, Any]:
    pixels = np.zeros((H, W), np.uint8, order="F")
    # An L, so that a mask read along the wrong axis is another one.
    pixels[y : y + h, x : x + 2] = pixels[y + h - 2 : y + h, x : x + w] = 1
    return {"size": [H, W], "counts": coco_mask.encode(pixels)["counts"].decode()}


def labels() -> dict[str, Any]:
    items = [
        {"image_id": 8, "category_id": 3, "bbox": [10.5, 20, 30, 10], "area": 300.0},
        {"image_id": 8, "category_id": 3, "bbox": [1, 2, 9, 8], "area": 72.0},
        {"image_id": 8, "category_id": 3, "bbox": [40, 2, 19, 18], "area": 342.0, "iscrowd": 1},
        {"image_id": 2, "category_id": 1, "bbox": [5, 5, 12, 20], "segmentation": mask(5, 5, 12, 20), "area": 62.0},
    ]
    return {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": W, "height": H} for n in (8, 2, 5)],
        "categories": [{"id": 3, "name": "Car"}, {"id": 1, "name": "Tree"}, {"id": 7, "name": "Cow"}],
        "annotations": [{"id": n, "iscrowd": 0} | item for n, item in enumerate(items, 1)],
    }


RESULTS = [
    {"image_id": 8, "category_id": 3, "bbox": [11, 20, 29, 9], "score": 0.5},
    {"image_id": 8, "category_id": 3, "bbox": [42, 3, 9, 8], "score": 0.9},
    {"image_id": 5, "category_id": 3, "bbox": [1, 2, 9, 8], "score": 0.5},
    {"image_id": 2, "category_id": 3, "bbox": [5, 5, 12, 20], "score": 0.4},
    {"image_id": 2, "category_id": 1, "bbox": [6, 5, 12, 19], "score": 0.25},
]


def test_crowds_empty_images_and_ties_count_as_pycocotools_has_them() -> None:
    found = evaluate(ropewalk.read_coco(RESULTS), labels())
    assert list(found.metrics.values()) == by_hand(labels(), RESULTS, "bbox")
    assert 0 < found.metrics["AP"] < 1  # type: ignore[operator]
    assert (found.images, found.labels, found.predictions) == (3, 4, 5)
    car, tree = found.classes
    assert (car.name, car.id, car.labels, car.predictions) == ("Car", "3", 3, 4)
    # Its IoU is 209 / 259: seven of the ten thresholds.
    assert (tree.ap50, tree.ap, tree.ar) == pytest.approx((1.0, 0.7, 0.7))


PERSON = {"id": 1, "name": "Person", "keypoints": [str(n) for n in range(17)]}


def person(x: float, **more: Any) -> dict[str, Any]:
    points = [v for n in range(17) for v in (x + n, 5 + n % 3, 2)]
    bbox = [x, 5, 17, 3]
    return {
        "image_id": 2,
        "category_id": 1,
        "keypoints": points,
        "num_keypoints": 17,
        "bbox": bbox,
        "area": 51.0,
    } | more


@pytest.mark.parametrize("crowd", [0, 1, "0", "true"])
def test_persons_without_keypoints_are_ignored_as_pycocotools_does(crowd: Any) -> None:
    nobody = person(40, keypoints=[0] * 51, num_keypoints=0, iscrowd=crowd)
    given = labels() | {
        "categories": [PERSON],
        "annotations": [item | {"id": n} for n, item in enumerate([person(1, iscrowd=0), nobody], 1)],
    }
    results = [person(1, score=0.5), person(40, score=0.9)]
    found = evaluate(ropewalk.read_coco(results), given, iou="keypoints")
    by_number = json.loads(json.dumps(given))
    by_number["annotations"][1]["iscrowd"] = int(crowd in (1, "true"))
    assert list(found.metrics.values()) == by_hand(by_number, results, "keypoints")
    assert found.metrics["AP"] == pytest.approx(1.0)


def test_masks_are_compared_as_masks() -> None:
    results = [{"image_id": 2, "category_id": 1, "segmentation": mask(5, 5, 10, 20), "score": 0.25}]
    given = labels() | {"annotations": labels()["annotations"][3:]}
    found = evaluate(ropewalk.read_coco(results), given, iou="segm")
    assert list(found.metrics.values()) == by_hand(given, results, "segm")
    # 56 px of 60 are in common; as boxes it would be 200 of 240.
    assert found.metrics["AP"] == pytest.approx(0.9)


def test_what_the_labels_do_not_know_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    document = labels() | {"annotations": []}
    document["images"] = [*document["images"], {"id": 9, "file_name": "elsewhere.jpg"}]
    document["categories"] = [*document["categories"], {"id": 4, "name": "Owl"}]
    # pycocotools adds fields to the results that it is given.
    broken = {**RESULTS[0], "bbox": [1, 2], "segmentation": None}
    results = [*RESULTS, RESULTS[0] | {"image_id": 9}, RESULTS[0] | {"category_id": 4}, broken]
    document["annotations"] = [item | {"id": n} for n, item in enumerate(results, 1)]
    found = evaluate(ropewalk.read_coco(document), labels(), min_confidence=0.3)
    assert found.filtered_by_reason == {"other_image": 1, "other_class": 1, "min_confidence": 1}
    assert (found.rejects_by_code, found.exit_code) == ({"bad_field": 1}, 3)
    assert (found.annotations_read, found.predictions) == (8, 4)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": []}, "no images"),
        ({"images": [{"id": n, "file_name": "same.jpg"} for n in (1, 2)], "annotations": []}, "several images"),
        ({"categories": [{"id": n, "name": "same"} for n in (1, 3, 7)]}, "several categories"),
        ({"images": 3}, "images: expected a list"),
        ({"images": [{"file_name": "a.jpg"}], "annotations": []}, "images without an id"),
    ],
)
def test_labels_that_name_nothing_clearly_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises((UsageError, ropewalk.errors.SourceError), match=said):
        evaluate(ropewalk.read_coco(RESULTS), labels() | change)


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    results, project = ropewalk.read_coco(RESULTS), make_snapshot()
    for given, more, said in (
        ((results, labels()), {"iou": "boxes"}, "iou is"),
        ((results, labels()), {"all_frames": True}, "all_frames"),
        ((results, labels()), {"class_map": {}}, "needs a project"),
        ((results,), {}, "give a project"),
        ((results,), {"project": project, "predictions_branch": "x"}, "give predictions"),
        ((None, labels()), {"predictions_branch": "x"}, "needs a project"),
        ((results,), {"project": project, "work_dir": tmp_path}, "main: no image or frame"),
    ):
        with pytest.raises(UsageError, match=said):
            evaluate(*given, **more)


# What follows compares inside a project.


def structure() -> dict[str, Any]:
    ontology = OntologyStructure()
    for name, shape in (("Car", Shape.BOUNDING_BOX), ("Tree", Shape.BITMASK), ("Ship", Shape.ROTATABLE_BOUNDING_BOX)):
        ontology.add_object(name, shape, feature_node_hash=f"obj-{name}")
    points = {str(n): SkeletonTemplateCoordinate(x=n, y=2 * n, name=name) for n, name in enumerate(("nose", "left"))}
    template = SkeletonTemplate(name="Figure", width=1, height=2, skeleton=points, skeleton_edges={})
    ontology.add_skeleton_object("Figure", template, feature_node_hash="obj-Figure")
    return ontology.to_dict()


MEDIA = (
    make_video("drive.mp4", width=W, height=H, number_of_frames=6),
    make_image("8.jpg", width=W, height=H),
    make_image("2.jpg", width=None, height=None),
    make_image_group("walk", ((W, H), (H, W))),
)


def project_of(tmp_path: Path, *branches: tuple[str, Any], media: Any = MEDIA) -> Snapshot:
    """Make a project on whose branches COCO files stand."""
    empty = make_snapshot(media, structure())
    # To be laid on it, an image needs a size; the project itself does not know that of one.
    sized = replace(empty, media=tuple(replace(m, width=W, height=H) if m.title == "2.jpg" else m for m in media))
    rows = []
    for branch, document in branches:
        source, out = tmp_path / f"{branch}.json", tmp_path / f"{branch}.ndjson"
        source.write_text(json.dumps(document))
        assert convert(find_sources(source), out, sized, work_dir=tmp_path / "work").exit_code == 0
        rows += [json.loads(line) | {"branch_name": branch} for line in out.read_text().splitlines()]
    return replace(empty, label_rows=tuple(rows))


def on_project(annotations: list[dict[str, Any]]) -> dict[str, Any]:
    images = [
        {"id": 1, "file_name": "8.jpg", "width": W, "height": H},
        {"id": 2, "file_name": "2.jpg", "width": W, "height": H},
        {"id": 3, "file_name": "walk-0.png", "width": W, "height": H},
        {"id": 4, "file_name": "walk-1.png", "width": H, "height": W},
        *(
            {"id": 10 + n, "file_name": f"{n}.png", "width": W, "height": H, "video_id": 1, "frame_index": n}
            for n in range(6)
        ),
    ]
    return {
        "images": images,
        "videos": [{"id": 1, "name": "drive.mp4"}],
        "categories": [{"id": 1, "name": "Car"}, {"id": 2, "name": "Tree"}],
        "annotations": [{"id": n} | item for n, item in enumerate(annotations, 1)],
    }


# Parts of the image that fractions hold exactly, so that px come back as they were.
TRUTH = [
    {"image_id": 1, "category_id": 1, "bbox": [15, 10, 30, 20]},
    {"image_id": 2, "category_id": 2, "segmentation": mask(5, 5, 12, 20)},
    {"image_id": 4, "category_id": 1, "bbox": [10, 15, 20, 30]},
    {"image_id": 12, "category_id": 1, "bbox": [30, 10, 15, 20], "track_id": 1},
    {"image_id": 13, "category_id": 1, "bbox": [15, 20, 15, 20], "track_id": 1},
]
FOUND = [
    {"image_id": 1, "category_id": 1, "bbox": [15, 10, 30, 18], "score": 0.9},
    {"image_id": 2, "category_id": 2, "segmentation": mask(5, 5, 12, 20), "score": 0.8},
    {"image_id": 4, "category_id": 1, "bbox": [10, 15, 20, 29], "score": 0.7},
    {"image_id": 12, "category_id": 1, "bbox": [30, 10, 15, 11], "score": 0.6, "track_id": 5},
    {"image_id": 14, "category_id": 1, "bbox": [15, 20, 15, 20], "score": 0.95, "track_id": 5},
]


def in_project(project: Snapshot, tmp_path: Path, *annotations: dict[str, Any], **more: Any) -> Evaluation:
    given = ropewalk.read_coco(on_project(list(annotations) or FOUND))
    return evaluate(given, more.pop("labels", None), project=project, work_dir=tmp_path / "work", **more)


def results_by_hand(frames: set[int]) -> list[float | None]:
    truth = on_project([t | {"area": t["bbox"][2] * t["bbox"][3] if "bbox" in t else 58, "iscrowd": 0} for t in TRUTH])
    truth["annotations"][1]["bbox"] = [5, 5, 12, 20]
    truth["images"] = [image for image in truth["images"] if image["id"] in frames]
    found = [f | {"bbox": f.get("bbox", [5, 5, 12, 20])} for f in FOUND if f["image_id"] in frames]
    for item in found:
        item.pop("segmentation", None)
    return by_hand(truth, found, "bbox")


def test_label_rows_give_the_numbers_of_pycocotools(tmp_path: Path) -> None:
    project = project_of(tmp_path, ("main", on_project(TRUTH)))
    found = in_project(project, tmp_path)
    assert list(found.metrics.values()) == pytest.approx(results_by_hand({1, 2, 4, 12, 13}))
    assert (found.images, found.labels, found.predictions) == (5, 5, 4)
    assert found.filtered_by_reason == {"frame_without_labels": 1}
    assert [(c.name, c.id, c.labels, c.predictions) for c in found.classes] == [
        ("Car", "obj-Car", 4, 3),
        ("Tree", "obj-Tree", 1, 1),
    ]
    every = in_project(project, tmp_path, all_frames=True)
    assert list(every.metrics.values()) == pytest.approx(results_by_hand({1, 2, 4, 12, 13, 14}))
    assert every.metrics["AP"] < found.metrics["AP"]  # type: ignore[operator]
    assert (every.images, every.predictions, every.filtered_by_reason) == (6, 5, {})


def test_a_branch_gives_what_its_source_gives(tmp_path: Path) -> None:
    project = project_of(tmp_path, ("main", on_project(TRUTH)), ("pred-1", on_project(FOUND)))
    assert evaluate(project=project, predictions_branch="pred-1") == in_project(project, tmp_path)
    less = project_of(tmp_path, ("main", on_project(TRUTH)), ("pred-1", on_project(FOUND[:2])))
    turned = evaluate(project=less, predictions_branch="main", branch="pred-1")
    assert (turned.labels_from, turned.labels, turned.annotations_read) == ("pred-1", 2, 5)


def test_a_file_of_labels_is_resolved_as_predictions_are(tmp_path: Path) -> None:
    project = project_of(tmp_path, ("main", on_project(TRUTH)))
    from_main = in_project(project, tmp_path)
    file = tmp_path / "main.json"
    found = in_project(project, tmp_path, labels=file)
    assert found == replace(from_main, labels_from=str(file))
    results = tmp_path / "results.json"
    results.write_text(json.dumps(FOUND))
    assert evaluate(results, file, project=project, work_dir=tmp_path) == found
    # A region to be ignored lies under a prediction that would be wrong.
    wrong = FOUND[0] | {"bbox": [2, 2, 9, 9], "score": 0.99}
    region = TRUTH[0] | {"bbox": [1, 1, 12, 12], "iscrowd": 1}
    crowded = on_project([*TRUTH, region])
    assert in_project(project, tmp_path, *FOUND, wrong, labels=crowded).metrics["AP"] == found.metrics["AP"]
    assert in_project(project, tmp_path, *FOUND, wrong).metrics["AP"] < found.metrics["AP"]  # type: ignore[operator]


def test_classes_and_media_are_narrowed_on_both_sides(tmp_path: Path) -> None:
    project = project_of(tmp_path, ("main", on_project(TRUTH)))
    cars = in_project(project, tmp_path, only_classes=("Car",))
    assert (cars.labels, cars.predictions, cars.labels_left_out) == (4, 3, {"other_class": 1})
    assert cars.filtered_by_reason == {"other_class": 1, "frame_without_labels": 1}
    walk = in_project(project, tmp_path, only_media=("walk-*",))
    assert (walk.labels, walk.predictions, walk.labels_left_out) == (1, 1, {"only_media": 4})


def test_predictions_are_rejected_as_in_an_import(tmp_path: Path) -> None:
    project = project_of(tmp_path, ("main", on_project(TRUTH)))
    wrong = mask(5, 5, 12, 20) | {"size": [W, H]}
    bad = [FOUND[1] | {"segmentation": wrong}, FOUND[0] | {"bbox": [200, 2, 3, 4]}, FOUND[0]]
    found = in_project(project, tmp_path, *bad)
    # The size of 2.jpg stands in its label row alone.
    assert found.rejects_by_code == {"mask_size": 1, "off_image": 1}
    assert (found.annotations_read, found.predictions, found.exit_code) == (3, 1, 3)
    assert found.rejects_file is not None
    assert len(Path(found.rejects_file).read_text().splitlines()) == 2


def row_with(*objects: dict[str, Any], branch: str = "main") -> dict[str, Any]:
    """Make a label row of 8.jpg as Encord writes one."""
    common = {"objectHash": "o", "confidence": 0.5}
    unit = {"data_hash": hash_of("8.jpg"), "data_sequence": "0", "width": W, "height": H}
    unit["labels"] = {"objects": [common | item for item in objects], "classifications": []}
    hashes = {"data_hash": hash_of("8.jpg"), "label_hash": "row", "data_type": "image", "branch_name": branch}
    return hashes | {"data_units": {hash_of("8.jpg"): unit}}


def shaped(shape: str, **geometry: Any) -> dict[str, Any]:
    return {"shape": shape, "featureHash": "obj-Ship", **geometry}


def measured(truth: list[dict[str, Any]], found: list[dict[str, Any]], iou: str) -> Evaluation:
    rows = (row_with(*truth), row_with(*found, branch="pred"))
    return evaluate(project=make_snapshot(MEDIA, structure(), rows), predictions_branch="pred", iou=iou)


def test_rotated_boxes_are_compared_as_they_lie() -> None:
    def ship(theta: float) -> dict[str, Any]:
        # 30 x 10 px about the centre of the image.
        box = {"x": 0.25, "y": 0.375, "w": 0.5, "h": 0.25, "theta": theta}
        return shaped("rotatable_bounding_box", rotatableBoundingBox=box)

    for iou in ("bbox", "segm"):
        assert measured([ship(30)], [ship(30)], iou).metrics["AP"] == pytest.approx(1.0)
        assert measured([ship(0)], [ship(90)], iou).metrics["AP50"] == 0.0
    # Mirrored they have one box around them, and little of their area in common.
    assert measured([ship(30)], [ship(-30)], "bbox").metrics["AP"] == pytest.approx(1.0)
    assert measured([ship(30)], [ship(-30)], "segm").metrics["AP50"] == 0.0


def test_keypoints_of_any_number() -> None:
    def figure(dx: float, seen: str = "visible") -> dict[str, Any]:
        points = {"1": {"x": 0.75 + dx, "y": 0.25, "visibility": seen}, "0": {"x": 0.25 + dx, "y": 0.75}}
        return {"shape": "skeleton", "featureHash": "obj-Figure", "skeleton": points}

    same = measured([figure(0)], [figure(0)], "keypoints")
    assert list(same.metrics) == ["AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl"]
    assert same.metrics["AP"] == pytest.approx(1.0)
    assert measured([figure(0)], [figure(0.2)], "keypoints").metrics["AP"] == 0.0
    # One of the two points lies elsewhere; where it is not in the picture nobody asks.
    apart = figure(0)
    apart["skeleton"] = {"0": {"x": 0.25, "y": 0.75}, "1": {"x": 0.75, "y": 0.95}}
    assert measured([figure(0)], [apart], "keypoints").metrics["AP75"] == 0.0
    assert measured([figure(0, "invisible")], [apart], "keypoints").metrics["AP75"] == pytest.approx(1.0)


PIXELS = np.zeros((H, W), bool)
PIXELS[5:25, 5:17] = True


@pytest.mark.parametrize(
    "item",
    [
        shaped("polygon", polygon={"0": {"x": 0.1, "y": 0.2}, "1": {"x": 0.9, "y": 0.2}, "2": {"x": 0.9, "y": 0.8}}),
        shaped("polygon", polygons=[[[0.1, 0.1, 0.9, 0.1, 0.9, 0.8, 0.1, 0.8], [0.2, 0.2, 0.6, 0.2, 0.6, 0.6]]]),
        shaped("bitmask", bitmask={"top": 0, "left": 0, "height": H, "width": W, "rleString": rle.encode(PIXELS)}),
        shaped("circle", circle={"x": 0.5, "y": 0.5, "r": 0.2, "stretch": 0.7, "theta": 20}),
        shaped("ellipse", ellipse={"x": 0.5, "y": 0.5, "rx": 0.3, "ry": 0.2, "theta": 20}),
    ],
)
def test_every_shape_with_an_area_has_a_box(item: dict[str, Any]) -> None:
    found = measured([item], [item], "bbox")
    assert (found.metrics["AP"], found.labels) == (pytest.approx(1.0), 1)


def test_lines_are_not_compared() -> None:
    line = shaped("polyline", polyline={"0": {"x": 0.1, "y": 0.2}, "1": {"x": 0.5, "y": 0.7}})
    car = shaped("bounding_box", boundingBox={"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4})
    found = measured([line, car], [line, car], "bbox")
    assert (found.labels_left_out, found.filtered_by_reason) == ({"other_shape": 1}, {"other_shape": 1})
    assert found.metrics["AP"] == pytest.approx(1.0)


def test_labels_that_are_none_are_counted() -> None:
    car = shaped("bounding_box", boundingBox={"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4})
    found = measured([{"shape": "polygon"}, car], [{"shape": "polygon"}, car], "bbox")
    assert (found.labels_left_out, found.rejects_by_code, found.exit_code) == ({"bad_label": 1}, {"bad_label": 1}, 3)
