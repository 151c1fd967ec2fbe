"""`evaluate`: COCO's metrics of predictions against labels, before anything is uploaded.

Both sides are brought to one form, `Side`: objects by image and class. In a project both are label rows, those of
predictions as an import would write them, so that maps, frames, clipping and rejects count as they will. Without a
project two files are compared, by the names that they use.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ropewalk.coco_metrics import IOU_TYPES, ClassMetrics, comparable, measure
from ropewalk.coco_rows import Fields, Row, SizeWh, Unfit
from ropewalk.errors import UsageError
from ropewalk.options import split_options
from ropewalk.predictions import sources_of
from ropewalk.progress import NoProgress, Progress
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS, Report

if TYPE_CHECKING:
    import encord

    from ropewalk.predictions import Predictions
    from ropewalk.snapshot import Snapshot

Key = TypeVar("Key")


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
    annotations_read: int = 0
    rejects_by_code: dict[str, int] = field(default_factory=dict)
    filtered_by_reason: dict[str, int] = field(default_factory=dict)
    labels_left_out: dict[str, int] = field(default_factory=dict)
    rejects_file: str | None = None
    exit_code: int = EXIT_ALL_WRITTEN

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return dataclasses.asdict(self)


@dataclass
class Side(Generic[Key]):
    """Objects of one side, labels or predictions, by the image that they stand on.

    Attributes:
        iou: What is to be compared.
        classes: Class as the side calls it -> category id.
        sizes: Width and height of the images seen, px.
        objects: What is compared, with category_id and score.
        left_out: Objects that are not compared, by reason.
        rejected: Objects that cannot be compared, by code.
    """

    iou: str
    classes: Mapping[str, int]
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
            fields = comparable(row, size, self.iou)
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
        objects.append(fields | {"category_id": category, "score": score} | more)


def evaluate(
    predictions: str | os.PathLike[str] | Predictions | Iterable[str | os.PathLike[str]] | None = None,
    labels: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    project: encord.Project | Snapshot | None = None,
    branch: str = "main",
    predictions_branch: str | None = None,
    iou: str = "bbox",
    all_frames: bool = False,
    source_label: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Evaluation:
    """Measure predictions against labels by COCO's metrics.

    Args:
        predictions: As `import_predictions` takes them; None with `predictions_branch`.
        labels: A COCO dataset, or its file; None for those of the project. With a project its names are resolved there
            as those of predictions are; without one the two files are compared by the names they use.
        project: A project of the `encord` client, or a snapshot that holds label rows.
        branch: Branch of the project that holds the labels.
        predictions_branch: Branch of the project that holds the predictions, instead of `predictions`.
        iou: What is compared: bbox, segm or keypoints.
        all_frames: Count predictions on frames without labels as wrong, instead of leaving them out.
        source_label: As `import_predictions` takes it.
        progress: Told about phases.
        **options: Fields of `PlanOptions`, `StageOptions` and `SendOptions` that say how predictions are read. Of a
            project `only_classes` (names or feature hashes in the ontology) and `only_media` are for labels as well.

    Returns:
        The metrics, and what they were taken from.

    Raises:
        UsageError: An option, a map or a path does not fit, or there are no labels to compare with.
        RopewalkError: What the core found wrong with a source, or Encord refused; see `import_predictions`.

    Example:
        >>> labels = {
        ...     "images": [{"id": 7, "file_name": "a.jpg", "width": 60, "height": 40}],
        ...     "categories": [{"id": 1, "name": "Car"}],
        ...     "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 10]}],
        ... }
        >>> from ropewalk import read_coco
        >>> found = read_coco([{"image_id": 7, "category_id": 1, "bbox": [10, 20, 24, 10], "score": 0.9}])
        >>> evaluate(found, labels).metrics["AP75"]
        1.0
    """
    if iou not in IOU_TYPES:
        raise UsageError(f"--iou is {iou!r}; expected one of {', '.join(IOU_TYPES)}")
    if labels is None and project is None:
        raise UsageError("give a project, or a file of labels")
    if (predictions is None) == (predictions_branch is None):
        raise UsageError("give predictions, or with a project the branch that holds them")
    if project is None and predictions_branch is not None:
        raise UsageError("a branch of predictions needs a project")
    sources, options = ([], dict(options)) if predictions is None else sources_of(predictions, source_label, options)
    plan, stage, send = split_options(options)
    if project is None:
        from ropewalk.evaluating_files import compare_files

        assert labels is not None
        if all_frames:
            raise UsageError("--all-frames is for a project: a file of labels says by its images what is looked at")
        return compare_files(sources, labels, plan, stage, iou)
    from ropewalk.evaluating_projects import compare_in_project

    return compare_in_project(
        project,
        sources,
        labels,
        branch,
        predictions_branch,
        (plan, stage, send),
        iou=iou,
        all_frames=all_frames,
        progress=progress or NoProgress(),
    )


def finish(
    result: Evaluation,
    labels: Side[Key],
    predictions: Side[Key],
    classes: Mapping[int, ClassMetrics],
    report: Report,
    images: Iterable[Key],
) -> Evaluation:
    """Measure, and fill in the result.

    Args:
        result: Is filled in.
        labels: What is there.
        predictions: What was found.
        classes: Category id -> class.
        report: What became of the predictions while they were read; those compared are still counted as not sent.
        images: The images to look at, in order.

    Raises:
        UsageError: There are no images.
        AccountingError: The sums do not hold.
    """
    chosen = {key: n for n, key in enumerate(images, 1)}
    if not chosen:
        raise UsageError(f"{result.labels_from}: no image or frame with labels to compare with")
    for code, n in predictions.rejected.items():
        report.reject(code, n)
    elsewhere = sum(len(found) for key, found in predictions.objects.items() if key not in chosen)
    for reason, n in (*predictions.left_out.items(), ("frame_without_labels", elsewhere)):
        if n:
            report.filter(reason, n)
    truth, found = list(_placed(labels, chosen)), list(_placed(predictions, chosen))
    report.write(len(found), 0)
    report.finish()
    result.metrics, measured = measure(list(_images(chosen, labels, predictions)), classes, truth, found, result.iou)
    result.classes = [item for item in measured if item.labels or item.predictions]
    result.images, result.labels, result.predictions = len(chosen), len(truth), len(found)
    result.labels_left_out = dict(labels.left_out + labels.rejected)
    result.annotations_read = report.annotations_read
    result.rejects_by_code, result.filtered_by_reason = report.rejects_by_code, report.filtered_by_reason
    result.rejects_file = report.rejects_file
    result.exit_code = EXIT_WITH_REJECTS if report.annotations_rejected else EXIT_ALL_WRITTEN
    return result


def _placed(side: Side[Key], chosen: Mapping[Key, int]) -> Iterator[Fields]:
    for key, number in chosen.items():
        for item in side.objects.get(key, ()):
            yield item | {"image_id": number}


def _images(chosen: Mapping[Key, int], *sides: Side[Key]) -> Iterator[Fields]:
    for key, number in chosen.items():
        size = next(filter(None, (side.sizes.get(key) for side in sides)), None)
        yield {"id": number} | ({} if size is None else {"width": size[0], "height": size[1]})
