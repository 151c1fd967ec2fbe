"""A stream of results of a video: what each item is, and the number of its frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ropewalk.errors import UsageError
from ropewalk.writer.checks import Place, frame_number
from ropewalk.writer.columns import Rows
from ropewalk.writer.frames import Conventions
from ropewalk.writer.results import objects_of_detections, objects_of_results, objects_of_tracked_masks

_EXPECTED = "Results of Ultralytics, supervision.Detections, or (frame_idx, obj_ids, mask_logits) of SAM 2"


def numbered(results: Iterable[Any], first_frame: int, frame_stride: int) -> Iterator[tuple[int, Any]]:
    """Give each item of a stream the number of its frame.

    Args:
        results: One item for each frame.
        first_frame: Number of the first frame, 0-based.
        frame_stride: Frames from one item to the next, at least 1.

    Yields:
        The frame, and the item; items of SAM 2 count from their own frame_idx.

    Raises:
        UsageError: An argument does not fit, or an item is not one of the three kinds.
    """
    first = frame_number("first_frame", first_frame)
    stride = frame_number("frame_stride", frame_stride)
    if stride == 0:
        raise UsageError("frame_stride is 0; expected at least 1")
    if _is_results(results) or _is_detections(results):
        raise UsageError(f"results is one {type(results).__name__}; expected a stream with one for each frame")
    try:
        items = iter(results)
    except TypeError:
        raise UsageError(
            f"results is {type(results).__name__}; expected a stream with one item for each frame: {_EXPECTED}"
        ) from None
    for number, item in enumerate(items):
        if _is_tracked_masks(item):
            number = frame_number(f"frame_idx of results[{number}]", item[0])
        elif not (_is_results(item) or _is_detections(item)):
            raise UsageError(f"results[{number}] is {type(item).__name__}; expected {_EXPECTED}")
        yield first + stride * number, item


def objects_of_item(
    place: Place,
    how: Conventions,
    item: Any,
    *,
    class_names: str | Mapping[int, str] | None,
    mask_threshold: float,
    segments: str,
    keypoint_threshold: float,
    size_hw: Any,
) -> Rows:
    """Make the rows of one item of a stream; the arguments are those of `PredictionWriter.add_video`.

    Raises:
        UsageError: Something in it does not fit.
    """
    if _is_tracked_masks(item):
        return objects_of_tracked_masks(place, how, item[1], item[2], class_names, mask_threshold, size_hw)
    if _is_detections(item):
        return objects_of_detections(place, how, item, size_hw)
    return objects_of_results(place, how, item, segments, keypoint_threshold)


def _is_results(item: Any) -> bool:
    return hasattr(item, "orig_shape") and hasattr(item, "names")


def _is_detections(item: Any) -> bool:
    return hasattr(item, "xyxy") and hasattr(item, "tracker_id")


def _is_tracked_masks(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 3
