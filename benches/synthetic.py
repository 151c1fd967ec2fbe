"""Makes the predictions that are measured: seeded, on one video, chiral and not square."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from ropewalk.project.snapshot import Medium

HEIGHT_PX, WIDTH_PX = 1080, 1920
FPS = 30.0
MASK_KINDS = ("smooth", "holes", "noisy")

Annotation = dict[str, Any]
Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Predictions:
    """A COCO file of one video. `shape` is what the ontology's classes are drawn as."""

    path: Path
    shape: str
    tracked: bool
    number_of_annotations: int
    medium: Medium

    @property
    def len_bytes(self) -> int:
        """Size of the file."""
        return self.path.stat().st_size


def boxes(path: Path, *, frames: int, per_frame: int, tracked: bool) -> Predictions:
    """Write boxes, 2 decimals of a px; tracked ones are `per_frame` tracks that last for all frames."""
    draw = random.Random(f"boxes {frames} {per_frame}")

    def annotations() -> Iterator[Annotation]:
        for frame in range(frames):
            for track in range(per_frame):
                w, h = draw.uniform(10, 400), draw.uniform(10, 250)
                x, y = draw.uniform(0, WIDTH_PX - w), draw.uniform(0, HEIGHT_PX - h)
                yield {
                    "image_id": frame,
                    "category_id": track % 2,
                    "bbox": [round(v, 2) for v in (x, y, w - 0.01, h - 0.01)],
                    **({"track_id": track} if tracked else {}),
                }

    return _write(path, "bounding_box", frames, annotations(), draw, tracked=tracked)


def polygons(path: Path, *, frames: int, per_frame: int) -> Predictions:
    """Write polygons of 20 to 200 vertices, 110 on average, 2 decimals of a px."""
    draw = random.Random(f"polygons {frames} {per_frame}")

    def annotations() -> Iterator[Annotation]:
        for frame in range(frames):
            for number in range(per_frame):
                vertices = draw.randint(20, 200)
                outline = _outline(draw)
                x, y = draw.uniform(320, WIDTH_PX - 320), draw.uniform(320, HEIGHT_PX - 320)
                ring = []
                for angle in (math.tau * at / vertices for at in range(vertices)):
                    radius = outline(angle)
                    ring += [round(x + radius * math.cos(angle), 2), round(y + radius * math.sin(angle), 2)]
                yield {
                    "image_id": frame,
                    "category_id": number % 2,
                    "segmentation": [ring],
                    "bbox": [min(ring[::2]), min(ring[1::2]), 1.0, 1.0],
                }

    return _write(path, "polygon", frames, annotations(), draw)


def masks(path: Path, *, frames: int) -> Predictions:
    """Write one mask of the whole picture a frame, as COCO's compressed string; kinds take turns."""
    draw = random.Random(f"masks {frames}")

    def annotations() -> Iterator[Annotation]:
        for frame, mask in enumerate(dense_masks(frames)):
            encoded = coco_mask.encode(np.asfortranarray(mask))
            yield {
                "image_id": frame,
                "category_id": frame % 2,
                "segmentation": {"size": [HEIGHT_PX, WIDTH_PX], "counts": encoded["counts"].decode("ascii")},
                "bbox": coco_mask.toBbox(encoded).tolist(),
            }

    return _write(path, "bitmask", frames, annotations(), draw)


def dense_masks(number: int, kind: str | None = None) -> Iterator[Mask]:
    """Draw masks (1080, 1920) of one kind, or of all kinds in turn: a smooth blob, one with holes, one whose edge
    scatters over some px as that of a thresholded score map does."""
    draw = random.Random(f"dense {kind}")
    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX].astype(np.float32)
    for at in range(number):
        now = kind or MASK_KINDS[at % len(MASK_KINDS)]
        outline = _outline(draw)
        centre_x, centre_y = draw.uniform(400, WIDTH_PX - 400), draw.uniform(350, HEIGHT_PX - 350)
        radius = np.hypot(x - centre_x, y - centre_y)
        if now == "noisy":
            noise = np.random.default_rng(draw.getrandbits(32)).normal(0, 1.5, radius.shape)
            radius = radius + noise.astype(np.float32)
        edge = np.array([outline(math.tau * step / 1024) for step in range(1025)], np.float32)
        angle = np.arctan2(y - centre_y, x - centre_x) % np.float32(math.tau)
        mask = radius < edge[(angle * np.float32(1024 / math.tau)).astype(np.int32)]
        for _ in range(12 if now == "holes" else 0):
            hole_x, hole_y = centre_x + draw.uniform(-150, 150), centre_y + draw.uniform(-150, 150)
            mask &= np.hypot((x - hole_x) * 2, y - hole_y) > draw.uniform(4, 30)
        yield mask.astype(np.uint8)


def rings(number: int) -> list[list[float]]:
    """Draw polygons (px) of 110 vertices on a picture of 1080p."""
    draw = random.Random("rings")
    found = []
    for _ in range(number):
        outline = _outline(draw)
        x, y = draw.uniform(320, WIDTH_PX - 320), draw.uniform(320, HEIGHT_PX - 320)
        angles = [math.tau * at / 110 for at in range(110)]
        points = [(x + outline(a) * math.cos(a), y + outline(a) * math.sin(a)) for a in angles]
        found.append([round(v, 2) for point in points for v in point])
    return found


def _outline(draw: random.Random) -> Callable[[float], float]:
    """Draw a closed curve: radius (px) by angle. Its waves have phases of their own, so that no mirror image fits."""
    base = draw.uniform(150, 250)
    waves = [(order, draw.uniform(0, 0.35) / order, draw.uniform(0, math.tau)) for order in (1, 2, 3, 5)]
    scale = base / (1 + sum(size for _, size, _ in waves) / 2)

    def radius(angle: float) -> float:
        return scale * (1 + 0.5 * sum(size * math.cos(order * angle + phase) for order, size, phase in waves))

    return radius


def _write(
    path: Path,
    shape: str,
    frames: int,
    annotations: Iterator[Annotation],
    draw: random.Random,
    *,
    tracked: bool = False,
) -> Predictions:
    """Write a file with all fields that the SDK's reader insists on."""
    images = [
        {
            "id": frame,
            "file_name": f"{frame:06}.jpg",
            "width": WIDTH_PX,
            "height": HEIGHT_PX,
            "video_id": 1,
            "frame_index": frame,
        }
        for frame in range(frames)
    ]
    rows = [
        {"id": at, **row, "area": round(draw.uniform(1, 1e5), 2), "iscrowd": 0, "score": round(draw.random(), 5)}
        for at, row in enumerate(annotations)
    ]
    categories = [{"id": at, "name": name} for at, name in enumerate(CLASS_NAMES)]
    document = {
        "images": images,
        "categories": categories,
        "videos": [{"id": 1, "name": "drive.mp4"}],
        "annotations": rows,
    }
    path.write_text(json.dumps(document), encoding="ascii")
    return Predictions(path, shape, tracked, len(rows), video(frames))


def video(frames: int) -> Medium:
    """Make the medium that everything is on: a video of 1080p."""
    return Medium(
        data_hash="00000000-0000-0000-0000-000000000000",
        title="drive.mp4",
        data_type="VIDEO",
        dataset_hash="00000000-0000-0000-0000-000000000000",
        dataset_title="",
        file_type="video/mp4",
        width=WIDTH_PX,
        height=HEIGHT_PX,
        number_of_frames=frames,
        frames_per_second=FPS,
        duration=frames / FPS,
    )


CLASS_NAMES = ("Car", "Traffic light")
