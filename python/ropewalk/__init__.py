"""Bulk import of model predictions into Encord prediction branches."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ropewalk import errors, rle
    from ropewalk.converting.convert import convert
    from ropewalk.evaluating.details import Confusion, Curve, MediumMetrics
    from ropewalk.evaluating.evaluate import evaluate
    from ropewalk.evaluating.metrics import ClassMetrics
    from ropewalk.evaluating.prioritize import Priorities, prioritize
    from ropewalk.evaluating.sides import Evaluation
    from ropewalk.evaluating.tracking import Tracking, TrackMetrics
    from ropewalk.importing.promote import Promotion, promote
    from ropewalk.importing.rollback import Rollback, rollback
    from ropewalk.importing.run import import_predictions
    from ropewalk.importing.status import ImportStatus, status
    from ropewalk.importing.verify import Verification, verify_predictions
    from ropewalk.inspecting.inspection import Finding, Inspection
    from ropewalk.previewing.preview import Preview, preview
    from ropewalk.project.live import snapshot_from_project
    from ropewalk.project.media import list_media
    from ropewalk.project.ontology import list_ontology
    from ropewalk.project.snapshot import Medium, MediumImage, Snapshot, read_snapshot, write_snapshot
    from ropewalk.reading.predictions import Predictions, read, read_coco, read_table
    from ropewalk.report import Report
    from ropewalk.showing.projects import list_projects
    from ropewalk.showing.read_project import read_project
    from ropewalk.showing.show import show
    from ropewalk.showing.sync import sync_project
    from ropewalk.sinks.encord.client import connect
    from ropewalk.writer import PredictionWriter

# Names are looked up when they are used: importing the package costs neither numpy nor polars nor the SDK.
_HOME = {
    "ClassMetrics": "evaluating.metrics",
    "Confusion": "evaluating.details",
    "Curve": "evaluating.details",
    "Evaluation": "evaluating.sides",
    "MediumMetrics": "evaluating.details",
    "Tracking": "evaluating.tracking",
    "TrackMetrics": "evaluating.tracking",
    "Finding": "inspecting.inspection",
    "Inspection": "inspecting.inspection",
    "connect": "sinks.encord.client",
    "convert": "converting.convert",
    "evaluate": "evaluating.evaluate",
    "Priorities": "evaluating.prioritize",
    "prioritize": "evaluating.prioritize",
    "import_predictions": "importing.run",
    "Predictions": "reading.predictions",
    "read": "reading.predictions",
    "read_coco": "reading.predictions",
    "read_table": "reading.predictions",
    "list_media": "project.media",
    "list_ontology": "project.ontology",
    "list_projects": "showing.projects",
    "Preview": "previewing.preview",
    "preview": "previewing.preview",
    "Report": "report",
    "Promotion": "importing.promote",
    "promote": "importing.promote",
    "Rollback": "importing.rollback",
    "rollback": "importing.rollback",
    "read_project": "showing.read_project",
    "show": "showing.show",
    "sync_project": "showing.sync",
    "ImportStatus": "importing.status",
    "status": "importing.status",
    "Verification": "importing.verify",
    "verify_predictions": "importing.verify",
    "Medium": "project.snapshot",
    "MediumImage": "project.snapshot",
    "Snapshot": "project.snapshot",
    "read_snapshot": "project.snapshot",
    "snapshot_from_project": "project.live",
    "write_snapshot": "project.snapshot",
    "PredictionWriter": "writer",
}
_SUBMODULES = ("errors", "rle")

__all__ = [
    "ClassMetrics",
    "Confusion",
    "Curve",
    "Evaluation",
    "Finding",
    "ImportStatus",
    "Inspection",
    "Medium",
    "MediumImage",
    "MediumMetrics",
    "PredictionWriter",
    "Predictions",
    "Preview",
    "Priorities",
    "Promotion",
    "Report",
    "Rollback",
    "Snapshot",
    "TrackMetrics",
    "Tracking",
    "Verification",
    "connect",
    "convert",
    "errors",
    "evaluate",
    "import_predictions",
    "list_media",
    "list_ontology",
    "list_projects",
    "preview",
    "prioritize",
    "promote",
    "read",
    "read_coco",
    "read_project",
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
