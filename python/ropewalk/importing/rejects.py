"""The reject file of one import: it appears under its name once there is something in it, and costs no earlier one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from ropewalk.errors import FileError, RopewalkError
from ropewalk.files import FilesRead, is_stream, opened_stream
from ropewalk.importing.options import StageOptions
from ropewalk.reading.sources import Source, files_read
from ropewalk.report import Report, example_of
from ropewalk.text import shown

_PART_BYTES = 1 << 16

# File systems take names of 255 bytes, branches may have longer ones.
_STEM_CHARACTERS = 120


class RejectFile:
    """Rejects under the name asked for, or in a folder under the first of a series of names that is free.

    A name asked for may be that of a pipe or device, or `-` for stdout.

    A file of the series is never written over: it may hold the rejects of another import, or be half mended. Rejects
    that stand in one of them already, word for word, are left there.
    """

    def __init__(self, given: Path | None, folder: Path, stem: str | None, files_read: FilesRead) -> None:
        """Choose among names.

        Args:
            given: The file asked for; it is written over. A stream is written to.
            folder: Where the series is, for None.
            stem: Begins the names of the series; None for no series: rejects are counted alone, unless `given`.
            files_read: Files that must not be written over.

        Raises:
            UsageError: `given` is one of the files that are read.
        """
        self._given, self._folder, self._stem, self._read = given, folder, stem, files_read
        self._keeps_none = given is None and stem is None
        self._path: Path | None = None
        self._staged_bytes = 0
        self._there: set[bytes] | None = None
        self._read.refuse("rejects", given)
        self._is_stream = given is not None and is_stream(given)

    def take(self, temporary: Path, report: Report) -> None:
        """Move rejects that were written elsewhere to their place.

        Args:
            temporary: Lines of a reject file, at least one.
            report: Is told the place.

        Raises:
            FileError: They cannot be written there.
        """
        if self._keeps_none:
            return
        if self._is_stream:
            assert self._given is not None
            with temporary.open("rb") as file, opened_stream(self._given) as stream:
                shutil.copyfileobj(file, stream)
            report.rejects_file = str(self._given)
            return
        self._staged_bytes = temporary.stat().st_size
        kept = None if self._given is not None else next(filter(partial(_begins_with, temporary), self._series()), None)
        if kept is None:
            with self._written():
                shutil.move(temporary, self._place())
        else:
            self._path = kept
        report.rejects_file = str(self._path)

    def append(self, lines: Sequence[str], report: Report) -> None:
        """Add annotations that were rejected after staging, and count them.

        Args:
            lines: Lines of a reject file, each for one annotation or for all of a label row.
            report: Counts the annotations.

        Raises:
            FileError: They cannot be written.
        """
        if not lines:
            return
        texts = [line.encode() for line in lines]
        for text in texts:
            reject = json.loads(text)
            report.reject(reject["code"], reject.get("annotations", 1), example_of(reject))
        if self._keeps_none:
            return
        if self._is_stream:
            assert self._given is not None
            report.rejects_file = str(self._given)
            with opened_stream(self._given) as stream:
                stream.write(b"".join(texts))
            return
        if self._path is None and self._given is None:
            # An earlier run of this import, interrupted or not, may have written them.
            self._path = next((path for path in self._series() if texts[0] in _lines_from(path, 0)), None)
        with self._written():
            path = self._path or self._place()
            if self._there is None:
                self._there = _lines_from(path, self._staged_bytes)
            report.rejects_file = str(path)
            # Together: what dies here hardly leaves half of a line.
            with path.open("ab") as file:
                file.write(b"".join(text for text in texts if text not in self._there))

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Say which file the rejects were to go to when it cannot be written."""
        try:
            yield
        except RopewalkError:
            raise
        except OSError as e:
            raise FileError(f"{shown(str(self._path))}: the rejects cannot be written: {e.strerror or e}") from e

    def _place(self) -> Path:
        free = (path for path in self._series() if not path.exists() or path.stat().st_size == 0)
        self._path = self._given or next(free)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._given is not None:
            self._path.unlink(missing_ok=True)
        return self._path

    def _series(self) -> Iterator[Path]:
        """Yield names up to the first that no file has, those of files that are read left out."""
        for n in count(1):
            path = self._folder / (f"{self._stem}.ndjson" if n == 1 else f"{self._stem}-{n}.ndjson")
            if path.resolve() in self._read:
                continue
            yield path
            if not path.exists():
                return


def _begins_with(beginning: Path, path: Path) -> bool:
    """Tell whether a file begins with the content of another."""
    if not path.is_file():
        return False
    with beginning.open("rb") as first, path.open("rb") as second:
        while part := first.read(_PART_BYTES):
            if second.read(len(part)) != part:
                return False
    return True


def _lines_from(path: Path, offset: int) -> set[bytes]:
    """Read the lines after an offset; those of rejects that were added after staging, which are few."""
    if not path.is_file():
        return set()
    with path.open("rb") as file:
        file.seek(offset)
        return set(file)


def reject_file(stem: str | None, sources: Iterable[Source], options: StageOptions) -> RejectFile:
    """Choose where the rejects of a job are written.

    Args:
        stem: Begins the names in the work folder; None where rejects are kept only if a file is asked for.
        sources: What is read.
        options: Name the file, or the work folder.

    Raises:
        UsageError: The file asked for is one that is read.
    """
    cut = None if stem is None else stem[:_STEM_CHARACTERS]
    return RejectFile(options.rejects, options.work_dir, cut, files_read(sources, options))
