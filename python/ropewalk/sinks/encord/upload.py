"""Staged label rows onto a branch: create or fetch, encode, save, in batches with a few requests in flight.

A batch is refused as a whole; it is then halved until the refused row stands alone, so that one bad row never costs
its neighbours. What is sent is a function of the stage, the row's header and the import's creation time; the ledger
hears of every row before it is sent and after it is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ropewalk.errors import EncordError, LedgerError, RopewalkError
from ropewalk.ledger.records import STANDING
from ropewalk.project.live import StandingRow, standing_from_listing
from ropewalk.report import SharedTrack
from ropewalk.sinks.encord.halving import Halving
from ropewalk.sinks.encord.labels import labels_of
from ropewalk.sinks.encord.outcome import Blame, Outcome
from ropewalk.sinks.encord.parallel import InFlight, in_parallel
from ropewalk.sinks.encord.saving import Body, Saving, save_noted, save_nothing
from ropewalk.sinks.encord.staged_rows import Row
from ropewalk.text import without_secrets

if TYPE_CHECKING:
    from ropewalk._core import Staged
    from ropewalk.importing.options import UploadOptions
    from ropewalk.ledger.ledger import Ledger
    from ropewalk.sinks.encord.rows import LabelRows


@dataclass
class Upload:
    """Writes the label rows of a stage on a branch.

    Attributes:
        staged: The sorted annotations.
        todo: The rows of the stage that are to be written.
        rows: The project's label rows; None when there is no server, as in a rehearsal with a project file.
        branch: Where to write.
        standing: data_hash -> the rows that stand on the branch already.
        when: The import's creation time, as label rows write it.
        options: What to do with rows that exist, batch sizes and requests in flight.
        stop: Set when the import stops.
        ledger: What earlier runs of this import noted; None in a rehearsal, which writes nothing.
        labels_before: Labels of the sources that were imported onto the branch before.
    """

    staged: Staged
    todo: Sequence[Row]
    rows: LabelRows | None
    branch: str
    standing: Mapping[str, StandingRow]
    when: str
    options: UploadOptions
    stop: threading.Event
    ledger: Ledger | None = None
    labels_before: list[str] = field(default_factory=list)
    _settled: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._in_flight = InFlight(self.options.max_inflight_bytes)
        self._blame = Blame(self.staged, self.standing, self.ledger)
        # Reads that are answered say nothing about saves: each kind has its own.
        self._creating, self._fetching, self._saving = (Halving(self._check_server) for _ in range(3))

    def trust_ledger(self) -> None:
        """Take the rows that the ledger knows to be done for done: no other import has had the branch since."""
        assert self.ledger is not None
        self._settled = {row.index for row in self.todo if self._is_done(row, self.ledger)}

    def to_check(self) -> list[Row]:
        """List the rows that stand on the branch already and are not known to hold what they should."""
        return [row for row in self.todo if row.data_hash in self.standing and row.index not in self._settled]

    def check_existing(self) -> Iterator[Outcome]:
        """Compare the rows that exist with those staged, reading only.

        Yields:
            Outcomes whose `refused` names the rows that hold something else, by title.
        """
        yield from in_parallel(self._check_batch, self._batches(self.to_check()), self.options.jobs, self.stop)

    def send(self) -> Iterator[Outcome]:
        """Write all rows that are not settled.

        Yields:
            Outcomes of batches, as they are done.

        Raises:
            AccessError: The key was refused.
            EncordError: Encord could not be reached any more; what was acknowledged is stored.
            LedgerError: The ledger cannot be written.
        """
        settled = [row for row in self.todo if row.index in self._settled]
        yield Outcome(
            already_there=sum(row.annotations for row in settled),
            rows_already_there=len(settled),
            done=sum(row.annotations for row in settled),
        )
        left = [row for row in self.todo if row.index not in self._settled]
        yield from self._blamed_with_cause(
            in_parallel(self._send_batch, self._batches(left), self.options.jobs, self.stop)
        )

    def _blamed_with_cause(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """Hold back rows without an answer to the end: unless a save is answered by then, the server is at fault.

        Raises:
            EncordError: No save was answered; nothing is known about any row.
        """
        held: list[tuple[Outcome, EncordError]] = []
        for outcome in outcomes:
            if outcome.unanswered is not None and not self._saving.is_answered:
                held.append((outcome, outcome.unanswered))
            else:
                yield outcome
        if held and not self._saving.is_answered:
            raise held[0][1]
        yield from (outcome for outcome, _ in held)

    def create_empty(self, data_hashes: Sequence[str]) -> Iterator[Outcome]:
        """Create rows without labels for media that have none on the branch."""
        step = self.options.batch_rows
        batches = (data_hashes[at : at + step] for at in range(0, len(data_hashes), step))
        yield from in_parallel(self._create_empty_batch, batches, self.options.jobs, self.stop)

    def find_edits(self) -> Iterator[Outcome]:
        """List the branch once more and find rows that someone else edited after this import saved them.

        Yields:
            Outcomes whose `edited` names them, by title.
        """
        assert self.rows is not None and self.ledger is not None
        now = standing_from_listing(self.rows.listing(self.branch))
        seen: dict[str, datetime] = {}
        suspects: list[Row] = []
        gone = Outcome()
        for row in self.todo:
            if not self.ledger.was_saved(row.data_hash, row.digest):
                continue
            record, stands = self.ledger.records[row.data_hash], now.get(row.data_hash)
            if stands is None or stands.label_hash != record.label_hash:
                gone.edited.append(row.title)
            elif stands.last_edited_at is not None and record.seen != stands.last_edited_at:
                if record.seen is not None and stands.last_edited_at > record.seen:
                    suspects.append(row)
                else:
                    seen[row.data_hash] = stands.last_edited_at
        self.ledger.listed(seen)
        yield gone
        for batch in self._batches(suspects):
            yield self._find_edits_in(batch, now, self.ledger)

    def _find_edits_in(self, batch: list[Row], now: Mapping[str, StandingRow], ledger: Ledger) -> Outcome:
        """Compare rows that were touched after their save: what only touched the row is no edit of its labels."""
        outcome = Outcome()
        label_hashes = {row: now[row.data_hash].label_hash for row in batch}
        found = {row: existing for row, _, existing in self._fetch(label_hashes, Outcome())}
        for row in batch:
            # Beside merged labels others may stand, also new ones; anywhere else they are an edit.
            policy = "merge" if self._merges else "fail"
            if (
                row in found
                and self.staged.reconcile(row.index, found[row], self.when, policy)["verdict"] == "already_there"
            ):
                moment = now[row.data_hash].last_edited_at
                assert moment is not None
                ledger.listed({row.data_hash: moment})
            else:
                outcome.edited.append(row.title)
                ledger.edited([row.data_hash])
        return outcome

    def _is_done(self, row: Row, ledger: Ledger) -> bool:
        stands = self.standing.get(row.data_hash)
        # Only the row tells what does not fit its size or its answers: it is fetched each time.
        depends_on_row = not row.sized or (row.has_answers and self._merges)
        return (
            not depends_on_row
            and stands is not None
            and ledger.is_done(row.data_hash, row.digest, stands.label_hash, stands.last_edited_at)
        )

    def _batches(self, rows: Iterable[Row]) -> Iterator[list[Row]]:
        batch: list[Row] = []
        n_bytes = 0
        for row in rows:
            if batch and (len(batch) >= self.options.batch_rows or n_bytes + row.len_bytes > self.options.batch_bytes):
                yield batch
                batch, n_bytes = [], 0
            batch.append(row)
            n_bytes += row.len_bytes
        if batch:
            yield batch

    def _check_batch(self, batch: list[Row]) -> Outcome:
        outcome = Outcome()
        with self._room_for(batch):
            for row, label_hash, existing in self._fetch(self._standing_of(batch), outcome):
                found = self.staged.reconcile(row.index, existing, self.when, "fail")
                if found["verdict"] == "refused":
                    outcome.refused.append(row.title)
                elif found["verdict"] == "already_there" and found["already_there"] == row.annotations:
                    self._note_standing(row, label_hash)
                    self._settled.add(row.index)
        outcome.done = sum(row.annotations for row in batch)
        return outcome

    def _send_batch(self, batch: list[Row]) -> Outcome:
        outcome = Outcome()
        with self._room_for(batch):
            saving = self._saving_for(outcome)
            standing = self._standing_of(batch)
            new = [row for row in batch if row not in standing]
            if self.rows is None or self.dry_run:
                for row in new:
                    with self._one_row(row, outcome):
                        if self._set_aside(row, None, outcome):
                            saving.add(Body(row, "", self.staged.encode_blocks(row.index, None, self.when)))
            elif new:
                for row, label_hash, header in self._create(new, standing, outcome):
                    with self._one_row(row, outcome):
                        if self._set_aside(row, header, outcome):
                            saving.add(Body(row, label_hash, self.staged.encode_blocks(row.index, header, self.when)))
            for row, label_hash, existing in self._fetch(standing, outcome):
                with self._one_row(row, outcome):
                    self._reconcile(row, label_hash, existing, saving, outcome)
            saving.flush()
        outcome.done = sum(row.annotations for row in batch)
        return outcome

    @property
    def _merges(self) -> bool:
        return self.options.on_existing == "merge"

    @property
    def dry_run(self) -> bool:
        """Whether everything is done but writing."""
        return self.ledger is None

    def _saving_for(self, outcome: Outcome) -> Saving:
        options = self.options
        save = save_nothing if self.rows is None or self.ledger is None else save_noted(self.rows, self.ledger)
        return Saving(options.batch_bytes, options.max_row_bytes, save, self._saving, self._blame, outcome)

    def _room_for(self, batch: list[Row]) -> AbstractContextManager[None]:
        # A row that stands there is held as it is and as it will be.
        weights = (row.len_bytes * (2 if row.data_hash in self.standing else 1) for row in batch)
        return self._in_flight.hold(sum(weights), self.stop)

    @contextmanager
    def _one_row(self, row: Row, outcome: Outcome) -> Iterator[None]:
        """Let what the core finds wrong with a row of the server cost this row only."""
        try:
            yield
        except (EncordError, LedgerError):
            raise
        except RopewalkError as e:
            self._blame.row(row, outcome, "bad_label_row", str(e))

    def _reconcile(self, row: Row, label_hash: str, existing: bytes, saving: Saving, outcome: Outcome) -> None:
        found = self.staged.reconcile(row.index, existing, self.when, self.options.on_existing)
        verdict = found["verdict"]
        if self.ledger is not None and verdict != "already_there" and self.ledger.was_saved(row.data_hash, row.digest):
            outcome.edited.append(row.title)
        if verdict == "skipped":
            outcome.skipped += row.annotations
            outcome.rows_skipped += 1
            outcome.left_out.append(row.index)
            return
        if not self._set_aside(row, existing, outcome, merges=self._merges):
            return
        if verdict == "already_there":
            self._note_standing(row, label_hash)
            outcome.already_there += outcome.fitting(row)
            outcome.rows_already_there += 1
        elif verdict == "refused":
            self._blame.row(
                row,
                outcome,
                "existing_row",
                "the row has come to hold other objects since the import began; see --on-existing",
            )
        else:
            assert found["body"] is not None
            had_labels = bool(found["foreign"] or found["already_there"])
            if had_labels and self.ledger is not None and not self.ledger.touched(row.data_hash, label_hash):
                self.ledger.keep_before(row.data_hash, label_hash, labels_of(existing))
            if self.labels_before and self.options.on_existing == "merge":
                outcome.shared_tracks += self._shared_tracks(row, existing)
            body = Body(
                row,
                label_hash,
                [found["body"]],
                found["already_there"],
                had_labels,
                found["objects_extended"],
                found["labels_replaced"],
                found["numbers_taken"],
            )
            saving.add(body)

    def _shared_tracks(self, row: Row, existing: bytes) -> list[SharedTrack]:
        """Find tracks of the row whose id it holds from a source that was imported before."""
        found = self.staged.namesakes(row.index, existing, self.labels_before)
        return [SharedTrack(track, row.title, (other, own)) for track, own, other in found]

    def _set_aside(self, row: Row, header: bytes | None, outcome: Outcome, *, merges: bool = False) -> bool:
        """Note the annotations that are left out: they do not fit a row whose size only the row tells, or its answers.

        Returns:
            Whether any is left: a row is not saved for nothing.
        """
        found = self.staged.unfit(row.index, header, self.when)
        if merges and header is not None:
            found += self.staged.conflicting(row.index, header, self.when)
        outcome.rejects[row.index] = [line for _, line in found]
        outcome.unfit[row.index] = sorted(at for at, _ in found)
        return outcome.fitting(row) > 0

    def _note_standing(self, row: Row, label_hash: str) -> None:
        if self.ledger is not None:
            stands = self.standing.get(row.data_hash)
            seen = stands.last_edited_at if stands is not None else None
            self.ledger.standing(row.record(STANDING, label_hash, seen=seen))

    def _standing_of(self, batch: list[Row]) -> dict[Row, str]:
        return {row: self.standing[row.data_hash].label_hash for row in batch if row.data_hash in self.standing}

    def _create(self, new: list[Row], standing: dict[Row, str], outcome: Outcome) -> Iterator[tuple[Row, str, bytes]]:
        """Create rows: row, label_hash, JSON. Those that stand there by now go to `standing`."""
        assert self.rows is not None
        rows = self.rows
        by_data_hash = {row.data_hash: row for row in new}
        for part, answer in self._creating.bisected(list(by_data_hash), lambda part: rows.create(part, self.branch)):
            if isinstance(answer, EncordError):
                self._blame.server(by_data_hash[part[0]], outcome, answer)
                continue
            created, there = answer
            for data_hash in part:
                row = by_data_hash[data_hash]
                if data_hash in there:
                    standing[row] = there[data_hash]
                elif data_hash in created:
                    yield row, *created.pop(data_hash)
                else:
                    self._blame.row(row, outcome, "row_missing", "Encord did not answer with the row it was to create")

    def _fetch(self, standing: Mapping[Row, str], outcome: Outcome) -> Iterator[tuple[Row, str, bytes]]:
        """Fetch rows: row, label_hash, JSON."""
        if not standing:
            return
        assert self.rows is not None
        by_label_hash = {label_hash: row for row, label_hash in standing.items()}
        for part, answer in self._fetching.bisected(list(by_label_hash), self.rows.get):
            if isinstance(answer, EncordError):
                self._blame.server(by_label_hash[part[0]], outcome, answer)
                continue
            for label_hash in part:
                row = by_label_hash[label_hash]
                if label_hash in answer:
                    yield row, label_hash, answer.pop(label_hash)
                else:
                    self._blame.row(
                        row, outcome, "row_missing", "the row was listed, but Encord does not have it any more"
                    )

    def _create_empty_batch(self, data_hashes: Sequence[str]) -> Outcome:
        outcome = Outcome(done=len(data_hashes))
        if self.rows is None or self.dry_run:
            outcome.rows_created_empty = len(data_hashes)
            return outcome
        rows = self.rows
        for part, answer in self._creating.bisected(list(data_hashes), lambda part: rows.create(part, self.branch)):
            if isinstance(answer, EncordError):
                outcome.rows_not_created[part[0]] = without_secrets(str(answer))
            else:
                outcome.rows_created_empty += len(answer[0])
        return outcome

    def _check_server(self) -> None:
        """Make sure that Encord answers at all; if not, the import stops instead of rejecting row after row."""
        assert self.rows is not None
        self.rows.listing(self.branch, data_hashes=[row.data_hash for row in self.todo[:1]])
