"""The emulator's state: label rows in SQLite, each as JSON text beside the header fields that listings need."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ropewalk.emulator.rows import RowHeader, empty_label_row, with_server_header
from ropewalk.errors import SnapshotError
from ropewalk.project.snapshot import Medium, Snapshot

_SCHEMA = """
CREATE TABLE IF NOT EXISTS project (project_hash TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS label_rows (
    label_hash TEXT PRIMARY KEY,
    data_hash TEXT NOT NULL,
    branch_name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_edited_at TEXT NOT NULL,
    saves INTEGER NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (data_hash, branch_name)
);
CREATE TABLE IF NOT EXISTS active (started TEXT NOT NULL, project_mode TEXT, video_sampling_rate REAL);
CREATE TABLE IF NOT EXISTS priorities (data_hash TEXT PRIMARY KEY, priority REAL NOT NULL);
CREATE INDEX IF NOT EXISTS label_rows_by_branch ON label_rows (branch_name);
"""
_HEADER = "label_hash, data_hash, branch_name, created_at, last_edited_at, saves"


class RowExists(Exception):
    """A label row of this data_hash and branch stands there already."""


class RowMissing(Exception):
    """No label row has this label_hash, or no medium this data_hash."""


class RowNotJson(Exception):
    """A label row holds a number that JSON cannot carry."""


@dataclass(frozen=True)
class ActiveStart:
    """Something that was started in Active: `sync` or `import`; an import's mode, and its frames a second of videos."""

    started: str
    project_mode: str | None = None
    video_sampling_rate: float | None = None


def _utc_now() -> datetime:
    # Encord's own texts carry whole seconds; keeping more would let a row be newer than what its listing says.
    return datetime.now(timezone.utc).replace(microsecond=0)


def _make_private(db: Path) -> None:
    """Make a database file that only its owner reads, where there is none; SQLite gives its other files the same mode.

    Raises:
        SnapshotError: It cannot be made, or what is there is not a file.
    """
    try:
        os.close(os.open(db, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not db.is_file():
            raise SnapshotError(f"{db}: is not a file, and cannot hold the emulator's rows; use a file") from None
    except OSError as e:
        raise SnapshotError(f"{db}: cannot hold the emulator's rows ({e.strerror}); use another file") from e


class Store:
    """The label rows of one project; every method may be called from any thread.

    Args:
        snapshot: The project. Its media stay in memory; its label rows are added where the database has none.
        db: The database file, made if it is missing; None for a temporary one that goes with the store.
        clock: Gives the time that created and saved rows are stamped with.

    Raises:
        SnapshotError: The database belongs to another project, is none, or cannot be opened.
    """

    def __init__(self, snapshot: Snapshot, db: Path | None = None, clock: Callable[[], datetime] = _utc_now) -> None:
        self.snapshot = snapshot
        self.media: dict[str, Medium] = {medium.data_hash: medium for medium in snapshot.media}
        self._clock = clock
        self._lock = threading.RLock()
        with ExitStack() as on_failure:
            try:
                if db is not None:
                    _make_private(db)
                # SQLite's nameless database is private and spills to disk, so that large imports need no memory.
                self._connection = sqlite3.connect(db or "", check_same_thread=False, isolation_level=None)
                on_failure.callback(self._connection.close)
                self.created_at = self._open()
            except sqlite3.DatabaseError as e:
                raise SnapshotError(f"{db}: cannot hold the emulator's rows ({e}); use another file") from e
            on_failure.pop_all()

    def _open(self) -> datetime:
        self._connection.executescript(_SCHEMA)
        now = self._clock()
        with self._transaction() as sql:
            known = sql.execute("SELECT project_hash, created_at FROM project").fetchone()
            if known is None:
                known = (self.snapshot.project_hash, now.isoformat())
                sql.execute("INSERT INTO project VALUES (?, ?)", known)
            if known[0] != self.snapshot.project_hash:
                raise SnapshotError(
                    f"the database holds project {known[0]}, the snapshot is of project {self.snapshot.project_hash}; "
                    "use another database file"
                )
            for row in self.snapshot.label_rows:
                header = RowHeader(row["label_hash"], row["data_hash"], row["branch_name"], now, now, 0)
                content = with_server_header(row, header, self.media[header.data_hash])
                self._insert(sql, header, content, "OR IGNORE")
        return datetime.fromisoformat(known[1])

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def branches(self) -> list[str]:
        """List the names of all branches, `main` first."""
        with self._lock:
            names = self._connection.execute("SELECT DISTINCT branch_name FROM label_rows ORDER BY 1").fetchall()
        return ["main", *(name for (name,) in names if name != "main")]

    def headers(self, branch_name: str | None = None) -> list[RowHeader]:
        """List the headers of all label rows, or of one branch."""
        query = f"SELECT {_HEADER} FROM label_rows"
        with self._lock:
            if branch_name is None:
                found = self._connection.execute(f"{query} ORDER BY branch_name").fetchall()
            else:
                found = self._connection.execute(f"{query} WHERE branch_name = ?", (branch_name,)).fetchall()
        return [_header(row) for row in found]

    def header(self, label_hash: str) -> RowHeader:
        """Look up one label row's header.

        Raises:
            RowMissing: No label row has this label_hash.
        """
        with self._lock:
            found = self._connection.execute(
                f"SELECT {_HEADER} FROM label_rows WHERE label_hash = ?", (label_hash,)
            ).fetchone()
        if found is None:
            raise RowMissing(f"no label row has the label_hash {label_hash}")
        return _header(found)

    def contents(self, label_hashes: Iterable[str]) -> list[str]:
        """Read label rows as JSON texts, in the order asked for.

        Raises:
            RowMissing: No label row has one of these label hashes.
        """
        texts = []
        with self._lock:
            for label_hash in label_hashes:
                found = self._connection.execute(
                    "SELECT content FROM label_rows WHERE label_hash = ?", (label_hash,)
                ).fetchone()
                if found is None:
                    raise RowMissing(f"no label row has the label_hash {label_hash}")
                texts.append(found[0])
        return texts

    def create(self, data_hashes: Iterable[str], branch_name: str) -> list[str]:
        """Create empty label rows on a branch, all or none.

        Returns:
            The label hashes, in the order of `data_hashes`.

        Raises:
            RowExists: One of them stands there already.
            RowMissing: No medium has one of these data hashes.
        """
        now = self._clock()
        created = []
        with self._transaction() as sql:
            for data_hash in data_hashes:
                medium = self.media.get(data_hash)
                if medium is None:
                    raise RowMissing(f"no data row of the project has the data_hash {data_hash}")
                header = RowHeader(str(uuid.uuid4()), data_hash, branch_name, now, now, 0)
                try:
                    self._insert(sql, header, empty_label_row(medium, header))
                except sqlite3.IntegrityError as e:
                    raise RowExists(f"data_hash {data_hash} has a label row on branch {branch_name} already") from e
                created.append(header.label_hash)
        return created

    def save(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Overwrite label rows, all or none.

        Args:
            rows: Pairs of label_hash and content in Encord's form. Header fields are the server's own.

        Raises:
            RowMissing: No label row has one of these label hashes.
            RowNotJson: One of them holds NaN or Infinity.
        """
        prepared = []
        now = self._clock()
        for label_hash, content in rows:
            old = self.header(label_hash)
            new = RowHeader(label_hash, old.data_hash, old.branch_name, old.created_at, now, 0)
            try:
                text = json.dumps(with_server_header(content, new, self.media[old.data_hash]), allow_nan=False)
            except ValueError as e:
                raise RowNotJson(f"label row {label_hash}: NaN and Infinity are not JSON") from e
            prepared.append((now.isoformat(), text, label_hash))
        with self._transaction() as sql:
            sql.executemany(
                "UPDATE label_rows SET last_edited_at = ?, content = ?, saves = saves + 1 WHERE label_hash = ?",
                prepared,
            )

    def copy(self, label_hashes: Iterable[str], target: str, *, overwrite: bool) -> int:
        """Copy label rows onto another branch, all or none.

        Args:
            label_hashes: Which.
            target: The branch.
            overwrite: Whether label rows of the target are overwritten; else media that have one are passed over.

        Returns:
            Label rows that were made or overwritten.

        Raises:
            RowMissing: No label row has one of these label hashes.
        """
        now = self._clock()
        copied = 0
        with self._transaction() as sql:
            standing = {header.data_hash: header for header in self.headers(target)}
            for label_hash in label_hashes:
                source, (text,) = self.header(label_hash), self.contents([label_hash])
                there = standing.get(source.data_hash)
                if there is not None and not overwrite:
                    continue
                copied += 1
                medium = self.media[source.data_hash]
                if there is None:
                    header = RowHeader(str(uuid.uuid4()), source.data_hash, target, now, now, 0)
                    self._insert(sql, header, with_server_header(json.loads(text), header, medium))
                    continue
                header = RowHeader(there.label_hash, source.data_hash, target, there.created_at, now, 0)
                content = json.dumps(with_server_header(json.loads(text), header, medium))
                sql.execute(
                    "UPDATE label_rows SET last_edited_at = ?, content = ?, saves = saves + 1 WHERE label_hash = ?",
                    (now.isoformat(), content, header.label_hash),
                )
        return copied

    def prioritize(self, priorities: Iterable[tuple[str, float]]) -> None:
        """Set priorities of tasks by data_hash, all or none.

        Raises:
            RowMissing: No medium has one of these data hashes.
        """
        with self._transaction() as sql:
            for data_hash, priority in priorities:
                if data_hash not in self.media:
                    raise RowMissing(f"no data row of the project has the data_hash {data_hash}")
                sql.execute("INSERT OR REPLACE INTO priorities VALUES (?, ?)", (data_hash, priority))

    def priorities(self) -> dict[str, float]:
        """List the priorities that were set: data_hash -> priority."""
        with self._lock:
            return dict(self._connection.execute("SELECT data_hash, priority FROM priorities").fetchall())

    def start_in_active(self, start: ActiveStart) -> None:
        """Note what is started in Active."""
        with self._transaction() as sql:
            sql.execute("INSERT INTO active VALUES (?, ?, ?)", astuple(start))

    def started_in_active(self) -> list[ActiveStart]:
        """List what was started in Active, in order."""
        with self._lock:
            found = self._connection.execute("SELECT * FROM active ORDER BY rowid").fetchall()
        return [ActiveStart(*row) for row in found]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @staticmethod
    def _insert(sql: sqlite3.Connection, header: RowHeader, content: dict[str, Any], conflict: str = "") -> None:
        sql.execute(
            f"INSERT {conflict} INTO label_rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                header.label_hash,
                header.data_hash,
                header.branch_name,
                header.created_at.isoformat(),
                header.last_edited_at.isoformat(),
                header.saves,
                json.dumps(content, allow_nan=False),
            ),
        )


def _header(row: tuple[str, str, str, str, str, int]) -> RowHeader:
    label_hash, data_hash, branch_name, created_at, last_edited_at, saves = row
    return RowHeader(
        label_hash,
        data_hash,
        branch_name,
        datetime.fromisoformat(created_at),
        datetime.fromisoformat(last_edited_at),
        saves,
    )
