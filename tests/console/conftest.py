"""What the console's tests work on: the demo's data, a local Encord, and snapshots in text files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from ropewalk.demo.synthetic import write_demo
from ropewalk.emulator import running_emulator
from ropewalk.project.snapshot import read_snapshot
from runs import Console


class TextFile(SingleFileSnapshotExtension):
    """Keeps each snapshot in a text file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with the text files of `__snapshots__`; `pytest tests/console --snapshot-update` writes them."""
    return snapshot.use_extension(TextFile)


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """Work in a folder with the demo's data, on a local Encord of its own."""
    monkeypatch.chdir(tmp_path)
    write_demo(tmp_path, annotations=400, seed=1)
    with running_emulator(read_snapshot("project.json")) as local:
        yield Console(local.project_hash, local.url, local.ssh_key_path)
