"""Bulk import of model predictions into Encord prediction branches."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ropewalk import errors, rle
    from ropewalk.coco_metrics import ClassMetrics
    from ropewalk.evaluating import Evaluation, evaluate
    from ropewalk.importing import import_predictions
    from ropewalk.media_listing import list_media
    from ropewalk.ontology_listing import list_ontology
    from ropewalk.predictions import Predictions, read_coco, read_table
    from ropewalk.project import snapshot_from_project
    from ropewalk.project_listing import list_projects
    from ropewalk.report import Report
    from ropewalk.rolling_back import Rollback, rollback
    from ropewalk.showing import show
    from ropewalk.snapshot import Snapshot, read_snapshot, write_snapshot
    from ropewalk.statuses import ImportStatus, status
    from ropewalk.syncing import sync_project
    from ropewalk.verifying import Verification, verify_predictions
    from ropewalk.writer import PredictionWriter

# Names are looked up when they are used: importing the package costs neither numpy nor polars nor the SDK.
_HOME = {
    "ClassMetrics": "coco_metrics",
    "Evaluation": "evaluating",
    "evaluate": "evaluating",
    "import_predictions": "importing",
    "Predictions": "predictions",
    "read_coco": "predictions",
    "read_table": "predictions",
    "list_media": "media_listing",
    "list_ontology": "ontology_listing",
    "list_projects": "project_listing",
    "Report": "report",
    "Rollback": "rolling_back",
    "rollback": "rolling_back",
    "show": "showing",
    "sync_project": "syncing",
    "ImportStatus": "statuses",
    "status": "statuses",
    "Verification": "verifying",
    "verify_predictions": "verifying",
    "Snapshot": "snapshot",
    "read_snapshot": "snapshot",
    "snapshot_from_project": "project",
    "write_snapshot": "snapshot",
    "PredictionWriter": "writer",
}
_SUBMODULES = ("errors", "rle")

__all__ = [
    "ClassMetrics",
    "Evaluation",
    "ImportStatus",
    "PredictionWriter",
    "Predictions",
    "Report",
    "Rollback",
    "Snapshot",
    "Verification",
    "errors",
    "evaluate",
    "import_predictions",
    "list_media",
    "list_ontology",
    "list_projects",
    "read_coco",
    "read_snapshot",
    "read_table",
    "rle",
    "rollback",
    "show",
    "snapshot_from_project",
    "status",
    "sync_project",
    "verify_predictions",
    "write_snapshot",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("ropewalk")
    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
