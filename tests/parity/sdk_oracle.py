"""Label rows by the unmodified SDK from the same predictions, and the form in which rows are compared.

px become fractions by the SDK's own COCO conversion; objects are made, set and written by `LabelRowV2`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import numpy as np
from encord.objects import LabelRowV2, Object, ObjectInstance, OntologyStructure
from encord.objects.bitmask import BitmaskCoordinates
from encord.ontology import Ontology
from encord.orm.label_row import LabelRowMetadata
from encord.orm.ontology import Ontology as OrmOntology
from encord.orm.storage import CustomerProvidedImageMetadata, CustomerProvidedVideoMetadata
from encord.utilities.coco.datastructure import CocoBoundingBox, CocoPolygon, CocoRLE

from coco_model import Mask, Model, Prediction
from ropewalk.emulator.rows import RowHeader, empty_label_row, listing_entry
from ropewalk.project.snapshot import Medium

WHEN = datetime(2026, 11, 21, 23, 48, 11, tzinfo=timezone.utc)
WHEN_TEXT = "Sat, 21 Nov 2026 23:48:11 UTC"
LABEL_HASH = "8f2b6c1e-2f0a-4a2e-9d7c-0c6f1a3b5d70"
TIMES = frozenset({"createdAt", "lastEditedAt", "created_at", "last_edited_at"})


# --- rows ----------------------------------------------------------------------------------------------------------


def ontology_of(model: Model) -> Ontology:
    structure = OntologyStructure.from_dict(model.snapshot().ontology_structure)
    return Ontology(OrmOntology("parity", structure, "ontology", WHEN, WHEN), None)  # type: ignore[arg-type]


def server_row(medium: Medium, branch: str) -> dict[str, Any]:
    """Make a label row without labels as a server answers it."""
    return empty_label_row(medium, _header(medium, branch))


def _header(medium: Medium, branch: str) -> RowHeader:
    return RowHeader(LABEL_HASH, medium.data_hash, branch, WHEN, WHEN, 0)


def row_from_server(model: Model, medium: Medium, row: dict[str, Any], branch: str) -> LabelRowV2:
    """Open a label row with the SDK as `initialise_labels` does: an entry of the listing, then the server's row."""
    entry = listing_entry(
        medium, branch, _header(medium, branch), images_data=False, image_sizes=True, workflow_graph_node=None
    )
    opened = LabelRowV2(LabelRowMetadata.from_dict(entry), None, ontology_of(model))  # type: ignore[arg-type]
    opened.from_labels_dict(json.loads(json.dumps(row)))
    return opened


def detached_row(model: Model, medium: Medium, branch: str) -> LabelRowV2:
    """Make the SDK's label row of a medium that no server knows."""
    given: Any
    if medium.data_type == "VIDEO":
        given = CustomerProvidedVideoMetadata(
            fps=medium.frames_per_second,
            duration=medium.duration,
            width=medium.width,
            height=medium.height,
            file_size=1,
            mime_type=medium.file_type,
        )
    else:
        given = [
            CustomerProvidedImageMetadata(mime_type=of.file_type, file_size=1, width=of.width, height=of.height)
            for of in medium.images or (medium,)
        ]
        given = given if medium.images else given[0]
    return LabelRowV2.from_media_metadata(ontology_of(model), given, branch_name=branch)


def add_predictions(row: LabelRowV2, structure: OntologyStructure, model: Model, own: Iterable[Prediction]) -> None:
    """Add predictions to a row of the SDK: instances with one class and track are one object."""
    objects: dict[Any, ObjectInstance] = {}
    for index, prediction in enumerate(own):
        item = structure.get_child_by_hash(model.categories[prediction.category].feature_hash, type_=Object)
        key = index if prediction.track is None else (prediction.category, str(prediction.track))
        instance = objects.setdefault(key, item.create_instance(object_number=object_number(prediction.track)))
        instance.set_for_frames(
            coordinates(prediction, *model.file_size(prediction.medium, prediction.frame)),
            prediction.frame,
            created_at=WHEN,
            last_edited_at=WHEN,
            confidence=None if prediction.score is None else float(prediction.score),
            manual_annotation=False,
        )
    for instance in objects.values():
        row.add_object_instance(instance)


def object_number(track: Any) -> int | None:
    """Give the number that an object shows in the editor: its track, if that is a whole number."""
    return int(track) if re.fullmatch(r"0|[1-9]\d{0,9}", str(track)) and int(track) < 2**31 else None


def coordinates(prediction: Prediction, width: int, height: int) -> Any:
    """Convert a geometry in px of a `width` x `height` image as the SDK's COCO importer does."""
    geometry = prediction.geometry
    if isinstance(geometry, Mask):
        return CocoRLE.from_dict(geometry.segmentation()).to_bitmask()
    if isinstance(geometry[0], list):
        rings = [list(zip(ring[::2], ring[1::2], strict=True)) for ring in geometry]
        return CocoPolygon.from_dict({"values": rings}).to_encord(width, height)
    return CocoBoundingBox(*geometry).to_encord(width, height)


def by_medium(model: Model) -> dict[int, list[Prediction]]:
    found: dict[int, list[Prediction]] = defaultdict(list)
    for prediction in model.predictions:
        found[prediction.medium].append(prediction)
    return dict(found)


# --- comparing -----------------------------------------------------------------------------------------------------


def normalised(row: dict[str, Any], without: Iterable[str] = ()) -> list[str]:
    """Write a label row as lines of JSON that are equal for rows with equal content.

    Times go, and the members of `without` at any depth. Objects are named by their place among the objects sorted by
    content, classifications have no name; objects of a frame, classifications and keys are sorted.
    Numbers keep the text that Python gives them, so that 0 and 0.0,
    or neighbouring floats, differ.
    """
    row = _without(row, TIMES | frozenset(without))
    content: dict[str, list[str]] = {key: [_text(answer, key)] for key, answer in row["object_answers"].items()}
    for key, actions in row["object_actions"].items():
        # Answers that vary stand in the order in which they were given.
        actions["actions"].sort(key=json.dumps)
        content[key].append(_text(actions, key))
    for unit, frame, item in labelled(row):
        content[item["objectHash"]].append(_text([unit, frame, item], item["objectHash"]))
    ranked = sorted(content, key=lambda key: sorted(content[key]))
    names = {key: f"object {rank}" for rank, key in enumerate(ranked)}
    for _, _, item in labelled(row):
        item["objectHash"] = names[item["objectHash"]]
    for _, objects in _objects_of_frames(row):
        objects.sort(key=json.dumps)
    for member in ("object_answers", "object_actions"):
        row[member] = {names[k]: answer | {"objectHash": names[k]} for k, answer in row[member].items()}
    answers = [answer | {"classificationHash": ""} for answer in row["classification_answers"].values()]
    row["classification_answers"] = sorted(answers, key=json.dumps)
    return json.dumps(row, sort_keys=True, indent=1).splitlines()


def _text(value: Any, object_hash: str) -> str:
    """Write what belongs to an object without its hash."""
    return json.dumps(value, sort_keys=True).replace(json.dumps(object_hash), '"object"')


def _without(value: Any, keys: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(member, keys) for key, member in sorted(value.items()) if key not in keys}
    return [_without(member, keys) for member in value] if isinstance(value, list) else value


def _objects_of_frames(row: dict[str, Any]) -> Iterable[tuple[tuple[str, str], list[dict[str, Any]]]]:
    for key, unit in (row["data_units"] | row["spaces"]).items():
        labels = unit["labels"]
        frames = {"": labels} if "objects" in labels else labels
        for frame, content in frames.items():
            yield (key, frame), content["objects"]


def labelled(row: dict[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Iterate over (data unit, frame, object) of a label row."""
    for (unit, frame), objects in _objects_of_frames(row):
        for item in objects:
            yield unit, frame, item


def labels_only(row: dict[str, Any]) -> dict[str, Any]:
    """Keep what a detached row can have in common with others: no hashes and titles of media, units in sequence."""
    units = sorted(row["data_units"].values(), key=lambda unit: int(unit["data_sequence"]))
    kept = [{k: v for k, v in unit.items() if k not in ("data_hash", "data_title", "data_link")} for unit in units]
    dropped = ("data_hash", "data_title", "label_hash", "dataset_hash", "dataset_title", "data_units")
    rest = {key: value for key, value in row.items() if key not in dropped}
    return rest | {"data_units": {str(index): unit for index, unit in enumerate(kept)}}


def pixels_of(coordinates: BitmaskCoordinates) -> np.ndarray:
    return coordinates.to_numpy_array().astype(bool)
