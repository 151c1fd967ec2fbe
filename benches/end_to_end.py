"""Measures all there is to measure: `python benches/end_to_end.py --out benches/RESULTS.md`.

From a COCO file to the body of the save request, without a network; then every shape from a table, reading alone, the
kernels, writing from arrays, converting, evaluating, whole imports.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import converting
import evaluating
import folders
import formats
import kernels
import memory
import reading
import scaling
import sending
import shapes
import writing
from parity import ParityError, check_bodies
from peers import ways
from report import Line, Table, write
from synthetic import Predictions, boxes, masks, polygons
from timing import interleave

WAYS = ("ropewalk", "plain Python", "SDK")
TEXT = """\
Microseconds an annotation, from a COCO file to the body of the save request, without a network: median
(fastest..slowest), x times ropewalk. One video of 1080p. *ropewalk* reads, resolves, validates, stages, sorts and
encodes; *SDK* takes the steps of `import_coco_labels` on a label row that needs no server; *plain Python* is orjson,
dict literals and rlemasklib, and checks nothing. A dash: not run. The SDK's cost an annotation grows with the number of
frames, so its inputs are short videos."""


@dataclass(frozen=True)
class Case:
    """An input by its name in the table; `sdk` says whether the SDK takes part."""

    name: str
    make: Callable[[Path], Predictions]
    sdk: bool = True


def cases(scale: float) -> list[Case]:
    """List the inputs; `scale` multiplies their frames."""

    def frames(number: int) -> int:
        return max(2, round(number * scale))

    long, short, few = frames(2000), frames(300), frames(100)
    return [
        Case("boxes, each its own object", lambda p: boxes(p, frames=short, per_frame=10, tracked=False)),
        Case("boxes, one object a track", lambda p: boxes(p, frames=short, per_frame=10, tracked=True)),
        Case("boxes, each its own object", lambda p: boxes(p, frames=5 * short, per_frame=10, tracked=False)),
        Case("boxes, a long video", lambda p: boxes(p, frames=long, per_frame=100, tracked=False), sdk=False),
        Case("boxes in tracks, a long video", lambda p: boxes(p, frames=long, per_frame=100, tracked=True), sdk=False),
        Case("polygons, 110 vertices", lambda p: polygons(p, frames=few, per_frame=4)),
        Case("polygons, 110 vertices", lambda p: polygons(p, frames=5 * few, per_frame=4)),
        Case("polygons, a long video", lambda p: polygons(p, frames=10 * few, per_frame=10), sdk=False),
        Case("1080p RLE masks", lambda p: masks(p, frames=frames(24))),
        Case("1080p RLE masks, a long video", lambda p: masks(p, frames=frames(240)), sdk=False),
    ]


def end_to_end(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time all inputs.

    Raises:
        ParityError: Two ways do not make the same.
    """
    lines = []
    for case in cases(scale):
        predictions = case.make(folder / "predictions.json")
        jobs = ways(predictions, sdk=case.sdk)
        check_bodies(case.name, {way: job() for way, job in jobs.items()}, predictions.number_of_annotations)
        count = predictions.number_of_annotations
        name = f"{case.name}: {count:,} on {predictions.medium.number_of_frames:,} frames"
        lines.append(Line(name, count, interleave(jobs, repeats)))
        _tell(name)
    return Table("From file to request body", TEXT, WAYS, tuple(lines))


def main() -> int:
    """Run; 1 when two ways differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="Markdown file to write; none: only print")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the sizes of all inputs")
    parser.add_argument("--repeats", type=int, default=5, help="rounds that count")
    parser.add_argument("--fast", action="store_true", help="only check that all ways agree, on tiny inputs")
    options = parser.parse_args()
    scale, repeats = (0.01, 0) if options.fast else (options.scale, options.repeats)
    try:
        with tempfile.TemporaryDirectory(prefix="ropewalk-bench-") as folder:
            tables = [
                end_to_end(scale, repeats, Path(folder)),
                shapes.table(scale, repeats, Path(folder)),
                formats.table(scale, repeats, Path(folder)),
                formats.threads(scale, repeats, Path(folder)),
                reading.table(scale, repeats, Path(folder)),
                scaling.threads(scale, repeats, Path(folder)),
                scaling.growth(scale, repeats, Path(folder)),
                *kernels.tables(scale, repeats),
                writing.table(scale, repeats, Path(folder)),
                converting.table(scale, repeats, Path(folder)),
                evaluating.table(scale, repeats, Path(folder)),
                folders.table(scale, repeats, Path(folder)),
                sending.sending(scale, repeats, Path(folder)),
                sending.defaults(scale, repeats, Path(folder)),
                memory.import_memory(scale, Path(folder)),
            ]
    except ParityError as e:
        sys.stderr.write(f"parity: {e}\n")
        return 1
    if options.fast:
        _tell("all ways agree")
        return 0
    command = " ".join(["python benches/end_to_end.py", *sys.argv[1:]])
    text = write(tables, command)
    if options.out:
        options.out.write_text(text, encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(text)
    return 0


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
