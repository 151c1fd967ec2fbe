"""The kernels of `ropewalk.rle` beside those of other libraries, on masks and polygons of 1080p.

Every way gives Encord's string (row-major) or takes it, whatever order the library itself works in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import hotcoco
import numpy as np
from pycocotools import mask as coco_mask
from rlemasklib import RLEMask

from parity import check_equal
from report import Line, Table
from ropewalk import rle
from synthetic import HEIGHT_PX, MASK_KINDS, WIDTH_PX, Mask, dense_masks, rings
from timing import interleave

SIZE = (HEIGHT_PX, WIDTH_PX)
TURNED = (WIDTH_PX, HEIGHT_PX)
WAYS = ("ropewalk", "pycocotools", "hotcoco", "rlemasklib", "OpenCV")
TEXT = """\
Microseconds a mask or polygon of 1080p, one thread: median (fastest..slowest), x times ropewalk. All results are equal,
but for contours: ropewalk's follow pixel edges and give the mask back, OpenCV's run through pixel centres. Column-major
libraries are called on the transposed picture where that saves them work."""

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
    lines += [
        _line("mask to Encord string, C order", ENCODE, mixed, repeats),
        _line("mask to Encord string, Fortran order", ENCODE, fortran, repeats),
        _line("Encord string to mask", DECODE, strings, repeats),
        _line("polygon to Encord string, 110 vertices", RASTERISE, rings(10 * number), repeats),
    ]
    for kind in MASK_KINDS:
        lines.append(_contours(kind, inputs[kind], repeats))
    return [Table("Kernels", TEXT, WAYS, tuple(lines))]


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
    kernels: dict[str, Kernel] = {"ropewalk": lambda string: rle.to_polygons(string, SIZE)}
    if find_spec("cv2") is not None:
        kernels["OpenCV"] = _opencv_contours
    return _timed(name, kernels, strings, repeats)


def _opencv_contours(string: str) -> Any:
    import cv2

    mask = coco_mask.decode({"size": TURNED, "counts": string}).T
    return cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)


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
