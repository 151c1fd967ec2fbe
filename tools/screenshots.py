"""Takes the pictures of docs/images: predictions read right and wrong, a branch, a plan, an evaluation.

`make screenshots` runs this; it needs a headless Chromium.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from chromium import screenshot
from ropewalk import convert, evaluate, import_predictions, preview, read_snapshot, read_table, rle
from ropewalk.demo.synthetic import write_demo
from ropewalk.emulator import running_emulator
from ropewalk.importing.plan_page import plan_page
from ropewalk.sinks.encord.client import open_project

WIDTH, HEIGHT, FRAMES = 320, 180, 12
ANGLE = 25
# px of the window: controls, and two frames.
WINDOW = (760, 430)

Row = dict[str, Any]


def boat(n: int) -> tuple[float, float, float, float]:
    """Give the box of the boat on frame `n` before it is turned: x, y, width, height in px."""
    return 30 + 20 * n, 70, 70, 28


def boat_mask(n: int) -> np.ndarray[Any, Any]:
    """Draw the pixels of the boat: a hull turned clockwise, pointed at its front."""
    x, y, w, h = boat(n)
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    sin, cos = math.sin(math.radians(ANGLE)), math.cos(math.radians(ANGLE))
    across, along = right + 0.5 - x - w / 2, down + 0.5 - y - h / 2
    along, across = along * cos - across * sin, across * cos + along * sin
    return (np.abs(along) < h / 2) & (across > -w / 2) & (across + np.abs(along) < w / 2)


def write_video(path: Path) -> None:
    """Write a video of the boat that moves to the right."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 4_000_000
        for n in range(FRAMES):
            picture = np.full((HEIGHT, WIDTH, 3), (40, 80, 110), np.uint8)
            picture[boat_mask(n)] = (235, 225, 200)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def pixel_order(medium: str) -> Iterator[Row]:
    """Yield masks whose runs go down the columns, once said to go along the rows."""
    order = "column_major" if medium == "right" else "row_major"
    yield {"frame": 4, "class": "Boat", "rle": rle.encode_coco(boat_mask(4)), "rle_order": order}


def frame_base(medium: str) -> Iterator[Row]:
    """Yield boxes, once of the frame before."""
    # The box around the turned boat.
    down, right = np.nonzero(boat_mask(4 if medium == "right" else 3))
    box = [int(right.min()), int(down.min()), int(np.ptp(right)) + 1, int(np.ptp(down)) + 1]
    yield {"frame": 4, "class": "Boat", "box": box}


def angle_sense(medium: str) -> Iterator[Row]:
    """Yield turned boxes, once turned the other way."""
    yield {"frame": 4, "class": "Boat", "box": list(boat(4)), "theta": ANGLE if medium == "right" else -ANGLE}


PICTURES: dict[str, Callable[[str], Iterator[Row]]] = {
    "preview-pixel-order": pixel_order,
    "preview-frame-base": frame_base,
    "preview-angle": angle_sense,
}


def compare_with_branch(folder: Path, out: Path) -> None:
    """Draw the demo's predictions, frames counted from 1, beside a branch that has them counted from 0."""
    folder.mkdir()
    write_demo(folder, annotations=2_000, seed=1)
    with running_emulator(read_snapshot(folder / "project.json")) as local:
        project = open_project(local.project_hash, ssh_key=local.ssh_key_path, domain=local.url)
        videos, work_dir = folder / "predictions" / "videos.json", folder / "work"
        import_predictions(videos, project, branch="model-1", work_dir=work_dir)
        page = folder / "preview.html"
        preview(videos, page, project=project, branch="model-1", work_dir=work_dir, frame_base=1)
        screenshot(page, out, 1100, 520)


def plan_and_evaluation(folder: Path, out: Path) -> None:
    """Draw the plan of a file with bad annotations, and an evaluation of the demo's more confident predictions."""
    project = read_snapshot(folder / "project.json")
    report = import_predictions(
        folder / "spoilt.json", project, branch="model-1", work_dir=folder / "work", dry_run=True
    )
    page = folder / "plan.html"
    page.write_text(plan_page(report.plan), encoding="utf-8")
    screenshot(page, out / "plan.png", 1100, 520)

    # The page names its labels, which are to have no path of this machine.
    os.chdir(folder)
    convert("predictions/videos.json", "labels.json")
    page = folder / "evaluation.html"
    found = evaluate("predictions/videos.json", labels="labels.json", min_confidence=0.6, confusion=True, curves=True)
    found.write_page(page)
    screenshot(page, out / "evaluation.png", 1100, 720)


def main(out: Path) -> None:
    """Write the pictures to a folder."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as name:
        folder = Path(name)
        for medium in ("right", "wrong"):
            write_video(folder / f"{medium}.mp4")
        for picture, rows_of in PICTURES.items():
            base = {"unit": "px", "width_px": WIDTH, "height_px": HEIGHT, "score": 0.9}
            rows = [base | row | {"media": medium} for medium in ("right", "wrong") for row in rows_of(medium)]
            page = folder / "preview.html"
            preview(read_table(rows, source_label="boats.ndjson"), page, media_dir=folder, work_dir=folder)
            screenshot(page, out / f"{picture}.png", *WINDOW)
        compare_with_branch(folder / "demo", out / "preview-branch.png")
        plan_and_evaluation(folder / "demo", out)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images").resolve())
