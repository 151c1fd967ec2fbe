"""Staged label rows onto a branch: create or fetch, encode, save, in batches with a few requests in flight.

A batch is refused as a whole; it is then halved until the refused row stands alone, so that one bad row never costs
its neighbours. What is sent is a function of the stage, the row's header and the import's creation time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ropewalk.errors import EncordError, RefusalError, RopewalkError
from ropewalk.sinks.encord.parallel import in_parallel
from ropewalk.text import without_secrets

if TYPE_CHECKING:
    from ropewalk._core import Staged
    from ropewalk.sinks.encord.rows import LabelRows

Item = TypeVar("Item")
Result = TypeVar("Result")

# Only to keep batches of fetched rows within the byte limit, before their size is known.
_BYTES_OF_AN_ANNOTATION = 600


@dataclass(frozen=True)
class Limits:
    """How much goes into one request, and how many requests are in flight."""

    jobs: int = 4
    batch_rows: int = 20
    batch_bytes: int = 8_000_000


@dataclass
class Outcome:
    """What became of some label rows; annotations = written + already_there + skipped + lines of rejects.

    `rejects` holds, by label row, the reject file's lines: annotations that do not fit it, or all where it failed.
    `rows_not_created` says why, by data_hash, where an empty row was refused.
    """

    written: int = 0
    already_there: int = 0
    skipped: int = 0
    rows_saved: int = 0
    rows_already_there: int = 0
    rows_skipped: int = 0
    rows_created_empty: int = 0
    bytes_sent: int = 0
    rows_done: int = 0
    settled: list[int] = field(default_factory=list)
    rows_failed: int = 0
    rows_not_created: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    rejects: dict[int, list[str]] = field(default_factory=dict)


@dataclass
class Upload:
    """Writes the label rows of a stage on a branch.

    Attributes:
        staged: The sorted annotations.
        rows: The project's label rows; None when there is no server, as in a rehearsal with a project file.
        branch: Where to write.
        label_hashes: data_hash -> label_hash of the rows that stand on the branch already.
        when: The import's creation time, as label rows write it.
        on_existing: fail, skip, replace or merge.
        limits: Batch sizes and requests in flight.
        dry_run: Do everything but write.
        stop: Set when the import stops.
        settled: Rows found to hold all of theirs already; they are not fetched again.
    """

    staged: Staged
    rows: LabelRows | None
    branch: str
    label_hashes: Mapping[str, str]
    when: str
    on_existing: str
    limits: Limits
    dry_run: bool
    stop: threading.Event
    settled: set[int] = field(default_factory=set)

    def existing(self) -> list[int]:
        """Number the staged rows that stand on the branch already."""
        return [i for i in range(len(self.staged)) if self._label_hash(i) is not None]

    def check_existing(self) -> Iterator[Outcome]:
        """Compare the rows that exist with those staged, reading only.

        Yields:
            Outcomes whose `refused` names the rows that hold something else, by title, and whose `settled` numbers
            those that hold exactly what they should.
        """
        yield from in_parallel(self._check_batch, self._batches(self.existing()), self.limits.jobs, self.stop)

    def send(self) -> Iterator[Outcome]:
        """Write all staged rows.

        Yields:
            Outcomes of batches, as they are done.

        Raises:
            AccessError: The key was refused.
            EncordError: Encord could not be reached any more; what was acknowledged is stored.
        """
        yield from in_parallel(self._send_batch, self._batches(range(len(self.staged))), self.limits.jobs, self.stop)

    def create_empty(self, data_hashes: Sequence[str]) -> Iterator[Outcome]:
        """Create rows without labels for media that have none on the branch."""
        step = self.limits.batch_rows
        batches = (data_hashes[at : at + step] for at in range(0, len(data_hashes), step))
        yield from in_parallel(self._create_empty_batch, batches, self.limits.jobs, self.stop)

    def _label_hash(self, index: int) -> str | None:
        return self.label_hashes.get(self.staged.label_row(index)["data_hash"])

    def _batches(self, indices: Sequence[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        n_bytes = 0
        for index in indices:
            row_bytes = self.staged.label_row(index)["annotations"] * _BYTES_OF_AN_ANNOTATION
            if batch and (len(batch) >= self.limits.batch_rows or n_bytes + row_bytes > self.limits.batch_bytes):
                yield batch
                batch, n_bytes = [], 0
            batch.append(index)
            n_bytes += row_bytes
        if batch:
            yield batch

    def _check_batch(self, batch: list[int]) -> Outcome:
        outcome = Outcome()
        for index, _, existing in self._fetch({i: self._known(i) for i in batch}, outcome):
            info = self.staged.label_row(index)
            found = self.staged.reconcile(index, existing, self.when, "fail")
            if found["verdict"] == "refused":
                outcome.refused.append(info["title"])
            elif found["verdict"] == "already_there" and found["already_there"] == info["annotations"]:
                outcome.settled.append(index)
        outcome.rows_done = len(batch)
        return outcome

    def _send_batch(self, batch: list[int]) -> Outcome:
        outcome = Outcome()
        bodies = _Bodies(self, outcome)
        standing = {i: label_hash for i in batch if (label_hash := self._label_hash(i)) is not None}
        new = [i for i in batch if i not in standing]
        for index in self.settled.intersection(standing):
            del standing[index]
            outcome.already_there += self.staged.label_row(index)["annotations"]
            outcome.rows_already_there += 1
        if self.rows is None or self.dry_run:
            for index in new:
                with self._one_row(index, outcome):
                    if self._set_aside(index, None, outcome):
                        bodies.add(index, "", self.staged.encode(index, None, self.when))
        elif new:
            for index, label_hash, header in self._create(new, standing, outcome):
                with self._one_row(index, outcome):
                    if self._set_aside(index, header, outcome):
                        bodies.add(index, label_hash, self.staged.encode(index, header, self.when))
        for index, label_hash, existing in self._fetch(standing, outcome):
            with self._one_row(index, outcome):
                self._reconcile(index, label_hash, existing, bodies, outcome)
        bodies.save()
        outcome.rows_done = len(batch)
        return outcome

    @contextmanager
    def _one_row(self, index: int, outcome: Outcome) -> Iterator[None]:
        """Let what the core finds wrong with a row of the server cost this row only."""
        try:
            yield
        except EncordError:
            raise
        except RopewalkError as e:
            self._fail(index, outcome, "bad_label_row", str(e))

    def _reconcile(self, index: int, label_hash: str, existing: bytes, bodies: _Bodies, outcome: Outcome) -> None:
        found = self.staged.reconcile(index, existing, self.when, self.on_existing)
        if found["verdict"] == "skipped":
            outcome.skipped += self.staged.label_row(index)["annotations"]
            outcome.rows_skipped += 1
            return
        if not self._set_aside(index, existing, outcome):
            return
        if found["verdict"] == "already_there":
            outcome.already_there += self._fitting(index, outcome)
            outcome.rows_already_there += 1
        elif found["verdict"] == "refused":
            self._fail(
                index,
                outcome,
                "existing_row",
                "the row has come to hold other objects since the import began; see --on-existing",
            )
        else:
            assert found["body"] is not None
            bodies.add(index, label_hash, found["body"], found["already_there"])

    def _set_aside(self, index: int, header: bytes | None, outcome: Outcome) -> bool:
        """Note the annotations that `encode` leaves out, since they do not fit a row whose size only the row tells.

        Returns:
            Whether any is left: a row is not saved for nothing.
        """
        if not self.staged.label_row(index)["sized"]:
            outcome.rejects[index] = self.staged.unfit(index, header, self.when)
        return self._fitting(index, outcome) > 0

    def _fitting(self, index: int, outcome: Outcome) -> int:
        return self.staged.label_row(index)["annotations"] - len(outcome.rejects.get(index, ()))

    def _create(self, new: list[int], standing: dict[int, str], outcome: Outcome) -> Iterator[tuple[int, str, bytes]]:
        """Create rows: index, label_hash, JSON. Those that stand there by now go to `standing`."""
        assert self.rows is not None
        rows = self.rows
        by_data_hash = {self.staged.label_row(i)["data_hash"]: i for i in new}
        for part, answer in bisected(list(by_data_hash), lambda part: rows.create(part, self.branch)):
            if isinstance(answer, RefusalError):
                self._fail(by_data_hash[part[0]], outcome, "server_refused", str(answer))
                continue
            created, there = answer
            for data_hash in part:
                index = by_data_hash[data_hash]
                if data_hash in there:
                    standing[index] = there[data_hash]
                elif data_hash in created:
                    yield index, *created.pop(data_hash)
                else:
                    self._fail(index, outcome, "row_missing", "Encord did not answer with the row it was to create")

    def _fetch(self, standing: Mapping[int, str], outcome: Outcome) -> Iterator[tuple[int, str, bytes]]:
        """Fetch rows: index, label_hash, JSON."""
        if not standing:
            return
        assert self.rows is not None
        by_label_hash = {label_hash: i for i, label_hash in standing.items()}
        for part, answer in bisected(list(by_label_hash), self.rows.get):
            if isinstance(answer, RefusalError):
                self._fail(by_label_hash[part[0]], outcome, "server_refused", str(answer))
                continue
            for label_hash in part:
                index = by_label_hash[label_hash]
                if label_hash in answer:
                    yield index, label_hash, answer.pop(label_hash)
                else:
                    self._fail(
                        index, outcome, "row_missing", "the row was listed, but Encord does not have it any more"
                    )

    def _create_empty_batch(self, data_hashes: Sequence[str]) -> Outcome:
        outcome = Outcome(rows_done=len(data_hashes))
        if self.rows is None or self.dry_run:
            outcome.rows_created_empty = len(data_hashes)
            return outcome
        rows = self.rows
        for part, answer in bisected(list(data_hashes), lambda part: rows.create(part, self.branch)):
            if isinstance(answer, RefusalError):
                outcome.rows_not_created[part[0]] = without_secrets(str(answer))
            else:
                outcome.rows_created_empty += len(answer[0])
        return outcome

    def _known(self, index: int) -> str:
        label_hash = self._label_hash(index)
        assert label_hash is not None
        return label_hash

    def _fail(self, index: int, outcome: Outcome, code: str, message: str) -> None:
        outcome.rows_failed += 1
        outcome.rejects[index] = self.staged.refuse(index, code, without_secrets(message))


class _Bodies:
    """Encoded label rows on their way into saves of a bounded size."""

    def __init__(self, upload: Upload, outcome: Outcome) -> None:
        self._upload = upload
        self._outcome = outcome
        self._rows: list[tuple[int, str, bytes, int]] = []
        self._bytes = 0

    def add(self, index: int, label_hash: str, body: bytes, already_there: int = 0) -> None:
        limit = self._upload.limits.batch_bytes
        if self._rows and self._bytes + len(body) > limit:
            self.save()
        self._rows.append((index, label_hash, body, already_there))
        self._bytes += len(body)
        if self._bytes >= limit:
            self.save()

    def save(self) -> None:
        """Store what has gathered, and count it."""
        rows, self._rows, self._bytes = self._rows, [], 0
        if not rows:
            return
        for part, answer in bisected(rows, self._save_part):
            if isinstance(answer, RefusalError):
                self._upload._fail(part[0][0], self._outcome, "server_refused", str(answer))
                continue
            self._outcome.bytes_sent += answer
            self._outcome.rows_saved += len(part)
            for index, _, _, already_there in part:
                self._outcome.written += self._upload._fitting(index, self._outcome) - already_there
                self._outcome.already_there += already_there

    def _save_part(self, part: list[tuple[int, str, bytes, int]]) -> int:
        if self._upload.rows is None or self._upload.dry_run:
            return sum(len(body) for _, _, body, _ in part)
        return self._upload.rows.save([row[1] for row in part], [row[2] for row in part]).len_bytes


def bisected(
    items: list[Item], call: Callable[[list[Item]], Result]
) -> Iterator[tuple[list[Item], Result | RefusalError]]:
    """Make a call on a list of items, halving the list while the call is refused.

    Yields:
        Parts of the list with the call's result; for a part of one item that is refused, with the error.

    Raises:
        EncordError: A failure that is no refusal of these items: no access, or Encord not reachable any more.
    """
    try:
        result = call(items)
    except RefusalError as e:
        if len(items) == 1:
            yield items, e
            return
        middle = len(items) // 2
        yield from bisected(items[:middle], call)
        yield from bisected(items[middle:], call)
        return
    yield items, result
