"""Runs what the guide shows: its Python blocks, on the project and the faults of its JSON blocks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ropewalk.emulator import read_faults
from ropewalk.project.snapshot import read_snapshot

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "emulator.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", [0, 1])
def test_the_guide_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    faults, project = blocks("json")
    Path("project.json").write_text(project, encoding="utf-8")
    Path("faults.json").write_text(faults, encoding="utf-8")
    assert [medium.title for medium in read_snapshot("project.json").media] == ["drive-017.mp4", "crossing"]
    assert [rule.fault.name for rule in read_faults("faults.json").rules] == [
        "503",
        "429",
        "drop_after",
        "stall_before",
    ]
    examples = blocks("python")
    assert len(examples) == 2
    exec(compile(examples[number], str(GUIDE), "exec"), {})
