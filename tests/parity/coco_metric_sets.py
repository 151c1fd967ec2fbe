"""Random labels and predictions with all that makes COCO's metrics differ between tools, and pycocotools' answers."""

from __future__ import annotations

import copy
import io
import random
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

Item = dict[str, Any]

WIDTH, HEIGHT = 150, 110
IOUS = ("bbox", "segm", "keypoints")
_AREAS = (0, 200, 1023.5, 1024, 1025, 5000.25, 9216, 12000)


def random_set(seed: int) -> tuple[str, Item, list[Item]]:
    """Make labels and predictions of all shapes of one kind of comparison.

    Returns:
        What is compared, a COCO dataset, and a results list. Predictions all have a box or none has: pycocotools takes
        the first for all.
    """
    rng = random.Random(seed)
    iou = IOUS[seed % 3]
    points = 17 if iou == "keypoints" and rng.random() < 0.8 else rng.choice((1, 5))
    images = [{"id": n, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT} for n in rng.sample(range(90), 4)]
    categories: list[Item] = [{"id": n, "name": f"class {n}"} for n in rng.sample(range(1, 90), 3)]
    if iou == "keypoints":
        categories = [item | {"keypoints": [str(n) for n in range(points)]} for item in categories]
    with_box, crowded = rng.random() < 0.5, rng.random() < 0.1
    labels, results = [], []
    for number in range(rng.randint(0, 14)):
        base = {"image_id": rng.choice(images)["id"], "category_id": rng.choice(categories)["id"]}
        drawn = _draw(rng, iou, points)
        crowd = int(rng.random() < 0.25)
        label = base | drawn | {"id": number + 1, "iscrowd": crowd}
        label["area"] = rng.choice((*_AREAS, drawn["area"], drawn["area"], drawn["area"]))
        if crowd and "segmentation" in label and rng.random() < 0.5:
            label["segmentation"] = _uncompressed(label["segmentation"])
        labels.append(label)
        for _ in range(rng.choice((0, 1, 1, 2, 40 if crowded else 3))):
            moved = _moved(rng, drawn, iou) if rng.random() < 0.8 else _draw(rng, iou, points)
            wrong = {"category_id": rng.choice(categories)["id"]} if rng.random() < 0.1 else {}
            results.append(base | wrong | _predicted(rng, moved, iou, with_box))
    rng.shuffle(labels)
    rng.shuffle(results)
    return iou, {"images": images, "categories": categories, "annotations": labels}, results


def by_pycocotools(iou: str, labels: Item, results: list[Item]) -> list[float | None]:
    """Give pycocotools' summary, -1 as None, without changing what is given."""
    labels, results = copy.deepcopy(labels), copy.deepcopy(results)
    with redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = labels
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results), iou)
        points = len(labels["categories"][0].get("keypoints", ()))
        if iou == "keypoints" and points != 17:
            run.params.kpt_oks_sigmas = np.full(points, 0.05)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [None if value < 0 else float(value) for value in run.stats]


def _draw(rng: random.Random, iou: str, points: int) -> Item:
    """Draw an object: of keypoints some have no labelled point, or points that are not in the picture at (0, 0)."""
    x, y = rng.uniform(0, WIDTH - 20), rng.uniform(0, HEIGHT - 20)
    box = [x, y, rng.uniform(3, WIDTH - x), rng.uniform(3, HEIGHT - y)]
    if rng.random() < 0.3:
        box = [float(round(v)) for v in box]
    if rng.random() < 0.05:
        box[2] = 0.5
    drawn: Item = {"bbox": box, "area": box[2] * box[3]}
    if iou == "segm":
        mask = _encode(_fill(rng, box))
        drawn |= {"segmentation": mask, "area": int(coco_mask.area(_binary(mask)))}
        if rng.random() < 0.3:
            x2, y2 = x + box[2], y + box[3]
            drawn["segmentation"] = [[x, y, x2, y, x2, y2], [x, y2, x2, y2 - 1, x, y + 2]]
    if iou == "keypoints":
        seen = rng.choice((0.0, 0.5, 0.9, 1.0))
        flat: list[float] = []
        for _ in range(points):
            flag = rng.choice((1, 2)) if rng.random() < seen else 0
            at = (round(rng.uniform(x, x + box[2]), 1), round(rng.uniform(y, y + box[3]), 1)) if flag else (0, 0)
            flat += [*at, flag]
        drawn |= {"keypoints": flat, "num_keypoints": sum(map(bool, flat[2::3]))}
    return drawn


def _moved(rng: random.Random, drawn: Item, iou: str) -> Item:
    """Move an object a little, so that it is the same one at some of the thresholds."""
    by = rng.choice((0, 1, 3, 8))
    dx, dy = rng.uniform(-by, by), rng.uniform(-by, by)
    x, y, w, h = drawn["bbox"]
    box = [x + dx, y + dy, w * rng.uniform(0.9, 1.1), h]
    moved: Item = {"bbox": box}
    if iou == "segm":
        moved["segmentation"] = _encode(_fill(rng, box))
    if iou == "keypoints":
        flat = drawn["keypoints"]
        moved["keypoints"] = [v for n in range(0, len(flat), 3) for v in (flat[n] + dx, flat[n + 1] + dy, 1)]
    return moved


def _predicted(rng: random.Random, drawn: Item, iou: str, with_box: bool) -> Item:
    """Make a prediction: a mask as a mask, since pycocotools reads no polygons, and scores that are often equal."""
    item = {"score": rng.choice((0.25, 0.5, 0.5, 1.0, rng.random()))}
    if iou == "bbox" or with_box:
        item["bbox"] = drawn["bbox"]
    if iou == "segm":
        mask = drawn["segmentation"]
        item["segmentation"] = _encode(_fill(rng, drawn["bbox"])) if isinstance(mask, list) else mask
    if iou == "segm" and with_box and rng.random() < 0.2:
        del item["segmentation"]
    if iou == "bbox" and rng.random() < 0.2:
        # Compared are the boxes, whatever mask stands beside.
        item["segmentation"] = _encode(np.ones((HEIGHT // 2, WIDTH), np.uint8, order="F"))
    if iou == "keypoints":
        item["keypoints"] = [v if n % 3 < 2 else rng.choice((v, 0)) for n, v in enumerate(drawn["keypoints"])]
        # A prediction none of whose points is flagged is rejected, as by an import.
        item["keypoints"][2] = 1
    return item


def _fill(rng: random.Random, box: list[float]) -> np.ndarray[Any, Any]:
    """Fill part of a box, with a notch, so that a mask read along the wrong axis is another one."""
    x, y, w, h = (max(0, round(v)) for v in box)
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    pixels[y : y + max(h, 1), x : x + max(w, 1)] = 1
    pixels[y : y + h // 2, x : x + rng.randint(0, max(1, w // 3))] = 0
    pixels[min(y, HEIGHT - 1), min(x + w // 2, WIDTH - 1)] = 1
    return pixels


def _encode(pixels: np.ndarray[Any, Any]) -> Item:
    found = coco_mask.encode(pixels)
    return {"size": list(found["size"]), "counts": found["counts"].decode()}


def _binary(mask: Item) -> Item:
    return mask | {"counts": mask["counts"].encode()}


def _uncompressed(mask: Item | list[Any]) -> Item | list[Any]:
    """Give a mask as run lengths in a list, as COCO's own files have crowds; polygons as they are."""
    if isinstance(mask, list):
        return mask
    flat = coco_mask.decode(_binary(mask)).ravel(order="F")
    edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), len(flat)]
    runs = np.diff(edges).tolist()
    return {"size": mask["size"], "counts": runs if flat[0] == 0 else [0, *runs]}
