"""Measures the memory of `convert`: `python benches/convert_memory.py --out benches/MEMORY.md`.

Files of 0.1, 1 and 10 GB are made, converted in a process of their own, and removed. Linux only; needs 25 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from math import gcd
from pathlib import Path

from encord.objects import OntologyStructure, Shape

from memory import status_mb
from report import number, write
from ropewalk.project.snapshot import Medium, Snapshot, write_snapshot

TEXT = """\
Peak resident memory of a process that converts boxes to label rows, in MB, beside what it may have: as much as one that
converts two boxes (it holds the interpreter and the packages), and 100 MB, three times the largest label row and 48
bytes an image. Every video has 66 boxes on each of 100 frames; annotations stand in the file by video, by category (7),
or shuffled. 2 threads; what is written is thrown away."""

_SIZE_PX = (1920, 1080)
_FRAMES = 100
_PER_FRAME = 66
_CATEGORIES = 7
_BYTES_AN_ANNOTATION = 150
_SPARE_MB = 100
_ROWS_HELD = 3
_BYTES_AN_IMAGE = 48

# First argument of the process that converts.
_CHILD = "convert"

# Position in the file -> number of the annotation, of so many.
Order = Callable[[int], Iterator[int]]


def by_video(count: int) -> Iterator[int]:
    """Give the numbers as they are: video by video, frame by frame."""
    return iter(range(count))


def by_category(count: int) -> Iterator[int]:
    """Give all numbers of one category, then those of the next."""
    return chain.from_iterable(range(category, count, _CATEGORIES) for category in range(_CATEGORIES))


def shuffled(count: int) -> Iterator[int]:
    """Give the numbers in an order in which neighbours are far from each other, without a list of them."""
    step = round(count * 0.618) | 1
    while gcd(step, count) > 1:
        step += 2
    return (at * step % count for at in range(count))


ORDERS: dict[str, Order] = {"by video": by_video, "by category": by_category, "shuffled": shuffled}


@dataclass(frozen=True)
class ConvertTable:
    """Per line: input, peak in MB, what the peak may be in MB, largest label row in MB, seconds."""

    lines: Sequence[tuple[str, float, float, float, float]]

    def markdown(self) -> str:
        """Render the table."""
        rows = ["| input | peak | bound | largest label row | seconds |", "| --- | ---: | ---: | ---: | ---: |"]
        for name, peak, bound, row, seconds in self.lines:
            rows.append(f"| {name} | **{number(peak)}** | {number(bound)} | {number(row)} | {seconds:.0f} |")
        return "\n".join(["## Memory of convert", "", TEXT, "", *rows, ""])


def convert_memory(scale: float, folder: Path) -> ConvertTable:
    """Measure files of 0.1, 1 and 10 GB; `scale` multiplies their sizes."""
    _, own, _, _ = _converted(1, by_video, folder, only=2)
    lines = []
    for gb in (0.1, 1.0, 10.0):
        videos = max(1, round(gb * scale * 1e9 / (_FRAMES * _PER_FRAME * _BYTES_AN_ANNOTATION)))
        for name, order in ORDERS.items():
            len_bytes, peak, row, seconds = _converted(videos, order, folder)
            bound = own + _SPARE_MB + _ROWS_HELD * row + videos * _FRAMES * _BYTES_AN_IMAGE / 1e6
            lines.append((f"{number(len_bytes / 1e9)} GB, {name}", peak, bound, row, seconds))
    return ConvertTable(lines)


def _converted(videos: int, order: Order, folder: Path, only: int | None = None) -> tuple[int, float, float, float]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        source, project_file = Path(own, "boxes.json"), Path(own, "project.json")
        write_boxes(source, videos, order, only)
        write_snapshot(_project(videos), project_file)
        given = [str(source), str(project_file), own]
        done = subprocess.run([sys.executable, __file__, _CHILD, *given], capture_output=True, text=True, check=True)
        peak, row, seconds = json.loads(done.stdout)
        return source.stat().st_size, peak, row, seconds


def write_boxes(path: Path, videos: int, order: Order, only: int | None = None) -> None:
    """Write a COCO dataset, annotation by annotation."""
    boxes = [
        f"{7 + n % 1499}.{n % 89 + 10}, {3 + n % 883}.5, {20 + n % 371}.25, {15 + n % 163}.75" for n in range(9973)
    ]
    frames = videos * _FRAMES
    width, height = _SIZE_PX
    with path.open("w", encoding="ascii") as file:
        file.write('{"videos": [')
        file.write(", ".join(f'{{"id": {n}, "name": "video-{n}.mp4"}}' for n in range(videos)))
        file.write('], "images": [')
        file.writelines(
            f'{", " if n else ""}{{"id": {n}, "file_name": "{n:08}.jpg", "width": {width}, "height": {height}, '
            f'"video_id": {n // _FRAMES}, "frame_index": {n % _FRAMES}}}'
            for n in range(frames)
        )
        file.write('], "categories": [')
        file.write(", ".join(f'{{"id": {n}, "name": "class {n}"}}' for n in range(_CATEGORIES)))
        file.write('], "annotations": [\n')
        count = only or frames * _PER_FRAME
        file.writelines(
            f'{", " if at else ""}{{"id": {n}, "image_id": {n // _PER_FRAME}, "category_id": {n % _CATEGORIES}, '
            f'"bbox": [{boxes[n % 9973]}], "area": {n % 65_537}.25, "iscrowd": 0, "score": 0.{n % 89_989 + 10_000}}}\n'
            for at, n in enumerate(order(count))
        )
        file.write("]}")


def _project(videos: int) -> Snapshot:
    structure = OntologyStructure()
    for category in range(_CATEGORIES):
        structure.add_object(f"class {category}", Shape.BOUNDING_BOX)
    width, height = _SIZE_PX
    media = tuple(
        Medium(
            _hash(n),
            f"video-{n}.mp4",
            "VIDEO",
            _hash(99_999_999),
            "Bench data",
            file_type="video/mp4",
            width=width,
            height=height,
            number_of_frames=_FRAMES,
            frames_per_second=25.0,
            duration=_FRAMES / 25,
        )
        for n in range(videos)
    )
    return Snapshot(_hash(88_888_888), "Bench", "", _hash(77_777_777), "", structure.to_dict(), media)


def _hash(n: int) -> str:
    return f"{n:08d}-0000-4000-8000-000000000000"


def _convert(source: str, project_file: str, work_dir: str) -> None:
    from ropewalk.converting import convert as converting
    from ropewalk.project.snapshot import read_snapshot
    from ropewalk.reading.sources import find_sources

    largest = 0

    class Nowhere:
        def write(self, text: bytes) -> None:
            nonlocal largest
            largest = max(largest, len(text))

    # A file of label rows is several times as large as its source.
    @contextmanager
    def thrown_away(_: Path) -> Iterator[Path]:
        yield Path("/dev/null")

    converting.written_whole = thrown_away
    project = read_snapshot(Path(project_file))
    out = Path(work_dir, "rows.ndjson")
    report = converting.convert(find_sources([source]), out, project, work_dir=Path(work_dir), threads=2)
    assert report.exit_code == 0
    row = report.bytes_sent / report.label_rows_saved / 1e6
    sys.stdout.write(json.dumps([status_mb("VmHWM"), row, report.seconds]))


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="Markdown file to write; none: only print")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the sizes of all files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ropewalk-bench-") as folder:
        table = convert_memory(options.scale, Path(folder))
    text = write([table], " ".join(["python benches/convert_memory.py", *sys.argv[1:]]))
    if options.out:
        options.out.write_text(text, encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    if sys.argv[1:2] == [_CHILD]:
        _convert(*sys.argv[2:])
    else:
        main()
