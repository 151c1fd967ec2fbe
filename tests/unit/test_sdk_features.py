"""Which version of the `encord` SDK knows a feature."""

from __future__ import annotations

import pytest

from ropewalk.errors import UsageError
from ropewalk.sinks.encord import versions
from ropewalk.sinks.encord.versions import FIRST_WITH, check_sdk, lack_of


@pytest.mark.parametrize(
    ("found", "lacks"),
    [("0.1.186", True), ("0.1.194", True), ("0.1.99", True), ("0.1.195", False), ("0.2.0rc1", False), ("1.0", False)],
)
def test_versions_are_compared_by_their_numbers(monkeypatch: pytest.MonkeyPatch, found: str, lacks: bool) -> None:
    monkeypatch.setattr(versions, "version", lambda _: found)
    assert (lack_of("circle") is not None) == lacks


def test_the_message_has_the_feature_what_is_needed_and_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "version", lambda _: "0.1.186")
    said = (
        r'spaces: the encord SDK 0\.1\.187 or later is needed, 0\.1\.186 is installed; run `pip .*"encord>=0\.1\.187"`'
    )
    with pytest.raises(UsageError, match=said):
        check_sdk("spaces")


def test_the_installed_sdk_knows_all_features_or_says_which_it_lacks() -> None:
    from encord.objects import Shape

    shapes = {shape.value for shape in Shape}
    for feature in ("circle", "cuboid_2d", "ellipse", "time_range"):
        assert feature in FIRST_WITH
        assert (lack_of(feature) is None) == (feature in shapes)
