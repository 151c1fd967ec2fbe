"""Predictions of OpenMMLab's inferencers, written as their code does and read by the core and by plain Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from pycocotools import mask as coco_mask

from ropewalk import _core

Json = Any
HEIGHT, WIDTH = 23, 41
CLASSES = ["car", "tree", "sign"]


def rows_of(folder: Path, **options: Any) -> list[Json]:
    reader = _core.read(str(folder), "label", None, json.dumps(options))
    rows = [row for batch in reader for row in polars.DataFrame(batch).to_dicts()]
    assert reader.counts["rejected"] == 0
    assert reader.counts["read"] == len(rows)
    return rows


def write(path: Path, document: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def random_mask(random: np.random.Generator) -> np.ndarray[Any, Any]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    y, x = random.integers(0, HEIGHT - 3), random.integers(0, WIDTH - 9)
    mask[y : y + random.integers(1, 9), x : x + 5] = 1
    mask[y + 2, x : x + 9] = 1
    return mask


def corners(random: np.random.Generator) -> list[float]:
    x1, y1, w, h = random.random(4) * 10
    return [float(x1), float(y1), float(x1 + w), float(y1 + h)]


@pytest.mark.parametrize("seed", range(4))
def test_mmdet(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    expected = []
    for image in range(3):
        count = int(random.integers(0, 5))
        # As `DetInferencer.pred2dict` builds it.
        result: Json = {
            "bboxes": [corners(random) if random.random() < 0.7 else [0.0] * 4 for _ in range(count)],
            "labels": random.integers(0, 3, count).tolist(),
            "scores": random.random(count).tolist(),
        }
        masks = [random_mask(random) for _ in range(count)]
        encoded = [coco_mask.encode(np.asfortranarray(mask)) for mask in masks]
        result["masks"] = [rle | {"counts": rle["counts"].decode()} for rle in encoded]
        write(tmp_path / "preds" / f"image-{image}.json", result)
        for box, label, score, mask in zip(result["bboxes"], result["labels"], result["scores"], masks, strict=True):
            x1, y1, x2, y2 = box
            drawn = [x1, y1, x2 - x1, y2 - y1] if any(box) else None
            expected.append((f"image-{image}", CLASSES[label], score, drawn, mask.tobytes()))

    found = []
    for row in rows_of(tmp_path, classes=CLASSES):
        rle = {"size": [row["height_px"], row["width_px"]], "counts": row["rle"]}
        found.append((row["media"], row["class"], row["score"], row["box"], coco_mask.decode(rle).tobytes(order="C")))
        assert row["shape"] == "bitmask"

    assert found == expected


@pytest.mark.parametrize("by_demo", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_mmpose(seed: int, by_demo: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    expected: list[Json] = []

    def instance(media: str, frame: int) -> Json:
        """Build an instance as `split_instances` does."""
        keypoints, scores = (random.random((5, 2)) * 20).tolist(), random.random(5).tolist()
        if random.random() < 0.5:
            scores[2] = 0.0
        box, score = corners(random), float(random.random())
        x1, y1, x2, y2 = box
        flags = [2 if score > 0 else 0 for score in scores]
        points = [[[number for point in keypoints for number in point]]]
        expected.append((media, frame, score, [x1, y1, x2 - x1, y2 - y1], points, flags))
        return {"keypoints": keypoints, "keypoint_scores": scores, "bbox": [box], "bbox_score": score}

    still = [instance("a", 0) for _ in range(3)]
    # The demo scripts count frames from 1.
    clip = [{"frame_id": n + by_demo, "instances": [instance("b", n) for _ in range(2)]} for n in (0, 1, 4)]
    for name, document in (("a", still), ("b", clip)):
        path = tmp_path / f"{'results_' if by_demo else ''}{name}.json"
        write(path, {"meta_info": {"num_keypoints": 5}, "instance_info": document} if by_demo else document)

    found = [
        (row["media"], row["frame"], row["score"], row["box"], row["points"], list(row["visibility"]))
        for row in rows_of(tmp_path, class_="person")
    ]

    assert found == expected
