"""`status`: where the imports of a work folder stand, as their ledgers tell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ropewalk.files import WORK_DIR
from ropewalk.ledger.ledger import find_ledgers
from ropewalk.ledger.lock import is_locked
from ropewalk.ledger.records import EDITED, FAILED, SAVED, STANDING, UNDONE, UNKNOWN


@dataclass(frozen=True)
class ImportStatus:
    """Where an import stands; label_rows = stored + failed + unknown + edited + undone + left.

    Attributes:
        ledger: Name of its ledger.
        project_hash: Where it writes.
        project_title: The project's title.
        branch: Where it writes.
        sources: Labels of its sources.
        created: Its creation time, ISO 8601, UTC.
        changed: When the ledger was last written, ISO 8601, UTC.
        running: Whether an importer of this user on this machine holds the branch now.
        label_rows: Label rows to be written.
        annotations: Annotations in them.
        stored: Rows acknowledged by the server, or found to be there as they should be.
        annotations_stored: Annotations in those.
        failed: Rows that are in the reject file.
        unknown: Rows that were sent, and not acknowledged; the next run settles them.
        edited: Rows that someone edited after they were stored.
        undone: Rows rolled back.
        left: Rows that were not sent yet.
        damaged: Lines of the ledger that cannot be read.
    """

    ledger: str
    project_hash: str
    project_title: str
    branch: str
    sources: list[str]
    created: str
    changed: str
    running: bool
    label_rows: int
    annotations: int
    stored: int
    annotations_stored: int
    failed: int
    unknown: int
    edited: int
    undone: int
    left: int
    damaged: int

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return asdict(self)


def status(work_dir: str | os.PathLike[str] = WORK_DIR, branch: str | None = None) -> Iterator[ImportStatus]:
    """Tell where the imports of a work folder stand, without asking the server.

    Args:
        work_dir: The work folder.
        branch: Only imports onto this branch.

    Yields:
        Imports, the one that was at work last at the end.

    Raises:
        LedgerError: A ledger cannot be read.
    """
    for ledger in find_ledgers(Path(work_dir), branch=branch):
        header, states = ledger.header, ledger.counts()
        stored = [record for record in ledger.records.values() if record.state in (SAVED, STANDING)]
        yield ImportStatus(
            ledger=ledger.name,
            project_hash=header.project_hash,
            project_title=header.project_title,
            branch=header.branch,
            sources=header.sources,
            created=parsedate_to_datetime(header.when).isoformat(timespec="seconds"),
            changed=datetime.fromtimestamp(ledger.path.stat().st_mtime, timezone.utc).isoformat(timespec="seconds"),
            running=is_locked(header.endpoint, header.project_hash, header.branch),
            label_rows=header.label_rows,
            annotations=header.annotations,
            stored=len(stored),
            annotations_stored=sum(record.annotations for record in stored),
            failed=states.get(FAILED, 0),
            unknown=states.get(UNKNOWN, 0),
            edited=states.get(EDITED, 0),
            undone=states.get(UNDONE, 0),
            left=ledger.unrecorded,
            damaged=ledger.damaged,
        )
