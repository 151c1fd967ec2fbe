"""What commands that only tell something print: tables and lines for people, JSON for machines."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ropewalk.cli.console import say, shown_names, verification_lines
from ropewalk.text import count, shown

if TYPE_CHECKING:
    from ropewalk.rolling_back import Rollback
    from ropewalk.showing import ShownUnit
    from ropewalk.statuses import ImportStatus
    from ropewalk.verifying import Verification

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


def show_verification(found: Verification, *, as_json: bool) -> None:
    """Write how a branch differs from a source to stdout."""
    if as_json:
        say(json.dumps(found.as_dict(), indent=1))
        return
    for line in verification_lines(found.as_dict()):
        say(line)
    if found.rows_elsewhere:
        say(f"{count(found.rows_elsewhere, 'label row')} of the branch not mentioned by the source, and not looked at")


def show_status(imports: Sequence[ImportStatus], work_dir: Path, *, as_json: bool) -> None:
    """Write where imports stand to stdout."""
    if as_json:
        say(json.dumps([item.as_dict() for item in imports], indent=1))
        return
    if not imports:
        say(f"no import has a ledger in {shown(str(work_dir))}")
    for item in imports:
        say(f"{shown(item.branch)} of {shown(item.project_title)} ({item.project_hash}): {_state(item)}")
        say(f"  ledger {item.ledger}, begun {item.created}, last changed {item.changed}")
        say(f"  from {shown_names(item.sources)}")
        say(
            f"  {item.stored:,} of {count(item.label_rows, 'label row')} stored, "
            f"{item.annotations_stored:,} of {count(item.annotations, 'annotation')}"
        )
        rest = [
            f"{n:,} {what}"
            for n, what in (
                (item.left, "not sent yet"),
                (item.unknown, "sent without an answer"),
                (item.failed, "failed"),
                (item.edited, "edited by someone else"),
                (item.undone, "rolled back"),
            )
            if n
        ]
        if rest:
            say(f"  {', '.join(rest)}")
        if item.damaged:
            say(f"  {count(item.damaged, 'line')} of the ledger damaged; those rows are compared again")


def _state(item: ImportStatus) -> str:
    if item.running:
        return "at work"
    if item.undone and item.undone == item.label_rows:
        return "rolled back"
    return "finished" if item.stored == item.label_rows else "not finished, the same command goes on with it"


def show_rollback(result: Rollback, *, as_json: bool) -> None:
    """Write what a rollback did to stdout."""
    if as_json:
        say(json.dumps(result.as_dict(), indent=1))
        return
    say(f"{count(result.restored, 'label row')} as before the import, {result.emptied:,} emptied")
    for rows, text in (
        (result.edited, "edited since, left as they are (--also-edited undoes them)"),
        (result.lost, "left as they are: the ledger cannot give back what they held"),
        (result.gone, "no longer there"),
    ):
        if rows:
            say(f"{count(len(rows), 'label row')} {text}: {shown_names(rows)}")
    for data_hash, reason in result.refused.items():
        say(f"{shown(data_hash)}: {shown(reason)}")
    if result.damaged:
        say(f"{count(result.damaged, 'line')} of the ledger damaged: rows may be left that the import wrote")


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
