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
from ropewalk.evaluating.coco_rows import Fields, Row, SizeWh, size_of
from ropewalk.evaluating.metrics import ClassMetrics
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
    return LabelFile(
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


def parts_of(given: Given) -> Iterator[tuple[Source, bool]]:
    """Split a dataset of labels in two: label rows know no regions that are to be ignored.

    Yields:
        The labels, and then the regions (iscrowd) if there are any; and which of them it is.

    Raises:
        UsageError: It is no dataset.
    """
    name, sections = label_file_name(given), _sections(given)
    for crowd in (False, True):
        items = [item for item in sections["annotations"] if bool(item.get("iscrowd")) == crowd]
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
