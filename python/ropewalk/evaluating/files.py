"""Evaluation of one file against another: media and classes are compared by the names that the files use."""

from __future__ import annotations

import json
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars

from ropewalk.evaluating.coco_rows import Row, size_of
from ropewalk.evaluating.label_files import Given, NamedFrame, read_labels
from ropewalk.evaluating.sides import Evaluation, Side, finish
from ropewalk.importing.options import check_without_project
from ropewalk.reading.formats import format_of, formats, open_source
from ropewalk.report import Report

if TYPE_CHECKING:
    from ropewalk.evaluating.options import EvaluateOptions
    from ropewalk.reading.sources import Source


def compare_files(sources: Sequence[Source], labels: Given, options: EvaluateOptions) -> Evaluation:
    """Measure predictions against a COCO dataset, on all of its images; see `evaluate`."""
    applied = replace(options, min_confidence=None, frame_base=None, frame_stride=None)
    check_without_project(applied, "files are compared by the names they use")
    iou = options.iou
    truth_file = read_labels(labels)
    truth = Side[NamedFrame](iou, truth_file.class_ids, are_labels=True)
    found = Side[NamedFrame](iou, truth_file.class_ids)
    truth.sizes |= truth_file.sizes
    for row, kept in truth_file.rows:
        truth.add((row["media"], row["frame"]), row, size_of(row), **kept)
    truth.left_out += Counter(rejected=truth_file.rejected)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="ropewalk-labels-") as folder:
        # A results list has neither images nor categories of its own.
        tables = options.annotations or Path(folder, "labels.json")
        if options.annotations is None:
            tables.write_text(json.dumps(truth_file.tables), encoding="ascii")
        for source in sources:
            base, stride = _counting(source, options)
            for row in _predictions(source, replace(options, annotations=tables), report):
                key = (row["media"], (row["frame"] - base) * stride)
                score = 1.0 if row["score"] is None else row["score"]
                if row["kind"] != "object":
                    found.left_out["answer"] += 1
                elif options.min_confidence is not None and _is_below(score, options.min_confidence):
                    found.left_out["min_confidence"] += 1
                elif key not in truth_file.image_ids:
                    found.left_out["other_image"] += 1
                else:
                    found.add(key, row, truth.sizes[key] or size_of(row))
    result = Evaluation(iou, truth_file.name)
    return finish(result, truth, found, truth_file.classes, report, truth_file.image_ids, options)


def _counting(source: Source, options: EvaluateOptions) -> tuple[int, int]:
    """Give the number of the first frame of a source, and the frames from one of its frames to the next."""
    if source.is_folder:
        # A file is an image; what number in its name is that of a frame only a project can tell.
        return 0, 1
    info = formats()[format_of(source, options.format)]
    return (
        info["frame_base"] if options.frame_base is None else options.frame_base,
        info["frame_stride"] if options.frame_stride is None else options.frame_stride,
    )


def _is_below(score: float, least: float) -> bool:
    """Say whether a confidence is below a limit; a model's 32-bit float that is the limit is not."""
    (narrow,) = struct.unpack("f", struct.pack("f", least))
    return score < least and score != narrow


def _predictions(source: Source, options: EvaluateOptions, report: Report) -> Iterator[Row]:
    opened = open_source(source, options)
    for batch in opened:
        yield from polars.DataFrame(batch).iter_rows(named=True)
    counts = opened.counts
    report.annotations_read += counts["read"]
    report.annotations_not_sent += counts["read"]
    for reject in opened.rejects:
        report.reject(reject["code"], reject.get("annotations", 1))
    for reason, filtered in counts["filtered_by_reason"].items():
        report.filter(reason, filtered)
