"""One emulated project for all end-to-end tests; every test writes on a branch of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from encord import Project

from ropewalk.emulator import RunningEmulator, running_emulator
from ropewalk.sinks.encord.client import open_project
from workbench import Bench, full_snapshot

_BRANCHES = itertools.count(1)


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[RunningEmulator]:
    with running_emulator(full_snapshot()) as running:
        yield running


@pytest.fixture(scope="session")
def shared_project(shared_emulator: RunningEmulator) -> Project:
    return open_project(shared_emulator.project_hash, ssh_key=shared_emulator.ssh_key_path, domain=shared_emulator.url)


@pytest.fixture
def bench(shared_emulator: RunningEmulator, shared_project: Project, tmp_path: Path) -> Bench:
    """Give a branch and a folder that no other test uses."""
    return Bench(shared_emulator, shared_project, f"pred-{next(_BRANCHES)}", tmp_path)


@pytest.fixture(scope="module")
def module_bench(
    shared_emulator: RunningEmulator, shared_project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Bench:
    """Give a branch and a folder for all tests of a module: for one import that many tests look at."""
    folder = tmp_path_factory.mktemp("module")
    return Bench(shared_emulator, shared_project, f"pred-{next(_BRANCHES)}", folder)
