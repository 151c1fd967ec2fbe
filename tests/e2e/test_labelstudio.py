"""Label Studio's JSON, imported and read back as what a plain reader of its published rules makes of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from encord import EncordUserClient, Project

import ropewalk
from ropewalk import _core
from ropewalk.emulator import running_emulator
from snapshots import make_format_project

Json = dict[str, Any]
HEIGHT, WIDTH = 23, 41
# The bits of a run's length, less one, by which Label Studio's own encoder chooses.
LENGTH_BITS = (3, 4, 8, 16)


def read(path: Path, **options: Any) -> tuple[list[Json], Any]:
    """Read a file by the core: its rows, and its reader for the counts."""
    reader = _core.read(path, "label", None, json.dumps(options))
    rows = [row for batch in reader for row in polars.DataFrame(batch).to_dicts()]
    return rows, reader


def write(path: Path, *tasks: Json) -> Path:
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def encoded(values: np.ndarray, random: np.random.Generator) -> list[int]:
    """Encode values by the rules of brush.py; runs may also be written value by value, as the editor does."""
    bits = f"{len(values):032b}{8 - 1:05b}" + "".join(f"{length - 1:04b}" for length in LENGTH_BITS)
    ends = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    for start, end in zip(ends, ends[1:], strict=False):
        while start < end:
            is_repeated = random.random() < 0.8
            most = 1 << LENGTH_BITS[-1] if is_repeated else 5
            length = min(end - start, most)
            which = next(at for at, width in enumerate(LENGTH_BITS) if length <= 1 << width)
            bits += f"{int(is_repeated)}{which:02b}{length - 1:0{LENGTH_BITS[which]}b}"
            bits += f"{int(values[start]):08b}" * (1 if is_repeated else length)
            start += length
    bits += "0" * (-len(bits) % 8)
    return [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]


@pytest.mark.parametrize("seed", range(8))
def test_brushes_are_masks_of_their_opacity(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    image = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for _ in range(random.integers(0, 6)):
        y, x = random.integers(0, HEIGHT), random.integers(0, WIDTH)
        image[y : y + random.integers(1, 9), x : x + random.integers(1, 20)] = random.integers(0, 256, 4)
    rle = encoded(image.reshape(-1), random)
    value = {"format": "rle", "rle": rle, "brushlabels": ["Tree"]}
    region = {"type": "brushlabels", "original_width": WIDTH, "original_height": HEIGHT, "value": value}
    task = {"data": {"image": "a.png"}, "predictions": [{"result": [region]}]}

    ((row,), _) = read(write(tmp_path / "tasks.json", task))

    assert row["rle_order"] == "row_major"
    size = (row["height_px"], row["width_px"])
    assert size == (HEIGHT, WIDTH)
    found = ropewalk.rle.decode(row["rle"].decode(), size)
    assert (np.asarray(found) == (image[:, :, 3] > 0)).all()


def in_between(sequence: list[Json], frames: int) -> dict[int, list[float]]:
    """Fill a sequence by the rules of the SDK's postprocessing/video.py: x, y, width, height, rotation by frame."""
    names = ("x", "y", "width", "height", "rotation")
    keyframes = sorted(sequence, key=lambda keyframe: keyframe["frame"])
    found = {keyframe["frame"]: [float(keyframe[name]) for name in names] for keyframe in keyframes}
    for one, other in zip(keyframes, [*keyframes[1:], None], strict=True):
        if not one["enabled"]:
            continue
        last = frames if other is None else other["frame"] - 1
        for frame in range(one["frame"] + 1, last + 1):
            to = one if other is None else other
            share = 0.0 if other is None else (frame - one["frame"]) / (other["frame"] - one["frame"])
            found[frame] = [one[name] + (to[name] - one[name]) * share for name in names]
    return found


def corners(x: float, y: float, w: float, h: float, theta: float) -> np.ndarray:
    """Give the corners of a box that is turned about its first one, in px of the image."""
    sides = np.array([[0, 0], [w, 0], [w, h], [0, h]]) * (WIDTH / 100, HEIGHT / 100)
    return turned(sides, theta) + (x * WIDTH / 100, y * HEIGHT / 100)


def turned(points: np.ndarray, theta: float) -> np.ndarray:
    sin, cos = math.sin(math.radians(theta)), math.cos(math.radians(theta))
    found: np.ndarray = points @ np.array([[cos, sin], [-sin, cos]])
    return found


@pytest.mark.parametrize("seed", range(8))
def test_video_regions_are_filled_as_the_sdk_fills_them(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    frames = 40
    sequences = {}
    for track in "abc":
        at = random.permutation(np.arange(1, frames + 1))[: random.integers(1, 6)]
        sequences[track] = [
            {
                "frame": int(frame),
                "enabled": bool(random.random() < 0.7),
                "time": float(frame) / 24,
                **{name: round(float(random.random() * 50), 3) for name in ("x", "y", "width", "height")},
                "rotation": round(float(random.random() * 300 - 150), 2),
            }
            for frame in at
        ]
    result = [
        {
            "id": track,
            "type": "videorectangle",
            "original_width": WIDTH,
            "original_height": HEIGHT,
            "value": {"framesCount": frames, "sequence": sequence, "labels": ["Ship"]},
        }
        for track, sequence in sequences.items()
    ]
    task = {"data": {"video": "s3://bucket/v.mp4"}, "predictions": [{"score": 0.5, "result": result}]}

    rows, reader = read(write(tmp_path / "tasks.json", task))

    assert reader.counts["rejected"] == 0
    expected = {(t, f): box for t, sequence in sequences.items() for f, box in in_between(sequence, frames).items()}
    assert {(row["track"], row["frame"]) for row in rows} == set(expected)
    assert len(rows) == len(expected)
    for row in rows:
        x, y, w, h = np.array(row["box"]) * (WIDTH, HEIGHT, WIDTH, HEIGHT)
        centre = np.array([x + w / 2, y + h / 2])
        sides = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2
        wanted = corners(*expected[row["track"], row["frame"]])
        assert np.allclose(turned(sides, row["theta"]) + centre, wanted, atol=1e-9)
        assert row["score"] == 0.5


def test_one_model_is_read_and_people_are_left_out(tmp_path: Path) -> None:
    value = {"x": 1, "y": 2, "width": 30, "height": 40, "rectanglelabels": ["Car"]}
    region = {"type": "rectanglelabels", "value": value}
    predictions = [
        {"model_version": "m1", "result": [region]},
        {"model_version": "m2", "result": [region, region]},
        {"result": [region]},
    ]
    task = {
        "data": {"image": "a.png"},
        "annotations": [{"result": [region, region]}, {"result": []}],
        "predictions": predictions,
    }
    path = write(tmp_path / "tasks.json", task)

    rows, reader = read(path)
    assert (len(rows), reader.counts["filtered_by_reason"]) == (4, {"human_annotation": 2})
    rows, reader = read(path, model_version="m2")
    assert (len(rows), reader.counts["filtered_by_reason"]) == (2, {"human_annotation": 2, "model_version": 2})


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running_emulator(make_format_project()) as emulator:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
        )
        yield client.get_project(emulator.project_hash)


def run(path: Path, project: Project, branch: str, folder: Path) -> ropewalk.Report:
    return ropewalk.import_predictions(
        [path], project, branch=branch, work_dir=folder / "work", rejects=folder / f"{branch}.ndjson"
    )


def test_uploads_are_found_without_their_prefix(project: Project, tmp_path: Path) -> None:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["Car"]}
    tasks = [
        {
            "data": {"image": url},
            "predictions": [{"score": score, "result": [{"type": "rectanglelabels", "value": value}]}],
        }
        for url, score in (
            ("/data/upload/3/0a1b2c3d-still.jpg", 0.25),
            ("https://host/data/upload/3/deadbeef-still.jpg?token=1", 0.5),
            # Not eight digits.
            ("/data/upload/3/abc-still.jpg", 0.75),
        )
    ]
    report = run(write(tmp_path / "tasks.json", *tasks), project, "uploads", tmp_path)
    assert (report.annotations_written, report.rejects_by_code) == (2, {"unknown_media": 1})


def test_a_region_without_an_end_costs_no_more_than_the_longest_medium(project: Project, tmp_path: Path) -> None:
    keyframe = {"frame": 3, "enabled": True, "x": 1, "y": 2, "width": 30, "height": 40, "rotation": 0}
    value = {"framesCount": 4_000_000, "sequence": [keyframe], "labels": ["Car"]}
    region = {"id": "t", "type": "videorectangle", "value": value}
    task = {"data": {"video": "drive.mp4"}, "predictions": [{"result": [region]}]}
    report = run(write(tmp_path / "tasks.json", task), project, "endless", tmp_path)
    # Frames 3 to 12 of 12, counted from 1, and one reject for those behind.
    assert (report.annotations_written, report.rejects_by_code) == (10, {"frame_range": 1})
