"""`ropewalk convert` to a COCO dataset and to a table, in a process of its own: processor time from start to exit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import ropewalk
from parity import check_equal
from report import Line, Table
from synthetic import Predictions, boxes, masks, polygons
from timing import interleave

SUFFIXES = {"to COCO": ".json", "to Parquet": ".parquet"}
COLUMNS = ("media", "frame", "class", "score", "shape", "box", "points", "rle", "rle_order")
TEXT = """\
Seconds of processor time of `ropewalk convert`, from the start of the process to its exit: median (fastest..slowest), x
times as long as to COCO. Sources are COCO files of one video of 1080p."""


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time both.

    Raises:
        ParityError: What was written does not read back as it was.
    """
    frames = max(2, round(2000 * scale))
    makers: dict[str, Callable[[Path], Predictions]] = {
        "boxes": lambda p: boxes(p, frames=frames, per_frame=100, tracked=False),
        "polygons, 110 vertices": lambda p: polygons(p, frames=frames, per_frame=4),
        "1080p RLE masks": lambda p: masks(p, frames=max(2, frames // 20)),
    }
    lines = [_line(name, make(folder / "converting.json"), repeats) for name, make in makers.items()]
    return Table("Converting", TEXT, tuple(SUFFIXES), tuple(lines))


def _line(name: str, predictions: Predictions, repeats: int) -> Line:
    source = predictions.path
    outs = {way: source.with_name(f"converted{suffix}") for way, suffix in SUFFIXES.items()}
    jobs = {way: partial(convert, source, out) for way, out in outs.items()}
    for job in jobs.values():
        job()
    found = {"source": ropewalk.read_coco(source), "to COCO": ropewalk.read_coco(outs["to COCO"])}
    found["to Parquet"] = ropewalk.read_table(outs["to Parquet"])
    title = f"{name}: {predictions.number_of_annotations:,}"
    check_equal(f"convert {title}", {way: rows.to_polars().select(COLUMNS).rows() for way, rows in found.items()})
    # As seconds, not as those of an annotation: part of them is the start of the process.
    return Line(title, 1, interleave(jobs, repeats, seconds_of_children), scale=1)


def convert(source: Path, out: Path, *options: str) -> None:
    """Convert in a process of its own."""
    command = [sys.executable, "-m", "ropewalk", "convert", str(source), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True, cwd=source.parent)


def seconds_of_children() -> float:
    """Tell the processor time of all processes that were waited for, user and system."""
    times = os.times()
    return times.children_user + times.children_system
