"""Data groups in snapshot files: written, read, taken from a live project, and refused where they make no sense."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient

from ropewalk.emulator import running_emulator
from ropewalk.errors import SnapshotError
from ropewalk.project.live import snapshot_from_project
from ropewalk.project.snapshot import read_snapshot, write_snapshot
from ropewalk.project.spaces import Space, listed_space, spaces_from_listing
from snapshots import make_data_group, make_snapshot, make_video

PROJECT = make_snapshot((make_video(), make_data_group()))
ROOT = Space("root", "scene-12", "image", width=30, height=50)
FRAMES = ({"data_uuid": "u0", "data_type": "image/png", "data_sequence": 0, "data_title": "0.png"},)


def test_spaces_are_written_and_read(tmp_path: Path) -> None:
    write_snapshot(PROJECT, tmp_path / "project.json")
    assert read_snapshot(tmp_path / "project.json") == PROJECT
    document = json.loads((tmp_path / "project.json").read_text())
    assert "spaces" not in document["media"][0]
    assert document["media"][1]["spaces"][4] == {
        "space_id": PROJECT.media[1].spaces[4].space_id,
        "title": "notes.txt",
        "space_type": "text",
        "layout_key": "notes",
        "number_of_frames": 1,
    }


@pytest.mark.parametrize(
    "space",
    [
        *make_data_group().spaces,
        ROOT,
        Space("i", "frames", "image_sequence", "key", width=6, height=5, number_of_frames=1, frames=FRAMES),
        Space("v", "volume.nii", "medical_file", "key", width=3, height=4, number_of_frames=5),
        Space("p", "pulse.csv", "time_series", "key"),
    ],
    ids=lambda space: space.space_type,
)
def test_a_listing_gives_the_space_back(space: Space) -> None:
    assert spaces_from_listing({space.space_id: listed_space(space)}) == (space,)


def test_links_of_frames_stay_behind() -> None:
    frames = [{**FRAMES[0], "data_link": "https://example.invalid/0.png?sig=1"}]
    listed = {"space_type": "image_sequence", "frames": frames, "width": 6, "height": 5, "number_of_frames": 1}
    (space,) = spaces_from_listing({"i": listed})
    assert space.frames == FRAMES


def test_a_live_project_has_the_same_spaces() -> None:
    with running_emulator(PROJECT) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        taken = snapshot_from_project(client.get_project(running.project_hash))
    assert {medium.title: medium.spaces for medium in taken.media} == {
        medium.title: medium.spaces for medium in PROJECT.media
    }


@pytest.mark.parametrize(
    ("media", "message"),
    [
        ((replace(make_video(), spaces=make_data_group().spaces),), "only a GROUP has them"),
        ((replace(make_data_group(), spaces=make_data_group().spaces[:1] * 2),), "space_id"),
        ((make_data_group(), replace(make_data_group("other"), spaces=make_data_group().spaces)), "spaces.space_id"),
    ],
)
def test_spaces_that_make_no_sense_are_refused(media: tuple[Any, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=message):
        write_snapshot(make_snapshot(media), tmp_path / "project.json")


def test_groups_may_all_have_a_root(tmp_path: Path) -> None:
    media = tuple(
        replace(group, spaces=(*group.spaces, ROOT)) for group in (make_data_group("a"), make_data_group("b"))
    )
    write_snapshot(make_snapshot(media), tmp_path / "project.json")
    assert read_snapshot(tmp_path / "project.json").media == media
