"""Runs the notebooks of `examples/` from top to bottom, and checks what they leave behind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

from documents import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def cells(notebook: Path) -> list[dict[str, Any]]:
    """List the cells of code."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    assert document["nbformat"] == 4
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def run(notebook: Path) -> dict[str, Any]:
    """Execute the cells in one namespace, which is returned; a traceback names the cell."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells(notebook), start=1):
        exec(compile("".join(cell["source"]), f"{notebook.name}, cell {number}", "exec"), namespace)
    return namespace


@pytest.fixture(scope="module", autouse=True)
def without_a_screen() -> Iterator[None]:
    """Draw into memory."""
    matplotlib.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def left() -> dict[str, Any]:
    """Give the names that the notebook about arrays leaves behind."""
    return run(ROOT / "examples" / "arrays_to_branch.ipynb")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_and_leaves_no_files(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plt.close("all")
    run(notebook)
    assert plt.get_fignums()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_stored_without_outputs(notebook: Path) -> None:
    assert {(cell["execution_count"], len(cell["outputs"])) for cell in cells(notebook)} == {(None, 0)}


def test_arrays_are_read_back_as_they_were_written(left: dict[str, Any]) -> None:
    (height, width), found = (left["HEIGHT"], left["WIDTH"]), left["found"]
    assert height != width and len(left["outputs"]) == len(found) == left["FRAMES"]
    for frame, output in enumerate(left["outputs"]):
        # Scores of a frame differ: they tell its objects apart.
        by_score = {confidence: (name, coordinates) for name, confidence, coordinates in found[frame]}
        assert len(by_score) == len(found[frame]) == len(output["scores"])
        for box, logits, score, class_id in zip(
            output["boxes"], output["masks"], output["scores"], output["class_ids"], strict=True
        ):
            name, coordinates = by_score[float(score)]
            assert name == left["CLASSES"][class_id]
            if name == "Car":
                x1, y1, x2, y2 = map(float, box)
                assert (coordinates.top_left_x, coordinates.top_left_y) == (x1 / width, y1 / height)
                assert (coordinates.width, coordinates.height) == ((x2 - x1) / width, (y2 - y1) / height)
            else:
                assert np.array_equal(coordinates.to_numpy_array(), logits > 0)
    frames_of_tracks = Counter(track for output in left["outputs"] for track in output["track_ids"].tolist())
    frames_of_objects = [len(instance.get_annotations()) for instance in left["instances"]]
    assert sorted(frames_of_objects) == sorted(frames_of_tracks.values())


def test_one_frame_is_drawn(left: dict[str, Any]) -> None:
    axes, output = left["axes"], left["outputs"][left["frame"]]
    drawn = [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in axes.patches]
    cars = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in output["boxes"][output["class_ids"] == 0]]
    assert np.allclose(sorted(drawn), sorted(cars), atol=1e-6)
    (picture,) = (np.asarray(image.get_array()) for image in axes.images)
    shadows = (output["masks"][output["class_ids"] == 1] > 0).any(axis=0)
    background = (picture == picture[0, 0]).all(axis=2)
    assert np.array_equal(~background, shadows)
    assert tuple(axes.images[0].get_extent()) == (0, left["WIDTH"], left["HEIGHT"], 0)
