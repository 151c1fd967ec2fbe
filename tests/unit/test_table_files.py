"""Parquet and Arrow files of other programs: the rows that polars reads of them, in any layout; damaged ones are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest

from ropewalk import _core, read_table
from ropewalk.errors import FileError, RopewalkError, SchemaError, SourceError

ROWS = 40


def frame() -> polars.DataFrame:
    """Rows with columns of every kind: lists in lists, structs, nulls, bytes."""
    numbers = range(ROWS)
    return polars.DataFrame(
        {
            "media": [f"video-{i // 7}.mp4" for i in numbers],
            "frame": polars.Series(numbers, dtype=polars.UInt32),
            "class": polars.Series([("Car", "Person", "Straße")[i % 3] for i in numbers], dtype=polars.Categorical),
            "track": [None if i % 4 == 0 else str(i % 4) for i in numbers],
            "score": [None if i % 5 == 0 else i / ROWS for i in numbers],
            "shape": ["polygon" if i % 2 else "bitmask" if i % 3 else None for i in numbers],
            "box": [[i + 0.1, 2.0, 30.0, 20.0] if i % 2 == 0 and i % 3 == 0 else None for i in numbers],
            "points": [[[[1.0, 2.0, 9.0, 2.0, i, 6.0]], [[0, 0, 1, 0, 1, 1]]] if i % 2 else None for i in numbers],
            "rle": [b"042" if i % 2 == 0 and i % 3 else None for i in numbers],
            "rle_order": ["row_major"] * ROWS,
            "width_px": [3] * ROWS,
            "height_px": [2] * ROWS,
            "attributes": [
                [{"name": "Ripe?", "value": "Yes" if i % 2 else None, "frame": i}] if i % 3 else None for i in numbers
            ],
        },
        schema_overrides={"box": polars.Array(polars.Float64, 4)},
    ).with_columns(x_note=polars.lit("not read"), unit=polars.lit("px"))


def plain() -> pa.Table:
    """The same rows in pyarrow's own types."""
    table = frame().to_arrow(compat_level=polars.CompatLevel.oldest())
    return table.set_column(2, "class", table["class"].cast(pa.string()).combine_chunks().dictionary_encode())


def views() -> pa.Table:
    """The same rows in views, which pyarrow does not write as a dictionary's values."""
    return pa.table(frame().cast({"class": polars.String}))


def read(path: Path) -> polars.DataFrame:
    return read_table(path, source_label="run").to_polars()


def expected() -> polars.DataFrame:
    return read_table(frame(), source_label="run").to_polars()


def arrow_file(path: Path, table: pa.Table, **options: Any) -> None:
    with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=7)


def arrow_stream(path: Path, table: pa.Table, **options: Any) -> None:
    with pa.ipc.new_stream(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=7)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "polars.parquet": lambda path: frame().write_parquet(path),
    "polars-groups.parquet": lambda path: frame().write_parquet(path, row_group_size=7, data_page_size=64),
    "polars-uncompressed.parquet": lambda path: frame().write_parquet(path, compression="uncompressed"),
    "polars-lz4.parquet": lambda path: frame().write_parquet(path, compression="lz4"),
    "polars-gzip.parquet": lambda path: frame().write_parquet(path, compression="gzip"),
    "polars-streamed.parquet": lambda path: frame().lazy().sink_parquet(path, engine="streaming"),
    "polars.arrow": lambda path: frame().write_ipc(path),
    "polars-zstd.arrow": lambda path: frame().write_ipc(path, compression="zstd"),
    "polars-lz4.arrow": lambda path: frame().write_ipc(path, compression="lz4"),
    "polars-oldest.arrow": lambda path: frame().write_ipc(path, compat_level=polars.CompatLevel.oldest()),
    "polars-streamed.arrow": lambda path: frame().lazy().sink_ipc(path, engine="streaming"),
    "polars-stream.arrow": lambda path: frame().write_ipc_stream(path),
    "polars-stream-zstd.arrow": lambda path: frame().write_ipc_stream(path, compression="zstd"),
    "pyarrow.parquet": lambda path: pa.parquet.write_table(plain(), path),
    "pyarrow-views.parquet": lambda path: pa.parquet.write_table(views(), path, compression="zstd"),
    "pyarrow-old.parquet": lambda path: pa.parquet.write_table(
        plain(), path, version="1.0", data_page_version="2.0", row_group_size=7, use_dictionary=False
    ),
    "pyarrow-delta.parquet": lambda path: pa.parquet.write_table(
        plain(),
        path,
        use_dictionary=False,
        column_encoding={
            "media": "DELTA_BYTE_ARRAY",
            "unit": "DELTA_LENGTH_BYTE_ARRAY",
            "frame": "DELTA_BINARY_PACKED",
        },
    ),
    "pyarrow-split.parquet": lambda path: pa.parquet.write_table(
        plain(), path, use_dictionary=False, use_byte_stream_split=["score"], compression="gzip"
    ),
    "pyarrow-checked.parquet": lambda path: pa.parquet.write_table(plain(), path, write_page_checksum=True),
    "pyarrow.feather": lambda path: pa.feather.write_feather(plain(), path),
    "pyarrow-plain.feather": lambda path: pa.feather.write_feather(plain(), path, compression="uncompressed"),
    "pyarrow.arrow": lambda path: arrow_file(path, plain()),
    "pyarrow-zstd.arrow": lambda path: arrow_file(path, plain(), compression="zstd"),
    "pyarrow-old.arrow": lambda path: arrow_file(path, plain(), use_legacy_format=True),
    "pyarrow-stream.arrow": lambda path: arrow_stream(path, plain()),
    "pyarrow-views.arrow": lambda path: arrow_stream(path, views()),
}


@pytest.mark.parametrize("name", WRITERS)
def test_files_of_other_programs_are_the_rows_they_were_made_of(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    assert read(path).equals(expected())
    # Content in memory is told by what it begins with.
    assert _core.read(path.read_bytes(), "run").format == ("parquet" if name.endswith("parquet") else "arrow")
    assert sum(len(batch) for batch in _core.read(path.read_bytes(), "run")) == len(expected()) == ROWS


OTHER_TYPES: dict[str, tuple[pa.Array, str, list[Any]]] = {
    "large strings": (pa.array(["a", "b"], pa.large_string()), "media", ["a", "b"]),
    "string views": (pa.array(["a", "b"], pa.string_view()), "media", ["a", "b"]),
    "large dictionary": (pa.array(["a", "a"], pa.large_string()).dictionary_encode(), "media", ["a", "a"]),
    "numbers as names": (pa.array([7, 8], pa.int64()), "media", ["7", "8"]),
    "whole floats": (pa.array([1.0, 2.0], pa.float64()), "frame", [1, 2]),
    "halves": (pa.array([0.5, 0.25], pa.float32()).cast(pa.float16()), "score", [0.5, 0.25]),
    "decimals": (pa.array([Decimal("0.5"), None], pa.decimal128(5, 2)), "score", [0.5, None]),
    "large decimals": (pa.array([Decimal("0.5"), None], pa.decimal256(50, 2)), "score", [0.5, None]),
    "nulls": (pa.nulls(2), "track", [None, None]),
    "floats of pandas": (pa.array([float("nan"), 3.0], pa.float64(), from_pandas=True), "width_px", [None, 3]),
    "large lists": (pa.array([[1, 2, 3, 4]] * 2, pa.large_list(pa.float32())), "box", [[1, 2, 3, 4]] * 2),
    "fixed lists": (pa.array([[1, 2, 3, 4], None], pa.list_(pa.int64(), 4)), "box", [[1, 2, 3, 4], None]),
    "lists of nothing": (pa.array([[], []], pa.list_(pa.null())), "attributes", [None, None]),
    "large bytes": (pa.array([b"042", None], pa.large_binary()), "rle", [b"042", None]),
}


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("case", OTHER_TYPES)
def test_types_of_the_same_values(tmp_path: Path, case: str, suffix: str) -> None:
    column, name, values = OTHER_TYPES[case]
    base = {
        "media": pa.array(["m", "m"]),
        "class": pa.array(["c", "c"]),
        "box": pa.array([[1.0, 2.0, 3.0, 4.0]] * 2),
        "rle_order": pa.array(["row_major"] * 2),
        "width_px": pa.array([3, 3]),
        "height_px": pa.array([2, 2]),
        "unit": pa.array(["px", "px"]),
    }
    table = pa.table(base | {name: column})
    path = tmp_path / f"table.{suffix}"
    if suffix == "parquet":
        pa.parquet.write_table(table, path, version="2.6")
    else:
        arrow_file(path, table)
    assert read(path)[name].to_list() == values


def test_list_views_of_arrow(tmp_path: Path) -> None:
    """Parquet has no such type."""
    boxes = pa.array([[1.0, 2.0, 3.0, 4.0], None], pa.list_view(pa.float64()))
    large = pa.array([[[[1.0, 2.0]]], None], pa.large_list_view(pa.list_view(pa.list_(pa.float64()))))
    table = pa.table(
        {"media": ["a", "b"], "class": ["c", "c"], "shape": ["point", None], "box": boxes, "points": large}
    )
    arrow_file(tmp_path / "views.arrow", table)
    found = read_table(tmp_path / "views.arrow", unit="px").to_polars()
    assert found["box"].to_list() == [[1.0, 2.0, 3.0, 4.0], None]
    assert found["points"].to_list() == [[[[1.0, 2.0]]], None]


@pytest.mark.parametrize("given", ["frame", "lazy", "parquet", "arrow", "stream"])
def test_columns_of_nulls_only(tmp_path: Path, given: str) -> None:
    """polars calls them of type Null, also inside lists and structs."""
    table = polars.DataFrame(
        {
            "media": ["a", "b"],
            "class": ["c", "c"],
            "box": [[1.0, 2.0, 3.0, 4.0]] * 2,
            "track": [None, None],
            "score": [None, None],
            "shape": ["bounding_box", "bounding_box"],
            "points": [[], []],
            "visibility": [None, []],
            "attributes": [[{"name": "x", "value": None, "frame": None}], None],
            "x_mine": [None, None],
            "x_lists": [[None], []],
        }
    )
    path = tmp_path / f"nulls.{'parquet' if given == 'parquet' else 'arrow'}"
    match given:
        case "frame":
            source: Any = table
        case "lazy":
            source = table.lazy()
        case "parquet":
            table.write_parquet(path)
        case "arrow":
            table.write_ipc(path)
        case "stream":
            table.write_ipc_stream(path)
    found = read_table(source if given in ("frame", "lazy") else path, unit="px").to_polars()
    assert found["media"].to_list() == ["a", "b"]
    assert found["track"].to_list() == found["score"].to_list() == [None, None]
    attributes = [{"name": "x", "value": None, "frame": None, "frame_last": None}]
    assert found["attributes"].to_list() == [attributes, None]


class PanicException(BaseException):
    """As what a panic in a Rust library is to Python: no `Exception`."""


@pytest.mark.parametrize("where", ["iterator", "first", "table"])
def test_a_panic_of_whoever_makes_a_table_is_an_error(where: str) -> None:
    table = polars.DataFrame({"media": ["a"], "class": ["c"], "box": [[1.0, 2.0, 3.0, 4.0]]})

    class Broken:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise PanicException("index out of bounds")

    class Lazy:
        """As a polars LazyFrame."""

        def collect_schema(self) -> polars.Schema:
            return table.schema

        def select(self, *_: Any) -> Lazy:
            return self

        with_columns = select

        def collect_batches(self, **_: Any) -> Iterator[Any]:
            if where != "first":
                yield table
            if where == "table":
                yield Broken()
            raise PanicException("index out of bounds")

    given = Broken() if where == "table" else Lazy()
    with pytest.raises(SourceError, match="its rows are not complete: .*index out of bounds"):
        read_table(given, unit="px").to_polars()


def test_other_errors_of_an_iterator_arrive_as_they_are() -> None:
    class Stopped:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_table(Stopped()).to_polars()


def damaged(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), 11):
        yield content[:at]
        yield content[:at] + bytes([content[at] ^ 0x11]) + content[at + 1 :]
        yield content[:at] + bytes(16) + content[at + 16 :]


@pytest.mark.parametrize(
    "name", ["polars.parquet", "polars.arrow", "polars-zstd.arrow", "polars-stream.arrow", "pyarrow-stream.arrow"]
)
def test_damaged_files_are_refused_or_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    good = tmp_path / name
    WRITERS[name](good)
    path = tmp_path / f"damaged{good.suffix}"
    refused = 0
    for content in damaged(good.read_bytes()):
        path.write_bytes(content)
        predictions = read_table(path).open()
        try:
            rows = sum(len(batch) for batch in predictions)
        except RopewalkError as e:
            assert isinstance(e, (SourceError, SchemaError)) and ("damaged" in str(e)), e
            refused += 1
        else:
            assert rows + predictions.counts["rejected"] == ROWS
    assert refused > 10
    # Nothing of what broke in outside libraries is shown.
    assert capfd.readouterr() == ("", "")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame().write_parquet(path)
    opened = read_table(path)
    path.unlink()
    with pytest.raises(FileError, match="a.parquet: No such file"):
        opened.to_polars()


def test_thousands_of_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = polars.concat([frame()] * 50)
    table.write_parquet(path, row_group_size=1)
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == 2000
    assert read(path)["score"].to_list() == table["score"].to_list()
