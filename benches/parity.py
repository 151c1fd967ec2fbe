"""Whether two ways made the same of one input: geometry to the last digit, answer, class, frame, confidence, object."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from ropewalk.sinks.encord.transport import Blocks

GEOMETRIES = (
    "boundingBox",
    "rotatableBoundingBox",
    "polygon",
    "polygons",
    "polyline",
    "point",
    "bitmask",
    "skeleton",
    "circle",
    "ellipse",
)


class ParityError(Exception):
    """Two ways differ: nothing of this input is timed."""


def check_bodies(name: str, bodies: dict[str, Blocks], number_of_annotations: int) -> None:
    """Compare the bodies that several ways made.

    Raises:
        ParityError: One lacks annotations or differs from the first.
    """
    found = {way: labels(b"".join(body)) for way, body in bodies.items()}
    first = next(iter(found))
    for way, objects in found.items():
        number = sum(map(len, objects))
        if number != number_of_annotations:
            raise ParityError(f"{name}: {way} wrote {number} of {number_of_annotations} annotations")
        if objects != found[first]:
            pairs = zip(objects, found[first], strict=False)
            example = next(((a, b) for a, b in pairs if a != b), (len(objects), len(found[first])))
            raise ParityError(f"{name}: {way} and {first} differ, first in {str(example)[:2000]}")


def labels(body: bytes) -> list[list[tuple[Any, ...]]]:
    """Read a body as objects and answers, each the list of its labels, in an order that no hash decides."""
    objects: dict[str, list[tuple[Any, ...]]] = {}
    answers = []
    for row in orjson.loads(body)["values"]["payload"]["labels"]:
        (unit,) = row["data_units"].values()
        for frame, on_frame in unit["labels"].items():
            for label in on_frame["objects"]:
                geometry = orjson.dumps({k: label[k] for k in GEOMETRIES if k in label}, option=orjson.OPT_SORT_KEYS)
                drawn = (int(frame), label["featureHash"], label["shape"], label["confidence"], geometry)
                objects.setdefault(label["objectHash"], []).append(drawn)
        if objects.keys() != row["object_answers"].keys():
            raise ParityError("object_answers does not name exactly the objects on the frames")
        for answer in row["classification_answers"].values():
            chosen = orjson.dumps(answer["classifications"], option=orjson.OPT_SORT_KEYS)
            given = (answer["featureHash"], "answer", answer["confidence"], chosen)
            answers.append([(frame, *given) for first, last in answer["range"] for frame in range(first, last + 1)])
    return sorted([*map(sorted, objects.values()), *answers])


def check_equal(name: str, values: dict[str, Any]) -> None:
    """Compare what several ways made: strings, lists or arrays.

    Raises:
        ParityError: One differs from the first.
    """
    first, *others = values
    for other in others:
        a, b = values[first], values[other]
        if not (np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b):
            raise ParityError(f"{name}: {other} and {first} differ")
