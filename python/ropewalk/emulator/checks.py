"""What a saved label row must hold: the checks of a save, each refusal under Encord's error name."""

from __future__ import annotations

import math
import re
from typing import Any

from ropewalk.emulator.refusals import corrupted_label, invalid, missing_answer, missing_feature
from ropewalk.emulator.rows import FRAME_TYPES, RANGE_TYPES, RowHeader
from ropewalk.project.snapshot import Medium
from ropewalk.project.spaces import DATA_TYPES

_FRAME = re.compile(r"[0-9]{1,10}")
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
    "cuboid_2d": "cuboid_2d",
}
_NUMBERS_ONLY = (
    "boundingBox",
    "rotatableBoundingBox",
    "polygon",
    "polygons",
    "polyline",
    "point",
    "circle",
    "ellipse",
    "cuboid_2d",
)


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
        self._check_classifications(_object(content, "classification_answers", where), where)
        units = _object(content, "data_units", where)
        expected_units = {image.image_hash for image in medium.images} or {medium.data_hash}
        if units.keys() != expected_units:
            odd = sorted(units.keys() ^ expected_units)[0]
            raise corrupted_label(f"{where}: data_units: {_shown(odd)} is missing or not of this data row")
        for unit_hash in units:
            self._check_unit(units, unit_hash, medium, answers, where)
        if medium.spaces or content.get("spaces"):
            self._check_spaces(_object(content, "spaces", where), medium, answers, where)

    def _check_spaces(self, spaces: dict[str, Any], medium: Medium, answers: dict[str, Any], where: str) -> None:
        known = {space.space_id: space for space in medium.spaces}
        if spaces.keys() != known.keys():
            odd = sorted(spaces.keys() ^ known.keys())[0]
            raise corrupted_label(f"{where}: spaces: {_shown(odd)} is missing or not of this data row")
        for space_id, space in known.items():
            content = _object(spaces, space_id, f"{where}: spaces")
            if content.get("space_type") != space.space_type:
                found = _shown(content.get("space_type"))
                raise corrupted_label(f"{where}: spaces[{space_id}]: expected a {space.space_type}, found {found}")
            labels = _object(content, "labels", f"{where}: spaces[{space_id}]")
            place = f"{where}: spaces[{space_id}].labels"
            size_hw = (space.height, space.width)
            if DATA_TYPES.get(space.space_type) in RANGE_TYPES and labels:
                raise corrupted_label(f"{place}: expected none, since {space.space_type} has its labels in the answers")
            self._check_frames(labels, space.number_of_frames, size_hw, answers, place)

    def _check_classifications(self, answers: dict[str, Any], where: str) -> None:
        for key in answers:
            place = f"{where}: classification_answers"
            feature = _object(answers, key, place).get("featureHash")
            if not isinstance(feature, str) or feature not in self._classifications:
                raise missing_feature(f"{place}[{key}].featureHash: {_shown(feature)} is not in the ontology")

    def _check_unit(
        self, units: dict[str, Any], unit_hash: str, medium: Medium, answers: dict[str, Any], where: str
    ) -> None:
        unit = _object(units, unit_hash, f"{where}: data_units")
        place = f"{where}: data_units[{unit_hash}].labels"
        labels = _object(unit, "labels", f"{where}: data_units[{unit_hash}]")
        size_hw = (unit.get("height"), unit.get("width"))
        if medium.data_type in RANGE_TYPES:
            if labels:
                raise corrupted_label(
                    f"{place}: expected none, since a {medium.data_type} has its labels in the answers"
                )
            return
        if medium.data_type not in FRAME_TYPES:
            self._check_frame(labels, size_hw, answers, place)
            return
        self._check_frames(labels, medium.number_of_frames, size_hw, answers, place)

    def _check_frames(
        self,
        labels: dict[str, Any],
        number_of_frames: int,
        size_hw: tuple[Any, Any],
        answers: dict[str, Any],
        place: str,
    ) -> None:
        for frame in labels:
            if not (_FRAME.fullmatch(frame) and int(frame) < number_of_frames):
                raise corrupted_label(
                    f"{place}: frame {_shown(frame)} is not one of the {number_of_frames} frames of the data row"
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
        if confidence is None or not _is_number(confidence) or not 0 <= confidence <= 1:
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
    if not isinstance(value, (dict, list)):
        raise corrupted_label(f"{where}: expected coordinates, found {_shown(value)}")
    bad = _find_no_number(value)
    if bad is not None:
        path, found = bad
        raise corrupted_label(f"{where}{path}: expected a finite number, found {_shown(found)}")


def _find_no_number(value: Any) -> tuple[str, Any] | None:
    """Look for the first leaf that is no finite number; the path is built only when one is found, for speed."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (dict, list)):
            bad = _find_no_number(item)
            if bad is not None:
                return f"[{key}]{bad[0]}", bad[1]
        elif not _is_number(item):
            return f"[{key}]", item
    return None


def _is_number(value: Any) -> bool:
    # Comparing with infinity refuses NaN and the infinities, and takes whole numbers of any size.
    return type(value) in (int, float) and -math.inf < value < math.inf


def _check_skeleton(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise corrupted_label(f"{where}: expected coordinates, found {_shown(value)}")
    for key, vertex in value.items():
        if not isinstance(vertex, dict):
            raise corrupted_label(f"{where}[{key}]: expected a vertex, found {_shown(vertex)}")
        for axis in ("x", "y"):
            if not _is_number(vertex.get(axis)):
                raise corrupted_label(
                    f"{where}[{key}][{axis}]: expected a finite number, found {_shown(vertex.get(axis))}"
                )


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
