"""The ledger of one import: per label row what was sent, how it went, and what stood there before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ropewalk.errors import LedgerError
from ropewalk.ledger.lines import CheckedLines
from ropewalk.ledger.records import (
    EDITED,
    FAILED,
    SAVED,
    SENDING,
    STANDING,
    UNDOING,
    UNDONE,
    UNKNOWN,
    ImportRecord,
    RowRecord,
)
from ropewalk.text import shown

# Folder of the ledgers inside the work folder.
LEDGERS = "ledgers"
SUFFIX = ".ledger"
BEFORE_SUFFIX = ".before"
_BRANCH_CHARACTERS = 100

# Servers make the Date of their answers anew once a second: it may be so late.
_CLOCK_LAG = timedelta(seconds=1)

Reached = Callable[[str], None]


def _nothing(_: str) -> None:
    """What is called at the named points of a ledger's life, unless a test wants to know of them."""


@dataclass
class Ledger:
    """The ledger of one import, its lines read. Safe to use from several threads.

    What it says is a memory of what the server did, never more than that: a line that is lost or damaged costs
    comparing a row again. `reached` is called with the name of each point of the ledger's life, for tests.
    """

    path: Path
    header: ImportRecord
    records: dict[str, RowRecord]
    damaged: int
    reached: Reached = _nothing
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lines: CheckedLines = field(init=False)
    _before: CheckedLines = field(init=False)

    @property
    def name(self) -> str:
        """The import's name, as in the name of its file."""
        return _name(self.path)

    def __post_init__(self) -> None:
        self._lines = _lines(self.path)
        self._before = _lines(self.path.with_suffix(BEFORE_SUFFIX))

    @classmethod
    def open(cls, folder: Path, name: str, header: ImportRecord) -> Ledger:
        """Open the ledger of an import, or begin it.

        Args:
            folder: Where ledgers are; it is made.
            name: `ImportName.digest`.
            header: Written where the ledger has none; else the ledger's own counts.

        Raises:
            LedgerError: The folder or the file cannot be read or written.
        """
        path = folder / f"{header.branch[:_BRANCH_CHARACTERS]}-{name}{SUFFIX}"
        with _failures(path):
            folder.mkdir(parents=True, exist_ok=True)
            found, records, damaged = _read(path)
            ledger = cls(path, found or header, records, damaged)
            if found is None:
                ledger.reached("begin")
                ledger._lines.append([{"import": header.__dict__}])
                ledger.reached("begun")
        return ledger

    @classmethod
    def read(cls, path: Path) -> Ledger | None:
        """Read a ledger whose import is not at hand.

        Returns:
            The ledger, or None where the line about the import as a whole is missing.

        Raises:
            LedgerError: The file cannot be read.
        """
        with _failures(path):
            header, records, damaged = _read(path)
        return None if header is None else cls(path, header, records, damaged)

    def is_done(self, data_hash: str, digest: str, label_hash: str | None, last_edited_at: datetime | None) -> bool:
        """Tell whether a label row stands as this import left it, as far as the ledger and a listing can tell.

        Args:
            data_hash: Of its medium.
            digest: Of the content that the import would write.
            label_hash: As the listing has it, None where there is no row.
            last_edited_at: As the listing has it.
        """
        record = self.records.get(data_hash)
        return (
            record is not None
            and record.state in (SAVED, STANDING)
            and record.digest == digest
            and record.label_hash == label_hash
            and last_edited_at is not None
            and record.seen is not None
            and last_edited_at <= record.seen
        )

    def was_saved(self, data_hash: str, digest: str) -> bool:
        """Tell whether this import stored a label row at some time with the content it would write now."""
        record = self.records.get(data_hash)
        return record is not None and record.state == SAVED and record.digest == digest

    def keep_before(self, data_hash: str, label_hash: str, labels: Mapping[str, Any]) -> None:
        """Keep what stands on a label row, before this import writes on it for the first time.

        Args:
            data_hash: Of its medium.
            label_hash: Of the row.
            labels: As `labels_of` gives them.
        """
        with self._lock, _failures(self._before.path):
            self.reached("before_keep")
            content = {
                "data_hash": data_hash,
                "label_hash": label_hash,
                "attempt": self._attempts(data_hash, label_hash),
            }
            self._before.append([content | {"labels": labels}])
            self.reached("before_kept")

    def sending(self, rows: Iterable[RowRecord]) -> None:
        """Note that a save of label rows is about to be sent; what earlier attempts noted is carried on."""

        def noted(row: RowRecord) -> RowRecord:
            attempt = self._attempts(row.data_hash, row.label_hash) + 1
            first, had_labels = attempt, row.had_labels
            if self.touched(row.data_hash, row.label_hash):
                old = self.records[row.data_hash]
                first, had_labels = old.first_attempt, old.had_labels
            return replace(row, state=SENDING, attempts=attempt, first_attempt=first, had_labels=had_labels)

        self._note("sending", [noted(row) for row in rows])

    def touched(self, data_hash: str, label_hash: str) -> bool:
        """Tell whether this import has begun to write on a label row before, and that was not undone."""
        record = self.records.get(data_hash)
        return record is not None and record.label_hash == label_hash and record.is_touched

    def _attempts(self, data_hash: str, label_hash: str) -> int:
        record = self.records.get(data_hash)
        return record.attempts if record is not None and record.label_hash == label_hash else 0

    def saved(self, data_hashes: Iterable[str], server_time: datetime | None) -> None:
        """Note that the server acknowledged a save.

        Args:
            data_hashes: Of the rows in it.
            server_time: The server's clock when it answered, None where it did not say.
        """
        seen = None if server_time is None else server_time + _CLOCK_LAG
        self._settle("saved", data_hashes, SAVED, seen=seen, code=None)

    def standing(self, row: RowRecord) -> None:
        """Note that a label row was found to hold what this import would write; `row` says as of when."""
        old = self.records.get(row.data_hash)
        if old is not None and old.label_hash == row.label_hash and old.attempts:
            # Written by this import after all: its answer was lost, or the line about it.
            row = replace(
                row,
                state=SAVED,
                attempts=old.attempts,
                first_attempt=old.first_attempt,
                had_labels=old.had_labels,
            )
        self._note("standing", [row])

    def listed(self, seen: Mapping[str, datetime]) -> None:
        """Note last_edited_at of saved rows (data_hash -> time), as one listing after the last save tells it."""
        self._note("listed", [replace(self.records[data_hash], seen=time) for data_hash, time in seen.items()])

    def failed(self, row: RowRecord, code: str) -> None:
        """Note that a label row was not written, and why; where no answer arrived, that is not known."""
        old = self.records.get(row.data_hash, row)
        state = UNKNOWN if old.state == UNKNOWN else FAILED
        self._note("failed", [replace(old, state=state, code=code)])

    def unknown(self, data_hashes: Iterable[str]) -> None:
        """Note that no usable answer arrived for label rows that were being sent."""
        self._settle("unknown", data_hashes, UNKNOWN)

    def edited(self, data_hashes: Iterable[str]) -> None:
        """Note that someone else edited label rows after this import saved them."""
        self._settle("edited", data_hashes, EDITED)

    def undoing(self, data_hashes: Iterable[str]) -> None:
        """Note that label rows are about to get back what they held before this import."""
        self._settle("undoing", data_hashes, UNDOING)

    def undone(self, data_hashes: Iterable[str]) -> None:
        """Note that label rows hold again what they held before this import."""
        self._settle("undone", data_hashes, UNDONE)

    def before(self, wanted: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Read what stood on label rows before this import, one at a time in memory.

        Args:
            wanted: data_hashes.

        Yields:
            data_hash and labels of those that were kept whole, each once: as they were kept last. What was kept before
            an earlier import of the same, undone since, is not given in its place.
        """

        def counts(content: dict[str, Any]) -> bool:
            record = self.records.get(content.get("data_hash", ""))
            return (
                record is not None
                and isinstance(content.get("labels"), dict)
                and content.get("label_hash") == record.label_hash
                and content.get("attempt") == record.first_attempt - 1
            )

        with _failures(self._before.path):
            last = {
                content["data_hash"]: n
                for n, content in enumerate(self._before.read())
                if content is not None and counts(content)
            }
            for n, content in enumerate(self._before.read()):
                if content is not None and content.get("data_hash") in wanted and last.get(content["data_hash"]) == n:
                    yield content["data_hash"], content["labels"]

    def written(self) -> dict[str, str]:
        """List the label rows (data_hash -> label_hash) that hold what this import wrote, or would have written."""
        return {
            data_hash: record.label_hash
            for data_hash, record in self.records.items()
            if record.is_touched or record.state == STANDING
        }

    @property
    def unrecorded(self) -> int:
        """Number of label rows of the import without a line: not begun yet, or the lines are lost."""
        return max(0, self.header.label_rows - len(self.records))

    def counts(self) -> dict[str, int]:
        """Count label rows by state; what has begun and was not ended counts as unknown."""
        counts: dict[str, int] = {}
        for record in self.records.values():
            state = UNKNOWN if record.state in (SENDING, UNDOING) else record.state
            counts[state] = counts.get(state, 0) + 1
        return counts

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._lines.close()
            self._before.close()

    def _settle(self, point: str, data_hashes: Iterable[str], state: str, **changed: Any) -> None:
        self._note(point, [replace(self.records[data_hash], state=state, **changed) for data_hash in data_hashes])

    def _note(self, point: str, rows: Sequence[RowRecord]) -> None:
        if not rows:
            return
        with self._lock, _failures(self.path):
            self.reached(f"{point}_note")
            self._lines.append([row.to_json() for row in rows])
            self.records.update((row.data_hash, row) for row in rows)
            self.reached(f"{point}_noted")


def find_ledgers(work_dir: Path, project_hash: str | None = None, branch: str | None = None) -> list[Ledger]:
    """Read the ledgers of a work folder, oldest first.

    Args:
        work_dir: The work folder.
        project_hash: Only those of this project.
        branch: Only those of this branch.

    Raises:
        LedgerError: One of them cannot be read.
    """
    paths = sorted((work_dir / LEDGERS).glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    ledgers = [ledger for path in paths if (ledger := Ledger.read(path)) is not None]
    return [
        ledger
        for ledger in ledgers
        if project_hash in (None, ledger.header.project_hash) and branch in (None, ledger.header.branch)
    ]


def find_headers(work_dir: Path, project_hash: str, branch: str) -> Iterator[tuple[Path, ImportRecord]]:
    """Read what the ledgers of a work folder say of the imports onto a branch as a whole.

    Yields:
        The ledger's file, and its first line. A ledger whose first line is damaged is left out.

    Raises:
        LedgerError: One of them cannot be read.
    """
    for path in sorted((work_dir / LEDGERS).glob(f"*{SUFFIX}")):
        with _failures(path):
            first = next(_lines(path).read(), None)
        header = _header_of(first) if first is not None else None
        if header is not None and (header.project_hash, header.branch) == (project_hash, branch):
            yield path, header


def _header_of(content: dict[str, Any]) -> ImportRecord | None:
    try:
        return ImportRecord(**content["import"])
    except (KeyError, TypeError):
        return None


def _read(path: Path) -> tuple[ImportRecord | None, dict[str, RowRecord], int]:
    header: ImportRecord | None = None
    records: dict[str, RowRecord] = {}
    damaged = 0
    for content in _lines(path).read():
        try:
            if content is None:
                damaged += 1
            elif "import" in content:
                header = ImportRecord(**content["import"])
            else:
                record = RowRecord.from_json(content)
                records[record.data_hash] = record
        except (TypeError, ValueError):
            # Whole, but of another version.
            damaged += 1
    return header, records, damaged


def _lines(path: Path) -> CheckedLines:
    return CheckedLines(path, _name(path))


def _name(path: Path) -> str:
    return path.stem.rpartition("-")[2]


class _failures:  # noqa: N801 - used as a context manager only
    """Turns failures of the file system into one that says which file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, LedgerError):
            raise LedgerError(f"{shown(str(self._path))}: {error.strerror or error}") from None
