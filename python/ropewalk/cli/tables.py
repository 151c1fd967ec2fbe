"""What commands about imports print besides the report: lines for people, JSON for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ropewalk.cli.console import is_quiet, say
from ropewalk.cli.differences import show_differences
from ropewalk.report import EXIT_ALL_WRITTEN
from ropewalk.summary import MESSAGE_CHARACTERS, shown_names, verification_lines
from ropewalk.text import count, moment, shown

if TYPE_CHECKING:
    from ropewalk.evaluating.prioritize import Priorities
    from ropewalk.importing.promote import Promotion
    from ropewalk.importing.rollback import Rollback
    from ropewalk.importing.status import ImportStatus
    from ropewalk.importing.verify import Verification


def show_verification(found: Verification, *, as_json: bool, err: bool = False) -> None:
    """Write how a branch differs from a source to stdout, or to stderr."""
    if as_json:
        say(json.dumps(found.as_dict(), indent=1), err=err)
        return
    if is_quiet() and found.exit_code == EXIT_ALL_WRITTEN:
        return
    for line in verification_lines(found.as_dict()):
        say(line, err=err)
    show_differences([dataclasses.asdict(item) for item in found.differences], err=err)
    if found.rows_elsewhere:
        say(
            f"{count(found.rows_elsewhere, 'label row')} of the branch not mentioned by the source, and not looked at",
            err=err,
        )


def show_status(imports: Sequence[ImportStatus], work_dir: Path, *, as_json: bool) -> None:
    """Write where imports stand to stdout."""
    if as_json:
        say(json.dumps([item.as_dict() for item in imports], indent=1))
        return
    if not imports:
        say(f"no import has a ledger in {shown(str(work_dir))}")
    for item in imports:
        say(f"{shown(item.branch)} of {shown(item.project_title)} ({item.project_hash}): {_state(item)}")
        created, changed = (moment(datetime.fromisoformat(when)) for when in (item.created, item.changed))
        say(f"  ledger {item.ledger}, begun {created}, last changed {changed}")
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


def show_promotion(result: Promotion, *, as_json: bool) -> None:
    """Write what a promotion did to stdout."""
    if as_json:
        say(json.dumps(result.as_dict(), indent=1))
        return
    say(f"{count(result.promoted, 'label row')} promoted to {shown(result.to)}, {result.already_there:,} already there")
    for titles, text in (
        (result.held, "left: they hold other labels (--replace overwrites them)"),
        (result.edited, "left: edited after the plan was made; run the command again"),
    ):
        if titles:
            say(f"{count(len(titles), 'label row')} {text}: {shown_names(titles)}")
    for number, text in (
        (result.empty, "of the branch without labels, not copied over those that exist"),
        (result.not_copied, "not copied, since one was made meanwhile; run the command again"),
        (result.over_limit, "left for later by --limit-rows"),
    ):
        if number:
            say(f"{count(number, 'label row')} {text}")


def show_priorities(result: Priorities, *, as_json: bool) -> None:
    """Write what a prioritization did to stdout."""
    if as_json:
        say(json.dumps(result.as_dict(), indent=1))
        return
    say(f"{count(len(result.priorities), 'task')} got a priority from {result.priority_from}")
    for number, text in (
        (result.without_predictions, "without predictions that count"),
        (result.nothing_to_compare, f"with nothing to compare on {shown(result.against or '')}"),
    ):
        if number:
            say(f"{count(number, 'label row')} {text}: their tasks keep their priority")
    if result.unreadable:
        say("labels left out: " + ", ".join(f"{shown(code)} {n:,}" for code, n in sorted(result.unreadable.items())))


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
    if result.unrecorded:
        say(
            f"{count(result.unrecorded, 'label row')} of the import not in its ledger: not begun yet, or the lines are "
            "lost; `ropewalk show` tells what stands there"
        )
    if result.damaged:
        say(f"{count(result.damaged, 'line')} of the ledger damaged: rows may be left that the import wrote")
    for notice in result.notices:
        say(shown(notice, MESSAGE_CHARACTERS))
