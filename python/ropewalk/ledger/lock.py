"""One importer at a time on a branch, by a lock that the operating system drops when its process dies."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ropewalk.errors import LedgerError, LockedError
from ropewalk.text import shown


class Turn:
    """A branch that is locked, and whose turn it was last: rows of another import may be as young as our own."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def was_last(self, name: str) -> bool:
        """Tell whether the last one to take the branch was the import of this name."""
        try:
            return self._file.read_text("ascii") == name
        except (OSError, ValueError):
            return False

    def take(self, name: str) -> None:
        """Note that the import of this name is about to write on the branch.

        Raises:
            LedgerError: The disk is full or cannot be written.
        """
        try:
            self._file.write_text(name, "ascii")
        except OSError as e:
            raise LedgerError(f"{shown(str(self._file))}: {e.strerror or e}") from None


@contextmanager
def branch_lock(endpoint: str, project_hash: str, branch: str) -> Iterator[Turn]:
    """Hold the lock of a branch for as long as the context lasts.

    The lock is one of this user on this machine, whatever the work folder: another machine is not kept away, it shows
    by the rows' last_edited_at.

    Raises:
        LockedError: Another process of this user has it.
    """
    name = hashlib.sha256("\n".join((endpoint, project_hash, branch)).encode()).hexdigest()[:32]
    folder = _folder()
    try:
        with FileLock(folder / f"{name}.lock", timeout=0):
            yield Turn(folder / f"{name}.last")
    except Timeout:
        raise LockedError(
            f"another import is writing on the branch {shown(branch)} of this project on this machine; "
            "wait for its end (`ropewalk status` tells how far it is), or stop it"
        ) from None


def is_locked(endpoint: str, project_hash: str, branch: str) -> bool:
    """Tell whether an importer of this user is at work on a branch."""
    try:
        with branch_lock(endpoint, project_hash, branch):
            return False
    except LockedError:
        return True


def _folder() -> Path:
    for base in (Path.home() / ".ropewalk", Path(tempfile.gettempdir(), f"ropewalk-{_user()}")):
        folder = base / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise LockedError(
        "no folder for locks can be written, neither in the home nor the temporary one; make one writable"
    )


def _user() -> str:
    try:
        return str(os.getuid())
    except AttributeError:
        return os.environ.get("USERNAME", "user")
