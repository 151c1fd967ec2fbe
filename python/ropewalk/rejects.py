"""The reject file of one import: it appears under its name once there is something in it, and costs no earlier one."""

from __future__ import annotations

import filecmp
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

from ropewalk.errors import UsageError
from ropewalk.report import Report
from ropewalk.text import shown


class RejectFile:
    """Rejects under the name asked for, or in a folder under the first of a series of names that is free.

    A file of the series is never written over: it may hold the rejects of another import, or be half mended. Rejects
    that stand in one of them already, word for word, are left there.
    """

    def __init__(self, given: Path | None, folder: Path, stem: str, files_read: Iterable[Path]) -> None:
        """Choose among names.

        Args:
            given: The file asked for; it is written over.
            folder: Where the series is, for None.
            stem: Begins the names of the series.
            files_read: Files that must not be written over, resolved.

        Raises:
            UsageError: `given` is one of the files that are read.
        """
        self._given, self._folder, self._stem, self._read = given, folder, stem, set(files_read)
        self._path: Path | None = None
        if given is not None and given.resolve() in self._read:
            raise UsageError(f"--rejects {shown(str(given))} is a file that is read; give another one")

    def take(self, temporary: Path, report: Report) -> None:
        """Move rejects that were written elsewhere to their place.

        Args:
            temporary: Lines of a reject file, at least one.
            report: Is told the place.
        """
        same = (path for path in self._series() if path.is_file() and filecmp.cmp(path, temporary, shallow=False))
        kept = None if self._given is not None else next(same, None)
        if kept is None:
            shutil.move(temporary, self._place())
        self._path = kept or self._path
        report.rejects_file = str(self._path)

    def append(self, lines: Sequence[str], report: Report) -> None:
        """Add annotations that were rejected after staging, and count them.

        Args:
            lines: Lines of a reject file, one an annotation.
            report: Counts them.
        """
        if not lines:
            return
        path = self._path or self._place()
        report.rejects_file = str(path)
        with path.open("a", encoding="utf-8") as file:
            for line in lines:
                report.reject(json.loads(line)["code"], 1)
                file.write(line)

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
