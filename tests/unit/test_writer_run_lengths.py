"""Masks that come as run lengths: COCO's, Encord's, and the boxes of supervision's `CompactMask`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco_mask

from letter import F, H, W
from ropewalk import PredictionWriter, rle
from ropewalk.errors import UsageError

COUNTS = [5, 4, 1, 1, 1, 1, 2, 1, 23, 1]


class CompactMask:
    """Has what supervision's has: of each mask the pixels of a box, whose place in the frame is known."""

    def __init__(self, crops: list[Any], offsets: list[tuple[int, int]], image_shape: tuple[int, int]) -> None:
        self.crops, self.image_shape = crops, image_shape
        self.offsets = np.array(offsets, np.int32).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self.crops)

    def crop(self, index: int) -> Any:
        return self.crops[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise AssertionError("made dense")


def write(folder: Path, **arguments: Any) -> tuple[polars.DataFrame, dict[str, int]]:
    """Write one frame; give its rows and the writer's warnings."""
    path = folder / "rows.parquet"
    with PredictionWriter(path) as writer:
        writer.add("drive.mp4", 7, **({"class_names": "Car"} | arguments))
    return polars.read_parquet(path), dict(+writer.warnings)


def coco(mask: Any) -> dict[str, Any]:
    return dict(coco_mask.encode(np.asfortranarray(mask.astype(np.uint8))))


def test_every_form_of_run_lengths_is_the_mask(tmp_path: Path) -> None:
    dense, _ = write(tmp_path, masks=[F] * 6, scores=np.arange(6) / 8)
    compressed = coco(F)
    assert compressed["counts"] != rle.encode(F).encode(), "a fixture whose transpose is itself shows nothing"
    forms = [
        compressed,
        compressed | {"counts": compressed["counts"].decode()},
        {"size": [H, W], "counts": COUNTS},
        {"size": np.array([H, W]), "counts": np.array(COUNTS)},
        {"size": (H, W), "counts": tuple(COUNTS)},
        rle.encode(F),
    ]
    table, _ = write(tmp_path, rles=forms, scores=np.arange(6) / 8, size_hw=(H, W))
    assert table.equals(dense)
    without_size, _ = write(tmp_path, rles=forms[:5], scores=np.arange(5) / 8)
    assert without_size.equals(dense[:5])
    assert len(write(tmp_path, rles=[])[0]) == 0


def test_boxes_beside_run_lengths_are_kept(tmp_path: Path) -> None:
    table, _ = write(tmp_path, rles=[coco(F)], boxes=[[1, 0, 8, 5]], track_ids=[4])
    assert table.select("shape", "box", "track", "width_px", "height_px").rows() == [
        ("bitmask", [1, 0, 7, 5], "4", W, H)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"rles": [coco(F), coco(F.T)]},
            r"rles\[1\] has the size \(h, w\) = \(8, 5\), but that of rles\[0\] is \(5, 8\)",
        ),
        (
            {"rles": [coco(F)], "size_hw": (8, 5)},
            r"rles\[0\] has the size \(h, w\) = \(5, 8\), but size_hw is \(8, 5\)",
        ),
        ({"rles": [rle.encode(F)]}, r"rles\[0\] is an rle_string, which has no size; give size_hw"),
        ({"rles": [coco(F)["counts"]]}, r"rles\[0\] is bytes, expected COCO's dict of size and counts, or Encord's"),
        ({"rles": [F]}, r"rles\[0\] is ndarray, expected COCO's dict"),
        ({"rles": coco(F)}, "rles is one dict, expected one entry for each object"),
        ({"rles": [{"size": [H, W]}]}, r"rles\[0\] has size, expected size and counts"),
        ({"rles": [{"size": [H], "counts": COUNTS}]}, r"rles\[0\]: size is \[5\], expected \(h, w\)"),
        ({"rles": [{"size": [0, 3], "counts": []}]}, r"rles of \(h, w\) = \(0, 3\), expected at least one pixel"),
        ({"rles": [coco(F), {"size": [H, W], "counts": COUNTS[:-1]}]}, r"rles\[1\]: .*39.*40"),
        ({"rles": [coco(F), rle.encode(F), rle.encode(F)[:-1]], "size_hw": (H, W)}, r"rles\[2\]: "),
        ({"rles": [{"size": [H, W], "counts": np.array([0.5])}]}, r"rles\[0\]\['counts'\]\[0\] is 0.5, expected whole"),
        ({"rles": [coco(F)], "masks": [F]}, "masks and rles are given; an object is drawn as one of them"),
        ({"rles": [coco(F)], "mask_threshold": 0.0}, "mask_threshold is given without masks"),
        ({"rles": [coco(F)], "scores": [1, 1]}, "different lengths.* rles 1, scores 2"),
        (
            {"masks": CompactMask([F], [(0, 0)], (H, W)), "mask_threshold": 0.5},
            "mask_threshold is given beside a CompactMask",
        ),
        ({"masks": CompactMask([F], [(0, 0)], (H, W)), "rles": []}, "masks and rles are given"),
        (
            {"masks": CompactMask([F], [(1, 0)], (H, W))},
            r"a crop of shape \(5, 8\) at \(x, y\) = \(1, 0\), expected one inside \(h, w\) = \(5, 8\)",
        ),
        ({"masks": CompactMask([F], [(0, 0)], (H, W)), "size_hw": (6, 8)}, r"size \(h, w\) = \(5, 8\), but size_hw is"),
    ],
)
def test_run_lengths_that_do_not_fit_are_told_with_their_frame(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"^drive.mp4, frame 7: .*{message}"):
        write(tmp_path, **arguments)


@settings(deadline=None, max_examples=60)
@given(
    arrays.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 7))),
    st.tuples(*[st.integers(0, 3)] * 4),
)
def test_a_compact_mask_is_its_box_in_the_frame(
    tmp_path_factory: pytest.TempPathFactory, crop: Any, margins: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = margins
    frame = np.pad(crop, ((top, bottom), (left, right)))
    masks = CompactMask([crop, crop], [(left, top), (0, 0)], frame.shape)
    table, warnings = write(tmp_path_factory.mktemp("compact"), masks=masks)
    moved = np.pad(crop, ((0, top + bottom), (0, left + right)))
    assert table["rle"].to_list() == [rle.encode(mask).encode() for mask in (frame, moved)]

    def touches(left: int, top: int, right: int, bottom: int) -> bool:
        sides = ((crop[:, 0], left), (crop[0], top), (crop[:, -1], right), (crop[-1], bottom))
        return any(margin and side.any() for side, margin in sides)

    at_edge = touches(*margins) + touches(0, 0, left + right, top + bottom)
    assert warnings == ({"mask_at_box_edge": at_edge} if at_edge else {})
