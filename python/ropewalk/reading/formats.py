"""In which format a source is, and reading it: into the stage of an import, or batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ropewalk.reading.sources import Source
from ropewalk.reading.tables import IPC_SUFFIXES, PARQUET_SUFFIXES, in_batches

if TYPE_CHECKING:
    from pathlib import Path

    from ropewalk._core import CocoPredictions, RowPredictions, Stage

FORMATS = ("auto", "coco", "encord", "parquet", "arrow", "ndjson")
UNITS = ("px", "frac")
BOX_FORMATS = ("xywh", "cxcywha", "corners")


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
    """Tell the format of a source: by the suffix of tables, by the content of everything else.

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
    suffix = "" if source.path is None else source.path.suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        return "parquet"
    if suffix in IPC_SUFFIXES:
        return "arrow"
    from ropewalk import _core

    return _core.sniff_json(source.given)


def add_source(stage: Stage, source: Source, options: ReadOptions, progress: Callable[[int], None]) -> None:
    """Read a source into the stage of an import.

    Args:
        stage: Takes the rows.
        source: What is to be read.
        options: How.
        progress: Told the bytes read so far.

    Raises:
        RopewalkError: What the core found wrong with the source.
    """
    kind = format_of(source, options.format)
    if kind == "coco":
        stage.add_coco(
            source.given,
            source.label,
            tables=options.annotations,
            confidence_field=options.confidence_field,
            include_crowd=options.include_crowd,
            box_format=options.box_format,
            progress=progress,
        )
    elif kind == "encord":
        stage.add_label_rows(source.given, source.label, progress=progress)
    elif kind == "ndjson":
        stage.add_ndjson(source.given, source.label, unit=options.unit, progress=progress)
    else:
        table, table_kind = _table(source, kind)
        stage.add_table(table, source.label, unit=options.unit, kind=table_kind, progress=progress)


def open_source(source: Source, options: ReadOptions) -> CocoPredictions | RowPredictions:
    """Open a source: an iterator of batches that also keeps `rejects` and `counts`.

    Raises:
        RopewalkError: What the core found wrong with the source; also while it is iterated.
    """
    from ropewalk import _core

    kind = format_of(source, options.format)
    if kind == "coco":
        return _core.read_coco(
            source.given,
            source.label,
            options.annotations,
            options.confidence_field,
            options.include_crowd,
            box_format=options.box_format,
        )
    if kind == "encord":
        return _core.read_label_rows(source.given, source.label)
    if kind == "ndjson":
        return _core.read_ndjson(source.given, source.label, options.unit)
    table, table_kind = _table(source, kind)
    return _core.read_table(table, source.label, options.unit, table_kind)


def _table(source: Source, kind: str) -> tuple[Any, str | None]:
    """Give what the core reads a table from, and the kind of file that it is."""
    if not source.is_table:
        return source.given, kind
    return in_batches(source.given), None
