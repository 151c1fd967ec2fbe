"""Evaluation of one file against another: media and classes are compared by the names that the files use."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars

from ropewalk.coco_metrics import ClassMetrics
from ropewalk.coco_rows import Fields, Row, SizeWh, size_of
from ropewalk.errors import UsageError
from ropewalk.evaluating import Evaluation, Side, finish
from ropewalk.predictions import Predictions, read_coco
from ropewalk.report import Report
from ropewalk.text import shown

if TYPE_CHECKING:
    from ropewalk.plan import PlanOptions
    from ropewalk.sources import Source
    from ropewalk.staging import StageOptions

# Name of the medium, and frame.
_Named: TypeAlias = tuple[str, int]


def compare_files(
    sources: Sequence[Source],
    labels: str | os.PathLike[str] | Mapping[str, Any],
    plan: PlanOptions,
    stage: StageOptions,
    iou: str,
) -> Evaluation:
    """Measure predictions against a COCO dataset, on all of its images; see `evaluate`."""
    if replace(plan, min_confidence=None) != type(plan)():
        raise UsageError("files are compared by the names they use: options that need a project do not apply to them")
    truth_file = _read_labels(labels)
    truth, found = Side[_Named](iou, truth_file.class_ids), Side[_Named](iou, truth_file.class_ids)
    truth.sizes |= truth_file.sizes
    for row, kept in truth_file.rows:
        truth.add((row["media"], row["frame"]), row, size_of(row), **kept)
    truth.left_out += Counter(rejected=truth_file.rejected)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="ropewalk-labels-") as folder:
        # A results list has neither images nor categories of its own.
        tables = stage.annotations or Path(folder, "labels.json")
        if stage.annotations is None:
            tables.write_text(json.dumps(truth_file.tables), encoding="ascii")
        for source in sources:
            for row in _predictions(source, tables, stage, report):
                key = (row["media"], row["frame"])
                score = 1.0 if row["score"] is None else row["score"]
                if row["kind"] != "object":
                    found.left_out["answer"] += 1
                elif plan.min_confidence is not None and score < plan.min_confidence:
                    found.left_out["min_confidence"] += 1
                elif key not in truth_file.image_ids:
                    found.left_out["other_image"] += 1
                else:
                    found.add(key, row, truth.sizes[key] or size_of(row))
    result = Evaluation(iou, truth_file.name)
    return finish(result, truth, found, truth_file.classes, report, truth_file.image_ids)


def _predictions(source: Source, tables: Path, stage: StageOptions, report: Report) -> Iterator[Row]:
    opened = Predictions(source, tables, stage.confidence_field, stage.include_crowd).open()
    for batch in opened:
        yield from polars.DataFrame(batch).iter_rows(named=True)
    counts = opened.counts
    report.annotations_read += counts["read"]
    report.annotations_not_sent += counts["read"]
    for reject in opened.rejects:
        report.reject(reject["code"], reject.get("annotations", 1))
    if counts["filtered_crowd"]:
        report.filter("crowd", counts["filtered_crowd"])


@dataclass
class _Labels:
    """A dataset, its annotations read and checked by the core.

    Attributes:
        name: The file.
        tables: The dataset without its annotations.
        image_ids: What the core calls each image -> its number, in the order of their ids: pycocotools takes them in
            this order, and of equal scores the first one first.
        class_ids: What the core calls each category -> its number.
        classes: Number -> category.
        sizes: Sizes of the images, px.
        rows: The annotations, and what says how they count.
        rejected: Annotations that cannot be read.
    """

    name: str
    tables: dict[str, list[Fields]]
    image_ids: dict[_Named, int]
    class_ids: dict[str, int]
    classes: dict[int, ClassMetrics]
    sizes: dict[_Named, SizeWh | None]
    rows: list[tuple[Row, Fields]]
    rejected: int


def _read_labels(given: str | os.PathLike[str] | Mapping[str, Any]) -> _Labels:
    name = "labels" if isinstance(given, Mapping) else shown(os.fspath(given))
    document = given if isinstance(given, Mapping) else _load(Path(given), name)
    sections = {key: _section(document, key, name) for key in ("images", "categories", "annotations", "videos")}
    images, categories, annotations = (sections[key] for key in ("images", "categories", "annotations"))
    if not images or not categories:
        raise UsageError(f"{name}: no images or no categories; expected a COCO dataset with labels")
    # What the core calls an image or a category it says itself: each has an annotation of its own here.
    any_image, any_category, box = images[0].get("id"), categories[0].get("id"), {"bbox": [0, 0, 1, 1]}
    asked = [
        *({**annotation, "id": f"a{n}"} for n, annotation in enumerate(annotations)),
        *({"id": f"i{n}", "image_id": i.get("id"), "category_id": any_category} | box for n, i in enumerate(images)),
        *({"id": f"c{n}", "image_id": any_image, "category_id": c.get("id")} | box for n, c in enumerate(categories)),
    ]
    read: dict[str, Row] = {}
    for batch in read_coco({**sections, "annotations": asked}, include_crowd=True, source_label=name):
        read |= {row["annotation_id"]: row for row in polars.DataFrame(batch).iter_rows(named=True)}
    try:
        by_id = sorted(range(len(images)), key=lambda n: (isinstance(images[n]["id"], str), images[n]["id"]))
        keys = [(read[f"i{n}"]["media"], read[f"i{n}"]["frame"]) for n in by_id]
        names = [read[f"c{n}"]["class"] for n in range(len(categories))]
    except (KeyError, TypeError) as e:
        raise UsageError(f"{name}: an image or category without a usable id ({e})") from None
    for what, found in (("images", keys), ("categories", names)):
        twice = [key for key, n in Counter(found).items() if n > 1]
        if twice:
            raise UsageError(f"{name}: several {what} are called {shown(str(twice[0]))}; names are what files share")
    rows = [(read[f"a{n}"], _kept(annotation)) for n, annotation in enumerate(annotations) if f"a{n}" in read]
    return _Labels(
        name=name,
        tables={key: found for key, found in sections.items() if key != "annotations"},
        image_ids={key: n for n, key in enumerate(keys, 1)},
        class_ids={found: n for n, found in enumerate(names, 1)},
        classes={n: ClassMetrics(found, str(categories[n - 1]["id"])) for n, found in enumerate(names, 1)},
        sizes={key: size_of(read[f"i{n}"]) for n, key in zip(by_id, keys, strict=True)},
        rows=rows,
        rejected=len(annotations) - len(rows),
    )


def _kept(annotation: Mapping[str, Any]) -> Fields:
    """Take from a label what says how it counts: a region that is ignored, and its size as the annotator has it."""
    fields: Fields = {"iscrowd": int(bool(annotation.get("iscrowd")))}
    area = annotation.get("area")
    return fields | ({"area": area} if isinstance(area, (int, float)) else {})


def _load(path: Path, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as e:
        raise UsageError(f"{name}: not a COCO dataset ({e})") from None
    if not isinstance(document, dict):
        raise UsageError(f"{name}: expected a COCO dataset, an object with images, categories and annotations")
    return document


def _section(document: Mapping[str, Any], key: str, name: str) -> list[Fields]:
    items = document.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UsageError(f"{name}: {key}: expected a list of JSON objects")
    return items
