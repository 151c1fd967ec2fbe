"""Reading a COCO file: into the IR, into hotcoco's index, into Python's own lists and dicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hotcoco
import orjson
import polars as pl

import ropewalk
from parity import check_equal
from report import Line, Table
from ropewalk import rle
from synthetic import HEIGHT_PX, WIDTH_PX, Predictions, boxes, masks, polygons
from timing import interleave

TEXT = """\
MB of file a second: median (slowest..fastest), x times as long as ropewalk. *ropewalk* checks every value and gives
typed batches; hotcoco gives an index of typed annotations; json and orjson give dicts. In the last line ropewalk reads
the masks' run lengths as well, which proves that they fill the picture, and makes Encord's strings of them; the others
leave them unread."""


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time reading.

    Raises:
        ParityError: Two readers give different annotations.
    """
    frames = max(2, round(1000 * scale))
    makers: dict[str, Callable[[Path], Predictions]] = {
        "boxes": lambda p: boxes(p, frames=frames, per_frame=100, tracked=False),
        "polygons": lambda p: polygons(p, frames=frames, per_frame=6),
        "1080p RLE masks": lambda p: masks(p, frames=max(2, frames // 4)),
    }
    lines = [_line(name, make(folder / "reading.json"), repeats) for name, make in makers.items()]
    # The file that was made last is that of the masks.
    checked = {"ropewalk": partial(_checked, str(folder / "reading.json"))}
    samples = {**lines[-1].samples, **interleave(checked, repeats)}
    lines.append(replace(lines[-1], input="- contents checked", samples=samples))
    return Table("Reading COCO", TEXT, ("ropewalk", "hotcoco", "orjson", "json"), tuple(lines))


def _line(name: str, predictions: Predictions, repeats: int) -> Line:
    path = str(predictions.path)
    content = predictions.path.read_bytes()
    theirs = hotcoco.COCO(path).anns
    check_equal(
        f"reading {name}",
        {
            "ropewalk": [found for batch in ropewalk.read_coco(path) for found in _of_batch(batch)],
            "hotcoco": [_of_dict(annotation) for _, annotation in sorted(theirs.items())],
            "orjson": [_of_dict(annotation) for annotation in orjson.loads(content)["annotations"]],
            "json": [_of_dict(annotation) for annotation in json.loads(content)["annotations"]],
        },
    )
    jobs: dict[str, Callable[[], object]] = {
        "ropewalk": lambda: sum(len(batch) for batch in ropewalk.read_coco(path)),
        "hotcoco": lambda: hotcoco.COCO(path),
        "orjson": lambda: orjson.loads(predictions.path.read_bytes()),
        "json": lambda: json.loads(predictions.path.read_bytes()),
    }
    title = f"{name}: {len(content) / 1e6:.1f} MB, {predictions.number_of_annotations:,}"
    return Line(title, len(content), interleave(jobs, repeats), per_second=True)


def _checked(path: str) -> int:
    strings = 0
    for batch in ropewalk.read_coco(path):
        counts = pl.DataFrame(batch)["rle"].to_list()
        strings += len(rle.coco_to_encord_many(counts, (HEIGHT_PX, WIDTH_PX), threads=1))
    return strings


def _of_batch(batch: Any) -> list[tuple[Any, ...]]:
    columns = pl.DataFrame(batch).select("annotation_id", "score", "box", "points", "rle")
    found = []
    for annotation_id, score, box, parts, counts in columns.rows():
        rings = None if parts is None else [ring for part in parts for ring in part]
        found.append((int(annotation_id), score, box and list(box), rings, counts))
    return found


def _of_dict(annotation: dict[str, Any]) -> tuple[Any, ...]:
    segmentation = annotation.get("segmentation")
    rle = None
    if isinstance(segmentation, dict):
        counts, segmentation = segmentation["counts"], None
        rle = counts.encode("ascii") if isinstance(counts, str) else counts
    return annotation["id"], annotation["score"], annotation["bbox"], segmentation, rle
