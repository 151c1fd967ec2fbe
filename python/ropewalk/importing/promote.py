"""`promote`: the label rows of a branch copied onto another one, as the labels that people go on with."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from ropewalk.errors import UsageError
from ropewalk.importing.options import ConnectKeywords, ConnectOptions
from ropewalk.importing.run import check_branch
from ropewalk.ledger.lock import branch_lock
from ropewalk.options import made, spelt, takes
from ropewalk.progress import NoProgress, Progress
from ropewalk.project.live import StandingRow, standing_from_listing
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS
from ropewalk.showing.show import label_row_contents
from ropewalk.sinks.encord.labels import holds_labels, labels_of
from ropewalk.text import count, shown

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

    from ropewalk.sinks.encord.rows import LabelRows

# Label rows that are copied with one request.
_ROWS_TOGETHER = 50

# Nothing else of a ledger's name is a turn's.
_TURN = "promote"


@dataclass
class Promotion:
    """What a promotion did, or would do.

    Attributes:
        branch: Where the label rows are.
        to: Where they are copied to.
        promoted: Label rows that were copied.
        already_there: Label rows that the target holds with the same labels.
        empty: Label rows of the branch without labels, where the target has a label row: they are not copied.
        held: Titles of media whose label row on the target holds other labels; it is left as it is.
        edited: Titles of media whose label row on the target was edited after the plan was shown; it is left as it is.
        not_copied: Label rows that Encord did not copy: someone made one on the target meanwhile.
        over_limit: Label rows that the limit leaves for later.
        exit_code: 0 when the target holds the labels of all rows within the limit, 3 when some were left.
    """

    branch: str
    to: str
    promoted: int = 0
    already_there: int = 0
    empty: int = 0
    held: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    not_copied: int = 0
    over_limit: int = 0
    exit_code: int = EXIT_ALL_WRITTEN

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class _Todo:
    """A label row to copy; `stands` is the one that it takes the place of, None where there is none."""

    data_hash: str
    title: str
    label_hash: str
    stands: StandingRow | None
    holds_labels: bool


@takes(ConnectOptions)
def promote(
    project: encord.Project,
    *,
    branch: str,
    to: str = "main",
    replace: bool = False,
    limit_rows: int | None = None,
    confirm: Callable[[str], bool],
    progress: Progress | None = None,
    **options: Unpack[ConnectKeywords],
) -> Promotion | None:
    """Copy the label rows of a branch onto another one, whole, through the SDK's `copy_labels_to_branch`.

    A label row of the target that holds no labels is overwritten. One that holds labels is left, unless `replace`.
    Running it again copies what is missing.

    Args:
        project: A project of the `encord` client.
        branch: The branch whose label rows are copied.
        to: The branch that they are copied to.
        replace: Whether label rows that hold other labels are replaced, which loses those.
        limit_rows: At most so many label rows are copied.
        confirm: Asked with a sentence that says what is about to happen, if anything is.
        progress: Told about rows.
        **options: How many requests at a time, and how long each is tried: those of `ropewalk promote --help`.

    Returns:
        What was done; None when it was not confirmed.

    Raises:
        UsageError: Both branches are the same, the limit is below 1, or the SDK is too old.
        BlockerError: `to` is not a branch name, or it belongs to a consensus.
        LockedError: An import is writing on the target.
        EncordError: Encord refused, or could not be reached any more; running it again finishes it.
    """
    from ropewalk.sinks.encord.connection import connected
    from ropewalk.sinks.encord.versions import COPIES, check_sdk

    check_branch(to, allow_branch=to == "main")
    if branch == to:
        raise UsageError(f"{spelt('branch')} and {spelt('to')} are both {shown(branch)}; give two branches")
    if limit_rows is not None and limit_rows < 1:
        raise UsageError(f"{spelt('limit_rows')} is {limit_rows}; expected a whole number of at least 1")
    check_sdk(COPIES)
    job = made(ConnectOptions, options)
    with (
        connected(project, job) as (rows, endpoint),
        branch_lock(endpoint, project.project_hash, to) as turn,
    ):
        result = Promotion(branch, to)
        todo = _planned(rows, result, replace)
        if limit_rows is not None:
            result.over_limit = len(todo[limit_rows:])
            todo = todo[:limit_rows]
        if todo and not confirm(_question(todo, result)):
            return None
        turn.take(_TURN)
        _copy(project, rows, todo, result, progress or NoProgress())
    left = result.held or result.edited or result.not_copied
    result.exit_code = EXIT_WITH_REJECTS if left else EXIT_ALL_WRITTEN
    return result


def _planned(rows: LabelRows, result: Promotion, replace: bool) -> list[_Todo]:
    """Find out what is to be copied; what is not is counted."""
    entries = rows.listing(result.branch)
    titles = {entry["data_hash"]: entry.get("data_title") or entry["data_hash"] for entry in entries}
    source = standing_from_listing(entries)
    target = standing_from_listing(rows.listing(result.to))
    both = [data_hash for data_hash in source if data_hash in target]
    theirs = _digests(rows, {data_hash: target[data_hash].label_hash for data_hash in both})
    ours = _digests(rows, {data_hash: source[data_hash].label_hash for data_hash in both})
    todo = []
    for data_hash, row in source.items():
        title = shown(titles[data_hash])
        holds = theirs.get(data_hash) is not None
        if data_hash in target:
            if ours.get(data_hash) == theirs.get(data_hash):
                result.already_there += 1
                continue
            if ours.get(data_hash) is None:
                result.empty += 1
                continue
            if holds and not replace:
                result.held.append(title)
                continue
        todo.append(_Todo(data_hash, title, row.label_hash, target.get(data_hash), holds))
    return todo


def _digests(rows: LabelRows, label_hashes: Mapping[str, str]) -> dict[str, str | None]:
    """Digest the labels of label rows, by data_hash; None of those that hold none. A few are held at a time."""
    data_hashes = {label_hash: data_hash for data_hash, label_hash in label_hashes.items()}
    found: dict[str, str | None] = {}
    for label_hash, content in label_row_contents(list(data_hashes), rows):
        labels = labels_of(content)
        text = orjson.dumps(labels, option=orjson.OPT_SORT_KEYS)
        found[data_hashes[label_hash]] = hashlib.sha256(text).hexdigest() if holds_labels(labels) else None
    return found


def _question(todo: Sequence[_Todo], result: Promotion) -> str:
    replaced = sum(row.holds_labels for row in todo)
    new = sum(row.stands is None for row in todo)
    parts = [f"{new:,} new", f"{len(todo) - new - replaced:,} where {result.to} has an empty one"]
    if replaced:
        parts.append(f"{replaced:,} REPLACING labels that {result.to} holds")
    text = f"{count(len(todo), 'label row')} of {result.branch} to {result.to}: {', '.join(parts)}"
    for number, what in (
        (len(result.held), "left, since they hold other labels"),
        (result.already_there, "there already"),
        (result.over_limit, "left for later"),
    ):
        text += f"; {number:,} {what}" if number else ""
    return text


def _copy(
    project: encord.Project, rows: LabelRows, todo: Sequence[_Todo], result: Promotion, progress: Progress
) -> None:
    from ropewalk.sinks.encord.sdk_calls import translated

    progress.start("promoting", len(todo), "label rows")
    done = 0
    # What is not there is never overwritten, whoever makes it meanwhile.
    for overwrite in (False, True):
        for batch in _batches(row for row in todo if (row.stands is not None) == overwrite):
            done += len(batch)
            if overwrite:
                batch = _unchanged(rows, batch, result)
            if batch:
                label_hashes = [row.label_hash for row in batch]

                def copy(label_hashes: list[str] = label_hashes, overwrite: bool = overwrite) -> int:
                    return project.copy_labels_to_branch(
                        target_branch=result.to,
                        source_branch=result.branch,
                        overwrite=overwrite,
                        label_hashes=label_hashes,
                        batch_size=_ROWS_TOGETHER,
                    )

                copied = translated(copy)
                result.promoted += copied
                result.not_copied += len(batch) - copied
            progress.update(done)
    progress.end()


def _batches(rows: Iterable[_Todo]) -> Iterable[list[_Todo]]:
    found = list(rows)
    return (found[at : at + _ROWS_TOGETHER] for at in range(0, len(found), _ROWS_TOGETHER))


def _unchanged(rows: LabelRows, batch: Sequence[_Todo], result: Promotion) -> list[_Todo]:
    """Keep the rows whose target is as it was when the plan was made."""
    now = standing_from_listing(rows.listing(result.to, data_hashes=[row.data_hash for row in batch]))
    result.edited += [row.title for row in batch if now.get(row.data_hash) != row.stands]
    return [row for row in batch if now.get(row.data_hash) == row.stands]
