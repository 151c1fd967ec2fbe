"""Runs what the guide shows: its Python block, on the project of its JSON block."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ropewalk.snapshot import read_snapshot

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "emulator.md"


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    return found[0]


def test_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("project.json").write_text(block("json"), encoding="utf-8")
    assert [medium.title for medium in read_snapshot("project.json").media] == ["drive-017.mp4", "crossing"]
    exec(compile(block("python"), str(GUIDE), "exec"), {})
