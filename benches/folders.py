"""`ropewalk convert` of a folder of small files beside one file of the same rows, in a process of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from converting import convert, seconds_of_children
from parity import check_equal
from report import Line, Table
from ropewalk.project.snapshot import write_snapshot
from sending import make_project
from synthetic import CLASS_NAMES
from timing import interleave

TEXT = """\
Microseconds of processor time a row (user and system, files in the page cache) of `ropewalk convert`, from the start
of the process to its exit: median (fastest..slowest). Each file of a folder holds one row, so the difference is what
a file costs."""

FILES = 100_000
ONE_FILE, FOLDER, YOLO = "one NDJSON file", "folder of NDJSON", "folder of YOLO"
# As many that each row has a frame of its own.
_VIDEOS = 4_001


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time both, to a table and to label rows.

    Raises:
        ParityError: The folder gives other rows than the file.
    """
    count = max(2, round(FILES * scale))
    rows = [_row(number) for number in range(count)]
    one, many, yolo, project = folder / "rows.ndjson", folder / "rows", folder / "labels", folder / "videos.json"
    classes = folder / "classes.txt"
    classes.write_text("\n".join(CLASS_NAMES), encoding="ascii")
    one.write_text("".join(map(_line, rows)), encoding="ascii")
    for target in (many, yolo):
        target.mkdir()
    for number, row in enumerate(rows):
        (many / f"{number:06}.ndjson").write_text(_line(row), encoding="ascii")
        (yolo / f"{row.video}_{row.frame + 1}.txt").write_text(row.yolo(), encoding="ascii")
    write_snapshot(make_project(_VIDEOS), project)

    lines = []
    as_yolo = ("--format", "yolo", "--classes", str(classes))
    for suffix, options in {".parquet": [], ".ndjson": ["--project-file", str(project)]}.items():
        sources = {ONE_FILE: (one,), FOLDER: (many,), YOLO: (yolo, *as_yolo)}
        outs = {way: folder / f"{at}{suffix}" for at, way in enumerate(sources)}
        jobs = {way: partial(convert, source, outs[way], *options, *more) for way, (source, *more) in sources.items()}
        for job in jobs.values():
            job()
        # A table of YOLO calls media by the names of its files.
        alike = outs if suffix == ".ndjson" else {way: outs[way] for way in (ONE_FILE, FOLDER)}
        check_equal(f"folder to {suffix}", {way: _content(out) for way, out in alike.items()})
        title = f"{'table' if suffix == '.parquet' else 'label rows'}: {count:,}"
        lines.append(Line(title, count, interleave(jobs, repeats, seconds_of_children)))
    return Table("A folder of small files", TEXT, (ONE_FILE, FOLDER, YOLO), tuple(lines))


@dataclass(frozen=True)
class _Row:
    """A box, in fractions that text and floats hold exactly."""

    video: str
    frame: int
    x: float
    y: float
    w: float = 1 / 64
    h: float = 1 / 128

    def yolo(self) -> str:
        return f"0 {self.x + self.w / 2} {self.y + self.h / 2} {self.w} {self.h}\n"


def _row(number: int) -> _Row:
    return _Row(f"video-{number % _VIDEOS}", number // _VIDEOS, number % 61 / 64, number % 127 / 128)


def _line(row: _Row) -> str:
    values = {
        "media": f"{row.video}.mp4",
        "frame": row.frame,
        "class": CLASS_NAMES[0],
        "box": [row.x, row.y, row.w, row.h],
        "unit": "frac",
    }
    return json.dumps(values) + "\n"


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
