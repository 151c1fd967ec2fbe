"""The plan of an import: what it says of classes, media and rejects, where it is shown, and what a dry run leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from encord import Project

from ropewalk.cli.plan import show_plan
from ropewalk.errors import BlockerError, UsageError
from ropewalk.importing.plan_page import plan_page
from ropewalk.importing.planned import ImportPlan, PlannedMedium
from ropewalk.importing.run import import_predictions
from ropewalk.project.web import hash_in_address, is_hash, project_page
from small_imports import BOX, OTHER_BOX, objects_by_title
from snapshots import hash_of, make_image, make_snapshot, make_video

POLYGON = [[4, 4, 20, 4, 20, 12, 4, 12]]


def document() -> dict[str, Any]:
    """Two boxes of one track and a polygon, each as two classes; one box off the video, one of an unknown class."""
    names = ("Car", "Road", "Tree", "Bike")
    boxes = [
        {"image_id": 1, "category_id": 0, "bbox": [1, 2, 8, 4], "track_id": 7},
        {"image_id": 2, "category_id": 0, "bbox": [2, 2, 80, 4], "track_id": 7},
        {"image_id": 1, "category_id": 0, "segmentation": POLYGON},
        {"image_id": 1, "category_id": 1, "segmentation": POLYGON, "bbox": [4, 4, 16, 8]},
        {"image_id": 3, "category_id": 2, "segmentation": POLYGON},
        {"image_id": 4, "category_id": 0, "bbox": [1, 2, 8, 4]},
        {"image_id": 3, "category_id": 3, "bbox": [1, 2, 8, 4]},
    ]
    return {
        "images": [
            *({"id": n + 1, "file_name": "drive.mp4", "frame_index": n} for n in range(2)),
            {"id": 3, "file_name": "shots/still.jpg"},
            {"id": 4, "file_name": "drive.mp4", "frame_index": 12},
        ],
        "categories": [{"id": n, "name": name} for n, name in enumerate(names)],
        "annotations": [{"id": n, "score": 0.5} | box for n, box in enumerate(boxes, 1)],
    }


@pytest.fixture
def plan(tmp_path: Path) -> ImportPlan:
    project = make_snapshot(media=(make_video(), make_image("still.jpg")))
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(document()))
    report = import_predictions(path, project, branch="b", dry_run=True, work_dir=tmp_path / "work", source_label="s")
    assert report.plan is not None
    return report.plan


def test_a_plan_tells_what_each_class_becomes_and_of_what_it_is_made(plan: ImportPlan) -> None:
    found = {(c.name, c.made_from): (c.becomes, c.shape, c.annotations, c.warnings) for c in plan.classes}
    assert found == {
        ("Car", "box"): ("Car", "bounding_box", 2, {"clipped": 1}),
        ("Car", "polygon"): ("Car", "bounding_box", 1, {"drawn_as_box": 1}),
        ("Road", "polygon"): ("Road", "polygon", 1, {}),
        ("Tree", "polygon"): ("Tree", "bitmask", 1, {}),
    }
    assert plan.classes[0].feature_hash == "obj-car1"


def test_a_plan_tells_what_each_medium_becomes_and_by_which_rule(plan: ImportPlan) -> None:
    drive, still = plan.media
    assert replace(drive, len_bytes=0) == PlannedMedium(
        "drive.mp4", 1, "drive.mp4", hash_of("drive.mp4"), "title", 2, 4, 1, 0, False
    )
    assert (still.name, still.title, still.rule) == ("shots/still.jpg", "still.jpg", "base_name")
    assert (still.frames, still.annotations, still.tracks) == (1, 1, 0)
    assert drive.len_bytes > still.len_bytes > 500
    assert (plan.annotations_read, plan.annotations_planned) == (7, 5)


def test_a_plan_has_one_example_for_each_reason(plan: ImportPlan) -> None:
    found = {reject.code: reject for reject in plan.rejects}
    assert {code: (reject.annotations, reject.place) for code, reject in found.items()} == {
        "frame_range": (1, "s, annotation 6"),
        "unknown_class": (1, "s, annotation 7"),
    }
    assert '"Bike"' in found["unknown_class"].message
    assert [entry.name for entry in plan.unresolved_classes] == ["Bike"]
    assert "--off-image" in {warning.name: warning.note for warning in plan.warnings}["clipped"]


def test_the_page_escapes_what_comes_from_the_source_and_names_no_address(plan: ImportPlan) -> None:
    hostile = "</td><script>alert(1)</script>"
    plan.project_title = hostile
    plan.classes[0] = replace(plan.classes[0], name=hostile, becomes=hostile)
    plan.media[0] = replace(plan.media[0], name=hostile, title=hostile)
    plan.rejects[0] = replace(plan.rejects[0], message=hostile, place=hostile)
    text = plan_page(plan)
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 7
    assert not re.findall(r"https?://", text)


def test_many_media_are_folded_on_the_terminal_and_whole_on_the_page(
    plan: ImportPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.media = [replace(plan.media[0], title=f"clip-{n}.mp4", annotations=3) for n in range(1_020)]
    show_plan(plan)
    out = capsys.readouterr().out
    assert out.count("clip-") == 20
    assert "and 1,000 more label rows with 3,000 annotations; --plan FILE.html and --report list all of them" in out
    assert plan_page(plan).count("clip-") == 1_020


def test_a_dry_run_leaves_no_file_and_never_says_that_it_sends(tmp_path: Path) -> None:
    phases = []

    class Phases:
        def start(self, phase: str, total: int, unit: str) -> None:
            phases.append((phase, total, unit))

        def update(self, done: int) -> None: ...
        def end(self) -> None: ...

    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(document()))
    project = make_snapshot(media=(make_video(), make_image("still.jpg")))
    for _ in range(2):
        report = import_predictions(
            path, project, branch="b", dry_run=True, work_dir=tmp_path / "work", progress=Phases()
        )
    assert (report.annotations_rejected, report.rejects_file) == (2, None)
    assert [file.name for file in (tmp_path / "work").iterdir()] == ["stage.lock"]
    assert phases[2] == ("checking", 5, "annotations")
    assert "sending" not in {phase for phase, _, _ in phases}
    import_predictions(
        path, project, branch="b", dry_run=True, work_dir=tmp_path / "work", rejects=tmp_path / "asked.ndjson"
    )
    assert len((tmp_path / "asked.ndjson").read_text().splitlines()) == 2


def test_nothing_is_sent_without_consent(run: Callable[..., Any], project: Project) -> None:
    asked: list[ImportPlan] = []

    def refuse(plan: ImportPlan) -> bool:
        asked.append(plan)
        return False

    with pytest.raises(BlockerError, match="not confirmed; nothing was sent"):
        run({"drive.mp4": [BOX, OTHER_BOX], "still.jpg": [BOX]}, confirm=refuse)
    with pytest.raises(UsageError, match="no branch named pred-1"):
        objects_by_title(project, "pred-1")
    assert [(m.title, m.annotations, m.exists) for m in asked[0].media] == [
        ("drive.mp4", 2, False),
        ("still.jpg", 1, False),
    ]
    report = run({"drive.mp4": [BOX, OTHER_BOX], "still.jpg": [BOX]}, confirm=lambda plan: True)
    assert (report.annotations_written, report.plan) == (3, None)
    assert report.project_title == asked[0].project_title != ""
    again = run({"drive.mp4": [BOX]}, dry_run=True, on_existing="merge")
    assert [(m.title, m.exists) for m in again.plan.media] == [("drive.mp4", True)]


def test_the_page_of_a_project_is_known_for_the_domains_of_encord() -> None:
    project_hash = "046550d1-13fe-4052-ac99-e6a2d84f9b72"
    page = f"https://app.encord.com/projects/view/{project_hash}/summary"
    assert project_page("https://api.encord.com", project_hash) == page
    assert project_page("https://api.us.encord.com/", project_hash) == page.replace("app.", "app.us.")
    assert project_page("http://127.0.0.1:8000", project_hash) is None
    assert (hash_in_address(page), hash_in_address(project_hash), hash_in_address("https://x/y")) == (
        project_hash,
        None,
        None,
    )
    assert is_hash(project_hash) and not is_hash(page)
