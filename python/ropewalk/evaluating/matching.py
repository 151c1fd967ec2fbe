"""Which predictions match which labels of a class, at all thresholds at once, by the rules of pycocotools.

On each image the most confident prediction chooses first. It takes the label that it overlaps most, an ignored one only
if no other is left. The answers at the ten thresholds are the bits of one number: bit t is that of THRESHOLDS[t].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ropewalk.evaluating.coco_rows import Fields

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Numbers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
Bits: TypeAlias = "np.ndarray[Any, np.dtype[np.uint16]]"
# Labels and predictions of one image.
Pair: TypeAlias = tuple[Sequence[Fields], Sequence[Fields]]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
_ALL = (1 << len(THRESHOLDS)) - 1

# Least and greatest area, px^2: all objects, small, medium and large ones.
AREAS = ((0.0, 1e10), (0.0, 32.0**2), (32.0**2, 96.0**2), (96.0**2, 1e10))

# How far annotators lie apart is known for COCO's person, in the order of its 17 points; for others there is a guess.
_PERSON = (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)
_SIGMA = 0.05


@dataclass(frozen=True)
class Matches:
    """The predictions of a class, image after image and on each the most confident first, and what they match.

    Attributes:
        scores: (n,): confidence of each prediction.
        ranks: (n,): its place among those of its image, from 0.
        images: (n,): number of its image.
        matched: (areas, n): at which thresholds it matches a label, for each of `AREAS`.
        ignored: (areas, n): at which thresholds it counts neither as right nor as wrong.
        labels: (areas,): labels that count.
        label_images: Number of the image of each label that counts in the first area.
    """

    scores: Floats
    ranks: Numbers
    images: Numbers
    matched: Bits
    ignored: Bits
    labels: Sequence[int]
    label_images: Numbers


def match(pairs: Iterable[tuple[int, Pair]], iou: str, most: int) -> Matches:
    """Match the predictions of a class.

    Args:
        pairs: Number of an image, its labels and its predictions of the class; as `comparable` gives them, with score.
        iou: bbox, segm or keypoints.
        most: Predictions of an image that are looked at.
    """
    scores: list[float] = []
    ranks: list[int] = []
    images: list[int] = []
    label_images: list[int] = []
    counted = [0 for _ in AREAS]
    matched: list[list[int]] = [[] for _ in AREAS]
    ignored: list[list[int]] = [[] for _ in AREAS]
    for image, (labels, predictions) in pairs:
        # Of equal scores the first one stays the first.
        chosen = sorted(predictions, key=_descending)[:most]
        scores += [item["score"] for item in chosen]
        ranks += range(len(chosen))
        images += [image] * len(chosen)
        crowds = [bool(item.get("iscrowd")) for item in labels]
        dropped = [is_ignored(item, iou) for item in labels]
        label_images += [image] * dropped.count(False)
        choices = _choices(similarity(iou, labels, chosen)) if labels and chosen else [[] for _ in chosen]
        known: dict[tuple[bool, ...], tuple[list[int], list[int]]] = {}
        for at, (least, greatest) in enumerate(AREAS):
            left_out = tuple(
                [out or not least <= item["area"] <= greatest for item, out in zip(labels, dropped, strict=True)]
            )
            counted[at] += left_out.count(False)
            if left_out not in known:
                known[left_out] = _assign(choices, left_out, crowds)
            taken, lost = known[left_out]
            matched[at] += taken
            ignored[at] += [
                bits if least <= item["area"] <= greatest else bits | (_ALL & ~own)
                for item, own, bits in zip(chosen, taken, lost, strict=True)
            ]
    return Matches(
        np.array(scores, dtype=float),
        np.array(ranks, dtype=np.int64),
        np.array(images, dtype=np.int64),
        np.array(matched, dtype=np.uint16),
        np.array(ignored, dtype=np.uint16),
        counted,
        np.array(label_images, dtype=np.int64),
    )


def is_ignored(label: Fields, iou: str) -> bool:
    """Tell whether a label counts neither as found nor as missed, whatever its area."""
    return bool(label.get("iscrowd")) or (iou == "keypoints" and label["num_keypoints"] == 0)


def similarity(iou: str, labels: Sequence[Fields], predictions: Sequence[Fields]) -> Floats:
    """Compare each prediction with each label.

    Returns:
        (predictions, labels): intersection over union, or object keypoint similarity.
    """
    if iou == "keypoints":
        return _keypoint_similarity(labels, predictions)
    from pycocotools import mask

    key = "bbox" if iou == "bbox" else "segmentation"
    crowds = [int(item.get("iscrowd", 0)) for item in labels]
    return np.asarray(mask.iou([item[key] for item in predictions], [item[key] for item in labels], crowds))


def _descending(item: Fields) -> float:
    return -float(item["score"])


def _choices(overlaps: Floats) -> list[list[tuple[int, int]]]:
    """List for each prediction the labels that it overlaps enough, best first, with the bits of the thresholds."""
    bits = (1 << np.searchsorted(THRESHOLDS, overlaps, side="right")) - 1
    choices: list[list[tuple[int, int]]] = [[] for _ in overlaps]
    rows, columns = np.nonzero(bits)
    # Of labels that are overlapped equally the last one is the best.
    order = np.lexsort((-columns, -overlaps[rows, columns]))
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        choices[row].append((column, int(bits[row, column])))
    return choices


def _assign(
    choices: Sequence[Sequence[tuple[int, int]]], ignored: Sequence[bool], crowds: Sequence[bool]
) -> tuple[list[int], list[int]]:
    """Give each prediction its label; give the bits of those that match, and of those that match an ignored label."""
    free = [_ALL] * len(ignored)
    matched, on_ignored = [], []
    for candidates in choices:
        left, lost = _ALL, 0
        for of_ignored in (False, True):
            for label, bits in candidates:
                if ignored[label] is of_ignored:
                    # A crowd is many objects, so it is never used up.
                    taken = left & bits & (_ALL if crowds[label] else free[label])
                    free[label] &= ~taken
                    left &= ~taken
                    lost |= taken if of_ignored else 0
        matched.append(_ALL & ~left)
        on_ignored.append(lost)
    return matched, on_ignored


def _keypoint_similarity(labels: Sequence[Fields], predictions: Sequence[Fields]) -> Floats:
    found = np.empty((len(predictions), len(labels)))
    points = np.array([item["keypoints"] for item in predictions], dtype=float).reshape(len(predictions), -1, 3)
    xs, ys = points[:, :, 0], points[:, :, 1]
    n = points.shape[1]
    sigmas = np.array(_PERSON) / 1000 if n == len(_PERSON) else np.full(n, _SIGMA)
    for at, label in enumerate(labels):
        x, y, flags = np.array(label["keypoints"], dtype=float).reshape(-1, 3).T
        if flags.any():
            dx, dy = xs - x, ys - y
        else:
            # Of a region without keypoints: how far points lie outside of its box, enlarged to three times its size.
            left, top, w, h = label["bbox"]
            dx = np.maximum(0, left - w - xs) + np.maximum(0, xs - (left + 2 * w))
            dy = np.maximum(0, top - h - ys) + np.maximum(0, ys - (top + 2 * h))
            flags = np.ones(n)
        errors = (dx**2 + dy**2) / (sigmas * 2) ** 2 / (label["area"] + np.spacing(1)) / 2
        found[:, at] = np.exp(-errors[:, flags > 0]).mean(axis=1)
    return found
