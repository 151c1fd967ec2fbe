"""Random labels of every kind as plain data: rows of the IR for the core, instances for the SDK.

Coordinates are fractions, so that no rounding hides a difference.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars
from encord.constants.enums import DataType
from encord.objects import Classification, LabelRowV2, Object, OntologyStructure, Shape
from encord.objects.attributes import (
    Attribute,
    ChecklistAttribute,
    NumericAttribute,
    RadioAttribute,
    TextAttribute,
)
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import (
    AudioCoordinates,
    BoundingBoxCoordinates,
    CircleCoordinates,
    Cuboid2DIsometricCoordinates,
    Cuboid2DPerspectiveCoordinates,
    EllipseCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
    SkeletonCoordinate,
    SkeletonCoordinates,
    TextCoordinates,
    TimeRangeCoordinates,
    Visibility,
)
from encord.objects.frames import Range
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate
from hypothesis import strategies as st

from ropewalk import _core
from ropewalk.project.snapshot import Medium
from sdk_oracle import WHEN, object_number

VISIBILITY = (Visibility.INVISIBLE, Visibility.OCCLUDED, Visibility.VISIBLE, Visibility.SELF_OCCLUDED)
POINTS = ("Tip", "Größe", 'le"ft')
SHAPES = (
    Shape.BOUNDING_BOX,
    Shape.ROTATABLE_BOUNDING_BOX,
    Shape.POLYGON,
    Shape.POLYLINE,
    Shape.POINT,
    Shape.BITMASK,
    Shape.SKELETON,
    Shape.CIRCLE,
    Shape.ELLIPSE,
    Shape.CUBOID_2D,
)
# Shapes of objects that lie on ranges, and what the SDK calls these.
ON_RANGES = {Shape.AUDIO: AudioCoordinates, Shape.TEXT: TextCoordinates, Shape.TIME_RANGE: TimeRangeCoordinates}
RANGE_TYPES = (DataType.AUDIO, DataType.PLAIN_TEXT, DataType.TIME_SERIES)
KINDS = (RadioAttribute, ChecklistAttribute, TextAttribute, NumericAttribute)

# (name of the question, answer) in the order of the questions: an option's label, a list of labels, text or a number.
Answers = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Row:
    """A label: of an object on a frame, of a sound or an answer on a range."""

    item: int
    frame: int
    last: int
    geometry: Any = None
    answers: Answers = ()
    score: float | None = None
    track: str | None = None


@dataclass(frozen=True)
class Labels:
    """An ontology, and labels of its objects and classifications, which they name by their place."""

    structure: OntologyStructure
    objects: tuple[Row, ...]
    classified: tuple[Row, ...]


# --- random ones -----------------------------------------------------------------------------------------------------


def add_attributes(draw: Any, parent: Any, prefix: str, *, dynamic: bool, depth: int = 0) -> None:
    """Add random questions; those of options as well."""
    # A classification asks one thing.
    count = 1 if isinstance(parent, Classification) else draw(st.integers(0, 3 - depth))
    for number in range(count):
        kind = draw(st.sampled_from(KINDS))
        varies = dynamic and draw(st.booleans())
        name = f"{prefix}{number} É?"
        hashed = {"feature_node_hash": f"h{prefix}{number}"}
        if isinstance(parent, Object):
            attribute = parent.add_attribute(kind, name, dynamic=varies, **hashed)
        elif isinstance(parent, Classification):
            attribute = parent.add_attribute(kind, name, **hashed)
        else:
            attribute = parent.add_nested_attribute(kind, name, **hashed)
        if kind in (RadioAttribute, ChecklistAttribute):
            for option in range(draw(st.integers(1, 3))):
                added = attribute.add_option(f"Op {option} ß", feature_node_hash=f"o{prefix}{number}{option}")
                if kind is RadioAttribute and not varies and depth < 2:
                    add_attributes(draw, added, f"{prefix}{number}{option}", dynamic=False, depth=depth + 1)


@st.composite
def structures(draw: Any) -> OntologyStructure:
    structure = OntologyStructure()
    for shape in SHAPES:
        if shape is Shape.SKELETON:
            points = {
                str(n): SkeletonTemplateCoordinate(
                    x=0.1 * n, y=0.0, name=name, color=f"#00000{n}", value=f"v{n}", feature_hash=f"pt{n}"
                )
                for n, name in enumerate(POINTS)
            }
            template = SkeletonTemplate(name="Tri angle", width=90, height=40, skeleton=points, skeleton_edges={})
            added, _ = structure.add_skeleton_object("Tri angle", template, feature_node_hash="obj-skel")
        else:
            added = structure.add_object(f"A {shape.value}", shape, feature_node_hash=f"obj-{shape.value[:9]}")
        if draw(st.booleans()):
            add_attributes(draw, added, f"{shape.value[:4]}", dynamic=True)
    for shape in ON_RANGES:
        structure.add_object(f"Voice {shape.value}", shape, feature_node_hash=f"obj-{shape.value[:9]}")
    for number in range(2):
        added = structure.add_classification(feature_node_hash=f"class-{number}")
        add_attributes(draw, added, f"c{number}", dynamic=False)
    return structure


FRACTIONS = st.floats(0, 1, allow_subnormal=False)
ANGLES = st.floats(-180, 360, allow_subnormal=False)
SCORES = st.none() | FRACTIONS


def geometries(shape: Shape, size_wh: tuple[int, int]) -> st.SearchStrategy[Any]:
    pairs = st.tuples(FRACTIONS, FRACTIONS)
    if shape is Shape.BITMASK:
        width, height = size_wh
        pixels = st.lists(st.booleans(), min_size=width * height, max_size=width * height)
        return pixels.map(lambda flat: [flat[at : at + width] for at in range(0, len(flat), width)])
    return {
        Shape.BOUNDING_BOX: st.tuples(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS),
        Shape.ROTATABLE_BOUNDING_BOX: st.tuples(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS, ANGLES),
        Shape.POLYGON: st.lists(
            st.lists(st.lists(pairs, min_size=3, max_size=5), min_size=1, max_size=2), min_size=1, max_size=2
        ),
        Shape.POLYLINE: st.lists(pairs, min_size=2, max_size=5),
        Shape.POINT: pairs,
        Shape.SKELETON: st.tuples(
            st.lists(pairs, min_size=len(POINTS), max_size=len(POINTS)),
            st.none() | st.lists(st.integers(0, 3), min_size=len(POINTS), max_size=len(POINTS)),
        ),
        Shape.CIRCLE: st.tuples(FRACTIONS, FRACTIONS, FRACTIONS, st.floats(0.1, 4), ANGLES),
        Shape.ELLIPSE: st.tuples(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS, ANGLES),
        # An offset, or a vanishing point and a ratio.
        Shape.CUBOID_2D: st.tuples(st.lists(pairs, min_size=3, max_size=5), pairs, st.none() | st.floats(0, 2)),
    }[shape]


def answer_values(attribute: Attribute[Any]) -> st.SearchStrategy[Any]:
    labels = [option.label for option in attribute.options]
    if isinstance(attribute, RadioAttribute):
        return st.sampled_from(labels)
    if isinstance(attribute, ChecklistAttribute):
        # In whatever order options are chosen, it is the same answer.
        return st.lists(st.sampled_from(labels), unique=True, min_size=1).map(sorted)
    if isinstance(attribute, TextAttribute):
        return st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)
    return st.floats(-1e6, 1e6)


def draw_answers(draw: Any, attributes: Sequence[Any], *, all_of: bool = False) -> Answers:
    answers: list[tuple[str, Any]] = []
    for attribute in attributes:
        if not all_of and not draw(st.booleans()):
            continue
        value = draw(answer_values(attribute))
        answers.append((attribute.name, value))
        if isinstance(attribute, RadioAttribute):
            option = next(option for option in attribute.options if option.label == value)
            answers.extend(draw_answers(draw, option.attributes))
    return tuple(answers)


@st.composite
def labels(
    draw: Any, medium: Medium, structure: OntologyStructure | None = None, without: Sequence[Shape] = ()
) -> Labels:
    """Draw labels for a medium: objects, in tracks or not, and answers on ranges that do not overlap.

    Args:
        medium: What they are on.
        structure: The ontology; a random one where None.
        without: Shapes that the medium cannot have.
    """
    structure = draw(structures()) if structure is None else structure
    of = medium.images[0] if medium.images else medium
    size_wh = (of.width or 1, of.height or 1)
    frames = st.integers(0, medium.number_of_frames - 1)
    if medium.images:
        # Masks are as large as the image that they stand on.
        frames = st.just(0)
    objects: dict[Any, Row] = {}
    fixed: dict[Any, Answers] = {}
    drawable = [index for index, shape in enumerate(SHAPES) if shape not in without]
    for index in draw(st.lists(st.sampled_from(drawable), max_size=6)):
        item, frame, track = structure.objects[index], draw(frames), draw(st.none() | st.sampled_from(("a", "7", "0")))
        static = [attribute for attribute in item.attributes if not attribute.dynamic]
        varying = [attribute for attribute in item.attributes if attribute.dynamic]
        key = (index, track) if track else (index, len(objects))
        known = fixed.setdefault(key, draw_answers(draw, static))
        answers = (*known, *draw_answers(draw, varying))
        geometry = draw(geometries(SHAPES[index], size_wh))
        objects.setdefault((*key, frame), Row(index, frame, frame, geometry, answers, draw(SCORES), track))
    classified = []
    for index, item in enumerate(structure.classifications):
        free = 0
        while free < medium.number_of_frames and draw(st.booleans()):
            first = draw(st.integers(free, medium.number_of_frames - 1))
            last = draw(st.integers(first, medium.number_of_frames - 1))
            answers = draw_answers(draw, item.attributes, all_of=True)
            classified.append(Row(index, first, last, None, answers, draw(st.none() | st.sampled_from([0.25, 1.0]))))
            free = last + 1
    return Labels(structure, tuple(objects.values()), tuple(draw(st.permutations(classified))))


# --- for the core ----------------------------------------------------------------------------------------------------


def table(labels: Labels, medium: Medium, source: str) -> polars.DataFrame:
    """Write labels as a table of the IR."""
    empty = polars.DataFrame(_core.AnnotationBatch.empty())
    of = medium.images[0] if medium.images else medium
    rows: list[dict[str, Any]] = []
    for row in (*labels.objects, *labels.classified):
        answer = any(row is other for other in labels.classified)
        item = labels.structure.classifications[row.item] if answer else labels.structure.objects[row.item]
        members: dict[str, Any] = dict.fromkeys(empty.columns)
        members |= {
            "source": source,
            "offset": len(rows),
            "media": medium.title if not medium.images else medium.images[row.frame].title,
            "frame": row.frame,
            "frame_last": None if row.last == row.frame else row.last,
            "kind": "answer" if answer else "object",
            "class": item.feature_node_hash,
            "track": row.track,
            "score": row.score,
            "unit": "frac",
            "width_px": of.width,
            "height_px": of.height,
            "attributes": [
                {"name": name, "value": None if value is None else str(value), "frame": None, "frame_last": None}
                for name, given in row.answers
                for value in (given if isinstance(given, list) else [given])
            ]
            or None,
        }
        if row.geometry is not None:
            members |= _geometry_columns(SHAPES[row.item], row.geometry)
        rows.append(members)
    return polars.DataFrame(rows, schema=empty.schema)


def _geometry_columns(shape: Shape, geometry: Any) -> dict[str, Any]:
    def flat(points: Iterable[Any]) -> list[float]:
        return [number for point in points for number in point]

    columns: dict[str, Any] = {"shape": shape.value}
    if shape is Shape.BITMASK:
        import numpy as np

        from ropewalk import rle

        columns |= {"rle": rle.encode(np.array(geometry, dtype=bool)).encode(), "rle_order": "row_major"}
    elif shape is Shape.BOUNDING_BOX:
        columns["box"] = list(geometry)
    elif shape is Shape.ROTATABLE_BOUNDING_BOX:
        columns |= {"box": list(geometry[:4]), "theta": geometry[4]}
    elif shape is Shape.POLYGON:
        columns["points"] = [[flat(ring) for ring in part] for part in geometry]
    elif shape is Shape.POLYLINE:
        columns["points"] = [[flat(geometry)]]
    elif shape is Shape.POINT:
        columns["points"] = [[list(geometry)]]
    elif shape is Shape.CUBOID_2D:
        front, point, ratio = geometry
        columns["points"] = [[flat(front), list(point), *([] if ratio is None else [[ratio, ratio]])]]
    elif shape is Shape.SKELETON:
        columns |= {"points": [[flat(geometry[0])]], "visibility": geometry[1]}
    else:
        columns |= {"points": [[list(geometry[:4])]], "theta": geometry[4]}
    return columns


# --- for the SDK -----------------------------------------------------------------------------------------------------


def add_labels(row: LabelRowV2, labels: Labels) -> None:
    """Add labels to a row of the SDK."""
    instances: dict[Any, Any] = {}
    sounds: dict[Any, list[Range]] = defaultdict(list)
    for number, label in enumerate(labels.objects):
        item = labels.structure.objects[label.item]
        key = (label.item, label.track) if label.track else number
        instance = instances.setdefault(key, item.create_instance(object_number=object_number(label.track)))
        when = {"created_at": WHEN, "last_edited_at": WHEN, "manual_annotation": False}
        if item.shape in ON_RANGES:
            sounds[key].append(Range(label.frame, label.last))
            instance.set_for_frames(ON_RANGES[item.shape](range=sounds[key]), 0, overwrite=True, **when)
        else:
            drawn = coordinates(SHAPES[label.item], label.geometry)
            instance.set_for_frames(drawn, label.frame, confidence=label.score, **when)
        by_name = {attribute.name: attribute for attribute in all_attributes(item.attributes)}
        for name, value in label.answers:
            attribute = by_name[name]
            frames = label.frame if attribute.dynamic else None
            instance.set_answer(sdk_answer(attribute, value), attribute, frames=frames, overwrite=True)
    for instance in instances.values():
        row.add_object_instance(instance)
    ranges: dict[str, list[Range]] = defaultdict(list)
    first: dict[str, Row] = {}
    for label in labels.classified:
        key = json.dumps([label.item, label.answers, 1.0 if label.score is None else label.score])
        first.setdefault(key, label)
        ranges[key].append(Range(label.frame, label.last))
    for key, label in first.items():
        item = labels.structure.classifications[label.item]
        instance = item.create_instance(range_only=row.data_type in RANGE_TYPES)
        by_name = {attribute.name: attribute for attribute in all_attributes(item.attributes)}
        for name, value in label.answers:
            instance.set_answer(sdk_answer(by_name[name], value), by_name[name])
        instance.set_for_frames(
            ranges[key],
            created_at=WHEN,
            last_edited_at=WHEN,
            confidence=1.0 if label.score is None else label.score,
            manual_annotation=False,
        )
        row.add_classification_instance(instance)


def all_attributes(attributes: Iterable[Attribute[Any]]) -> Iterable[Attribute[Any]]:
    """Iterate over questions and those below their options."""
    for attribute in attributes:
        yield attribute
        for option in attribute.options:
            yield from all_attributes(option.attributes)


def sdk_answer(attribute: Attribute[Any], value: Any) -> Any:
    by_label = {option.label: option for option in attribute.options}
    if isinstance(value, list):
        return [by_label[label] for label in value]
    return by_label[value] if isinstance(attribute, RadioAttribute) else value


def coordinates(shape: Shape, geometry: Any) -> Any:
    def points(pairs: Iterable[Any]) -> list[PointCoordinate]:
        return [PointCoordinate(x, y) for x, y in pairs]

    if shape is Shape.BITMASK:
        import numpy as np

        return BitmaskCoordinates(np.array(geometry, dtype=bool))
    if shape is Shape.BOUNDING_BOX:
        x, y, w, h = geometry
        return BoundingBoxCoordinates(height=h, width=w, top_left_x=x, top_left_y=y)
    if shape is Shape.ROTATABLE_BOUNDING_BOX:
        x, y, w, h, theta = geometry
        return RotatableBoundingBoxCoordinates(height=h, width=w, top_left_x=x, top_left_y=y, theta=theta)
    if shape is Shape.POLYGON:
        return PolygonCoordinates(polygons=[[points(ring) for ring in part] for part in geometry])
    if shape is Shape.POLYLINE:
        return PolylineCoordinates(points(geometry))
    if shape is Shape.POINT:
        return PointCoordinate(*geometry)
    if shape is Shape.SKELETON:
        flags = geometry[1] or [None] * len(POINTS)
        values = [
            SkeletonCoordinate(
                x=x,
                y=y,
                name=name,
                color=f"#00000{n}",
                feature_hash=f"pt{n}",
                value=f"v{n}",
                visibility=None if flag is None else VISIBILITY[flag],
            )
            for n, (name, (x, y), flag) in enumerate(zip(POINTS, geometry[0], flags, strict=True))
        ]
        return SkeletonCoordinates(values=values, name="Tri angle")
    if shape is Shape.CUBOID_2D:
        front, point, ratio = geometry
        if ratio is None:
            return Cuboid2DIsometricCoordinates(points(front), PointCoordinate(*point))
        return Cuboid2DPerspectiveCoordinates(points(front), PointCoordinate(*point), ratio)
    return CircleCoordinates(*geometry) if shape is Shape.CIRCLE else EllipseCoordinates(*geometry)
