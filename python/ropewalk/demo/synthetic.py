"""A synthetic project and its COCO predictions: tracks over videos, boxes, polygons, masks, scores. Seeded.

Shapes are an F with a separate dot: neither symmetric nor in one piece, so that a mirrored, transposed or halved result
would be seen.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ropewalk.project.snapshot import Medium, MediumImage, Snapshot, write_snapshot

PROJECT_FILE = "project.json"
PREDICTIONS = "predictions"
SPOILT_FILE = "spoilt.json"

_FPS = 25.0
_VIDEO_SIZES_WH = ((1280, 720), (1920, 1080), (720, 1280), (1024, 576), (640, 480), (854, 480))
_GROUP_SIZES_WH = ((640, 360), (360, 640), (800, 450))
_IMAGE_SIZE_WH = (600, 900)
_FRAMES = 240
# Category of the predictions -> name and shape in the ontology; upper and lower case differ, as they often do.
_CLASSES = {
    "car": ("Car", "bounding_box"),
    "lorry": ("Lorry", "rotatable_bounding_box"),
    "cyclist": ("Cyclist", "polygon"),
    "shadow": ("Shadow", "bitmask"),
}
_COLORS = ("#D33115", "#009CE0", "#68BC00", "#A4541A")

# x, y in fractions of the object's box.
_F = (0, 0, 0.8, 0, 0.8, 0.2, 0.25, 0.2, 0.25, 0.4, 0.6, 0.4, 0.6, 0.6, 0.25, 0.6, 0.25, 1, 0, 1)
_DOT = (0.7, 0.7, 1, 0.75, 0.85, 1)


@dataclass
class Written:
    """What was written, for the demo to say.

    Attributes:
        project_hash: Hash of the project.
        annotations: Annotations in the folder of predictions.
        tracks: Tracks among them.
        shapes: Annotations by kind: boxes, polygons, masks.
    """

    project_hash: str
    annotations: int = 0
    tracks: int = 0
    shapes: Counter[str] = field(default_factory=Counter)


def write_demo(folder: Path, *, annotations: int, seed: int) -> Written:
    """Write a project snapshot, a folder of COCO predictions that fit it, and a small file with bad rows.

    Args:
        folder: Where to; it must exist.
        annotations: How many in the folder of predictions, at least 1.
        seed: The same seed gives the same files.

    Returns:
        What was written.
    """
    chance = random.Random(seed)
    project = _project(seed)
    write_snapshot(project, folder / PROJECT_FILE)
    written = Written(project.project_hash)
    on_images = min(annotations, max(4, annotations // 50))
    files = {
        "videos.json": _videos(project, annotations - on_images, chance, written),
        "images.json": _images(project, on_images, chance, written),
    }
    (folder / PREDICTIONS).mkdir()
    for name, document in files.items():
        (folder / PREDICTIONS / name).write_text(json.dumps(document), encoding="utf-8")
    (folder / SPOILT_FILE).write_text(json.dumps(_spoilt(project)), encoding="utf-8")
    return written


def _project(seed: int) -> Snapshot:
    def hash_of(name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"ropewalk demo {seed} {name}"))

    def medium(title: str, data_type: str, **fields: Any) -> Medium:
        return Medium(hash_of(title), title, data_type, hash_of("dataset"), "Demo data", **fields)

    videos = [
        medium(
            f"street-{number}.mp4",
            "VIDEO",
            file_type="video/mp4",
            width=width,
            height=height,
            number_of_frames=_FRAMES + 10 * number,
            frames_per_second=_FPS,
            duration=(_FRAMES + 10 * number) / _FPS,
        )
        for number, (width, height) in enumerate(_VIDEO_SIZES_WH, start=1)
    ]
    images = tuple(
        MediumImage(hash_of(f"crossing/{view}"), f"crossing-{view}.png", "image/png", width, height)
        for view, (width, height) in zip(("left", "front", "right"), _GROUP_SIZES_WH, strict=True)
    )
    group = medium("crossing", "IMG_GROUP", number_of_frames=len(images), images=images)
    width, height = _IMAGE_SIZE_WH
    image = medium("square.jpg", "IMAGE", file_type="image/jpeg", width=width, height=height)
    objects = [
        {"id": str(number), "name": name, "color": color, "shape": shape, "featureNodeHash": f"demo{number:04}"}
        for number, ((name, shape), color) in enumerate(zip(_CLASSES.values(), _COLORS, strict=True), start=1)
    ]
    return Snapshot(
        project_hash=hash_of("project"),
        project_title="Ropewalk demo",
        project_description="Synthetic",
        ontology_hash=hash_of("ontology"),
        ontology_title="Traffic",
        ontology_structure={"objects": objects, "classifications": []},
        media=(*videos, group, image),
    )


def _videos(project: Snapshot, annotations: int, chance: random.Random, written: Written) -> dict[str, Any]:
    videos = [medium for medium in project.media if medium.data_type == "VIDEO"]
    images: list[dict[str, Any]] = []
    first_image_id = {}
    for video in videos:
        first_image_id[video.data_hash] = len(images)
        images += [
            {
                "id": len(images) + frame,
                "video_id": videos.index(video),
                "frame_index": frame,
                "file_name": f"{video.title}/{frame:05}.jpg",
                "width": video.width,
                "height": video.height,
            }
            for frame in range(video.number_of_frames)
        ]
    rows: list[dict[str, Any]] = []
    # A small set has short tracks, so that all classes and shapes are in it.
    longest = min(_FRAMES // 2, max(4, annotations // 24))
    while len(rows) < annotations:
        video = chance.choice(videos)
        category_id = written.tracks % len(_CLASSES)
        start = chance.randrange(video.number_of_frames - longest)
        length = min(chance.randint(longest // 4, longest), annotations - len(rows))
        assert video.width is not None and video.height is not None
        path = _Path(chance, video.width, video.height)
        for step in range(length):
            annotation = _annotation(path, step / length, category_id, chance, written)
            annotation |= {
                "id": len(rows) + 1,
                "image_id": first_image_id[video.data_hash] + start + step,
                "track_id": written.tracks,
            }
            rows.append(annotation)
        written.tracks += 1
    # Models write in the order they please: an import does not count on any.
    chance.shuffle(rows)
    return {
        "videos": [{"id": number, "name": video.title} for number, video in enumerate(videos)],
        "images": images,
        "categories": _categories(),
        "annotations": rows,
    }


def _images(project: Snapshot, annotations: int, chance: random.Random, written: Written) -> dict[str, Any]:
    singles = [medium for medium in project.media if medium.data_type == "IMAGE"]
    targets: list[Medium | MediumImage] = [*singles, *(image for medium in project.media for image in medium.images)]
    rows: list[dict[str, Any]] = []
    for number in range(annotations):
        target = targets[number % len(targets)]
        assert target.width is not None and target.height is not None
        path = _Path(chance, target.width, target.height)
        category_id = (number + number // len(targets)) % len(_CLASSES)
        annotation = _annotation(path, 0.0, category_id, chance, written)
        rows.append(annotation | {"id": number + 1, "image_id": number % len(targets)})
    return {
        "images": [
            {"id": number, "file_name": target.title, "width": target.width, "height": target.height}
            for number, target in enumerate(targets)
        ],
        "categories": _categories(),
        "annotations": rows,
    }


def _categories() -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for number, name in enumerate(_CLASSES)]


class _Path:
    """The way of an object across an image: from one place inside it to another, growing or shrinking."""

    def __init__(self, chance: random.Random, width: int, height: int) -> None:
        self.size_wh = (width, height)
        side = min(width, height)
        self._sizes = [side * chance.uniform(0.05, 0.25) for _ in range(2)]
        self._ratio = chance.uniform(0.5, 1.0)
        self._ends = [(chance.uniform(0, width - size), chance.uniform(0, height - size)) for size in self._sizes]

    def box_at(self, share: float) -> tuple[float, float, float, float]:
        """Return x, y, w, h in px, where `share` (0..1) of the way is done."""

        def between(a: float, b: float) -> float:
            return round(a + share * (b - a), 2)

        (x0, y0), (x1, y1) = self._ends
        size = between(*self._sizes)
        return between(x0, x1), between(y0, y1), round(size * self._ratio, 2), size


def _annotation(path: _Path, share: float, category_id: int, chance: random.Random, written: Written) -> dict[str, Any]:
    x, y, w, h = path.box_at(share)
    shape = list(_CLASSES.values())[category_id][1]
    annotation: dict[str, Any] = {
        "category_id": category_id,
        "bbox": [x, y, w, h],
        "score": round(chance.uniform(0.3, 1.0), 4),
    }
    rings = [
        [
            round(start + share * side, 2)
            for pair in zip(ring[::2], ring[1::2], strict=True)
            for share, start, side in ((pair[0], x, w), (pair[1], y, h))
        ]
        for ring in (_F, _DOT)
    ]
    if shape == "polygon":
        annotation["segmentation"] = rings
    elif shape == "bitmask":
        annotation["segmentation"] = _mask(rings, path.size_wh)
    written.annotations += 1
    written.shapes[{"polygon": "polygons", "bitmask": "masks"}.get(shape, "boxes")] += 1
    return annotation


def _mask(rings: list[list[float]], size_wh: tuple[int, int]) -> dict[str, Any]:
    # COCO's own encoder: the demo's input owes nothing to the code that reads it.
    from pycocotools import mask

    width, height = size_wh
    rle = mask.merge(mask.frPyObjects(rings, height, width))
    return {"size": [height, width], "counts": rle["counts"].decode("ascii")}


def _spoilt(project: Snapshot) -> dict[str, Any]:
    video = project.media[0]
    size = {"width": video.width, "height": video.height}
    box = {"image_id": 0, "category_id": 0, "bbox": [40, 30, 80, 20]}
    return {
        "videos": [{"id": 0, "name": video.title}],
        "images": [
            {"id": 0, "video_id": 0, "frame_index": 7, **size},
            {"id": 1, "video_id": 0, "frame_index": video.number_of_frames, **size},
        ],
        "categories": [{"id": 0, "name": "car"}, {"id": 1, "name": "cyclst"}],
        "annotations": [
            {"id": 1, **box, "score": 0.9},
            {"id": 2, **box, "score": float("nan")},
            {"id": 3, **box, "score": 0.8, "category_id": 1},
            {"id": 4, **box, "score": 0.7, "image_id": 1},
            {"id": 5, **box, "score": 0.6},
        ],
    }
