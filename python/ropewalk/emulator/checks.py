"""What a saved label row must hold: the checks of a save, each refusal under Encord's error name."""

from __future__ import annotations

import math
from typing import Any

from ropewalk.emulator.refusals import corrupted_label, invalid, missing_answer, missing_feature
from ropewalk.emulator.rows import FRAME_TYPES, RANGE_TYPES, RowHeader
from ropewalk.snapshot import Medium

# The key that holds an object's geometry, by the ontology's shape; of a shape that is not listed nothing is asked.
_GEOMETRY_KEYS = {
    "bounding_box": "boundingBox",
    "rotatable_bounding_box": "rotatableBoundingBox",
    "polygon": "polygon",
    "polyline": "polyline",
    "point": "point",
    "bitmask": "bitmask",
    "skeleton": "skeleton",
    "circle": "circle",
    "ellipse": "ellipse",
}
_NUMBERS_ONLY = ("boundingBox", "rotatableBoundingBox", "polygon", "polygons", "polyline", "point", "circle", "ellipse")


class LabelChecker:
    """Checks label rows against a project's ontology.

    Args:
        structure: The ontology's structure, as the SDK writes it.
    """

    def __init__(self, structure: dict[str, Any]) -> None:
        self._shapes = {item["featureNodeHash"]: item["shape"] for item in structure.get("objects", [])}
        self._classifications = {item["featureNodeHash"] for item in structure.get("classifications", [])}

    def check(self, content: Any, header: RowHeader, medium: Medium) -> None:
        """Check the content of one save.

        Args:
            content: The label row that was sent.
            header: The label row that stands there.
            medium: Its data row.

        Raises:
            Refused: The content belongs to another row or is not valid; the message names row and field.
        """
        where = f"label row {header.label_hash}"
        if not isinstance(content, dict):
            raise corrupted_label(f"{where}: expected a JSON object, found {_shown(content)}")
        for name, expected in (
            ("label_hash", header.label_hash),
            ("data_hash", header.data_hash),
            ("branch_name", header.branch_name),
        ):
            if content.get(name, expected) != expected:
                raise invalid(f"{where}: {name} is {expected}, found {_shown(content[name])}")
        answers = _object(content, "object_answers", where)
        for key, answer in _object(content, "classification_answers", where).items():
            feature = answer.get("featureHash") if isinstance(answer, dict) else None
            if feature not in self._classifications:
                raise missing_feature(
                    f"{where}: classification_answers[{key}].featureHash: {_shown(feature)} is not in the ontology"
                )
        units = _object(content, "data_units", where)
        expected_units = {image.image_hash for image in medium.images} or {medium.data_hash}
        if units.keys() != expected_units:
            odd = sorted(units.keys() ^ expected_units)[0]
            raise corrupted_label(f"{where}: data_units: {_shown(odd)} is missing or not of this data row")
        for unit_hash in units:
            self._check_unit(units, unit_hash, medium, answers, where)

    def _check_unit(
        self, units: dict[str, Any], unit_hash: str, medium: Medium, answers: dict[str, Any], where: str
    ) -> None:
        unit = _object(units, unit_hash, f"{where}: data_units")
        place = f"{where}: data_units[{unit_hash}].labels"
        labels = _object(unit, "labels", f"{where}: data_units[{unit_hash}]")
        size_hw = (unit.get("height"), unit.get("width"))
        if medium.data_type in RANGE_TYPES:
            return
        if medium.data_type not in FRAME_TYPES:
            self._check_frame(labels, size_hw, answers, place)
            return
        for frame in labels:
            if not (frame.isascii() and frame.isdigit() and int(frame) < medium.number_of_frames):
                raise corrupted_label(
                    f"{place}: frame {_shown(frame)} is not one of the {medium.number_of_frames} frames of the data row"
                )
            self._check_frame(_object(labels, frame, place), size_hw, answers, f"{place}[{frame}]")

    def _check_frame(
        self, labels: dict[str, Any], size_hw: tuple[Any, Any], answers: dict[str, Any], where: str
    ) -> None:
        objects = labels.get("objects", [])
        if not isinstance(objects, list):
            raise corrupted_label(f"{where}.objects: expected a list, found {_shown(objects)}")
        for index, item in enumerate(objects):
            place = f"{where}.objects[{index}]"
            if not isinstance(item, dict):
                raise corrupted_label(f"{place}: expected a JSON object, found {_shown(item)}")
            self._check_object(item, size_hw, answers, place)

    def _check_object(
        self, item: dict[str, Any], size_hw: tuple[Any, Any], answers: dict[str, Any], where: str
    ) -> None:
        feature = item.get("featureHash")
        shape = self._shapes.get(feature) if isinstance(feature, str) else None
        if shape is None:
            raise missing_feature(f"{where}.featureHash: {_shown(feature)} is not an object of the ontology")
        if item.get("shape") != shape:
            raise corrupted_label(f"{where}.shape: expected {shape}, found {_shown(item.get('shape'))}")
        object_hash = item.get("objectHash")
        if not isinstance(object_hash, str) or object_hash not in answers:
            raise missing_answer(f"{where}.objectHash: {_shown(object_hash)} has no entry in object_answers")
        confidence = item.get("confidence")
        if type(confidence) not in (int, float) or not 0 <= confidence <= 1:
            raise corrupted_label(f"{where}.confidence: expected a number from 0 to 1, found {_shown(confidence)}")
        key = _GEOMETRY_KEYS.get(shape)
        if key is not None and key not in item:
            raise corrupted_label(f"{where}.{key}: missing; an object of shape {shape} has one")
        for name in _NUMBERS_ONLY:
            if name in item:
                _check_numbers(item[name], f"{where}.{name}")
        if "skeleton" in item:
            _check_skeleton(item["skeleton"], f"{where}.skeleton")
        if "bitmask" in item:
            _check_bitmask(item["bitmask"], size_hw, f"{where}.bitmask")


def _check_numbers(value: Any, where: str) -> None:
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        raise corrupted_label(f"{where}: expected coordinates, found {_shown(value)}")
    for key, item in items:
        if isinstance(item, (dict, list)):
            _check_numbers(item, f"{where}[{key}]")
        else:
            _check_number(item, where, key)


def _check_number(value: Any, where: str, key: str | int) -> None:
    # Comparing with infinity refuses NaN, infinities and nothing else, whole numbers of any size included.
    if type(value) not in (int, float) or not -math.inf < value < math.inf:
        raise corrupted_label(f"{where}[{key}]: expected a finite number, found {_shown(value)}")


def _check_skeleton(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise corrupted_label(f"{where}: expected coordinates, found {_shown(value)}")
    for key, vertex in value.items():
        if not isinstance(vertex, dict):
            raise corrupted_label(f"{where}[{key}]: expected a vertex, found {_shown(vertex)}")
        for axis in ("x", "y"):
            _check_number(vertex.get(axis), f"{where}[{key}]", axis)


def _check_bitmask(value: Any, size_hw: tuple[Any, Any], where: str) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("rleString"), str):
        raise corrupted_label(f"{where}: expected height, width and an rleString, found {_shown(value)}")
    if (value.get("height"), value.get("width")) != size_hw:
        raise corrupted_label(
            f"{where}: expected the frame's height and width {size_hw}, "
            f"found {(value.get('height'), value.get('width'))}"
        )


def _object(parent: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise corrupted_label(f"{where}: {key}: expected a JSON object, found {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
