"""A COCO dataset of labels: its images, classes and annotations as the core reads them, and how each counts."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import polars

from ropewalk.errors import UsageError
from ropewalk.evaluating.coco_rows import Fields, Row, SizeWh
from ropewalk.evaluating.metrics import ClassMetrics
from ropewalk.files import content_of
from ropewalk.reading.predictions import read_coco
from ropewalk.reading.sources import Source
from ropewalk.text import shown

# A file, or what would stand in one.
Given: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]

# Name of the medium, and frame.
NamedFrame: TypeAlias = tuple[str, int]


@dataclass
class LabelFile:
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
    image_ids: dict[NamedFrame, int]
    class_ids: dict[str, int]
    classes: dict[int, ClassMetrics]
    sizes: dict[NamedFrame, SizeWh | None]
    rows: list[tuple[Row, Fields]]
    rejected: int


def read_labels(given: Given) -> LabelFile:
    """Read a dataset of labels.

    Raises:
        UsageError: It is none, or gives several images or categories one name.
    """
    name, sections = label_file_name(given), _sections(given)
    images, categories, annotations = (sections[key] for key in ("images", "categories", "annotations"))
    if not images or not categories:
        raise UsageError(f"{name}: no images or no categories; expected a COCO dataset with labels")
    numbered = [{**annotation, "id": f"a{n}"} for n, annotation in enumerate(annotations)]
    opened = read_coco({**sections, "annotations": numbered}, include_crowd=True, source_label=name).open()
    listed = opened.names()
    read: dict[str, Row] = {}
    for batch in opened:
        read |= {row["annotation_id"]: row for row in polars.DataFrame(batch).iter_rows(named=True)}
    image_ids, class_ids = ([found[0] for found in listed[key]] for key in ("media", "classes"))
    for what, items, ids in (("images", images, image_ids), ("categories", categories, class_ids)):
        if None in ids or len(ids) != len(items):
            raise UsageError(f"{name}: {what} without an id, or several with the same id; give each one of its own")
    # In the order of their ids, numbers before texts.
    media = [listed["media"][n] for n in sorted(range(len(images)), key=lambda n: _order(images[n]["id"]))]
    keys = [(medium, frame) for _, medium, frame, _, _ in media]
    names = [found for _, found in listed["classes"]]
    for what, called in (("images", keys), ("categories", names)):
        twice = [key for key, n in Counter(called).items() if n > 1]
        if twice:
            raise UsageError(f"{name}: several {what} are called {shown(str(twice[0]))}; names are what files share")
    rows = [(read[f"a{n}"], _kept(annotation)) for n, annotation in enumerate(annotations) if f"a{n}" in read]
    return LabelFile(
        name=name,
        tables={key: found for key, found in sections.items() if key != "annotations"},
        image_ids={key: n for n, key in enumerate(keys, 1)},
        class_ids={found: n for n, found in enumerate(names, 1)},
        classes={n: ClassMetrics(found, str(categories[n - 1]["id"])) for n, found in enumerate(names, 1)},
        sizes={
            key: (width, height) if width and height else None
            for key, (*_, width, height) in zip(keys, media, strict=True)
        },
        rows=rows,
        rejected=len(annotations) - len(rows),
    )


def _order(image_id: Any) -> tuple[bool, Any]:
    return isinstance(image_id, str), image_id


def _kept(annotation: Mapping[str, Any]) -> Fields:
    """Give the fields of a label that decide how it counts: whether it is ignored, and its size."""
    given = {key: annotation.get(key) for key in ("area", "num_keypoints")}
    numbers = {key: value for key, value in given.items() if isinstance(value, (int, float))}
    return {"iscrowd": int(_is_crowd(annotation)), **numbers}


def _is_crowd(annotation: Mapping[str, Any]) -> bool:
    """Read the flag, which some files have as text."""
    flag = annotation.get("iscrowd")
    return flag.strip().lower() not in ("", "0", "0.0", "false") if isinstance(flag, str) else bool(flag)


def parts_of(given: Given) -> Iterator[tuple[Source, bool]]:
    """Split a dataset of labels in two: label rows know no regions that are to be ignored.

    Yields:
        The labels, and then the regions (iscrowd) if there are any; and which of them it is.

    Raises:
        UsageError: It is no dataset.
    """
    name, sections = label_file_name(given), _sections(given)
    for crowd in (False, True):
        items = [item for item in sections["annotations"] if _is_crowd(item) == crowd]
        if items or not crowd:
            yield Source(json.dumps({**sections, "annotations": items}).encode("ascii"), name), crowd


def label_file_name(given: Given) -> str:
    """Give the name that a dataset of labels goes by."""
    return "labels" if isinstance(given, Mapping) else shown(os.fspath(given))


def _sections(given: Given) -> dict[str, list[Fields]]:
    name = label_file_name(given)
    document = given if isinstance(given, Mapping) else _load(Path(given), name)
    return {key: _section(document, key, name) for key in ("images", "categories", "annotations", "videos")}


def _load(path: Path, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content_of(path))
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
