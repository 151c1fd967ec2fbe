"""Folders for what a job keeps on disk while it runs: sorted runs, and copies of what can be read once."""

from __future__ import annotations

import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from ropewalk.files import STDIN, make_folder, named

_STAGE = "stage"
_IN_USE = "in-use.lock"
_COPY_BYTES = 1 << 20


@contextmanager
def stage_folder(work_dir: Path) -> Iterator[Path]:
    """Make a folder for a job, and remove those that jobs left behind when they were killed.

    Args:
        work_dir: Where; it exists.

    Yields:
        The folder; it is removed at the end of the context.
    """
    # While this is held no folder is without its lock, so that one whose lock is free has no owner.
    with FileLock(work_dir / f"{_STAGE}.lock"):
        for old in work_dir.glob(f"{_STAGE}-*"):
            try:
                with FileLock(old / _IN_USE, timeout=0):
                    pass
            except (Timeout, OSError):
                continue
            shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{_STAGE}-", dir=work_dir))
        lock = FileLock(folder / _IN_USE)
        lock.acquire()
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


class Spool:
    """A file in the work folder that holds what cannot be read again; it is removed with this object.

    Attributes:
        path: The file.
    """

    def __init__(self, name: str, work_dir: Path, write: Callable[[BinaryIO], object]) -> None:
        """Write the file.

        Args:
            name: Of the file.
            work_dir: Where it is made.
            write: Writes all of its content.

        Raises:
            OSError: It cannot be written; and whatever `write` raises.
        """
        make_folder(work_dir)
        with ExitStack() as stack:
            self.path = stack.enter_context(stage_folder(work_dir)) / name
            with self.path.open("wb") as file:
                write(file)
            weakref.finalize(self, stack.pop_all().close)


def piped(pipe: Path, work_dir: Path) -> Spool:
    """Copy all that a pipe holds, to read it more than once.

    Args:
        pipe: The pipe; `-` is standard input.
        work_dir: Where the copy is made.

    Raises:
        FileError: The pipe cannot be read, or the copy cannot be written.
    """

    def copy(file: BinaryIO) -> None:
        with nullcontext(sys.stdin.buffer) if pipe == STDIN else pipe.open("rb") as source:
            shutil.copyfileobj(source, file, _COPY_BYTES)

    with named(pipe, f"copied to {work_dir}"):
        return Spool("standard-input" if pipe == STDIN else "piped", work_dir, copy)
