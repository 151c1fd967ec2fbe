"""The file of what an import wrote: for each annotation the hashes that Encord has its label under."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ropewalk.errors import UsageError
from ropewalk.files import is_stream
from ropewalk.options import spelt
from ropewalk.reading.tables import sink_frames
from ropewalk.text import shown

if TYPE_CHECKING:
    import polars

    from ropewalk._core import Staged
    from ropewalk.ledger.ledger import Ledger
    from ropewalk.sinks.encord.staged_rows import Row

_PARQUET = ".parquet"
_NDJSON = ".ndjson"

# Annotations that are held at a time, unless a single label row has more.
_ANNOTATIONS_TOGETHER = 50_000


def check_written_file(path: Path) -> None:
    """Refuse a name that does not say in which form the file is to be.

    Raises:
        UsageError: It ends in neither `.parquet` nor `.ndjson`, and is not a stream, which gets NDJSON.
    """
    if path.suffix.lower() not in (_PARQUET, _NDJSON) and not is_stream(path):
        raise UsageError(f"{spelt('written')} {shown(path.name)}: expected a name that ends in {_PARQUET} or {_NDJSON}")


def write_written(
    staged: Staged,
    rows: Iterable[Row],
    ledger: Ledger,
    unfit: Mapping[int, Collection[int]],
    path: Path,
    temporary: Path,
) -> None:
    """Write the annotations of label rows that are stored, whichever run of the import stored them.

    Args:
        staged: The sorted annotations.
        rows: The label rows that hold them now.
        ledger: Knows the label_hash of each.
        unfit: By number of the label row, the places of annotations that it does not hold.
        path: What the file will be called; its name says the form.
        temporary: Where it is written.
    """
    frames = _frames(staged, rows, ledger, unfit)
    if path.suffix.lower() == _PARQUET:
        sink_frames(frames, _table(staged, []).schema, temporary, _PARQUET)
        return
    with temporary.open("wb") as file:
        for frame in frames:
            frame.write_ndjson(file)


def _frames(
    staged: Staged, rows: Iterable[Row], ledger: Ledger, unfit: Mapping[int, Collection[int]]
) -> Iterator[polars.DataFrame]:
    part: list[tuple[int, str, list[int]]] = []
    annotations = 0
    for row in rows:
        left_out = unfit.get(row.index, ())
        # A row that nothing fits was not saved.
        if len(left_out) == row.annotations:
            continue
        if part and annotations + row.annotations > _ANNOTATIONS_TOGETHER:
            yield _table(staged, part)
            part, annotations = [], 0
        part.append((row.index, ledger.records[row.data_hash].label_hash, list(left_out)))
        annotations += row.annotations
    if part:
        yield _table(staged, part)


def _table(staged: Staged, rows: list[tuple[int, str, list[int]]]) -> polars.DataFrame:
    import polars

    return polars.DataFrame(staged.written(rows))
