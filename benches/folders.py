"""`ropewalk convert` of a folder of small files beside one file of the same rows, in a process of its own."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import polars as pl

from converting import convert, seconds_of_children
from parity import check_equal
from report import Line, Table
from ropewalk.project.snapshot import write_snapshot
from sending import make_project
from timing import interleave

TEXT = """\
Microseconds of processor time a row (user and system, files in the page cache) of `ropewalk convert`, from the start
of the process to its exit: median (fastest..slowest). Each file of the folder holds one row, so the difference is what
a file costs."""

FILES = 50_000
ONE_FILE, FOLDER = "one NDJSON file", "folder"
_VIDEOS = 97
_FRAMES = 25


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time both, to a table and to label rows.

    Raises:
        ParityError: The folder gives other rows than the file.
    """
    count = max(2, round(FILES * scale))
    rows = [_row(number) for number in range(count)]
    one, many, project = folder / "rows.ndjson", folder / "rows", folder / "videos.json"
    one.write_text("".join(rows), encoding="ascii")
    many.mkdir()
    for number, row in enumerate(rows):
        (many / f"{number:06}.ndjson").write_text(row, encoding="ascii")
    write_snapshot(make_project(_VIDEOS), project)

    lines = []
    for suffix, options in {".parquet": [], ".ndjson": ["--project-file", str(project)]}.items():
        outs = {ONE_FILE: folder / f"of-one-file{suffix}", FOLDER: folder / f"of-folder{suffix}"}
        jobs = {way: partial(convert, source, outs[way], *options) for way, source in ((ONE_FILE, one), (FOLDER, many))}
        for job in jobs.values():
            job()
        check_equal(f"folder to {suffix}", {way: _content(out) for way, out in outs.items()})
        title = f"{'table' if suffix == '.parquet' else 'label rows'}: {count:,}"
        lines.append(Line(title, count, interleave(jobs, repeats, seconds_of_children)))
    return Table("A folder of small files", TEXT, (ONE_FILE, FOLDER), tuple(lines))


def _row(number: int) -> str:
    video, frame, box = number % _VIDEOS, number // _VIDEOS % _FRAMES, [number % 1900, number % 1000, 20, 10]
    row = {
        "media": f"video-{video}.mp4",
        "frame": frame,
        "class": "Car",
        "box": box,
        "unit": "px",
    }
    return json.dumps(row) + "\n"


def _content(out: Path) -> object:
    if out.suffix == ".parquet":
        return pl.read_parquet(out).drop("source", "offset").rows()
    # Everything but the times at which the labels were written, and the order of equal objects.
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    frames = [
        (row["data_title"], frame, labels["objects"])
        for row in rows
        for unit in row["data_units"].values()
        for frame, labels in unit["labels"].items()
    ]
    return [
        (title, frame, sorted(str((found["objectHash"], found["boundingBox"])) for found in objects))
        for title, frame, objects in frames
    ]
