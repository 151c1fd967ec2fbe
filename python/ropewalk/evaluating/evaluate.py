"""`evaluate`: COCO's metrics of predictions against labels, before anything is uploaded.

Both sides are brought to one form, `Side`: objects by image and class. In a project both are label rows, those of
predictions as an import would write them, so that maps, frames, clipping and rejects count as they will. Without a
project two files are compared, by the names that they use.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ropewalk.errors import UsageError
from ropewalk.evaluating.files import compare_files
from ropewalk.evaluating.options import EvaluateKeywords, EvaluateOptions
from ropewalk.evaluating.projects import compare_in_project
from ropewalk.evaluating.sides import Evaluation
from ropewalk.options import made, spelt, takes
from ropewalk.progress import NoProgress, Progress
from ropewalk.reading.predictions import Given, sources_of
from ropewalk.reading.sources import Source

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

    from ropewalk.project.snapshot import Snapshot


@takes(EvaluateOptions)
def evaluate(
    predictions: Given | None = None,
    labels: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    project: encord.Project | Snapshot | None = None,
    branch: str = "main",
    predictions_branch: str | None = None,
    progress: Progress | None = None,
    **options: Unpack[EvaluateKeywords],
) -> Evaluation:
    """Measure predictions against labels by COCO's metrics.

    Args:
        predictions: As `import_predictions` takes them; None with `predictions_branch`.
        labels: A COCO dataset, or its file; None for those of the project. With a project its names are resolved there
            as those of predictions are; without one the two files are compared by the names they use.
        project: A project of the `encord` client, or a snapshot that holds label rows.
        branch: Branch of the project that holds the labels.
        predictions_branch: Branch of the project that holds the predictions, instead of `predictions`.
        progress: Told about phases.
        **options: Those of `ropewalk evaluate --help`, under the same names. With a project `only_classes` (names or
            feature hashes in the ontology) and `only_media` narrow the labels too.

    Returns:
        The metrics, and what they were taken from.

    Raises:
        UsageError: An option, a map or a path does not fit, or there are no labels to compare with.
        RopewalkError: What the core found wrong with a source, or Encord refused; see `import_predictions`.

    Examples:
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
    if labels is None and project is None:
        raise UsageError("give a project, or a file of labels")
    if (predictions is None) == (predictions_branch is None):
        raise UsageError("give predictions, or with a project the branch that holds them")
    if project is None and predictions_branch is not None:
        raise UsageError("a branch of predictions needs a project")
    sources: list[Source] = []
    if predictions is None:
        job = made(EvaluateOptions, options)
    else:
        sources, job = sources_of(predictions, EvaluateOptions, options)
    if project is None:
        assert labels is not None
        if job.all_frames:
            raise UsageError(
                f"{spelt('all_frames')} is for a project: a file of labels says by its images what is looked at"
            )
        return compare_files(sources, labels, job)
    return compare_in_project(project, sources, labels, branch, predictions_branch, job, progress or NoProgress())
