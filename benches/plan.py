"""CPU and memory of the plan of many media, a fresh process for each number: `python benches/plan.py`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from ropewalk import Snapshot, _core
from ropewalk.project.plan import PlanOptions, plan_of
from ropewalk.project.snapshot import Medium

MEDIA = 100_000


def project(media: int) -> Snapshot:
    """Make a project of videos in folders."""
    dataset = str(uuid.UUID(int=7))
    videos = (
        Medium(
            data_hash=str(uuid.UUID(int=7919 * number + 1)),
            title=f"archive/2026-11/camera-{number % 40:02d}/clip-{number:06d}.mp4",
            data_type="VIDEO",
            dataset_hash=dataset,
            dataset_title="Archive",
            file_type="video/mp4",
            width=1920,
            height=1080,
            number_of_frames=900,
            frames_per_second=30.0,
            duration=30.0,
            backing_item_uuid=str(uuid.UUID(int=104_729 * number + 1)),
        )
        for number in range(media)
    )
    return Snapshot(
        project_hash=dataset,
        project_title="",
        project_description="",
        ontology_hash=dataset,
        ontology_title="",
        ontology_structure={"objects": [], "classifications": []},
        media=tuple(videos),
    )


def resident_bytes() -> int:
    """Tell how much memory this process has, from Linux's /proc."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def measure(media: int) -> str:
    """Make the plan and a stage for it; CPU in s and memory in MB."""
    snapshot = project(media)
    memory, started = resident_bytes(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        stage = _core.Stage(plan_of(snapshot, "b", PlanOptions()), str(Path(folder, "rejects.ndjson")))
        taken = time.process_time() - started
        assert stage is not None
        return f"{media:>7,} media: {taken:.3f} s of CPU, {(resident_bytes() - memory) / 1e6:.1f} MB"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(measure(int(sys.argv[1])) + "\n")
    else:
        for media in (1, MEDIA):
            subprocess.run([sys.executable, __file__, str(media)], check=True)
