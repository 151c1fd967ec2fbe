"""Turns rows into what the page draws: coordinates in px of the frame, masks as the outlines of their pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ropewalk import rle
from ropewalk.errors import RopewalkError
from ropewalk.previewing.known import SizeWh

Row = Mapping[str, Any]
Drawn = dict[str, Any]

# An outline with more corners is drawn from fewer pixels: the page has to stay small.
_MOST_CORNERS = 2_000
# Hundredths of a px are more than a screen shows.
_DECIMALS = 2


@dataclass(frozen=True)
class Scale:
    """From the unit of a row to px of its frame."""

    x: float
    y: float

    def ring(self, flat: Sequence[float]) -> list[float]:
        """Bring x y x y ... to px."""
        return [_rounded(value * (self.y if n % 2 else self.x)) for n, value in enumerate(flat)]


def drawn(row: Row, size: SizeWh) -> Drawn:
    """Turn a row into what the page draws.

    Args:
        row: Of the IR.
        size: Width and height of the frame, px.

    Returns:
        Class (`c`), track (`t`), score (`s`) and shape (`k`) as the row has them; `d`, the coordinates in px, or a path
        of SVG; `a`, the angle in degrees clockwise; `b`, the bounding box as left, top, right and bottom in px, None
        where there is nothing to draw; of skeletons `v`, visibility.
    """
    shape = str(row["shape"])
    made: Drawn = {"c": row["class"], "t": row["track"], "s": row["score"], "k": shape}
    if row["theta"]:
        made["a"] = _rounded(row["theta"])
    scale = _scale(row, size)
    if shape == "bitmask":
        made["d"], corners = _mask(row, size)
    elif shape in ("circle", "ellipse"):
        made["d"] = _ellipse(row, scale, shape)
        corners = _turned(made["d"], made.get("a", 0.0))
    elif row["box"] is not None:
        made["d"] = scale.ring(row["box"])
        corners = _turned(made["d"], made.get("a", 0.0))
    else:
        rings = [scale.ring(ring) for part in row["points"] or () for ring in part]
        if shape == "cuboid_2d":
            rings = _cuboid(rings, [ring for part in row["points"] or () for ring in part])
        corners = _corners(rings)
        if shape in ("point", "skeleton"):
            made["d"] = [value for ring in rings for value in ring]
        else:
            made["d"] = path(rings, closed=shape != "polyline")
        if row["visibility"]:
            made["v"] = list(row["visibility"])
    made["b"] = _bounds(corners)
    return made


def path(rings: Iterable[Sequence[float]], *, closed: bool = True) -> str:
    """Write rings, x y x y ..., as a path of SVG."""
    end = "Z" if closed else ""
    return "".join(f"M{' '.join(f'{value:g}' for value in ring)}{end}" for ring in rings if len(ring) > 1)


def _scale(row: Row, size: SizeWh) -> Scale:
    if row["unit"] == "frac":
        return Scale(*map(float, size))
    return Scale(size[0] / (row["width_px"] or size[0]), size[1] / (row["height_px"] or size[1]))


def _mask(row: Row, size: SizeWh) -> tuple[str, list[float]]:
    """Outline the pixels of a mask; the path, and the corners."""
    height, width = row["height_px"], row["width_px"]
    counts = bytes(row["rle"]).decode("ascii")
    try:
        if row["rle_order"] == "column_major":
            counts = rle.coco_to_encord(counts, (height, width))
        rings = _outline(counts, (height, width), Scale(size[0] / width, size[1] / height))
    except RopewalkError:
        # Its runs do not fit its size; an import rejects it.
        return "", []
    return path(rings), _corners(rings)


def _outline(counts: str, size: tuple[int, int], scale: Scale) -> list[list[float]]:
    parts = rle.to_polygons(counts, size)
    n_corners = sum(len(ring) for part in parts for ring in part)
    if n_corners > _MOST_CORNERS:
        step = math.ceil(n_corners / _MOST_CORNERS)
        mask = rle.decode(counts, size)[::step, ::step].copy()
        parts = rle.to_polygons(rle.encode(mask), mask.shape)
        scale = Scale(scale.x * size[1] / mask.shape[1], scale.y * size[0] / mask.shape[0])
    return [scale.ring(ring.ravel().tolist()) for part in parts for ring in part]


def _ellipse(row: Row, scale: Scale, shape: str) -> list[float]:
    """Give the box around an ellipse before it is turned."""
    if row["box"] is not None:
        return scale.ring(row["box"])
    x, y, across, along = row["points"][0][0][:4]
    x, y, across = x * scale.x, y * scale.y, across * scale.x
    # Of a circle the second is how many times as long the other radius is.
    along = across * along if shape == "circle" else along * scale.y
    return [_rounded(value) for value in (x - across, y - along, 2 * across, 2 * along)]


def _cuboid(rings: list[list[float]], given: list[list[float]]) -> list[list[float]]:
    """Give the front, the back and the edges between them of a cuboid."""
    if len(rings) < 2:
        return rings
    front, (to_x, to_y) = rings[0], rings[1][:2]
    # In perspective the back recedes to a vanishing point, by a factor that is not a length.
    factor = given[2][0] if len(given) > 2 else None
    to = (to_x, to_y)
    back = [
        _rounded(value + to[n % 2] if factor is None else to[n % 2] + factor * (value - to[n % 2]))
        for n, value in enumerate(front)
    ]
    edges = [[*front[n : n + 2], *back[n : n + 2]] for n in range(0, len(front), 2)]
    return [front, back, *edges]


def _turned(box: Sequence[float], degrees: float) -> list[float]:
    """Give the corners of a box turned clockwise about its centre."""
    x, y, w, h = box
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    corners: list[float] = []
    for across, along in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2)):
        corners += [x + w / 2 + across * cos - along * sin, y + h / 2 + across * sin + along * cos]
    return corners


def _corners(rings: Iterable[Sequence[float]]) -> list[float]:
    return [value for ring in rings for value in ring]


def _bounds(corners: Sequence[float]) -> list[float] | None:
    if len(corners) < 2:
        return None
    xs, ys = corners[::2], corners[1::2]
    return [_rounded(value) for value in (min(xs), min(ys), max(xs), max(ys))]


def _rounded(value: float) -> float:
    return round(value, _DECIMALS)
