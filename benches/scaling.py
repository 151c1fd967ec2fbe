"""What a second thread gains, and what a file of 4 and 16 times the size costs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from parity import check_equal
from peers import BRANCH, WHEN_TEXT, ontology_of, plan_onto
from report import Line, Table, number
from ropewalk import _core
from ropewalk.project.plan import PlanOptions, plan_of
from sending import boxes as boxes_of_videos
from sending import make_project
from synthetic import Predictions, boxes, polygons
from timing import interleave

THREADS_TEXT = """\
From a COCO file of boxes on 40 videos to the JSON of their label rows, microseconds an annotation; x is the time of one
thread against that of two. Both threads read and resolve, then each encodes one label row after another."""

GROWTH_TEXT = """\
Microseconds an annotation of files 1, 4 and 16 times as large, and the exponent between the first and the last: 1 is
linear. The largest make label rows of about the 50 MB that Encord takes. *staged in memory* and *staged in files* read,
resolve and sort; in files with a budget of 400 KB, which all of them exceed. *encoded* writes and hashes the text of
the label row, 64 KB of it at a time; *for a request* keeps all of it, as a request needs it."""

TIMES = (1, 4, 16)
_SMALL_BUDGET_BYTES = 400_000


def threads(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time one thread against two.

    Raises:
        ParityError: They make different rows.
    """
    path = folder / "videos.json"
    per_row = max(2, round(2_000 * scale))
    snapshot = make_project(40)
    path.write_text(json.dumps(boxes_of_videos(snapshot, per_row)), encoding="ascii")
    plan = plan_of(snapshot, BRANCH, PlanOptions())
    jobs = {"two threads": partial(_rows, plan, path, 2), "one thread": partial(_rows, plan, path, 1)}
    check_equal("threads", {name: job() for name, job in jobs.items()})
    count = 40 * per_row
    line = Line(f"boxes: {count:,}", count, interleave(jobs, repeats))
    return Table("Two threads", THREADS_TEXT, tuple(jobs), (line,))


def _stage(plan: _core.Plan, path: Path, threads: int = 1, memory_bytes: int = 64 << 20) -> _core.Staged:
    stage = _core.Stage(plan, str(path.with_suffix(".rejects")), str(path.parent), memory_bytes, threads)
    stage.add(str(path), path.name, "coco")
    return stage.finish()


def _rows(plan: _core.Plan, path: Path, threads: int) -> list[list[memoryview]]:
    staged = _stage(plan, path, threads)
    encode = partial(staged.encode_blocks, header=None, when=WHEN_TEXT)
    if threads == 1:
        return [encode(index) for index in range(len(staged))]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(encode, range(len(staged))))


@dataclass(frozen=True)
class GrowthTable:
    """Seconds and annotations at each size, by input and step."""

    lines: Sequence[tuple[str, str, Sequence[tuple[int, float]]]]

    def markdown(self) -> str:
        """Render the table."""
        header = ["what grows", "step", *(f"{times}x" for times in TIMES), "exponent"]
        rows = [header, ["---", "---", *("---:" for _ in header[2:])]]
        for name, step, found in self.lines:
            each = (number(seconds * 1e6 / count) for count, seconds in found)
            (count, seconds), (most, longest) = found[0], found[-1]
            rows.append([name, step, *each, f"**{math.log(longest / seconds) / math.log(most / count):.3f}**"])
        body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return f"## Growth\n\n{GROWTH_TEXT}\n\n{body}\n"


def growth(scale: float, repeats: int, folder: Path) -> GrowthTable:
    """Time files of three sizes along each axis."""
    frames = max(2, round(360 * scale))
    few = max(2, round(65 * scale))
    axes: dict[str, Callable[[Path, int], Predictions]] = {
        "frames of boxes": lambda p, n: boxes(p, frames=n * frames, per_frame=20, tracked=False),
        "boxes a frame": lambda p, n: boxes(p, frames=frames, per_frame=20 * n, tracked=False),
        "length of tracks": lambda p, n: boxes(p, frames=n * frames, per_frame=20, tracked=True),
        "frames of polygons": lambda p, n: polygons(p, frames=n * few, per_frame=4),
    }
    lines = []
    for name, make in axes.items():
        found: dict[str, list[tuple[int, float]]] = {}
        for times in TIMES:
            predictions = make(folder / "growth.json", times)
            plan, path = plan_onto(predictions.medium, ontology_of(predictions)), predictions.path
            staged = _stage(plan, path)
            jobs: dict[str, Callable[[], object]] = {
                "staged in memory": partial(_stage, plan, path),
                "staged in files": partial(_stage, plan, path, memory_bytes=_SMALL_BUDGET_BYTES),
                "encoded": partial(staged.measure, 1),
                "for a request": partial(staged.encode_blocks, 0, None, WHEN_TEXT),
            }
            for step, samples in interleave(jobs, repeats).items():
                found.setdefault(step, []).append((predictions.number_of_annotations, samples.median))
        lines += [(name, step, each) for step, each in found.items()]
    return GrowthTable(lines)
