"""Evaluation inside a project: labels and predictions are label rows, those of predictions encoded but not sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from ropewalk.coco_metrics import ClassMetrics
from ropewalk.coco_rows import size_of
from ropewalk.errors import LabelRowError
from ropewalk.evaluating import Evaluation, Side, finish
from ropewalk.label_row_objects import FrameKey, objects_on_frames
from ropewalk.ontology_listing import list_ontology
from ropewalk.project import project_from_listing
from ropewalk.report import Report
from ropewalk.showing import label_row_contents
from ropewalk.snapshot import Snapshot
from ropewalk.staging import staged_sources
from ropewalk.titles import is_meant

if TYPE_CHECKING:
    import encord

    from ropewalk.options import SendOptions
    from ropewalk.plan import PlanOptions
    from ropewalk.progress import Progress
    from ropewalk.sources import Source
    from ropewalk.staging import StageOptions

# A label row as Encord answers it, and the same as JSON.
_Content = tuple[dict[str, Any], bytes]
_FrameSide: TypeAlias = Side[FrameKey]

# Times are no content: any will do.
_WHEN = "Thu, 01 Jan 1970 00:00:00 UTC"

# Identity of objects needs a branch also where none is written on.
_BRANCH = "predictions"


def compare_in_project(
    project: encord.Project | Snapshot,
    sources: Sequence[Source],
    branch: str,
    predictions_branch: str | None,
    options: tuple[PlanOptions, StageOptions, SendOptions],
    *,
    iou: str,
    all_frames: bool,
    progress: Progress,
) -> Evaluation:
    """Measure predictions against the labels on a branch; see `evaluate`."""
    plan, stage, send = options
    report = Report(branch=predictions_branch)
    with _opened(project, (branch, predictions_branch), send) as (known, rows_of):
        objects = list_ontology(known).objects
        classes = {
            n: ClassMetrics(item.name, item.feature_hash)
            for n, item in enumerate(objects, 1)
            if not plan.only_classes or {item.name, item.feature_hash} & set(plan.only_classes)
        }
        ids = {item.id: n for n, item in classes.items()}
        wanted, unsized = _wanted_units(known, plan.only_media), _unsized_media(known)
        labels, predictions = _FrameSide(iou, ids), _FrameSide(iou, ids)
        headers: dict[str, bytes] = {}
        for label_row, content in rows_of(branch):
            _add(labels, label_row, wanted)
            if label_row["data_hash"] in unsized:
                headers[label_row["data_hash"]] = content
        if predictions_branch is not None:
            for label_row, _ in rows_of(predictions_branch):
                n = _add(predictions, label_row, wanted)
                report.annotations_read += n
                report.annotations_not_sent += n
        else:
            # Labels are narrowed in the same way, by what the project calls classes and media.
            wide = replace(plan, only_classes=(), only_media=())
            _add_sources(predictions, wanted, known, sources, wide, stage, headers, report, progress)
    images = {key: None for key, items in labels.objects.items() if items}
    if all_frames:
        images |= dict.fromkeys((*labels.objects, *predictions.objects))
    return finish(Evaluation(iou, branch), labels, predictions, classes, report, sorted(images))


@contextmanager
def _opened(
    project: encord.Project | Snapshot, branches: Iterable[str | None], send: SendOptions
) -> Iterator[tuple[Snapshot, Any]]:
    """Give the project's form, and what gives the label rows of a branch."""
    if isinstance(project, Snapshot):

        def kept(branch: str) -> Iterator[_Content]:
            for row in project.label_rows:
                if row["branch_name"] == branch:
                    yield row, orjson.dumps(row)

        yield project, kept
        return
    from ropewalk.sinks.encord.connection import connected

    with connected(project, send) as (rows, _):
        listings = {branch: rows.listing(branch, images_data=True) for branch in branches if branch is not None}

        def fetched(branch: str) -> Iterator[_Content]:
            standing = [entry["label_hash"] for entry in listings[branch] if entry.get("label_hash")]
            for label_hash, content in label_row_contents(standing, rows):
                try:
                    yield orjson.loads(content), content
                except ValueError as e:
                    raise LabelRowError(f"label row {label_hash} is not as Encord writes one ({e!r})") from e

        yield project_from_listing(project, next(iter(listings.values()))), fetched


def _add(side: _FrameSide, label_row: Mapping[str, Any], wanted: set[str] | None) -> int:
    """Take the objects of a label row; give their number."""
    n = 0
    try:
        for (data_hash, frame), row in objects_on_frames(label_row):
            n += 1
            if wanted is not None and data_hash not in wanted:
                side.left_out["only_media"] += 1
                continue
            side.add((data_hash, frame), row, size_of(row))
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        name = label_row.get("label_hash")
        raise LabelRowError(f"label row {name} is not as Encord writes one ({e!r})") from e
    return n


def _add_sources(
    side: _FrameSide,
    wanted: set[str] | None,
    project: Snapshot,
    sources: Sequence[Source],
    plan: PlanOptions,
    stage: StageOptions,
    headers: Mapping[str, bytes],
    report: Report,
    progress: Progress,
) -> None:
    """Take predictions as an import would write them.

    Args:
        headers: data_hash -> label row of media whose size only their label row tells.
    """
    with staged_sources(sources, project, _BRANCH, plan, stage, report, progress, "evaluate-rejects") as (
        staged,
        rejects,
    ):
        found = 0
        progress.start("comparing", len(staged), "label rows")
        for index in range(len(staged)):
            info = staged.label_row(index)
            header = headers.get(info["data_hash"])
            if not info["sized"]:
                rejects.append(staged.unfit(index, header, _WHEN), report)
            found += _add(side, orjson.loads(staged.encode(index, header, _WHEN)), wanted)
            progress.update(index + 1)
        progress.end()
    if report.annotations_not_sent > found:
        report.filter("answer", report.annotations_not_sent - found)


def _wanted_units(project: Snapshot, globs: Sequence[str]) -> set[str] | None:
    """Find the data units that globs mean: a medium, or images of a group; None for all."""
    if not globs:
        return None
    wanted = set()
    for medium in project.media:
        whole = is_meant(medium.title, globs)
        units = [(image.image_hash, image.title) for image in medium.images] or [(medium.data_hash, medium.title)]
        wanted |= {data_hash for data_hash, title in units if whole or is_meant(title, globs)}
    return wanted


def _unsized_media(project: Snapshot) -> set[str]:
    return {
        medium.data_hash
        for medium in project.media
        if any(unit.width is None or unit.height is None for unit in (medium.images or (medium,)))
    }
