"""Files that are read, and files that are written: whole or not at all, and never over one that is read."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from ropewalk.errors import FileError, RopewalkError, UsageError
from ropewalk.options import spelt
from ropewalk.text import shown

STDIN = STDOUT = Path("-")

WORK_DIR = Path(".ropewalk")


def is_stream(path: Path) -> bool:
    """Tell whether a path is a stream that somebody else reads or writes: `-`, a pipe, a device."""
    return path == STDOUT or (path.exists() and not path.is_file() and not path.is_dir())


def content_of(path: Path) -> bytes:
    """Read a file.

    Raises:
        FileError: It cannot be read.
    """
    with named(path, "read"):
        return path.read_bytes()


def make_folder(path: Path) -> None:
    """Make a folder, with those that it is in; it may exist.

    Raises:
        FileError: It cannot be made.
    """
    with named(path, "made"):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def opened_stream(path: Path) -> Iterator[IO[bytes]]:
    """Open a stream for writing; stdout is left open.

    Raises:
        FileError: It cannot be written.
    """
    with named(path), nullcontext(sys.stdout.buffer) if path == STDOUT else path.open("wb") as out:
        yield out
        out.flush()


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path, whose content becomes that of `path` when the context ends without an exception.

    A file is replaced at once, and a link to it stays a link. A stream is written to.

    Raises:
        FileError: The folder does not exist, or something cannot be written.
    """
    if is_stream(path):
        with named(path), tempfile.TemporaryDirectory(prefix="ropewalk-") as folder:
            temporary = Path(folder, "content")
            temporary.touch()
            yield temporary
            with temporary.open("rb") as content, opened_stream(path) as out:
                shutil.copyfileobj(content, out)
        return
    with named(path):
        target = path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            # mkstemp makes a file that only its owner reads; a result is to be like any other file.
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@dataclass(frozen=True)
class FilesRead:
    """The files that must not be written over, by any of their names: `path in files_read(...)`."""

    files: frozenset[Path]
    folders: frozenset[Path]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> FilesRead:
        """Take files, and folders with all that is in them."""
        resolved = {path.resolve() for path in paths}
        folders = frozenset(path for path in resolved if path.is_dir())
        return cls(frozenset(resolved - folders), folders)

    def __contains__(self, path: Path) -> bool:
        if is_stream(path):
            return False
        path = path.resolve()
        if path in self.files or (path.is_file() and not self.folders.isdisjoint(path.parents)):
            return True
        return path.is_file() and self._has_as_link(path.stat())

    def _has_as_link(self, found: os.stat_result) -> bool:
        # A hard link is the same file under another name. Folders are only searched where there is one.
        if found.st_nlink < 2:
            return False
        members = (member for folder in self.folders for member in folder.rglob("*"))
        return any(os.path.samestat(found, file.stat()) for file in chain(self.files, members) if file.is_file())

    def refuse(self, option: str, path: Path | None) -> None:
        """Refuse to write to a file that is read.

        Raises:
            UsageError: `path` is one; the message names `option`.
        """
        if path is not None and path in self:
            raise UsageError(f"{spelt(option)} {shown(str(path))} is a file that is read; give another one")


def refuse_same(**given: Path | None) -> None:
    """Refuse two outputs of a command that are one file.

    Args:
        **given: Where each option writes to.

    Raises:
        UsageError: Two of them are the same.
    """
    names: dict[Path, str] = {}
    for option, path in given.items():
        if path is None:
            continue
        other = names.setdefault(path if is_stream(path) else path.resolve(), option)
        if other != option:
            raise UsageError(f"{spelt(other)} and {spelt(option)} are both {shown(str(path))}; give each its own file")


@contextmanager
def named(path: Path, done: str = "written") -> Iterator[None]:
    """Say which file was to be written, or what else was to be done with it, when that fails.

    Raises:
        FileError: In place of an `OSError`.
    """
    try:
        yield
    except RopewalkError:
        raise
    except OSError as e:
        raise FileError(f"{shown(str(path))}: cannot be {done}: {e.strerror or e}") from e
