"""The kernels of `ropewalk.rle` beside those of other libraries, on masks and polygons of 1080p.

Every way gives Encord's string (row-major) or takes it, whatever order the library itself works in.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import hotcoco
import numpy as np
from pycocotools import mask as coco_mask
from rlemasklib import RLEMask

from parity import check_equal
from report import Line, Table, write
from ropewalk import rle
from synthetic import HEIGHT_PX, MASK_KINDS, WIDTH_PX, Mask, dense_masks, rings
from timing import interleave

SIZE = (HEIGHT_PX, WIDTH_PX)
TURNED = (WIDTH_PX, HEIGHT_PX)
WAYS = ("ropewalk", "pycocotools", "hotcoco", "rlemasklib", "OpenCV")
TEXT = """\
Microseconds a mask or polygon of 1080p, one thread: median (fastest..slowest), x times ropewalk. All results are equal,
but for contours: ropewalk's follow pixel edges and give the mask back, OpenCV's run through pixel centres. They are
found in what pycocotools decodes (OpenCV) and in the bounding box of what rlemasklib decodes (rlemasklib).
Column-major libraries are called on the transposed picture where that saves them work. "A batch" is one call for all
masks; the other libraries have none and are called for each."""
THREADS = ("one thread", "two threads")
THREADS_TEXT = """\
Microseconds a mask of a batch of 1080p, mixed; x times one thread. Two threads need two idle processors."""
GROWTH = {"1 x": 1, "4 x": 4, "16 x": 16}
GROWTH_TEXT = """\
The same amount of work in 16 small things, in 4 that are 4 times as large, and in one: microseconds for each of the
small ones. So memory that is walked through is equal, and so is what a processor can foretell. Masks are 16 noisy ones
of 1080p, put together 2 x 2 and 4 x 4; polygons get more vertices with their width. The exponent is that of time over
size, from 1 x to 16 x."""

# A kernel of one library, applied to one item.
Kernel = Callable[[Any], Any]


def tables(scale: float, repeats: int) -> list[Table]:
    """Check and time all kernels.

    Raises:
        ParityError: Two libraries give different results.
    """
    number = max(3, round(24 * scale))
    mixed = list(dense_masks(number))
    noise = [(np.random.default_rng(at).random(SIZE) < 0.5).astype(np.uint8) for at in range(max(1, number // 12))]
    inputs = {kind: list(dense_masks(number, kind)) for kind in MASK_KINDS} | {"mixed": mixed, "50 % noise": noise}
    lines = [
        _line(f"COCO counts to Encord string, {kind}", TO_ENCORD, [_counts(mask) for mask in masks], repeats)
        for kind, masks in inputs.items()
    ]
    fortran = [np.asfortranarray(mask) for mask in mixed]
    strings = [rle.encode(mask) for mask in mixed]
    batch = [_counts(mask) for mask in mixed]
    lines += [
        _batch("COCO counts to Encord string, mixed, a batch", TO_ENCORD, _batch_to_encord, batch, repeats),
        _line("mask to Encord string, C order", ENCODE, mixed, repeats),
        _line("mask to Encord string, Fortran order", ENCODE, fortran, repeats),
        _line("Encord string to mask", DECODE, strings, repeats),
        _line("Encord string to mask, into `out`", DECODE | {"ropewalk": _Into()}, strings, repeats),
        _line("polygon to Encord string, 110 vertices", RASTERISE, rings(10 * number), repeats),
    ]
    lines += [_contours(kind, masks, repeats) for kind, masks in inputs.items() if kind in (*MASK_KINDS, "mixed")]
    return [
        Table("Kernels", TEXT, WAYS, tuple(lines)),
        Table("Threads", THREADS_TEXT, THREADS, (_threads(10 * batch, repeats),)),
        Table("Growth", GROWTH_TEXT, tuple(GROWTH), tuple(_growth(repeats))),
    ]


def _batch_to_encord(counts: list[str], threads: int = 1) -> list[str]:
    return rle.coco_to_encord_many(counts, SIZE, threads=threads)


def _batch(
    name: str, kernels: dict[str, Kernel], ours: Callable[[list[Any]], list[Any]], items: list[Any], repeats: int
) -> Line:
    """Time one call of ours for all items beside one for each of the others."""
    check_equal(name, {"a batch": ours(items), "one by one": [kernels["ropewalk"](item) for item in items]})
    jobs: dict[str, Callable[[], object]] = {way: partial(_run, kernel, items) for way, kernel in kernels.items()}
    jobs["ropewalk"] = partial(ours, items)
    return Line(name, len(items), interleave(jobs, repeats))


def _threads(counts: list[str], repeats: int) -> Line:
    name = "COCO counts to Encord string"
    check_equal(name, {f"{n} threads": _batch_to_encord(counts, n) for n in (1, 2)})
    jobs = {way: partial(_batch_to_encord, counts, n) for n, way in enumerate(THREADS, 1)}
    return Line(name, len(counts), interleave(jobs, repeats))


class _Into:
    """Decodes into one buffer, as a loop over frames would."""

    def __init__(self) -> None:
        self._out = np.empty(SIZE, np.uint8)

    def __call__(self, string: str) -> Mask:
        return rle.decode(string, SIZE, out=self._out)


def _growth(repeats: int) -> list[Line]:
    """Time each kernel of ours on 16, 4 and 1 inputs of 1, 4 and 16 times the size."""
    small = list(dense_masks(16, "noisy"))
    masks = {way: [_joined(small[at : at + n]) for at in range(0, 16, n)] for way, n in GROWTH.items()}
    counts = [_counts(mask) for mask in small]
    vertices = rings(16)
    inputs: dict[str, tuple[Kernel, dict[str, list[Any]]]] = {
        "masks in a batch, COCO counts to Encord string": (
            lambda counts: rle.coco_to_encord_many(counts, SIZE, threads=1),
            {way: [counts[at : at + n] for at in range(0, 16, n)] for way, n in GROWTH.items()},
        ),
        "size, COCO counts to Encord string": (
            lambda item: rle.coco_to_encord(*item),
            {way: [(_counts(mask), mask.shape) for mask in items] for way, items in masks.items()},
        ),
        "size, mask to Encord string": (rle.encode, masks),
        "size, Encord string to mask, into `out`": (
            lambda item: rle.decode(*item),
            {way: [(rle.encode(mask), mask.shape, mask.copy()) for mask in items] for way, items in masks.items()},
        ),
        "size, Encord string to polygons": (
            lambda item: rle.to_polygons(*item),
            {way: [(rle.encode(mask), mask.shape) for mask in items] for way, items in masks.items()},
        ),
        "contours in a mask, Encord string to polygons": (
            lambda string: rle.to_polygons(string, SIZE),
            {way: [rle.encode(_dotted(n))] * (16 // n) for way, n in GROWTH.items()},
        ),
        "vertices, polygon to Encord string": (
            lambda item: rle.from_polygons(*item),
            {
                way: [([_widened(ring, n)], (HEIGHT_PX, WIDTH_PX * n)) for ring in vertices[: 16 // n]]
                for way, n in GROWTH.items()
            },
        ),
    }
    lines = []
    for name, (kernel, items) in inputs.items():
        samples = interleave({way: partial(_run, kernel, items[way]) for way in GROWTH}, repeats)
        if not samples:
            continue
        exponent = 1 + math.log(samples["16 x"].median / samples["1 x"].median, 16)
        lines.append(Line(f"{name}: exponent {exponent:.2f}", 16, samples))
    return lines


def _joined(masks: list[Mask]) -> Mask:
    """Put 1, 4 or 16 masks into one, as many in a row as in a column."""
    side = math.isqrt(len(masks))
    return np.concatenate([np.concatenate(masks[at : at + side], axis=1) for at in range(0, len(masks), side)])


def _dotted(times: int) -> Mask:
    """Draw rings of 12 x 9 px, each with a hole: 120 for each of `times`, from the top down."""
    mask = np.zeros(SIZE, np.uint8)
    for at in range(120 * times):
        y, x = 16 * (at // 96), 20 * (at % 96)
        mask[y : y + 9, x : x + 12] = 1
        mask[y + 3 : y + 5, x + 4 : x + 9] = 0
    return mask


def _widened(ring: list[float], times: int) -> list[float]:
    """Stretch a ring along x, its edges divided into as many."""
    corners = np.reshape(ring, (-1, 2)) * (times, 1)
    steps = np.arange(times)[:, None] / times
    edges = [a + steps * (b - a) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    flat: list[float] = np.concatenate(edges).ravel().tolist()
    return flat


def _line(name: str, kernels: dict[str, Kernel], items: list[Any], repeats: int) -> Line:
    check_all(name, kernels, items)
    return _timed(name, kernels, items, repeats)


def check_all(name: str, kernels: dict[str, Kernel], items: list[Any]) -> None:
    """Compare the kernels on every item."""
    for at, item in enumerate(items):
        check_equal(f"{name}, item {at}", {way: kernel(item) for way, kernel in kernels.items()})


def _timed(name: str, kernels: dict[str, Kernel], items: list[Any], repeats: int) -> Line:
    jobs = {way: partial(_run, kernel, items) for way, kernel in kernels.items()}
    return Line(name, len(items), interleave(jobs, repeats))


def _run(kernel: Kernel, items: list[Any]) -> None:
    for item in items:
        kernel(item)


def _contours(kind: str, masks: list[Mask], repeats: int) -> Line:
    """Time tracing alone, where equal results are not to be had: drawn again, ours must give the mask back."""
    name = f"Encord string to polygons, {kind}"
    strings = [rle.encode(mask) for mask in masks]
    for at, string in enumerate(strings):
        again = rle.from_polygons(rle.to_polygons(string, SIZE), SIZE)
        check_equal(f"{name}, item {at}", {"the mask": string, "its polygons, drawn": again})
    return _timed(name, CONTOURS, strings, repeats)


def _opencv_contours(string: str) -> Any:
    mask = coco_mask.decode({"size": TURNED, "counts": string}).T
    return cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)


def _opencv_contours_of_crop(string: str) -> Any:
    mask = RLEMask.from_dict(_encord(string))
    y, x, h, w = map(int, mask.bbox())
    crop = np.ascontiguousarray(mask.to_array().T[y : y + h, x : x + w])
    return cv2.findContours(crop, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)


def _counts(mask: Mask) -> str:
    return str(coco_mask.encode(np.asfortranarray(mask))["counts"], "ascii")


def _coco(counts: str) -> dict[str, Any]:
    return {"size": SIZE, "counts": counts}


def _encord(string: str) -> dict[str, Any]:
    """Say Encord's string in column-major terms: that of the transposed picture."""
    return {"size": TURNED, "counts": string.encode("ascii")}


def _pycocotools_encode(turned: Mask) -> str:
    return str(coco_mask.encode(np.asfortranarray(turned))["counts"], "ascii")


def _hotcoco_encode(turned: Mask) -> str:
    return hotcoco.mask.rle_to_string(hotcoco.mask.encode(turned))


def _rlemasklib_string(mask: RLEMask) -> str:
    return str(mask.to_dict()["counts"], "ascii")


TO_ENCORD: dict[str, Kernel] = {
    "ropewalk": lambda counts: rle.coco_to_encord(counts, SIZE),
    "pycocotools": lambda counts: _pycocotools_encode(coco_mask.decode(_coco(counts)).T),
    "hotcoco": lambda counts: _hotcoco_encode(hotcoco.mask.decode(_coco(counts)).T),
    "rlemasklib": lambda counts: _rlemasklib_string(
        RLEMask.from_dict({"size": SIZE, "counts": counts.encode("ascii")}).T
    ),
}
ENCODE: dict[str, Kernel] = {
    "ropewalk": rle.encode,
    "pycocotools": lambda mask: _pycocotools_encode(mask.T),
    "hotcoco": lambda mask: _hotcoco_encode(mask.T),
    "rlemasklib": lambda mask: _rlemasklib_string(RLEMask.from_array(mask.T)),
}
DECODE: dict[str, Kernel] = {
    "ropewalk": lambda string: rle.decode(string, SIZE),
    "pycocotools": lambda string: coco_mask.decode(_encord(string)).T,
    "hotcoco": lambda string: hotcoco.mask.decode(_encord(string)).T,
    "rlemasklib": lambda string: RLEMask.from_dict(_encord(string)).to_array().T,
}
RASTERISE: dict[str, Kernel] = {
    "ropewalk": lambda ring: rle.from_polygons([ring], SIZE),
    "pycocotools": lambda ring: _pycocotools_encode(
        coco_mask.decode(coco_mask.frPyObjects([ring], HEIGHT_PX, WIDTH_PX))[..., 0].T
    ),
    "hotcoco": lambda ring: _hotcoco_encode(hotcoco.mask.decode(hotcoco.mask.fr_poly(ring, HEIGHT_PX, WIDTH_PX)).T),
    "rlemasklib": lambda ring: _rlemasklib_string(RLEMask.from_polygon(np.reshape(ring, (-1, 2)), SIZE).T),
}
CONTOURS: dict[str, Kernel] = {
    "ropewalk": lambda string: rle.to_polygons(string, SIZE),
    "rlemasklib": _opencv_contours_of_crop,
    "OpenCV": _opencv_contours,
}


if __name__ == "__main__":
    sys.stdout.write(write(tables(scale=1, repeats=11), "python benches/kernels.py"))
