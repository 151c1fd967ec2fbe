"""What choosing frames looks at of each object: names, score and extents, not its geometry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars

# Run-length strings of a mask without a pixel have one count, of at most so many characters.
_EMPTY_MASK_BYTES = 7

# Their points are not all places on the frame: centres and radii, or the offset of a back.
_NOT_PLACES = ("circle", "ellipse", "cuboid_2d")


class Light(NamedTuple):
    """An object.

    Attributes:
        medium: Name of its medium.
        frame: From 0.
        class_name: Name of its class.
        track: Its track, None without one.
        score: 0 to 1, None without one.
        shape: Its shape.
        width: That its coordinates refer to, px; None where that is not known.
        height: Likewise.
        area: Of its bounding box, in fractions of the frame, None where it is not known.
        is_off: Whether it reaches over the frame's edge.
        is_empty: Whether nothing of it can be seen.
        right: Of its bounding box, px; None where it is not known, or in fractions.
        bottom: Likewise.
    """

    medium: str
    frame: int
    class_name: str
    track: str | None
    score: float | None
    shape: str
    width: int | None
    height: int | None
    area: float | None
    is_off: bool | None
    is_empty: bool | None
    right: float | None
    bottom: float | None


def light_rows(table: polars.DataFrame) -> Iterator[Light]:
    """Take from each row of a side's table what choosing looks at."""
    table = table.with_row_index("at").join(_extents(table), on="at", how="left", maintain_order="left")
    pixels = polars.col("unit") == "px"
    width = polars.when(pixels).then(polars.col("width_px")).otherwise(1.0)
    height = polars.when(pixels).then(polars.col("height_px")).otherwise(1.0)
    left, top, right, bottom = map(polars.col, ("left", "top", "right", "bottom"))
    # A pixel of a frame of unknown size is taken for one of full HD, so that objects can be compared.
    whole = width.fill_null(1920.0) * height.fill_null(1080.0)
    is_mask = polars.col("shape") == "bitmask"
    is_flat = polars.col("shape").str.contains("box") & ((right <= left) | (bottom <= top))
    short = polars.col("rle").cast(polars.Binary).bin.size() <= _EMPTY_MASK_BYTES
    # Half a pixel, or what that is of a frame some thousand px wide: rounding is not reaching over the edge.
    edge = polars.when(pixels).then(0.5).otherwise(0.0005)
    rows = table.select(
        polars.col("media", "frame", "class", "track", "score", "shape", "width_px", "height_px"),
        ((right - left) * (bottom - top) / whole).alias("area"),
        ((left < -edge) | (top < -edge) | (right > width + edge) | (bottom > height + edge)).alias("is_off"),
        polars.when(is_mask).then(short).otherwise(is_flat).alias("is_empty"),
        polars.when(pixels).then(right).alias("right"),
        polars.when(pixels).then(bottom).alias("bottom"),
    )
    return map(Light._make, rows.iter_rows())


def _extents(table: polars.DataFrame) -> polars.DataFrame:
    """Measure the bounding boxes, in the unit of each row; rows of masks and of radii have none."""
    table = table.with_row_index("at")
    boxes = table.filter(polars.col("box").is_not_null()).select(
        "at",
        polars.col("box").arr.get(0).alias("left"),
        polars.col("box").arr.get(1).alias("top"),
        (polars.col("box").arr.get(0) + polars.col("box").arr.get(2)).alias("right"),
        (polars.col("box").arr.get(1) + polars.col("box").arr.get(3)).alias("bottom"),
    )
    drawn = polars.col("points").is_not_null() & polars.col("box").is_null()
    rings = table.filter(drawn & ~polars.col("shape").cast(polars.String).is_in(_NOT_PLACES)).select("at", "points")
    # Each ring is a list of x and y in turn.
    numbers = rings.explode("points").explode("points").filter(polars.col("points").list.len() > 0)
    sides = numbers.select(
        "at",
        polars.col("points").list.gather_every(2).alias("x"),
        polars.col("points").list.gather_every(2, 1).alias("y"),
    )
    outlines = sides.group_by("at").agg(
        polars.col("x").list.min().min().alias("left"),
        polars.col("y").list.min().min().alias("top"),
        polars.col("x").list.max().max().alias("right"),
        polars.col("y").list.max().max().alias("bottom"),
    )
    return polars.concat([boxes, outlines])
