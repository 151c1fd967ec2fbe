"""labelme's files, read by the core and drawn by a plain reader of labelme's own rule, `shapes_to_label`."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from PIL import Image

import ropewalk
from ropewalk import _core

Json = dict[str, Any]
HEIGHT, WIDTH = 23, 41


def read(path: Path) -> list[Json]:
    reader = _core.read(str(path), "label", None, "{}")
    rows = [row for batch in reader for row in polars.DataFrame(batch).to_dicts()]
    assert reader.counts["rejected"] == 0, reader.rejects
    return rows


def encoded(crop: np.ndarray[Any, Any]) -> str:
    held = BytesIO()
    Image.fromarray(crop).save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


def placed(points: list[list[float]], crop: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Put a mask where labelme does."""
    (x1, y1), (x2, y2) = np.asarray(points).astype(int)
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[y1 : y2 + 1, x1 : x2 + 1] = crop
    return mask


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [np.uint8, bool])
def test_masks_are_where_labelme_draws_them(seed: int, dtype: type, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    shapes, expected = [], []
    for n in range(8):
        h, w = random.integers(1, HEIGHT), random.integers(1, WIDTH)
        top, left = random.integers(0, HEIGHT - h + 1), random.integers(0, WIDTH - w + 1)
        crop = random.random((h, w)) < (1.0 if n == 0 else 0.4)
        # The fraction of a corner is dropped.
        points = [[left + 0.25, top + 0.75], [left + w - 0.75, top + h - 0.25]]
        shapes.append({"label": "a", "points": points, "shape_type": "mask", "mask": encoded(crop.astype(dtype))})
        expected.append(placed(points, crop))
    path = tmp_path / "a.json"
    sizes = {"imagePath": "a.jpg", "imageData": None, "imageHeight": HEIGHT, "imageWidth": WIDTH}
    path.write_text(json.dumps({"shapes": shapes, **sizes}))

    rows = read(path)

    assert len(rows) == len(expected)
    for row, mask in zip(rows, expected, strict=True):
        assert row["rle_order"] == "row_major"
        found = ropewalk.rle.decode(row["rle"].decode(), (row["height_px"], row["width_px"]))
        assert np.array_equal(np.asarray(found) != 0, mask)


def test_polygons_of_a_group_are_one_object(tmp_path: Path) -> None:
    drawn = [
        ("a", 1, [[1, 2], [9, 3], [4, 8]]),
        ("b", 1, [[2, 2], [9, 4], [4, 8]]),
        ("a", None, [[3, 2], [9, 5], [4, 8]]),
        ("a", 1, [[4, 2], [9, 6], [4, 8], [2, 7]]),
        ("a", None, [[5, 2], [9, 7], [4, 8]]),
    ]
    shapes = [
        {"label": label, "group_id": group, "points": points, "shape_type": "polygon"} for label, group, points in drawn
    ]
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"imageHeight": HEIGHT, "imageWidth": WIDTH, "shapes": shapes}))
    flat = [[float(number) for point in points for number in point] for _, _, points in drawn]
    assert [(row["media"], row["class"], row["points"]) for row in read(path)] == [
        ("x", "a", [[flat[0]], [flat[3]]]),
        ("x", "b", [[flat[1]]]),
        ("x", "a", [[flat[2]]]),
        ("x", "a", [[flat[4]]]),
    ]
