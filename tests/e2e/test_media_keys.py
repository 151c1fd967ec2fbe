"""Media that are found by more than their title: storage items, client metadata, datasets and workflow stages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ropewalk import import_predictions, read_snapshot, verify_predictions
from ropewalk.cli.commands import app
from ropewalk.emulator import RunningEmulator, running_emulator
from ropewalk.errors import UsageError
from ropewalk.report import Report
from ropewalk.sinks.encord.client import open_project
from snapshots import hash_of, make_image, make_image_group, make_snapshot, make_video

ITEM, SHARED_ITEM = (str(uuid.uuid5(uuid.NAMESPACE_OID, name)) for name in ("item", "shared item"))
DAY, NIGHT = (str(uuid.uuid5(uuid.NAMESPACE_OID, name)) for name in ("day", "night"))
STAGE_UUID = str(uuid.uuid5(uuid.NAMESPACE_OID, "stage"))

MEDIA = (
    replace(
        make_video(),
        backing_item_uuid=ITEM,
        client_metadata={"clip": {"id": "clip-7"}, "number": 7, "wrong": 1.5},
        stage="Annotate 1",
    ),
    replace(
        make_image("twin.jpg"),
        data_hash="twin-by-day",
        dataset_hash=DAY,
        dataset_title="By day",
        backing_item_uuid=SHARED_ITEM,
        stage="Review",
        stage_uuid=STAGE_UUID,
        client_metadata={"clip": {"id": "shot-1"}, "number": 8},
    ),
    replace(
        make_image("twin.jpg"),
        data_hash="twin-by-night",
        dataset_hash=NIGHT,
        dataset_title="By night",
        backing_item_uuid=SHARED_ITEM,
        stage="Annotate 1",
    ),
    make_image_group(),
)


@contextmanager
def served() -> Iterator[tuple[Any, RunningEmulator]]:
    with running_emulator(make_snapshot(MEDIA)) as running:
        yield open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url), running


def source(folder: Path, *names: str) -> Path:
    """Write a table with a box on each medium named; frame 2 of the video."""
    rows = [
        {"media": name, "frame": 0 if name.startswith("twin") else 2, "class": "Car", "unit": "px", "box": [3, 4, 9, 7]}
        for name in names
    ]
    path = folder / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def imported(folder: Path, *names: str, **options: Any) -> tuple[Report, list[str]]:
    """Import boxes on the media named; give the report and the data hashes that have them, which `verify` agrees on."""
    predictions = source(folder, *names)
    with served() as (project, running):
        report = import_predictions(predictions, project, branch="b", work_dir=folder, **options)
        options.pop("empty_rows", None)
        found = verify_predictions(predictions, project, branch="b", work_dir=folder, **options)
        assert found.equal == report.annotations_written
        return report, sorted(header.data_hash for header in running.store.headers("b"))


@pytest.mark.parametrize("name", [ITEM, f"frames/{ITEM}.mp4", f"{ITEM}/000002.jpg"])
def test_a_storage_item_names_its_medium(tmp_path: Path, name: str) -> None:
    report, found = imported(tmp_path, name)
    assert (found, report.media_by_rule) == ([hash_of("drive.mp4")], {"data_hash": 1})


def test_a_storage_item_of_two_media_names_neither(tmp_path: Path) -> None:
    report, found = imported(tmp_path, SHARED_ITEM)
    assert (found, report.rejects_by_code) == ([], {"ambiguous_media": 1})


@pytest.mark.parametrize("value", [ITEM, {"data_hash": ITEM, "frame": 5}])
def test_a_media_map_takes_storage_items(tmp_path: Path, value: Any) -> None:
    _, found = imported(tmp_path, "twin.jpg", media_map={"twin.jpg": value}, frame_base=0)
    assert found == [hash_of("drive.mp4")]


def test_a_media_map_refuses_a_storage_item_of_two_media(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"twin.jpg: {SHARED_ITEM} is the storage item of 2 media"):
        imported(tmp_path, "twin.jpg", media_map={"twin.jpg": SHARED_ITEM})


@pytest.mark.parametrize(
    ("key", "name"), [("client_metadata.clip.id", "clip-7"), ("client_metadata.number", "7"), ("title", "drive.mp4")]
)
@pytest.mark.parametrize("sdk_calls", [False, True])
def test_client_metadata_names_media(tmp_path: Path, key: str, name: str, sdk_calls: bool) -> None:
    _, found = imported(tmp_path, name, media_key=key, sdk_calls=sdk_calls)
    assert found == [hash_of("drive.mp4")]


def test_a_key_is_read_as_titles_are_and_takes_their_place(tmp_path: Path) -> None:
    report, found = imported(tmp_path, "out/CLIP-7.mp4", "drive.mp4", media_key="client_metadata.clip.id")
    assert (found, report.rejects_by_code) == ([hash_of("drive.mp4")], {"unknown_media": 1})


def test_a_medium_without_the_key_is_found_by_its_data_hash(tmp_path: Path) -> None:
    _, found = imported(tmp_path, "twin-by-night", media_key="client_metadata.number")
    assert found == ["twin-by-night"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"media_key": "metadata.x"}, r"media_key is metadata\.x; expected title, or client_metadata\.KEY"),
        ({"media_key": "client_metadata.other"}, r"no medium has .* other .*; keys that exist: clip, number, wrong"),
        ({"media_key": "client_metadata.wrong"}, r"no medium has a text or whole number as wrong"),
        ({"dataset": ["By day", "At dusk"]}, "in the dataset At dusk; it has By day, By night, Test data"),
        ({"stage": "Done"}, "in the stage Done; it has Annotate 1, Review"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        imported(tmp_path, "drive.mp4", **options)


@pytest.mark.parametrize(
    ("options", "twin"),
    [
        ({"dataset": "By day"}, "twin-by-day"),
        ({"dataset": NIGHT}, "twin-by-night"),
        ({"stage": "Review"}, "twin-by-day"),
        ({"stage": STAGE_UUID}, "twin-by-day"),
        ({"stage": ["Annotate 1"]}, "twin-by-night"),
        ({"stage": ["Annotate 1", "Review"], "dataset": ["By night", "Test data"]}, "twin-by-night"),
    ],
)
@pytest.mark.parametrize("sdk_calls", [False, True])
def test_datasets_and_stages_tell_equal_titles_apart(
    tmp_path: Path, options: dict[str, Any], twin: str, sdk_calls: bool
) -> None:
    _, found = imported(tmp_path, "twin.jpg", sdk_calls=sdk_calls, **options)
    assert found == [twin]


def test_equal_titles_are_ambiguous_without_them(tmp_path: Path) -> None:
    report, found = imported(tmp_path, "twin.jpg")
    assert (found, report.rejects_by_code) == ([], {"ambiguous_media": 1})


def test_empty_rows_are_made_of_the_dataset_alone(tmp_path: Path) -> None:
    _, found = imported(tmp_path, "twin.jpg", dataset=["By day"], empty_rows="create")
    assert found == ["twin-by-day"]


def test_a_snapshot_holds_client_metadata_if_asked_to(tmp_path: Path) -> None:
    with served() as (_, running):
        account = ["--project", running.project_hash, "--domain", running.url, "--ssh-key", str(running.ssh_key_path)]
        for name, more in (("without", []), ("with", ["--client-metadata"])):
            done = CliRunner().invoke(app, ["snapshot", *account, "--out", str(tmp_path / name), *more])
            assert done.exit_code == 0, done.output
    without, whole = read_snapshot(tmp_path / "without"), read_snapshot(tmp_path / "with")
    assert all(medium.client_metadata is None for medium in without.media)
    assert whole.media[0].client_metadata == MEDIA[0].client_metadata
    assert (whole.media[1].stage, whole.media[1].stage_uuid) == ("Review", STAGE_UUID)
    predictions = source(tmp_path, "shot-1")
    options = {"media_key": "client_metadata.clip.id", "stage": "Review", "dry_run": True, "work_dir": tmp_path}
    assert import_predictions(predictions, whole, branch="b", **options).annotations_written == 1
