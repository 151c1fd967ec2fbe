"""COCO's metrics of detections against labels, as pycocotools computes them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

from ropewalk.evaluating.coco_rows import ROUND, Fields, Row, SizeWh, corners, extent, place

IOU_TYPES = ("bbox", "segm", "keypoints")

_SUMMARY = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
_SUMMARY_OF_KEYPOINTS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")

# How far annotators lie apart is known for COCO's person, in the order of its 17 points; for others there is a guess.
_PERSON_POINTS = 17
_SIGMA = 0.05


@dataclass(frozen=True)
class ClassMetrics:
    """How well one class was found.

    Attributes:
        name: Name of the class.
        id: Its feature hash, or its id in the file of the labels.
        labels: Labels of it on the images that were looked at.
        predictions: Predictions of it there.
        ap: Average precision over IoU 0.50 to 0.95; None without labels.
        ap50: Average precision at IoU 0.50.
        ar: Average recall over IoU 0.50 to 0.95, with as many detections an image as COCO allows.
    """

    name: str
    id: str
    labels: int = 0
    predictions: int = 0
    ap: float | None = None
    ap50: float | None = None
    ar: float | None = None


def comparable(row: Row, size: SizeWh | None, iou: str, *, is_label: bool = False) -> Fields | None:
    """Give what is compared of an object; None where its shape cannot be compared so.

    The area decides whether an object is small, medium or large. As in pycocotools, that of a prediction with a box is
    the area of the box, whatever is compared.

    Args:
        row: The object.
        size: Width and height of the image, px.
        iou: One of `IOU_TYPES`.
        is_label: Whether it is a label. One without keypoints is a region that is ignored, with the predictions in it,
            as in pycocotools.

    Returns:
        bbox and area, and with them segmentation or keypoints.

    Raises:
        Unfit: See `place`.
    """
    shape, has_box = row["shape"], row["box"] is not None
    if shape == "polyline" or (shape == "point" and iou != "keypoints"):
        return None
    # Where boxes are compared, a mask of another size beside one does not matter.
    fields = place(row, size, box_only=iou == "bbox")
    box, area, segmentation = fields["bbox"], fields["area"], fields.get("segmentation")
    if has_box and not is_label and shape not in ROUND:
        area = box[2] * box[3]
    if iou == "keypoints":
        return _by_keypoints(fields | {"area": area}, is_label=is_label, has_box=has_box)
    if shape == "rotatable_bounding_box":
        segmentation = [corners(box, row["theta"] or 0.0)]
        box = extent(segmentation[0][::2], segmentation[0][1::2])
    if iou == "bbox":
        own = has_box or shape in ROUND
        return {"bbox": box, "area": box[2] * box[3] if own else area}
    if segmentation is None and shape == "bounding_box":
        x, y, w, h = box
        # Not by turning the box: that would move its corners by rounding.
        segmentation = [[x, y, x, y + h, x + w, y + h, x + w, y]]
    return None if segmentation is None else {"bbox": box, "area": area, "segmentation": segmentation}


def _by_keypoints(fields: Fields, *, is_label: bool, has_box: bool) -> Fields | None:
    if "keypoints" not in fields:
        return fields | {"keypoints": [], "num_keypoints": 0} if is_label else None
    if is_label or has_box:
        return fields
    # A prediction's size is that of the box around all of its points, even those that are not in the picture.
    flat = fields["keypoints"]
    box = extent(flat[::3], flat[1::3])
    return fields | {"bbox": box, "area": box[2] * box[3]}


def measure(
    images: Sequence[Fields],
    classes: Mapping[int, ClassMetrics],
    labels: Sequence[Fields],
    predictions: Sequence[Fields],
    iou: str,
) -> tuple[dict[str, float | None], list[ClassMetrics]]:
    """Measure predictions against labels.

    Args:
        images: id, and width and height in px where masks are compared.
        classes: Category id -> class.
        labels: image_id, category_id and what `comparable` gives; iscrowd and ignore as COCO has them.
        predictions: image_id, category_id, score and what `comparable` gives.
        iou: One of `IOU_TYPES`.

    Returns:
        COCO's metrics by name, None where nothing counts for one; and the classes by category id.
    """
    from pycocotools.cocoeval import COCOeval

    points = max((len(item["keypoints"]) for item in (*labels, *predictions)), default=3) if iou == "keypoints" else 0
    # What pycocotools prints is for people at its own prompt.
    with redirect_stdout(io.StringIO()):
        sides = [_dataset(images, classes, items, points) for items in (labels, predictions)]
        run = COCOeval(*sides, iou)
        if points and points // 3 != _PERSON_POINTS:
            import numpy as np

            run.params.kpt_oks_sigmas = np.full(points // 3, _SIGMA)
        run.evaluate()
        run.accumulate()
        run.summarize()
    names = _SUMMARY_OF_KEYPOINTS if iou == "keypoints" else _SUMMARY
    metrics = {name: _number(value) for name, value in zip(names, run.stats, strict=True)}
    n_labels, n_predictions = (Counter(item["category_id"] for item in items) for items in (labels, predictions))
    measured = []
    for at, category in enumerate(run.params.catIds):
        # Thresholds, recalls, classes, areas, detections an image; the first area is all, the last number the largest.
        precision, recall = run.eval["precision"][:, :, at, 0, -1], run.eval["recall"][:, at, 0, -1]
        measured.append(
            replace(
                classes[category],
                labels=n_labels[category],
                predictions=n_predictions[category],
                ap=_mean(precision),
                ap50=_mean(precision[0]),
                ar=_mean(recall),
            )
        )
    return metrics, measured


def _dataset(images: Sequence[Fields], classes: Iterable[int], items: Sequence[Fields], points: int) -> Any:
    from pycocotools.coco import COCO

    dataset = COCO()
    dataset.dataset = {
        "images": list(images),
        "categories": [{"id": number, "name": str(number)} for number in classes],
        # From 1, for pycocotools takes an object with the id 0 for none.
        "annotations": [_padded({"iscrowd": 0} | item | {"id": n}, points) for n, item in enumerate(items, 1)],
    }
    dataset.createIndex()
    return dataset


def _padded(item: Fields, points: int) -> Fields:
    """Give all objects as many points: pycocotools compares no others, and passes over those that are not labelled."""
    if points:
        item["keypoints"] = item["keypoints"] + [0] * (points - len(item["keypoints"]))
    return item


def _mean(values: Any) -> float | None:
    counting = values[values > -1]
    return float(counting.mean()) if counting.size else None


def _number(value: float) -> float | None:
    return None if value < 0 else float(value)
