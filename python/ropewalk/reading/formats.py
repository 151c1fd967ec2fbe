"""In which format a source is, and reading it: into the stage of an import, or batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ropewalk.errors import UsageError
from ropewalk.options import fields_of, given_of, spelt
from ropewalk.reading.options import FrameOptions, ReadOptions
from ropewalk.reading.sources import Source
from ropewalk.reading.tables import IPC_SUFFIXES, PARQUET_SUFFIXES, count_rows, read_batches
from ropewalk.text import shown

if TYPE_CHECKING:
    import polars

    from ropewalk._core import CocoPredictions, RowPredictions, Stage

AUTO = "auto"

# What a table in memory is; nobody chooses it.
_TABLE = "table"

# Which options of reading each format takes beside those that all take.
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "coco": ("annotations", "confidence_field", "include_crowd", "box_format"),
    "encord": (),
    "parquet": ("unit",),
    "arrow": ("unit",),
    "ndjson": ("unit",),
    _TABLE: ("unit",),
}
FORMATS = tuple(name for name in _TAKEN if name != _TABLE)

# Of every source, whatever its format.
_COMMON = (*fields_of(FrameOptions), "format", "source_label")


def check_taken(sources: Iterable[Source], options: ReadOptions) -> None:
    """Refuse a format that does not exist, and options that the format of no source takes.

    Raises:
        UsageError: Names the format or the option, and what there is instead.
        RopewalkError: A source cannot be read.
    """
    if options.format not in (AUTO, *FORMATS):
        expected = ", ".join((AUTO, *FORMATS))
        raise UsageError(f"{spelt('format')} is {shown(repr(options.format))}; expected one of {expected}")
    left = [name for name in given_of(options, ReadOptions) if name not in _COMMON]
    found: dict[str, Source] = {}
    for source in sources if left else ():
        name = format_of(source, options.format)
        found.setdefault(name, source)
        left = [option for option in left if option not in _TAKEN[name]]
        if not left:
            return
    if left:
        formats = "; ".join(
            f"{name} ({shown(source.label)}) takes {_listing((*_TAKEN[name], *fields_of(FrameOptions)))}"
            for name, source in found.items()
        )
        raise UsageError(f"{spelt(left[0])} does not apply to these sources: {formats}")


def _listing(options: Iterable[str]) -> str:
    *first, last = map(spelt, options)
    return f"{', '.join(first)} and {last}" if first else last


def format_of(source: Source, chosen: str = AUTO) -> str:
    """Tell the format of a source: by the suffix of tables, by the content of everything else.

    Args:
        source: What is to be read.
        chosen: `auto`, or one of `FORMATS`, which is taken at its word.

    Returns:
        One of `FORMATS`; or table for one in memory.
    """
    if source.is_table:
        return _TABLE
    if chosen != AUTO:
        return chosen
    suffix = "" if source.path is None else source.path.suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        return "parquet"
    if suffix in IPC_SUFFIXES:
        return "arrow"
    from ropewalk import _core

    return _core.sniff_json(source.given)


def add_source(stage: Stage, source: Source, options: ReadOptions, progress: Callable[[int], None]) -> None:
    """Read a source into the stage of an import, by the options that its format takes.

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
            box_format=options.box_format or "xywh",
            progress=progress,
        )
    elif kind == "encord":
        stage.add_label_rows(source.given, source.label, progress=progress)
    elif kind == "ndjson":
        stage.add_ndjson(source.given, source.label, unit=options.unit, progress=progress)
    else:
        rows = 0 if source.path is None else count_rows(source.path, kind)
        stage.add_table(
            _table(source, kind),
            source.label,
            unit=options.unit,
            len_bytes=source.len_bytes,
            rows=rows,
            progress=progress,
        )


def open_source(source: Source, options: ReadOptions) -> CocoPredictions | RowPredictions:
    """Open a source by the options that its format takes.

    Returns:
        An iterator of batches that also keeps `rejects` and `counts`.

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
            box_format=options.box_format or "xywh",
        )
    if kind == "encord":
        return _core.read_label_rows(source.given, source.label)
    if kind == "ndjson":
        return _core.read_ndjson(source.given, source.label, options.unit)
    return _core.read_table(_table(source, kind), source.label, options.unit)


def _table(source: Source, kind: str) -> Any | Iterator[polars.DataFrame]:
    if source.path is not None:
        return read_batches(source.path, kind)
    if source.is_table:
        return (
            source.given.collect_batches(maintain_order=True)
            if hasattr(source.given, "collect_batches")
            else source.given
        )
    from io import BytesIO

    return read_batches(BytesIO(source.given), kind)
