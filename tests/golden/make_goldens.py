"""Makes the golden files beside it from the encord SDK and from Python itself: `python tests/golden/make_goldens.py`.

`label_rows.json` holds cases: what goes into the Rust encoder, and the label row that the SDK makes of the same.
`floats.txt` holds f64 bit patterns with Python's text of them. The Rust tests read both; they need no Python.
"""

from __future__ import annotations

import base64
import json
import random
import struct
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from encord.objects import LabelRowV2, ObjectInstance, OntologyStructure, Shape
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import (
    BoundingBoxCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
)
from encord.ontology import Ontology
from encord.orm.label_row import LabelRowMetadata
from encord.orm.ontology import Ontology as OrmOntology
from encord.orm.storage import CustomerProvidedImageMetadata, CustomerProvidedVideoMetadata
from encord.utilities.coco.datastructure import CocoBoundingBox, CocoPolygon

HERE = Path(__file__).parent
WHEN = datetime(2026, 11, 21, 23, 48, 11, tzinfo=timezone.utc)
WHEN_TEXT = "Sat, 21 Nov 2026 23:48:11 UTC"
ZERO = "00000000-0000-0000-0000-000000000000"

ONTOLOGY: list[dict[str, str]] = [
    {"name": "Traffic Light", "shape": "bounding_box", "color": "#D33115", "feature_hash": "bBox0001"},
    {"name": 'Grüße "É" \\ ΣΑΣ', "shape": "bounding_box", "color": "#E27300", "feature_hash": "bBox+/02"},
    {"name": "\U00010400 \U0001f34e İ\t\x7f", "shape": "polygon", "color": "#16406C", "feature_hash": "polygon1"},
    {"name": "Tilted  box", "shape": "rotatable_bounding_box", "color": "#FE9200", "feature_hash": "rotBox01"},
    {"name": "Ast", "shape": "polyline", "color": "#FCDC00", "feature_hash": "polyline"},
    {"name": "Stiel", "shape": "point", "color": "#DBDF00", "feature_hash": "point001"},
    {"name": "Blueberry", "shape": "bitmask", "color": "#A4DD00", "feature_hash": "bitmask1"},
]

# Chiral outlines in px of an image of 90 x 210 (h x w): an F, and a hook with a hole.
F_RING = [10.0, 5.0, 10.0, 75.5, 22.25, 75.5, 22.25, 45.0, 40.0, 45.0, 40.0, 33.3, 22.25, 33.3, 22.25, 17.0, 51.0, 5.0]
HOOK = [120.5, 8.0, 199.9, 8.0, 199.9, 81.0, 150.0, 66.6, 120.5, 30.1]
HOLE = [140.0, 20.0, 141.7, 31.0, 160.0, 22.0]


def f_mask(height: int, width: int) -> str:
    """Encode an F, which differs from its transpose and its mirror images, as Encord's rleString."""
    rows = [bytearray(width) for _ in range(height)]
    for y in range(height // 8, height - 3):
        for x in range(width // 5, width // 5 + 9):
            rows[y][x] = 1
    for top in (height // 8, height // 2):
        for y in range(top, top + 7):
            for x in range(width // 5, width - 11 if top == height // 8 else width // 2):
                rows[y][x] = 1

    class Mask:
        @property
        def __array_interface__(self) -> dict[str, Any]:
            return {"version": 3, "data": b"".join(rows), "shape": (height, width), "typestr": "|b1"}

        def tobytes(self) -> bytes:
            return b"".join(rows)

    return BitmaskCoordinates(Mask())._encoded_bitmask.rle_string


def pairs(flat: list[float]) -> list[tuple[float, float]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def coordinates(row: dict[str, Any]) -> Any:
    """Make the SDK's coordinates of a case's row; px through the SDK's own COCO import where that has the shape."""
    (kind, geometry), (width, height) = *row["geometry"].items(), row["size_wh"]
    px = row["unit"] == "px"
    x_px, y_px = (width, height) if px else (1, 1)

    def points(flat: list[float]) -> list[PointCoordinate]:
        return [PointCoordinate(x=x / x_px, y=y / y_px) for x, y in pairs(flat)]

    if kind == "bounding_box":
        x, y, w, h = geometry
        if px:
            return CocoBoundingBox(x, y, w, h).to_encord(width, height)
        return BoundingBoxCoordinates(top_left_x=x, top_left_y=y, width=w, height=h)
    if kind == "rotatable_bounding_box":
        x, y, w, h, theta = geometry
        return RotatableBoundingBoxCoordinates(
            top_left_x=x / x_px, top_left_y=y / y_px, width=w / x_px, height=h / y_px, theta=theta
        )
    if kind == "polygon":
        if px and all(len(part) == 1 for part in geometry):
            return CocoPolygon.from_dict({"values": [pairs(part[0]) for part in geometry]}).to_encord(width, height)
        return PolygonCoordinates(polygons=[[points(ring) for ring in part] for part in geometry])
    if kind == "polyline":
        return PolylineCoordinates(values=points(geometry[0][0]))
    if kind == "point":
        return points(geometry[0][0])[0]
    encoded = {"top": 0, "left": 0, "height": height, "width": width, "rleString": geometry}
    return BitmaskCoordinates(encoded)


def sdk_ontology() -> Ontology:
    structure = OntologyStructure()
    for entry in ONTOLOGY:
        structure.add_object(entry["name"], Shape(entry["shape"]), None, entry["color"], entry["feature_hash"])
    return Ontology(OrmOntology("golden", structure, "ontology", WHEN, WHEN), None)  # type: ignore[arg-type]


def from_server(server: dict[str, Any], ontology: Ontology) -> LabelRowV2:
    """Build the SDK's row as `initialise_labels` does: a listing's metadata, then the server's row."""
    units = list(server["data_units"].values())
    video = server["data_type"] == "video"
    metadata = LabelRowMetadata(
        label_hash=server["label_hash"],
        created_at=WHEN,
        last_edited_at=WHEN,
        branch_name=server["branch_name"],
        data_hash=server["data_hash"],
        dataset_hash=server["dataset_hash"],
        dataset_title=server["dataset_title"],
        data_title=server["data_title"],
        data_type=server["data_type"].upper(),
        data_link=None,
        label_status=server["label_status"],
        annotation_task_status=server["annotation_task_status"],
        workflow_graph_node=None,
        is_shadow_data=server["is_shadow_data"],
        frames_per_second=units[0]["data_fps"] if video else None,
        number_of_frames=400 if video else len(units),
        duration=units[0]["data_duration"] if video else None,
        height=units[0].get("height"),
        width=units[0].get("width"),
        audio_sample_rate=None,
        audio_codec=None,
        audio_bit_depth=None,
        audio_num_channels=None,
        spaces={},
    )
    row = LabelRowV2(metadata, None, ontology)  # type: ignore[arg-type]
    row.from_labels_dict(server)
    return row


def offline(medium: dict[str, Any], ontology: Ontology, branch: str) -> LabelRowV2:
    def image(unit: dict[str, Any]) -> CustomerProvidedImageMetadata:
        size = {"width": unit["width"], "height": unit["height"]}
        return CustomerProvidedImageMetadata(mime_type=unit["file_type"], file_size=1, **size)

    media: Any
    if medium["data_type"] == "video":
        media = CustomerProvidedVideoMetadata(
            fps=medium["fps"],
            duration=medium["duration"],
            width=medium["width"],
            height=medium["height"],
            file_size=1,
            mime_type=medium["file_type"],
        )
    elif medium["data_type"] == "img_group":
        media = [image(unit) for unit in medium["units"]]
    else:
        media = image(medium)
    return LabelRowV2.from_media_metadata(ontology, media, branch_name=branch)


def hash_of(identity: int) -> str:
    return base64.b64encode((identity & (1 << 48) - 1).to_bytes(6, "big")).decode()


def sdk_text(case: dict[str, Any]) -> str:
    """Write the case with the SDK; compact, the members that Rust writes last moved to the end, units in sequence."""
    ontology = sdk_ontology()
    if case["server"] is not None:
        row = from_server(json.loads(json.dumps(case["server"])), ontology)
    else:
        row = offline(case["medium"], ontology, case["branch"])
    objects: dict[str, ObjectInstance] = {}
    for label in case["rows"]:
        identity = label["object"]
        if identity not in objects:
            item = ontology.structure.get_child_by_hash(ONTOLOGY[label["feature"]]["feature_hash"])
            number = int(label["track"]) if (label["track"] or "").isdigit() else None
            object_hash = hash_of(int(identity, 16))
            objects[identity] = ObjectInstance(item, object_hash=object_hash, object_number=number)  # type: ignore[arg-type]
        objects[identity].set_for_frames(
            coordinates(label),
            frames=label["frame"],
            created_at=WHEN,
            last_edited_at=WHEN,
            confidence=label["score"],
            manual_annotation=False,
        )
    for instance in objects.values():
        row.add_object_instance(instance)
    encoded = row.to_encord_dict()
    if case["server"] is None:
        encoded["created_at"] = encoded["last_edited_at"] = WHEN_TEXT
    units = encoded["data_units"]
    encoded["data_units"] = {key: units[key] for key in sorted(units, key=lambda k: int(units[k]["data_sequence"]))}
    for member in ("object_answers", "classification_answers", "object_actions", "spaces"):
        encoded[member] = encoded.pop(member)
    return json.dumps(encoded, separators=(",", ":"))


def label(frame: int, feature: int, identity: int, geometry: Any, **other: Any) -> dict[str, Any]:
    return {
        "frame": frame,
        "feature": feature,
        "object": f"{identity:032x}",
        "track": other.get("track"),
        "score": other.get("score", 1.0),
        "unit": other.get("unit", "px"),
        "size_wh": other.get("size_wh", (210, 90)),
        "geometry": {ONTOLOGY[feature]["shape"]: geometry},
    }


def server_row(data_type: str, units: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    """Make a label row as the server answers it: without labels, with fields that the SDK does not send back."""
    return {
        "label_hash": "8f2b6c1e-2f0a-4a2e-9d7c-0c6f1a3b5d70",
        "branch_name": "model-v2.1_a",
        "created_at": WHEN_TEXT,
        "last_edited_at": WHEN_TEXT,
        "data_hash": "d1a5c0de-0000-4000-8000-0000000000aa",
        "dataset_hash": "da7a5e70-0000-4000-8000-0000000000bb",
        "dataset_title": "Straße \U0001f6a6",
        "data_title": 'clip "1"\\2.mp4',
        "data_type": data_type,
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "object_answers": {},
        "classification_answers": {},
        "object_actions": {},
        "label_status": "LABEL_IN_PROGRESS",
        "is_valid": True,
        "export_hash": "not sent back",
        "data_units": {unit["data_hash"]: unit for unit in units},
        "spaces": {},
        **other,
    }


def unit(data_hash: str, sequence: Any, **other: Any) -> dict[str, Any]:
    return {
        "data_hash": data_hash,
        "data_title": f"{data_hash} é",
        "data_link": f"https://example.invalid/{data_hash}?a=1&b=%2F",
        "data_type": "image/png",
        "data_sequence": sequence,
        "width": 210,
        "height": 90,
        "labels": {},
        **other,
    }


def cases() -> list[dict[str, Any]]:
    draw = random.Random(20261121)
    serial = 0

    def identity() -> int:
        """Identities rise in order of appearance, as rows are sorted by them; the hash is their low bits."""
        nonlocal serial
        serial += 1
        return serial << 64 | draw.getrandbits(64)

    video = unit("d1a5c0de-0000-4000-8000-0000000000aa", 0, data_type="video/mp4", data_fps=25, data_duration=12.48)
    odd_video = {**video, "data_fps": 29.97002997002997, "data_duration": 1e-05, "data_link": None}
    group = [unit(f"image-{n}", str(n), width=200 + 10 * n, height=90) for n in (2, 0, 3, 1)]
    image = unit("d1a5c0de-0000-4000-8000-0000000000aa", 0)
    old_image = {key: value for key, value in image.items() if key not in ("width", "height")}
    car, bike, light = identity(), identity(), identity()

    def px_box(frame: int) -> list[float]:
        return [draw.uniform(0, 150), draw.uniform(0, 60), 3 + frame / 7, 30 / (frame + 1.7)]

    tracks = []
    for frame in (0, 1, 7, 19, 100, 399):
        tracks.append(label(frame, 0, car, px_box(frame), track="car", score=0.1 + 0.2))
        if frame % 2:
            tracks.append(label(frame, 1, bike, px_box(frame), track="7", score=frame / 400))
    tracks.append(label(399, 0, light, [0, 0, 210, 90], score=0.0))
    frac = {"unit": "frac", "size_wh": (0, 0)}
    extremes = [
        label(3, 0, identity(), [0.0, 1.0, 5e-324, 1e-05], **frac),
        label(3, 0, identity(), [0.1 + 0.2, 9.999e-05, 0.0001, 1e-09], **frac),
        label(3, 0, identity(), [1e16, 9999999999999998.0, -0.0, 1.7976931348623157e308], **frac),
        label(3, 0, identity(), [-1e-07, -123456789012345680.0, 2.0**-44, 1e22], **frac),
        label(3, 3, identity(), [0.25, 1 / 3, 0.125, 2 / 3, 359.99], score=5e-324, **frac),
    ]
    shapes = [
        label(0, 2, identity(), [[F_RING]], score=0.9),
        label(0, 2, identity(), [[F_RING], [HOOK]]),
        label(1, 2, identity(), [[HOOK, HOLE], [F_RING]]),
        label(1, 2, identity(), [[[v / 777 for v in HOOK], [v / 777 for v in HOLE]]], **frac),
        label(5, 3, identity(), [10.5, 20.0, 33.3, 7.7, 30.0]),
        label(5, 4, identity(), [[F_RING]]),
        label(5, 5, identity(), [[[77.7, 11.1]]]),
        label(6, 4, identity(), [[[0.1, 0.9, 0.3, 0.2, 0.75, 1e-05]]], **frac),
        label(6, 6, identity(), f_mask(90, 210), score=0.51),
    ]
    grouped = [
        label(0, 0, identity(), [1, 2, 30, 40.5], size_wh=(200, 90)),
        label(0, 6, identity(), f_mask(90, 200), size_wh=(200, 90)),
        label(2, 2, identity(), [[HOOK, HOLE]], size_wh=(220, 90)),
    ]
    single = [label(0, 1, identity(), [7, 9, 11, 13.25]), label(0, 6, identity(), f_mask(90, 210))]

    def medium(data_type: str, **other: Any) -> dict[str, Any]:
        common = {"data_hash": ZERO, "title": "", "dataset_hash": ZERO, "dataset_title": ""}
        return {**common, "data_type": data_type, **other}

    size = {"width": 210, "height": 90}
    media_units = [
        {"data_hash": f"{ZERO[:-1]}{n}", "title": f"frame_{n}", "file_type": "image/png", **size} for n in range(3)
    ]
    video_medium = medium("video", frames=400, fps=25.0, duration=16.0, file_type="video/mp4", **size)
    image_medium = medium("image", frames=1, file_type="image/jpeg", **size)
    group_medium = medium("img_group", frames=3, file_type="image/png", units=media_units)

    def case(name: str, header: dict[str, Any], rows: list[dict[str, Any]], *, server: bool = True) -> dict[str, Any]:
        given = {"server": header, "medium": None} if server else {"server": None, "medium": header}
        made = {"name": name, "ontology": ONTOLOGY, "branch": "model-v2.1_a", "when": WHEN_TEXT, **given, "rows": rows}
        return {**made, "expected": sdk_text(made)}

    return [
        case("tracks of boxes on a video", server_row("video", [video]), tracks),
        case("extreme floats on a video", server_row("video", [odd_video], annotation_task_status=None), extremes),
        case("every shape on a video", server_row("video", [video]), shapes),
        case("an empty video", server_row("video", [video]), []),
        case("an image", server_row("image", [image]), single),
        case("an image of unknown size", server_row("image", [old_image], label_status="NOT_LABELLED"), single[:1]),
        case("an empty image", server_row("image", [image], is_shadow_data=True), []),
        case("an image group in disorder", server_row("img_group", group), grouped),
        case("an image group, its last image only", server_row("img_group", group), [{**grouped[0], "frame": 3}]),
        case("an empty image group", server_row("img_group", group), []),
        case("a video no server knows", video_medium, tracks, server=False),
        case("an image no server knows", image_medium, single, server=False),
        case("an image group no server knows", group_medium, [{**single[0], "frame": 1}], server=False),
    ]


def floats() -> list[float]:
    """List f64 values around every switch of `repr`'s form, powers of ten and two, and random bit patterns."""
    draw = random.Random(20261122)
    chosen = [0.0, -0.0, 0.1 + 0.2, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e23, 9007199254740993.0]
    for exponent in range(-324, 309, 4):
        chosen += [float(f"1e{exponent}"), float(f"-1.25e{exponent}")]
    for exponent in range(-12, 24):
        power = float(f"1e{exponent}")
        below, above = (struct.unpack("<d", struct.pack("<Q", bits(power) + step))[0] for step in (-1, 1))
        chosen += [below, power, above, draw.uniform(1, 10) * power]
    chosen += [2.0**exponent for exponent in range(-1074, 1024, 17)]
    chosen += [draw.randrange(1, 1920) / draw.choice([1920, 1080, 1254, 836, 7]) for _ in range(200)]
    chosen += [struct.unpack("<d", struct.pack("<Q", draw.getrandbits(52)))[0] for _ in range(60)]
    while len(chosen) < 1500:
        value = struct.unpack("<d", struct.pack("<Q", draw.getrandbits(64)))[0]
        if value - value == 0:
            chosen.append(value)
    return chosen


def bits(value: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def goldens() -> dict[str, str]:
    """Make all golden files: name -> text."""
    return {
        "label_rows.json": json.dumps(cases(), indent=1, ensure_ascii=True) + "\n",
        "floats.txt": "".join(f"{bits(value):016x} {json.dumps(value)}\n" for value in floats()),
    }


if __name__ == "__main__":
    for name, text in goldens().items():
        (HERE / name).write_text(text, encoding="ascii", newline="\n")
