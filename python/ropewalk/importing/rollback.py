"""`rollback`: an import undone, from what its ledger kept. Rows get back what they held; the others are emptied."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ropewalk.bars import progress_of
from ropewalk.errors import EncordError, UsageError
from ropewalk.files import WORK_DIR
from ropewalk.importing.options import BatchOptions, RollbackKeywords, RollbackOptions
from ropewalk.ledger.ledger import Ledger, find_ledgers
from ropewalk.ledger.lock import branch_lock
from ropewalk.ledger.records import UNDOING, RowRecord
from ropewalk.options import made, spelt, takes
from ropewalk.progress import Progress
from ropewalk.project.live import StandingRow, standing_from_listing
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS
from ropewalk.sinks.encord.halving import Halving
from ropewalk.sinks.encord.labels import with_labels
from ropewalk.text import count, shown, without_secrets

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

    from ropewalk.sinks.encord.rows import LabelRows

# What `labels_of` keeps of a label row.
Labels = dict[str, Any]

# Nothing else of a ledger's name is a turn's.
_TURN = "rollback"

# Only to keep batches of fetched rows within the byte limit, before their size is known.
_BYTES_OF_AN_ANNOTATION = 600


@dataclass
class Rollback:
    """What a rollback did, or would do.

    Attributes:
        restored: Label rows that hold again what they held before the import.
        emptied: Label rows that held nothing before it, and hold nothing again.
        undone_before: Label rows that an earlier rollback has seen to.
        edited: Titles or data_hashes of rows that someone edited after the import; they are left as they are.
        gone: Rows that the branch does not have any more.
        lost: Rows whose earlier labels the ledger cannot give back; they are left as they are.
        refused: Why, by data_hash, where Encord refused.
        unrecorded: Label rows of the import without a line in its ledger: not begun yet, or the lines are lost.
        damaged: Lines of the ledger that could not be read: rows may be missing in these figures.
        notices: What the version of the `encord` SDK changes.
        exit_code: 0 when everything is undone, 3 when something is left.
    """

    restored: int = 0
    emptied: int = 0
    undone_before: int = 0
    edited: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    unrecorded: int = 0
    damaged: int = 0
    notices: list[str] = field(default_factory=list)
    exit_code: int = EXIT_ALL_WRITTEN

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return dataclasses.asdict(self)


@takes(RollbackOptions)
def rollback(
    project: encord.Project,
    *,
    branch: str,
    work_dir: str | os.PathLike[str] = WORK_DIR,
    ledger: str | None = None,
    also_edited: bool = False,
    confirm: Callable[[str], bool],
    progress: Progress | Literal["auto"] | None = None,
    **options: Unpack[RollbackKeywords],
) -> Rollback | None:
    """Undo an import.

    Args:
        project: A project of the `encord` client.
        branch: The branch that was imported onto.
        work_dir: The work folder of the import.
        ledger: Name of its ledger, as `ropewalk status` shows it; needed when the branch has several.
        also_edited: Whether rows that were edited since are undone as well.
        confirm: Asked with a sentence that says what is about to happen, if anything is.
        progress: Told about rows; "auto" shows a bar on a terminal or in a notebook.
        **options: How many requests at a time, and how long each is tried: those of `ropewalk rollback --help`.

    Returns:
        What was done; None when it was not confirmed.

    Raises:
        UsageError: There is no such ledger, or it is not clear which.
        LockedError: An import is writing on the branch.
        EncordError: Encord refused the key or could not be reached any more; running it again finishes it.
    """
    from ropewalk.sinks.encord.connection import connected

    job = made(RollbackOptions, options)
    with (
        connected(project, job) as (rows, endpoint),
        branch_lock(endpoint, project.project_hash, branch) as turn,
        progress_of(progress) as told,
    ):
        chosen = _chosen(find_ledgers(Path(work_dir), project.project_hash, branch), endpoint, branch, ledger)
        result = Rollback(damaged=chosen.damaged, unrecorded=chosen.unrecorded, notices=rows.notices)
        standing = standing_from_listing(rows.listing(branch))
        todo = [
            record
            for record in chosen.records.values()
            if record.attempts and _is_to_undo(record, standing.get(record.data_hash), also_edited, result)
        ]
        restore = {record.data_hash for record in todo if record.had_labels}
        question = (
            f"{count(len(todo), 'label row')} on {branch}: {len(restore)} get back what they held before the import, "
            f"{len(todo) - len(restore)} are emptied"
        )
        if todo and not confirm(question):
            return None
        turn.take(_TURN)
        try:
            _undo(rows, chosen, todo, result, job, told)
        finally:
            chosen.close()
    left = result.edited or result.lost or result.refused or result.damaged
    result.exit_code = EXIT_WITH_REJECTS if left else EXIT_ALL_WRITTEN
    return result


def _chosen(ledgers: Sequence[Ledger], endpoint: str, branch: str, name: str | None) -> Ledger:
    found = [ledger for ledger in ledgers if ledger.header.endpoint == endpoint and name in (None, ledger.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"the work folder has no ledger of an import onto {shown(branch)}{f' named {name}' if name else ''}; "
            f"`ropewalk status` lists those it has, {spelt('work_dir')} names another folder"
        )
    names = ", ".join(ledger.name for ledger in found)
    raise UsageError(
        f"{len(found)} imports onto {shown(branch)} have a ledger; choose one with {spelt('ledger')}: {names}"
    )


def _is_to_undo(record: RowRecord, stands: StandingRow | None, also_edited: bool, result: Rollback) -> bool:
    if not record.is_touched:
        result.undone_before += 1
        return False
    if stands is None or stands.label_hash != record.label_hash:
        result.gone.append(record.data_hash)
        return False
    # Without a time, as after a kill, the row is taken to stand as the import left it.
    times_known = record.seen is not None and stands.last_edited_at is not None
    edited = record.state != UNDOING and times_known and stands.last_edited_at > record.seen  # type: ignore[operator]
    if edited and not also_edited:
        result.edited.append(record.data_hash)
        return False
    return True


def _undo(
    rows: LabelRows,
    ledger: Ledger,
    todo: Sequence[RowRecord],
    result: Rollback,
    options: BatchOptions,
    progress: Progress,
) -> None:
    progress.start("undoing", sum(record.annotations for record in todo), "annotations")
    done = 0
    records = {record.data_hash: record for record in todo}
    held = {record.data_hash for record in todo if record.had_labels}
    kept = ledger.before(held)
    emptied = ((record.data_hash, None) for record in todo if not record.had_labels)
    for batch in _batches(chain(kept, emptied), records, options):
        held.difference_update(batch)
        _undo_batch(rows, ledger, {data_hash: records[data_hash] for data_hash in batch}, batch, result)
        done += sum(records[data_hash].annotations for data_hash in batch)
        progress.update(done)
    result.lost += sorted(held)
    progress.end()


def _batches(
    items: Iterable[tuple[str, Labels | None]], records: Mapping[str, RowRecord], options: BatchOptions
) -> Iterator[dict[str, Labels | None]]:
    batch: dict[str, Labels | None] = {}
    n_bytes = 0
    for data_hash, labels in items:
        row_bytes = records[data_hash].annotations * _BYTES_OF_AN_ANNOTATION
        if batch and (len(batch) >= options.batch_rows or n_bytes + row_bytes > options.batch_bytes):
            yield batch
            batch, n_bytes = {}, 0
        batch[data_hash] = labels
        n_bytes += row_bytes
    if batch:
        yield batch


def _undo_batch(
    rows: LabelRows,
    ledger: Ledger,
    records: Mapping[str, RowRecord],
    labels: Mapping[str, Labels | None],
    result: Rollback,
) -> None:
    existing = rows.get([record.label_hash for record in records.values()])
    result.gone += [data_hash for data_hash, record in records.items() if record.label_hash not in existing]
    bodies = {
        data_hash: with_labels(existing.pop(record.label_hash), labels[data_hash])
        for data_hash, record in records.items()
        if record.label_hash in existing
    }

    def save(part: list[str]) -> None:
        ledger.undoing(part)
        rows.save([records[data_hash].label_hash for data_hash in part], [[bodies[data_hash]] for data_hash in part])
        ledger.undone(part)

    def check_server() -> None:
        rows.listing(ledger.header.branch, data_hashes=list(bodies)[:1])

    for part, answer in Halving(check_server).bisected(list(bodies), save):
        if isinstance(answer, EncordError):
            result.refused[part[0]] = without_secrets(str(answer))
            continue
        result.restored += sum(labels[data_hash] is not None for data_hash in part)
        result.emptied += sum(labels[data_hash] is None for data_hash in part)
