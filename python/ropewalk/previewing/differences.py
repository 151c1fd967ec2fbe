"""What differs between the objects of two sides on one frame, and which usual mistake would explain it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ropewalk.options import spelt
from ropewalk.previewing.choosing import FrameKey
from ropewalk.previewing.drawing import Drawn

# px and degrees: what is closer is taken for equal; coordinates on the page are rounded.
_NEAR = 0.05
_NUMBER = re.compile(r"-?[\d.]+(?:e-?\d+)?")

# Objects of one side by frame.
Objects = Mapping[FrameKey, Sequence[Drawn]]


def mark_differences(first: Sequence[Drawn], second: Sequence[Drawn]) -> int:
    """Mark what differs: as `m`, `changed` for objects of both sides that overlap most, `only` for the others.

    Args:
        first: Objects of one side; are marked.
        second: Those of the other side; are marked.

    Returns:
        The number of differences; two objects that differ are one.
    """
    changed, rest = _unequal(first, second)
    pairs = sorted(
        ((_overlap(item, other), n, m) for n, item in enumerate(changed) for m, other in enumerate(rest)), reverse=True
    )
    left, right = set(range(len(changed))), set(range(len(rest)))
    n_pairs = 0
    for overlap, n, m in pairs:
        if overlap > 0 and n in left and m in right:
            changed[n]["m"] = rest[m]["m"] = "changed"
            left.remove(n)
            right.remove(m)
            n_pairs += 1
    for item in (*(changed[n] for n in left), *(rest[m] for m in right)):
        item["m"] = "only"
    return n_pairs + len(left) + len(right)


def likely_cause(first: Objects, second: Objects) -> str | None:
    """Say which usual mistake explains the differences: frames counted from another number, or angles turned back.

    Args:
        first: Objects of one side on the frames of the page.
        second: Those of the other side.

    Returns:
        A sentence; None where neither explains them.
    """
    moving = [key for key in first if _differs(first[key], second.get(key, ()))]
    for shift, where in ((1, "later"), (-1, "earlier")):
        both = [(key, (key[0], key[1] + shift)) for key in moving if second.get((key[0], key[1] + shift))]
        if both and not any(_differs(first[key], second[other]) for key, other in both):
            return f"Objects are on the branch one frame {where}: compare the frames, and see {spelt('frame_base')}."
    turned = [key for key in moving if any(item.get("a") for item in first[key])]
    if turned and not any(_differs([_turned_back(item) for item in first[key]], second[key]) for key in turned):
        return f"Turned objects have the opposite angle on the branch: see {spelt('angle')}."
    return None


def _turned_back(item: Drawn) -> Drawn:
    return {**item, "a": -item.get("a", 0.0)}


def _differs(first: Sequence[Drawn], second: Sequence[Drawn]) -> bool:
    return any(_unequal(first, second))


def _unequal(first: Sequence[Drawn], second: Sequence[Drawn]) -> tuple[list[Drawn], list[Drawn]]:
    """List the objects of each side that have no equal on the other."""
    rest = list(second)
    alone: list[Drawn] = []
    for item in first:
        equal = next((n for n, other in enumerate(rest) if _is_equal(item, other)), None)
        if equal is None:
            alone.append(item)
        else:
            del rest[equal]
    return alone, rest


def _is_equal(item: Drawn, other: Drawn) -> bool:
    if item["c"] != other["c"] or item["k"] != other["k"] or item.get("v") != other.get("v"):
        return False
    # A branch has 1 where the source gives no score.
    if abs((1.0 if item["s"] is None else item["s"]) - (1.0 if other["s"] is None else other["s"])) > 1e-6:
        return False
    if abs((item.get("a", 0.0) - other.get("a", 0.0) + 180.0) % 360.0 - 180.0) > _NEAR:
        return False
    mine, others = _numbers(item["d"]), _numbers(other["d"])
    return len(mine) == len(others) and all(abs(a - b) <= _NEAR for a, b in zip(mine, others, strict=True))


def _numbers(coordinates: str | list[float]) -> list[float]:
    if isinstance(coordinates, str):
        return [float(number) for number in _NUMBER.findall(coordinates)]
    return coordinates


def _overlap(item: Drawn, other: Drawn) -> float:
    """Compare bounding boxes of one class: intersection over union."""
    first, second = item["b"], other["b"]
    if item["c"] != other["c"] or first is None or second is None:
        return 0.0
    across = min(first[2], second[2]) - max(first[0], second[0])
    along = min(first[3], second[3]) - max(first[1], second[1])
    if across <= 0 or along <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    shared = float(across * along)
    return shared / (float(areas) - shared)
