"""In which format a source is, and reading it: into the stage of an import, or batch by batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ropewalk.reading.sources import Source
from ropewalk.reading.tables import read_batches

if TYPE_CHECKING:
    import polars

    from ropewalk._core import Predictions, Stage
    from ropewalk.project.plan import PlanOptions

FORMATS = ("auto", "coco", "encord", "parquet", "arrow", "ndjson")
UNITS = ("px", "frac")
BOX_FORMATS = ("xywh", "cxcywha", "corners")

# What Python reads from a file, and gives to the core as a table.
_READ_HERE = ("parquet", "arrow")


class ReadOptions(Protocol):
    """How sources are read, whatever else the options say."""

    @property
    def format(self) -> str: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def annotations(self) -> Path | None: ...
    @property
    def confidence_field(self) -> str | None: ...
    @property
    def include_crowd(self) -> bool: ...
    @property
    def box_format(self) -> str: ...


def format_of(source: Source, chosen: str = "auto") -> str:
    """Tell the format of a source.

    Args:
        source: What is to be read.
        chosen: One of `FORMATS`; all but `auto` are taken at their word.

    Returns:
        coco, encord, parquet, arrow, ndjson; or table for one in memory.
    """
    if source.is_table:
        return "table"
    if chosen != "auto":
        return chosen
    from ropewalk import _core

    return _core.detect(source.given)


def add_source(
    stage: Stage, source: Source, options: ReadOptions, plan: PlanOptions, progress: Callable[[int], None]
) -> None:
    """Read a source into the stage of an import.

    Args:
        stage: Takes the rows.
        source: What is to be read.
        options: How.
        plan: Says how the source counts frames.
        progress: Told the bytes read so far.

    Raises:
        RopewalkError: What the core found wrong with the source.
    """
    given, kind = _given(source, options)
    frames = {"frame_base": plan.frame_base, "frame_stride": plan.frame_stride}
    stage.add(given, source.label, kind, _as_json(options, **frames), progress)


def open_source(source: Source, options: ReadOptions) -> Predictions:
    """Open a source: an iterator of batches that also keeps `rejects` and `counts`.

    Raises:
        RopewalkError: What the core found wrong with the source; also while it is iterated.
    """
    from ropewalk import _core

    given, kind = _given(source, options)
    return _core.read(given, source.label, kind, _as_json(options))


def _as_json(options: ReadOptions, **more: Any) -> str:
    """Write the options that were given as the core takes them."""
    given = {
        "annotations": None if options.annotations is None else str(options.annotations),
        "confidence_field": options.confidence_field,
        "include_crowd": options.include_crowd or None,
        "box_format": None if options.box_format == "xywh" else options.box_format,
        "unit": options.unit,
    }
    return json.dumps({name: value for name, value in (given | more).items() if value is not None})


def _given(source: Source, options: ReadOptions) -> tuple[Any, str | None]:
    """Give what the core reads, and the format if it is known; else the core tells it."""
    kind = format_of(source, options.format)
    if kind in _READ_HERE:
        return _table(source, kind), kind
    if source.is_table and hasattr(source.given, "collect_batches"):
        return source.given.collect_batches(maintain_order=True), kind
    return source.given, None if options.format == "auto" and not source.is_table else kind


def _table(source: Source, kind: str) -> Iterator[polars.DataFrame]:
    if source.path is not None:
        return read_batches(source.path, kind)
    from io import BytesIO

    return read_batches(BytesIO(source.given), kind)
