"""Import, read back, verify and roll back with the installed SDK, whichever version it is.

`tools/test_wheel.py` runs this file with the oldest SDK that `pyproject.toml` allows and with the newest one. So it
uses only what all of them have, and its ontology is written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encord import Project
from encord.objects import LabelRowV2

from ropewalk import import_predictions, read_table, rle, rollback, verify_predictions
from ropewalk.emulator import EmulatorOptions, running_emulator
from ropewalk.errors import UsageError
from ropewalk.sinks.encord.client import open_project
from ropewalk.sinks.encord.versions import CHANGING_ANSWERS, OBJECT_NUMBERS, lack_of
from snapshots import make_image, make_image_group, make_snapshot, make_video

BRANCH = "any-sdk"
SHAPES = {
    "Car": "bounding_box",
    "Ship": "rotatable_bounding_box",
    "Road": "polygon",
    "Lane": "polyline",
    "Light": "point",
    "Tree": "bitmask",
    "Walker": "skeleton",
}
LINE = [0.125, 0.25, 0.5, 0.375, 0.25, 0.75]


def question(feature_hash: str, name: str, kind: str, *options: str, dynamic: bool = False) -> dict[str, Any]:
    return {
        "id": "1",
        "name": name,
        "type": kind,
        "required": False,
        "dynamic": dynamic,
        "featureNodeHash": feature_hash,
        "options": [
            {"id": f"1.{n}", "label": label, "value": label.lower(), "featureNodeHash": f"{feature_hash}-{n}"}
            for n, label in enumerate(options, 1)
        ],
    }


def ontology(*, changing: bool) -> dict[str, Any]:
    objects: list[dict[str, Any]] = [
        {"id": str(n), "name": name, "color": f"#00000{n}", "shape": shape, "featureNodeHash": f"obj-{name.lower()}"}
        for n, (name, shape) in enumerate(SHAPES.items(), 1)
    ]
    objects[0]["attributes"] = [question("moving", "Moving", "radio", "Yes", "No", dynamic=changing)]
    points = {
        str(n): {"x": 0.25 * n, "y": 0.5, "name": name, "color": "#d33115", "value": name, "featureHash": f"pt-{n}"}
        for n, name in enumerate(("nose", "hand", "foot"))
    }
    template = {"name": "Walker", "width": 100, "height": 50, "skeleton": points, "skeletonEdges": {}}
    weather = question("weather", "Weather", "radio", "Sunny", "Night")
    return {
        "objects": objects,
        "classifications": [{"id": "1", "featureNodeHash": "cls-weather", "attributes": [weather]}],
        "skeleton_templates": [{"template": template | {"shape": "skeleton", "feature_node_hash": "obj-walker"}}],
    }


def table(*, changing: bool) -> list[dict[str, Any]]:
    """Make a row of each shape, a track with an answer, and answers on a range and on an image."""

    def row(name: str, media: str, frame: int = 0, **more: Any) -> dict[str, Any]:
        return {"media": media, "frame": frame, "class": name, "score": 0.75, "shape": SHAPES.get(name), **more}

    pixels = np.zeros((50, 30), dtype=bool)
    pixels[10:40, 5:9] = pixels[35:40, 5:20] = True
    mask = {"rle": rle.encode(pixels), "rle_order": "row_major", "width_px": 30, "height_px": 50}

    def answer(name: str, value: str) -> list[dict[str, str]]:
        return [{"name": name, "value": value}]

    return [
        *(
            row(
                "Car",
                "drive.mp4",
                n,
                box=[0.125 * (n - 2), 0.25, 0.25, 0.5],
                track="7",
                attributes=answer("Moving", to),
            )
            for n, to in ((3, "Yes"), (4, "Yes"), (5, "No" if changing else "Yes"))
        ),
        row("Ship", "still.jpg", box=[0.125, 0.25, 0.375, 0.5], theta=12.5),
        row("Road", "still.jpg", points=[[LINE]]),
        row("Lane", "still.jpg", points=[[LINE]]),
        row("Light", "drive.mp4", 11, points=[[LINE[:2]]]),
        row("Tree", "still.jpg", **mask),
        row("Walker", "drive.mp4", 6, points=[[LINE]], visibility=[2, 1, 0]),
        row("Car", "walk-1.png", box=[0.25, 0.125, 0.25, 0.5]),
        row("Weather", "drive.mp4", 2, frame_last=8, attributes=answer("Weather", "Night")),
        row("Weather", "still.jpg", attributes=answer("Weather", "Sunny")),
    ]


@contextmanager
def opened(*, changing: bool) -> Iterator[Project]:
    """Open a project whose cars have an answer, which may change from frame to frame.

    Encord stores rows that an older SDK cannot open.
    """
    media = (make_video(), make_image(), make_image_group())
    options = EmulatorOptions(open_rows=False)
    with running_emulator(make_snapshot(media, ontology(changing=changing)), options=options) as running:
        yield open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url)


def read_back(rows: list[LabelRowV2]) -> set[Any]:
    """Read with the SDK: what is on which frames of which medium, with what confidence, and how it is answered."""
    found = set()
    for row in rows:
        if row.label_hash is None:
            continue
        row.initialise_labels()
        for item in row.get_object_instances():
            notes = item.get_annotations()
            frames = tuple(note.frame for note in notes)
            found.add((row.data_title, item.object_name, frames, *{note.confidence for note in notes}))
            for attribute in item.ontology_item.attributes:
                answer = item.get_answer(attribute)
                if not attribute.dynamic:
                    found.add((row.data_title, attribute.name, answer and answer.label))
                    continue
                for part in answer:
                    ranges = tuple((r.start, r.end) for r in part.ranges)
                    found.add((row.data_title, attribute.name, part.answer.label, ranges))
        for classification in row.get_classification_instances():
            frames = tuple(sorted(note.frame for note in classification.get_annotations()))
            found.add((row.data_title, classification.get_answer().label, frames))
    return found


def expected(*, changing: bool) -> set[Any]:
    moving = {("drive.mp4", "Moving", "Yes", ((3, 4),)), ("drive.mp4", "Moving", "No", ((5, 5),))}
    return (moving if changing else {("drive.mp4", "Moving", "Yes"), ("walk", "Moving", None)}) | {
        ("drive.mp4", "Car", (3, 4, 5), 0.75),
        ("still.jpg", "Ship", (0,), 0.75),
        ("still.jpg", "Road", (0,), 0.75),
        ("still.jpg", "Lane", (0,), 0.75),
        ("drive.mp4", "Light", (11,), 0.75),
        ("still.jpg", "Tree", (0,), 0.75),
        ("drive.mp4", "Walker", (6,), 0.75),
        ("walk", "Car", (1,), 0.75),
        ("drive.mp4", "Night", tuple(range(2, 9))),
        ("still.jpg", "Sunny", (0,)),
    }


@pytest.mark.parametrize("sdk_calls", [False, True])
def test_import_read_back_verify_and_roll_back(tmp_path: Path, sdk_calls: bool) -> None:
    changing = lack_of(CHANGING_ANSWERS) is None
    with opened(changing=changing) as project:
        predictions = read_table(table(changing=changing), unit="frac", source_label="table")
        report = import_predictions(predictions, project, branch=BRANCH, work_dir=tmp_path, sdk_calls=sdk_calls)
        lack = lack_of(OBJECT_NUMBERS) if sdk_calls else None
        notices = [] if lack is None else [f"tracks do not become the numbers of objects ({lack})"]
        assert (report.rejects_by_code, report.annotations_written, report.notices) == ({}, 12, notices)
        assert read_back(project.list_label_rows_v2(branch_name=BRANCH)) == expected(changing=changing)
        found = verify_predictions(predictions, project, branch=BRANCH, work_dir=tmp_path, sdk_calls=sdk_calls)
        assert (found.equal, found.exit_code, found.examples) == (12, 0, [])
        undone = rollback(project, branch=BRANCH, work_dir=tmp_path, confirm=lambda _: True, sdk_calls=sdk_calls)
        assert undone is not None and (undone.emptied, undone.exit_code) == (3, 0)
        assert read_back(project.list_label_rows_v2(branch_name=BRANCH)) == set()


def test_answers_that_this_sdk_cannot_read_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ropewalk.sinks.encord.versions.version", lambda _: "0.1.199")
    said = f"{CHANGING_ANSWERS}: the encord SDK 0.1.200 or later is needed, 0.1.199 is installed"
    with opened(changing=True) as project:
        predictions = read_table(table(changing=True), unit="frac", source_label="table")
        report = import_predictions(predictions, project, branch=BRANCH, work_dir=tmp_path)
        assert report.annotations_written == 12 and said in report.notices[0]
        with pytest.raises(UsageError, match=said):
            import_predictions(predictions, project, branch="other", work_dir=tmp_path, sdk_calls=True)
