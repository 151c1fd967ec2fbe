"""What the documents' examples work on: the demo's data, small, in the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ropewalk.demo.synthetic import write_demo


@pytest.fixture
def demo_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds `demo`, as `ropewalk demo --out demo` leaves it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    write_demo(tmp_path / "demo", annotations=400, seed=1)
    return tmp_path / "demo"
