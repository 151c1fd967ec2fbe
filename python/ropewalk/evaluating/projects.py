"""Evaluation inside a project: labels and predictions are label rows, those of predictions encoded but not sent."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import polars

from ropewalk import _core
from ropewalk.evaluating.coco_rows import size_of
from ropewalk.evaluating.label_files import Given, label_file_name, parts_of
from ropewalk.evaluating.metrics import ClassMetrics
from ropewalk.evaluating.sides import Evaluation, Side, finish
from ropewalk.importing.options import StageOptions
from ropewalk.importing.staging import staged_sources
from ropewalk.options import given_of
from ropewalk.project.live import project_from_listing
from ropewalk.project.narrowing import asks_metadata
from ropewalk.project.ontology import list_ontology
from ropewalk.project.options import PlanOptions
from ropewalk.project.snapshot import Snapshot
from ropewalk.project.titles import is_meant
from ropewalk.reading.options import FrameOptions
from ropewalk.report import Report
from ropewalk.showing.show import label_row_contents

if TYPE_CHECKING:
    import encord

    from ropewalk.evaluating.options import EvaluateOptions
    from ropewalk.progress import Progress
    from ropewalk.reading.sources import Source

# data_hash of a medium, and frame, of an image group the image's place.
_Frame: TypeAlias = tuple[str, int]
_FrameSide: TypeAlias = Side[_Frame]

# Tells whether a frame is among those that were asked for.
_Wanted: TypeAlias = Callable[[_Frame], bool]

# data_hash of a label row, and its JSON.
_Content: TypeAlias = tuple[str, bytes]

# What leaves predictions out, None for none.
_THINNING = ("min_confidence", "every", "max_per_frame", "limit_rows")

# Times are not compared, so any value works.
_WHEN = "Thu, 01 Jan 1970 00:00:00 UTC"

# Identity of objects needs a branch also where none is written on.
_BRANCH = "predictions"


def compare_in_project(
    project: encord.Project | Snapshot,
    sources: Sequence[Source],
    given: Given | None,
    branch: str,
    predictions_branch: str | None,
    options: EvaluateOptions,
    progress: Progress,
) -> Evaluation:
    """Measure predictions against the labels `given` or those on a branch; see `evaluate`."""
    iou = options.iou
    report = Report(branch=predictions_branch)
    with _opened(project, (branch, predictions_branch), options) as (known, rows_of):
        objects = list_ontology(known).objects
        classes = {
            n: ClassMetrics(item.name, item.feature_hash)
            for n, item in enumerate(objects, 1)
            if not options.only_classes or {item.name, item.feature_hash} & set(options.only_classes)
        }
        ids = {item.id: n for n, item in classes.items()}
        wanted, unsized = _wanted(known, options.only_media or ()), _unsized_media(known)
        labels, predictions = _FrameSide(iou, ids), _FrameSide(iou, ids)
        headers: dict[str, bytes] = {}
        for data_hash, label_row in rows_of(branch) if given is None or unsized else ():
            if given is None:
                n, objects_read = _add(labels, label_row, wanted)
                labels.left_out["answer"] += n - objects_read
            if data_hash in unsized:
                headers[data_hash] = label_row
        # What the project calls classes and media narrows both sides.
        wide = replace(options, only_classes=None, only_media=None)
        take = partial(_add_sources, wanted, known, headers, progress)
        if given is not None:
            for part, crowd in parts_of(given):
                # How predictions are read and thinned out is nothing to labels.
                whole = StageOptions(
                    **given_of(wide, PlanOptions) | given_of(wide, FrameOptions) | dict.fromkeys(_THINNING),
                    include_crowd=crowd,
                    threads=wide.threads,
                    work_dir=wide.work_dir,
                )
                read = Report()
                take(labels, [part], whole, read, "evaluate-label-rejects", iscrowd=int(crowd))
                labels.rejected += Counter(read.rejects_by_code)
                labels.left_out += Counter(read.filtered_by_reason)
        if predictions_branch is not None:
            for _, label_row in rows_of(predictions_branch):
                n, objects_read = _add(predictions, label_row, wanted)
                report.annotations_read += n
                report.annotations_not_sent += n
                predictions.left_out["answer"] += n - objects_read
        else:
            if wide.annotations is None and isinstance(given, (str, os.PathLike)):
                # A results list has neither images nor categories of its own.
                wide = replace(wide, annotations=Path(given))
            take(predictions, sources, wide, report, "evaluate-rejects")
    images = {key: None for key, items in labels.objects.items() if items}
    if options.all_frames:
        images |= dict.fromkeys((*labels.objects, *predictions.objects))
    name = branch if given is None else label_file_name(given)
    titles = {medium.data_hash: medium.title for medium in known.media}
    return finish(Evaluation(iou, name), labels, predictions, classes, report, sorted(images), options, titles)


@contextmanager
def _opened(
    project: encord.Project | Snapshot, branches: Iterable[str | None], options: EvaluateOptions
) -> Iterator[tuple[Snapshot, Any]]:
    """Give the project's form, and what gives the label rows of a branch."""
    if isinstance(project, Snapshot):

        def kept(branch: str) -> Iterator[_Content]:
            for row in project.label_rows:
                if row["branch_name"] == branch:
                    yield row["data_hash"], orjson.dumps(row)

        yield project, kept
        return
    from ropewalk.sinks.encord.connection import connected

    with connected(project, options) as (rows, _):
        listings = {
            branch: rows.listing(branch, images_data=True, client_metadata=asks_metadata(options.media_key))
            for branch in branches
            if branch is not None
        }

        def fetched(branch: str) -> Iterator[_Content]:
            standing = {e["label_hash"]: e["data_hash"] for e in listings[branch] if e.get("label_hash")}
            for label_hash, content in label_row_contents(list(standing), rows):
                yield standing[label_hash], content

        yield (
            project_from_listing(project, rows.ontology(str(project.ontology_hash)), next(iter(listings.values()))),
            fetched,
        )


def _add(side: _FrameSide, label_row: bytes, wanted: _Wanted, **more: Any) -> tuple[int, int]:
    """Take the objects of a label row; give the number of its labels, and of those that are no answers."""
    opened = _core.read(label_row, "label row", "encord")
    objects = 0
    for batch in opened:
        for row in polars.DataFrame(batch).iter_rows(named=True):
            # The objects of sound have ranges for a shape.
            if row["kind"] != "object" or row["shape"] is None:
                continue
            objects += 1
            key = (row["media"], row["frame"])
            if wanted(key):
                side.add(key, row, size_of(row), **more)
            else:
                side.left_out["only_media"] += 1
    rejected = Counter(reject["code"] for reject in opened.rejects)
    side.rejected += rejected
    return opened.counts["read"], objects + rejected.total()


def _add_sources(
    wanted: _Wanted,
    project: Snapshot,
    headers: Mapping[str, bytes],
    progress: Progress,
    side: _FrameSide,
    sources: Sequence[Source],
    options: StageOptions,
    report: Report,
    rejects_stem: str,
    **more: Any,
) -> None:
    """Take predictions as an import would write them.

    Args:
        headers: data_hash -> label row of media whose size only their label row tells.
    """
    # Nothing is written that would have to be recognised again: any label will do.
    sources = [source if source.is_folder else replace(source, label=source.name) for source in sources]
    with staged_sources(sources, project, _BRANCH, options, report, progress, rejects_stem) as (staged, rejects):
        found = 0
        done = 0
        progress.start("comparing", report.annotations_not_sent, "annotations")
        for index in range(len(staged)):
            info = staged.label_row(index)
            header = headers.get(info["data_hash"])
            if not info["sized"]:
                rejects.append([line for _, line in staged.unfit(index, header, _WHEN)], report)
            found += _add(side, staged.encode(index, header, _WHEN), wanted, **more)[1]
            done += info["annotations"]
            progress.update(done)
        progress.end()
    side.left_out += Counter(answer=report.annotations_not_sent - found)


def _wanted(project: Snapshot, globs: Sequence[str]) -> _Wanted:
    """Find what globs mean: media, or images of a group; without any, everything."""
    media, images = set(), set()
    for medium in project.media:
        if is_meant(medium.title, globs):
            media.add(medium.data_hash)
        images |= {(medium.data_hash, n) for n, image in enumerate(medium.images) if is_meant(image.title, globs)}
    return lambda frame: not globs or frame[0] in media or frame in images


def _unsized_media(project: Snapshot) -> set[str]:
    return {
        medium.data_hash
        for medium in project.media
        if any(unit.width is None or unit.height is None for unit in (medium.images or (medium,)))
    }
