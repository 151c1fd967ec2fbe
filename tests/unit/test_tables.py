"""The IR as a file: whole or not at all, with its version, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars
import pyarrow as pa
import pytest

from ropewalk.errors import SnapshotError, UsageError
from ropewalk.reading.tables import read_table, write_table


def batch(first: int, n: int) -> pa.RecordBatch:
    boxes = pa.array([[0.1 + i, 0.2, 0.3, 0.4] for i in range(first, first + n)], pa.list_(pa.float64(), 4))
    offsets = pa.array(range(first, first + n), pa.uint64())
    names = pa.array([None if i % 3 == 0 else f"é{i}" for i in range(first, first + n)], pa.string_view())
    return pa.record_batch({"offset": offsets, "track": names, "box": boxes})


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_batches_come_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ir{suffix}"
    batches = [batch(0, 5), batch(5, 0), batch(5, 3)]
    assert write_table(batches, path) == 8
    expected = polars.concat([polars.DataFrame(b) for b in batches])
    assert read_table(path).collect().equals(expected)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    assert write_table([batch(0, 0)], tmp_path / "ir.parquet") == 0
    assert read_table(tmp_path / "ir.parquet").collect().schema == polars.DataFrame(batch(0, 0)).schema


def test_nothing_is_left_of_a_file_that_breaks_off(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield batch(0, 5)
        raise SnapshotError("the source ended")

    path = tmp_path / "ir.parquet"
    path.write_bytes(b"before")
    with pytest.raises(SnapshotError, match="the source ended"):
        write_table(broken(), path)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["ir.parquet"]


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ir.parquet"
    polars.DataFrame(batch(0, 2)).write_parquet(path, metadata={"ropewalk.schema_version": "2"})
    with pytest.raises(UsageError, match="schema version 2"):
        read_table(path)


def test_other_names_are_refused(tmp_path: Path) -> None:
    for act in (lambda path: write_table([batch(0, 1)], path), read_table):
        with pytest.raises(UsageError, match="ends in"):
            act(tmp_path / "ir.csv")
