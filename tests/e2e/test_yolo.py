"""YOLO text of each task, written by the rule of Ultralytics' `save_txt`, imported and read back with the SDK.

Supervision's reader of YOLO text is asked what the same lines are, where it is installed.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from encord import Project
from encord.objects.coordinates import Visibility

import ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.errors import UsageError
from ropewalk.sinks.encord.client import open_project
from snapshots import make_format_project
from test_producers import TOOLS
from workbench import check_sums

# (width, height) of what is predicted on, by stem; none is square.
SIZES = {"still": (30, 50), "walk-0": (40, 24), "drive": (64, 36)}
NAMES = ["Person", "Car", "Road", "Ship", "Walker"]
CAR, ROAD, SHIP, WALKER = range(1, 5)
# Six digits of a fraction, in px of the longest side.
ROUNDING = 1e-4

Json = dict[str, Any]

SUPERVISION = """
import json, sys
from supervision.dataset.formats.yolo import yolo_annotations_to_detections
asked = json.load(sys.stdin)
found = yolo_annotations_to_detections(asked["lines"], tuple(asked["size"]), with_masks=False, is_obb=asked["is_obb"])
corners = found.data.get("xyxyxyxy")
print(json.dumps({"xyxy": found.xyxy.tolist(), "corners": None if corners is None else corners.tolist()}))
"""


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running_emulator(make_format_project()) as emulator:
        yield open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)


def line_of(cls: int, drawn: Sequence[float], *extra: float) -> str:
    """Write a line as Ultralytics does."""
    values = (cls, *drawn, *extra)
    return ("%g " * len(values)).rstrip() % values


def fractions(points: Sequence[float], stem: str) -> list[float]:
    """Divide x, y, x, y, ... in px by the sides of the image."""
    width, height = SIZES[stem]
    return [value / (height if at % 2 else width) for at, value in enumerate(points)]


def stored(lines: dict[str, list[str]], project: Project, branch: str, folder: Path, **options: Any) -> list[Json]:
    """Import lines by the names of their files, and read all objects in the order of their confidences."""
    labels = folder / "labels"
    labels.mkdir()
    for name, texts in lines.items():
        (labels / f"{name}.txt").write_text("".join(text + "\n" for text in texts))
    report = ropewalk.import_predictions(
        labels, project, branch=branch, format="yolo", classes=NAMES, work_dir=folder / "work", **options
    )
    check_sums(report)
    assert report.exit_code == 0, report
    found = []
    for row in project.list_label_rows_v2(branch_name=branch):
        if row.label_hash is None:
            continue
        row.initialise_labels()
        for item in row.get_object_instances():
            for annotation in item.get_annotations():
                found.append(
                    {
                        "medium": Path(row.data_title).stem,
                        "class": item.object_name,
                        "frame": annotation.frame,
                        "score": annotation.confidence,
                        "frames": len(item.get_annotations()),
                        "drawn": annotation.coordinates,
                    }
                )
    return sorted(found, key=lambda row: row["score"])


def supervision_reads(lines: list[str], stem: str, *, is_obb: bool = False) -> Json:
    """Ask supervision what lines are, in px."""
    asked = json.dumps({"lines": lines, "size": SIZES[stem], "is_obb": is_obb})
    done = subprocess.run([TOOLS, "-c", SUPERVISION], input=asked, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    answer: Json = json.loads(done.stdout)
    return answer


def near(found: Sequence[float], expected: Sequence[float], within: float = 64 * ROUNDING) -> bool:
    return len(found) == len(expected) and all(abs(a - b) <= within for a, b in zip(found, expected, strict=True))


def in_px(box: Any, stem: str) -> list[float]:
    width, height = SIZES[stem]
    return [box.top_left_x * width, box.top_left_y * height, box.width * width, box.height * height]


@pytest.mark.skipif(not TOOLS.exists(), reason="`make test` installs the tools")
def test_boxes_are_those_that_supervision_reads(project: Project, tmp_path: Path) -> None:
    source = random.Random(3)
    lines = []
    for number in range(1, 21):
        w, h = source.uniform(0.05, 0.5), source.uniform(0.05, 0.5)
        centre = (source.uniform(w / 2, 1 - w / 2), source.uniform(h / 2, 1 - h / 2))
        lines.append(line_of(CAR, (*centre, w, h), number / 32))
    expected = supervision_reads(lines, "still")["xyxy"]
    found = stored({"still": lines}, project, "yolo-boxes", tmp_path, yolo_extra="conf")
    assert [row["score"] for row in found] == [number / 32 for number in range(1, 21)]
    for row, (left, top, right, bottom) in zip(found, expected, strict=True):
        assert near(in_px(row["drawn"], "still"), (left, top, right - left, bottom - top))


@pytest.mark.skipif(not TOOLS.exists(), reason="`make test` installs the tools")
def test_turned_boxes_have_the_angle_that_they_have_in_pixels(project: Project, tmp_path: Path) -> None:
    """Corners come in Ultralytics' order: bottom right, top right, top left, bottom left of the box before it turns."""
    boxes = [(15.0, 25.0, 12.0, 5.0, 30.0), (14.0, 20.0, 4.0, 16.0, 75.0), (16.0, 30.0, 10.0, 6.0, 0.0)]
    lines, corners = [], []
    for cx, cy, w, h, degrees in boxes:
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        offsets = [(w / 2, h / 2), (w / 2, -h / 2), (-w / 2, -h / 2), (-w / 2, h / 2)]
        corners.append([(cx + x * cos - y * sin, cy + x * sin + y * cos) for x, y in offsets])
        flat = [value for corner in corners[-1] for value in corner]
        lines.append(line_of(SHIP, fractions(flat, "still")))
    read = supervision_reads(lines, "still", is_obb=True)["corners"]
    for theirs, ours in zip(read, corners, strict=True):
        assert all(near(one, other) for one, other in zip(theirs, ours, strict=True))
    scored = [f"{line} {number / 4:g}" for number, line in enumerate(lines, start=1)]
    found = stored({"still": scored}, project, "yolo-obb", tmp_path, yolo_task="obb", yolo_extra="conf")
    for row, (cx, cy, w, h, degrees) in zip(found, boxes, strict=True):
        assert near(in_px(row["drawn"], "still"), (cx - w / 2, cy - h / 2, w, h))
        assert abs(row["drawn"].theta - degrees) < 0.01


def test_polygons_of_tracks_on_frames(project: Project, tmp_path: Path) -> None:
    rings = [[3, 4, 15, 4, 15, 8, 9, 8, 9, 30, 3, 30], [20, 2, 60, 9, 41, 31]]
    lines = {
        # A tracker that follows nothing yet writes no track.
        "drive_1": [line_of(ROAD, fractions(rings[1], "drive"), 0.125)],
        "drive_2": [line_of(ROAD, fractions(rings[0], "drive"), 0.25, 7)],
        "drive_12": [line_of(ROAD, fractions(rings[1], "drive"), 0.5, 7), "2 0.75 8"],
        "walk-0": [line_of(ROAD, fractions([1, 2, 38, 3, 9, 21], "walk-0"), 0.75, 7)],
    }
    options = {"yolo_task": "segment", "yolo_extra": "conf,track"}
    found = stored(lines, project, "yolo-segments", tmp_path, **options)
    assert [(row["medium"], row["frame"], row["frames"]) for row in found] == [
        ("drive", 0, 1),
        ("drive", 1, 2),
        ("drive", 11, 2),
        ("walk", 0, 1),
    ]
    expected = [(rings[1], "drive"), (rings[0], "drive"), (rings[1], "drive"), ([1, 2, 38, 3, 9, 21], "walk-0")]
    for row, (ring, stem) in zip(found, expected, strict=True):
        points = [value for point in row["drawn"].values for value in (point.x, point.y)]
        assert near(points, fractions(ring, stem), 1e-6)


@pytest.mark.parametrize("keypoints", ["xy", "xyv"])
def test_keypoints(project: Project, tmp_path: Path, keypoints: str) -> None:
    points = [(10.0, 5.0), (14.5, 18.0), (0.0, 0.0)]
    flat = []
    for (x, y), confidence in zip(points, (0.9, 0.25, 0.125), strict=True):
        flat += [x / 30, y / 50] + ([confidence] if keypoints == "xyv" else [])
    lines = [line_of(WALKER, (0.4, 0.3, 0.25, 0.5, *flat), 0.5)]
    options = {"yolo_task": "pose", "yolo_extra": "conf", "yolo_keypoints": keypoints}
    (found,) = stored({"still": lines}, project, f"yolo-pose-{keypoints}", tmp_path, **options)
    seen = {point.name: (point.x, point.y, point.visibility) for point in found["drawn"].values}
    assert near(seen["nose"][:2], (10 / 30, 5 / 50), 1e-6)
    assert near(seen["hand"][:2], (14.5 / 30, 18 / 50), 1e-6)
    assert [seen[name][2] for name in ("nose", "hand", "foot")] == [Visibility.VISIBLE] * 2 + [Visibility.INVISIBLE]


def test_a_name_of_an_image_comes_before_a_video(project: Project, tmp_path: Path) -> None:
    """`walk_1` is not a title, so that it is a frame of `walk`, an image group; `walk-1` is one of its images."""
    box = "1 0.5 0.5 0.25 0.5"
    found = stored(
        {"drive_03": [], "drive_3": [f"{box} 0.25"], "walk-1": [f"{box} 0.5"]},
        project,
        "yolo-names",
        tmp_path,
        yolo_extra="conf",
    )
    assert [(row["medium"], row["frame"]) for row in found] == [("drive", 2), ("walk", 1)]


def test_classes_without_names_are_refused_unless_they_are_mapped(project: Project, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "still.txt").write_text("1 0.5 0.5 0.25 0.5\n")
    common: Json = {"format": "yolo", "work_dir": tmp_path / "work"}
    with pytest.raises(UsageError, match="its classes are numbers, .* give .*classes"):
        ropewalk.import_predictions(labels, project, branch="yolo-unnamed", **common)
    mapped = ropewalk.import_predictions(labels, project, branch="yolo-mapped", class_map={"1": "obj-car1"}, **common)
    assert mapped.annotations_written == 1
    # Numbers in the map count before the names in a file.
    (tmp_path / "data.yaml").write_text("names: [Road, Person]\n")
    again = ropewalk.import_predictions(labels, project, branch="yolo-both", class_map={"1": "obj-car1"}, **common)
    assert again.annotations_written == 1


def test_lines_of_a_second_run_are_counted_and_kept(tmp_path: Path) -> None:
    """Each file by itself: two images may have the same line."""
    first, second = "0 0.5 0.5 0.25 0.125\n", "1 0.5 0.5 0.25 0.125\n"
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text((first + second) * 2 + first)
    (labels / "b.txt").write_text(first + second + "word\nword\n")
    opened = ropewalk.read(labels, format="yolo", classes=["Car", "Person"]).open()
    assert (sum(map(len, opened)), len(opened.rejects)) == (7, 2)
    assert opened.counts["warnings"] == {"repeated_line": 4}
