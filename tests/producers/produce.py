"""Write files by the tools that people predict with, and beside each what the tool was given.

The Python of an environment that has the tools runs it, without Ropewalk: `python produce.py FOLDER`. For each of
PRODUCERS it writes NAME.json, for a results list NAME.images.json (its images), and NAME.expected.json: a list of
objects with image, class, score (null: the format keeps none), track, and one of

* box: [x, y, w, h] in px,
* polygon: [[x, y], ...] in px,
* mask: COCO's counts of the mask that the tool was given, column-major,
* points: [[x, y, v], ...] in px with COCO's visibility.

`python produce.py FOLDER LABELS` exports label rows by the SDK, to FOLDER/encord.json; LABELS is a file of
`{"rows": [...], "ontology": {...}}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy
from pycocotools import mask as coco_mask

Json = dict[str, Any]
# (width, height) of each image; none is square.
SIZES = {"dock.png": (64, 36), "gate.png": (30, 50), "yard.png": (90, 41)}
VIDEO = "lorry.mp4"
VIDEO_SIZE = (48, 32)
CLASSES = ["Car", "Lake", "Wall", "Person"]
BOX, POLYGON, MASK, POINTS = range(4)


def boxes(seed: int) -> list[Json]:
    """Make three boxes an image; corners are multiples of 1/4, because datumaro keeps two decimals of a box."""
    made = []
    source = numpy.random.default_rng(seed)
    for image, (width, height) in SIZES.items():
        for _ in range(3):
            x, y = source.integers(0, 2 * width) / 4, source.integers(0, 2 * height) / 4
            w, h = source.integers(4, 2 * width) / 4, source.integers(4, 2 * height) / 4
            made.append({"image": image, "class": "Car", "score": score(source), "box": [x, y, w, h]})
    return made


def score(source: numpy.random.Generator) -> float:
    """Make a score that single precision holds."""
    return float(source.integers(1, 1024)) / 1024


def blob(image: str, hole: bool) -> numpy.ndarray:
    """Draw a leaning ellipse, with a hole where asked."""
    width, height = SIZES[image]
    mask = numpy.zeros((height, width), numpy.uint8)
    cv2.ellipse(mask, (width // 2, height // 3), (width // 3, height // 5), 20, 0, 360, 1, -1)
    if hole:
        cv2.ellipse(mask, (width // 2, height // 3), (width // 9, height // 12), 0, 0, 360, 0, -1)
    return mask.astype(bool)


def counts(mask: numpy.ndarray) -> str:
    return coco_mask.encode(numpy.asfortranarray(mask.astype(numpy.uint8)))["counts"].decode()


def images_of(folder: Path) -> dict[str, str]:
    """Write the images and give their paths."""
    paths = {}
    for name, (width, height) in SIZES.items():
        paths[name] = str(folder / name)
        cv2.imwrite(paths[name], numpy.zeros((height, width, 3), numpy.uint8))
    return paths


def image_tables() -> Json:
    """Make the images and categories that a results list refers to."""
    return {
        "images": [
            {"id": number, "file_name": name, "width": width, "height": height}
            for number, (name, (width, height)) in enumerate(SIZES.items(), 1)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)],
        "annotations": [],
    }


def image_id(name: str) -> int:
    return list(SIZES).index(name) + 1


def supervision_dataset(folder: Path, out: Path, detections: Callable[[Any, str], Any]) -> None:
    import supervision

    paths = images_of(folder)
    annotations = {path: detections(supervision, name) for name, path in paths.items()}
    dataset = supervision.DetectionDataset(classes=CLASSES, images=list(paths.values()), annotations=annotations)
    dataset.as_coco(annotations_path=str(out))


def supervision_boxes(folder: Path, out: Path) -> list[Json]:
    expected = boxes(1)

    def detections(supervision: Any, name: str) -> Any:
        xywh = numpy.array([row["box"] for row in expected if row["image"] == name])
        xyxy = numpy.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        return supervision.Detections(xyxy=xyxy, class_id=numpy.full(len(xyxy), BOX))

    supervision_dataset(folder, out, detections)
    return [row | {"score": None} for row in expected]


def supervision_masks(folder: Path, out: Path, class_id: int, hole: bool) -> None:
    def detections(supervision: Any, name: str) -> Any:
        mask = blob(name, hole)[None]
        xyxy = supervision.mask_to_xyxy(mask)
        return supervision.Detections(xyxy=xyxy, mask=mask, class_id=numpy.array([class_id]))

    supervision_dataset(folder, out, detections)


def supervision_polygons(folder: Path, out: Path) -> list[Json]:
    import supervision

    supervision_masks(folder, out, POLYGON, hole=False)
    return [
        {"image": name, "class": "Lake", "score": None, "polygon": ring.tolist()}
        for name in SIZES
        for ring in supervision.mask_to_polygons(blob(name, hole=False))
    ]


def supervision_holes(folder: Path, out: Path) -> list[Json]:
    supervision_masks(folder, out, MASK, hole=True)
    return [{"image": name, "class": "Wall", "score": None, "mask": counts(blob(name, True))} for name in SIZES]


def sahi_predictions(expected: list[Json], **geometry: Callable[[Json], Any]) -> list[Json]:
    """Make a results list as sahi's `predict` writes it."""
    from sahi.prediction import ObjectPrediction, PredictionResult

    results = []
    for name, (width, height) in SIZES.items():
        predictions = [
            ObjectPrediction(
                category_id=CLASSES.index(row["class"]) + 1,
                category_name=row["class"],
                score=row["score"],
                full_shape=[height, width],
                **{key: make(row) for key, make in geometry.items()},
            )
            for row in expected
            if row["image"] == name
        ]
        picture = numpy.zeros((height, width, 3), numpy.uint8)
        results += PredictionResult(predictions, picture).to_coco_predictions(image_id=image_id(name))
    return results


def sahi_boxes(folder: Path, out: Path) -> list[Json]:
    expected = boxes(2)

    def corners(row: Json) -> list[float]:
        x, y, w, h = row["box"]
        return [x, y, x + w, y + h]

    out.write_text(json.dumps(sahi_predictions(expected, bbox=corners)))
    out.with_suffix(".images.json").write_text(json.dumps(image_tables()))
    return expected


def sahi_polygons(folder: Path, out: Path) -> list[Json]:
    rings = {
        "dock.png": [3, 4, 50, 6, 41, 30],
        "gate.png": [2, 7, 21, 5, 25, 44, 9, 31],
        "yard.png": [8, 2, 80, 9, 61, 33],
    }
    source = numpy.random.default_rng(3)
    expected = [
        {"image": n, "class": "Lake", "score": score(source), "polygon": numpy.reshape(ring, (-1, 2)).tolist()}
        for n, ring in rings.items()
    ]
    results = sahi_predictions(expected, segmentation=lambda row: [[float(n) for xy in row["polygon"] for n in xy]])
    out.write_text(json.dumps(results))
    out.with_suffix(".images.json").write_text(json.dumps(image_tables()))
    return expected


def sahi_video(folder: Path, out: Path) -> list[Json]:
    """Write tracks in the CocoVid form that mmtracking reads."""
    from sahi.utils.coco import CocoCategory, CocoVid, CocoVidAnnotation, CocoVideo, CocoVidImage

    width, height = VIDEO_SIZE
    video = CocoVideo(name=VIDEO, width=width, height=height)
    expected = []
    for frame in range(4):
        image = CocoVidImage(file_name=f"{frame:06d}.jpg", width=width, height=height)
        for track in (0, 1):
            box = [2 + frame, 3 + 9 * track, 8 + track, 5]
            image.add_annotation(CocoVidAnnotation(1, "Car", box, instance_id=track))
            row = {"image": VIDEO, "frame": frame, "class": "Car", "score": None, "track": str(track), "box": box}
            expected.append(row)
        video.add_cocovidimage(image)
    document = CocoVid()
    document.add_category(CocoCategory(id=1, name="Car"))
    document.add_video(video)
    out.write_text(json.dumps(document.json))
    return expected


def faster_coco_eval_results(folder: Path, out: Path) -> list[Json]:
    """Load results from an array and write what was loaded: a dataset file with scores."""
    from faster_coco_eval import COCO

    expected = boxes(4)
    array = numpy.array([[image_id(row["image"]), *row["box"], row["score"], 1] for row in expected])
    COCO(image_tables()).loadRes(array).dump(out)
    return expected


def globox_boxes(folder: Path, out: Path) -> list[Json]:
    from globox import Annotation, AnnotationSet, BoundingBox, BoxFormat

    expected = boxes(5)
    found = AnnotationSet()
    for name, size in SIZES.items():
        rows = [row for row in expected if row["image"] == name]
        made = [
            BoundingBox.create(label="Car", coords=row["box"], confidence=row["score"], box_format=BoxFormat.LTWH)
            for row in rows
        ]
        found.add(Annotation(name, size, made))
    found.save_coco(out, auto_ids=True)
    return expected


def labelformat_masks(folder: Path, out: Path) -> list[Json]:
    """Write polygons and masks, the latter as lists of counts."""
    from labelformat.formats.coco import COCOInstanceSegmentationOutput
    from labelformat.model.binary_mask_segmentation import BinaryMaskSegmentation
    from labelformat.model.bounding_box import BoundingBox
    from labelformat.model.category import Category
    from labelformat.model.image import Image
    from labelformat.model.instance_segmentation import (
        ImageInstanceSegmentation,
        InstanceSegmentationInput,
        SingleInstanceSegmentation,
    )
    from labelformat.model.multipolygon import MultiPolygon

    categories = [Category(number, name) for number, name in enumerate(CLASSES, 1)]
    images = [Image(image_id(name), name, *size) for name, size in SIZES.items()]
    ring = [(3.5, 4.25), (20.0, 6.5), (14.75, 30.0)]
    expected = []

    class Made(InstanceSegmentationInput):
        @staticmethod
        def add_cli_arguments(parser: Any) -> None:
            """Take none."""

        def get_categories(self) -> list[Category]:
            return categories

        def get_images(self) -> list[Image]:
            return images

        def get_labels(self) -> list[ImageInstanceSegmentation]:
            labels = []
            for image in images:
                mask = blob(image.filename, hole=True)
                ys, xs = numpy.nonzero(mask)
                bounds = BoundingBox(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
                bounds = BoundingBox(*(float(n) for n in (bounds.xmin, bounds.ymin, bounds.xmax, bounds.ymax)))
                drawn = BinaryMaskSegmentation.from_binary_mask(mask.astype(int), bounds)
                objects = [
                    SingleInstanceSegmentation(categories[POLYGON], MultiPolygon([ring])),
                    SingleInstanceSegmentation(categories[MASK], drawn),
                ]
                labels.append(ImageInstanceSegmentation(image, objects))
                common = {"image": image.filename, "score": None}
                expected.append(common | {"class": "Lake", "polygon": [list(xy) for xy in ring]})
                expected.append(common | {"class": "Wall", "mask": counts(mask)})
            return labels

    COCOInstanceSegmentationOutput(out).save(Made())
    return expected


def datumaro_dataset(
    folder: Path, out: Path, task: str, label: int, make: Callable[[str], Any], points: Any = None
) -> None:
    from datumaro.components.annotation import AnnotationType, LabelCategories, PointsCategories
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    labels = LabelCategories.from_iterable(CLASSES)
    items = []
    for name, (width, height) in SIZES.items():
        picture = Image.from_numpy(numpy.zeros((height, width, 3), numpy.uint8), ext=".png")
        items.append(DatasetItem(Path(name).stem, subset="test", media=picture, annotations=make(name)))
    categories: Json = {AnnotationType.label: labels}
    if points is not None:
        categories[AnnotationType.points] = PointsCategories.from_iterable([(label, points)])
    Dataset.from_iterable(items, categories=categories).export(str(folder / task), task, save_media=False)
    written = list((folder / task).rglob("*.json"))
    out.write_bytes(written[0].read_bytes())


def datumaro_boxes(folder: Path, out: Path) -> list[Json]:
    from datumaro.components.annotation import Bbox

    expected = boxes(6)

    def make(name: str) -> list[Any]:
        rows = [row for row in expected if row["image"] == name]
        return [
            Bbox(*row["box"], label=BOX, id=n, group=n, attributes={"score": row["score"]})
            for n, row in enumerate(rows, 1)
        ]

    datumaro_dataset(folder, out, "coco_instances", BOX, make)
    return expected


def datumaro_masks(folder: Path, out: Path) -> list[Json]:
    from datumaro.components.annotation import Mask

    datumaro_dataset(
        folder,
        out,
        "coco_instances",
        MASK,
        lambda name: [Mask(blob(name, True), label=MASK, id=1, group=1, attributes={"score": 0.25})],
    )
    return [{"image": name, "class": "Wall", "score": 0.25, "mask": counts(blob(name, True))} for name in SIZES]


def datumaro_keypoints(folder: Path, out: Path) -> list[Json]:
    from datumaro.components.annotation import Points

    points = {
        name: [[width // 3, height // 4, 2], [width // 2 + 1, height // 3, 1], [width // 4, height - 5, 2]]
        for name, (width, height) in SIZES.items()
    }

    def make(name: str) -> list[Any]:
        xy = [n for point in points[name] for n in point[:2]]
        # In a group of their own datumaro would not write them.
        return [Points(xy, [v for _, _, v in points[name]], label=POINTS, id=1, attributes={"score": 0.5})]

    datumaro_dataset(folder, out, "coco_person_keypoints", POINTS, make, points=["nose", "hip", "foot"])
    return [{"image": name, "class": "Person", "score": 0.5, "points": points[name]} for name in SIZES]


PRODUCERS = {
    "supervision-boxes": supervision_boxes,
    "supervision-polygons": supervision_polygons,
    "supervision-holes": supervision_holes,
    "sahi-boxes": sahi_boxes,
    "sahi-polygons": sahi_polygons,
    "sahi-video": sahi_video,
    "faster-coco-eval": faster_coco_eval_results,
    "globox": globox_boxes,
    "labelformat": labelformat_masks,
    "datumaro-boxes": datumaro_boxes,
    "datumaro-masks": datumaro_masks,
    "datumaro-keypoints": datumaro_keypoints,
}


def export(folder: Path, labels: Json) -> None:
    """Export label rows as COCO by the SDK."""
    from encord.objects import OntologyStructure
    from encord.utilities.coco.exporter import CocoExporter

    exporter = CocoExporter(labels["rows"], OntologyStructure.from_dict(labels["ontology"]))
    (folder / "encord.json").write_text(json.dumps(exporter.export()))


def main(folder: Path) -> None:
    for name, produce in PRODUCERS.items():
        beside = folder / name
        beside.mkdir(parents=True)
        out = folder / f"{name}.json"
        out.with_suffix(".expected.json").write_text(json.dumps(produce(beside, out)))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        export(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
    else:
        main(Path(sys.argv[1]))
