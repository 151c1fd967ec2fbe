"""What commands print, word for word: reports, listings, and an error of each exit code."""

from __future__ import annotations

import json
from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from ropewalk import _core
from runs import Console

IMPORT = "import predictions --project HASH --branch model-1"


def test_import_and_what_it_leaves(console: Console, snapshot: SnapshotAssertion) -> None:
    assert (
        console.run(
            IMPORT,
            IMPORT,
            "show --project HASH --branch model-1",
            "status",
            "verify predictions --project HASH --branch model-1",
            "rollback --project HASH --branch model-1 --yes",
        )
        == snapshot
    )


def test_import_with_rejects(console: Console, snapshot: SnapshotAssertion) -> None:
    onto = "import spoilt.json --project HASH --branch model-2"
    assert console.run(f"{onto} --verify --sync", f"{onto} --report - --max-rejects 2") == snapshot


def test_dry_run(console: Console, snapshot: SnapshotAssertion) -> None:
    onto = "import predictions spoilt.json --project-file project.json --branch b --dry-run"
    assert console.run(onto, f"{onto} --min-confidence 0.5 --limit-rows 2") == snapshot


def test_what_predictions_hold_and_maps_for_them(console: Console, snapshot: SnapshotAssertion) -> None:
    inspect = "inspect predictions spoilt.json --project-file project.json"
    ran = console.run(
        inspect,
        f"{inspect} --frame-base 7",
        "map classes spoilt.json --project HASH",
        "map media predictions --project-file project.json --out media.json",
    )
    assert ran == snapshot


def test_names_that_match_nothing(console: Console, snapshot: SnapshotAssertion) -> None:
    document = json.loads(Path("predictions", "images.json").read_text(encoding="utf-8"))
    for category in document["categories"]:
        category["name"] = category["name"].replace("car", "cart")
    for image in document["images"]:
        image["file_name"] = image["file_name"].replace("square", "sqare")
    Path("renamed.json").write_text(json.dumps(document), encoding="utf-8")
    assert console.run("import renamed.json --project-file project.json --branch b --dry-run") == snapshot


def test_convert(console: Console, snapshot: SnapshotAssertion) -> None:
    assert (
        console.run(
            "convert predictions --out rows.parquet",
            "convert spoilt.json --out coco.json",
            "convert rows.parquet --project-file project.json --out rows.ndjson",
        )
        == snapshot
    )


def test_listings(console: Console, snapshot: SnapshotAssertion) -> None:
    assert (
        console.run(
            "ontology --project-file project.json",
            "ontology --project-file project.json --map",
            "media --project-file project.json",
            "media --project-file project.json --map --media 'street-*'",
            "projects",
            "snapshot --project HASH --out taken.json",
            "sync --project HASH",
        )
        == snapshot
    )


def test_formats_are_those_of_the_table(console: Console) -> None:
    # Not a snapshot: a format is added without touching this file.
    _, head, *lines, end = console.run("formats").splitlines()
    found = _core.formats()
    assert (head.split("\t"), end) == (["format", "files", "options", "about"], "exit code 0")
    listed = [[line.split("\t")[0], line.split("\t")[-1]] for line in lines]
    assert listed == [[format["name"], format["about"]] for format in found if format["suffixes"] or format["members"]]


def test_evaluate(console: Console, snapshot: SnapshotAssertion) -> None:
    assert (
        console.run(
            "evaluate predictions/images.json --labels predictions/images.json",
            "evaluate predictions/images.json --labels predictions/images.json --per-class --confusion",
        )
        == snapshot
    )


def test_errors(console: Console, snapshot: SnapshotAssertion) -> None:
    Path("cut.json").write_bytes(Path("spoilt.json").read_bytes()[:-40])
    assert (
        console.run(
            # 1: stopped.
            "import cut.json --project-file project.json --branch b --dry-run",
            "import predictions --project HASH --branch main",
            # 2: usage.
            "import missing.json --project HASH --branch b",
            "import predictions --branch b",
            "import predictions --project HASH --branch b --jobs 0",
            "import predictions --project HASH --branch b --on-existing overwrite",
            "import predictions --project HASH --branch b --min-confidence 2",
            "import predictions --project HASH --branch b --min-confidence high",
            "import predictions --project HASH --branch b --min-confidense 0.5",
            "convert predictions --out rows.csv",
            # 3: done, with rejects.
            "convert spoilt.json --out rows.arrow",
        )
        == snapshot
    )
