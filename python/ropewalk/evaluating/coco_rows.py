"""The geometry of a row of the IR in COCO's terms: px, boxes, areas, rings, column-major run lengths, keypoints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

from ropewalk.errors import MaskError

Row = Mapping[str, Any]
# Width and height in px.
SizeWh = tuple[int, int]
Fields = dict[str, Any]

ROUND = ("circle", "ellipse")
KEYPOINTS = ("skeleton", "point")

# Encord tells a point that its own object hides from one that another hides; COCO knows hidden points only.
_HIDDEN, _HIDDEN_BY_ITSELF, _VISIBLE = 1, 3, 2


class Unfit(Exception):
    """A row that cannot be written.

    Attributes:
        code: Code of the reject.
        message: What was found and what was expected.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def size_of(row: Row) -> SizeWh | None:
    """Give the size that a row tells of its image, None where it tells none."""
    width, height = row["width_px"], row["height_px"]
    return (width, height) if width and height else None


def place(row: Row, size: SizeWh | None, *, box_only: bool = False) -> Fields:
    """Lay a row's geometry on its image.

    Args:
        row: An object, not a polyline; as polars gives it with `named=True`.
        size: Width and height of the image, px; None where nobody knows it.
        box_only: Leave out what else the shape has where the row has a box of its own.

    Returns:
        bbox (x, y, w, h, px; of a rotated box before it is rotated), area (px^2), and where the shape has them
        segmentation (rings, or column-major run lengths with size and counts), keypoints and num_keypoints.

    Raises:
        Unfit: A mask that does not fit the image, a fraction of an image without a size, an object without geometry.
    """
    if row["score"] is not None and not math.isfinite(row["score"]):
        raise Unfit("not_finite", f"the score is {row['score']}; expected a number from 0 to 1")
    shape = row["shape"]
    sx, sy = _scale(row, size)
    if box_only and row["box"] is not None and shape not in ROUND:
        fields: Fields = {}
    elif shape == "bitmask" and row["rle"] is not None:
        fields = _mask(row, size)
    elif shape in KEYPOINTS:
        fields = _keypoints(row, sx, sy)
    elif shape in ROUND:
        fields = _around(row, sx, sy)
    elif shape == "polygon" and row["points"]:
        fields = _polygon(row["points"], size, sx, sy)
    elif row["box"] is not None:
        fields = {}
    else:
        raise Unfit("no_geometry", f"a {shape} without what it is drawn from")
    if row["box"] is not None and shape not in ROUND:
        x, y, w, h = row["box"]
        fields["bbox"] = [x * sx, y * sy, w * sx, h * sy]
    fields.setdefault("area", fields["bbox"][2] * fields["bbox"][3])
    if not all(map(math.isfinite, (*fields["bbox"], fields["area"], *fields.get("keypoints", ())))):
        raise Unfit("not_finite", "a coordinate is no finite number; expected numbers")
    return fields


def corners(box: Sequence[float], theta: float) -> list[float]:
    """Turn a box about its centre.

    Args:
        box: x, y, w, h, px.
        theta: Degrees clockwise.

    Returns:
        Its corners, x y x y ..., px.
    """
    x, y, w, h = box
    sin, cos = math.sin(math.radians(theta)), math.cos(math.radians(theta))
    ring = []
    for dx, dy in ((-w / 2, -h / 2), (-w / 2, h / 2), (w / 2, h / 2), (w / 2, -h / 2)):
        ring += [x + w / 2 + dx * cos - dy * sin, y + h / 2 + dx * sin + dy * cos]
    return ring


def extent(xs: Iterable[float], ys: Iterable[float]) -> list[float]:
    """Give the box around points: x, y, w, h."""
    xs, ys = list(xs), list(ys)
    x, y = min(xs), min(ys)
    return [x, y, max(xs) - x, max(ys) - y]


def _scale(row: Row, size: SizeWh | None) -> tuple[float, float]:
    """What coordinates are multiplied with; 1 leaves px as they are, bit for bit."""
    if row["unit"] == "frac":
        size = size or size_of(row)
        if size is None:
            raise Unfit("no_size", "fractions of an image whose size neither the row nor the project knows")
        return size
    own = size_of(row)
    # A mask's size is its own, and has to be the image's.
    if size is None or own is None or own == size or row["shape"] == "bitmask":
        return 1, 1
    return size[0] / own[0], size[1] / own[1]


def _mask(row: Row, size: SizeWh | None) -> Fields:
    from ropewalk import rle

    own = size_of(row) or size
    if own is None:
        raise Unfit("no_size", "a mask whose size is not known")
    if size is not None and own != size:
        raise Unfit("mask_size", f"a mask of {own[0]} x {own[1]} px on an image of {size[0]} x {size[1]} px")
    height_width = (own[1], own[0])
    try:
        counts = row["rle"].decode("ascii")
        if row["rle_order"] == "row_major":
            counts = rle.encord_to_coco(counts, height_width)
        else:
            # pycocotools trusts run lengths, so they are read once by what does not.
            rle.coco_to_encord(counts, height_width)
    except MaskError as e:
        raise Unfit(e.code, str(e)) from None
    except UnicodeDecodeError:
        raise Unfit("rle_alphabet", "run lengths that are not ASCII") from None
    return _from_counts(counts, height_width)


def _from_counts(counts: str, height_width: tuple[int, int]) -> Fields:
    from pycocotools import mask

    binary = {"size": list(height_width), "counts": counts.encode("ascii")}
    return {
        "bbox": [float(number) for number in mask.toBbox(binary)],
        "area": float(mask.area(binary)),
        "segmentation": {"size": list(height_width), "counts": counts},
    }


def _polygon(parts: Sequence[Sequence[Sequence[float]]], size: SizeWh | None, sx: float, sy: float) -> Fields:
    if (sx, sy) != (1, 1):
        parts = [[[v * (sy if i % 2 else sx) for i, v in enumerate(ring)] for ring in part] for part in parts]
    if any(len(ring) < 6 or len(ring) % 2 for part in parts for ring in part):
        raise Unfit("bad_polygon", "a ring that is not x y x y ... of at least three points")
    if not all(math.isfinite(v) for part in parts for ring in part for v in ring):
        raise Unfit("not_finite", "a ring with a coordinate that is no finite number")
    if any(len(part) > 1 for part in parts):
        return _holed(parts, size)
    rings = [part[0] for part in parts if part]
    if not rings:
        raise Unfit("no_geometry", "a polygon without a ring")
    return {
        "bbox": extent((x for ring in rings for x in ring[::2]), (y for ring in rings for y in ring[1::2])),
        "area": sum(map(_area, rings)),
        "segmentation": [list(ring) for ring in rings],
    }


def _holed(parts: Sequence[Sequence[Sequence[float]]], size: SizeWh | None) -> Fields:
    """Draw parts with holes as a mask: COCO's rings are all filled."""
    from ropewalk import rle

    if size is None:
        raise Unfit("no_size", "a polygon with holes becomes a mask, and the image's size is not known")
    height_width = (size[1], size[0])
    try:
        drawn = rle.from_polygons(parts, height_width)
        return _from_counts(rle.encord_to_coco(drawn, height_width), height_width)
    except MaskError as e:
        raise Unfit(e.code, str(e)) from None


def _area(ring: Sequence[float]) -> float:
    """Area inside a ring that does not cross itself, as COCO's own files give it."""
    xs, ys = ring[::2], ring[1::2]
    # From the first point on: far from the origin the products would cost digits.
    x, y = xs[0], ys[0]
    following = zip(xs, ys, [*xs[1:], x], [*ys[1:], y], strict=True)
    return abs(sum((a - x) * (d - y) - (c - x) * (b - y) for a, b, c, d in following)) / 2


def _keypoints(row: Row, sx: float, sy: float) -> Fields:
    points = [v for part in row["points"] or () for ring in part for v in ring]
    n = len(points) // 2
    if not n or len(points) % 2:
        raise Unfit("no_geometry", f"a {row['shape']} without points")
    flags = row["visibility"] or [_VISIBLE] * n
    if len(flags) != n:
        raise Unfit("bad_field", f"{len(flags)} visibility flags for {n} points")
    flags = [_HIDDEN if flag == _HIDDEN_BY_ITSELF else flag for flag in flags]
    xs, ys = [x * sx for x in points[::2]], [y * sy for y in points[1::2]]
    # Points that are not in the picture may be anywhere.
    all_seen = all(flags) or not any(flags)
    return {
        "bbox": extent(xs, ys) if all_seen else extent(compress(xs, flags), compress(ys, flags)),
        "keypoints": [v for point in zip(xs, ys, flags, strict=True) for v in point],
        "num_keypoints": sum(map(bool, flags)),
    }


def _around(row: Row, sx: float, sy: float) -> Fields:
    """Give the box around a circle or ellipse; of one with `points` these are centre and radii as Encord has them."""
    ring = [v for part in row["points"] or () for ring in part for v in ring]
    if len(ring) == 4:
        x, y, first, second = ring
        # The second radius of a circle is in first ones, both in px.
        rx, ry = first * sx, first * sx * second if row["shape"] == "circle" else second * sy
        x, y = x * sx, y * sy
    elif row["box"] is not None:
        left, top, w, h = row["box"]
        x, y, rx, ry = (left + w / 2) * sx, (top + h / 2) * sy, w / 2 * sx, h / 2 * sy
    else:
        raise Unfit("no_geometry", f"a {row['shape']} without centre and radii, or a box")
    angle = math.radians(row["theta"] or 0.0)
    sin, cos = math.sin(angle), math.cos(angle)
    half_w, half_h = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    return {"bbox": [x - half_w, y - half_h, 2 * half_w, 2 * half_h], "area": math.pi * rx * ry}
