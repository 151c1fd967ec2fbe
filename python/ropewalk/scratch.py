"""Folders for what a job keeps on disk while it runs: sorted runs, and the copy of a pipe."""

from __future__ import annotations

import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

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
    """The copy of a pipe, which can be read again; it is removed with this object.

    Attributes:
        path: The copy.
    """

    def __init__(self, pipe: Path, work_dir: Path) -> None:
        """Copy all that a pipe holds.

        Args:
            pipe: The pipe; `-` is standard input.
            work_dir: Where the copy is made.

        Raises:
            FileError: The pipe cannot be read, or the copy cannot be written.
        """
        make_folder(work_dir)
        with ExitStack() as stack, named(pipe, f"copied to {work_dir}"):
            self.path = stack.enter_context(stage_folder(work_dir)) / ("standard-input" if pipe == STDIN else "piped")
            with (
                nullcontext(sys.stdin.buffer) if pipe == STDIN else pipe.open("rb") as source,
                self.path.open("wb") as copy,
            ):
                shutil.copyfileobj(source, copy, _COPY_BYTES)
            weakref.finalize(self, stack.pop_all().close)
