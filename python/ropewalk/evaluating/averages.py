"""Precision and recall of matches, and their averages, as pycocotools takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ropewalk.evaluating.matching import AREAS, THRESHOLDS, Bits, Floats, Matches

RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Averages:
    """Precision and recall of a class among the objects of one area.

    Attributes:
        precision: (thresholds, `RECALLS`): the best precision at a recall of at least so much, 0 where none is reached.
        scores: (thresholds, `RECALLS`): the confidence at which it is reached.
        recall: (thresholds,): the recall with all predictions.
    """

    precision: Floats
    scores: Floats
    recall: Floats


def average(found: Matches, area: int, most: int) -> Averages | None:
    """Take the precision and recall of a class.

    Args:
        found: The class.
        area: Place in `AREAS`.
        most: Predictions of an image that count, the most confident ones.

    Returns:
        None without labels.
    """
    chosen = found.ranks < most
    return curve(found.scores[chosen], found.matched[area, chosen], found.ignored[area, chosen], found.labels[area])


def curve(scores: Floats, matched: Bits, ignored: Bits, labels: int) -> Averages | None:
    """Take the precision and recall of predictions.

    Args:
        scores: (n,)
        matched: (n,), bits as in `Matches`.
        ignored: (n,), bits as in `Matches`.
        labels: Labels that could be found.

    Returns:
        None without labels.
    """
    if labels == 0:
        return None
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    thresholds = np.arange(len(THRESHOLDS), dtype=np.uint16)[:, None]
    right, ignore = ((bits[order] >> thresholds & 1).astype(bool) for bits in (matched, ignored))
    rights = np.cumsum(right & ~ignore, axis=1).astype(float)
    wrongs = np.cumsum(~right & ~ignore, axis=1).astype(float)
    recall, precision = rights / labels, rights / (wrongs + rights + np.spacing(1))
    # At a recall counts the best precision of any that is as large.
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    shape = (len(THRESHOLDS), len(RECALLS))
    result = Averages(np.zeros(shape), np.zeros(shape), np.zeros(len(THRESHOLDS)))
    for at in range(len(THRESHOLDS)):
        reached = np.searchsorted(recall[at], RECALLS, side="left")
        reached = reached[reached < len(scores)]
        result.precision[at, : len(reached)] = precision[at, reached]
        result.scores[at, : len(reached)] = scores[reached]
    if len(scores):
        result.recall[:] = recall[:, -1]
    return result


def summary(
    classes: Sequence[Matches], iou: str, most: Sequence[int]
) -> tuple[dict[str, float | None], list[Averages | None]]:
    """Take COCO's metrics.

    Args:
        classes: The matches of each class.
        iou: bbox, segm or keypoints.
        most: Predictions of an image that count, ascending; the last number for precision.

    Returns:
        The metrics by name, None where nothing counts for one; and for each class what `average` gives of all areas.
    """
    last = most[-1]
    areas = [[average(item, area, last) for item in classes] for area in range(len(AREAS))]
    every, *sized = areas
    names = ("s", "m", "l") if iou != "keypoints" else ("", "m", "l")
    metrics = {"AP": _precision(every), "AP50": _precision(every, 0), "AP75": _precision(every, 5)}
    metrics |= {f"AP{name}": _precision(found) for name, found in zip(names, sized, strict=True) if name}
    if iou == "keypoints":
        metrics |= {"AR": _recall(every), "AR50": _recall(every, 0), "AR75": _recall(every, 5)}
    else:
        fewer = {f"AR{n}": _recall([average(item, 0, n) for item in classes]) for n in most[:-1]}
        metrics |= fewer | {f"AR{last}": _recall(every)}
    metrics |= {f"AR{name}": _recall(found) for name, found in zip(names, sized, strict=True) if name}
    return metrics, every


def _precision(found: Sequence[Averages | None], threshold: int | None = None) -> float | None:
    counting = [item.precision[slice(None) if threshold is None else threshold] for item in found if item is not None]
    # Classes last, as pycocotools sums them: the figures are the same to the last digit.
    return float(np.stack(counting, axis=-1).mean()) if counting else None


def _recall(found: Sequence[Averages | None], threshold: int | None = None) -> float | None:
    counting = [item.recall[slice(None) if threshold is None else threshold] for item in found if item is not None]
    return float(np.stack(counting, axis=-1).mean()) if counting else None
