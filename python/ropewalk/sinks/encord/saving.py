"""Encoded label rows on their way into save requests of a bounded size, each noted in the ledger before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ropewalk.errors import EncordError, TemporaryEncordError
from ropewalk.ledger.records import SENDING
from ropewalk.sinks.encord.staged_rows import Row
from ropewalk.sinks.encord.transport import Blocks, len_bytes

if TYPE_CHECKING:
    from ropewalk.ledger.ledger import Ledger
    from ropewalk.sinks.encord.halving import Halving
    from ropewalk.sinks.encord.outcome import Blame, Outcome
    from ropewalk.sinks.encord.rows import LabelRows


@dataclass(frozen=True)
class Body:
    """A label row's JSON.

    Attributes:
        row: Which.
        label_hash: Of the row.
        text: The JSON.
        already_there: Annotations in it that were there before.
        had_labels: Whether the row held any labels.
        objects_extended: Objects of the row that get more frames.
        labels_replaced: Labels of the row that get other content.
        numbers_taken: New objects whose track is the number of another object of the row.
    """

    row: Row
    label_hash: str
    text: Blocks
    already_there: int = 0
    had_labels: bool = False
    objects_extended: int = 0
    labels_replaced: int = 0
    numbers_taken: int = 0

    @property
    def len_bytes(self) -> int:
        """Length of its JSON."""
        return len_bytes(self.text)


# Stores some bodies with one request; gives its size in bytes.
Save = Callable[[list[Body]], int]


def save_noted(rows: LabelRows, ledger: Ledger) -> Save:
    """Give a function that saves bodies and tells the ledger."""

    def save(bodies: list[Body]) -> int:
        data_hashes = [body.row.data_hash for body in bodies]
        ledger.sending(body.row.record(SENDING, body.label_hash, had_labels=body.had_labels) for body in bodies)
        try:
            stored = rows.save([body.label_hash for body in bodies], [body.text for body in bodies])
        except TemporaryEncordError:
            ledger.unknown(data_hashes)
            raise
        ledger.saved(data_hashes, stored.server_time)
        return stored.len_bytes

    return save


def save_nothing(bodies: list[Body]) -> int:
    """Do as if bodies were saved, in a rehearsal."""
    return sum(body.len_bytes for body in bodies)


@dataclass
class Saving:
    """Gathers bodies and saves them; what becomes of them goes to `outcome`.

    Attributes:
        batch_bytes: Most bytes in one request, unless a single row has more.
        row_bytes: The largest row that is sent.
        save: Saves what has gathered.
        halving: Finds the row that a request is refused for.
        blame: Hears of that row.
        outcome: Of the batch that the bodies belong to.
    """

    batch_bytes: int
    row_bytes: int
    save: Save
    halving: Halving
    blame: Blame
    outcome: Outcome

    def __post_init__(self) -> None:
        self._bodies: list[Body] = []
        self._bytes = 0

    def add(self, body: Body) -> None:
        """Take a body; what has gathered is saved first where both are too much for one request."""
        n_bytes = body.len_bytes
        if n_bytes > self.row_bytes:
            self.blame.size(body.row, self.outcome, n_bytes, f"more than --max-row-bytes {self.row_bytes}")
            return
        if self._bodies and self._bytes + n_bytes > self.batch_bytes:
            self.flush()
        self._bodies.append(body)
        self._bytes += n_bytes

    def flush(self) -> None:
        """Save what has gathered, and count it."""
        bodies, self._bodies, self._bytes = self._bodies, [], 0
        if not bodies:
            return
        outcome = self.outcome
        for part, answer in self.halving.bisected(bodies, self.save):
            if isinstance(answer, EncordError):
                self.blame.server(part[0].row, outcome, answer)
                continue
            outcome.bytes_sent += answer
            outcome.rows_saved += len(part)
            for body in part:
                outcome.written += outcome.fitting(body.row) - body.already_there
                outcome.already_there += body.already_there
                outcome.objects_extended += body.objects_extended
                outcome.labels_replaced += body.labels_replaced
                outcome.numbers_taken += body.numbers_taken
