"""What earlier imports onto a branch tell of a new one: labels that tracks may have, and content that comes again.

A file that is renamed, or written to a new temporary folder each time, has another label each time, and its tracks
would become other objects beside those that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ropewalk.errors import BlockerError
from ropewalk.ledger.ledger import Ledger, find_headers
from ropewalk.ledger.records import ImportRecord
from ropewalk.options import spelt
from ropewalk.text import count, shown

if TYPE_CHECKING:
    from ropewalk.project.live import StandingRow

# Label, path, whether the label was given, digest of the content.
Document: TypeAlias = tuple[str, str, bool, str | None]


@dataclass(frozen=True)
class EarlierImports:
    """The imports onto a branch that the ledgers of a work folder know.

    Attributes:
        branch: The branch.
        found: Ledgers, and what they say of the import as a whole.
    """

    branch: str
    found: Sequence[tuple[Path, ImportRecord]]

    @classmethod
    def read(cls, work_dir: Path, endpoint: str, project_hash: str, branch: str) -> EarlierImports:
        """Read what the ledgers of a work folder say of imports onto a branch.

        Raises:
            LedgerError: One of them cannot be read.
        """
        found = [
            (path, header)
            for path, header in find_headers(work_dir, project_hash, branch)
            if header.endpoint == endpoint
        ]
        return cls(branch, found)

    def labels(self, documents: Iterable[Document]) -> list[str]:
        """List the labels that tracks were recognised by, those of some documents aside."""
        known = {label for _, header in self.found for label, _ in header.documents}
        return sorted(known - {label for label, *_ in documents})

    def check(self, documents: Iterable[Document], standing: Mapping[str, StandingRow]) -> None:
        """Refuse documents whose content is on the branch under another label, unless theirs was given.

        Args:
            documents: What is to be imported.
            standing: data_hash -> the rows on the branch.

        Raises:
            BlockerError: Names the first of them, and both labels.
        """
        again = [
            (label, path, other)
            for label, path, is_given, digest in documents
            if not is_given and digest is not None and (other := self._other_label(label, digest, standing)) is not None
        ]
        if not again:
            return
        label, path, other = again[0]
        more = f", and so for {count(len(again) - 1, 'other source')}" if len(again) > 1 else ""
        option = spelt("source_label")
        raise BlockerError(
            f"{shown(path)} is called {shown(repr(label))}, and its content is on the branch {self.branch} already, "
            f"imported as {shown(repr(other))}: its tracks would become other objects{more}; nothing was sent; give "
            f"{option} {shown(other)} to write the same objects, or {option} {shown(label)} if they are to be others"
        )

    def _other_label(self, label: str, digest: str, standing: Mapping[str, StandingRow]) -> str | None:
        """Find the label of the same content, unless it is on the branch under this one too."""
        written = [(path, other) for path, header in self.found for other, known in header.documents if known == digest]
        if any(other == label for _, other in written):
            return None
        return next((other for path, other in written if _is_there(path, standing)), None)


def _is_there(path: Path, standing: Mapping[str, StandingRow]) -> bool:
    """Tell whether a label row that an import wrote, or found as it would have written it, still exists."""
    ledger = Ledger.read(path)
    rows = {} if ledger is None else ledger.written()
    return any(hash_ in standing and standing[hash_].label_hash == label_hash for hash_, label_hash in rows.items())
