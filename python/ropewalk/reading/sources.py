"""Which files an import reads, and the label each goes by."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ropewalk.errors import UsageError
from ropewalk.files import STDIN, WORK_DIR, FilesRead, is_stream
from ropewalk.options import spelt
from ropewalk.reading.options import LABEL_PARTS, ReadOptions
from ropewalk.text import shown

if TYPE_CHECKING:
    from ropewalk.scratch import Spool

# Of files that are smaller than what is in them.
_PACKED_SUFFIXES = (".gz", ".zst", ".parquet", ".zip", ".tgz", ".tzst")

# Options that may name a file to read.
_OPTIONS_READ = ("annotations", "classes", "class_map", "media_map")


@dataclass(frozen=True)
class Source:
    """Predictions and how their documents are labelled: tracked objects are recognised by the label.

    Attributes:
        given: A file, a folder, the content of a file, or a table.
        label: The label that was given for all of it; None where each document has that of its path.
        label_parts: Parts of the path that make a document's label.
        spool: What keeps the copy of a pipe, or of a branch, for as long as the source lives.
    """

    given: Any
    label: str | None = None
    label_parts: int = LABEL_PARTS
    spool: Spool | None = field(default=None, repr=False, compare=False)

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
        """Whether it is a folder of files, or an archive of one."""
        from ropewalk import _core

        return self.path is not None and _core.is_folder(self.path)

    @property
    def is_packed(self) -> bool:
        """Whether its name says that it is compressed, as Parquet and archives are; the core looks at the content."""
        return self.path is not None and self.path.name.lower().endswith(_PACKED_SUFFIXES)

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


def find_sources(
    given: Paths, source_label: str | None = None, label_parts: int = LABEL_PARTS, work_dir: Path = WORK_DIR
) -> list[Source]:
    """Find the sources that files, folders and globs name.

    The label of a file is the last parts of its path, written with `/`, without the `.gz` or `.zst` of a compressed
    one: objects are recognised again wherever the folder is moved. A folder is one source; the core lists its files,
    leaves hidden ones out, and gives each a label by the same rule. An archive (`.zip`, `.tar`, also compressed) is the
    folder that it unpacks to. A pipe or `-`, standard input, can be read once
    only, and is copied here.

    Args:
        given: Files, folders, globs (`**` crosses folders), pipes and `-`.
        source_label: Label of all of them, instead of their own.
        label_parts: Parts of the path that make a label.
        work_dir: Where pipes are copied to.

    Returns:
        Each file and folder once: files, then folders, each ordered by path; then pipes.

    Raises:
        UsageError: A source does not exist or is not a path, two files have one label, or a pipe has none.
        FileError: A pipe cannot be read, or its copy cannot be written.
    """
    names = _names(given)
    if not names:
        raise UsageError("no source: give at least one file, folder or glob")
    found: dict[Path, Path] = {}
    pipes: list[Path] = []
    for name in names:
        if is_stream(Path(name)):
            pipes.append(Path(name))
            continue
        for path in _paths(name):
            found.setdefault(path.resolve(), path)
    # Folders last: the core compares the labels of their files with those that were given.
    files = [Source(path, source_label, label_parts) for path in sorted(found.values(), key=Path.as_posix)]
    sources = _apart(sorted(files, key=lambda source: source.is_folder))
    return sources + [_copied(pipe, source_label, work_dir) for pipe in pipes]


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


def _names(given: Paths) -> list[str]:
    expected = "expected the path of a file or folder, or a glob"
    if isinstance(given, (str, os.PathLike)):
        given = [given]
    elif isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"{type(given).__name__} is not a source: {expected}, or several of them")
    names = []
    for name in given:
        if not isinstance(name, (str, os.PathLike)):
            raise UsageError(f"{type(name).__name__} is not a source: {expected}")
        names.append(os.fsdecode(name))
    return names


def _copied(pipe: Path, label: str | None, work_dir: Path) -> Source:
    name = "standard input" if pipe == STDIN else shown(str(pipe))
    if label is None:
        raise UsageError(f"{name} has no name by which tracks are recognised; give {spelt('source_label')} NAME")
    from ropewalk.scratch import piped

    spool = piped(pipe, work_dir)
    return Source(spool.path, label, spool=spool)


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
