"""The objects of a label row's frames, as rows of the IR have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ropewalk.coco_rows import Row
from ropewalk.shown_labels import units_of

# data_hash of the data unit, and frame of a video or place in an image group.
FrameKey = tuple[str, int]

_VISIBILITY = {"invisible": 0, "occluded": 1, "visible": 2, "selfOccluded": 3}


def objects_on_frames(label_row: Mapping[str, Any]) -> Iterator[tuple[FrameKey, Row]]:
    """Read the objects that stand on frames; those of audio and text stand on none.

    Args:
        label_row: As Encord answers it, or as the core encodes one.

    Yields:
        Where each object stands, and what it is: in fractions, its class a feature hash.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: The row is not as Encord writes one.
    """
    for unit in units_of(label_row):
        size = {"width_px": unit.unit.get("width"), "height_px": unit.unit.get("height")}
        for frame, labels in unit.frames.items():
            for item in labels.get("objects") or []:
                common = {"class": item["featureHash"], "score": item.get("confidence"), "shape": item["shape"]}
                yield (unit.unit["data_hash"], frame), _EMPTY | common | size | _geometry(item)


_EMPTY: dict[str, Any] = {"unit": "frac", **dict.fromkeys(("box", "theta", "points", "visibility", "rle", "rle_order"))}


def _geometry(item: Mapping[str, Any]) -> dict[str, Any]:
    shape = item["shape"]
    if shape in ("bounding_box", "rotatable_bounding_box"):
        box = item["boundingBox" if shape == "bounding_box" else "rotatableBoundingBox"]
        return {"box": [box[key] for key in "xywh"], "theta": box.get("theta")}
    if shape == "polygon":
        # Without holes and further parts, an older client gives the one outline alone.
        return {"points": item.get("polygons") or [[_ring(_in_order(item["polygon"]))]]}
    if shape == "bitmask":
        mask = item["bitmask"]
        size = {"width_px": mask["width"], "height_px": mask["height"]}
        return {"rle": mask["rleString"].encode(), "rle_order": "row_major", **size}
    if shape == "circle":
        round_ = item["circle"]
        return {"points": [[[round_[key] for key in ("x", "y", "r", "stretch")]]], "theta": round_.get("theta")}
    if shape == "ellipse":
        round_ = item["ellipse"]
        return {"points": [[[round_[key] for key in ("x", "y", "rx", "ry")]]], "theta": round_.get("theta")}
    ordered = _in_order(item[shape])
    flags = (
        [_VISIBILITY.get(point.get("visibility") or "visible", 2) for point in ordered] if shape == "skeleton" else None
    )
    return {"points": [[_ring(ordered)]], "visibility": flags}


def _in_order(points: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [points[place] for place in sorted(points, key=int)]


def _ring(points: Iterable[Mapping[str, Any]]) -> list[float]:
    return [point[axis] for point in points for axis in "xy"]
