"""Tables: drawn on a terminal, tab-separated columns elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

import typer

from ropewalk.text import shown

# A title is to be found again by what is printed; a cell is still bounded.
_CELL_CHARACTERS = 1_000

# Narrower than this a folded column cannot be read.
_LEAST_FOLDED = 12

# What is drawn between and around columns, in characters a column.
_FRAME = 3

Cells = tuple[str, ...]

NUMBERS = frozenset(
    (
        *("objects", "frames", "classifications", "width", "height", "place", "labels", "predictions", "AP", "AP50"),
        *("AR", "annotations", "images", "with annotations", "tracks", "size", "count", "missing", "changed", "extra"),
    )
)

_HASHES = frozenset(("group", "project"))


def write_grid(
    columns: Sequence[str], rows: Iterable[Cells], *, err: bool = False, numbers_from: int | None = None
) -> None:
    """Write a table to stdout, or to stderr.

    On a terminal columns without a value are left out, hashes and numbers are never cut or broken, and the other
    columns are folded to fit; where not even that makes room, lines are longer than the terminal is wide.

    Args:
        columns: Their names; those that end in `hash` hold hashes.
        rows: Cells, one for each column.
        err: To stderr instead of stdout.
        numbers_from: Place of the first column of numbers, where their names do not tell.
    """
    safe = (tuple(shown(cell, _CELL_CHARACTERS) for cell in row) for row in rows)
    if not _draws(sys.stderr if err else sys.stdout):
        typer.echo("\t".join(shown(column, _CELL_CHARACTERS) for column in columns), err=err)
        for row in safe:
            typer.echo("\t".join(row), err=err)
        return
    _draw(columns, list(safe), len(columns) if numbers_from is None else numbers_from, err=err)


def _draws(stream: TextIO) -> bool:
    return stream.isatty()


def _draw(columns: Sequence[str], rows: list[Cells], numbers_from: int, *, err: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    kept = [at for at in range(len(columns)) if not rows or any(row[at] for row in rows)]
    table = Table()
    needed = 0
    for at in kept:
        name = shown(columns[at], _CELL_CHARACTERS)
        is_number = name in NUMBERS or at >= numbers_from
        widest = max((len(row[at]) for row in rows), default=0)
        whole = is_number or name in _HASHES or name.endswith("hash")
        least = max(widest, len(name)) if whole else min(max(widest, len(name)), _LEAST_FOLDED)
        needed += least + _FRAME
        table.add_column(
            Text(name),
            justify="right" if is_number else "left",
            no_wrap=whole,
            overflow="fold",
            min_width=least,
        )
    for row in rows:
        # As text, not as markup: a title may hold square brackets.
        table.add_row(*(Text(row[at]) for at in kept))
    console = Console(stderr=err)
    console.width = max(console.width, needed + 1)
    console.print(table)
