"""Which files an import reads, and the label each goes by."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ropewalk.errors import UsageError
from ropewalk.files import FilesRead
from ropewalk.options import spelt
from ropewalk.reading.options import LABEL_PARTS, ReadOptions
from ropewalk.text import shown

_PACKED_SUFFIXES = (".gz", ".zst")

# Options that may name a file to read.
_OPTIONS_READ = ("annotations", "classes", "class_map", "media_map")


@dataclass(frozen=True)
class Source:
    """Predictions and how their documents are labelled: tracked objects are recognised by the label.

    Attributes:
        given: A file, a folder, the content of a file, or a table.
        label: The label that was given for all of it; None where each document has that of its path.
        label_parts: Parts of the path that make a document's label.
    """

    given: Any
    label: str | None = None
    label_parts: int = LABEL_PARTS

    @property
    def name(self) -> str:
        """What messages and ledgers call it: its label, of a folder that of its path."""
        if self.label is not None:
            return self.label
        if self.path is None:
            return "what is in memory"
        from ropewalk import _core

        return _core.label_of(self.path, self.label_parts)

    @property
    def is_table(self) -> bool:
        """Whether it is a table in memory."""
        return not isinstance(self.given, (Path, bytes))

    @property
    def path(self) -> Path | None:
        """The file or folder, None where the content was given."""
        return self.given if isinstance(self.given, Path) else None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files."""
        return self.path is not None and self.path.is_dir()

    @property
    def is_packed(self) -> bool:
        """Whether its name says that it is compressed, as Parquet always is; the core looks at the content."""
        return self.path is not None and self.path.name.lower().endswith((*_PACKED_SUFFIXES, ".parquet"))

    @property
    def len_bytes(self) -> int:
        """Size as it is stored, in bytes; 0 for a table that does not tell."""
        if isinstance(self.given, Path):
            from ropewalk import _core

            return _core.len_bytes(self.given)
        if isinstance(self.given, bytes):
            return len(self.given)
        if hasattr(self.given, "estimated_size"):
            return int(self.given.estimated_size())
        return int(getattr(self.given, "nbytes", 0))


# Files, folders and globs.
Paths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def find_sources(given: Paths, source_label: str | None = None, label_parts: int = LABEL_PARTS) -> list[Source]:
    """Find the sources that files, folders and globs name.

    The label of a file is the last parts of its path, written with `/`, without the `.gz` or `.zst` of a compressed
    one: objects are recognised again wherever the folder is moved. A folder is one source; the core lists its files,
    leaves hidden ones out, and gives each a label by the same rule.

    Args:
        given: Files, folders and globs (`**` crosses folders).
        source_label: Label of all of them, instead of their own.
        label_parts: Parts of the path that make a label.

    Returns:
        Each file and folder once: files, then folders, each ordered by path.

    Raises:
        UsageError: Something given does not exist, or two files have one label.
    """
    names = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    if not names:
        raise UsageError("no source: give at least one file, folder or glob")
    found: dict[Path, Path] = {}
    for name in names:
        for path in _paths(os.fspath(name)):
            found.setdefault(path.resolve(), path)
    # Folders last: the core compares the labels of their files with those that were given.
    paths = sorted(found.values(), key=lambda path: (path.is_dir(), path.as_posix()))
    return _apart([Source(path, source_label, label_parts) for path in paths])


def files_read(sources: Iterable[Source], options: ReadOptions, *more: Path | None) -> FilesRead:
    """Tell which files must not be written over.

    Args:
        sources: What is read.
        options: Name files that are read as well, such as maps.
        *more: Others.

    Returns:
        The sources, what is in folders, and what options name.
    """
    named = (getattr(options, name, None) for name in _OPTIONS_READ)
    given = [*(source.path for source in sources), *named, *more]
    return FilesRead.of(path for path in given if isinstance(path, Path))


def _paths(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_file() or path.is_dir():
        return [path]
    if glob.has_magic(name):
        files = [Path(match) for match in glob.glob(str(path), recursive=True) if os.path.isfile(match)]
        if not files:
            raise UsageError(f"{shown(name)}: the pattern matches no file")
        return files
    raise UsageError(f"{shown(name)}: no such file or folder")


def _apart(sources: list[Source]) -> list[Source]:
    """Refuse two files of one label before anything is read; the core does so for those in folders."""
    by_label: dict[str, Source] = {}
    for source in sources:
        if source.label is not None or source.is_folder:
            continue
        other = by_label.setdefault(source.name, source)
        if other is not source:
            raise UsageError(
                f"{shown(str(other.given))} and {shown(str(source.given))} are both called "
                f"{shown(repr(source.name))}, and tracks are recognised by that name; give {spelt('source_label')} "
                f"NAME if they hold the same tracks, {spelt('label_parts')} N for longer names if not, or rename one "
                "of them"
            )
    return sources
