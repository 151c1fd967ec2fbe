"""The commands that read a project, and Active's sync, through the command line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ropewalk import write_snapshot
from ropewalk.emulator import EmulatorOptions, parse_faults, running_emulator
from ropewalk.emulator.store import ActiveStart
from ropewalk.sinks.encord.client import open_project
from snapshots import hash_of, make_image, make_snapshot
from workbench import Bench, Ran, box, dataset, full_media, full_ontology, full_snapshot, ring

SIGNED = "https://files.example.com/[bold]x.jpg?X-Amz-Signature=canary"
HOSTILE = "a\x1b[2J\tb\n[red]c"


def account(bench: Bench) -> list[str]:
    return bench.arguments()[:6]


@contextmanager
def another(bench: Bench, snapshot: Any = None, **options: Any) -> Iterator[Bench]:
    """Give a bench on an emulator of its own: what was started in Active is counted there."""
    with running_emulator(snapshot or full_snapshot(), **options) as running:
        project = open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url)
        yield Bench(running, project, bench.branch, bench.folder)


def lines(ran: Ran) -> list[list[str]]:
    """Split what a command printed into rows of columns, the heads left out."""
    assert ran.code == 0, ran.err
    return [line.split("\t") for line in ran.out.splitlines()[1:]]


def test_show_on_all_branches(bench: Bench) -> None:
    tracks = [box(number, image=100 + number, track_id=1) for number in (1, 2, 4)]
    with another(bench) as own:
        assert own.cli_import(own.write(dataset([*tracks, box(5), ring(6), box(7, image=2)]))).code == 0
        own.branch = "pred-second"
        assert own.cli_import(own.write(dataset([box(8)]))).code == 0
        ran = own.cli("show", *account(own))
        assert lines(ran) == [
            [bench.branch, "drive.mp4", "1", "3", "0", "Car 1"],
            [bench.branch, "still.jpg", "2", "1", "0", "Car 1, Road 1"],
            [bench.branch, "walk-0.png", "1", "1", "0", "Car 1"],
            [bench.branch, "walk-1.png", "0", "0", "0", ""],
            [bench.branch, "walk-2.png", "0", "0", "0", ""],
            ["pred-second", "still.jpg", "1", "1", "0", "Car 1"],
        ]
        assert ran.err.splitlines() == [
            f"{bench.branch}: 3 label rows, 4 objects, 0 classifications, 5 frames with labels",
            "pred-second: 1 label row, 1 object, 0 classifications, 1 frame with labels",
        ]
        narrowed = own.cli("show", *account(own), "--branch", bench.branch, "--media", "walk-[01]*", "--media", "x")
        assert [line[1] for line in lines(narrowed)] == ["walk-0.png", "walk-1.png"]
        listed = lines(own.cli("show", *account(own), "--labels", "--media", "drive.mp4"))
        assert [(*line[:6], *line[7:]) for line in listed] == [
            (bench.branch, "drive.mp4", "object", "Car", "obj-car1", "bounding_box", "1-2,4", "1", "")
        ]
        nothing = own.cli("show", *account(own), "--branch", bench.branch, "--media", "nobody")
        assert (lines(nothing), nothing.err) == ([], "no label row stands there\n")
        for form in ((), ("--json",), ("--labels",)):
            wrong = own.cli("show", *account(own), "--branch", "nobody", *form)
            known = f"the project has {bench.branch}, pred-second"
            assert (wrong.code, wrong.out, wrong.err) == (2, "", f"ropewalk: no branch named nobody; {known}\n")


def test_show_as_json_is_one_document(bench: Bench) -> None:
    with another(bench) as own:
        empty = own.cli("show", *account(own), "--json")
        assert empty.err == ""
        assert json.loads(empty.out) == {"project_hash": own.emulator.project_hash, "branches": {}, "totals": {}}
        assert own.cli_import(own.write(dataset([box(1), box(2, image=2), box(3, image=101)]))).code == 0
        own.branch = "pred-second"
        assert own.cli_import(own.write(dataset([box(4)]))).code == 0
        document = json.loads(own.cli("show", *account(own), "--json").out)
        assert {name: [row["data_title"] for row in rows] for name, rows in document["branches"].items()} == {
            bench.branch: ["drive.mp4", "still.jpg", "walk-0.png", "walk-1.png", "walk-2.png"],
            "pred-second": ["still.jpg"],
        }
        assert [(unit["objects"], unit["group_hash"]) for unit in document["branches"][bench.branch]] == [
            *((1, None), (1, None), (1, hash_of("walk")), (0, hash_of("walk")), (0, hash_of("walk")))
        ]
        assert document["totals"][bench.branch]["label_rows"] == 3
        assert document["totals"]["pred-second"] == {
            "label_rows": 1,
            "objects": 1,
            "classifications": 0,
            "frames": 1,
        }
        out = bench.folder / "labels.json"
        ran = own.cli("show", *account(own), "--labels", "--out", out)
        assert (ran.code, ran.err) == (0, "")
        assert "pred-second: 1 label row, 1 object, 0 classifications, 1 frame with labels" in ran.out.splitlines()
        written = json.loads(out.read_text("ascii"))
        (label,) = written["branches"]["pred-second"][0]["labels"]
        assert (label["name"], label["ranges"], label["confidence"]) == ("Car", [[0, 0]], [1.0, 1.0])
        assert written["totals"] == document["totals"]


def test_show_that_fails_leaves_no_file(bench: Bench) -> None:
    faults = parse_faults({"rules": [{"operation": "get", "nth": 1, "error": "AUTHORISATION_ERROR"}]})
    with another(bench, faults=faults) as own:
        own.emulator.store.create([hash_of("still.jpg")], "main")
        ran = own.cli("show", *account(own), "--out", bench.folder / "labels.json")
        assert (ran.code, list(bench.folder.glob("*labels*"))) == (1, [])
        assert len(ran.err.splitlines()) == 1


def ontology_of(bench: Bench, *more: str | Path) -> Ran:
    return bench.cli("ontology", *account(bench), *more)


def test_ontology_from_a_project_and_from_a_file(bench: Bench) -> None:
    live = ontology_of(bench)
    assert [line[:4] for line in lines(live)[:2]] == [
        ["object", "Car", "bounding_box", "obj-car1"],
        ["object", "Road", "polygon", "obj-road"],
    ]
    assert [line[3] for line in lines(live) if line[1] == "Sign"] == ["obj-sgn1", "obj-sgn2"]
    write_snapshot(full_snapshot(), bench.folder / "project.json")
    offline = bench.cli("ontology", "--project-file", bench.folder / "project.json")
    assert offline.out == live.out
    document = json.loads(ontology_of(bench, "--json").out)
    assert [item["feature_hash"] for item in document["objects"] if item["name"] == "Boat"] == ["obj-bt-b", "obj-bt-p"]
    ran = ontology_of(bench, "--out", bench.folder / "ontology.json")
    assert json.loads((bench.folder / "ontology.json").read_text()) == document
    assert ran.out.startswith("9 objects and 0 classifications in ")


def test_options_of_classifications_with_their_three_hashes(bench: Bench) -> None:
    write_snapshot(make_snapshot(), bench.folder / "project.json")
    ran = bench.cli("ontology", "--project-file", bench.folder / "project.json")
    assert [line for line in lines(ran) if line[0] != "object"] == [
        ["classification", "Weather", "", "cls-wthr", "", ""],
        ["attribute", "Weather", "radio", "cls-wthr", "att-wthr", ""],
        ["option", "Weather / Sunny", "", "cls-wthr", "att-wthr", "opt-sun1"],
        ["option", "Weather / Night", "", "cls-wthr", "att-wthr", "opt-nght"],
    ]


def test_the_maps_are_those_that_an_import_takes(bench: Bench) -> None:
    """Names that several have are left out and said; the others lead an import where it would go by itself."""
    classes, media = bench.folder / "classes.json", bench.folder / "media.json"
    ran = ontology_of(bench, "--map", "--out", classes)
    assert "2 names left out of the map, since several objects have each: Sign, Boat" in ran.err
    assert json.loads(classes.read_text()) == {
        "Car": "obj-car1", "Road": "obj-road", "Tree": "obj-tree", "Ship": "obj-ship", "Lane": "obj-lane",
    }  # fmt: skip
    ran = bench.cli("media", *account(bench), "--map", "--out", media)
    assert "1 name left out of the map, since several media have each: twin.jpg" in ran.err
    assert json.loads(media.read_text())["drive.mp4"] == hash_of("drive.mp4")
    source = bench.write(dataset([box(1), ring(2), box(3, image=2), box(4, image=103), box(5, image=4)]))
    ran = bench.cli_import(source, "--class-map", classes, "--media-map", media)
    assert (ran.code, "rejected: unmapped_media 1" in ran.out) == (3, True), ran.err
    assert sorted((title, frame) for title, frame, _ in bench.objects()) == [
        *(("drive.mp4", 3), ("still.jpg", 0), ("still.jpg", 0), ("walk-0.png", 0))
    ]


@pytest.mark.parametrize("command", ["media", "data-mapping"])
def test_media_from_a_project_and_from_a_file(bench: Bench, command: str) -> None:
    live = bench.cli(command, *account(bench))
    rows = lines(live)
    assert rows[0] == ["drive.mp4", hash_of("drive.mp4"), "VIDEO", "64", "36", "12", "", ""]
    assert rows[-2] == ["walk-1.png", hash_of("walk/1"), "IMAGE", "24", "40", "1", hash_of("walk"), "1"]
    assert [row[1] for row in rows if row[0] == "twin.jpg"] == [hash_of("twin.jpg"), hash_of("the other twin")]
    write_snapshot(full_snapshot(), bench.folder / "project.json")
    assert bench.cli(command, "--project-file", bench.folder / "project.json").out == live.out
    document = json.loads(bench.cli(command, *account(bench), "--json", "--media", "night*").out)
    assert [(medium["title"], medium["number_of_frames"]) for medium in document] == [("clips/night.mp4", 9)]


@pytest.mark.parametrize("command", ["ontology", "media"])
@pytest.mark.parametrize("both", [False, True])
def test_a_project_or_a_file_is_given(bench: Bench, command: str, both: bool) -> None:
    ran = bench.cli(command, *(["--project", "p", "--project-file", "f"] if both else []))
    assert (ran.code, "give --project HASH, or --project-file FILE" in ran.err) == (2, True)


def test_projects(bench: Bench) -> None:
    key = account(bench)[2:]
    (row,) = lines(bench.cli("projects", *key))
    assert row[:2] == ["Test project", bench.emulator.project_hash] and row[2].endswith(" UTC")
    assert lines(bench.cli("projects", *key, "--query", "nothing")) == []
    (found,) = json.loads(bench.cli("projects", *key, "--query", "T%project", "--json").out)
    assert found == {"title": row[0], "project_hash": row[1], "last_edited_at": found["last_edited_at"]}
    assert found["last_edited_at"].endswith("+00:00")


def test_names_are_safe_to_print_and_signed_urls_lose_their_query(bench: Bench) -> None:
    structure = full_ontology().to_dict()
    structure["objects"][0]["name"] = HOSTILE
    media = (make_image(SIGNED), dataclasses.replace(make_image(HOSTILE), dataset_title=HOSTILE))
    snapshot = dataclasses.replace(make_snapshot((*full_media(), *media), structure), project_title=HOSTILE)
    with another(bench, snapshot) as own:
        own.emulator.store.create([hash_of(SIGNED), hash_of(HOSTILE)], "main")
        for command in ("show", "media", "ontology", "projects"):
            key = account(own)[2:] if command == "projects" else account(own)
            ran = own.cli(command, *key)
            document = own.cli(command, *key, "--json")
            assert (ran.code, document.code) == (0, 0)
            assert "\x1b" not in ran.out + ran.err + document.out
            assert "canary" not in ran.out + document.out
            columns = ran.out.splitlines()[0].count("\t")
            assert {line.count("\t") for line in ran.out.splitlines()} == {columns}
            json.loads(document.out)


def test_markup_in_a_title_is_text_on_a_terminal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from ropewalk.cli import listings

    printed = Console(record=True, width=200, file=(bench.folder / "screen").open("w"))
    monkeypatch.setattr("rich.console.Console", lambda **_: printed)
    monkeypatch.setattr("ropewalk.cli.grid._draws", lambda stream: True)
    from ropewalk.project.media import list_media

    listings.write_media(list_media(make_snapshot((make_image(HOSTILE),))))
    text = printed.export_text()
    assert "[red]c" in text and "\\x1b[2J" in text and hash_of(HOSTILE) in text


def test_sync_tells_what_was_started(bench: Bench) -> None:
    with another(bench) as own:
        started = own.emulator.store.started_in_active
        refused = own.cli("sync", *account(own))
        assert (refused.code, refused.out, started()) == (1, "", [])
        assert "was refused" in refused.err and "--import-as MODE" in refused.err
        ran = own.cli("sync", *account(own), "--import-as", "metric", "--video-sampling-rate", "2.5")
        assert (ran.code, "import (metric) started" in ran.out, "2.5 frames a second" in ran.out) == (0, True, True)
        ran = own.cli("sync", *account(own), "--import-as", "metric")
        assert (ran.code, "sync started" in ran.out, "one frame a second" in ran.out) == (0, True, True)
        assert started() == [ActiveStart("import", "metric", 2.5), ActiveStart("sync")]
        told = json.loads(own.cli("sync", *account(own), "--json").out)
        assert (told["started"], told["error"]) == ("sync", None)
        assert len(started()) == 3


@pytest.mark.parametrize("more", [["--import-as", "all"], ["--video-sampling-rate", "2"]])
def test_sync_with_options_that_do_not_fit(bench: Bench, more: list[str]) -> None:
    # Found out before a connection is made.
    ran = bench.cli("sync", "--project", "p", "--domain", "http://127.0.0.1:9", *more)
    assert ran.code == 2 and more[0] in ran.err


def import_with_sync(own: Bench, *more: str | Path) -> tuple[Ran, dict[str, Any]]:
    report = own.folder / "report.json"
    ran = own.cli_import(own.write(dataset([box(1), box(2, image=101)])), "--sync", "--report", report, *more)
    return ran, json.loads(report.read_text())


def test_an_import_starts_one_sync_and_only_if_something_was_saved(bench: Bench) -> None:
    with another(bench, options=EmulatorOptions(sync_before_import=None)) as own:
        ran, report = import_with_sync(own)
        assert (ran.code, report["active"]["started"]) == (0, "sync")
        assert "Active: sync started" in ran.out and "one frame a second" in ran.out
        ran, report = import_with_sync(own)
        assert (ran.code, report["active"]["started"], report["active"]["error"]) == (0, None, None)
        assert "nothing was saved" in ran.out
        assert own.emulator.store.started_in_active() == [ActiveStart("sync")]
        report = own.run(dataset([box(3)]), branch="pred-library", sync=True).as_dict()
        assert report["active"]["started"] == "sync"


@pytest.mark.parametrize(
    ("rule", "said", "started"),
    [
        ({"status": 403}, "was refused", 0),
        ({"status": 503}, "is not known", 0),
        ({"drop": "after"}, "is not known", 1),
    ],
)
def test_an_import_whose_sync_fails_is_done_all_the_same(
    bench: Bench, rule: dict[str, Any], said: str, started: int
) -> None:
    faults = parse_faults({"rules": [{"operation": "active", "every": 1, **rule}]})
    with another(bench, faults=faults, options=EmulatorOptions(sync_before_import=None)) as own:
        ran, report = import_with_sync(own)
        assert (ran.code, report["exit_code"], report["annotations_written"]) == (0, 0, 2)
        assert report["stopped_by"] is None and said in report["active"]["error"]
        (line,) = [line for line in ran.err.splitlines() if "Active" in line]
        assert line.startswith("the import is done, but Active does not show it yet: ") and said in line
        assert "Active" not in ran.out
        assert len(own.emulator.store.started_in_active()) == started


def test_rejects_keep_their_exit_code_beside_a_sync(bench: Bench) -> None:
    with another(bench) as own:
        ran = own.cli_import(own.write(dataset([box(1), box(2, category=9)])), "--sync")
        assert ran.code == 3 and "if the project was never imported into Active" in ran.err


def test_a_rehearsal_starts_nothing(bench: Bench) -> None:
    before = bench.stored()
    ran = bench.cli_import(bench.write(dataset([box(1)])), "--sync", "--dry-run")
    assert (ran.code, "give one of them" in ran.err, bench.stored()) == (2, True, before)
