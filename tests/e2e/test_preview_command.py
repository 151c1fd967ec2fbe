"""`preview` on the command line: a branch, and predictions beside it with what differs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from preview_pages import addresses_in, data_of
from workbench import Bench, Ran, box, dataset, mask, ring

FOUND = [
    box(1, score=0.5),
    ring(2, score=0.5),
    mask(4, score=0.75),
    *(box(64 * n, image=100 + n, track_id=7, score=0.25) for n in (2, 3, 4)),
]


@pytest.fixture(scope="module")
def branch(module_bench: Bench) -> Bench:
    """Give a project with predictions on a branch."""
    assert module_bench.run(module_bench.write(dataset(FOUND), "found.json")).annotations_written == 6
    return module_bench


def previewed(bench: Bench, *more: str | Path) -> tuple[Ran, Any]:
    out = bench.folder / "page.html"
    ran = bench.cli("preview", *bench.arguments(*more), "--out", out)
    return ran, data_of(out)


def test_a_branch_alone(branch: Bench) -> None:
    before = branch.stored()
    ran, data = previewed(branch)
    assert (ran.code, ran.out) == (0, f"{branch.folder}/page.html: 4 frames with 6 objects, 1 track\n")
    assert [side["name"] for side in data["sides"]] == [branch.branch]
    assert {data["media"][frame["m"]] for frame in data["frames"]} == {"drive.mp4", "still.jpg"}
    assert {item["name"] for item in data["classes"]} == {"Car", "Road", "Tree"}
    assert addresses_in(branch.folder / "page.html") == set()
    assert branch.stored() == before


def test_its_own_source_differs_nowhere(branch: Bench) -> None:
    ran, data = previewed(branch, branch.folder / "found.json")
    assert ran.code == 0
    assert "\n0 differences on these frames" in ran.out
    assert [len(objects) for frame in data["frames"] for objects in frame["sides"]] == [3, 3, 1, 1, 1, 1, 1, 1]


def test_frames_counted_from_1_differ_on_the_video(branch: Bench) -> None:
    ran, data = previewed(branch, branch.folder / "found.json", "--frame-base", "1", "--json")
    found = json.loads(ran.out)
    assert (found["differences"], "one frame later" in found["likely_cause"]) == (4, True)
    differences = {(data["media"][frame["m"]], frame["f"]): frame["d"] for frame in data["frames"]}
    assert differences == {
        ("still.jpg", 0): 0,
        **{("drive.mp4", n): 1 for n in (1, 2, 3, 4)},
    }


def test_what_would_be_rejected_is_counted(branch: Bench) -> None:
    source = branch.write(dataset([box(1, score=0.5), box(2, category=9)]), "more.json")
    ran, data = previewed(branch, source)
    assert ran.code == 3
    assert "more.json: rejected: unknown_class 1\n" in ran.out
    assert sum(frame["d"] for frame in data["frames"]) == 5


def test_an_unknown_branch_is_refused(branch: Bench) -> None:
    account = branch.arguments()
    account[account.index("--branch") + 1] = "gone"
    ran = branch.cli("preview", *account, "--out", branch.folder / "x.html")
    assert ran.code == 2
    # Other tests have branches in the same project.
    assert re.search("branch 'gone' does not exist; the project has .*main", ran.err)
