"""Arrays of one frame, checked: whatever does not fit is told with its name, what was found, and the frame."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ropewalk.errors import UsageError
from ropewalk.text import is_writable, shown

Floats: TypeAlias = npt.NDArray[np.float64]
Ring: TypeAlias = Floats
Part: TypeAlias = list[Ring]

_LARGEST_U32 = 2**32 - 1

# How far outside 0 to 1 a confidence is still one of them, as the core has it.
_ROUNDING = 1e-6

# What is expected of texts; the system gives others for names of files that it cannot decode.
WRITABLE = "expected a text that UTF-8 can write"

# What trackers and table libraries write where there is no track.
_NO_TRACK = ("", "-1", "-1.0", "nan", "NaN")


@dataclass(frozen=True)
class Place:
    """The frame that arrays belong to.

    Attributes:
        media: Title, file name or data_hash.
        frame: 0-based; None for the whole medium.
        warnings: Things worth a look, counted.
    """

    media: str
    frame: int | None
    warnings: Counter[str] = field(default_factory=Counter)

    def error(self, text: str) -> UsageError:
        """Make an error that names the frame."""
        where = "" if self.frame is None else f", frame {self.frame}"
        return UsageError(f"{shown(self.media)}{where}: {text}")

    def array(self, name: str, given: Any) -> npt.NDArray[Any]:
        """Take an array, a tensor of any device, or what numpy makes an array of."""
        try:
            array = np.asarray(_on_host(given))
        except (TypeError, ValueError, RuntimeError) as e:
            raise self.error(f"{name} is {type(given).__name__} that is no array: {e}") from None
        # A type of ml_dtypes: numpy has none of its own, and no kind for it. Each of its values is a 32-bit float.
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    def numbers(self, name: str, given: Any, expected: str, *tail: tuple[int, ...]) -> Floats:
        """Take finite numbers of shape (n, ...).

        Args:
            name: The argument.
            given: What was passed for it; nothing at all has n = 0, whatever its other axes.
            expected: The shape in words.
            *tail: Lengths that each further axis may have, empty for any.
        """
        array = self.array(name, given)
        if array.ndim > 0 and len(array) == 0:
            return np.empty((0, *(allowed[0] if allowed else 0 for allowed in tail)))
        fits = array.ndim == 1 + len(tail) and all(
            not allowed or length in allowed for length, allowed in zip(array.shape[1:], tail, strict=True)
        )
        if not fits:
            raise self.error(f"{name} has shape {array.shape}, expected {expected}")
        if array.dtype.kind not in "fiu":
            raise self.error(f"{name} is of {array.dtype}, expected numbers")
        floats = array.astype(np.float64)
        if not np.isfinite(floats).all():
            at = tuple(map(int, np.argwhere(~np.isfinite(floats))[0]))
            raise self.error(f"{name}[{', '.join(map(str, at))}] is {floats[at]}, expected finite numbers")
        return floats

    def items(self, name: str, given: Any) -> list[Any]:
        """Take what holds one entry for each object."""
        if isinstance(given, (str, bytes, Mapping)):
            raise self.error(f"{name} is one {type(given).__name__}, expected one entry for each object")
        try:
            return list(given)
        except TypeError:
            raise self.error(f"{name} is {type(given).__name__}, expected one entry for each object") from None

    def whole(self, name: str, given: Any) -> list[int]:
        """Take whole numbers of shape (n,), also as floats: models give ids so."""
        array = self.array(name, given)
        if array.ndim == 1 and array.dtype.kind in "iu":
            return list(array.tolist())
        floats = self.numbers(name, array, "(n,)")
        at = _first(floats != np.trunc(floats))
        if at is not None:
            raise self.error(f"{name}[{at}] is {_number(floats[at])}, expected whole numbers")
        return list(map(int, floats))

    def boxes(self, given: Any, box_format: str) -> Floats:
        """Take boxes of shape (n, 4) as x, y, w, h, their unit kept."""
        boxes = self.numbers("boxes", given, f"(n, 4) as {box_format}", (4,))
        # What overflows is told below.
        with np.errstate(over="ignore"):
            if box_format == "xyxy":
                boxes[:, 2:] -= boxes[:, :2]
            elif box_format == "cxcywh":
                boxes[:, :2] -= boxes[:, 2:] / 2
        at = _first(boxes[:, 2:].min(axis=1) < 0)
        if at is not None:
            w, h = map(_number, boxes[at, 2:])
            raise self.error(f"boxes[{at}] has w = {w}, h = {h} read as {box_format}, expected at least 0")
        at = _first(np.asarray((~np.isfinite(boxes)).any(axis=1)))
        if at is not None:
            raise self.error(f"boxes[{at}] is larger than any number read as {box_format}, expected finite sides")
        return boxes

    def scores(self, given: Any) -> Floats:
        """Take confidences of shape (n,), 0..1; what is outside by rounding alone becomes 0 or 1."""
        scores = self.numbers("scores", given, "(n,)")
        clamped = scores.clip(0, 1)
        at = _first((scores < -_ROUNDING) | (scores > 1 + _ROUNDING))
        if at is not None:
            raise self.error(f"scores[{at}] is {_number(scores[at])}, expected 0 to 1")
        self.warnings["score_clamped"] += int((scores != clamped).sum())
        return clamped

    def size_hw(self, given: Any) -> tuple[int, int]:
        """Take the frame's size, px."""
        try:
            h, w = (int(side) if int(side) == side else 0 for side in given)
        except (TypeError, ValueError):
            h = w = 0
        if not (0 < h <= _LARGEST_U32 and 0 < w <= _LARGEST_U32):
            raise self.error(f"size_hw is {given!r}, expected (h, w), whole px above 0")
        return h, w

    def polygons(self, given: Any) -> list[list[Part]]:
        """Take polygons: a ring (k, 2), a list of rings (each a part), or parts [outline, hole, ...]; None is none."""
        rows: list[list[Part]] = []
        for at, item in enumerate(self.items("polygons", given)):
            name = f"polygons[{at}]"
            depth = 0 if item is None else _depth(item)
            if item is None:
                rows.append([])
            elif depth == 2:
                rows.append([[self.ring(name, item, 3)]])
            elif depth == 3:
                rows.append([[self.ring(name, ring, 3)] for ring in item])
            elif depth == 4:
                rows.append([[self.ring(name, ring, 3) for ring in part] for part in item])
                if not all(rows[-1]):
                    raise self.error(f"{name} has a part without rings, expected [outline, hole, ...]")
            else:
                found = f"shape {item.shape}" if hasattr(item, "shape") else f"{depth} levels of lists"
                raise self.error(
                    f"{name} has {found}, expected a ring (k, 2), a list of rings, or parts [outline, hole, ...]"
                )
        return rows

    def ring(self, name: str, given: Any, least: int) -> Ring:
        """Take the vertices of a ring or line, (k, 2)."""
        ring = self.numbers(name, given, "(k, 2)", (2,))
        if len(ring) < least:
            raise self.error(f"{name} has {len(ring)} vertices, expected at least {least}")
        return ring

    def points(self, name: str, given: Any, least: float) -> Floats:
        """Take the points of skeletons; where one is whose third number is below `least` does not matter."""
        array = self.array(name, given)
        if array.ndim == 3 and array.shape[2] == 3 and array.dtype.kind == "f":
            absent = (array[:, :, 2:] < least) & ~np.isfinite(array)
            array = np.where(absent, 0, array)
        return self.numbers(name, array, "(n, k, 2) or (n, k, 3)", (), (2, 3))

    def keypoints(self, given: Any) -> tuple[Floats, npt.NDArray[np.uint8] | None]:
        """Take keypoints (n, k, 2), or (n, k, 3) with flags of visibility, apart."""
        points = self.points("keypoints", given, least=1)
        if len(points) and not points.shape[1]:
            raise self.error(f"keypoints has shape {points.shape}, expected at least one point for each object")
        if points.shape[2] == 2:
            return points, None
        flags = points[:, :, 2]
        wrong = ~np.isin(flags, (0, 1, 2, 3))
        if wrong.any():
            row, point = np.argwhere(wrong)[0]
            raise self.error(
                f"keypoints[{row}, {point}, 2] is {_number(flags[row, point])}, expected a flag: 0 (not in the "
                "picture), 1 (hidden), 2 (visible) or 3 (hidden by itself); confidences of points are not written"
            )
        return points[:, :, :2], flags.astype(np.uint8)

    def tracks(self, given: Any) -> list[str | None]:
        """Take ids of tracks as text, None where there is none: None, -1, NaN and an empty text."""
        given = _on_host(given)
        if isinstance(given, np.ndarray) and given.dtype.kind in "fiu":
            if given.dtype.kind == "f":
                given = np.where(np.isnan(given), -1, given)
            return [None if track == -1 else str(track) for track in self.whole("track_ids", given)]
        return [self._track(at, track) for at, track in enumerate(self.items("track_ids", given))]

    def _track(self, at: int, track: Any) -> str | None:
        if isinstance(track, (float, np.floating)):
            track = None if np.isnan(track) else int(track) if float(track).is_integer() else track
        if isinstance(track, (int, np.integer)) and not isinstance(track, bool):
            track = str(track)
        if track is None or (isinstance(track, str) and track in _NO_TRACK):
            return None
        if isinstance(track, str):
            return self.writable("track_ids", at, track)
        raise self.error(f"track_ids[{at}] is {track!r}, expected a whole number, a text or None")

    def writable(self, name: str, at: int | None, text: str) -> str:
        """Take a text that a file can hold."""
        if not is_writable(text):
            raise self.error(f"{name if at is None else f'{name}[{at}]'} is {ascii(text)}, {WRITABLE}")
        return str(text)

    def texts(self, name: str, given: Any, n: int) -> list[str]:
        """Take n texts, or one for all."""
        texts = [given] * n if isinstance(given, str) else self.items(name, given)
        for at, text in enumerate(texts):
            if not isinstance(text, str) or not text:
                raise self.error(f"{name}[{at}] is {text!r}, expected a text")
        return [self.writable(name, at, text) for at, text in enumerate(texts)]

    def answers(self, name: str, given: Any) -> list[dict[str, Any]]:
        """Take answers as the IR has them.

        Args:
            name: The argument.
            given: Answers by question, or one answer to the only question: a text, a number, or a list of the options
                that are chosen of a checklist.
        """
        questions = given.items() if isinstance(given, Mapping) else [("", given)]
        rows: list[dict[str, Any]] = []
        for question, answer in questions:
            if not isinstance(question, str):
                raise self.error(f"{name} has {question!r} for a question, expected a text")
            question = self.writable(name, None, question)
            for value in self._values(name, answer):
                rows.append({"name": question, "value": value, "frame": None, "frame_last": None})
        return rows

    def _values(self, name: str, answer: Any) -> list[str | None]:
        """Take an answer, or the options that are chosen; None for no option."""
        if isinstance(answer, (set, frozenset)):
            # A set has its options in no order.
            return [*sorted(self._answer(name, value) for value in answer)] or [None]
        if isinstance(answer, (list, tuple, np.ndarray)):
            return [None if value is None else self._answer(name, value) for value in answer] or [None]
        return [self._answer(name, answer)]

    def _answer(self, name: str, value: Any) -> str:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, str):
            return self.writable(name, None, value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and is_finite(value):
            return repr(value)
        raise self.error(f"{name} holds {value!r}, expected a text, a finite number, or a list of options")


def is_finite(value: Any) -> bool:
    """Say whether a number is one that a 64-bit float can be; whole numbers of Python have no end."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def frame_number(name: str, given: Any) -> int:
    """Take the number of a frame (or a millisecond).

    Raises:
        UsageError: It is none.
    """
    fits = isinstance(given, (int, np.integer)) and not isinstance(given, bool)
    if not fits or not 0 <= given <= _LARGEST_U32:
        raise UsageError(f"{name} is {given!r}, expected a whole number from 0")
    return int(given)


def _on_host(given: Any) -> Any:
    """Bring a tensor of torch into numpy's reach; anything else is as it was."""
    if str(getattr(given, "dtype", None)) == "torch.bfloat16":
        # numpy has no such type; as 32-bit floats the values are the same.
        given = given.float()
    for step in ("detach", "cpu", "numpy"):
        if callable(getattr(given, step, None)):
            given = getattr(given, step)()
    return given


def _depth(item: Any) -> int:
    if hasattr(item, "ndim"):
        return int(item.ndim)
    if isinstance(item, Sequence) and not isinstance(item, str):
        return 1 + (_depth(item[0]) if len(item) else 0)
    return 0


def _number(value: Any) -> str:
    """Write a number with all its digits: what is wrong with 1.0000001 shows in the last of them."""
    return repr(float(value)).removesuffix(".0")


def _first(wrong: npt.NDArray[np.bool_]) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None
