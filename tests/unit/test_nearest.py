"""Names that are near each other, and names that are not."""

from __future__ import annotations

import pytest

from ropewalk.nearest import NEAR, SURE, alike, nearest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("car", "Car"),
        ("people", "Person"),
        ("pedestrians", "person"),
        ("TrafficLights", "traffic light"),
        ("traffic_signal", "Traffic Light"),
        ("motorbike", "motorcycle"),
        ("buses", "bus"),
        ("cyclst", "Cyclist"),
        ("tv", "TV monitor"),
        ("cam_01", "cam 1"),
        ("runs/a/street-1", "bucket/street-1.mp4"),
    ],
)
def test_names_that_surely_mean_the_same(one: str, other: str) -> None:
    assert alike(one, other) >= SURE
    assert alike(other, one) == alike(one, other)


@pytest.mark.parametrize(("one", "other"), [("Caar", "Car"), ("Traffic light red", "Traffic light"), ("Cra", "Crab")])
def test_names_that_are_only_near(one: str, other: str) -> None:
    assert NEAR <= alike(one, other) < SURE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("car", "cat"),
        ("zebra", "Car"),
        ("cam_01", "cam_02"),
        ("a.jpg", "b.jpg"),
        ("truck", "track and field"),
        ("", "x"),
    ],
)
def test_names_that_are_not_near(one: str, other: str) -> None:
    assert alike(one, other) < NEAR


def test_the_nearest_come_first_and_nothing_comes_when_nothing_is_near() -> None:
    names = ["Pedestrian group", "Person", "people", "Car"]
    assert [name for name, _ in nearest("People", names)] == ["people", "Person"]
    assert nearest("zebra", names) == []
