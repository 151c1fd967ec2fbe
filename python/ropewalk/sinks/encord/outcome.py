"""What became of label rows: counted where they were written, blamed where they were not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ropewalk.errors import EncordError, TemporaryEncordError
from ropewalk.ledger.records import FAILED
from ropewalk.report import SharedTrack
from ropewalk.sinks.encord.answers import TOO_LARGE
from ropewalk.sinks.encord.staged_rows import Row, too_large
from ropewalk.text import without_secrets

if TYPE_CHECKING:
    from ropewalk._core import Staged
    from ropewalk.ledger.ledger import Ledger
    from ropewalk.project.live import StandingRow


@dataclass
class Outcome:
    """What became of some label rows; annotations = written + already_there + skipped + those of rejects.

    `done` is how many annotations that settles; of rows that are created empty, how many rows.
    `rejects` holds, by label row, the reject file's lines: annotations that do not fit it, or all where it failed;
    `unfit` the places in the row of those that do not fit it.
    `rows_not_created` says why, by data_hash, where an empty row was refused. `edited` has the titles of rows that
    someone else edited after this import had saved them, `left_out` the numbers of rows that failed or were skipped.
    `shared_tracks` are those whose id the row has from another source. `unanswered` is why the first of those that are
    blamed for it (`no_answer`) got no answer.
    """

    written: int = 0
    already_there: int = 0
    skipped: int = 0
    rows_saved: int = 0
    rows_already_there: int = 0
    rows_skipped: int = 0
    rows_created_empty: int = 0
    bytes_sent: int = 0
    done: int = 0
    rows_failed: int = 0
    rows_not_created: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    rejects: dict[int, list[str]] = field(default_factory=dict)
    unfit: dict[int, list[int]] = field(default_factory=dict)
    left_out: list[int] = field(default_factory=list)
    unanswered: EncordError | None = None
    objects_extended: int = 0
    labels_replaced: int = 0
    numbers_taken: int = 0
    shared_tracks: list[SharedTrack] = field(default_factory=list)

    def fitting(self, row: Row) -> int:
        """Count the annotations of a row that are not set aside."""
        return row.annotations - len(self.rejects.get(row.index, ()))


@dataclass(frozen=True)
class Blame:
    """Notes why a label row was not written: in the outcome, as lines of the reject file, and in the ledger."""

    staged: Staged
    standing: Mapping[str, StandingRow]
    ledger: Ledger | None

    def server(self, row: Row, outcome: Outcome, error: EncordError) -> None:
        """Note what the server answered to a call for this row alone."""
        if error.status == TOO_LARGE:
            self.size(row, outcome, row.len_bytes, "more than the server takes")
        elif isinstance(error, TemporaryEncordError):
            outcome.unanswered = outcome.unanswered or error
            self.row(row, outcome, "no_answer", f"{error}; run the import again to find out what the branch holds")
        else:
            self.row(row, outcome, "server_refused", str(error))

    def size(self, row: Row, outcome: Outcome, len_bytes: int, reason: str) -> None:
        """Note that a row is too large."""
        self._count(row, outcome, "row_too_large")
        outcome.rejects[row.index] = [too_large(self.staged, row, len_bytes, reason)]

    def row(self, row: Row, outcome: Outcome, code: str, message: str) -> None:
        """Note anything else; each of the row's annotations goes to the reject file."""
        self._count(row, outcome, code)
        outcome.rejects[row.index] = self.staged.refuse(row.index, code, without_secrets(message))

    def _count(self, row: Row, outcome: Outcome, code: str) -> None:
        outcome.rows_failed += 1
        outcome.left_out.append(row.index)
        if self.ledger is not None:
            stands = self.standing.get(row.data_hash)
            self.ledger.failed(row.record(FAILED, stands.label_hash if stands else ""), code)
