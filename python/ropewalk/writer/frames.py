"""From the arguments of a frame to its rows: what each object is drawn as, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ropewalk.errors import UsageError
from ropewalk.text import is_writable
from ropewalk.writer.checks import Place
from ropewalk.writer.columns import Points, Rows
from ropewalk.writer.masks import dense_masks, encode_masks
from ropewalk.writer.run_lengths import encode_run_lengths, is_compact, unpack_compact

UNITS = ("px", "frac")
BOX_FORMATS = ("xyxy", "xywh", "cxcywh")
ROUND_SHAPES = ("circle", "ellipse")

# Names of the arguments that draw something; a row has one of them, or only its box.
_DRAWN = {
    "masks": "bitmask",
    "rles": "bitmask",
    "polygons": "polygon",
    "polylines": "polyline",
    "points": "point",
    "keypoints": "skeleton",
}


@dataclass(frozen=True)
class Conventions:
    """How the numbers of a writer are meant.

    Attributes:
        classes: Names of class ids.
        unit: Of boxes and points.
        box_format: Of boxes.
        threads: To encode masks with, None for one a processor.
    """

    classes: Mapping[int, str] | None
    unit: str = "px"
    box_format: str = "xyxy"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (("unit", self.unit, UNITS), ("box_format", self.box_format, BOX_FORMATS)):
            if value not in allowed:
                raise UsageError(f"{name} is {value!r}; expected one of {', '.join(allowed)}")
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads is {self.threads}; expected at least 1, or None for one a processor")


def class_table(classes: Sequence[str] | Mapping[int, str] | None) -> dict[int, str] | None:
    """Take the names of class ids, as a list or a dict.

    Raises:
        UsageError: They are neither.
    """
    if classes is None:
        return None
    if isinstance(classes, str) or not isinstance(classes, (Mapping, Sequence)):
        raise UsageError(f"classes is {type(classes).__name__}; expected a list of names, or a dict of ids and names")
    table = dict(classes) if isinstance(classes, Mapping) else dict(enumerate(classes))
    for number, name in table.items():
        if not isinstance(name, str) or not name or not is_writable(name):
            raise UsageError(f"classes has {ascii(name)} for {number!r}; expected a name that UTF-8 can write")
    return table


def objects_of(
    place: Place,
    how: Conventions,
    *,
    boxes: Any = None,
    thetas: Any = None,
    shape: str | None = None,
    masks: Any = None,
    mask_threshold: float | None = None,
    rles: Any = None,
    polygons: Any = None,
    polylines: Any = None,
    points: Any = None,
    keypoints: Any = None,
    scores: Any = None,
    class_ids: Any = None,
    class_names: Any = None,
    track_ids: Any = None,
    attributes: Any = None,
    size_hw: Any = None,
) -> Rows:
    """Check the arrays of a frame and make its rows; the arguments are those of `PredictionWriter.add`.

    Raises:
        UsageError: An argument does not fit.
    """
    if masks is not None and is_compact(masks):
        if mask_threshold is not None:
            raise place.error("mask_threshold is given beside a CompactMask, whose pixels are foreground or not")
        if rles is not None:
            raise place.error("masks and rles are given; an object is drawn as one of them")
        masks, rles = None, unpack_compact(place, masks)
    given = {
        "masks": masks,
        "rles": rles,
        "polygons": polygons,
        "polylines": polylines,
        "points": points,
        "keypoints": keypoints,
    }
    drawn = [name for name, value in given.items() if value is not None]
    _check_combination(place, drawn, boxes, thetas, shape, masks, mask_threshold)
    size = None if size_hw is None else place.size_hw(size_hw)
    fields: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    if boxes is not None:
        fields["boxes"] = place.boxes(boxes, how.box_format)
        lengths["boxes"] = len(fields["boxes"])
    dense: list[Any] = []
    if masks is not None:
        dense = dense_masks(place, masks, size)
        if dense:
            h, w = dense[0].shape
            size = (h, w)
        lengths["masks"] = len(dense)
    elif rles is not None:
        fields["rles"], size = encode_run_lengths(place, rles, size, how.threads)
        lengths["rles"] = len(fields["rles"])
    elif drawn:
        _add_points(place, drawn[0], given[drawn[0]], fields)
        lengths[drawn[0]] = len(fields["points"])
    n = next(iter(lengths.values()))
    if thetas is not None:
        fields["thetas"] = place.numbers("thetas", thetas, "(n,) degrees")
    if scores is not None:
        fields["scores"] = place.scores(scores)
    if track_ids is not None:
        fields["tracks"] = place.tracks(track_ids)
    if attributes is not None:
        fields["attributes"] = [
            place.answers(f"attributes[{at}]", item) for at, item in enumerate(place.items("attributes", attributes))
        ]
    classes = _classes(place, how, n, class_ids, class_names)
    lengths |= {name: len(fields[name]) for name in ("thetas", "scores", "attributes") if name in fields}
    lengths |= {"track_ids": len(fields["tracks"])} if "tracks" in fields else {}
    lengths["class_ids" if class_names is None else "class_names"] = len(classes)
    if set(lengths.values()) != {n}:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise place.error(f"arguments of different lengths, expected one entry for each object: {found}")
    # Last, as it costs most.
    if dense:
        fields["rles"] = encode_masks(place, dense, mask_threshold, how.threads)
    return Rows(
        place.media,
        place.frame,
        how.unit,
        classes,
        shapes=_shapes(place, drawn, shape, fields, n),
        size_hw=size,
        **fields,
    )


def _check_combination(
    place: Place, drawn: list[str], boxes: Any, thetas: Any, shape: str | None, masks: Any, threshold: float | None
) -> None:
    if len(drawn) > 1:
        raise place.error(f"{' and '.join(drawn)} are given; an object is drawn as one of them, with or without boxes")
    if not drawn and boxes is None:
        raise place.error(f"nothing is drawn; expected boxes, {', '.join(_DRAWN)}")
    if thetas is not None and boxes is None:
        raise place.error("thetas are given without boxes")
    if threshold is not None and masks is None:
        raise place.error("mask_threshold is given without masks")
    if shape is not None and shape not in ROUND_SHAPES:
        raise place.error(
            f"shape is {shape!r}, expected one of {', '.join(ROUND_SHAPES)}; others follow from the arrays"
        )
    if shape is not None and drawn:
        raise place.error(f"shape is {shape!r} beside {drawn[0]}, expected boxes around what is round")


def _add_points(place: Place, name: str, given: Any, fields: dict[str, Any]) -> None:
    if name == "polygons":
        fields["points"] = Points.from_parts(place.polygons(given))
    elif name == "polylines":
        lines = [[[place.ring(f"polylines[{at}]", line, 2)]] for at, line in enumerate(place.items(name, given))]
        fields["points"] = Points.from_parts(lines)
    elif name == "points":
        fields["points"] = Points.from_array(place.numbers("points", given, "(n, 2)", (2,))[:, None, :])
    else:
        points, fields["visibility"] = place.keypoints(given)
        fields["points"] = Points.from_array(points)


def _shapes(place: Place, drawn: list[str], shape: str | None, fields: dict[str, Any], n: int) -> list[str]:
    boxed = shape or ("bounding_box" if "thetas" not in fields else "rotatable_bounding_box")
    if not drawn:
        return [boxed] * n
    shapes = [_DRAWN[drawn[0]]] * n
    if drawn == ["polygons"]:
        for at in (fields["points"].in_rows == 0).nonzero()[0].tolist():
            if "boxes" not in fields:
                raise place.error(f"polygons[{at}] is empty, and there are no boxes beside the polygons")
            shapes[at] = boxed
    return shapes


def _classes(place: Place, how: Conventions, n: int, class_ids: Any, class_names: Any) -> list[str]:
    if class_ids is not None and class_names is not None:
        raise place.error("class_ids and class_names are given, expected one of them")
    if class_names is not None:
        return place.texts("class_names", class_names, n)
    if class_ids is None:
        if n:
            raise place.error("class_ids or class_names are missing")
        return []
    numbers = place.whole("class_ids", class_ids)
    if how.classes is None:
        return list(map(str, numbers))
    for at, number in enumerate(numbers):
        if number not in how.classes:
            known = ", ".join(map(str, list(how.classes)[:10]))
            raise place.error(f"class_ids[{at}] is {number}, expected one of those in classes: {known}")
    return [how.classes[number] for number in numbers]
