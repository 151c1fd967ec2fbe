"""COCO's metrics of detections against labels, as pycocotools computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ropewalk.evaluating.coco_rows import ROUND, Fields, Row, SizeWh, Unfit, corners, extent, place, size_of

if TYPE_CHECKING:
    from ropewalk.evaluating.averages import Averages
    from ropewalk.evaluating.matching import Matches, Pair

IOU_TYPES = ("bbox", "segm", "keypoints")

# How many predictions of an image count, ascending; averages are of the last number.
_MOST = {"bbox": (1, 10, 100), "segm": (1, 10, 100), "keypoints": (20,)}


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
    if segmentation is None:
        return None
    return {"bbox": box, "area": area, "segmentation": _drawn(segmentation, size or size_of(row))}


def _drawn(segmentation: Any, size: SizeWh | None) -> Fields:
    """Draw rings as run lengths, as pycocotools does; masks are given as they are."""
    if isinstance(segmentation, dict):
        return segmentation
    if size is None:
        raise Unfit("no_size", "masks are compared, and the size of the image is not known")
    from pycocotools import mask

    drawn: Fields = mask.merge(mask.frPyObjects(segmentation, size[1], size[0]))
    return drawn


def _by_keypoints(fields: Fields, *, is_label: bool, has_box: bool) -> Fields | None:
    if "keypoints" not in fields:
        return fields | {"keypoints": [], "num_keypoints": 0} if is_label else None
    if is_label or has_box:
        return fields
    # A prediction's size is that of the box around all of its points, even those that are not in the picture.
    flat = fields["keypoints"]
    box = extent(flat[::3], flat[1::3])
    return fields | {"bbox": box, "area": box[2] * box[3]}


@dataclass(frozen=True)
class Measured:
    """What `measure` gives.

    Attributes:
        metrics: COCO's metrics by name, None where nothing counts for one.
        classes: Category id -> class, those that have labels or predictions.
        matches: Category id -> what its predictions match.
        averages: Category id -> its precision and recall; None without labels.
    """

    metrics: dict[str, float | None]
    classes: dict[int, ClassMetrics]
    matches: dict[int, Matches]
    averages: dict[int, Averages | None]


def measure(images: Sequence[Pair], classes: Mapping[int, ClassMetrics], iou: str) -> Measured:
    """Measure predictions against labels.

    Args:
        images: Labels and predictions of each image: category_id, score, what `comparable` gives, and of labels iscrowd
            as COCO has it. Their keypoints are filled up to the same number.
        classes: Category id -> class.
        iou: One of `IOU_TYPES`.
    """
    from ropewalk.evaluating.averages import summary
    from ropewalk.evaluating.matching import match

    if iou == "keypoints":
        _fill_up([item for pair in images for side in pair for item in side])
    most = _MOST[iou]
    pairs = dict(sorted(_by_class(images).items()))
    matches = {number: match(found.items(), iou, most[-1]) for number, found in pairs.items()}
    metrics, averages = summary(list(matches.values()), iou, most)
    measured = {}
    for (number, on_images), average in zip(pairs.items(), averages, strict=True):
        sides = on_images.values()
        counts = {"labels": sum(len(found) for found, _ in sides), "predictions": sum(len(found) for _, found in sides)}
        figures: dict[str, float | None] = {}
        if average is not None:
            precision, recall = average.precision, average.recall
            figures = {"ap": float(precision.mean()), "ap50": float(precision[0].mean()), "ar": float(recall.mean())}
        measured[number] = replace(classes[number], **counts, **figures)  # type: ignore[arg-type]
    return Measured(metrics, measured, matches, dict(zip(pairs, averages, strict=True)))


def _by_class(images: Sequence[Pair]) -> dict[int, dict[int, tuple[list[Fields], list[Fields]]]]:
    """Give for each class that is on any image the images that it is on, with its labels and predictions there."""
    found: dict[int, dict[int, tuple[list[Fields], list[Fields]]]] = {}
    for number, pair in enumerate(images):
        for at, side in enumerate(pair):
            for item in side:
                found.setdefault(item["category_id"], {}).setdefault(number, ([], []))[at].append(item)
    return found


def _fill_up(items: Sequence[Fields]) -> None:
    """Give all objects as many points; those that are not labelled are not compared."""
    points = max((len(item["keypoints"]) for item in items), default=0)
    for item in items:
        item["keypoints"] = item["keypoints"] + [0] * (points - len(item["keypoints"]))
