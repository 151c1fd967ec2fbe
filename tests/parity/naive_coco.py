"""A COCO dataset built the naive way, row by row from dicts: what the core's writer is compared with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from ropewalk.evaluating.coco_rows import KEYPOINTS, ROUND, Fields, Row, SizeWh, Unfit, place, size_of
from ropewalk.project.ontology import ListedObject, list_ontology

if TYPE_CHECKING:
    from ropewalk._core import AnnotationBatch
    from ropewalk.project.snapshot import Snapshot

# Under `attributes` these have a meaning of their own to whoever reads the file.
_RESERVED = frozenset(("rotation", "track", "track_id", "score"))


@dataclass
class _Image:
    """An image so far; its size is the first one that is told."""

    id: int
    size: SizeWh | None


@dataclass
class _Category:
    id: int
    # COCO has a group of categories here; Encord's own export says the shape.
    supercategory: str | None
    keypoints: int = 0


@dataclass(frozen=True)
class _Known:
    """What a project tells of a medium: on its own, or an image inside a group."""

    title: str
    data_hash: str
    size: SizeWh | None
    frames: int


@dataclass
class CocoWriter:
    """Writes batches of the IR as a COCO dataset. Ids are given in order of first appearance, from 1.

    Attributes:
        file: Takes the dataset, ASCII.
        project: Resolves feature hashes and data_hashes to names, and tells sizes and the names of keypoints.
        written: Annotations written.
        left_out: Answers and lines, which have no place in COCO.
        warnings: Written with less than they had: circles and ellipses as boxes, attributes whose name COCO uses.
    """

    file: BinaryIO
    project: Snapshot | None = None
    written: int = 0
    left_out: int = 0
    warnings: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._images: dict[tuple[str, int], _Image] = {}
        self._categories: dict[str, _Category] = {}
        self._tracks: dict[tuple[str, str], int] = {}
        self._media = {} if self.project is None else _known_media(self.project)
        self._groups = {} if self.project is None else _known_groups(self.project)
        self._objects = {} if self.project is None else _known_objects(self.project)
        # First, for they are what is not kept; readers take sections in any order.
        self._put('{"info": {"description": "written by Ropewalk"},\n"annotations": [')

    def write(self, batch: AnnotationBatch) -> list[Fields]:
        """Write a batch.

        Returns:
            Rejects in the form of the reject file's lines: what could not be written.
        """
        import polars

        rejects = []
        for row in polars.DataFrame(batch).iter_rows(named=True):
            if row["kind"] == "answer" or row["shape"] == "polyline":
                self.left_out += 1
                continue
            try:
                annotation = self._annotation(row)
                text = json.dumps(annotation, allow_nan=False)
            except Unfit as e:
                rejects.append(_reject(row, e))
                continue
            self._put(f"{',' if self.written else ''}\n{text}")
            self.written += 1
        return rejects

    def finish(self) -> None:
        """Write the sections that are known at the end."""
        self._put("\n]")
        frames = Counter(media for media, _ in self._images)
        several = {media for media, frame in self._images if self._has_frames(media, frame, frames[media])}
        videos = {media: number for number, media in enumerate(filter(several.__contains__, frames), 1)}
        self._section("images", (self._image(*key, image, videos) for key, image in self._images.items()))
        if videos:
            self._section("videos", ({"id": n, "name": self._title(m)} | self._hash(m) for m, n in videos.items()))
        self._section("categories", (self._category(name, found) for name, found in self._categories.items()))
        self._put("}\n")

    def _put(self, text: str) -> None:
        self.file.write(text.encode("ascii"))

    def _section(self, name: str, items: Iterator[Mapping[str, Any]]) -> None:
        self._put(f',\n"{name}": [')
        for number, item in enumerate(items):
            self._put(f"{',' if number else ''}\n{json.dumps(item)}")
        self._put("\n]")

    def _annotation(self, row: Row) -> Fields:
        group, frame = self._groups.get(row["media"], ()), row["frame"]
        if frame < len(group):
            medium, frame = self._media.get(group[frame]), 0
        else:
            medium = self._media.get(row["media"])
        known = self._objects.get(row["class"])
        # One medium, and one class, whether a source calls it by its name or by its hash.
        media = row["media"] if medium is None else medium.data_hash
        name = row["class"] if known is None else known.feature_hash
        key = (media, frame)
        size = self._images[key].size if key in self._images else None
        size = size or size_of(row) or (None if medium is None else medium.size)
        fields = place(row, size)
        # Only what is written has an image, a category and a track.
        image = self._images.setdefault(key, _Image(len(self._images) + 1, size))
        image.size = image.size or size
        shape = row["shape"]
        category = self._categories.setdefault(name, _Category(len(self._categories) + 1, shape))
        category.keypoints = max(category.keypoints, len(fields.get("keypoints", ())) // 3)
        attributes = self._attributes(row)
        annotation = {"id": self.written + 1, "image_id": image.id, "category_id": category.id, **fields, "iscrowd": 0}
        if row["score"] is not None:
            annotation["score"] = row["score"]
        if row["track"] is not None:
            # A track may go over the images of a group.
            track = (group[0] if group else media, row["track"])
            annotation["track_id"] = self._tracks.setdefault(track, len(self._tracks) + 1)
            attributes["track"] = row["track"]
        if shape == "rotatable_bounding_box":
            attributes["rotation"] = row["theta"] or 0.0
        elif shape in ROUND:
            self.warnings["round_as_box"] += 1
        if attributes:
            annotation["attributes"] = attributes
        return annotation

    def _attributes(self, row: Row) -> Fields:
        given: dict[str, list[str | None]] = {}
        for attribute in row["attributes"] or ():
            if attribute["name"] in _RESERVED:
                self.warnings["attribute_left_out"] += 1
            else:
                given.setdefault(attribute["name"], []).append(attribute["value"])
        return {name: values[0] if len(values) == 1 else values for name, values in given.items()}

    def _has_frames(self, media: str, frame: int, seen: int) -> bool:
        known = self._media.get(media)
        return frame > 0 or seen > 1 if known is None else known.frames > 1

    def _title(self, media: str) -> str:
        known = self._media.get(media)
        # A title that several media have would make them one.
        return media if known is None or known.title not in self._media else known.title

    def _hash(self, media: str) -> Fields:
        known = self._media.get(media)
        return {} if known is None else {"data_hash": known.data_hash}

    def _image(self, media: str, frame: int, image: _Image, videos: Mapping[str, int]) -> Fields:
        title = self._title(media)
        fields: Fields = {"id": image.id, "file_name": title}
        if image.size is not None:
            fields |= {"width": image.size[0], "height": image.size[1]}
        if media in videos:
            fields |= {"file_name": f"{title}/{frame:06}.jpg", "video_id": videos[media], "frame_index": frame}
            return fields
        return fields | self._hash(media)

    def _category(self, name: str, category: _Category) -> Fields:
        known = self._objects.get(name)
        fields: Fields = {
            "id": category.id,
            "name": name if known is None else known.name,
            "supercategory": category.supercategory,
        }
        if known is not None:
            fields["feature_hash"] = known.feature_hash
        points = [] if known is None else [point.name for point in known.points]
        if category.keypoints and len(points) == category.keypoints:
            fields |= {"keypoints": points, "skeleton": []}
        elif category.keypoints == 1 and category.supercategory == KEYPOINTS[1]:
            fields |= {"keypoints": [fields["name"]], "skeleton": []}
        return fields


def _known_media(project: Snapshot) -> dict[str, _Known]:
    """Find what is known of media by data_hash, and by title where one medium has it."""
    units = []
    for medium in project.media:
        size = _size_wh(medium.width, medium.height)
        if not medium.images:
            units.append(_Known(medium.title, medium.data_hash, size, medium.number_of_frames))
        for image in medium.images:
            units.append(_Known(image.title, image.image_hash, _size_wh(image.width, image.height), 1))
    titles = Counter(unit.title for unit in units)
    named = {unit.title: unit for unit in units if titles[unit.title] == 1}
    return named | {unit.data_hash: unit for unit in units}


def _known_groups(project: Snapshot) -> dict[str, tuple[str, ...]]:
    """Find the images of image groups, by the group's data_hash, and by its title where one medium has it."""
    titles = Counter(medium.title for medium in project.media)
    groups = [(medium, tuple(image.image_hash for image in medium.images)) for medium in project.media if medium.images]
    named = {medium.title: images for medium, images in groups if titles[medium.title] == 1}
    return named | {medium.data_hash: images for medium, images in groups}


def _known_objects(project: Snapshot) -> dict[str, ListedObject]:
    """Find the objects of the ontology by feature hash, and by name where one object has it."""
    objects = list_ontology(project).objects
    names = Counter(item.name for item in objects)
    named = {item.name: item for item in objects if names[item.name] == 1}
    return named | {item.feature_hash: item for item in objects}


def _size_wh(width: int | None, height: int | None) -> SizeWh | None:
    return (width, height) if width and height else None


def _reject(row: Row, why: Unfit) -> Fields:
    return {
        "code": why.code,
        "message": why.message,
        "source": row["source"],
        "byte": row["offset"],
        "annotation_id": row["annotation_id"],
        "annotation": None,
    }
