"""What the functions of `ropewalk.rle` are given, checked and brought into the form that the core takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ropewalk.errors import PolygonError, SizeError

Counts: TypeAlias = str | bytes | Sequence[int]
Size: TypeAlias = tuple[int, int]
Mask: TypeAlias = npt.NDArray[np.bool_] | npt.NDArray[np.uint8]
Ring: TypeAlias = npt.NDArray[np.float64]
Part: TypeAlias = list[Ring]
Rings: TypeAlias = Iterable[Any]

_MASK_TYPES = (np.dtype(np.bool_), np.dtype(np.uint8))


def threads_of(threads: int | None) -> int | None:
    """Check a number of threads; None is one a processor."""
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}, expected at least 1 (or None for one a processor)")
    return threads


def batch(items: Sequence[Any], name: str) -> list[Any]:
    """List a batch; a lone string would pass as a batch of characters."""
    if isinstance(items, (str, bytes)):
        raise TypeError(f"{name} is one {type(items).__name__}, expected a sequence of them")
    return list(items)


def rle_string_of(item: str) -> str:
    """Refuse what can only be COCO counts."""
    if not isinstance(item, str):
        raise TypeError(f"an rle_string is a str, not {type(item).__name__}; COCO's counts go to the *_coco functions")
    return item


def rle_strings_of(items: Sequence[str]) -> list[str]:
    """List a batch of rle_strings."""
    return [rle_string_of(item) for item in batch(items, "rle_strings")]


def size_of(size: Any) -> Size:
    """Check a size (h, w), px."""
    try:
        h, w = size
    except (TypeError, ValueError):
        raise SizeError(f"size is {size!r}, expected (h, w)", code="size_shape") from None
    # Asking the abstract class takes longer than a small mask does.
    if not (type(h) is type(w) is int or (isinstance(h, Integral) and isinstance(w, Integral))) or h < 0 or w < 0:
        raise SizeError(f"size is {size!r}, expected two whole numbers (h, w), at least 0", code="size_value")
    # What does not fit in 64 bits is too large all the same, and is refused there.
    return min(int(h), 2**64 - 1), min(int(w), 2**64 - 1)


def sizes_of(sizes: Any, n: int) -> list[Size]:
    """List the sizes of n masks, from one for all or one for each."""
    sizes = list(sizes) if isinstance(sizes, Iterable) else sizes
    if not isinstance(sizes, list) or (sizes and isinstance(sizes[0], Real)):
        return [size_of(sizes)] * n
    if len(sizes) != n:
        raise SizeError(f"{len(sizes)} sizes for {n} masks", code="size_number", found=len(sizes), expected=n)
    return [size_of(size) for size in sizes]


def bytes_of(mask: Any, name: str) -> npt.NDArray[np.uint8]:
    """View a mask as bytes, of the same shape and memory."""
    if not isinstance(mask, np.ndarray) or mask.dtype not in _MASK_TYPES:
        kind = f"an array of {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise TypeError(f"{name} is {kind}, expected an array of bool or uint8")
    if mask.ndim != 2:
        raise SizeError(f"{name} has shape {mask.shape}, expected (h, w)", code="mask_shape", shape=mask.shape)
    return mask.view(np.uint8)


def dense(mask: Any) -> npt.NDArray[np.uint8]:
    """Give a mask's bytes; a copy only where it has gaps in memory, or runs backwards."""
    pixels = bytes_of(mask, "mask")
    return pixels if pixels.flags.forc else np.ascontiguousarray(pixels)


def target_for(mask: Any, size: Size) -> npt.NDArray[np.uint8]:
    """Give what the core can write to: the mask's own bytes unless it has gaps in memory, or runs backwards."""
    pixels = bytes_of(mask, "out")
    if pixels.shape != size:
        raise SizeError(f"out has shape {mask.shape}, expected {size}", code="mask_shape", shape=mask.shape)
    flags = pixels.flags
    if not flags.writeable:
        raise ValueError("out is read-only")
    return pixels if flags.forc else np.empty(size, np.uint8)


def hand_over(written: npt.NDArray[np.uint8], mask: Any) -> None:
    """Copy what the core wrote into the mask, where it could not write there itself."""
    if not mask.flags.forc:
        mask.view(np.uint8)[...] = written


def parts_of(rings: Any) -> list[list[Ring | list[float]]]:
    """Bring rings, or parts, into the form of parts with flat rings."""
    try:
        items = list(rings)
        if all(map(_is_ring, items)):
            return [[_ring(ring)] for ring in items]
        return [[_ring(ring) for ring in part] for part in items]
    except TypeError as error:
        raise PolygonError(f"expected rings, or parts of rings, as numbers: {error}", code="polygon_type") from None


def _is_ring(item: Any) -> bool:
    """Tell a ring (numbers, or pairs of numbers) from a part (a list of rings)."""
    if isinstance(item, np.ndarray):
        return item.ndim < 3
    if len(item) == 0 or isinstance(item[0], Real):
        return True
    return len(item[0]) == 2 and all(isinstance(value, Real) for value in item[0])


def _ring(ring: Any) -> Ring | list[float]:
    if type(ring) is list and ring and type(ring[0]) in (float, int):
        # The core reads it in a fraction of the time that NumPy takes for a list.
        return ring
    try:
        vertices = np.ascontiguousarray(ring, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PolygonError(f"a ring is numbers x y x y ... or of shape (n, 2): {error}", code="polygon_type") from None
    if vertices.ndim != 1 and vertices.shape[1:] != (2,):
        message = f"a ring has shape {vertices.shape}, expected (2 n,) or (n, 2)"
        raise PolygonError(message, code="polygon_shape", shape=vertices.shape)
    return vertices.reshape(-1)
