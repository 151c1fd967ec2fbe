"""Every shape and answer: from a table in memory to the request body, beside the SDK's objects."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import polars
from encord.objects import OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, RadioAttribute
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import (
    BoundingBoxCoordinates,
    CircleCoordinates,
    Coordinates,
    EllipseCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
    SkeletonCoordinate,
    SkeletonCoordinates,
    Visibility,
)
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate

from parity import check_bodies
from peers import BRANCH, Way, plan_onto, sdk_body, sdk_rows, staged_body
from report import Line, Table, write
from ropewalk import _core, rle
from ropewalk.project.snapshot import Medium
from ropewalk.sinks.encord.transport import Blocks
from synthetic import HEIGHT_PX, WIDTH_PX, dense_masks, rings, video
from timing import interleave

WAYS = ("ropewalk", "SDK")
TEXT = """\
Microseconds a label, from a table in memory (polars) to the body of the save request, without a network, one thread:
median (fastest..slowest), x times ropewalk. Each label is its own object or classification, in fractions of a 1080p
frame, with a score. *ropewalk* reads, resolves, validates, stages, sorts and encodes; *SDK* makes an instance of each
row, sets it on its frame, and writes the label row with `to_encord_dict` and `json.dumps`. Masks are run lengths in
Encord's order already: what it costs to make them of arrays stands under "Writing while a model runs"."""

CLASS = "Thing"
PER_FRAME = 10
POLYLINE_VERTICES = 30
SKELETON_POINTS = 17
OPTIONS = ("Sunny", "Cloudy", "Rain", "Snow", "Fog", "Night")
VISIBILITY = (Visibility.INVISIBLE, Visibility.OCCLUDED, Visibility.VISIBLE, Visibility.SELF_OCCLUDED)

Columns = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of label: `draw` makes the columns of a row, `coordinates` what the SDK has for them.

    Without a shape it is an answer, and `attribute` says to what.
    """

    name: str
    draw: Callable[[random.Random], Columns]
    shape: Shape | None = None
    coordinates: Callable[[Columns], Coordinates] | None = None
    attribute: Any = None


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time all kinds.

    Raises:
        ParityError: The two do not make the same.
    """
    frames = max(2, round(200 * scale))
    number_of_masks = max(3, round(24 * scale))
    lines = [_line(kind, frames, repeats, folder) for kind in kinds(number_of_masks)]
    return Table("Every shape and answer", TEXT, WAYS, tuple(lines))


def kinds(number_of_masks: int) -> list[Kind]:
    """List all kinds; what is costly to draw is drawn once and taken in turns."""
    outlines = cycle([_fractions(ring) for ring in rings(200)])
    masks = cycle([rle.encode(mask).encode("ascii") for mask in dense_masks(number_of_masks)])
    return [
        Kind("bounding box", lambda draw: {"box": _box(draw)}, Shape.BOUNDING_BOX, _bounding_box),
        Kind(
            "rotatable bounding box",
            lambda draw: {"box": _box(draw), "theta": _angle(draw)},
            Shape.ROTATABLE_BOUNDING_BOX,
            _rotatable_box,
        ),
        Kind("polygon, 110 vertices", lambda draw: {"points": [[next(outlines)]]}, Shape.POLYGON, _polygon),
        Kind(
            f"polyline, {POLYLINE_VERTICES} vertices",
            lambda draw: {"points": [[next(outlines)[: 2 * POLYLINE_VERTICES]]]},
            Shape.POLYLINE,
            lambda row: PolylineCoordinates(_points(row["points"][0][0])),
        ),
        Kind(
            "keypoint",
            lambda draw: {"points": [[_numbers(draw, 2)]]},
            Shape.POINT,
            lambda row: PointCoordinate(*row["points"][0][0]),
        ),
        Kind(
            "1080p bitmask",
            lambda draw: {
                "rle": next(masks),
                "rle_order": "row_major",
                "width_px": WIDTH_PX,
                "height_px": HEIGHT_PX,
            },
            Shape.BITMASK,
            _bitmask,
        ),
        Kind(
            f"skeleton, {SKELETON_POINTS} points",
            lambda draw: {
                "points": [[_numbers(draw, 2 * SKELETON_POINTS)]],
                "visibility": [draw.randint(0, 3) for _ in range(SKELETON_POINTS)],
            },
            Shape.SKELETON,
            _skeleton,
        ),
        Kind(
            "circle",
            # Its fourth number says how far it is stretched: not at all.
            lambda draw: {"points": [[[*_numbers(draw, 2), round(draw.uniform(0.01, 0.1), 5), 1.0]]], "theta": 0.0},
            Shape.CIRCLE,
            lambda row: CircleCoordinates(*row["points"][0][0], row["theta"]),
        ),
        Kind(
            "ellipse",
            lambda draw: {
                "points": [[[*_numbers(draw, 2), *(round(draw.uniform(0.01, 0.1), 5) for _ in range(2))]]],
                "theta": _angle(draw),
            },
            Shape.ELLIPSE,
            lambda row: EllipseCoordinates(*row["points"][0][0], row["theta"]),
        ),
        Kind("radio answer", lambda draw: _answers([draw.choice(OPTIONS)]), attribute=RadioAttribute),
        Kind(
            "checklist answer, 1 to 3 options",
            lambda draw: _answers(draw.sample(OPTIONS, draw.randint(1, 3))),
            attribute=ChecklistAttribute,
        ),
    ]


def _line(kind: Kind, frames: int, repeats: int, folder: Path) -> Line:
    # A frame has one answer to a question.
    per_frame = PER_FRAME if kind.shape else 1
    frames = frames if kind.shape else PER_FRAME * frames
    draw = random.Random(kind.name)
    # No two alike: equal answers with equal scores would be one classification.
    scores = iter(draw.sample(range(100_000), frames * per_frame))
    rows = polars.DataFrame(
        [
            {
                "media": "drive.mp4",
                "frame": frame,
                "class": CLASS,
                "score": next(scores) / 100_000,
                "unit": "frac",
                **({"shape": kind.shape.value} if kind.shape else {}),
                **kind.draw(draw),
            }
            for frame in range(frames)
            for _ in range(per_frame)
        ]
    )
    medium, structure = video(frames), _ontology(kind)
    sdk = _sdk_objects if kind.shape else _sdk_answers
    jobs = {"ropewalk": _ropewalk(rows, medium, structure, folder), "SDK": sdk(kind, rows, medium, structure)}
    check_bodies(kind.name, {way: job() for way, job in jobs.items()}, len(rows))
    return Line(f"{kind.name}: {len(rows):,} on {frames:,} frames", len(rows), interleave(jobs, repeats))


def _ontology(kind: Kind) -> OntologyStructure:
    structure = OntologyStructure()
    if kind.shape is Shape.SKELETON:
        structure.add_skeleton_object(CLASS, _template(), feature_node_hash="thing000")
    elif kind.shape:
        structure.add_object(CLASS, kind.shape, feature_node_hash="thing000")
    else:
        classification = structure.add_classification(feature_node_hash="thing000")
        attribute = classification.add_attribute(kind.attribute, CLASS, feature_node_hash="question")
        for number, option in enumerate(OPTIONS):
            attribute.add_option(option, feature_node_hash=f"option{number:02}")
    return structure


# --- ways ------------------------------------------------------------------------------------------------------------


def _ropewalk(rows: polars.DataFrame, medium: Medium, structure: OntologyStructure, folder: Path) -> Way:
    plan, rejects = plan_onto(medium, structure), str(folder / "rejects.ndjson")

    def body() -> Blocks:
        stage = _core.Stage(plan, rejects, str(folder), threads=1)
        stage.add(rows, BRANCH, "table")
        return staged_body(stage)

    return body


def _sdk_objects(kind: Kind, rows: polars.DataFrame, medium: Medium, structure: OntologyStructure) -> Way:
    (item,), new_row, coordinates = structure.objects, sdk_rows(medium, structure), kind.coordinates
    assert coordinates is not None

    def body() -> Blocks:
        label_row = new_row()
        for row in rows.iter_rows(named=True):
            instance = item.create_instance()
            instance.set_for_frames(coordinates=coordinates(row), frames=row["frame"], confidence=row["score"])
            label_row.add_object_instance(instance)
        return sdk_body(label_row)

    return body


def _sdk_answers(kind: Kind, rows: polars.DataFrame, medium: Medium, structure: OntologyStructure) -> Way:
    (item,), new_row = structure.classifications, sdk_rows(medium, structure)
    options = {option.label: option for option in item.attributes[0].options}
    several = kind.attribute is ChecklistAttribute

    def body() -> Blocks:
        label_row = new_row()
        for row in rows.iter_rows(named=True):
            instance = item.create_instance()
            chosen = [options[answer["value"]] for answer in row["attributes"]]
            instance.set_answer(chosen if several else chosen[0])
            instance.set_for_frames(row["frame"], confidence=row["score"])
            label_row.add_classification_instance(instance)
        return sdk_body(label_row)

    return body


# --- drawing ---------------------------------------------------------------------------------------------------------


def _numbers(draw: random.Random, n: int) -> list[float]:
    # Far enough from the edges that nothing is clipped.
    return [round(draw.uniform(0.2, 0.7), 5) for _ in range(n)]


def _box(draw: random.Random) -> list[float]:
    return [*_numbers(draw, 2), round(draw.uniform(0.01, 0.1), 5), round(draw.uniform(0.01, 0.1), 5)]


def _angle(draw: random.Random) -> float:
    return round(draw.uniform(-90, 90), 2)


def _fractions(ring: list[float]) -> list[float]:
    return [round(value / (HEIGHT_PX if at % 2 else WIDTH_PX), 5) for at, value in enumerate(ring)]


def _answers(chosen: list[str]) -> Columns:
    return {"attributes": [{"name": CLASS, "value": option} for option in chosen]}


# --- the SDK's coordinates -------------------------------------------------------------------------------------------


def _points(numbers: list[float]) -> list[PointCoordinate]:
    return [PointCoordinate(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _bounding_box(row: Columns) -> Coordinates:
    x, y, w, h = row["box"]
    return BoundingBoxCoordinates(height=h, width=w, top_left_x=x, top_left_y=y)


def _rotatable_box(row: Columns) -> Coordinates:
    x, y, w, h = row["box"]
    return RotatableBoundingBoxCoordinates(height=h, width=w, top_left_x=x, top_left_y=y, theta=row["theta"])


def _polygon(row: Columns) -> Coordinates:
    return PolygonCoordinates(polygons=[[_points(ring) for ring in part] for part in row["points"]])


def _bitmask(row: Columns) -> Coordinates:
    encoded = BitmaskCoordinates.EncodedBitmask(
        top=0, left=0, height=row["height_px"], width=row["width_px"], rle_string=row["rle"].decode("ascii")
    )
    return BitmaskCoordinates(encoded)


def _template() -> SkeletonTemplate:
    points = {
        str(n): SkeletonTemplateCoordinate(
            x=0.05 * n, y=0.0, name=f"Joint {n}", color="#D33115", value=f"joint_{n}", feature_hash=f"joint{n:03}"
        )
        for n in range(SKELETON_POINTS)
    }
    return SkeletonTemplate(name=CLASS, width=90, height=40, skeleton=points, skeleton_edges={})


JOINTS = tuple(_template().skeleton.values())


def _skeleton(row: Columns) -> Coordinates:
    numbers = row["points"][0][0]
    values = [
        SkeletonCoordinate(
            x=x,
            y=y,
            name=joint.name,
            color=joint.color,
            feature_hash=joint.feature_hash,
            value=joint.value,
            visibility=VISIBILITY[flag],
        )
        for joint, x, y, flag in zip(JOINTS, numbers[::2], numbers[1::2], row["visibility"], strict=True)
    ]
    return SkeletonCoordinates(values=values, name=CLASS)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ropewalk-bench-") as temporary:
        sys.stdout.write(write([table(1, 5, Path(temporary))], "python benches/shapes.py"))
