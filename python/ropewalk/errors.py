"""Errors of ropewalk: one class a kind of trouble, each also the natural builtin."""

from __future__ import annotations

from typing import Any


class RopewalkError(Exception):
    """Base of all errors of ropewalk.

    Attributes:
        code: Stable name of the kind, such as ``"rle_sum"``; the text may change, this does not.
        fields: What the kind is about, such as ``{"found": 5, "expected": 6}``.
    """

    code: str
    fields: dict[str, Any]

    def __init__(self, message: str, *, code: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.fields = fields


class RleError(RopewalkError, ValueError):
    """Run lengths that are not a mask of the given size."""


class PolygonError(RopewalkError, ValueError):
    """Rings that cannot be drawn."""


class SizeError(RopewalkError, ValueError):
    """A size that is not (h, w) in px, is too large, or does not fit the array given."""
