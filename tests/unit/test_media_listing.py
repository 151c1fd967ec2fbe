"""Media by title: images inside groups, equal titles apart, globs, and the map for an import."""

from __future__ import annotations

from dataclasses import replace

import pytest
from encord import Project

from ropewalk import list_media
from ropewalk.project.media import media_map
from ropewalk.project.snapshot import Medium
from ropewalk.project.titles import is_meant
from snapshots import hash_of, make_image, make_image_group, make_snapshot, make_video


def media_with_twins() -> tuple[Medium, ...]:
    twin = replace(make_image("twin.jpg"), data_hash=hash_of("the other twin"))
    return make_video("clips/night.mp4"), make_image("twin.jpg"), twin, make_image_group()


def test_titles_sizes_and_images_of_groups() -> None:
    video, _, _, group = list_media(make_snapshot(media_with_twins()))
    assert (video.title, video.data_hash, video.data_type) == ("clips/night.mp4", hash_of("clips/night.mp4"), "VIDEO")
    assert (video.width, video.height, video.number_of_frames) == (64, 36, 12)
    assert [(i.title, i.data_hash, i.frame, i.width, i.height) for i in group.images] == [
        ("walk-0.png", hash_of("walk/0"), 0, 40, 24),
        ("walk-1.png", hash_of("walk/1"), 1, 24, 40),
        ("walk-2.png", hash_of("walk/2"), 2, 33, 21),
    ]
    assert "images" not in video.as_dict() and len(group.as_dict()["images"]) == 3


def test_equal_titles_are_kept_apart_and_left_out_of_the_map() -> None:
    listed = list_media(make_snapshot(media_with_twins()))
    twins = [medium.data_hash for medium in listed if medium.title == "twin.jpg"]
    assert twins == [hash_of("twin.jpg"), hash_of("the other twin")]
    titles, several = media_map(listed)
    assert several == ["twin.jpg"]
    assert titles == {
        "clips/night.mp4": hash_of("clips/night.mp4"),
        "walk": hash_of("walk"),
        **{f"walk-{n}.png": hash_of(f"walk/{n}") for n in range(3)},
    }


def test_a_live_project_gives_what_its_snapshot_gives(project: Project) -> None:
    assert list_media(project) == list_media(make_snapshot())


def test_globs_narrow_to_media_and_to_images_of_groups() -> None:
    snapshot = make_snapshot(media_with_twins())
    assert [medium.title for medium in list_media(snapshot, ["night*", "nothing"])] == ["clips/night.mp4"]
    assert [len(medium.images) for medium in list_media(snapshot, ["walk"])] == [3]
    (group,) = list_media(snapshot, ["walk-[12].png"])
    assert [(image.title, image.frame) for image in group.images] == [("walk-1.png", 1), ("walk-2.png", 2)]


@pytest.mark.parametrize(
    ("title", "glob", "meant"),
    [
        ("a/b.mp4", "b.*", True),
        ("a\\b.mp4", "b.mp4", True),
        ("a/b.mp4", "a/*", True),
        ("a/b.mp4", "a", False),
        ("b.MP4", "*.mp4", False),
    ],
)
def test_a_glob_is_for_the_title_or_what_follows_its_last_slash(title: str, glob: str, meant: bool) -> None:
    assert is_meant(title, [glob]) is meant


def test_a_signed_url_as_a_title_is_without_its_query() -> None:
    signed = "https://files.example.com/walk.jpg?X-Amz-Signature=canary"
    (listed,) = list_media(make_snapshot((make_image(signed),)))
    assert listed.title == "https://files.example.com/walk.jpg"
