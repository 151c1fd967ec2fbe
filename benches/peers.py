"""The ways from a COCO file to the body of a save: ours, the SDK's own, and the best that plain Python does.

Each takes prepared inputs and gives the request body as `POST labelrow` has it, in the pieces in which it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import orjson
from encord.objects import LabelRowV2, Object, ObjectInstance, OntologyStructure, Shape
from encord.ontology import Ontology
from encord.orm.ontology import Ontology as OrmOntology
from encord.orm.storage import CustomerProvidedVideoMetadata
from encord.utilities.coco.datastructure import CocoRootModel
from encord.utilities.coco.importer import coco_annotation_to_encord_coordinates
from rlemasklib import RLEMask

from ropewalk import _core
from ropewalk.project.plan import PlanOptions, plan_of
from ropewalk.project.snapshot import Medium, Snapshot
from ropewalk.sinks.encord.calls import save_body
from ropewalk.sinks.encord.transport import Blocks
from synthetic import CLASS_NAMES, FPS, Predictions

BRANCH = "bench"
LABEL_HASH = "00000000-0000-0000-0000-000000000000"
WHEN = datetime(2026, 11, 21, 23, 48, 11, tzinfo=timezone.utc)
WHEN_TEXT = "Sat, 21 Nov 2026 23:48:11 UTC"

Way = Callable[[], Blocks]


def ways(predictions: Predictions, *, sdk: bool) -> dict[str, Way]:
    """Prepare all ways for one file: what does not depend on the file's annotations is done here, untimed."""
    structure = ontology_of(predictions)
    found = {"ropewalk": _ropewalk(predictions, structure), "plain Python": _plain(predictions, structure)}
    return found | ({"SDK": _sdk(predictions, structure)} if sdk else {})


def ontology_of(predictions: Predictions) -> OntologyStructure:
    """Make the ontology that a file's classes belong to."""
    structure = OntologyStructure()
    for name in CLASS_NAMES:
        structure.add_object(name, Shape(predictions.shape), feature_node_hash=feature_hash(name))
    return structure


def plan_onto(medium: Medium, structure: OntologyStructure, class_map: Mapping[str, str] | None = None) -> _core.Plan:
    """Make the plan of an import onto one medium."""
    snapshot = Snapshot(
        project_hash=LABEL_HASH,
        project_title="",
        project_description="",
        ontology_hash=LABEL_HASH,
        ontology_title="",
        ontology_structure=structure.to_dict(),
        media=(medium,),
    )
    return plan_of(snapshot, BRANCH, PlanOptions(class_map=class_map))


def feature_hash(name: str) -> str:
    """Return the feature hash of a class."""
    return f"{name.lower().replace(' ', ''):.8}".ljust(8, "0")


def _ropewalk(predictions: Predictions, structure: OntologyStructure) -> Way:
    plan = plan_onto(predictions.medium, structure)
    path = str(predictions.path)
    rejects = str(predictions.path.with_name("rejects.ndjson"))

    def body() -> Blocks:
        stage = _core.Stage(plan, rejects, str(predictions.path.parent), threads=1)
        stage.add(path, predictions.path.name, "coco")
        return staged_body(stage)

    return body


def staged_body(stage: _core.Stage) -> Blocks:
    """Sort and encode what a stage was given."""
    staged = stage.finish()
    rows = [staged.encode_blocks(index, None, WHEN_TEXT) for index in range(len(staged))]
    return save_body([LABEL_HASH] * len(rows), rows)


def sdk_rows(medium: Medium, structure: OntologyStructure) -> Callable[[], LabelRowV2]:
    """Prepare the making of the SDK's label rows of a video that no server knows."""
    ontology = Ontology(OrmOntology("", structure, LABEL_HASH, WHEN, WHEN), None)  # type: ignore[arg-type]
    video = CustomerProvidedVideoMetadata(
        fps=FPS,
        duration=medium.duration or 0.0,
        width=medium.width or 0,
        height=medium.height or 0,
        file_size=1,
        mime_type="video/mp4",
    )
    return lambda: LabelRowV2.from_media_metadata(ontology, video, branch_name=BRANCH)


def sdk_body(row: LabelRowV2) -> Blocks:
    """Encode a label row of the SDK as the SDK does."""
    payload = {"multi_request": True, "labels": [row.to_encord_dict()], "validate_before_saving": False}
    values = {"uid": [LABEL_HASH], "payload": payload}
    return [json.dumps({"query_type": "labelrow", "query_method": "POST", "values": values}).encode("ascii")]


def _sdk(predictions: Predictions, structure: OntologyStructure) -> Way:
    """Follow `import_coco_labels` step by step, on a label row that needs no server. Where the file has tracks, a track
    is one object instance, which takes a loop of one's own: `import_coco_labels` knows no tracks."""
    objects = {at: structure.get_child_by_hash(feature_hash(name), type_=Object) for at, name in enumerate(CLASS_NAMES)}
    new_row = sdk_rows(predictions.medium, structure)

    def body() -> Blocks:
        coco = CocoRootModel.from_dict(json.loads(predictions.path.read_bytes()))
        images = {image.id: image for image in coco.images}
        row = new_row()
        tracks: dict[tuple[int, int], ObjectInstance] = {}
        for annotation in coco.annotations:
            item, image = objects[annotation.category_id], images[annotation.image_id]
            coordinates = coco_annotation_to_encord_coordinates(annotation, item.shape, image.width, image.height)
            instance = None
            if predictions.tracked:
                key = (annotation.category_id, annotation.get_extra("track_id"))
                instance = tracks.get(key)
            new = instance is None
            if instance is None:
                instance = item.create_instance()
                if predictions.tracked:
                    tracks[key] = instance
            instance.set_for_frames(
                coordinates=coordinates, frames=annotation.image_id, confidence=annotation.get_extra("score")
            )
            if new:
                row.add_object_instance(instance)
        return sdk_body(row)

    return body


def _plain(predictions: Predictions, structure: OntologyStructure) -> Way:
    """Do without the SDK: orjson in and out, dict literals, numbers for hashes, rlemasklib for masks."""
    geometry = {"bounding_box": _plain_box, "polygon": _plain_polygon, "bitmask": _plain_bitmask}[predictions.shape]

    def labels() -> Iterator[PlainLabel]:
        document = orjson.loads(predictions.path.read_bytes())
        sizes = {image["id"]: (image["width"], image["height"]) for image in document["images"]}
        for annotation in document["annotations"]:
            image_id = annotation["image_id"]
            key, value = geometry(annotation, *sizes[image_id])
            number = annotation["track_id"] if predictions.tracked else annotation["id"]
            yield image_id, annotation["category_id"], number, annotation["score"], key, value

    return lambda: plain_body(predictions.medium, structure, labels())


# Frame, number of the class, number of the object, confidence, and the geometry by its key.
PlainLabel = tuple[int, int, int, float, str, Any]


def plain_body(medium: Medium, structure: OntologyStructure, labels: Iterable[PlainLabel]) -> Blocks:
    """Put labels into dict literals, and write these with orjson."""
    classes = [
        {"name": item.name, "color": item.color, "shape": item.shape.value, "featureHash": item.feature_node_hash}
        for item in structure.objects
    ]
    frames: dict[str, dict[str, Any]] = {}
    answers = {}
    for number, at, object_number, confidence, key, value in labels:
        item, object_hash, frame = classes[at], f"{object_number:08}", str(number)
        if frame not in frames:
            frames[frame] = {"objects": [], "classifications": []}
        frames[frame]["objects"].append(
            {
                "name": item["name"],
                "color": item["color"],
                "shape": item["shape"],
                "value": item["name"].lower().replace(" ", "_"),
                "createdAt": WHEN_TEXT,
                "createdBy": None,
                "confidence": confidence,
                "objectHash": object_hash,
                "featureHash": item["featureHash"],
                "manualAnnotation": False,
                "lastEditedAt": WHEN_TEXT,
                key: value,
                **({"polygons": _parts(value)} if key == "polygon" else {}),
            }
        )
        answers[object_hash] = {"classifications": [], "objectHash": object_hash}
    unit = {
        "data_hash": medium.data_hash,
        "data_title": medium.title,
        "data_type": medium.file_type,
        "data_sequence": 0,
        "data_fps": FPS,
        "data_duration": medium.duration,
        "width": medium.width,
        "height": medium.height,
    }
    row = {
        "label_hash": LABEL_HASH,
        "branch_name": BRANCH,
        "data_units": {medium.data_hash: {**unit, "labels": frames}},
        "object_answers": answers,
        "classification_answers": {},
        "object_actions": {},
        "spaces": {},
    }
    return save_body([LABEL_HASH], [[orjson.dumps(row)]])


def _plain_box(annotation: dict[str, Any], width: int, height: int) -> tuple[str, Any]:
    x, y, w, h = annotation["bbox"]
    return "boundingBox", {"h": h / height, "w": w / width, "x": x / width, "y": y / height}


def _plain_polygon(annotation: dict[str, Any], width: int, height: int) -> tuple[str, Any]:
    (ring,) = annotation["segmentation"]
    points = zip(ring[::2], ring[1::2], strict=True)
    return "polygon", {str(at): {"x": x / width, "y": y / height} for at, (x, y) in enumerate(points)}


def _parts(polygon: dict[str, dict[str, float]]) -> list[list[list[float]]]:
    return [[[v for point in polygon.values() for v in (point["x"], point["y"])]]]


def _plain_bitmask(annotation: dict[str, Any], width: int, height: int) -> tuple[str, Any]:
    return "bitmask", plain_bitmask(transposed(annotation["segmentation"]), width, height)


def transposed(segmentation: dict[str, Any]) -> str:
    """Transpose one of COCO's run-length strings with rlemasklib."""
    mask = RLEMask.from_dict({"size": segmentation["size"], "counts": segmentation["counts"].encode("ascii")})
    return str(mask.T.to_dict()["counts"], "ascii")


def plain_bitmask(rle_string: str, width: int, height: int) -> dict[str, Any]:
    """Make the geometry of a bitmask."""
    return {"top": 0, "left": 0, "height": height, "width": width, "rleString": rle_string}
