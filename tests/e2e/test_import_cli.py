"""The main job through the command line: COCO files onto branches of an emulated project, read back with the SDK."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars
import pytest
from encord import Project
from encord.objects.coordinates import BoundingBoxCoordinates
from typer.testing import CliRunner

import ropewalk
from coco_files import CAR, FIRST_FRAME_ID, ROAD, STILL_ID, TREE, box, document, tracked_video
from ropewalk import _core
from ropewalk.cli.commands import app
from ropewalk.emulator import RunningEmulator
from ropewalk.project.live import snapshot_from_project
from ropewalk.project.snapshot import write_snapshot
from ropewalk.reading.tables import read_table

STILL_BOX = [3, 5, 6, 25]
# A mask of the still's size (50, 30): COCO's column-major runs, one column of 10 px.
STILL_COUNTS = [55, 10, 1435]


@dataclass
class Result:
    """Exit code, report and output of a run."""

    code: int
    report: dict[str, Any]
    output: str

    @property
    def sums_hold(self) -> bool:
        parts = ("written", "rejected", "filtered", "already_there", "not_sent")
        return self.report["annotations_read"] == sum(self.report[f"annotations_{part}"] for part in parts)


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def environment(emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORD_DOMAIN", emulator.url)
    monkeypatch.setenv("ENCORD_SSH_KEY_FILE", str(emulator.ssh_key_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(emulator: RunningEmulator) -> Run:
    def run(content: Any, *options: str, branch: str = "pred-1") -> Result:
        source = Path("predictions.json")
        if isinstance(content, bytes):
            source.write_bytes(content)
        else:
            source.write_text(json.dumps(content))
        Path("report.json").unlink(missing_ok=True)
        arguments = ["import", str(source), "--branch", branch, "--report", "report.json", *options]
        if "--project-file" not in options:
            arguments += ["--project", emulator.project_hash]
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        report = json.loads(Path("report.json").read_text()) if Path("report.json").exists() else {}
        return Result(result.exit_code, report, result.output)

    return run


def shown(project: Project, branch: str) -> dict[str, dict[str, Any]]:
    result = CliRunner().invoke(app, ["show", "--project", project.project_hash, "--branch", branch, "--json"])
    assert result.exit_code == 0, result.output
    units = json.loads(result.output)["branches"].get(branch, [])
    return {unit["data_title"]: unit for unit in units if unit["objects"]}


def rejects() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(".ropewalk/rejects-pred-1.ndjson").read_text().splitlines()]


def rows_on(project: Project, branch: str) -> list[str]:
    return [row.data_title for row in project.list_label_rows_v2(branch_name=branch) if row.label_hash is not None]


def test_all_written_and_read_back_with_the_sdk(run: Run, project: Project) -> None:
    result = run(document(tracked_video()))
    assert (result.code, result.report["annotations_written"], result.report["label_rows_saved"]) == (0, 8, 3)
    assert result.sums_hold

    units = shown(project, "pred-1")
    assert {title: (unit["objects"], unit["frames"]) for title, unit in units.items()} == {
        "drive.mp4": (2, 3),
        "still.jpg": (1, 1),
        "walk-0.png": (1, 1),
    }
    (still,) = (row for row in project.list_label_rows_v2(branch_name="pred-1") if row.data_title == "still.jpg")
    still.initialise_labels()
    (instance,) = still.get_object_instances()
    (annotation,) = instance.get_annotations()
    assert annotation.coordinates == BoundingBoxCoordinates(
        height=25 / 50, width=6 / 30, top_left_x=3 / 30, top_left_y=5 / 50
    )
    assert (annotation.confidence, annotation.manual_annotation) == (0.5, False)


def test_a_finished_import_run_again_saves_nothing(run: Run) -> None:
    run(document(tracked_video()))
    again = run(document(tracked_video()))
    assert (again.code, again.report["annotations_already_there"]) == (0, 8)
    assert (again.report["label_rows_saved"], again.report["bytes_sent"]) == (0, 0)


def test_existing_rows_by_policy(run: Run, project: Project) -> None:
    run(document([box(1, STILL_ID, STILL_BOX)]))
    other = document([box(1, STILL_ID, [1, 2, 3, 4]), box(2, FIRST_FRAME_ID, [5, 6, 7, 8])])
    refused = run(other)
    assert (refused.code, refused.report["annotations_not_sent"], "still.jpg" in refused.output) == (1, 2, True)
    assert refused.sums_hold
    assert rows_on(project, "pred-1") == ["still.jpg"]

    merged = run(other, "--on-existing", "merge")
    assert (merged.code, merged.report["label_rows_saved"], shown(project, "pred-1")["still.jpg"]["objects"]) == (
        0,
        2,
        2,
    )
    assert run(other, "--on-existing", "merge").report["label_rows_saved"] == 0
    replaced = run(other, "--on-existing", "replace")
    assert (replaced.code, replaced.report["label_rows_saved"]) == (0, 1)
    assert shown(project, "pred-1")["still.jpg"]["objects"] == 1
    assert run(other, "--on-existing", "replace").report["label_rows_saved"] == 0

    run(document([box(1, STILL_ID, STILL_BOX)]), branch="pred-2")
    skipped = run(other, "--on-existing", "skip", branch="pred-2")
    assert (skipped.code, skipped.report["filtered_by_reason"]) == (0, {"existing_row_skipped": 1})
    assert skipped.sums_hold


def segmentation(counts: Any, size: Any = (50, 30)) -> dict[str, Any]:
    return {"category_id": TREE, "segmentation": {"size": list(size), "counts": counts}}


BAD = {
    "NaN": ({"bbox": [float("nan"), 1, 2, 3]}, {"not_finite"}),
    "infinity": ({"bbox": [1, 1, float("inf"), 3]}, {"not_finite"}),
    "score above one": ({"score": 1.7}, {"score_range"}),
    "score as text": ({"score": "high"}, {"bad_field"}),
    "unknown category": ({"category_id": 77}, {"unknown_category"}),
    "class not in the ontology": ({"category_id": 9}, {"unknown_class"}),
    "unknown image": ({"image_id": 777}, {"unknown_image"}),
    "frame past the end": ({"image_id": FIRST_FRAME_ID + 12}, {"frame_range"}),
    "negative box": ({"bbox": [5, 5, -2, 3]}, {"negative_box"}),
    "box of three": ({"bbox": [5, 5, 2]}, {"bad_field"}),
    "box null": ({"bbox": None}, {"missing_field", "no_geometry"}),
    "odd polygon": ({"category_id": ROAD, "segmentation": [[1, 1, 2, 2, 3, 1, 4]]}, {"bad_polygon"}),
    "polygon of two points": ({"category_id": ROAD, "segmentation": [[1, 1, 2, 2]]}, {"bad_polygon"}),
    "RLE of a wrong sum": (segmentation([55, 10, 1434]), {"rle_sum"}),
    "RLE of another size": (segmentation([55, 10, 1435], (30, 50)), {"mask_size"}),
    "RLE of a wrong alphabet": (segmentation("g1:d\u007f1"), {"rle_alphabet"}),
    "RLE that ends inside a number": (segmentation("g1:o"), {"rle_truncated"}),
    "RLE with a negative run": (segmentation([55, -10, 1455]), {"rle_negative", "bad_field"}),
    "RLE of a vast size": (segmentation([2**80], (2**40, 2**40)), {"rle_size", "bad_field", "mask_size"}),
}


@pytest.mark.parametrize(("changes", "codes"), BAD.values(), ids=BAD.keys())
def test_a_bad_annotation_is_rejected_with_its_place(
    run: Run, project: Project, changes: dict[str, Any], codes: set[str]
) -> None:
    bad = box(1234, STILL_ID, STILL_BOX) | changes
    content = document([box(1, STILL_ID, STILL_BOX), bad, box(2, FIRST_FRAME_ID, [5, 6, 7, 8])])
    result = run(content)
    assert (result.code, result.report["annotations_written"], result.report["annotations_rejected"]) == (3, 2, 1)
    assert result.sums_hold
    assert set(result.report["rejects_by_code"]) <= codes
    (reject,) = rejects()
    assert (reject["source"], str(reject["annotation_id"])) == (f"{Path.cwd().name}/predictions.json", "1234")
    text = Path("predictions.json").read_text()
    assert text[reject["byte"] :].startswith('{"id": 1234')
    assert sorted(shown(project, "pred-1")) == ["drive.mp4", "still.jpg"]


def test_masks_and_polygons(run: Run, project: Project) -> None:
    content = document(
        [
            box(1, STILL_ID, STILL_BOX) | segmentation(STILL_COUNTS),
            box(2, STILL_ID, STILL_BOX)
            | {"category_id": ROAD, "segmentation": [[3, 5, 9, 5, 9, 30], [1, 1, 2, 1, 2, 9]]},
        ]
    )
    assert run(content).code == 0
    assert shown(project, "pred-1")["still.jpg"]["classes"] == {"Road": 1, "Tree": 1}


WHOLE = json.dumps(document([box(1, STILL_ID, STILL_BOX)])).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (WHOLE[:-20], str(len(WHOLE) - 20)),
        (WHOLE.replace(b"still.jpg", b"still\xff\xfe.jpg"), "UTF-8"),
        (b"", "empty"),
    ],
    ids=["truncated", "not UTF-8", "empty"],
)
def test_a_broken_source_is_a_blocker(run: Run, project: Project, content: bytes, said: str) -> None:
    result = run(content)
    assert (result.code, said in result.output) == (1, True), result.output
    assert rows_on(project, "pred-1") == []


@pytest.mark.parametrize("branch", ["main", "encord-consensus", "a/b", "a b"])
def test_a_bad_branch_name_is_a_blocker(run: Run, project: Project, branch: str) -> None:
    assert run(document([box(1, STILL_ID, STILL_BOX)]), branch=branch).code == 1
    assert rows_on(project, "main") == []


def test_main_when_it_is_allowed(run: Run, project: Project) -> None:
    assert run(document([box(1, STILL_ID, STILL_BOX)]), "--allow-branch", branch="main").code == 0
    assert rows_on(project, "main") == ["still.jpg"]


@pytest.mark.parametrize("content", [document([]), []])
def test_no_annotations_is_an_import_of_nothing(run: Run, project: Project, content: Any) -> None:
    result = run(content)
    assert (result.code, result.report["annotations_read"], rows_on(project, "pred-1")) == (0, 0, [])


def test_empty_rows(run: Run, project: Project) -> None:
    result = run(document([box(1, STILL_ID, STILL_BOX)]), "--empty-rows", "create")
    assert (result.code, result.report["label_rows_created_empty"]) == (0, 2)
    assert len(rows_on(project, "pred-1")) == 3


def test_dry_runs_write_nothing(run: Run, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(document(tracked_video()), "--dry-run")
    assert (result.code, result.report["annotations_written"], result.report["dry_run"]) == (0, 8, True)
    assert rows_on(project, "pred-1") == []

    write_snapshot(snapshot_from_project(project), "project.json")
    for name in ("ENCORD_DOMAIN", "ENCORD_SSH_KEY_FILE"):
        monkeypatch.delenv(name)
    offline = run(document(tracked_video()), "--dry-run", "--project-file", "project.json")
    assert (offline.code, offline.report["annotations_written"], offline.report["label_rows_saved"]) == (0, 8, 3)


def test_mended_rejects_make_the_import_whole(run: Run, project: Project) -> None:
    good = document(tracked_video())
    bad = json.loads(json.dumps(good))
    bad["annotations"][2]["bbox"][2] = -8
    assert run(bad).code == 3
    Path("original.json").write_text(json.dumps(bad))
    (reject,) = rejects()
    reject["annotation"]["bbox"][2] = 8
    Path("mended.ndjson").write_text(json.dumps(reject) + "\n")
    arguments = [
        "import",
        "mended.ndjson",
        "--annotations",
        "original.json",
        "--branch",
        "pred-1",
        "--on-existing",
        "merge",
    ]
    result = CliRunner().invoke(
        app, [*arguments, "--source-label", f"{Path.cwd().name}/predictions.json", "--project", project.project_hash]
    )
    assert result.exit_code == 0, result.output
    # The mended frame joins the track that stands there already.
    assert (shown(project, "pred-1")["drive.mp4"]["objects"], shown(project, "pred-1")["drive.mp4"]["frames"]) == (2, 3)


def test_maps_and_filters(run: Run, project: Project) -> None:
    Path("classes.json").write_text(json.dumps({"9": "obj-car1", "Car": None, "2": "obj-road", "3": "obj-tree"}))
    content = document([box(1, STILL_ID, STILL_BOX, category_id=9), box(2, STILL_ID, STILL_BOX, category_id=CAR)])
    result = run(content, "--class-map", "classes.json")
    assert (result.code, result.report["annotations_written"], result.report["annotations_filtered"]) == (0, 1, 1)
    assert shown(project, "pred-1")["still.jpg"]["classes"] == {"Car": 1}

    only = run(document(tracked_video()), "--only-media", "still*", branch="pred-2")
    assert (only.code, only.report["annotations_written"], only.report["annotations_filtered"]) == (0, 1, 7)
    assert rows_on(project, "pred-2") == ["still.jpg"]


def test_convert_gives_the_rows_that_import_sends(run: Run, project: Project) -> None:
    run(document(tracked_video()))
    write_snapshot(snapshot_from_project(project), "project.json")
    arguments = [
        "convert",
        "predictions.json",
        "--project-file",
        "project.json",
        "--branch",
        "pred-1",
        "--out",
        "rows.ndjson",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in Path("rows.ndjson").read_text().splitlines()]
    converted = {row["data_hash"]: set(row["object_answers"]) for row in rows}
    stored = {}
    for row in project.list_label_rows_v2(branch_name="pred-1"):
        row.initialise_labels()
        stored[row.data_hash] = {instance.object_hash for instance in row.get_object_instances()}
    assert converted == stored


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("annotations", [[], tracked_video()], ids=["none", "some"])
def test_tables_have_the_schema(suffix: str, annotations: list[dict[str, Any]]) -> None:
    Path("predictions.json").write_text(json.dumps(document(annotations)))
    result = CliRunner().invoke(app, ["convert", "predictions.json", "--out", f"ir.{suffix}"])
    assert result.exit_code == 0, result.output
    table = read_table(Path(f"ir.{suffix}")).collect()
    assert (len(table), table.schema) == (len(annotations), polars.DataFrame(_core.AnnotationBatch.empty()).schema)
    assert table.equals(ropewalk.read_coco("predictions.json").to_polars())


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process there")
def test_ctrl_c_says_how_to_go_on(emulator: RunningEmulator) -> None:
    arguments = [sys.executable, "-m", "ropewalk", "import", "predictions.json", "--branch", "b"]
    Path("predictions.json").write_text(json.dumps(document([box(n, STILL_ID, STILL_BOX) for n in range(300_000)])))
    with subprocess.Popen(
        [*arguments, "--project", emulator.project_hash], stderr=subprocess.PIPE, text=True
    ) as process:
        while not list(Path(".ropewalk").glob("stage-*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, "run the same command again" in errors) == (1, True), errors
    assert "Traceback" not in errors
