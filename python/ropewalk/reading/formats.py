"""In which format a source is, and reading it: into the stage of an import, or batch by batch."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ropewalk import _core
from ropewalk.errors import UsageError
from ropewalk.options import fields_of, given_of, spelt
from ropewalk.reading.options import FrameOptions, ReadOptions
from ropewalk.reading.sources import Source
from ropewalk.reading.tables import in_batches
from ropewalk.text import shown

if TYPE_CHECKING:
    from ropewalk._core import FormatInfo, Predictions, Stage

AUTO = "auto"

# What a table in memory is.
_TABLE = "table"

# Of every source, whatever its format.
_COMMON = ("format", "source_label", "label_parts")

# Options of the core that every format takes.
_OF_EVERY_FORMAT = ("score", *fields_of(FrameOptions))


@functools.cache
def formats() -> dict[str, FormatInfo]:
    """List the formats by name."""
    return {info["name"]: info for info in _core.formats()}


def in_files() -> list[FormatInfo]:
    """List the formats that files may be of, all but tables in memory."""
    return [info for info in formats().values() if info["name"] != _TABLE]


def check_taken(sources: Iterable[Source], options: ReadOptions) -> None:
    """Refuse a format that does not exist, and options that the format of no source takes.

    Raises:
        UsageError: Names the format or the option, and what there is instead.
        RopewalkError: A source cannot be read.
    """
    if options.format != AUTO and options.format not in formats():
        expected = ", ".join((AUTO, *(info["name"] for info in in_files())))
        raise UsageError(f"{spelt('format')} is {shown(repr(options.format))}; expected one of {expected}")
    left = given_of(options, ReadOptions).keys() - {*_COMMON, *_OF_EVERY_FORMAT}
    found: dict[str, Source] = {}
    for source in sources if left else ():
        if options.format == AUTO and source.is_folder:
            # The core says of which formats the files are, and which of them takes an option.
            return
        name = format_of(source, options.format)
        found.setdefault(name, source)
        left -= {*formats()[name]["options"]}
        if not left:
            return
    if left:
        taken = "; ".join(
            f"{name} ({shown(source.name)}) takes {_listing(formats()[name]['options'])}"
            for name, source in found.items()
        )
        raise UsageError(f"{spelt(min(left))} does not apply to these sources: {taken}")


def _listing(options: Iterable[str]) -> str:
    *first, last = map(spelt, options)
    return f"{', '.join(first)} and {last}"


def format_of(source: Source, chosen: str = AUTO) -> str:
    """Tell the format of a source.

    Args:
        source: What is to be read.
        chosen: `auto`, or the name of a format, which is taken at its word.

    Returns:
        The name of one of `formats()`.
    """
    if source.is_table:
        return _TABLE
    return _core.detect(source.given) if chosen == AUTO else chosen


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
    given, name, taken = _arguments(source, options)
    stage.add(given, source.label, name, taken, progress, source.label_parts)


def open_source(source: Source, options: ReadOptions, *, keep_scores: bool = False) -> Predictions:
    """Open a source by the options that its format takes.

    Args:
        source: What is to be read.
        options: How.
        keep_scores: Keep rows whose score is not from 0 to 1, as they are, for a look at them.

    Returns:
        An iterator of batches that also keeps `rejects` and `counts`.

    Raises:
        RopewalkError: What the core found wrong with the source; also while it is iterated.
    """
    given, name, taken = _arguments(source, options, {"score": "keep"} if keep_scores else {})
    return _core.read(given, source.label, name, taken, source.label_parts)


def _arguments(
    source: Source, options: ReadOptions, instead: Mapping[str, str] = MappingProxyType({})
) -> tuple[Any, str | None, str]:
    """Give what the core reads, its format unless the core is to tell it, and the options as JSON."""
    given = given_of(options, ReadOptions) | dict(instead)
    values = {option: value for option, value in given.items() if option not in _COMMON}
    if options.format == AUTO and source.is_folder:
        return source.given, None, json.dumps(values, default=os.fspath)
    name = format_of(source, options.format)
    taken = {*formats()[name]["options"]}
    values = {option: value for option, value in values.items() if option in taken}
    text = json.dumps(values, default=os.fspath)
    if source.is_table:
        return in_batches(source.given), name, text
    return source.given, None if options.format == AUTO else name, text
