"""Which files an import reads, and the label each goes by."""

from __future__ import annotations

import glob
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ropewalk.errors import UsageError
from ropewalk.options import spelt
from ropewalk.reading.options import ReadOptions
from ropewalk.text import shown

_TEXT_SUFFIXES = (".json", ".jsonl", ".ndjson")
_TABLE_SUFFIXES = (".parquet", ".arrow", ".ipc", ".feather")
_PACKED_SUFFIXES = (".gz", ".zst")
SUFFIXES = (
    *_TEXT_SUFFIXES,
    *_TABLE_SUFFIXES,
    *(text + packed for text in _TEXT_SUFFIXES for packed in _PACKED_SUFFIXES),
)


@dataclass(frozen=True)
class Source:
    """Predictions and their label: part of a tracked object's identity, so it must not depend on the machine.

    Attributes:
        given: A file, its content, or a table.
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
        """The file, None where the content was given."""
        return self.given if isinstance(self.given, Path) else None

    @property
    def is_packed(self) -> bool:
        """Whether its name says that it is compressed, as Parquet always is; the core looks at the content."""
        return self.path is not None and self.path.name.lower().endswith((*_PACKED_SUFFIXES, ".parquet"))

    @property
    def len_bytes(self) -> int:
        """Size as it is stored, in bytes; 0 for a table that does not tell."""
        if isinstance(self.given, Path):
            return self.given.stat().st_size
        if isinstance(self.given, bytes):
            return len(self.given)
        if hasattr(self.given, "estimated_size"):
            return int(self.given.estimated_size())
        return int(getattr(self.given, "nbytes", 0))


# Files, folders and globs.
Paths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def find_sources(given: Paths, source_label: str | None = None) -> list[Source]:
    """Find the prediction files that files, folders and globs name.

    A label is the file's name, without the `.gz` or `.zst` of a compressed one: objects are known again whether their
    file is compressed or not. Files that share one are told apart by their path below their common folder, written with
    `/` on every system.

    Args:
        given: Files, folders (searched below, hidden ones left out, for `.json`, `.jsonl` and `.ndjson`, also
            with `.gz` or `.zst` behind it, and for `.parquet`, `.arrow`, `.ipc` and `.feather`) and globs (`**` crosses
            folders).
        source_label: Label instead of the file's name; for one file only.

    Returns:
        Each file once, ordered by path.

    Raises:
        UsageError: Something given names no file, or `source_label` is given for several files.
    """
    names = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    if not names:
        raise UsageError("no source: give at least one file, folder or glob")
    found: dict[Path, Path] = {}
    for name in names:
        for path in _files(os.fspath(name)):
            found.setdefault(path.resolve(), path)
    paths = sorted(found.values(), key=lambda path: path.as_posix())
    if source_label is None:
        return [Source(path, _as_text(label)) for path, label in zip(paths, _labels(paths), strict=True)]
    if len(paths) != 1:
        raise UsageError(f"{spelt('source_label')} names one source, but {len(paths)} were found; give one file")
    if not source_label:
        raise UsageError(f"{spelt('source_label')} is empty; give a name")
    return [Source(paths[0], source_label)]


def files_read(sources: Iterable[Source], options: ReadOptions) -> set[Path]:
    """List the files that must not be written over: the sources, and the files that options name."""
    files = [*(source.path for source in sources), options.annotations]
    return {path.resolve() for path in files if path is not None}


def _as_text(name: str) -> str:
    # Some systems take file names that are not UTF-8; a label is part of what is hashed and written.
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _files(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        files = list(_below(path))
        if not files:
            raise UsageError(
                f"{shown(name)}: the folder holds no {', '.join((*_TEXT_SUFFIXES, *_TABLE_SUFFIXES))} file"
            )
        return files
    if glob.has_magic(name):
        files = [Path(match) for match in glob.glob(str(path), recursive=True) if os.path.isfile(match)]
        if not files:
            raise UsageError(f"{shown(name)}: the pattern matches no file")
        return files
    raise UsageError(f"{shown(name)}: no such file or folder")


def _below(folder: Path) -> Iterable[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(parent, name)


def _labels(paths: Sequence[Path]) -> list[str]:
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_name[_unpacked_name(path)].append(path)
    labels: dict[Path, str] = {}
    for name, sharing in by_name.items():
        if len(sharing) == 1:
            labels[sharing[0]] = name
            continue
        absolute = [path.resolve().parent / path.name for path in sharing]
        root = os.path.commonpath([path.parent for path in absolute])
        for path, full in zip(sharing, absolute, strict=True):
            labels[path] = full.relative_to(root).as_posix()
    return [labels[path] for path in paths]


def _unpacked_name(path: Path) -> str:
    return path.stem if path.suffix.lower() in _PACKED_SUFFIXES else path.name
