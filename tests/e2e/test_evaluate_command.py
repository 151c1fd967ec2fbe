"""`evaluate` on the command line: against the labels on main of a project, from files and from a branch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ropewalk import evaluate
from ropewalk.emulator import running_emulator
from ropewalk.sinks.encord.client import open_project
from workbench import Bench, Ran, box, dataset, full_snapshot, mask

TRUTH = [box(1), box(2, image=103, track_id=4), box(3, image=104, track_id=4), mask(4), box(6, image=2)]
# Two as they should be, one whose mask is another, and one on a frame without labels.
FOUND = [
    box(1, score=0.9),
    box(2, image=103, track_id=9, score=0.8),
    mask(9, score=0.7),
    box(5, image=107, score=0.95),
]


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give a project with labels on main, and predictions on a branch."""
    with running_emulator(full_snapshot()) as running:
        project = open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url)
        bench = Bench(running, project, "main", tmp_path_factory.mktemp("labelled"))
        assert bench.cli_import(bench.write(dataset(TRUTH), "truth.json"), "--allow-branch").code == 0
        bench.branch = "pred-1"
        assert bench.cli_import(bench.write(dataset(FOUND), "found.json")).code == 0
        yield bench


def evaluated(bench: Bench, *more: str | Path) -> Ran:
    return bench.cli("evaluate", *bench.arguments()[:6], "--work-dir", bench.folder / "work", *more)


def test_files_against_main(labelled: Bench) -> None:
    before = labelled.stored()
    ran = evaluated(labelled, labelled.folder / "found.json", "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert (found["images"], found["labels"], found["predictions"]) == (4, 5, 3)
    assert found["filtered_by_reason"] == {"frame_without_labels": 1}
    car = next(item for item in found["classes"] if item["name"] == "Car")
    # Two of four, both right: of 101 recalls 51 are reached.
    assert (car["labels"], car["predictions"], car["ap"], car["ar"]) == (4, 2, pytest.approx(51 / 101), 0.5)
    assert labelled.stored() == before


def test_a_branch_is_as_its_file(labelled: Bench) -> None:
    ran = evaluated(labelled, "--predictions-branch", "pred-1", "--json", "--iou", "segm")
    assert (ran.code, ran.err.splitlines()[0]) == (0, "segm: 3 predictions against 5 labels of main on 4 images")
    file = evaluated(labelled, labelled.folder / "found.json", "--json", "--iou", "segm")
    assert json.loads(ran.out) == json.loads(file.out)
    found = evaluate(project=labelled.project, predictions_branch="pred-1", iou="segm")
    assert found.as_dict() == json.loads(ran.out)


def test_what_is_shown(labelled: Bench) -> None:
    out = labelled.folder / "metrics.json"
    more = ("--min-confidence", "0.75", "--all-frames", "--per-class", "--out", out)
    ran = evaluated(labelled, labelled.folder / "found.json", *more)
    assert ran.code == 0, ran.err
    first, heads, *rows = ran.out.splitlines()
    assert first.startswith("AP ")
    assert heads.split("\t") == ["class", "labels", "predictions", "AP", "AP50", "AR"]
    assert [row.split("\t")[:3] for row in rows] == [["Car", "4", "3"], ["Tree", "1", "0"]]
    assert rows[1].split("\t")[3:] == ["0.000", "0.000", "0.000"]
    # Before it stands how far reading came.
    assert ran.err.splitlines()[-2:] == [
        "bbox: 3 predictions against 5 labels of main on 5 images",
        "predictions left out: min_confidence 1",
    ]
    assert json.loads(out.read_text())["predictions"] == 3


def test_tracks_of_a_branch(labelled: Bench) -> None:
    page = labelled.folder / "page.html"
    more = ("--tracking", "--per-class", "--per-medium", "--page", page)
    ran = evaluated(labelled, "--predictions-branch", "pred-1", *more)
    assert ran.code == 0, ran.err
    second = ran.out.splitlines()[1]
    # The cars are right but for the second frame of the track, and one on another image; the tree is another one.
    assert second.startswith("HOTA ")
    assert second.endswith("MOTA 0.200  IDF1 0.500  id switches 0  false positives 1  false negatives 3")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    heads = next(row for row in rows if row[:2] == ["class", "label tracks"])
    cars = rows[rows.index(heads) + 1]
    # Three objects: the video's track is one on both of its frames.
    assert cars[:3] == ["Car", "3", "2"]
    assert ["medium", *heads[1:]] in rows
    assert "<h2>Tracks</h2>" in page.read_text(encoding="utf-8")


def test_rejects_are_told(labelled: Bench) -> None:
    source = labelled.write(dataset([*FOUND, box(8, category=9)]), "cows.json")
    ran = evaluated(labelled, source)
    assert ran.code == 3
    assert "predictions rejected: unknown_class 1" in ran.err
    assert "rejects are in" in ran.err


def test_an_empty_branch_and_two_projects_are_refused(labelled: Bench) -> None:
    source = labelled.folder / "found.json"
    none = evaluated(labelled, source, "--branch", "nobody")
    assert (none.code, "nobody: no image or frame with labels" in none.err) == (2, True)
    both = evaluated(labelled, source, "--project-file", "x.json")
    assert (both.code, len(both.err.splitlines())) == (2, 1)
