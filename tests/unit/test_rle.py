"""ropewalk.rle against pycocotools, the encord SDK, rlemasklib and hotcoco."""

from __future__ import annotations

import doctest
from itertools import product

import hotcoco.mask
import numpy as np
import pytest
import rlemasklib
from encord.common.bitmask_operations import (
    coco_rle_to_encord_rle,
    deserialise_bitmask,
    encord_rle_to_coco_rle,
    serialise_bitmask,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from ropewalk import rle

# An F: no symmetry maps it on itself.
F = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], bool)


def coco_counts(mask: np.ndarray) -> str:
    return coco.encode(np.asfortranarray(mask, np.uint8))["counts"].decode()


def transposed_counts(mask: np.ndarray) -> str:
    """What pycocotools writes for the transposed mask: the mask row by row."""
    return coco_counts(mask.T)


def random_masks(n: int, seed: int) -> list[np.ndarray]:
    """Masks of all kinds and shapes, among them no pixels, one colour, and a first pixel set."""
    rng = np.random.default_rng(seed)
    masks = []
    for i in range(n):
        h, w = rng.integers(0, 40, 2)
        y, x = np.mgrid[:h, :w]
        cy, cx, ry, rx = rng.uniform(0, 40, 4)
        match i % 7:
            case 0:
                mask = np.zeros((h, w), bool)
            case 1:
                mask = np.ones((h, w), bool)
            case 2:
                mask = rng.random((h, w)) < 0.5
            case 3:
                mask = rng.random((h, w)) < 0.05
            case 4:
                mask = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
            case 5:
                mask = (x > cx - 20) & (y < cy)
            case _:
                mask = (x * cy + y * cx) % 7 < 3
        if i % 5 == 0:
            mask[:1, :1] = True
        masks.append(mask)
    return masks


def test_docstrings() -> None:
    results = doctest.testmod(rle)
    assert results.attempted >= 16
    assert results.failed == 0


def test_ten_thousand_masks_equal_pycocotools_and_the_sdk() -> None:
    masks = random_masks(10_000, seed=1)
    sizes = [mask.shape for mask in masks]
    rows = [transposed_counts(mask) for mask in masks]
    columns = [coco_counts(mask) for mask in masks]
    assert any(0 in size for size in sizes)
    assert any(mask.all() for mask in masks if mask.size)

    assert rle.encode_many(masks) == rows
    assert rle.encode_coco_many(masks) == columns
    assert rle.coco_to_encord_many(columns, sizes) == rows
    assert rle.encord_to_coco_many(rows, sizes) == columns
    for mask, decoded, decoded_coco in zip(
        masks, rle.decode_many(rows, sizes), rle.decode_coco_many(columns, sizes), strict=True
    ):
        assert decoded.dtype == np.bool_
        assert np.array_equal(decoded, mask)
        assert np.array_equal(decoded_coco, mask)

    for mask, row, column in zip(masks[::10], rows[::10], columns[::10], strict=True):
        h, w = mask.shape
        if mask.size:  # the SDK writes "" for no pixels
            assert serialise_bitmask(mask.tobytes()) == row
            assert coco_rle_to_encord_rle(column, height=h, width=w) == row
            assert encord_rle_to_coco_rle(row, height=h, width=w) == column
        assert deserialise_bitmask(row, h * w) == mask.tobytes()


def test_other_libraries_read_and_write_the_same() -> None:
    for mask in (mask for mask in random_masks(300, seed=2) if mask.size):
        counts = rle.encode_coco(mask)
        assert rlemasklib.encode(mask.astype(np.uint8))["counts"].decode() == counts
        encoded = hotcoco.mask.encode(np.asfortranarray(mask, np.uint8))["counts"]
        assert (encoded.decode() if isinstance(encoded, bytes) else encoded) == counts
        assert np.array_equal(coco.decode({"size": list(mask.shape), "counts": counts}), mask)


def test_chiral_mask_by_hand() -> None:
    assert rle.encode(F) == transposed_counts(F) != coco_counts(F)
    assert np.array_equal(rle.decode(rle.encode(F), F.shape), F)
    assert rle.coco_to_encord([0, 5, 1, 1, 1, 1, 3, 1, 1, 1, 3, 1, 5], (6, 4)) == rle.encode(F)


@pytest.mark.parametrize("counts", ["231", b"231", [2, 3, 1], (2, 3, 1), np.array([2, 3, 1])])
def test_counts_in_every_form(counts: object) -> None:
    assert rle.coco_to_encord(counts, (2, 3)) == "121O0"
    assert rle.decode_coco(counts, (2, 3)).tolist() == [[False, True, True], [False, True, False]]


@pytest.mark.parametrize("counts", [[2, 0, 0, 3, 1], [2, 1, 0, 2, 1], [2, 3, 1, 0], [0, 0, 2, 3, 1, 0, 0]])
def test_empty_runs_are_joined(counts: list[int]) -> None:
    assert rle.coco_to_encord(counts, (2, 3)) == "121O0"


def test_empty_string_is_a_mask_without_pixels() -> None:
    assert rle.coco_to_encord("", (0, 3)) == rle.coco_to_encord([], (3, 0)) == "0"
    assert rle.decode("", (0, 3)).shape == (0, 3)


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_masks_of_any_memory_order(dtype: type) -> None:
    big = np.zeros((12, 12), dtype)
    layouts = {
        "C": np.ascontiguousarray(F, dtype),
        "F": np.asfortranarray(F, dtype),
        "strided": big[::2, ::3],
        "reversed": np.ascontiguousarray(F[::-1, ::-1], dtype)[::-1, ::-1],
        "window": np.zeros((8, 9), dtype)[1:7, 2:6],
        "transposed window": np.zeros((9, 8), dtype)[2:6, 1:7].T,
    }
    for name, mask in layouts.items():
        mask[...] = F
        if dtype is np.uint8:
            mask[mask == 1] = 255
        assert rle.encode(mask) == transposed_counts(F), name
        assert rle.encode_coco(mask) == coco_counts(F), name
        for decode, string in [(rle.decode, transposed_counts(F)), (rle.decode_coco, coco_counts(F))]:
            mask[...] = 7
            assert decode(string, (6, 4), out=mask) is mask
            assert np.array_equal(mask, F), name
    assert big.sum() == F.sum()


def test_out_for_many() -> None:
    out = np.full((3, 6, 4), 9, np.uint8)
    rle.decode_many([rle.encode(F), rle.encode(~F), rle.encode(F)], (6, 4), out=out)
    assert np.array_equal(out, [F, ~F, F])


def test_threads_give_the_same() -> None:
    masks = random_masks(500, seed=3)
    sizes = [mask.shape for mask in masks]
    polygons = rle.to_polygons_many(rle.encode_many(masks, threads=1), sizes, threads=1)
    for threads in [None, 1, 2, 7]:
        rows = rle.encode_many(masks, threads=threads)
        assert rows == [transposed_counts(mask) for mask in masks]
        assert rle.encord_to_coco_many(rows, sizes, threads=threads) == rle.encode_coco_many(masks, threads=threads)
        assert rle.from_polygons_many(polygons, sizes, threads=threads) == rows
        decoded = rle.decode_many(rows, sizes, threads=threads)
        assert all(map(np.array_equal, decoded, masks))


def test_batches_of_none() -> None:
    assert rle.encode_many([]) == rle.decode_many([], (2, 3)) == rle.coco_to_encord_many([], []) == []


def test_every_small_mask_survives_as_polygons() -> None:
    for h, w in [(3, 4), (4, 3), (2, 6)]:
        masks = np.array(list(product([False, True], repeat=h * w))).reshape(-1, h, w)
        rows = rle.encode_many(masks)
        parts = rle.to_polygons_many(rows, (h, w))
        assert rle.from_polygons_many(parts, (h, w)) == rows
        for mask, mask_parts in zip(masks[::37], parts[::37], strict=True):
            assert np.array_equal(draw_parts(mask_parts, h, w), mask)


def test_random_masks_survive_as_polygons() -> None:
    masks = [mask for mask in random_masks(1000, seed=4) if mask.size]
    for mask in masks:
        row = rle.encode(mask)
        parts = rle.to_polygons(row, mask.shape)
        assert rle.from_polygons(parts, mask.shape) == row
        assert np.array_equal(draw_parts(parts, *mask.shape), mask)


def draw_parts(parts: list[list[np.ndarray]], h: int, w: int) -> np.ndarray:
    """Draw parts by pycocotools alone: outer minus holes, united."""
    drawn = np.zeros((h, w), bool)
    for part in parts:
        outer, *holes = (coco.decode(coco.frPyObjects([ring.ravel().tolist()], h, w))[..., 0] for ring in part)
        drawn |= (outer == 1) & ~np.any([hole == 1 for hole in holes], axis=0) if holes else outer == 1
    return drawn


def test_frame_with_a_part_in_its_hole() -> None:
    mask = np.zeros((7, 8), bool)
    mask[1:6, 1:7] = True
    mask[2:5, 2:6] = False
    mask[3, 3:5] = True
    frame, inner = rle.to_polygons(rle.encode(mask), mask.shape)
    assert [ring.tolist() for ring in frame] == [
        [[1, 1], [7, 1], [7, 6], [1, 6]],
        [[2, 2], [2, 5], [6, 5], [6, 2]],
    ]
    assert [ring.tolist() for ring in inner] == [[[3, 3], [5, 3], [5, 4], [3, 4]]]


coordinate = st.one_of(
    st.floats(-30, 70),
    st.integers(-50, 90).map(float),
    st.integers(-300, 700).map(lambda v: v / 10),
    st.floats(-3e3, 3e3),
)
ring = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12).map(lambda points: sum(points, ()))


@settings(max_examples=600, deadline=None)
@given(st.lists(ring, min_size=1, max_size=4), st.integers(1, 60), st.integers(1, 60))
def test_polygons_equal_pycocotools(rings: list[tuple[float, ...]], h: int, w: int) -> None:
    drawn = coco.merge(coco.frPyObjects([list(ring) for ring in rings], h, w))
    ours = rle.from_polygons(rings, (h, w))
    assert rle.encord_to_coco(ours, (h, w)).encode() == drawn["counts"]


def test_real_shaped_polygons_equal_pycocotools() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        angle = np.linspace(0, 2 * np.pi, rng.integers(3, 120), endpoint=False)
        radius = rng.uniform(0.2, 400) * rng.uniform(0.7, 1.3, angle.size)
        centre = rng.uniform(-50, 700, 2)
        points = (centre + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)).round(2)
        theirs = coco.frPyObjects([points.ravel().tolist()], 480, 640)[0]["counts"]
        assert rle.encord_to_coco(rle.from_polygons([points], (480, 640)), (480, 640)).encode() == theirs


def test_rings_in_every_form() -> None:
    outer, hole = [1, 1, 7, 1, 7, 6, 1, 6], [2, 2, 2, 5, 6, 5, 6, 2]
    pairs = [list(zip(ring[::2], ring[1::2], strict=True)) for ring in (outer, hole)]
    arrays = [np.array(pair) for pair in pairs]
    size = (7, 8)
    union = rle.from_polygons([outer], size)
    frame = rle.from_polygons([[outer, hole]], size)
    assert rle.decode(union, size).sum() == 30
    assert rle.decode(frame, size).sum() == 18
    for rings in [[outer, hole], pairs, arrays, np.array(arrays), np.array([outer, hole]), tuple(arrays)]:
        assert rle.from_polygons(rings, size) == union
    for parts in [[pairs], [arrays], [[np.array(outer), pairs[1]]], (tuple(arrays),), np.array([arrays])]:
        assert rle.from_polygons(parts, size) == frame


def test_huge_coordinates_are_clipped() -> None:
    assert rle.from_polygons([[-1e8, -1e8, 1e8, -1e8, 1e8, 1e8, -1e8, 1e8]], (5, 7)) == rle.encode(
        np.ones((5, 7), bool)
    )
