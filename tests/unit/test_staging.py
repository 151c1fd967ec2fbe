"""Folders of staged rows: those that a killed import left behind go, those that are in use stay."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ropewalk.scratch import stage_folder

HOLD = """
import sys
from pathlib import Path
from ropewalk.scratch import stage_folder

with stage_folder(Path(sys.argv[1])) as folder:
    (folder / "run-0").write_bytes(b"sorted")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """Start a process that holds a stage folder until its stdin is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def folders(work_dir: Path) -> list[str]:
    return sorted(path.name for path in work_dir.iterdir() if path.is_dir())


def test_a_folder_lasts_as_long_as_its_context(tmp_path: Path) -> None:
    with stage_folder(tmp_path) as one, stage_folder(tmp_path) as two:
        assert folders(tmp_path) == sorted([one.name, two.name])
    assert folders(tmp_path) == []


def test_only_folders_without_an_owner_are_removed(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.stdout is not None
    name = holder.stdout.readline().strip()
    with stage_folder(tmp_path):
        assert (tmp_path / name / "run-0").is_file()
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert folders(tmp_path) == [name]
    with stage_folder(tmp_path) as own:
        assert folders(tmp_path) == [own.name]
