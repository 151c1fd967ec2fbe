"""Geometries that look as if they were of another unit or convention."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ropewalk.inspecting.inspection import Finding, InspectedFormat
from ropewalk.options import spelt
from ropewalk.reading.formats import formats
from ropewalk.text import count

if TYPE_CHECKING:
    from ropewalk.inspecting.matched import Matched

# Fewer tell nothing.
_LEAST_IN_FRACTIONS = 3
_LEAST_ANGLES = 10
_LEAST_BOXES = 10
_LEAST_BOXES_WITHOUT_SIZE = 30

# Shares of the annotations, or media, that a finding needs.
_NEARLY_ALL = 0.99
_MOST = 0.95
_MANY = 0.3

# How strongly position and side of a box must go together, where no size tells: the side of a box that is read from
# corners is its far edge.
_CORRELATION = 0.5


def geometry_findings(of: InspectedFormat, media: Matched | None) -> Iterator[Finding]:
    """Find geometries whose unit or convention is not the one that they are read by.

    Args:
        of: What the documents of a format hold.
        media: Their media beside those of a project, whose sizes are known.
    """
    looks, options = of.looks, formats()[of.name]["options"]
    px, within = looks["px"], looks["px_within_one"]
    if px >= _LEAST_IN_FRACTIONS and within >= _MOST * px:
        fix = f"give {spelt('unit')} frac" if "unit" in options else "multiply them by the image's width and height"
        yield Finding(
            "fractions_as_pixels",
            f"{within:,} of {count(px, 'annotation')} in pixels have coordinates from 0 to 1, which look like "
            f"fractions of the image: {fix}",
        )
    frac, beyond = looks["frac"], looks["frac_beyond_two"]
    if frac >= _LEAST_IN_FRACTIONS and 2 * beyond >= frac:
        fix = f"give {spelt('unit')} px" if "unit" in options else "divide them by the image's width and height"
        yield Finding(
            "pixels_as_fractions",
            f"{beyond:,} of {count(frac, 'annotation')} in fractions of the image have coordinates above 2, which look "
            f"like pixels: {fix}",
        )
    if _are_corners(of, media):
        yield Finding(
            "boxes_as_corners",
            "boxes look like corners x1, y1, x2, y2, and are read as x, y, width, height: write x2 - x1 and y2 - y1 as "
            "the last two numbers",
        )
    angles = looks["angles"]
    if angles["count"] >= _LEAST_ANGLES and angles["largest"] <= 2 * math.pi + 0.01:
        fix = f"give {spelt('angle')} radians" if "angle" in options else "multiply them by 180 / pi"
        yield Finding(
            "angles_in_radians",
            f"{count(angles['count'], 'angle')} are at most {angles['largest']:.2f} degrees, and look like radians: "
            f"{fix}",
        )
    if looks["masks"] and looks["masks_empty"] == looks["masks"]:
        yield Finding(
            "masks_empty",
            f"all of {count(looks['masks'], 'mask')} are empty, and are left out; check the threshold that they were "
            f"made with, or give {spelt('empty_masks')} keep",
        )


def _are_corners(of: InspectedFormat, media: Matched | None) -> bool:
    boxes = of.looks["boxes"]
    inside = boxes["inside"]
    if inside < _LEAST_BOXES or boxes["as_corners"] < _NEARLY_ALL * inside:
        return False
    over, fitting, sized = 0, 0, 0
    for medium, own in media.pairs if media is not None else ((medium, None) for medium in of.media):
        size = medium.size_px
        if size is None and own is not None and own.width and own.height:
            size = (own.width, own.height)
        if size is None or medium.reach_px is None:
            continue
        right, lower, width, height = medium.reach_px
        sized += 1
        over += right > size[0] + 1 or lower > size[1] + 1
        fitting += width <= size[0] + 1 and height <= size[1] + 1
    if sized:
        return over >= _MANY * sized and fitting >= _NEARLY_ALL * sized
    return inside >= _LEAST_BOXES_WITHOUT_SIZE and all(
        _correlation(boxes[along], inside) > _CORRELATION for along in ("across", "down")
    )


def _correlation(sums: Mapping[str, float], n: int) -> float:
    """Compute Pearson's correlation of position and side from their sums; 0 where one of them is constant."""
    position, side = sums["position"], sums["side"]
    varies = (n * sums["position_squared"] - position**2) * (n * sums["side_squared"] - side**2)
    return (n * sums["product"] - position * side) / math.sqrt(varies) if varies > 0 else 0.0
