"""The IR as a Parquet or Arrow file that polars writes, and tables of polars as the core takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ropewalk.errors import UsageError
from ropewalk.files import written_whole

if TYPE_CHECKING:
    import polars

    from ropewalk._core import AnnotationBatch

SCHEMA_VERSION = 1
VERSION_KEY = "ropewalk.schema_version"
SUFFIXES = (".parquet", ".arrow")
PARQUET_SUFFIXES = (".parquet",)
IPC_SUFFIXES = (".arrow", ".ipc", ".feather")

# Begins the names of columns that are not read.
OWN_PREFIX = "x_"


def write_table(batches: Iterable[AnnotationBatch], path: Path, without: Sequence[str] = ()) -> int:
    """Write batches of the IR to a file, whole or not at all.

    The version of the schema stands in a Parquet file's metadata; polars writes none into Arrow files.

    Args:
        batches: May be none; the file then has the columns of the schema and no rows.
        path: Ends in `.parquet` or `.arrow`.
        without: Columns that are left out.

    Returns:
        Rows written.

    Raises:
        UsageError: The path ends otherwise.
        OSError: The file cannot be written.
    """
    import polars

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{path.name}: expected a name that ends in {' or '.join(SUFFIXES)}")
    frames = (polars.DataFrame(batch).drop(without) for batch in batches)
    first = next(frames, None)
    if first is None:
        from ropewalk import _core

        first = polars.DataFrame(_core.AnnotationBatch.empty()).drop(without)
    with written_whole(path) as temporary:
        metadata = {VERSION_KEY: str(SCHEMA_VERSION)}
        return sink_frames(chain([first], frames), first.schema, temporary, suffix, metadata)


def sink_frames(
    frames: Iterable[polars.DataFrame],
    schema: polars.Schema,
    path: Path,
    suffix: str,
    metadata: dict[str, str] | None = None,
) -> int:
    """Write frames to a table file as they come, holding a few of them.

    Args:
        frames: All of one schema.
        schema: That schema.
        path: Where to write.
        suffix: `.parquet` or `.arrow`: the form.
        metadata: Of a Parquet file.

    Returns:
        Rows written.
    """
    from polars.io.plugins import register_io_source

    rows = 0

    def read(
        columns: list[str] | None, predicate: polars.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[polars.DataFrame]:
        nonlocal rows
        for frame in frames:
            yield frame
            rows += len(frame)

    lazy = register_io_source(read, schema=schema)
    if suffix == ".parquet":
        lazy.sink_parquet(path, metadata=metadata, engine="streaming")
    else:
        lazy.sink_ipc(path, engine="streaming")
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


def in_batches(table: Any) -> Any:
    """Give a table in memory as the core takes it: as it is, or of polars piece by piece.

    Columns whose name begins with `x_` are left out of a polars table, since they are not read. A polars type of nulls
    only takes the type of the schema's column: polars exports it with a buffer that Arrow does not have.

    Args:
        table: A polars DataFrame or LazyFrame, or anything with `__arrow_c_stream__` or `__arrow_c_array__`.
    """
    if not hasattr(table, "collect_schema"):
        return table
    import polars

    from ropewalk import _core

    known = polars.DataFrame(_core.AnnotationBatch.empty()).schema
    types = {name: dtype for name, dtype in table.collect_schema().items() if not name.startswith(OWN_PREFIX)}
    typed = {name: _with_types_of(known.get(name, polars.String), dtype) for name, dtype in types.items()}
    changed = [polars.col(name).cast(dtype) for name, dtype in typed.items() if dtype != types[name]]
    table = table.select(list(types)).with_columns(changed)
    return table.collect_batches(maintain_order=True) if hasattr(table, "collect_batches") else table


def _with_types_of(known: Any, given: Any) -> Any:
    """Put the types of a known type where a given one, or a part of it, is of nulls only."""
    import polars

    if given == polars.Null:
        return known
    lists = (polars.List, polars.Array)
    if isinstance(given, lists) and isinstance(known, lists):
        inner = _with_types_of(known.inner, given.inner)
        return polars.Array(inner, given.size) if isinstance(given, polars.Array) else polars.List(inner)
    if isinstance(given, polars.Struct) and isinstance(known, polars.Struct):
        types = {field.name: field.dtype for field in known.fields}
        return polars.Struct(
            {field.name: _with_types_of(types.get(field.name, polars.String), field.dtype) for field in given.fields}
        )
    return given
