"""Measures whole imports over HTTP, against a local Encord with latency in a process of its own.

Every way starts with an open project and a branch of its own, and ends when all is stored; start-up is not counted.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import encord
from encord import EncordUserClient
from encord.objects import Object, OntologyStructure, Shape
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.utilities.coco.datastructure import FrameIndex

from parity import ParityError
from report import Line, Table
from ropewalk import import_predictions
from ropewalk.project.snapshot import Medium, Snapshot, write_snapshot
from ropewalk.showing.show import show
from timing import interleave

LATENCY_MS = 50
JOBS = 8
WAYS = ("ropewalk", "import_coco_labels", "row by row")
TEXT = f"""\
Milliseconds a label row, from a COCO file to the last acknowledged save, on the local Encord with {LATENCY_MS} ms of
latency and in a process of its own: median (fastest..slowest), x times ropewalk. *ropewalk* is `import_predictions`
with {JOBS} jobs, its ledger and its last listing included; *import_coco_labels* is the SDK's; *row by row* is a careful
loop with the SDK that creates, fills and saves one label row after another. Boxes, each its own object, on videos of
25 frames of 1080p."""

# The defaults come first.
CHOICES = ((8, 20), (8, 5), (8, 100), (4, 20), (2, 20), (16, 20))
DEFAULTS_TEXT = f"""\
Milliseconds a label row, as above but with 50 boxes on each row, for the defaults of `--jobs` and `--batch-rows` and
for other values; on the local Encord with {LATENCY_MS} ms of latency, x times the defaults."""

_FEATURE = "bench-cr"
_SIZE = (1920, 1080)
_FRAMES = 25


def sending(scale: float, repeats: int, folder: Path) -> Table:
    """Measure imports of 50,000 boxes in 200 label rows; `scale` multiplies the rows."""
    rows = max(3, round(200 * scale))
    return Table("Whole imports", TEXT, WAYS, (_line(rows, 250, repeats, folder),))


def defaults(scale: float, repeats: int, folder: Path) -> Table:
    """Measure what the defaults of --jobs and --batch-rows were chosen from: other values beside them."""
    rows = max(3, round(200 * scale))
    snapshot, source = make_project(rows), folder / "boxes.json"
    write_snapshot(snapshot, folder / "sending.json")
    source.write_text(json.dumps(boxes(snapshot, 50)), encoding="ascii")
    numbers = count()
    with (
        local_encord(folder / "sending.json", folder, LATENCY_MS) as where,
        tempfile.TemporaryDirectory(dir=folder) as work,
    ):
        project = _opened(where)

        def timed(jobs: int, batch_rows: int) -> Callable[[], None]:
            given = {"work_dir": Path(work), "jobs": jobs, "batch_rows": batch_rows}
            return lambda: import_predictions(source, project, branch=f"bench-{next(numbers)}", **given).finish()

        ways = {f"{jobs} jobs, {n} rows": timed(jobs, n) for jobs, n in CHOICES}
        samples = interleave(ways, repeats)
    name = f"{rows * 50:,} boxes in {rows} label rows"
    return Table("Jobs and rows in a request", DEFAULTS_TEXT, tuple(ways), (Line(name, rows, samples, scale=1e3),))


def _line(rows: int, per_row: int, repeats: int, folder: Path) -> Line:
    project_file, source = folder / "sending.json", folder / "boxes.json"
    snapshot = make_project(rows)
    write_snapshot(snapshot, project_file)
    document = boxes(snapshot, per_row)
    source.write_text(json.dumps(document), encoding="ascii")
    with (
        local_encord(project_file, folder, LATENCY_MS) as where,
        tempfile.TemporaryDirectory(dir=folder) as work,
    ):
        project = _opened(where)
        jobs: dict[str, Callable[[str], None]] = {
            "ropewalk": lambda branch: _ropewalk(project, source, branch, Path(work)),
            "import_coco_labels": lambda branch: _sdk(project, source, document, branch),
            "row by row": lambda branch: _row_by_row(project, source, branch),
        }
        _check(project, jobs, per_row)
        numbers = count()
        timed = {name: lambda job=job: job(f"bench-{next(numbers)}") for name, job in jobs.items()}
        samples = interleave(timed, repeats)
    return Line(f"{rows * per_row:,} boxes in {rows} label rows", rows, samples, scale=1e3)


def make_project(rows: int) -> Snapshot:
    """Make a project of so many videos of 1080p."""
    structure = OntologyStructure()
    structure.add_object("Car", Shape.BOUNDING_BOX, feature_node_hash=_FEATURE)

    def hash_of(n: int) -> str:
        return f"{n:08d}-0000-4000-8000-000000000000"

    media = tuple(
        Medium(
            hash_of(n),
            f"video-{n}.mp4",
            "VIDEO",
            hash_of(99_999_999),
            "Bench data",
            file_type="video/mp4",
            width=_SIZE[0],
            height=_SIZE[1],
            number_of_frames=_FRAMES,
            frames_per_second=25.0,
            duration=_FRAMES / 25,
        )
        for n in range(rows)
    )
    return Snapshot(hash_of(88_888_888), "Bench", "", hash_of(77_777_777), "", structure.to_dict(), media)


def boxes(snapshot: Snapshot, per_row: int) -> dict[str, Any]:
    """Make a COCO dataset with so many boxes on each video."""
    draw = random.Random(7)
    images, annotations = [], []
    for video, medium in enumerate(snapshot.media):
        for frame in range(_FRAMES):
            images.append(
                {
                    "id": len(images),
                    "file_name": f"{video}/{frame}.jpg",
                    "video_id": video,
                    "frame_index": frame,
                    "width": medium.width,
                    "height": medium.height,
                }
            )
        for k in range(per_row):
            w, h = draw.uniform(20, 200), draw.uniform(20, 300)
            annotations.append(
                {
                    "id": len(annotations),
                    "image_id": video * _FRAMES + k % _FRAMES,
                    "category_id": 0,
                    "bbox": [draw.uniform(0, _SIZE[0] - w), draw.uniform(0, _SIZE[1] - h), w, h],
                    "area": w * h,
                    "iscrowd": 0,
                    "segmentation": [],
                    "score": draw.random(),
                }
            )
    videos = [{"id": n, "name": medium.title} for n, medium in enumerate(snapshot.media)]
    categories = [{"id": 0, "name": "Car", "supercategory": ""}]
    return {"images": images, "videos": videos, "categories": categories, "annotations": annotations}


@contextmanager
def local_encord(project_file: Path, folder: Path, latency_ms: float) -> Iterator[dict[str, str]]:
    """Run a local Encord in a process of its own; gives its url, project_hash and ssh_key."""
    faults = folder / "latency.json"
    faults.write_text(json.dumps({"latency_ms": latency_ms}))
    # The time that the emulator takes for its checks is not measured.
    command = ["emulator", "--project-file", str(project_file), "--faults", str(faults), "--no-open-rows"]
    process = subprocess.Popen([sys.executable, "-m", "ropewalk", *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def _opened(where: dict[str, str]) -> encord.Project:
    client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=where["ssh_key"], domain=where["url"])
    return client.get_project(where["project_hash"])


def _ropewalk(project: encord.Project, source: Path, branch: str, work_dir: Path) -> None:
    assert import_predictions(source, project, branch=branch, work_dir=work_dir, jobs=JOBS).exit_code == 0


def _sdk(project: encord.Project, source: Path, document: dict[str, Any], branch: str) -> None:
    hashes = {row.data_title: row.data_hash for row in project.list_label_rows_v2()}
    titles = {video["id"]: video["name"] for video in document["videos"]}
    project.import_coco_labels(
        json.loads(source.read_bytes()),
        {0: _FEATURE},
        {i["id"]: FrameIndex(hashes[titles[i["video_id"]]], i["frame_index"]) for i in document["images"]},
        branch_name=branch,
        confidence_field_name="score",
    )


def _row_by_row(project: encord.Project, source: Path, branch: str) -> None:
    document = json.loads(source.read_bytes())
    images = {image["id"]: image for image in document["images"]}
    titles = {video["id"]: video["name"] for video in document["videos"]}
    on_row: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        on_row[titles[images[annotation["image_id"]]["video_id"]]].append(annotation)
    car = project.ontology_structure.get_child_by_hash(_FEATURE, type_=Object)
    for row in project.list_label_rows_v2(branch_name=branch):
        row.initialise_labels()
        for annotation in on_row[row.data_title]:
            image = images[annotation["image_id"]]
            x, y, w, h = annotation["bbox"]
            width, height = image["width"], image["height"]
            instance = car.create_instance()
            instance.set_for_frames(
                BoundingBoxCoordinates(height=h / height, width=w / width, top_left_x=x / width, top_left_y=y / height),
                frames=image["frame_index"],
                confidence=annotation["score"],
                manual_annotation=False,
            )
            row.add_object_instance(instance)
        row.save()


def _check(project: encord.Project, jobs: dict[str, Callable[[str], None]], per_row: int) -> None:
    """Run each way once: all must leave as many objects on as many frames of each row."""
    for number, (name, job) in enumerate(jobs.items()):
        branch = f"check-{number}"
        job(branch)
        found = {(unit.objects, unit.frames) for unit in show(project, branch)}
        if found != {(per_row, _FRAMES)}:
            raise ParityError(f"{name} left {sorted(found)} objects and frames on its rows")
