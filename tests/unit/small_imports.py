"""What tests of whole imports share: two boxes, an emulator's project, and what stands in it afterwards."""

from __future__ import annotations

from encord import Project

from ropewalk.emulator import RunningEmulator
from ropewalk.showing.show import show
from ropewalk.sinks.encord.client import open_project

BOX = [0.25, 0.5, 0.125, 0.0625]
OTHER_BOX = [0.5, 0.125, 0.25, 0.75]


def opened(emulator: RunningEmulator) -> Project:
    """Open the project that an emulator holds."""
    return open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)


def objects_by_title(project: Project, branch: str) -> dict[str, int]:
    """Count the objects of each data unit that has any."""
    return {unit.data_title: unit.objects for unit in show(project, branch) if unit.objects}
