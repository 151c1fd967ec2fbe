"""What an evaluation tells beyond COCO's metrics: figures of each medium, confused classes, precision-recall curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ropewalk.evaluating.metrics import ClassMetrics, Measured

if TYPE_CHECKING:
    from ropewalk.evaluating.averages import Averages
    from ropewalk.evaluating.coco_rows import Fields
    from ropewalk.evaluating.matching import Pair

# Intersection over union, or object keypoint similarity, from which two objects may be the same one.
LEAST = 0.5


@dataclass(frozen=True)
class MediumMetrics:
    """How well the objects of one medium were found.

    Attributes:
        name: Title of the medium, or its name in the files.
        id: Its data_hash, or its name in the files.
        images: Images and frames of it that were looked at.
        labels: Labels on them.
        predictions: Predictions on them.
        ap: Average precision over IoU 0.50 to 0.95, the mean of the classes that have labels there; None without any.
        ap50: Average precision at IoU 0.50.
        ar: Average recall over IoU 0.50 to 0.95.
    """

    name: str
    id: str
    images: int
    labels: int
    predictions: int
    ap: float | None = None
    ap50: float | None = None
    ar: float | None = None


@dataclass(frozen=True)
class Confusion:
    """Which class was predicted for which.

    The pair that overlaps most is made first, whatever the classes, and each object is in one pair at most.

    Attributes:
        classes: Names, in the order of rows and columns.
        counts: A row for each class of the labels, and one more for predictions without a label; a column for each
            class of the predictions, and one more for labels without a prediction.
    """

    classes: list[str]
    counts: list[list[int]]


@dataclass(frozen=True)
class Curve:
    """Precision of a class over its recall, at IoU 0.50.

    Attributes:
        name: Name of the class.
        id: Its feature hash, or its id in the file of the labels.
        precision: Best precision at recalls of 0, 0.01, ... 1; 0 where a recall is not reached.
        confidence: Confidence at which it is reached; 0 where none does.
        best_confidence: Confidence with the highest F1, the harmonic mean of precision and recall; None without one.
        best_f1: That F1.
    """

    name: str
    id: str
    precision: list[float]
    confidence: list[float]
    best_confidence: float | None
    best_f1: float | None


def by_medium(
    images: Sequence[Pair], media: Sequence[str], titles: Mapping[str, str], found: Measured
) -> list[MediumMetrics]:
    """Measure each medium by itself.

    Args:
        images: Labels and predictions of each image.
        media: What the medium of each image is called.
        titles: That -> title, where it is another.
        found: What the predictions match.
    """
    import numpy as np

    from ropewalk.evaluating.averages import curve

    places = {name: at for at, name in enumerate(dict.fromkeys(media))}
    of_image = np.array([places[name] for name in media], dtype=np.int64)
    sums = np.zeros((len(places), 3), dtype=np.int64)
    for at, (labels, predictions) in zip(of_image, images, strict=True):
        sums[at] += (1, len(labels), len(predictions))
    averages: list[list[Averages]] = [[] for _ in places]
    for item in found.matches.values():
        n_labels = np.bincount(of_image[item.label_images], minlength=len(places))
        of_prediction = of_image[item.images]
        order = np.argsort(of_prediction, kind="stable")
        with_labels = np.flatnonzero(n_labels)
        starts, ends = (np.searchsorted(of_prediction[order], with_labels, side=side) for side in ("left", "right"))
        for at, start, end in zip(with_labels, starts, ends, strict=True):
            chosen = order[start:end]
            average = curve(item.scores[chosen], item.matched[0, chosen], item.ignored[0, chosen], int(n_labels[at]))
            if average is not None:
                averages[at].append(average)
    listed = []
    for name, at in places.items():
        n_images, n_labelled, n_predicted = sums[at].tolist()
        means = _means(averages[at])
        listed.append(MediumMetrics(titles.get(name, name), name, n_images, n_labelled, n_predicted, *means))
    return listed


def _means(averages: Sequence[Averages]) -> tuple[float | None, float | None, float | None]:
    """Give AP, AP50 and AR as the means of classes; None without any."""
    if not averages:
        return None, None, None
    n = len(averages)
    return (
        sum(float(item.precision.mean()) for item in averages) / n,
        sum(float(item.precision[0].mean()) for item in averages) / n,
        sum(float(item.recall.mean()) for item in averages) / n,
    )


def confusion(images: Sequence[Pair], classes: Sequence[ClassMetrics], numbers: Sequence[int], iou: str) -> Confusion:
    """Count which class was predicted for which.

    Args:
        images: Labels and predictions of each image.
        classes: The classes that count.
        numbers: Their category ids.
        iou: bbox, segm or keypoints.
    """
    from ropewalk.evaluating.matching import is_ignored

    place = {number: at for at, number in enumerate(numbers)}
    nothing = len(place)
    counts = [[0] * (nothing + 1) for _ in range(nothing + 1)]
    for labels, predictions in images:
        # A label that is ignored takes the predictions that fit no other.
        pairs = pair_up(labels, predictions, iou)
        for at, label in enumerate(labels):
            if not is_ignored(label, iou):
                other = pairs.get(at)
                column = nothing if other is None else place[predictions[other]["category_id"]]
                counts[place[label["category_id"]]][column] += 1
        left = set(range(len(predictions))) - set(pairs.values())
        for prediction in left - on_ignored(labels, predictions, iou, left):
            counts[nothing][place[predictions[prediction]["category_id"]]] += 1
    return Confusion([item.name for item in classes], counts)


def pair_up(labels: Sequence[Fields], predictions: Sequence[Fields], iou: str) -> dict[int, int]:
    """Pair labels that are not ignored with predictions, the best pair first: label -> prediction."""
    import numpy as np

    from ropewalk.evaluating.matching import is_ignored, similarity

    if not labels or not predictions:
        return {}
    overlaps = similarity(iou, labels, predictions)
    overlaps[:, [is_ignored(label, iou) for label in labels]] = 0
    rows, columns = np.nonzero(overlaps >= LEAST)
    scores = np.array([item["score"] for item in predictions])
    order = np.lexsort((-scores[rows], -overlaps[rows, columns]))
    pairs: dict[int, int] = {}
    taken = set()
    for prediction, label in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if label not in pairs and prediction not in taken:
            pairs[label] = prediction
            taken.add(prediction)
    return pairs


def on_ignored(labels: Sequence[Fields], predictions: Sequence[Fields], iou: str, left: set[int]) -> set[int]:
    """Give those of the predictions that are on a label that is ignored."""
    from ropewalk.evaluating.matching import is_ignored, similarity

    ignored = [label for label in labels if is_ignored(label, iou)]
    if not ignored or not left:
        return set()
    numbers = sorted(left)
    overlaps = similarity(iou, ignored, [predictions[n] for n in numbers])
    return {n for n, row in zip(numbers, overlaps, strict=True) if row.max() >= LEAST}


def curves(classes: Sequence[ClassMetrics], averages: Sequence[Averages | None]) -> list[Curve]:
    """Take the precision-recall curve of each class that has labels."""
    from ropewalk.evaluating.averages import RECALLS

    found = []
    for item, average in zip(classes, averages, strict=True):
        if average is None:
            continue
        precision, confidence = average.precision[0], average.scores[0]
        sums = precision + RECALLS
        f1 = 2 * precision * RECALLS / (sums + (sums == 0))
        best = int(f1.argmax())
        figures = (float(confidence[best]), float(f1[best])) if f1[best] > 0 else (None, None)
        found.append(Curve(item.name, item.id, precision.tolist(), confidence.tolist(), *figures))
    return found
