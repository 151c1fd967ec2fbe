"""Masks and boxes of video formats in JSON, read by the core and by plain readers of the published rules."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars
import pytest
from pycocotools import mask as coco_mask

from ropewalk import _core

Json = Any
HEIGHT, WIDTH, FRAMES = 23, 41, 6


class Label(NamedTuple):
    """What is on a frame of a medium: a mask's bytes in COCO's order, or a box."""

    media: str
    frame: int | None
    name: str
    score: float | None
    drawn: bytes | tuple[float, ...]


Track = tuple[str, str, str | None]


def labels_of(path: Path, name: str | None, **options: Any) -> dict[Track, list[Label]]:
    """Read a file by the core: labels by medium, class and track, in the order of the file."""
    found = defaultdict(list)
    reader = _core.read(path, "label", name, json.dumps(options, default=str))
    for batch in reader:
        for row in polars.DataFrame(batch).to_dicts():
            if row["rle"] is None:
                drawn: bytes | tuple[float, ...] = tuple(row["box"])
            else:
                assert row["rle_order"] == "column_major"
                size = [row["height_px"], row["width_px"]]
                drawn = decoded({"size": size, "counts": row["rle"]})
            label = Label(row["media"], row["frame"], row["class"], row["score"], drawn)
            found[label.media, label.name, row["track"]].append(label)
    assert reader.counts["rejected"] == 0
    return found


def decoded(rle: Json) -> bytes:
    if isinstance(rle["counts"], list):
        rle = coco_mask.frPyObjects(rle, *rle["size"])
    bits: bytes = coco_mask.decode(rle).tobytes(order="F")
    return bits


def random_rle(random: np.random.Generator, *, as_list: bool = False) -> Json:
    """Make some boxes over each other: nothing symmetric."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(random.integers(1, 4)):
        y, x = random.integers(0, HEIGHT), random.integers(0, WIDTH)
        mask[y : y + random.integers(1, 9), x : x + random.integers(1, 20)] = 1
    if as_list:
        flat = np.concatenate([[0], mask.reshape(-1, order="F"), [2]])
        ends = np.flatnonzero(np.diff(flat))
        return {"size": [HEIGHT, WIDTH], "counts": np.diff(ends, prepend=0).tolist()}
    rle = coco_mask.encode(np.asfortranarray(mask))
    return {"size": [HEIGHT, WIDTH], "counts": rle["counts"].decode()}


def write(path: Path, document: Json) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", range(4))
def test_youtube_vis(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    videos = [
        {"id": 30 + at, "file_names": [f"clips/v{at}/{n:05}.jpg" for n in range(FRAMES)], "length": FRAMES}
        for at in range(3)
    ]
    categories = [{"id": 5, "name": "Tree"}, {"id": 9, "name": "Road"}]
    truth = write(tmp_path / "valid.json", {"videos": videos, "categories": categories})
    results: Json = [
        {
            "video_id": int(random.integers(30, 33)),
            "score": round(float(random.random()), 6),
            "category_id": int(random.choice([5, 9])),
            "segmentations": [
                random_rle(random, as_list=bool(random.random() < 0.3)) if random.random() < 0.7 else None
                for _ in range(random.integers(1, FRAMES + 1))
            ],
        }
        for _ in range(20)
    ]
    names = {category["id"]: category["name"] for category in categories}
    expected = [
        [
            Label(f"clips/v{track['video_id'] - 30}", frame, names[track["category_id"]], track["score"], decoded(rle))
            for frame, rle in enumerate(track["segmentations"])
            if rle is not None
        ]
        for track in results
    ]

    found = labels_of(write(tmp_path / "results.json", results), "youtube-vis", annotations=truth)

    # The file gives tracks no ids.
    assert sorted(found.values()) == sorted(labels for labels in expected if labels)
    # The ids of tracks do not depend on their order.
    again = labels_of(write(tmp_path / "turned.json", results[::-1]), "youtube-vis", annotations=truth)
    assert again == found


@pytest.mark.parametrize("seed", range(4))
def test_burst(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    sequences: Json = [
        {
            "seq_name": f"v{at}",
            "width": WIDTH,
            "height": HEIGHT,
            "annotated_image_paths": [f"frame{n:04}.jpg" for n in range(1, 60, 10)],
            "segmentations": [
                {
                    str(track): {"rle": random_rle(random)["counts"], "score": round(float(random.random()), 6)}
                    for track in range(5)
                    if random.random() < 0.6
                }
                for _ in range(FRAMES)
            ],
            "track_category_ids": {str(track): int(random.integers(1, 900)) for track in range(5)},
        }
        for at in range(3)
    ]
    expected = defaultdict(list)
    for sequence in sequences:
        for path, masks in zip(sequence["annotated_image_paths"], sequence["segmentations"], strict=True):
            for track, mask in masks.items():
                drawn = decoded({"size": [HEIGHT, WIDTH], "counts": mask["rle"]})
                name = str(sequence["track_category_ids"][track])
                label = Label(sequence["seq_name"], int(path[5:9]), name, mask["score"], drawn)
                expected[label.media, name, track].append(label)

    found = labels_of(write(tmp_path / "results.json", {"sequences": sequences, "split": "test"}), "burst")

    assert found == expected


@pytest.mark.parametrize("seed", range(4))
def test_sav(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    ids = [3, 0, 12]
    nothing = coco_mask.encode(np.zeros((HEIGHT, WIDTH), np.uint8, order="F"))
    empty = {"size": [HEIGHT, WIDTH], "counts": nothing["counts"].decode()}
    frames: Json = [[random_rle(random) if random.random() < 0.7 else empty for _ in ids] for _ in range(FRAMES)]
    document = {"video_id": "sav_000009", "video_frame_count": 24.0, "masklet": frames, "masklet_id": ids}
    expected = {
        ("sav_000009", "Thing", str(track)): [
            Label("sav_000009", frame, "Thing", None, decoded(masks[at])) for frame, masks in enumerate(frames)
        ]
        for at, track in enumerate(ids)
    }

    found = labels_of(write(tmp_path / "sav_000009_manual.json", document), "sav", class_="Thing")

    assert found == expected


@pytest.mark.parametrize("seed", range(4))
def test_tao(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    images: Json = [
        {"id": 100 * video + n, "video_id": video, "frame_index": 30 * n, "file_name": f"v{video}/{n}.jpg"}
        for video in (1, 2)
        for n in range(FRAMES)
    ]
    truth: Json = {
        "images": images,
        "videos": [{"id": video, "name": f"val/HACS/v{video}"} for video in (1, 2)],
        "categories": [{"id": 95, "name": "Car"}, {"id": 805, "name": "Dog"}],
    }
    results: Json = [
        {
            "image_id": image["id"],
            "video_id": image["video_id"],
            "track_id": 10 * image["video_id"] + track,
            "category_id": (95, 805)[track % 2],
            "bbox": np.round(random.random(4) * 20, 3).tolist(),
            "score": round(float(random.random()), 6),
        }
        for image in images
        for track in range(3)
        if random.random() < 0.7
    ]
    expected = defaultdict(list)
    by_id = {image["id"]: image for image in images}
    for result in results:
        media, name = f"val/HACS/v{result['video_id']}", {95: "Car", 805: "Dog"}[result["category_id"]]
        label = Label(media, by_id[result["image_id"]]["frame_index"], name, result["score"], tuple(result["bbox"]))
        expected[media, name, str(result["track_id"])].append(label)

    # What a list of results is, is told by the file with its images.
    found = labels_of(
        write(tmp_path / "results.json", results), None, annotations=write(tmp_path / "truth.json", truth)
    )

    assert found == expected


@pytest.mark.parametrize("seed", range(4))
def test_scalabel(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)

    def label(track: int, n: int) -> Json:
        if track == 0:
            return {"id": "0", "category": "tree", "box2d": None, "rle": random_rle(random), "score": None}
        box = {"x1": 1.5, "y1": track + 0.25, "x2": 2 + 3.0 * track, "y2": 9.5 + n}
        return {"id": str(track), "category": "car", "score": round(float(random.random()), 6), "box2d": box}

    frames: list[Json] = [
        {
            "name": f"v{video}-{n + 1:07}.jpg",
            "videoName": f"v{video}",
            **({"frameIndex": n} if random.random() < 0.5 else {}),
            "labels": [label(track, n) for track in range(3)] + [{"id": "9", "category": "car", "box3d": {}}],
        }
        for video in range(2)
        for n in range(FRAMES)
    ]
    random.shuffle(frames)
    expected = defaultdict(list)
    for frame in frames:
        for drawn in frame["labels"][:-1]:
            if "rle" in drawn:
                shape: bytes | tuple[float, ...] = decoded(drawn["rle"])
            else:
                # Both corners are pixels of the box.
                x1, y1, x2, y2 = (drawn["box2d"][corner] for corner in ("x1", "y1", "x2", "y2"))
                shape = (x1, y1, x2 - x1 + 1, y2 - y1 + 1)
            number = int(frame["name"][-11:-4]) - 1
            found = Label(frame["videoName"], number, drawn["category"], drawn["score"], shape)
            expected[found.media, found.name, drawn["id"]].append(found)

    path = write(tmp_path / "frames.json", frames)

    assert labels_of(path, "scalabel") == expected
    reader = _core.read(path, "label", None, "{}")
    assert len(list(reader)) > 0
    assert reader.counts["filtered_by_reason"] == {"box_3d": len(frames)}
