"""What `show` prints: a table for people, JSON for machines."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable

from ropewalk.cli.console import say
from ropewalk.showing import ShownUnit
from ropewalk.text import shown

_COLUMNS = ("branch", "data unit", "objects", "frames", "classifications", "classes")


def show_units(project_hash: str, units: Iterable[ShownUnit], *, as_json: bool) -> None:
    """Write data units to stdout: as JSON, as a table on a terminal, else as lines of tab-separated columns."""
    if as_json:
        branches: dict[str, list[dict[str, object]]] = {}
        for unit in units:
            fields = dataclasses.asdict(unit)
            branches.setdefault(fields.pop("branch"), []).append(fields)
        say(json.dumps({"project_hash": project_hash, "branches": branches}, indent=1))
    elif sys.stdout.isatty():
        _draw(map(_cells, units))
    else:
        say("\t".join(_COLUMNS))
        for unit in units:
            say("\t".join(_cells(unit)))


def _cells(unit: ShownUnit) -> tuple[str, ...]:
    classes = ", ".join(f"{shown(name)} {n}" for name, n in unit.classes.items())
    numbers = (str(unit.objects), str(unit.frames), str(unit.classifications))
    return shown(unit.branch), shown(unit.data_title), *numbers, classes


def _draw(rows: Iterable[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in _COLUMNS[2:5] else "left")
    for row in rows:
        # As text, not as markup: a title may hold square brackets.
        table.add_row(*map(Text, row))
    Console().print(table)
