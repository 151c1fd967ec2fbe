"""The preview's page in a real browser: it draws, filters and enlarges. `make test-browser` runs this."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from chromium import document_of
from preview_pages import WIDTH, write_video
from ropewalk import preview, read_table

pytestmark = pytest.mark.skipif("ROPEWALK_BROWSER" not in os.environ, reason="`make test-browser` runs this")

BASE = {"media": "v.mp4", "unit": "px", "width_px": WIDTH, "height_px": 180}
ROWS: list[dict[str, Any]] = [
    BASE | {"class": "Car", "frame": n, "track": 1, "score": n / 10, "box": [20 + 10 * n, 60, 60, 50]} for n in range(6)
] + [
    BASE | {"class": "Ship", "frame": 0, "box": [100, 20, 40, 20], "theta": 30, "score": 0.9},
    BASE | {"class": "Road", "frame": 1, "shape": "polygon", "points": [[[0, 0, 9, 0, 9, 9]]], "score": 0.9},
    BASE | {"class": "Man", "frame": 2, "shape": "skeleton", "points": [[[10, 20] * 17]], "score": 0.9},
    BASE | {"class": "<b>Pond</b>", "frame": 3, "shape": "ellipse", "box": [9, 9, 20, 10], "score": 0.9},
    BASE | {"class": "Lane", "frame": 4, "media": "w", "shape": "polyline", "points": [[[0, 0, 9, 9]]], "score": 0.9},
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page of all shapes over a video."""
    folder = tmp_path_factory.mktemp("page")
    write_video(folder / "v.mp4")
    preview(read_table(ROWS), folder / "preview.html", media_dir=folder, work_dir=folder)
    return folder / "preview.html"


def figures(document: str) -> list[str]:
    return re.findall(r"<figure.*?</figure>", document, re.DOTALL)


def test_it_draws_every_shape_over_its_frame(page: Path) -> None:
    document = document_of(page)
    assert "<title>Preview of what is in memory</title>" in document
    found = figures(document)
    assert len(found) == 7
    assert sum("<image" in figure for figure in found) == 6
    assert len(re.findall(r"<rect [^>]*rotate\(30 120 30\)", "".join(found))) == 1
    for words in ('<path d="M0 0 9 0 9 9Z"', "<ellipse cx", "<line x1", "&lt;b&gt;Pond&lt;/b&gt;"):
        assert words in document, words
    assert document.count('class="cell"') == 6


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("document.getElementById('medium').value = 1; document.getElementById('medium').dispatchEvent(E)", 1),
        ("document.getElementById('score').value = 0.95; document.getElementById('score').dispatchEvent(I)", 0),
        ("document.querySelectorAll('.classes input').forEach((b, n) => { if (n) b.click(); })", 6),
    ],
)
def test_it_filters(page: Path, script: str, expected: int) -> None:
    document = document_of(page, f"const E = new Event('change'), I = new Event('input'); {script};")
    assert len(figures(document)) == expected
    assert f"{expected} of 7 frames" in document


def test_it_enlarges_a_frame(page: Path) -> None:
    document = document_of(page, "document.querySelector('.sides').click()")
    assert re.search(r"<dialog open[^>]*><svg", document)
