"""Rows of the IR as one COCO dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from ropewalk import _core
from ropewalk.project.options import PlanOptions
from ropewalk.project.plan import plan_of

if TYPE_CHECKING:
    from typing_extensions import Self

    from ropewalk.project.snapshot import Snapshot

SUFFIX = ".json"


class CocoWriter(_core.CocoWriter):
    """Writes batches of the IR as a COCO dataset, and keeps a line for each image, class and track meanwhile."""

    def __new__(cls, file: BinaryIO, project: Snapshot | None = None) -> Self:
        """Begin a dataset.

        Args:
            file: Takes the dataset, ASCII.
            project: Resolves feature hashes and data_hashes to names, and tells sizes and the names of keypoints.
        """
        return super().__new__(cls, file, None if project is None else plan_of(project, "", PlanOptions()))
