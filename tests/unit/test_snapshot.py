"""The snapshot file: what is written is read back, what is wrong is named, links stay out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ropewalk.errors import FileError, RopewalkError, SnapshotError
from ropewalk.project.snapshot import Medium, Snapshot, read_snapshot, write_snapshot
from snapshots import hash_of, make_image, make_image_group, make_snapshot, make_video

Document = dict[str, Any]


def written(snapshot: Snapshot, path: Path) -> Document:
    write_snapshot(snapshot, path)
    return json.loads(path.read_text())


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    audio = Medium(
        data_hash=hash_of("talk.wav"),
        title="tälk.wav",
        data_type="AUDIO",
        dataset_hash=hash_of("dataset"),
        dataset_title="Sounds",
        file_type="audio/wav",
        number_of_frames=88200,
        frames_per_second=44100.0,
        duration=2.0,
        audio_codec="pcm",
        audio_sample_rate=44100,
        audio_bit_depth=16,
        audio_num_channels=2,
        backing_item_uuid=hash_of("item"),
    )
    row = {"label_hash": "l1", "data_hash": audio.data_hash, "branch_name": "pred-1", "data_units": {}}
    media = (make_video(), make_image(width=None, height=None), make_image_group(), audio)
    snapshot = make_snapshot(media=media, label_rows=(row,))
    write_snapshot(snapshot, tmp_path / "project.json")
    assert read_snapshot(tmp_path / "project.json") == snapshot


def test_the_form_of_the_file(tmp_path: Path) -> None:
    document = written(make_snapshot(media=(make_image_group("walk", ((4, 3),)),)), tmp_path / "project.json")
    assert document["ropewalk_snapshot"] == 1
    assert document["project"] == {
        "project_hash": hash_of("project"),
        "title": "Test project",
        "description": "Made for tests",
    }
    assert document["ontology"].keys() == {"ontology_hash", "title", "structure"}
    assert document["media"] == [
        {
            "data_hash": hash_of("walk"),
            "title": "walk",
            "data_type": "IMG_GROUP",
            "dataset_hash": make_image_group().dataset_hash,
            "dataset_title": "Test data",
            "number_of_frames": 1,
            "images": [
                {
                    "image_hash": hash_of("walk/0"),
                    "title": "walk-0.png",
                    "file_type": "image/png",
                    "width": 4,
                    "height": 3,
                }
            ],
        }
    ]
    assert "label_rows" not in document


def test_the_error_is_a_ropewalk_error_and_a_value_error() -> None:
    assert issubclass(SnapshotError, RopewalkError) and issubclass(SnapshotError, ValueError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, column 1"),
        (b'{"ropewalk_snapshot": 1,\n "project": ', "line 2, column 13"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"ropewalk_snapshot": ' + b"1" * 5000 + b"}", "not valid JSON"),
        (b"[]", "expected a JSON object, found \\[\\]"),
        (b"{}", "no key `ropewalk_snapshot`"),
        (b'{"ropewalk_snapshot": 2}', "expected schema version 1, found 2"),
        (b'{"ropewalk_snapshot": true}', "expected schema version 1, found True"),
        (b'{"ropewalk_snapshot": 1}', "project: missing"),
    ],
)
def test_a_file_that_is_no_snapshot(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "project.json"
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=message) as caught:
        read_snapshot(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere.json: cannot be read: No such file"):
        read_snapshot(tmp_path / "nowhere.json")


def put(*path: str | int, value: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


def twice(document: Document) -> None:
    document["media"].append(document["media"][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("project", value=[]), r"project: expected a JSON object"),
        (drop("project", "title"), r"project\.title: missing; expected a text"),
        (put("project", "title", value=5), r"project\.title: expected a text, found 5"),
        (put("project", "project_hash", value="p1"), r"project\.project_hash: expected a UUID, found 'p1'"),
        (put("project", "project_hash", value=None), r"project\.project_hash: expected a text, found None"),
        (put("ontology", "ontology_hash", value=""), r"ontology\.ontology_hash: expected a UUID"),
        (drop("ontology", "structure"), r"ontology\.structure: missing"),
        (put("ontology", "structure", "objects", value={}), r"structure\.objects: expected a list"),
        (drop("ontology", "structure", "objects", 1, "shape"), r"objects\[1\]\.shape: missing"),
        (put("ontology", "structure", "classifications", 0, "featureNodeHash", value=""), r"featureNodeHash: expected"),
        (drop("media"), r"media: missing; expected a list"),
        (put("media", 1, value="still.jpg"), r"media\[1\]: expected a JSON object, found 'still.jpg'"),
        (put("media", 0, "width", value="64"), r"media\[0\]\.width: expected a whole number of at least 1, or null"),
        (put("media", 0, "width", value=0), r"media\[0\]\.width: .*found 0"),
        (put("media", 0, "height", value=True), r"media\[0\]\.height: .*found True"),
        (put("media", 0, "height", value=36.0), r"media\[0\]\.height: .*found 36\.0"),
        (drop("media", 0, "number_of_frames"), r"media\[0\]\.number_of_frames: expected the number of frames"),
        (put("media", 0, "number_of_frames", value=-1), r"media\[0\]\.number_of_frames"),
        (put("media", 0, "frames_per_second", value=float("nan")), r"media\[0\]\.frames_per_second: .*found nan"),
        (put("media", 0, "duration", value=float("inf")), r"media\[0\]\.duration: .*found inf"),
        (put("media", 0, "duration", value=10**400), r"media\[0\]\.duration: expected a number"),
        (put("media", 0, "data_hash", value=""), r"media\[0\]\.data_hash: expected a text that is not empty"),
        (put("media", 0, "data_type", value="video"), r"media\[0\]\.data_type: .*in capitals"),
        (put("media", 0, "dataset_hash", value="d"), r"media\[0\]\.dataset_hash: expected a UUID"),
        (put("media", 0, "backing_item_uuid", value="b"), r"media\[0\]\.backing_item_uuid: expected a UUID"),
        (
            put("media", 0, "images", value=[{"image_hash": "i", "title": "t"}]),
            r"media\[0\]\.images: expected no images",
        ),
        (drop("media", 2, "images", 1), r"media\[2\]\.images: expected one entry for each of the 3 frames, found 2"),
        (drop("media", 2, "images"), r"media\[2\]\.images: .*found 0"),
        (put("media", 2, "images", 1, "image_hash", value=hash_of("walk/0")), r"media\[2\]\.images\[1\].*twice"),
        (put("media", 2, "images", 1, "width", value=-4), r"media\[2\]\.images\[1\]\.width"),
        (twice, r"media\[3\]\.data_hash: .* appears twice"),
        (
            put("label_rows", value=[{"data_hash": "x"}]),
            r"label_rows\[0\]\.data_hash: expected the data_hash of a medium",
        ),
        (put("label_rows", value=[{"data_hash": hash_of("walk")}]), r"label_rows\[0\]\.label_hash: missing"),
        (
            put(
                "label_rows",
                value=[
                    {"data_hash": hash_of("walk"), "label_hash": key, "branch_name": "main", "data_units": {}}
                    for key in "ab"
                ],
            ),
            r"label_rows\[1\]\.data_hash: .*on branch main' appears twice",
        ),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: Callable[[Document], None], message: str) -> None:
    path = tmp_path / "project.json"
    document = copy.deepcopy(written(make_snapshot(), path))
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(SnapshotError, match=message):
        read_snapshot(path)


def test_a_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    document = written(make_snapshot(), path)
    document["project"]["project_hash"] = "x" * 100_000
    path.write_text(json.dumps(document))
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(path)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "https://bucket.example/a.mp4?X-Signature=1",
        "s3://bucket/a.mp4",
        "see gs://b/c",
        "by jo.doe+x@mail.example.org",
        "bucket/a.mp4?X-Amz-Date=1&X-Amz-Signature=0abc",
        "a.mp4?token=abc",
    ],
)
def test_links_and_addresses_are_not_written(tmp_path: Path, text: str) -> None:
    path = tmp_path / "project.json"
    for snapshot, where in (
        (replace(make_snapshot(), project_description=text), "project.description"),
        (make_snapshot(media=(make_video(text),)), r"media\[0\].title"),
        (make_snapshot(structure={"objects": [], "note": [{text: 1}]}), r"structure.note\[0\]"),
        (
            make_snapshot(
                label_rows=(
                    {
                        "data_hash": hash_of("walk"),
                        "label_hash": "l",
                        "branch_name": "main",
                        "data_units": {"u": {"data_link": text}},
                    },
                )
            ),
            r"label_rows\[0\].data_units.u.data_link",
        ),
    ):
        with pytest.raises(SnapshotError, match=where) as caught:
            write_snapshot(snapshot, path)
        assert text not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_is_not_valid_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    write_snapshot(make_snapshot(), path)
    before = path.read_bytes()
    with pytest.raises(SnapshotError, match="width"):
        write_snapshot(make_snapshot(media=(make_video(width=0),)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("title", ["sign@2x.png", "a:b//c.mp4", "why? sig.mp4", "50%@noon.jpeg", "x" * 200_000 + "@"])
def test_odd_file_names_are_no_links(tmp_path: Path, title: str) -> None:
    path = tmp_path / "project.json"
    write_snapshot(make_snapshot(media=(make_video(title),)), path)
    assert read_snapshot(path).media[0].title == title


def test_an_image_without_a_number_of_frames_has_one(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    document = written(make_snapshot(media=(make_image(),)), path)
    del document["media"][0]["number_of_frames"]
    path.write_text(json.dumps(document))
    assert read_snapshot(path).media[0].number_of_frames == 1
