"""The IR as a Parquet or Arrow file, through polars, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ropewalk.errors import FileError, SourceError, UsageError
from ropewalk.files import written_whole
from ropewalk.text import shown

if TYPE_CHECKING:
    import polars

    from ropewalk._core import AnnotationBatch

SCHEMA_VERSION = 1
VERSION_KEY = "ropewalk.schema_version"
SUFFIXES = (".parquet", ".arrow")
PARQUET_SUFFIXES = (".parquet",)
IPC_SUFFIXES = (".arrow", ".ipc", ".feather")

# Rows of a file that are in memory at a time, beside what polars reads ahead.
_BATCH_ROWS = 1 << 14

# What files of the Arrow IPC format begin with; streams of it do not.
_IPC_FILE_MAGIC = b"ARROW1"


def write_table(batches: Iterable[AnnotationBatch], path: Path) -> int:
    """Write batches of the IR to a file, whole or not at all.

    The version of the schema stands in a Parquet file's metadata; polars writes none into Arrow files.

    Args:
        batches: May be none; the file then has the columns of the schema and no rows.
        path: Ends in `.parquet` or `.arrow`.

    Returns:
        Rows written.

    Raises:
        UsageError: The path ends otherwise.
        OSError: The file cannot be written.
    """
    import polars
    from polars.io.plugins import register_io_source

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{path.name}: expected a name that ends in {' or '.join(SUFFIXES)}")
    rows = 0
    frames = (polars.DataFrame(batch) for batch in batches)
    first = next(frames, None)
    if first is None:
        from ropewalk import _core

        first = polars.DataFrame(_core.AnnotationBatch.empty())

    def read(
        columns: list[str] | None, predicate: polars.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[polars.DataFrame]:
        nonlocal rows
        yield first
        rows += len(first)
        for frame in frames:
            yield frame
            rows += len(frame)

    lazy = register_io_source(read, schema=first.schema)
    with written_whole(path) as temporary:
        if suffix == ".parquet":
            lazy.sink_parquet(temporary, metadata={VERSION_KEY: str(SCHEMA_VERSION)}, engine="streaming")
        else:
            lazy.sink_ipc(temporary, engine="streaming")
    return rows


def read_table(path: Path) -> polars.LazyFrame:
    """Open an IR file for reading.

    Raises:
        UsageError: The path ends otherwise, or the file is of another version of the schema.
    """
    import polars

    suffix = path.suffix.lower()
    if suffix == ".arrow":
        return polars.scan_ipc(path)
    if suffix != ".parquet":
        raise UsageError(f"{path.name}: expected a name that ends in {' or '.join(SUFFIXES)}")
    metadata: dict[str, Any] = polars.read_parquet_metadata(path)
    version = metadata.get(VERSION_KEY)
    if version != str(SCHEMA_VERSION):
        raise UsageError(f"{path.name}: schema version {version}; expected a table of version {SCHEMA_VERSION}")
    return polars.scan_parquet(path)


def read_batches(source: Path | BytesIO, kind: str) -> Iterator[polars.DataFrame]:
    """Read a table of anyone's, some rows at a time.

    Args:
        source: The file.
        kind: parquet or arrow (an IPC file; a stream of it is read whole).

    Raises:
        SourceError: The file is none of the kind, or damaged.
        FileError: The file cannot be read.
    """
    with _failures(source, kind):
        yield from _scan(source, kind).collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True)


@contextmanager
def _failures(source: Path | BytesIO, kind: str) -> Iterator[None]:
    import polars

    name = shown(str(source)) if isinstance(source, Path) else "the table"
    try:
        yield
    except (polars.exceptions.PolarsError, OSError) as e:
        # What the system has to say comes with a number; polars makes such errors of content, too.
        if isinstance(e, OSError) and e.errno is not None:
            raise FileError(f"{name}: {e.strerror}") from None
        raise SourceError(f"{name}: this is no {kind} table that can be read: {e}") from None


def _scan(source: Path | BytesIO, kind: str) -> polars.LazyFrame:
    import polars

    if kind == "parquet":
        version = polars.read_parquet_metadata(source).get(VERSION_KEY, str(SCHEMA_VERSION))
        if version != str(SCHEMA_VERSION):
            raise polars.exceptions.SchemaError(
                f"its schema is of version {version}; this release reads {SCHEMA_VERSION}"
            )
        return polars.scan_parquet(source)
    if _head(source) == _IPC_FILE_MAGIC:
        return polars.scan_ipc(source)
    return polars.read_ipc_stream(source).lazy()


def _head(source: Path | BytesIO) -> bytes:
    if isinstance(source, BytesIO):
        return source.getvalue()[: len(_IPC_FILE_MAGIC)]
    with source.open("rb") as file:
        return file.read(len(_IPC_FILE_MAGIC))
