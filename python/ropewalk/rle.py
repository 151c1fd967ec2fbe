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

from collections.abc import Sequence
from typing import Any

import numpy as np

from ropewalk import _core
from ropewalk.errors import PolygonError, SizeError
from ropewalk.rle_arguments import (
    Counts,
    Mask,
    Part,
    Rings,
    Size,
    batch,
    dense,
    hand_over,
    parts_of,
    rle_string_of,
    rle_strings_of,
    size_of,
    sizes_of,
    target_for,
    threads_of,
)

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


def coco_to_encord(counts: Counts, size: Size) -> str:
    """Rewrite COCO counts (column-major) as an Encord rle_string (row-major).

    Args:
        counts: Run lengths down the columns: compressed str or bytes, or a list of whole numbers.
        size: (h, w), px.

    Returns:
        The rle_string.

    Raises:
        RleError: The counts are malformed, or do not add up to h * w.
        SizeError: The size is not (h, w), or too large.

    Cost:
        In runs of both orders, not in pixels.

    Examples:
        >>> coco_to_encord([2, 3, 1], (2, 3))  # columns 00 11 10
        '121O0'
    """
    return _core.rle_transpose_one(counts, size_of(size), False)


def coco_to_encord_many(
    counts: Sequence[Counts], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[str]:
    """Rewrite many COCO counts as rle_strings; see `coco_to_encord`.

    Examples:
        >>> coco_to_encord_many([[2, 3, 1], "231"], (2, 3))
        ['121O0', '121O0']
    """
    counts = batch(counts, "counts")
    return _core.rle_transpose(counts, sizes_of(sizes, len(counts)), False, threads_of(threads))


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

    Examples:
        >>> encord_to_coco("121O0", (2, 3))
        '231'
    """
    return _core.rle_transpose_one(rle_string_of(rle_string), size_of(size), True)


def encord_to_coco_many(
    rle_strings: Sequence[str], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[str]:
    """Rewrite many rle_strings as COCO's compressed counts; see `encord_to_coco`.

    Examples:
        >>> encord_to_coco_many(["121O0", "6"], (2, 3))
        ['231', '6']
    """
    rle_strings = rle_strings_of(rle_strings)
    return _core.rle_transpose(rle_strings, sizes_of(sizes, len(rle_strings)), True, threads_of(threads))


def encode(mask: Mask) -> str:
    """Encode a dense mask as an rle_string (row-major).

    Args:
        mask: bool or uint8, shape (h, w), any memory order; every value but 0 is foreground.

    Returns:
        The rle_string.

    Raises:
        SizeError: The mask does not have two axes, or is too large.
        TypeError: The mask is not bool or uint8.

    Examples:
        >>> encode(np.array([[0, 1, 1], [0, 1, 0]], np.uint8))
        '121O0'
    """
    return _core.rle_encode([dense(mask)], True, 1)[0]


def encode_many(masks: Sequence[Mask] | Mask, *, threads: int | None = None) -> list[str]:
    """Encode many dense masks, an array of shape (n, h, w) or a sequence of (h, w), as rle_strings; see `encode`.

    Examples:
        >>> encode_many(np.eye(2, 3, dtype=bool)[None])
        ['0130N']
    """
    return _core.rle_encode([dense(mask) for mask in masks], True, threads_of(threads))


def encode_coco(mask: Mask) -> str:
    """Encode a dense mask as COCO's compressed counts (column-major).

    Args:
        mask: bool or uint8, shape (h, w), any memory order; every value but 0 is foreground.

    Returns:
        The counts as pycocotools writes them, as str (``.encode()`` gives its bytes).

    Raises:
        SizeError: The mask does not have two axes, or is too large.
        TypeError: The mask is not bool or uint8.

    Examples:
        >>> encode_coco(np.array([[0, 1, 1], [0, 1, 0]], np.uint8))
        '231'
    """
    return _core.rle_encode([dense(mask)], False, 1)[0]


def encode_coco_many(masks: Sequence[Mask] | Mask, *, threads: int | None = None) -> list[str]:
    """Encode many dense masks, (n, h, w) or a sequence of (h, w), as COCO's compressed counts; see `encode_coco`.

    Examples:
        >>> encode_coco_many(np.eye(2, 3, dtype=bool)[None])
        ['01200']
    """
    return _core.rle_encode([dense(mask) for mask in masks], False, threads_of(threads))


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

    Examples:
        >>> decode("121O0", (2, 3)).astype(int)
        array([[0, 1, 1],
               [0, 1, 0]])
    """
    return _decode_one(rle_string_of(rle_string), size_of(size), out, True)


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

    Examples:
        >>> frames = np.empty((2, 2, 3), np.uint8)
        >>> _ = decode_many(["121O0", "6"], (2, 3), out=frames)
        >>> frames.sum(axis=(1, 2)).tolist()
        [3, 0]
    """
    strings = rle_strings_of(rle_strings)
    return _decode(strings, sizes_of(sizes, len(strings)), out, True, threads_of(threads))


def decode_coco(counts: Counts, size: Size, out: Mask | None = None) -> Mask:
    """Decode COCO counts (column-major) into a dense mask.

    Args:
        counts: Run lengths down the columns: compressed str or bytes, or a list of whole numbers.
        size: (h, w), px.
        out: bool or uint8 array of shape (h, w), any memory order, to be overwritten whole with 0 and 1.

    Returns:
        ``out``, or a new bool array of shape (h, w), C order.

    Raises:
        RleError: The counts are malformed, or do not add up to h * w. ``out`` is unchanged.
        SizeError: The size is not (h, w), is too large, or ``out`` has another shape.
        TypeError: ``out`` is not bool or uint8.
        ValueError: ``out`` is read-only.

    Examples:
        >>> decode_coco([2, 3, 1], (2, 3)).astype(int)
        array([[0, 1, 1],
               [0, 1, 0]])
    """
    return _decode_one(counts, size_of(size), out, False)


def decode_coco_many(
    counts: Sequence[Counts],
    sizes: Size | Sequence[Size],
    out: Sequence[Mask] | Mask | None = None,
    *,
    threads: int | None = None,
) -> list[Mask]:
    """Decode many COCO counts into dense masks; see `decode_coco` and, for ``out``, `decode_many`.

    Examples:
        >>> [int(mask.sum()) for mask in decode_coco_many([[2, 3, 1], [0, 4]], [(2, 3), (4, 1)])]
        [3, 4]
    """
    counts = batch(counts, "counts")
    return _decode(counts, sizes_of(sizes, len(counts)), out, False, threads_of(threads))


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

    Examples:
        >>> decode(from_polygons([[0, 0, 3, 0, 0, 3]], (2, 4)), (2, 4)).astype(int)
        array([[1, 1, 0, 0],
               [1, 0, 0, 0]])
    """
    return from_polygons_many([rings], [size], threads=1)[0]


def from_polygons_many(
    polygons: Sequence[Rings], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[str]:
    """Draw many sets of rings (or of parts), one mask each, as rle_strings; see `from_polygons`.

    Examples:
        >>> from_polygons_many([[[0, 0, 2, 0, 2, 1, 0, 1]], []], (2, 3))
        ['024', '6']
    """
    parts = [parts_of(rings) for rings in polygons]
    sizes, threads = sizes_of(sizes, len(parts)), threads_of(threads)
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

    Examples:
        >>> [[ring.tolist() for ring in part] for part in to_polygons("121O0", (2, 3))]
        [[[[1.0, 0.0], [3.0, 0.0], [3.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]]]]
    """
    return to_polygons_many([rle_string], [size], threads=1)[0]


def to_polygons_many(
    rle_strings: Sequence[str], sizes: Size | Sequence[Size], *, threads: int | None = None
) -> list[list[Part]]:
    """Follow the pixel edges of many rle_strings; see `to_polygons`.

    Examples:
        >>> [len(parts) for parts in to_polygons_many(["6", "0130N"], (2, 3))]
        [0, 2]
    """
    rle_strings = rle_strings_of(rle_strings)
    return _core.rle_to_parts(rle_strings, sizes_of(sizes, len(rle_strings)), threads_of(threads))


def _decode(counts: list[Any], sizes: list[Size], out: Any, from_rows: bool, threads: int | None) -> list[Mask]:
    if out is None:
        return [mask.view(np.bool_) for mask in _core.rle_decode(counts, sizes, None, from_rows, threads)]
    masks = list(out)
    if len(masks) != len(counts):
        message = f"out holds {len(masks)} masks for {len(counts)}"
        raise SizeError(message, code="size_number", found=len(masks), expected=len(counts))
    targets = [target_for(mask, size) for mask, size in zip(masks, sizes, strict=True)]
    _core.rle_decode(counts, sizes, targets, from_rows, threads)
    for mask, written in zip(masks, targets, strict=True):
        hand_over(written, mask)
    return masks


def _decode_one(counts: Any, size: Size, out: Any, from_rows: bool) -> Mask:
    if out is None:
        return _core.rle_decode_one(counts, size, None, from_rows).view(np.bool_)
    target = target_for(out, size)
    _core.rle_decode_one(counts, size, target, from_rows)
    hand_over(target, out)
    mask: Mask = out
    return mask
