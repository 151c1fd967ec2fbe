"""What supervision's sinks write of detections is what comes back from the SDK."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import Project
from encord.objects.coordinates import BoundingBoxCoordinates

import ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.sinks.encord.client import open_project
from snapshots import make_format_project
from test_producers import TOOLS
from workbench import check_sums

pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason="`make test` installs the tools")

# Corners in px, class number, confidence and track of each detection, by frame of the video; it is 64 x 36.
FRAMES: dict[int, list[tuple[list[float], int, float, int]]] = {
    0: [([4.25, 6.0, 24.0, 16.5], 1, 0.5, 7), ([30.0, 1.5, 60.0, 33.25], 1, 0.25, 9)],
    3: [([5.25, 6.5, 25.0, 17.5], 1, 0.75, 7)],
    # Nothing is found on a frame: no record.
    7: [],
    11: [([1.0, 2.0, 3.0, 35.0], 1, 0.125, 9)],
}

SINKS = """
import json, sys
import numpy as np
import supervision as sv
folder, frames = sys.argv[1], json.load(sys.stdin)
with sv.CSVSink(folder + "/drive.csv") as csv, sv.JSONSink(folder + "/drive.json") as plain:
    for frame, found in frames.items():
        detections = sv.Detections(
            xyxy=np.array([row[0] for row in found], np.float32).reshape(-1, 4),
            class_id=np.array([row[1] for row in found], int),
            confidence=np.array([row[2] for row in found], np.float32),
            tracker_id=np.array([row[3] for row in found], int),
            data={"class_name": np.array(["car"] * len(found)), "embedding": np.ones((len(found), 3))},
        )
        for sink in (csv, plain):
            sink.append(detections, {"frame_no": int(frame), "note": 'say "a, b"'})
"""


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running_emulator(make_format_project()) as emulator:
        yield open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sinks")
    command = [TOOLS, "-c", SINKS, folder]
    done = subprocess.run(command, input=json.dumps(FRAMES), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", ["drive.csv", "drive.json"])
def test_what_the_sinks_write(written: Path, project: Project, tmp_path: Path, name: str) -> None:
    branch = f"sinks-{name}"
    options: dict[str, Any] = {"classes": ["Person", "Car"], "frame_column": "frame_no", "work_dir": tmp_path}
    report = ropewalk.import_predictions(written / name, project, branch=branch, **options)
    check_sums(report)
    assert (report.exit_code, report.annotations_written) == (0, 4), report
    (row,) = [row for row in project.list_label_rows_v2(branch_name=branch) if row.label_hash is not None]
    row.initialise_labels()
    found = {}
    for item in row.get_object_instances():
        assert item.object_name == "Car"
        frames = frozenset(annotation.frame for annotation in item.get_annotations())
        for annotation in item.get_annotations():
            box = annotation.coordinates
            assert isinstance(box, BoundingBoxCoordinates)
            left, top = box.top_left_x * 64, box.top_left_y * 36
            corners = (left, top, left + box.width * 64, top + box.height * 36)
            found[annotation.frame, annotation.confidence] = (frames, pytest.approx(corners, abs=1e-9))
    tracks = {7: frozenset({0, 3}), 9: frozenset({0, 11})}
    assert found == {
        (frame, score): (tracks[track], tuple(corners))
        for frame, rows in FRAMES.items()
        for corners, _, score, track in rows
    }
