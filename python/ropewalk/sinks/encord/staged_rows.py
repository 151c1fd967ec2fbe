"""The label rows of a stage, as they are about to be sent: how large each is, and what to say of one too large."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ropewalk.ledger.records import RowRecord
from ropewalk.text import size

if TYPE_CHECKING:
    from ropewalk._core import Staged


@dataclass(frozen=True)
class Row:
    """A staged label row: its number, how much it holds, and the size and digest of what would be written."""

    index: int
    data_hash: str
    title: str
    annotations: int
    sized: bool
    has_answers: bool
    len_bytes: int
    digest: str

    def record(
        self, state: str, label_hash: str, *, had_labels: bool = False, seen: datetime | None = None
    ) -> RowRecord:
        """Make the ledger's record of it."""
        return RowRecord(
            state, self.data_hash, label_hash, self.digest, self.annotations, had_labels=had_labels, seen=seen
        )


def staged_rows(staged: Staged, threads: int) -> list[Row]:
    """Measure the label rows of a stage."""
    infos = map(staged.label_row, range(len(staged)))
    return [
        Row(
            index=index,
            data_hash=info["data_hash"],
            title=info["title"],
            annotations=info["annotations"],
            sized=info["sized"],
            has_answers=info["has_answers"],
            len_bytes=len_bytes,
            digest=digest,
        )
        for index, (info, (len_bytes, digest)) in enumerate(zip(infos, staged.measure(threads), strict=True))
    ]


def too_large(staged: Staged, row: Row, len_bytes: int, reason: str) -> str:
    """Reject a label row for its size: one line for the whole row, which says what would make it fit."""
    message = (
        f"the label row has {size(len_bytes)} and {row.annotations} annotations, {reason}; "
        "--min-confidence, --max-per-frame, --every and --decimals make rows smaller"
    )
    return staged.refuse_row(row.index, "row_too_large", message, len_bytes)
