"""Mix-ups that `inspect` finds in seeded predictions, and right ones in which it finds none."""

from __future__ import annotations

import json
import math
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ropewalk import Medium, Snapshot, read

SEEDS = range(20)
SIZES = ((1920, 1080), (1280, 720), (640, 480), (720, 1280))

Row = dict[str, Any]


def project_of(random: random.Random) -> Snapshot:
    media = tuple(
        Medium(
            data_hash=str(uuid.UUID(int=random.getrandbits(128))),
            title=f"street-{n}.mp4",
            data_type="VIDEO",
            dataset_hash=str(uuid.UUID(int=1)),
            dataset_title="streets",
            width=size[0],
            height=size[1],
            number_of_frames=random.randint(120, 900),
            frames_per_second=random.choice((25.0, 30.0)),
        )
        for n, size in enumerate(random.choices(SIZES, k=random.randint(2, 8)))
    )
    objects = [
        {"featureNodeHash": name.ljust(8, "0"), "name": name, "shape": "bounding_box", "color": "#D33115"}
        for name in ("car", "person")
    ]
    structure = {"objects": objects, "classifications": []}
    return Snapshot(str(uuid.UUID(int=2)), "streets", "", str(uuid.UUID(int=3)), "", structure, media)


def rows_of(random: random.Random, project: Snapshot, *, base: int = 0, stride: int = 1) -> list[Row]:
    """Draw tracks on most frames of each video, every `stride`-th of which was predicted, counted from `base`."""
    rows = []
    for medium in project.media:
        assert medium.width and medium.height
        frames = range(-(-medium.number_of_frames // stride))
        # A model sees nothing on some frames; on the first and the last one there is something.
        seen = {0, len(frames) - 1, *random.sample(frames, int(len(frames) * random.uniform(0.7, 1.0)))}
        for frame in sorted(seen):
            for track in range(random.randint(1, 3)):
                w, h = random.uniform(0.02, 0.4) * medium.width, random.uniform(0.02, 0.4) * medium.height
                x, y = random.uniform(0, medium.width - w), random.uniform(0, medium.height - h)
                rows.append(
                    {
                        "media": medium.title,
                        "frame": frame + base,
                        "class": random.choice(("car", "person")),
                        "track": str(track),
                        "score": round(random.uniform(0.05, 1.0), 3),
                        "box": [round(value, 2) for value in (x, y, w, h)],
                        "unit": "px",
                    }
                )
    return rows


def right(random: random.Random, project: Snapshot) -> list[Row]:
    return rows_of(random, project)


def wrong_base(random: random.Random, project: Snapshot) -> list[Row]:
    return rows_of(random, project, base=1)


def wrong_stride(random: random.Random, project: Snapshot) -> list[Row]:
    return rows_of(random, project, stride=random.choice((2, 3, 5, 10)))


def wrong_base_and_stride(random: random.Random, project: Snapshot) -> list[Row]:
    return rows_of(random, project, base=1, stride=random.choice((2, 3, 5, 10)))


def fractions(random: random.Random, project: Snapshot) -> list[Row]:
    sizes = {medium.title: (medium.width or 1, medium.height or 1) for medium in project.media}
    rows = rows_of(random, project)
    for row in rows:
        row["box"] = [value / side for value, side in zip(row["box"], 2 * sizes[row["media"]], strict=True)]
    return rows


def corners(random: random.Random, project: Snapshot) -> list[Row]:
    rows = rows_of(random, project)
    for row in rows:
        x, y, w, h = row["box"]
        row["box"] = [x, y, x + w, y + h]
    return rows


def degrees(random: random.Random, project: Snapshot) -> list[Row]:
    return [row | {"theta": random.uniform(0, 180)} for row in rows_of(random, project)]


def radians(random: random.Random, project: Snapshot) -> list[Row]:
    return [row | {"theta": math.radians(row["theta"])} for row in degrees(random, project)]


def percent(random: random.Random, project: Snapshot) -> list[Row]:
    return [row | {"score": 100 * row["score"]} for row in rows_of(random, project)]


# How right predictions of each kind are made, beside the wrong ones: they bring no finding.
RIGHT = {"right": right, "degrees": degrees}

WRONG: dict[str, tuple[Callable[[random.Random, Snapshot], list[Row]], str]] = {
    "base": (wrong_base, "frames_outside"),
    "stride": (wrong_stride, "frame_stride"),
    "base_and_stride": (wrong_base_and_stride, "frame_stride"),
    "fractions": (fractions, "fractions_as_pixels"),
    "corners": (corners, "boxes_as_corners"),
    "radians": (radians, "angles_in_radians"),
    "percent": (percent, "scores_in_percent"),
}


def findings(tmp_path: Path, rows: list[Row], project: Snapshot | None, **options: Any) -> dict[str, str]:
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="ascii")
    return {finding.code: finding.message for finding in read(path, **options).inspect(project).findings}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_wrong_is_found_and_fixed_by_what_is_said(tmp_path: Path, kind: str, seed: int) -> None:
    make, code = WRONG[kind]
    random_ = random.Random(seed)
    project = project_of(random_)
    rows = make(random_, project)
    found = findings(tmp_path, rows, project)
    assert code in found, found
    given = {f"frame_{name}": int(value) for name, value in re.findall(r"frame_(base|stride) (\d+)", found[code])}
    assert bool(given) == code.startswith("frame")
    if given:
        # With the options that the finding names, nothing is left to be found.
        assert not findings(tmp_path, rows, project, **given)


@pytest.mark.parametrize("kind", [kind for kind, (_, code) in WRONG.items() if not code.startswith("frame")])
@pytest.mark.parametrize("seed", SEEDS)
def test_units_and_conventions_show_without_a_project(tmp_path: Path, kind: str, seed: int) -> None:
    make, code = WRONG[kind]
    random_ = random.Random(seed)
    assert list(findings(tmp_path, make(random_, project_of(random_)), None)) == [code]


@pytest.mark.parametrize("kind", RIGHT)
@pytest.mark.parametrize("with_project", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_right_brings_no_finding(tmp_path: Path, kind: str, with_project: bool, seed: int) -> None:
    random_ = random.Random(seed)
    project = project_of(random_)
    assert not findings(tmp_path, RIGHT[kind](random_, project), project if with_project else None)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stride_that_is_given_and_right_brings_no_finding(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    project = project_of(random_)
    stride = random_.choice((2, 3, 5, 10))
    rows = rows_of(random_, project, base=1, stride=stride)
    assert not findings(tmp_path, rows, project, frame_base=1, frame_stride=stride)


@pytest.mark.parametrize("seed", SEEDS)
def test_predictions_that_stop_early_bring_no_finding(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    project = project_of(random_)
    ends = {medium.title: random_.randint(medium.number_of_frames // 4, 999) for medium in project.media}
    rows = [row for row in rows_of(random_, project) if row["frame"] < ends[row["media"]]]
    assert not findings(tmp_path, rows, project)


def test_frames_sampled_by_time_name_a_stride_for_each_frame_rate(tmp_path: Path) -> None:
    random_ = random.Random(1)
    rates = dict(zip((medium.title for medium in project_of(random.Random(1)).media), (25.0, 30.0) * 4, strict=False))
    project = project_of(random_)
    media = tuple(replace(medium, frames_per_second=rates[medium.title]) for medium in project.media)
    rows = [
        row
        for medium in media
        for row in rows_of(random_, replace(project, media=(medium,)), stride=int(rates[medium.title] // 5))
    ]
    found = findings(tmp_path, rows, replace(project, media=media))
    assert "fit 5 frames a second" in found["frame_stride"]
    assert "frame_stride 5 for" in found["frame_stride"] and "frame_stride 6 for" in found["frame_stride"]
