"""Run lengths of one frame's masks, as models and libraries keep them, as rle_strings: no mask is made dense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ropewalk import rle
from ropewalk.errors import RleError, SizeError
from ropewalk.rle_arguments import Size, size_of
from ropewalk.writer.checks import Place

# What tells a mask at the edge of its box from one that may go on beyond it is lost with the pixels.
AT_BOX_EDGE = "mask_at_box_edge"


def encode_run_lengths(
    place: Place, given: Any, size_hw: Size | None, threads: int | None
) -> tuple[list[str], Size | None]:
    """Take n masks as run lengths.

    Args:
        place: The frame.
        given: n of: COCO's dict of `size` (h, w) and `counts` (down the columns: compressed str or bytes, or a list);
            or Encord's rle_string, along the rows of a frame of `size_hw`.
        size_hw: The frame's size where it is known, px.
        threads: To rewrite them with, None for one a processor.

    Returns:
        rle_strings, and their size (h, w), px; None without a mask.

    Raises:
        UsageError: One is malformed, or of another size than the frame.
    """
    items = place.items("rles", given)
    size, source = size_hw, "size_hw"
    counts: dict[int, Any] = {}
    for at, item in enumerate(items):
        if isinstance(item, Mapping):
            declared, counts[at] = _coco(place, at, item)
        elif not isinstance(item, str):
            raise place.error(
                f"rles[{at}] is {type(item).__name__}, expected COCO's dict of size and counts, or Encord's rle_string"
            )
        elif size_hw is None:
            raise place.error(f"rles[{at}] is an rle_string, which has no size; give size_hw=(h, w) beside it")
        else:
            declared = size_hw
        if size is None:
            size, source = declared, f"that of rles[{at}]"
        if declared != size:
            raise place.error(
                f"rles[{at}] has the size (h, w) = {declared}, but {source} is {size}: masks are never scaled; "
                "give them at the size of the frame"
            )
    if size is None:
        return [], None
    if 0 in size:
        raise place.error(f"rles of (h, w) = {size}, expected at least one pixel")
    # Read once and thrown away, so that one that is malformed is told here.
    strings = [at for at in range(len(items)) if at not in counts]
    _rewritten(place, strings, lambda: rle.encord_to_coco_many([items[at] for at in strings], size, threads=threads))
    by_columns = list(counts)
    rewritten = _rewritten(
        place, by_columns, lambda: rle.coco_to_encord_many(list(counts.values()), size, threads=threads)
    )
    for at, rle_string in zip(by_columns, rewritten, strict=True):
        items[at] = rle_string
    return items, size


def is_compact(masks: Any) -> bool:
    """Say whether these are supervision's `CompactMask`: each the run lengths of its box alone."""
    return all(hasattr(masks, name) for name in ("crop", "offsets", "image_shape"))


def unpack_compact(place: Place, masks: Any) -> list[dict[str, Any]]:
    """Take supervision's `CompactMask` as COCO's run lengths of the frame.

    It keeps of a mask what is inside its box. Pixels that were outside are gone, and nothing in it says how many. Masks
    that touch an edge of their box inside the frame are counted, as `mask_at_box_edge`: only these may have been cut.

    Cost:
        In pixels of one box at a time.
    """
    h, w = place.size_hw(masks.image_shape)
    rles = []
    for at, (x, y) in enumerate(np.asarray(masks.offsets).tolist()):
        crop = place.array(f"masks.crop({at})", masks.crop(at))
        if crop.ndim != 2 or x < 0 or y < 0 or y + crop.shape[0] > h or x + crop.shape[1] > w:
            raise place.error(
                f"masks has a crop of shape {crop.shape} at (x, y) = {(x, y)}, expected one inside (h, w) = {(h, w)}"
            )
        place.warnings[AT_BOX_EDGE] += _touches(crop, x, y, h, w)
        rles.append({"size": (h, w), "counts": _counts_of_crop(crop, x, y, h, w)})
    return rles


def _coco(place: Place, at: int, item: Mapping[str, Any]) -> tuple[Size, Any]:
    if not {"size", "counts"} <= set(item):
        raise place.error(f"rles[{at}] has {', '.join(map(str, item)) or 'no keys'}, expected size and counts")
    try:
        size = size_of(item["size"])
    except SizeError as e:
        raise place.error(f"rles[{at}]: {e}") from None
    counts = item["counts"]
    if isinstance(counts, (str, bytes, list)):
        return size, counts
    return size, place.whole(f"rles[{at}]['counts']", counts)


def _rewritten(place: Place, numbers: list[int], rewrite: Any) -> list[str]:
    """Rewrite run lengths; an error names the one at fault by its number."""
    try:
        return list(rewrite())
    except (RleError, SizeError) as e:
        raise place.error(f"rles[{numbers[e.fields.get('index', 0)]}]: {e}") from None


def _touches(crop: npt.NDArray[Any], x: int, y: int, h: int, w: int) -> bool:
    """Say whether a mask has a pixel on an edge of its box that is not one of the frame's."""
    edges = (
        (crop[:, :1], x > 0),
        (crop[:, -1:], x + crop.shape[1] < w),
        (crop[:1], y > 0),
        (crop[-1:], y + crop.shape[0] < h),
    )
    return any(inside and bool(edge.any()) for edge, inside in edges)


def _counts_of_crop(crop: npt.NDArray[Any], x: int, y: int, h: int, w: int) -> list[int]:
    """Count the runs down the columns of a frame of which only the crop at (x, y) has pixels."""
    # Between background above and below the crop each run of a column begins and ends in it.
    columns = np.pad(crop.T.astype(np.int8), ((0, 0), (1, 1)))
    column, row = np.nonzero(np.diff(columns, axis=1))
    places = (column + x) * h + row + y
    return [int(run) for run in np.diff(places, prepend=0, append=h * w)]
