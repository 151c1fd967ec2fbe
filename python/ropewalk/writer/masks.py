"""Dense masks of one frame: checked, and encoded along the rows."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ropewalk import _core, rle
from ropewalk.errors import RleError
from ropewalk.writer.checks import Place, is_finite


def dense_masks(place: Place, given: Any, size_hw: tuple[int, int] | None) -> list[npt.NDArray[Any]]:
    """Take masks, (n, h, w), (n, 1, h, w), or a list of (h, w) or (1, h, w), all of the frame's size.

    Args:
        place: The frame.
        given: What was passed for masks.
        size_hw: The frame's size where it is known, px.

    Raises:
        UsageError: They have other shapes, or sizes.
    """
    one = hasattr(given, "ndim")
    items = place.items("masks", place.array("masks", given) if one else given)
    masks = [_without_channel(place.array("masks", mask)) for mask in items]
    for mask in masks:
        if mask.ndim != 2:
            found = f"has shape {(len(masks), *mask.shape)}" if one else f"holds one of shape {mask.shape}"
            raise place.error(f"masks {found}, expected (n, h, w) or (n, 1, h, w)")
        expected, source = (size_hw, "size_hw") if size_hw else (masks[0].shape, "the first of them")
        if mask.shape != expected:
            raise place.error(
                f"masks of (h, w) = {mask.shape}, but {source} is {expected}: masks are never scaled; "
                "give them at the size of the frame, or give polygons"
            )
        if 0 in mask.shape:
            raise place.error(f"masks of (h, w) = {mask.shape}, expected at least one pixel")
    return masks


def _without_channel(mask: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Take the one channel of a mask that models keep, as SAM 2 does."""
    return mask[0] if mask.ndim == 3 and len(mask) == 1 else mask


def encode_masks(
    place: Place, masks: list[npt.NDArray[Any]], threshold: float | None, threads: int | None
) -> list[str]:
    """Encode masks as rle_strings.

    Args:
        place: The frame.
        masks: Of shape (h, w): bool or uint8, where all but 0 is foreground; with a threshold, numbers.
        threshold: What is above it is foreground; compared as numpy does, in the type of the masks.
        threads: To encode with, None for one a processor.

    Raises:
        UsageError: They are of another type, or hold NaN.
    """
    if threshold is None:
        for mask in masks:
            if mask.dtype not in (np.bool_, np.uint8):
                raise place.error(
                    f"masks are of {mask.dtype}, expected bool or uint8, or mask_threshold beside them "
                    "(0.0 for logits, 0.5 for probabilities)"
                )
        return rle.encode_many(masks, threads=threads)
    if not isinstance(threshold, Real) or isinstance(threshold, bool) or not is_finite(threshold):
        raise place.error(f"mask_threshold is {threshold!r}, expected a finite number")
    if all(mask.dtype == np.float32 for mask in masks):
        # What models give: compared, checked and encoded at one go.
        scores = [mask if mask.flags.forc else np.ascontiguousarray(mask) for mask in masks]
        try:
            return _core.rle_encode_above(scores, float(threshold), threads)
        except RleError as e:
            raise place.error(f"masks: {e}") from None
    return rle.encode_many([_above(place, mask, threshold) for mask in masks], threads=threads)


def _above(place: Place, mask: npt.NDArray[Any], threshold: float) -> npt.NDArray[np.bool_]:
    if mask.dtype.kind not in "fiu":
        raise place.error(f"masks are of {mask.dtype}, expected numbers to compare with mask_threshold")
    # The least number is NaN where any is; a comparison would silently call it background.
    if mask.dtype.kind == "f" and np.isnan(mask.min()):
        raise place.error("masks hold NaN; scores must be numbers to be compared with mask_threshold")
    above: npt.NDArray[np.bool_] = mask > threshold
    return above
