"""What a ledger holds: one record of the import as a whole, one of each label row, and the name that finds them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

_VERSION = 1
_NAME_CHARACTERS = 24

# States of a label row. An import that dies leaves `sending`, which is read as unknown.
SENDING = "sending"
SAVED = "saved"
STANDING = "standing"
FAILED = "failed"
UNKNOWN = "unknown"
EDITED = "edited"
UNDOING = "undoing"
UNDONE = "undone"

_STATES = frozenset({SENDING, SAVED, STANDING, FAILED, UNKNOWN, EDITED, UNDOING, UNDONE})


@dataclass(frozen=True)
class ImportName:
    """What makes two imports the same one; `contents` are the digests of the label rows, in order."""

    endpoint: str
    project_hash: str
    branch: str
    on_existing: str
    encoder: str
    contents: Sequence[str]

    def digest(self) -> str:
        """Give the name of the import's ledger: hex digits, the same on every machine."""
        where = [self.endpoint, self.project_hash, self.branch]
        parts = [_VERSION, where, self.on_existing, self.encoder, list(self.contents)]
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:_NAME_CHARACTERS]


@dataclass(frozen=True)
class RowRecord:
    """What is known of a label row.

    Attributes:
        state: One of the states above.
        data_hash: Of its medium.
        label_hash: Of the label row.
        digest: Of the content that was sent.
        annotations: Number of them in it.
        attempts: How often a save was begun.
        first_attempt: Which of them was the first since the row was last as this import had found it; 0 for none.
        had_labels: Whether the row held labels before that attempt.
        seen: Time up to which the server's last_edited_at is this import's own, None where that is not known.
        code: Why it failed, else None.
    """

    state: str
    data_hash: str
    label_hash: str
    digest: str
    annotations: int
    attempts: int = 0
    first_attempt: int = 0
    had_labels: bool = False
    seen: datetime | None = None
    code: str | None = None

    @property
    def is_touched(self) -> bool:
        """Whether this import wrote on the row, or may have, and that was not undone."""
        return self.attempts > 0 and self.state != UNDONE

    def to_json(self) -> dict[str, Any]:
        """Give the record as a line's content."""
        content = {name: value for name, value in self.__dict__.items() if value not in (None, False)}
        return content | ({"seen": self.seen.isoformat()} if self.seen else {})

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> RowRecord:
        """Read a line's content.

        Raises:
            ValueError: It is not what this version writes.
            TypeError: The same.
        """
        seen = content.get("seen")
        record = cls(**{**content, "seen": None if seen is None else datetime.fromisoformat(seen)})
        texts, numbers = (record.data_hash, record.label_hash, record.digest), (record.annotations, record.attempts)
        if (
            record.state not in _STATES
            or not all(isinstance(text, str) for text in texts)
            or not all(type(number) is int for number in numbers)
        ):
            raise ValueError("not a record of this version")
        return record


@dataclass(frozen=True)
class ImportRecord:
    """The first line of a ledger: the import as a whole.

    Attributes:
        endpoint: The server.
        project_hash: Of the project.
        project_title: Of the project.
        branch: Where it writes.
        on_existing: What it does with rows that hold other objects.
        sources: What it reads, by label.
        when: Its creation time, as label rows write it.
        label_rows: How many it writes.
        annotations: Number of annotations in them.
        documents: Label and content digest of each document that tracks are recognised by.
    """

    endpoint: str
    project_hash: str
    project_title: str
    branch: str
    on_existing: str
    sources: list[str]
    when: str
    label_rows: int
    annotations: int
    documents: list[tuple[str, str]] = field(default_factory=list)
