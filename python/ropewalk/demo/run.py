"""Runs the demo: writes the data, starts an emulator, and gives the commands that a user would type."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ropewalk.demo.emulator_process import PID_VARIABLE, started
from ropewalk.demo.synthetic import PREDICTIONS, PROJECT_FILE, SPOILT_FILE, write_demo
from ropewalk.errors import RopewalkError
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS

BRANCH = "demo-model"
SPOILT_BRANCH = "demo-spoilt"


class DemoError(RopewalkError, RuntimeError):
    """A step of the demo did not end as it should."""


def run_demo(folder: Path, *, annotations: int, seed: int, say: Callable[[str], None]) -> None:
    """Run the demo; the commands run in the current folder and write to this process's own stdout and stderr.

    Args:
        folder: An empty folder for the data, and for what the commands write.
        annotations: Size of the prediction set.
        seed: Seed of the prediction set.
        say: Writes a line.

    Raises:
        EmulatorError: The emulator does not start.
        DemoError: A command ends with another exit code than it should.
    """
    say("A synthetic prediction set goes into a local Encord; no account is needed, nothing leaves this machine.")
    written = write_demo(folder, annotations=annotations, seed=seed)
    shapes = ", ".join(f"{written.shapes[kind]:,} {kind}" for kind in ("boxes", "polygons", "masks"))
    say("")
    say(f"Written into {folder}:")
    say(f"  {PROJECT_FILE}  a project of 6 videos, an image group and an image, and its ontology")
    say(f"  {PREDICTIONS}/  {written.annotations:,} annotations in 2 COCO files: {shapes}; {written.tracks:,} tracks")
    say(f"  {SPOILT_FILE}   5 annotations, 3 of them bad on purpose")
    predictions, spoilt, work = (str(folder / name) for name in (PREDICTIONS, SPOILT_FILE, ".ropewalk"))
    serving = ("--project-file", str(folder / PROJECT_FILE))
    say("")
    say("A local Encord that holds the project, and the variables that lead commands to it:")
    say(f'$ eval "$({_typed("emulator", *serving, "--env")})"')
    with started(serving) as variables:
        step = _Steps(os.environ | variables, say)
        working = ("--work-dir", work)
        import_all = ("import", predictions, "--branch", BRANCH, *working, "--yes")
        step("What an import will do, before it does it:", "plan", predictions, "--branch", BRANCH, *working)
        step("The import: predictions become label rows on a branch.", *import_all)
        step("What is on the branch now:", "show", "--branch", BRANCH)
        step("The same command again saves nothing, since all of it is there.", *import_all)
        step(
            "Bad rows are rejected one by one, each with its reason and place; the exit code is 3 then.",
            *("import", spoilt, "--branch", SPOILT_BRANCH, *working, "--yes"),
            expected=EXIT_WITH_REJECTS,
        )
        rejects = Path(work, f"rejects-{SPOILT_BRANCH}.ndjson")
        say("The first line there:")
        say(rejects.read_text(encoding="utf-8").splitlines()[0])
    say("")
    say(f"That was the demo; its emulator is stopped, as `kill ${PID_VARIABLE}` stops yours.")


def next_steps(folder: Path) -> list[str]:
    """Say what to try next with the data in a folder; each command works from the current folder."""
    predictions, project = str(folder / PREDICTIONS), str(folder / PROJECT_FILE)
    table = str(folder / "table.parquet")
    return [
        "Try next:",
        f"$ {_typed('plan', predictions, '--project-file', project, '--branch', 'model-1')}",
        f"$ {_typed('convert', predictions, '--out', table)}",
        f"$ {_typed('emulator', '--project-file', project, '--', 'bash')}   # commands in it need no account",
        "With an account: `ropewalk projects` lists your projects, `ropewalk plan FILE --project HASH --branch NAME` "
        "shows what an import would do.",
    ]


class _Steps:
    def __init__(self, environment: dict[str, str], say: Callable[[str], None]) -> None:
        self._environment = environment
        self._say = say

    def __call__(self, title: str, *arguments: str, expected: int = EXIT_ALL_WRITTEN) -> None:
        self._say("")
        self._say(title)
        self._say(f"$ {_typed(*arguments)}")
        command = [sys.executable, "-m", "ropewalk", *arguments]
        done = subprocess.run(command, env=self._environment, check=False)
        if done.returncode != expected:
            raise DemoError(f"`ropewalk {arguments[0]}` ended with exit code {done.returncode}; expected {expected}")


def _typed(*arguments: str) -> str:
    return shlex.join(("ropewalk", *arguments))
