"""The good examples of every format are drawn, as they are read and as an import would write them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from preview_pages import data_of
from ropewalk import preview
from snapshots import make_format_project
from test_formats import EXAMPLES, FORMATS, import_options_of, options_of


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("with_project", [False, True])
def test_its_examples_are_drawn(name: str, with_project: bool, tmp_path: Path) -> None:
    good, named = (sorted((EXAMPLES / name / folder).glob("*")) for folder in ("good", "named"))
    options: dict[str, Any] = {"work_dir": tmp_path} | ({"format": name} if named else {}) | options_of(name)
    if with_project:
        options |= import_options_of(name) | {"project": make_format_project()}
    result = preview(good + named, tmp_path / "preview.html", **options)
    (counts,) = result.sides.values()
    assert counts.get("drawable", 0) + counts.get("not drawn: answers and sounds", 0) > 0
    assert not [what for what in counts if what.startswith("rejected")]
    drawn = [item for frame in data_of(tmp_path / "preview.html")["frames"] for item in frame["sides"][0]]
    assert bool(drawn) == bool(counts.get("drawable"))
    for item in drawn:
        assert item["b"] is None or all(map(math.isfinite, item["b"]))
        assert item["d"] or item["k"] == "bitmask"
