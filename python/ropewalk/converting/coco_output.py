"""Rows of the IR as one COCO dataset."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO

from ropewalk import _core
from ropewalk.project.ontology import list_ontology
from ropewalk.project.plan import media_fields

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

        Raises:
            SnapshotError: The project's ontology is not as Encord writes one.
        """
        return super().__new__(cls, file, None if project is None else _known(project))


def _known(project: Snapshot) -> str:
    objects = list_ontology(project).objects
    return json.dumps(
        {
            "media": media_fields(project.media),
            "objects": [
                {"name": o.name, "feature_hash": o.feature_hash, "points": [point.name for point in o.points]}
                for o in objects
            ],
        }
    )
