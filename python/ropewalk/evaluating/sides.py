"""The two sides of an evaluation in one form, objects by image and class, and the metrics of one against the other."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ropewalk.errors import UsageError
from ropewalk.evaluating.coco_rows import Fields, Row, SizeWh, Unfit
from ropewalk.evaluating.details import Confusion, Curve, MediumMetrics, by_medium, confusion, curves
from ropewalk.evaluating.metrics import ClassMetrics, comparable, measure
from ropewalk.files import written_whole
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS, Report

if TYPE_CHECKING:
    from ropewalk.evaluating.matching import Pair
    from ropewalk.evaluating.options import EvaluateOptions
    from ropewalk.evaluating.tracking import Tracking

# What the medium of an image is called, and its frame.
Key = TypeVar("Key", bound=tuple[str, int])


@dataclass
class Evaluation:
    """How well predictions fit labels.

    annotations_read = predictions + rejected + filtered, as in an import's report.

    Attributes:
        iou: What was compared: bbox, segm or keypoints.
        labels_from: Branch or file of the labels.
        images: Images and frames that were looked at.
        labels: Labels on them.
        predictions: Predictions on them.
        metrics: AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl; of keypoints AP, AP50, AP75, APm, APl,
            AR, AR50, AR75, ARm, ARl. None where nothing counts for one.
        classes: The same for each class that has labels or predictions.
        media: Figures of each medium, with `per_medium`.
        confusion: Which class was predicted for which, with `confusion`.
        curves: Precision over recall of each class that has labels, with `curves`.
        tracking: HOTA, MOTA and IDF1, with `tracking`.
        annotations_read: Predictions read.
        rejects_by_code: Those that could not be imported, or not be compared.
        filtered_by_reason: Those that were left out.
        labels_left_out: Labels that were left out, by reason.
        rejects_file: Where the rejects stand, if an import would have some.
        exit_code: 0, or 3 with rejects.
    """

    iou: str
    labels_from: str
    images: int = 0
    labels: int = 0
    predictions: int = 0
    metrics: dict[str, float | None] = field(default_factory=dict)
    classes: list[ClassMetrics] = field(default_factory=list)
    media: list[MediumMetrics] = field(default_factory=list)
    confusion: Confusion | None = None
    curves: list[Curve] = field(default_factory=list)
    tracking: Tracking | None = None
    annotations_read: int = 0
    rejects_by_code: dict[str, int] = field(default_factory=dict)
    filtered_by_reason: dict[str, int] = field(default_factory=dict)
    labels_left_out: dict[str, int] = field(default_factory=dict)
    rejects_file: str | None = None
    exit_code: int = EXIT_ALL_WRITTEN

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return dataclasses.asdict(self)

    def write_page(self, path: str | os.PathLike[str]) -> None:
        """Write the figures as one page of HTML that needs no network.

        It shows media, confused classes, curves and tracks if the evaluation has them.

        Args:
            path: File to write, whole or not at all.

        Raises:
            FileError: The folder does not exist, or the file cannot be written.
        """
        from ropewalk.evaluating.page import page_of

        with written_whole(Path(path)) as temporary:
            temporary.write_text(page_of(self), encoding="utf-8", newline="\n")

    def __str__(self) -> str:
        """Write the metrics, and what they were computed of."""
        metrics = "  ".join(
            f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in self.metrics.items()
        )
        return f"{self.iou} against {self.labels_from}, {self.images:,} images: {metrics}"

    def _repr_html_(self) -> str:
        from ropewalk.pages.page import lines, table

        columns = ("class", "labels", "predictions", "AP", "AP50", "AR")
        figures = ((c.name, c.labels, c.predictions, c.ap, c.ap50, c.ar) for c in self.classes)
        rows = ([f"{v:.3f}" if isinstance(v, float) else "-" if v is None else v for v in row] for row in figures)
        return lines(str(self)) + table(columns, rows)


@dataclass
class Side(Generic[Key]):
    """Objects of one side, labels or predictions, by the image that they stand on.

    Attributes:
        iou: What is to be compared.
        classes: Class as the side calls it -> category id.
        are_labels: Whether it is the side of the labels.
        sizes: Width and height of the images seen, px.
        objects: What is compared, with category_id, score and track.
        left_out: Objects that are not compared, by reason.
        rejected: Objects that cannot be compared, by code.
    """

    iou: str
    classes: Mapping[str, int]
    are_labels: bool = False
    sizes: dict[Key, SizeWh | None] = field(default_factory=dict)
    objects: dict[Key, list[Fields]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, image: Key, row: Row, size: SizeWh | None, **more: Any) -> None:
        """Take an object: what is compared of it is kept, with `more` of its fields."""
        category = self.classes.get(row["class"])
        if category is None:
            self.left_out["other_class"] += 1
            return
        try:
            fields = comparable(row, size, self.iou, is_label=self.are_labels)
        except Unfit as e:
            self.rejected[e.code] += 1
            return
        # An image with nothing but a line on it is one that somebody looked at.
        objects = self.objects.setdefault(image, [])
        self.sizes[image] = self.sizes.get(image) or size
        if fields is None:
            self.left_out["other_shape"] += 1
            return
        score = 1.0 if row["score"] is None else row["score"]
        objects.append(fields | {"category_id": category, "score": score, "track": row["track"]} | more)


def finish(
    result: Evaluation,
    labels: Side[Key],
    predictions: Side[Key],
    classes: Mapping[int, ClassMetrics],
    report: Report,
    images: Iterable[Key],
    options: EvaluateOptions,
    titles: Mapping[str, str] | None = None,
) -> Evaluation:
    """Measure, and fill in the result.

    Args:
        result: Is filled in.
        labels: What is there.
        predictions: What was found.
        classes: Category id -> class.
        report: What became of the predictions while they were read; those compared are still counted as not sent.
        images: The images to look at, in order.
        options: Say which details are wanted.
        titles: What the first part of an image's key is called -> title, where it is another.

    Raises:
        UsageError: There are no images.
        AccountingError: The sums do not hold.
    """
    chosen = dict.fromkeys(images)
    if not chosen:
        raise UsageError(f"{result.labels_from}: no image or frame with labels to compare with")
    for code, n in predictions.rejected.items():
        report.reject(code, n)
    elsewhere = sum(len(found) for key, found in predictions.objects.items() if key not in chosen)
    for reason, n in (*predictions.left_out.items(), ("frame_without_labels", elsewhere)):
        if n:
            report.filter(reason, n)
    pairs = [(labels.objects.get(key, []), predictions.objects.get(key, [])) for key in chosen]
    n_labels, n_predictions = (sum(map(len, side)) for side in zip(*pairs, strict=True))
    report.write(n_predictions, 0)
    report.finish()
    measured = measure(pairs, classes, result.iou)
    result.metrics, result.classes = measured.metrics, list(measured.classes.values())
    if options.tracking:
        from ropewalk.evaluating.tracking import track

        frames: dict[tuple[str, int], Pair] = dict(zip(chosen, pairs, strict=True))
        result.tracking = track(frames, measured.classes, titles or {}, result.iou, result.labels_from)
    if options.per_medium:
        result.media = by_medium(pairs, [medium for medium, _ in chosen], titles or {}, measured)
    if options.confusion:
        result.confusion = confusion(pairs, result.classes, list(measured.classes), result.iou)
    if options.curves:
        result.curves = curves(result.classes, list(measured.averages.values()))
    result.images, result.labels, result.predictions = len(chosen), n_labels, n_predictions
    result.labels_left_out = dict(labels.left_out + labels.rejected)
    result.annotations_read = report.annotations_read
    result.rejects_by_code, result.filtered_by_reason = report.rejects_by_code, report.filtered_by_reason
    result.rejects_file = report.rejects_file
    result.exit_code = EXIT_WITH_REJECTS if report.annotations_rejected else EXIT_ALL_WRITTEN
    return result
