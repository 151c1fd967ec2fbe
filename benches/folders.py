"""`ropewalk convert` of a folder of small files beside one file of the same rows, in a process of its own."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import polars as pl

from converting import convert, seconds_of_children
from parity import check_equal
from report import Line, Table
from timing import interleave

TEXT = """\
Microseconds of processor time a row (user and system, files in the page cache) of `ropewalk convert` to Parquet, from
the start of the process to its exit: median (fastest..slowest). Each file of the folder holds one row, so the
difference is what a file costs."""

FILES = 50_000
ONE_FILE, FOLDER = "one NDJSON file", "folder"


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time both.

    Raises:
        ParityError: The folder gives other rows than the file.
    """
    count = max(2, round(FILES * scale))
    rows = [_row(number) for number in range(count)]
    one = folder / "rows.ndjson"
    one.write_text("".join(rows), encoding="ascii")
    many = folder / "rows"
    many.mkdir()
    for number, row in enumerate(rows):
        (many / f"{number:06}.ndjson").write_text(row, encoding="ascii")
    sources = {ONE_FILE: one, FOLDER: many}
    outs = {way: folder / f"{way}.parquet" for way in sources}
    jobs = {way: partial(convert, source, outs[way]) for way, source in sources.items()}
    for job in jobs.values():
        job()
    check_equal("a folder", {way: pl.read_parquet(out).drop("source", "offset").rows() for way, out in outs.items()})
    line = Line(f"rows: {count:,}", count, interleave(jobs, repeats, seconds_of_children))
    return Table("A folder of small files", TEXT, (ONE_FILE, FOLDER), (line,))


def _row(number: int) -> str:
    box = [number % 1900, number % 1000, 20, 10]
    row = {"media": f"clip-{number % 97}.mp4", "frame": number // 97, "class": "Car", "score": 0.5, "box": box}
    return json.dumps(row) + "\n"
