"""`evaluate` of one file against another, beside pycocotools on labels and predictions that it has already read."""

from __future__ import annotations

import io
import json
import random
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import ropewalk
from parity import ParityError
from report import Line, Table
from timing import interleave

WAYS = ("ropewalk", "pycocotools")
TEXT = """\
Seconds of processor time of COCO's metrics: median (fastest..slowest), x times ropewalk. *ropewalk* is
`ropewalk.evaluate` from the two files; *pycocotools* has read both before, and only matches and averages. 20 classes,
10 labels and 10 predictions an image of 640 x 480 px."""
WIDTH, HEIGHT, CLASSES, PER_IMAGE, POINTS = 640, 480, 20, 10, 17
TOLERANCE = 1e-9

Item = dict[str, Any]


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time all three kinds of comparison.

    Raises:
        ParityError: The metrics differ.
    """
    images = {"bbox": round(2500 * scale), "segm": round(1000 * scale), "keypoints": round(2500 * scale)}
    return Table("Evaluating", TEXT, WAYS, tuple(_line(iou, max(2, n), repeats, folder) for iou, n in images.items()))


def _line(iou: str, images: int, repeats: int, folder: Path) -> Line:
    labels, results = folder / "labels.json", folder / "results.json"
    _write(iou, images, labels, results)
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(labels))
        found = truth.loadRes(str(results))

    def ours() -> list[float]:
        metrics = ropewalk.evaluate(results, labels, iou=iou).metrics
        return [-1.0 if value is None else value for value in metrics.values()]

    def theirs() -> list[float]:
        run = COCOeval(truth, found, iou)
        with redirect_stdout(io.StringIO()):
            run.evaluate()
            run.accumulate()
            run.summarize()
        return [float(value) for value in run.stats]

    name = f"{iou}: {2 * PER_IMAGE * images:,} annotations"
    figures = (ours(), theirs())
    if not np.allclose(*figures, rtol=0, atol=TOLERANCE):
        raise ParityError(f"evaluate {name}: {figures[0]} and {figures[1]}")
    return Line(name, 1, interleave(dict(zip(WAYS, (ours, theirs), strict=True)), repeats, time.process_time), scale=1)


def _write(iou: str, images: int, labels: Path, results: Path) -> None:
    draw = random.Random(iou)
    numbers = range(1, images + 1)
    pairs = [_pair(draw, iou, image) for image in numbers for _ in range(PER_IMAGE)]
    document = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT} for n in numbers],
        "categories": [{"id": n, "name": f"class {n}"} for n in range(1, CLASSES + 1)],
        "annotations": [label | {"id": n} for n, (label, _) in enumerate(pairs, 1)],
    }
    labels.write_text(json.dumps(document))
    results.write_text(json.dumps([found for _, found in pairs]))


def _pair(draw: random.Random, iou: str, image: int) -> tuple[Item, Item]:
    """Make a label and a prediction near it."""
    box = [draw.uniform(0, 500), draw.uniform(0, 400), draw.uniform(5, 140), draw.uniform(5, 80)]
    near = [*(v + draw.uniform(-4, 4) for v in box[:2]), *(v * draw.uniform(0.8, 1.2) for v in box[2:])]
    common = {"image_id": image, "category_id": draw.randint(1, CLASSES)}
    shapes = [_shape(draw, iou, of) for of in (box, near)]
    label = common | shapes[0] | {"bbox": box, "area": box[2] * box[3], "iscrowd": 0}
    return label, common | shapes[1] | {"bbox": near, "score": draw.random()}


def _shape(draw: random.Random, iou: str, box: list[float]) -> Item:
    x, y, w, h = box
    if iou == "segm":
        (drawn,) = coco_mask.frPyObjects(
            [[x, y, x + w, y, x + w, y + h, x + w / 2, y + h / 2, x, y + h]], HEIGHT, WIDTH
        )
        return {"segmentation": {"size": drawn["size"], "counts": drawn["counts"].decode()}}
    if iou == "keypoints":
        points = [v for n in range(POINTS) for v in (x + w * n / POINTS, y + h * (n % 5) / 5 + draw.random(), 2)]
        return {"keypoints": points, "num_keypoints": POINTS}
    return {}
