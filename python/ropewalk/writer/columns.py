"""Rows of frames as a table of the IR, column by column: no Python object is made for a coordinate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import polars

from ropewalk import _core
from ropewalk.writer.checks import Floats, Part


@dataclass(frozen=True)
class Points:
    """Coordinates of n rows: flat, and how many there are in each ring, rings in each part, parts in each row."""

    coords: Floats
    in_rings: npt.NDArray[np.int64]
    in_parts: npt.NDArray[np.int64]
    in_rows: npt.NDArray[np.int64]

    @classmethod
    def from_parts(cls, rows: Sequence[list[Part]]) -> Points:
        """Take the parts of each row; a row may have none."""
        parts = list(chain.from_iterable(rows))
        rings = list(chain.from_iterable(parts))
        return cls(
            np.concatenate([ring.ravel() for ring in rings]) if rings else np.empty(0),
            np.array([ring.size for ring in rings], np.int64),
            np.array(list(map(len, parts)), np.int64),
            np.array(list(map(len, rows)), np.int64),
        )

    @classmethod
    def from_array(cls, points: Floats) -> Points:
        """Take as many points (n, k, 2) for each row, one part of one ring."""
        n, k, _ = points.shape
        one = np.ones(n, np.int64)
        return cls(points.ravel(), 2 * k * one, one, one)

    def __len__(self) -> int:
        return len(self.in_rows)

    @property
    def len_bytes(self) -> int:
        """Size in memory, bytes."""
        return self.coords.nbytes + self.in_rings.nbytes


@dataclass(frozen=True)
class Rows:
    """n rows of one frame, checked. What is None is null in all of them; `shapes` is None for answers."""

    media: str
    frame: int | None
    unit: str
    classes: list[str]
    frame_last: int | None = None
    shapes: list[str] | None = None
    size_hw: tuple[int, int] | None = None
    tracks: list[str | None] | None = None
    scores: Floats | None = None
    boxes: Floats | None = None
    thetas: Floats | None = None
    points: Points | None = None
    visibility: npt.NDArray[np.uint8] | None = None
    rles: list[str] | None = None
    attributes: list[list[dict[str, Any]]] | None = None

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def len_bytes(self) -> int:
        """Size in memory, bytes, roughly."""
        rles = sum(map(len, self.rles)) if self.rles else 0
        answers = sum(map(len, self.attributes)) if self.attributes else 0
        return 1000 + 200 * len(self) + rles + 300 * answers + (self.points.len_bytes if self.points else 0)


@cache
def schema() -> polars.Schema:
    """Give the columns of schema v1 as the core has them."""
    return polars.DataFrame(_core.AnnotationBatch.empty()).schema


def table_of(frames: Sequence[Rows], source: str, offset: int) -> polars.DataFrame:
    """Put the rows of frames into one table of the IR.

    Args:
        frames: At least one.
        source: Label of the source.
        offset: Number of the first row.
    """
    lengths = np.array(list(map(len, frames)))
    of_rows = np.repeat(np.arange(len(frames)), lengths)

    def repeated(name: str, values: Iterable[Any]) -> polars.Series:
        return polars.Series(values, dtype=schema()[name]).gather(of_rows)

    def listed(name: str, lists: Iterable[list[Any] | None]) -> polars.Series:
        items = (none if some is None else some for some, none in zip(lists, nones, strict=True))
        return polars.Series(list(chain.from_iterable(items)), dtype=schema()[name])

    nones = [[None] * len(frame) for frame in frames]
    sizes = [frame.size_hw or (None, None) for frame in frames]
    rles = polars.Series(
        list(chain.from_iterable(frame.rles or none for frame, none in zip(frames, nones, strict=True))),
        dtype=polars.String,
    )
    order = polars.Series([None, "row_major"], dtype=polars.String)
    columns: dict[str, polars.Series | str | None] = {
        "source": source,
        "offset": polars.Series(np.arange(offset, offset + len(of_rows), dtype=np.uint64)),
        "annotation_id": None,
        "media": repeated("media", (frame.media for frame in frames)),
        "frame": repeated("frame", (frame.frame for frame in frames)),
        "frame_last": repeated("frame_last", (frame.frame_last for frame in frames)),
        "kind": repeated("kind", ("object" if frame.shapes else "answer" for frame in frames)),
        "class": listed("class", (frame.classes for frame in frames)),
        "track": listed("track", (frame.tracks for frame in frames)),
        "score": _stacked([frame.scores for frame in frames], lengths),
        "shape": listed("shape", (frame.shapes for frame in frames)),
        "unit": repeated("unit", (frame.unit for frame in frames)),
        "width_px": repeated("width_px", (w for _, w in sizes)),
        "height_px": repeated("height_px", (h for h, _ in sizes)),
        "box": _stacked([frame.boxes for frame in frames], lengths),
        "theta": _stacked([frame.thetas for frame in frames], lengths),
        "points": _points([frame.points for frame in frames], lengths),
        "visibility": _visibility([frame.visibility for frame in frames], lengths),
        "rle": rles.cast(polars.Binary),
        "rle_order": order.gather(rles.is_not_null().cast(polars.UInt32)),
        "attributes": listed("attributes", (frame.attributes for frame in frames)),
    }
    return polars.select(
        (polars.lit(None) if column is None else polars.lit(column)).cast(schema()[name]).alias(name)
        for name, column in columns.items()
    )


def _stacked(arrays: Sequence[Floats | None], lengths: npt.NDArray[Any]) -> polars.Series | None:
    """Join (n,) or (n, m) arrays; rows of frames without one are null."""
    given = [array for array in arrays if array is not None]
    if not given:
        return None
    present = np.repeat([array is not None for array in arrays], lengths)
    return _spread(polars.Series(np.concatenate(given)), present)


def _spread(values: polars.Series, present: npt.NDArray[np.bool_]) -> polars.Series:
    """Give each present row its value, in turn, and null to the others."""
    if present.all():
        return values
    places = np.where(present, np.cumsum(present) - 1.0, np.nan)
    return values.gather(polars.Series(places, nan_to_null=True).cast(polars.UInt32))


def _lists(values: polars.Series, lengths: npt.NDArray[np.int64]) -> polars.Series:
    """Cut values into lists of the given lengths; where one is 0 the list is null."""
    number = polars.Series("list", np.repeat(np.arange(len(lengths)), lengths)).set_sorted()
    cut = polars.DataFrame([number, values.alias("values")]).group_by("list", maintain_order=True).agg("values")
    return _spread(cut["values"], lengths > 0)


def _points(given: Sequence[Points | None], lengths: npt.NDArray[Any]) -> polars.Series | None:
    points = [some for some in given if some is not None]
    if not any(len(some.coords) for some in points):
        return None
    in_rows = np.zeros(sum(lengths), np.int64)
    in_rows[np.repeat([some is not None for some in given], lengths)] = np.concatenate([p.in_rows for p in points])
    series = polars.Series(np.concatenate([some.coords for some in points]))
    for in_lists in (
        np.concatenate([some.in_rings for some in points]),
        np.concatenate([some.in_parts for some in points]),
        in_rows,
    ):
        series = _lists(series, in_lists)
    return series


def _visibility(given: Sequence[npt.NDArray[np.uint8] | None], lengths: npt.NDArray[Any]) -> polars.Series | None:
    flags = [some for some in given if some is not None]
    if not flags:
        return None
    in_rows = np.repeat([0 if some is None else some.shape[1] for some in given], lengths)
    return _lists(polars.Series(np.concatenate([some.ravel() for some in flags])), in_rows)
