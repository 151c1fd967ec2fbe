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
from ropewalk.reading.options import ReadOptions
from ropewalk.text import shown

_PACKED_SUFFIXES = (".gz", ".zst")

# Options that may name a file to read.
_OPTIONS_READ = ("annotations", "classes", "class_map", "media_map")


@dataclass(frozen=True)
class Source:
    """Predictions and their label: part of a tracked object's identity, so it must not depend on the machine.

    Attributes:
        given: A file, a folder, the content of a file, or a table.
        label: What the source is called.
    """

    given: Any
    label: str

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


def find_sources(given: Paths, source_label: str | None = None) -> list[Source]:
    """Find the sources that files, folders and globs name.

    The label of a file is the folder it is in and its name, written with `/`, without the `.gz` or `.zst` of a
    compressed one: objects are recognised again wherever the folder is moved. A folder is one source; the core
    lists its files, leaves hidden ones out, and gives each a label by the same rule.

    Args:
        given: Files, folders and globs (`**` crosses folders).
        source_label: Label of the only file, instead of its own.

    Returns:
        Each file and folder once: files, then folders, each ordered by path.

    Raises:
        UsageError: Something given does not exist, two sources have one label, or `source_label` is given for a folder
            or for several files.
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
    if source_label is None:
        return _apart([Source(path, _label(path)) for path in paths])
    if len(paths) != 1 or paths[0].is_dir():
        found_what = f"{len(paths)} were found" if len(paths) != 1 else f"{shown(str(paths[0]))} is a folder"
        raise UsageError(f"{spelt('source_label')} names one file, but {found_what}; give one file")
    if not source_label:
        raise UsageError(f"{spelt('source_label')} is empty; give a name")
    return [Source(paths[0], source_label)]


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
    by_label: dict[str, Source] = {}
    for source in sources:
        other = by_label.setdefault(source.label, source)
        if other is not source:
            raise UsageError(
                f"{shown(str(other.given))} and {shown(str(source.given))} are both named {shown(repr(source.label))}, "
                f"and tracks are recognised by that name; rename one of them, or import them one after the other with "
                f"{spelt('source_label')}"
            )
    return sources


def _label(path: Path) -> str:
    # Links are not followed: the label is what the user sees.
    absolute = Path(os.path.abspath(path))
    if path.is_dir():
        return _as_text(absolute.name)
    name = absolute.stem if absolute.suffix.lower() in _PACKED_SUFFIXES else absolute.name
    return _as_text(f"{absolute.parent.name}/{name}")


def _as_text(name: str) -> str:
    # Some systems take file names that are not UTF-8; a label is part of what is hashed and written.
    return os.fsencode(name).decode("utf-8", "backslashreplace")
