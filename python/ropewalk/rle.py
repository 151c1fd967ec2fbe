"""Run-length encoded masks, polygons and dense masks, one at a time or many at once.

Two strings with the same alphabet and different meanings meet here, so each has its own name:

* an **rle_string** is always Encord's: pixels counted along the rows (row-major), as ``str``;
* **counts** are always COCO's: pixels counted down the columns (column-major), as compressed ``str`` or ``bytes``,
  or as a list of run lengths.

``size`` is always ``(h, w)`` in px, as in COCO. A mask is a ``bool`` or ``uint8`` array of shape (h, w) in any memory
order, in which every value but 0 is foreground. Rings are vertices in px, flat (``[x, y, x, y, ...]``) or of shape
(n, 2), closed by themselves.

Each function has a twin ``*_many`` for a batch, which takes sequences of the same arguments and gives a list. It works
on ``threads`` threads (default: one a processor) with the GIL released. ``sizes`` is one size for all or one for each.
The first item at fault raises, with its index in ``error.fields["index"]``.

Limits: a side of 2**24 px, 2**32 - 1 px in all, 2**31 px as a dense mask, 1e8 px from the origin for a vertex. Time and
memory for reading run lengths follow their own length, not the declared size.

Format: the run-length string of COCO's pycocotools (``common/maskApi.c``), byte for byte; for Encord the same code over
row-major pixels (``encord.common.bitmask_operations``). A mask without pixels (h or w is 0) is ``"0"``, as in
pycocotools; the empty string is read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ropewalk import _core
from ropewalk.errors import PolygonError, SizeError

__all__ = [
    "coco_to_encord",
    "coco_to_encord_many",
    "decode",
    "decode_coco",
    "decode_coco_many",
    "decode_many",
    "encode",
    "encode_coco",
    "encode_coco_many",
    "encode_many",
    "encord_to_coco",
    "encord_to_coco_many",
    "from_polygons",
    "from_polygons_many",
    "to_polygons",
    "to_polygons_many",
]

Counts: TypeAlias = str | bytes | Sequence[int]
Size: TypeAlias = tuple[int, int]
Mask: TypeAlias = npt.NDArray[np.bool_] | npt.NDArray[np.uint8]
Ring: TypeAlias = npt.NDArray[np.float64]
Part: TypeAlias = list[Ring]
Rings: TypeAlias = Iterable[Any]

_MASK_TYPES = (np.dtype(np.bool_), np.dtype(np.uint8))


def coco_to_encord(counts: Counts, size: Size) -> str:
    """Rewrite COCO counts (column-major) as an Encord rle_string (row-major).

    Args:
        counts: Run lengths down the columns: compressed str or bytes, or a list of int.
        size: (h, w), px.

    Returns:
        The rle_string.

    Raises:
        RleError: The counts are malformed, or do not add up to h * w.
        SizeError: The size is not (h, w), or too large.

    Cost:
        In runs of both orders, not in pixels.

    Example:
        >>> coco_to_encord([2, 3, 1], (2, 3))  # columns 00 11 10
        '121O0'
    """
    return _core.rle_transpose_one(counts, _size(size), False)


def coco_to_encord_many(
    counts: Sequence[Counts], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[str]:
    """Rewrite many COCO counts as rle_strings; see `coco_to_encord`.

    Example:
        >>> coco_to_encord_many([[2, 3, 1], "231"], (2, 3))
        ['121O0', '121O0']
    """
    counts = _batch(counts, "counts")
    return _core.rle_transpose(counts, _sizes(sizes, len(counts)), False, _threads(threads))


def encord_to_coco(rle_string: str, size: Size) -> str:
    """Rewrite an Encord rle_string (row-major) as COCO's compressed counts (column-major).

    Args:
        rle_string: Run lengths along the rows.
        size: (h, w), px.

    Returns:
        The counts as pycocotools writes them, as str (``.encode()`` gives its bytes).

    Raises:
        RleError: The string is malformed, or does not add up to h * w.
        SizeError: The size is not (h, w), or too large.

    Example:
        >>> encord_to_coco("121O0", (2, 3))
        '231'
    """
    return _core.rle_transpose_one(_rle_string(rle_string), _size(size), True)


def encord_to_coco_many(
    rle_strings: Sequence[str], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[str]:
    """Rewrite many rle_strings as COCO's compressed counts; see `encord_to_coco`.

    Example:
        >>> encord_to_coco_many(["121O0", "6"], (2, 3))
        ['231', '6']
    """
    rle_strings = _rle_strings(rle_strings)
    return _core.rle_transpose(rle_strings, _sizes(sizes, len(rle_strings)), True, _threads(threads))


def encode(mask: Mask) -> str:
    """Encode a dense mask as an rle_string (row-major).

    Args:
        mask: bool or uint8, shape (h, w), any memory order; every value but 0 is foreground.

    Returns:
        The rle_string.

    Raises:
        SizeError: The mask does not have two axes, or is too large.
        TypeError: The mask is not bool or uint8.

    Example:
        >>> encode(np.array([[0, 1, 1], [0, 1, 0]], np.uint8))
        '121O0'
    """
    return _core.rle_encode([_dense(mask)], True, 1)[0]


def encode_many(masks: Sequence[Mask] | Mask, *, threads: int | None = None) -> list[str]:
    """Encode many dense masks, an array of shape (n, h, w) or a sequence of (h, w), as rle_strings; see `encode`.

    Example:
        >>> encode_many(np.eye(2, 3, dtype=bool)[None])
        ['0130N']
    """
    return _core.rle_encode([_dense(mask) for mask in masks], True, _threads(threads))


def encode_coco(mask: Mask) -> str:
    """Encode a dense mask as COCO's compressed counts (column-major).

    Args:
        mask: bool or uint8, shape (h, w), any memory order; every value but 0 is foreground.

    Returns:
        The counts as pycocotools writes them, as str (``.encode()`` gives its bytes).

    Raises:
        SizeError: The mask does not have two axes, or is too large.
        TypeError: The mask is not bool or uint8.

    Example:
        >>> encode_coco(np.array([[0, 1, 1], [0, 1, 0]], np.uint8))
        '231'
    """
    return _core.rle_encode([_dense(mask)], False, 1)[0]


def encode_coco_many(masks: Sequence[Mask] | Mask, *, threads: int | None = None) -> list[str]:
    """Encode many dense masks, (n, h, w) or a sequence of (h, w), as COCO's compressed counts; see `encode_coco`.

    Example:
        >>> encode_coco_many(np.eye(2, 3, dtype=bool)[None])
        ['01200']
    """
    return _core.rle_encode([_dense(mask) for mask in masks], False, _threads(threads))


def decode(rle_string: str, size: Size, out: Mask | None = None) -> Mask:
    """Decode an rle_string (row-major) into a dense mask.

    Args:
        rle_string: Run lengths along the rows.
        size: (h, w), px.
        out: bool or uint8 array of shape (h, w), any memory order, to be overwritten whole with 0 and 1.

    Returns:
        ``out``, or a new bool array of shape (h, w), C order.

    Raises:
        RleError: The string is malformed, or does not add up to h * w. ``out`` is unchanged.
        SizeError: The size is not (h, w), is too large, or ``out`` has another shape.
        TypeError: ``out`` is not bool or uint8.
        ValueError: ``out`` is read-only.

    Example:
        >>> decode("121O0", (2, 3)).astype(int)
        array([[0, 1, 1],
               [0, 1, 0]])
    """
    return _decode_one(_rle_string(rle_string), _size(size), out, True)


def decode_many(
    rle_strings: Sequence[str],
    sizes: Size | Sequence[Size],
    out: Sequence[Mask] | Mask | None = None,
    *,
    threads: int | None = None,
) -> list[Mask]:
    """Decode many rle_strings into dense masks; see `decode`.

    ``out`` is an array of shape (n, h, w) or a sequence of (h, w) arrays that do not overlap. All strings are checked
    before any of it is written.

    Example:
        >>> frames = np.empty((2, 2, 3), np.uint8)
        >>> _ = decode_many(["121O0", "6"], (2, 3), out=frames)
        >>> frames.sum(axis=(1, 2)).tolist()
        [3, 0]
    """
    strings = _rle_strings(rle_strings)
    return _decode(strings, _sizes(sizes, len(strings)), out, True, _threads(threads))


def decode_coco(counts: Counts, size: Size, out: Mask | None = None) -> Mask:
    """Decode COCO counts (column-major) into a dense mask.

    Args:
        counts: Run lengths down the columns: compressed str or bytes, or a list of int.
        size: (h, w), px.
        out: bool or uint8 array of shape (h, w), any memory order, to be overwritten whole with 0 and 1.

    Returns:
        ``out``, or a new bool array of shape (h, w), C order.

    Raises:
        RleError: The counts are malformed, or do not add up to h * w. ``out`` is unchanged.
        SizeError: The size is not (h, w), is too large, or ``out`` has another shape.
        TypeError: ``out`` is not bool or uint8.
        ValueError: ``out`` is read-only.

    Example:
        >>> decode_coco([2, 3, 1], (2, 3)).astype(int)
        array([[0, 1, 1],
               [0, 1, 0]])
    """
    return _decode_one(counts, _size(size), out, False)


def decode_coco_many(
    counts: Sequence[Counts],
    sizes: Size | Sequence[Size],
    out: Sequence[Mask] | Mask | None = None,
    *,
    threads: int | None = None,
) -> list[Mask]:
    """Decode many COCO counts into dense masks; see `decode_coco` and, for ``out``, `decode_many`.

    Example:
        >>> [int(mask.sum()) for mask in decode_coco_many([[2, 3, 1], [0, 4]], [(2, 3), (4, 1)])]
        [3, 4]
    """
    counts = _batch(counts, "counts")
    return _decode(counts, _sizes(sizes, len(counts)), out, False, _threads(threads))


def from_polygons(rings: Rings, size: Size) -> str:
    """Draw polygons by exactly pycocotools' rule, as an rle_string (row-major).

    Args:
        rings: Either rings, of which the union is drawn, or parts as `to_polygons` gives them, each a list of rings
            ``[outer, hole, ...]``, drawn as outer minus holes and then united. A ring is flat or (n, 2), px, with at
            least 3 vertices; it may cross itself (filled by parity) and leave the image (clipped). None at all give
            the empty mask.
        size: (h, w), px.

    Returns:
        The rle_string; transposed, it is that of pycocotools' ``merge(frPyObjects(rings, h, w))``.

    Raises:
        PolygonError: A ring is odd, of fewer than 3 vertices, not finite, or further than 1e8 px from the origin.
        SizeError: The size is not (h, w), or too large.

    Cost:
        At most vertices times w, whatever the coordinates.

    Example:
        >>> decode(from_polygons([[0, 0, 3, 0, 0, 3]], (2, 4)), (2, 4)).astype(int)
        array([[1, 1, 0, 0],
               [1, 0, 0, 0]])
    """
    return from_polygons_many([rings], [size], threads=1)[0]


def from_polygons_many(
    polygons: Sequence[Rings], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[str]:
    """Draw many sets of rings (or of parts), one mask each, as rle_strings; see `from_polygons`.

    Example:
        >>> from_polygons_many([[[0, 0, 2, 0, 2, 1, 0, 1]], []], (2, 3))
        ['024', '6']
    """
    parts = [_parts(rings) for rings in polygons]
    sizes, threads = _sizes(sizes, len(parts)), _threads(threads)
    try:
        return _core.rle_from_parts(parts, sizes, threads)
    except (TypeError, OverflowError) as error:
        raise PolygonError(f"a ring is numbers x y x y ... or of shape (n, 2): {error}", code="polygon_type") from None


def to_polygons(rle_string: str, size: Size) -> list[Part]:
    """Follow the pixel edges around the foreground of an rle_string, with holes.

    Args:
        rle_string: Run lengths along the rows.
        size: (h, w), px.

    Returns:
        Parts, the 4-connected pieces of the foreground from top to bottom, each a list of rings ``[outer, hole, ...]``.
        A ring is a float64 array of shape (n, 2), x and y in px, always whole, without repeating the first vertex;
        outer rings run clockwise on the screen, holes counter-clockwise. No ring meets itself. `from_polygons` of the
        parts is the mask, exactly.

    Raises:
        RleError: The string is malformed, or does not add up to h * w.
        SizeError: The size is not (h, w), or too large.

    Cost:
        In runs, not in pixels.

    Example:
        >>> [[ring.tolist() for ring in part] for part in to_polygons("121O0", (2, 3))]
        [[[[1.0, 0.0], [3.0, 0.0], [3.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]]]]
    """
    return to_polygons_many([rle_string], [size], threads=1)[0]


def to_polygons_many(
    rle_strings: Sequence[str], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[list[Part]]:
    """Follow the pixel edges of many rle_strings; see `to_polygons`.

    Example:
        >>> [len(parts) for parts in to_polygons_many(["6", "0130N"], (2, 3))]
        [0, 2]
    """
    rle_strings = _rle_strings(rle_strings)
    return _core.rle_to_parts(rle_strings, _sizes(sizes, len(rle_strings)), _threads(threads))


def _threads(threads: int | None) -> int | None:
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}, expected at least 1 (or None for one a processor)")
    return threads


def _batch(items: Sequence[Any], name: str) -> list[Any]:
    """List a batch; a lone string would pass as a batch of characters."""
    if isinstance(items, (str, bytes)):
        raise TypeError(f"{name} is one {type(items).__name__}, expected a sequence of them")
    return list(items)


def _rle_string(item: str) -> str:
    """Refuse what can only be COCO counts."""
    if not isinstance(item, str):
        raise TypeError(f"an rle_string is a str, not {type(item).__name__}; COCO's counts go to the *_coco functions")
    return item


def _rle_strings(items: Sequence[str]) -> list[str]:
    return [_rle_string(item) for item in _batch(items, "rle_strings")]


def _size(size: Any) -> Size:
    try:
        h, w = size
    except (TypeError, ValueError):
        raise SizeError(f"size is {size!r}, expected (h, w)", code="size_shape") from None
    # Asking the abstract class takes longer than a small mask does.
    if not (type(h) is type(w) is int or (isinstance(h, Integral) and isinstance(w, Integral))) or h < 0 or w < 0:
        raise SizeError(f"size is {size!r}, expected two whole numbers (h, w), at least 0", code="size_value")
    # What does not fit in 64 bits is too large all the same, and is refused there.
    return min(int(h), 2**64 - 1), min(int(w), 2**64 - 1)


def _sizes(sizes: Any, n: int) -> list[Size]:
    sizes = list(sizes) if isinstance(sizes, Iterable) else sizes
    if not isinstance(sizes, list) or (sizes and isinstance(sizes[0], Real)):
        return [_size(sizes)] * n
    if len(sizes) != n:
        raise SizeError(f"{len(sizes)} sizes for {n} masks", code="size_number", found=len(sizes), expected=n)
    return [_size(size) for size in sizes]


def _bytes(mask: Any, name: str) -> npt.NDArray[np.uint8]:
    """View a mask as bytes, of the same shape and memory."""
    if not isinstance(mask, np.ndarray) or mask.dtype not in _MASK_TYPES:
        kind = f"an array of {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise TypeError(f"{name} is {kind}, expected an array of bool or uint8")
    if mask.ndim != 2:
        raise SizeError(f"{name} has shape {mask.shape}, expected (h, w)", code="mask_shape", shape=mask.shape)
    return mask.view(np.uint8)


def _dense(mask: Any) -> npt.NDArray[np.uint8]:
    """Give a mask's bytes; a copy only where it has gaps in memory, or runs backwards."""
    pixels = _bytes(mask, "mask")
    return pixels if pixels.flags.forc else np.ascontiguousarray(pixels)


def _decode(counts: list[Any], sizes: list[Size], out: Any, from_rows: bool, threads: int | None) -> list[Mask]:
    if out is None:
        return [mask.view(np.bool_) for mask in _core.rle_decode(counts, sizes, None, from_rows, threads)]
    masks = list(out)
    if len(masks) != len(counts):
        message = f"out holds {len(masks)} masks for {len(counts)}"
        raise SizeError(message, code="size_number", found=len(masks), expected=len(counts))
    targets = [_target(mask, size) for mask, size in zip(masks, sizes, strict=True)]
    _core.rle_decode(counts, sizes, targets, from_rows, threads)
    for mask, written in zip(masks, targets, strict=True):
        _hand_over(written, mask)
    return masks


def _decode_one(counts: Any, size: Size, out: Any, from_rows: bool) -> Mask:
    if out is None:
        return _core.rle_decode_one(counts, size, None, from_rows).view(np.bool_)
    target = _target(out, size)
    _core.rle_decode_one(counts, size, target, from_rows)
    _hand_over(target, out)
    mask: Mask = out
    return mask


def _target(mask: Any, size: Size) -> npt.NDArray[np.uint8]:
    """Give what the core can write to: the mask's own bytes unless it has gaps in memory, or runs backwards."""
    pixels = _bytes(mask, "out")
    if pixels.shape != size:
        raise SizeError(f"out has shape {mask.shape}, expected {size}", code="mask_shape", shape=mask.shape)
    flags = pixels.flags
    if not flags.writeable:
        raise ValueError("out is read-only")
    return pixels if flags.forc else np.empty(size, np.uint8)


def _hand_over(written: npt.NDArray[np.uint8], mask: Any) -> None:
    if not mask.flags.forc:
        mask.view(np.uint8)[...] = written


def _parts(rings: Any) -> list[list[Ring | list[float]]]:
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
