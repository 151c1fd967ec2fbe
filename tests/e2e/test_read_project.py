"""`read_project`: what is on a branch is read as predictions, by each job that takes them."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import polars
import pytest

from ropewalk import convert, evaluate, import_predictions, read_project, snapshot_from_project
from ropewalk.emulator import running_emulator
from ropewalk.errors import UsageError
from ropewalk.sinks.encord.client import open_project
from snapshots import make_snapshot
from workbench import DRIVE, STILL, Bench, box, dataset, mask

FOUND = [box(1, score=0.5), mask(4, score=0.75), *(box(n, image=100 + n, track_id=7, score=0.25) for n in (2, 3))]


@pytest.fixture(scope="module")
def branch(module_bench: Bench) -> Bench:
    """Give a project with predictions on a branch."""
    assert module_bench.run(dataset(FOUND)).annotations_written == 4
    return module_bench


def test_a_branch_gives_rows(branch: Bench, tmp_path: Path) -> None:
    table = read_project(branch.project, branch=branch.branch, work_dir=tmp_path).to_polars()
    rows = table.sort("score", "frame").select("media", "frame", "class", "score", "shape").rows()
    assert rows == [
        (DRIVE, 2, "obj-car1", 0.25, "bounding_box"),
        (DRIVE, 3, "obj-car1", 0.25, "bounding_box"),
        (STILL, 0, "obj-car1", 0.5, "bounding_box"),
        (STILL, 0, "obj-tree", 0.75, "bitmask"),
    ]
    # The two boxes on the video are one object.
    assert table.filter(polars.col("media") == DRIVE)["track"].n_unique() == 1


def test_its_file_has_no_links_and_goes_with_it(branch: Bench, tmp_path: Path) -> None:
    found = read_project(branch.project, branch=branch.branch, work_dir=tmp_path)
    assert found.source.path is not None
    text = found.source.path.read_text(encoding="ascii")
    assert len(text.splitlines()) == 2
    assert "http" not in text
    folder = found.source.path.parent
    del found
    gc.collect()
    assert not folder.exists()


def test_it_is_converted_with_the_names_of_the_project(branch: Bench, tmp_path: Path) -> None:
    found = read_project(branch.project, branch=branch.branch, work_dir=tmp_path)
    snapshot = snapshot_from_project(branch.project)
    report = convert(found, tmp_path / "out.json", snapshot, work_dir=tmp_path)
    assert (report.annotations_read, report.annotations_written) == (4, 4)
    document = json.loads((tmp_path / "out.json").read_text(encoding="ascii"))
    assert {category["name"] for category in document["categories"]} == {"Car", "Tree"}
    assert {image["file_name"] for image in document["images"]} >= {"still.jpg"}


def test_it_is_evaluated_against_itself(branch: Bench, tmp_path: Path) -> None:
    found = read_project(branch.project, branch=branch.branch, work_dir=tmp_path)
    result = evaluate(found, project=branch.project, branch=branch.branch, work_dir=tmp_path)
    assert (result.predictions, result.labels, result.metrics["AP"]) == (4, 4, 1.0)


def test_it_is_imported_onto_another_branch(branch: Bench, tmp_path: Path) -> None:
    found = read_project(branch.project, branch=branch.branch, work_dir=tmp_path)
    report = import_predictions(found, branch.project, branch=f"{branch.branch}-copy", work_dir=tmp_path)
    assert report.annotations_written == 4
    assert branch.boxes(f"{branch.branch}-copy") == branch.boxes()


def test_main_without_labels_is_empty(tmp_path: Path) -> None:
    with running_emulator(make_snapshot()) as local:
        project = open_project(local.project_hash, ssh_key=local.ssh_key_path, domain=local.url)
        assert read_project(project, work_dir=tmp_path).to_polars().is_empty()


def test_another_branch_is_unknown(branch: Bench, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"branch 'gone' does not exist; the project has .*{branch.branch}"):
        read_project(branch.project, branch="gone", work_dir=tmp_path)
