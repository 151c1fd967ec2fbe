"""What a label row holds, taken out of its JSON: objects and classifications with the frames they hold for.

Objects stand below frame numbers, or in an image's labels; those of audio and text in the answers alone.
Classifications stand in the answers with ranges; older clients wrote them per frame as well.
In the label row of a data group all of this is on spaces, which answers name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ropewalk.project.spaces import ROOT_SPACE_ID, Space, space_from_info

Json = Mapping[str, Any]
# First and last, both included: frames of a video, places of images in a group, milliseconds of audio.
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """The answer of an attribute.

    Attributes:
        attribute: The attribute's name.
        values: Names of the options chosen, or the one text.
        ranges: Where it holds, of an attribute that changes from frame to frame; else empty.
    """

    attribute: str
    values: tuple[str, ...]
    ranges: Ranges = ()


@dataclass(frozen=True, slots=True)
class ShownLabel:
    """One label: an object with all of its frames, or a classification.

    Attributes:
        kind: `object` or `classification`.
        name: Name in the ontology.
        feature_hash: Feature hash in the ontology.
        shape: An object's shape, else None.
        hash: object_hash or classification_hash.
        ranges: Where it stands: frames of a video, places of images in a group, milliseconds of audio.
        confidence: Lowest and highest, None where there is none.
        answers: Answers of its attributes.
    """

    kind: str
    name: str
    feature_hash: str
    shape: str | None
    hash: str
    ranges: Ranges
    confidence: tuple[float, float] | None
    answers: tuple[ShownAnswer, ...] = ()


@dataclass
class FoundObject:
    """What was seen of an object so far: its first mention, the frames it stands on, its confidences."""

    first: Json
    frames: list[int] = field(default_factory=list)
    ranges: Ranges = ()
    confidences: list[float] = field(default_factory=list)

    def shown(self, label_row: Json) -> ShownLabel:
        """Make the label of it, with the answers that the row has for it."""
        object_hash = self.first["objectHash"]
        answers = (label_row.get("object_answers") or {}).get(object_hash) or {}
        actions = (label_row.get("object_actions") or {}).get(object_hash) or {}
        return ShownLabel(
            kind="object",
            name=self.first.get("name") or "",
            feature_hash=self.first.get("featureHash") or "",
            shape=self.first.get("shape"),
            hash=object_hash,
            ranges=merged([*self.ranges, *((frame, frame) for frame in self.frames)]),
            confidence=(min(self.confidences), max(self.confidences)) if self.confidences else None,
            answers=(*_answers(answers.get("classifications")), *_answers(actions.get("actions"))),
        )


@dataclass(frozen=True)
class FoundUnit:
    """A data unit, its place in the row, and its frames with labels; those of an image stand under its place.

    A space of a data group is one, too: `space` says which.
    """

    unit: Json
    place: int
    frames: Mapping[int, Json]
    space: Space | None = None


def units_of(label_row: Json) -> list[FoundUnit]:
    """List the data units of a label row, in the order of their data_sequence; of a data group its spaces."""
    spaces = label_row.get("spaces") or {}
    if label_row.get("data_type") == "group":
        return [_space(space_id, info, place) for place, (space_id, info) in enumerate(spaces.items())]
    found = []
    for unit in (label_row.get("data_units") or {}).values():
        labels = unit.get("labels") or {}
        place = int(unit.get("data_sequence") or 0)
        is_image = label_row.get("data_type") in ("image", "img_group") or isinstance(labels.get("objects"), list)
        frames = {place: labels} if is_image else {int(frame): content for frame, content in labels.items()}
        # Images with layers, and time series, have their labels on a space of the whole medium.
        for info in spaces.values():
            frames = _joined(frames, _frames(info))
        found.append(FoundUnit(unit, place, frames))
    return sorted(found, key=lambda unit: unit.place)


def _space(space_id: str, info: Json, place: int) -> FoundUnit:
    space = space_from_info(space_id, info)
    return FoundUnit({"data_hash": space_id, "data_title": space.title}, place, _frames(info), space)


def _frames(info: Json) -> dict[int, Json]:
    # Labels of images in 3D scenes are under no frame.
    return {int(frame): content for frame, content in (info.get("labels") or {}).items() if frame.isdigit()}


def _joined(frames: dict[int, Json], others: Mapping[int, Json]) -> dict[int, Json]:
    joined = dict(frames)
    for frame, content in others.items():
        both = [joined.get(frame) or {}, content]
        joined[frame] = {
            kind: [item for labels in both for item in labels.get(kind) or []]
            for kind in ("objects", "classifications")
        }
    return joined


def objects_of(label_row: Json, units: Iterable[FoundUnit]) -> dict[str, FoundObject]:
    """Find the objects of data units, each with all of its frames, and those that stand in the answers alone."""
    found: dict[str, FoundObject] = {}
    units = list(units)
    for unit in units:
        for frame, labels in unit.frames.items():
            for item in labels.get("objects") or []:
                entry = found.setdefault(item["objectHash"], FoundObject(item))
                entry.frames.append(frame)
                if item.get("confidence") is not None:
                    entry.confidences.append(item["confidence"])
    for object_hash, answer in (label_row.get("object_answers") or {}).items():
        # Only the objects of audio and text have their feature hash in the answer.
        placed = _placed(answer, units)
        if object_hash not in found and answer.get("featureHash") and placed is not None:
            found[object_hash] = FoundObject({"objectHash": object_hash, **answer}, ranges=placed)
    return found


def _placed(answer: Json, units: Iterable[FoundUnit]) -> Ranges | None:
    """Find the ranges that an answer has on units; empty for all of them, None where it is not on them."""
    on_spaces = answer.get("spaces") or {}
    spaces = [unit.space.space_id for unit in units if unit.space is not None]
    if not spaces:
        found = [_ranges(answer.get("range")), *(_ranges(part.get("range")) for part in on_spaces.values())]
    else:
        found = [_ranges(part.get("range")) for space_id, part in on_spaces.items() if space_id in spaces]
        if not on_spaces and ROOT_SPACE_ID in spaces:
            found = [_ranges(answer.get("range"))]
    return tuple(pair for part in found for pair in part) if found else None


def classifications_of(
    label_row: Json, units: Iterable[FoundUnit], names: Mapping[str, str] | None = None
) -> list[ShownLabel]:
    """List the classifications of a label row; one without ranges holds for all of it.

    Args:
        label_row: The label row.
        units: Its data units.
        names: Names of the ontology's classifications by feature hash: a row has only those of the attributes answered,
            nested ones first.
    """
    frames: dict[str, list[int]] = {}
    units = list(units)
    for unit in units:
        for frame, labels in unit.frames.items():
            for item in labels.get("classifications") or []:
                frames.setdefault(item["classificationHash"], []).append(frame)
    found = []
    for classification_hash, answer in (label_row.get("classification_answers") or {}).items():
        placed = _placed(answer, units)
        if placed is None and classification_hash not in frames:
            continue
        answers = list(_answers(answer.get("classifications")))
        feature_hash = answer.get("featureHash") or ""
        name = (names or {}).get(feature_hash) or (answers[-1].attribute if answers else "")
        # The attribute that the classification is named after stands above all others.
        answers.sort(key=lambda item: item.attribute != name)
        per_frame = ((frame, frame) for frame in frames.get(classification_hash, ()))
        confidence = answer.get("confidence")
        found.append(
            ShownLabel(
                kind="classification",
                name=name,
                feature_hash=feature_hash,
                shape=None,
                hash=classification_hash,
                ranges=merged([*(placed or ()), *per_frame]),
                confidence=None if confidence is None else (confidence, confidence),
                answers=tuple(answers),
            )
        )
    return found


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sort ranges, and join those that overlap or follow each other: nothing is spread out into single frames."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def length(ranges: Ranges) -> int:
    """Count the frames in ranges that `merged` gave."""
    return sum(last - first + 1 for first, last in ranges)


def covers(label: ShownLabel, place: int) -> bool:
    """Tell whether a label holds for a frame, or for the image at a place of a group."""
    return not label.ranges or any(first <= place <= last for first, last in label.ranges)


def _ranges(value: Any) -> Ranges:
    return tuple((int(first), int(last)) for first, last in value or ())


def _answers(items: Iterable[Json] | None) -> Iterator[ShownAnswer]:
    for item in items or ():
        given = item.get("answers")
        values = [option.get("name") or "" for option in given] if isinstance(given, list) else [str(given)]
        yield ShownAnswer(item.get("name") or "", tuple(values), _ranges(item.get("range")))
