"""The rows of a writer until its file is written: in memory, and beyond a limit in temporary files beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars

from ropewalk import _core
from ropewalk.errors import FileError, RopewalkError
from ropewalk.reading.tables import write_table
from ropewalk.text import shown
from ropewalk.writer.columns import Rows, table_of

if TYPE_CHECKING:
    from ropewalk._core import AnnotationBatch


class KeptRows:
    """Keeps rows in batches and writes all of them to one file.

    Args:
        path: The file that is written at the end.
        source: Label of the source, None for that of the file's place.
        rows: Rows that are kept before they go to a temporary file.
        len_bytes: Bytes of rows, roughly, likewise.

    Raises:
        FileError: The folder of `path` cannot be written to.
    """

    def __init__(self, path: Path, source: str | None, rows: int, len_bytes: int) -> None:
        self._path, self._source, self._limits = path, source, (rows, len_bytes)
        self._frames: list[Rows] = []
        self._rows = self._bytes = 0
        self._stored_rows = 0
        self._batches: list[Path] = []
        # Made at once: what cannot be written should not be found out after hours of a model's time.
        try:
            self._folder = tempfile.TemporaryDirectory(
                dir=path.parent, prefix=f".{path.name}.", ignore_cleanup_errors=True
            )
        except OSError as e:
            raise FileError(f"{shown(str(path))}: its folder cannot be written to: {e.strerror or e}") from e

    def __len__(self) -> int:
        return self._stored_rows + self._rows

    @property
    def folder(self) -> Path:
        """The folder of the temporary files."""
        return Path(self._folder.name)

    def add(self, rows: Rows) -> None:
        """Keep the rows of a frame.

        Raises:
            FileError: The temporary file cannot be written; the rows are kept.
        """
        self._frames.append(rows)
        self._rows += len(rows)
        self._bytes += rows.len_bytes
        most_rows, most_bytes = self._limits
        if self._rows >= most_rows or self._bytes >= most_bytes:
            path = self.folder / f"{len(self._batches)}.arrow"
            with self._writing("the rows are kept, and the next frame tries again"):
                self._table().write_ipc(path, compression="lz4")
            self._batches.append(path)
            self._stored_rows += self._rows
            self._frames.clear()
            self._rows = self._bytes = 0

    def write(self) -> None:
        """Write the file.

        Raises:
            FileError: It cannot be written; the rows are kept.
        """
        # Without a label the file has that of its place, as any other.
        with self._writing("the rows are kept, and close() tries again"):
            write_table(self._all_batches(), self._path, () if self._source else ("source",))

    def discard(self) -> None:
        """Remove what is kept."""
        self._frames.clear()
        self._folder.cleanup()

    @contextmanager
    def _writing(self, what_next: str) -> Iterator[None]:
        """Make an error of Ropewalk of what keeps a file from being written: polars has errors of its own for that."""
        try:
            yield
        except RopewalkError:
            raise
        except Exception as e:
            cause = e.strerror if isinstance(e, OSError) and e.strerror else e
            raise FileError(f"{shown(str(self._path))} cannot be written: {cause}; {what_next}") from e

    def _table(self) -> polars.DataFrame:
        return table_of(self._frames, self._source or self._path.name, self._stored_rows)

    def _all_batches(self) -> Iterator[AnnotationBatch]:
        # The core checks its own schema once more: what is written can be read.
        for path in self._batches:
            yield _core.AnnotationBatch.from_arrow(polars.read_ipc(path))
        if self._frames:
            yield _core.AnnotationBatch.from_arrow(self._table())
