"""Runs the demo: writes the data, starts an emulator, and gives the commands that a user would type."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ropewalk.demo.synthetic import PREDICTIONS, PROJECT_FILE, SPOILT_FILE, write_demo
from ropewalk.errors import RopewalkError
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS

BRANCH = "demo-model"
SPOILT_BRANCH = "demo-spoilt"

_STOP_SECONDS = 10


class DemoError(RopewalkError, RuntimeError):
    """A step of the demo did not end as it should."""


def run_demo(folder: Path, *, annotations: int, seed: int, say: Callable[[str], None]) -> None:
    """Run the demo; the commands write to this process's own stdout and stderr.

    Args:
        folder: An empty folder for the data.
        annotations: Size of the prediction set.
        seed: Seed of the prediction set.
        say: Writes a line.

    Raises:
        DemoError: The emulator does not start, or a command ends with another exit code than it should.
    """
    say("A synthetic prediction set goes into a local Encord; no account is needed, nothing leaves this machine.")
    written = write_demo(folder, annotations=annotations, seed=seed)
    shapes = ", ".join(f"{written.shapes[kind]:,} {kind}" for kind in ("boxes", "polygons", "masks"))
    say("")
    say(f"Written into {folder}:")
    say(f"  {PROJECT_FILE}  a project of 6 videos, an image group and an image, and its ontology")
    say(f"  {PREDICTIONS}/  {written.annotations:,} annotations in 2 COCO files: {shapes}; {written.tracks:,} tracks")
    say(f"  {SPOILT_FILE}   5 annotations, 3 of them bad on purpose")
    with _emulator(folder, say) as environment:
        step = _Steps(folder, environment, say)
        onto = ("--project", written.project_hash, "--branch")
        step("The import: predictions become label rows on a branch.", "import", PREDICTIONS, *onto, BRANCH)
        step("What is on the branch now:", "show", *onto, BRANCH)
        step("The same command again saves nothing, since all of it is there.", "import", PREDICTIONS, *onto, BRANCH)
        step(
            "Bad rows are rejected one by one, each with its reason and place; the exit code is 3 then.",
            "import",
            SPOILT_FILE,
            *onto,
            SPOILT_BRANCH,
            expected=EXIT_WITH_REJECTS,
        )
        rejects = Path(".ropewalk", f"rejects-{SPOILT_BRANCH}.ndjson")
        say("The first line there:")
        say((folder / rejects).read_text(encoding="utf-8").splitlines()[0])
    say("")
    say("That was the demo; the emulator is stopped.")


class _Steps:
    def __init__(self, folder: Path, environment: dict[str, str], say: Callable[[str], None]) -> None:
        self._folder = folder
        self._environment = environment
        self._say = say

    def __call__(self, title: str, *arguments: str, expected: int = EXIT_ALL_WRITTEN) -> None:
        self._say("")
        self._say(title)
        self._say(_typed(*arguments))
        done = subprocess.run(_command(*arguments), cwd=self._folder, env=self._environment, check=False)
        if done.returncode != expected:
            raise DemoError(f"`ropewalk {arguments[0]}` ended with exit code {done.returncode}; expected {expected}")


@contextmanager
def _emulator(folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Run an emulator in a process of its own; gives the environment that leads the other commands to it."""
    arguments = ("emulator", "--project-file", PROJECT_FILE)
    say("")
    say("A local Encord that holds the project; its first line says where it is and which key opens it:")
    say(f"{_typed(*arguments)} &")
    process = subprocess.Popen(_command(*arguments), cwd=folder, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        assert process.stdout is not None
        line = _first_line(process.stdout)
        say(line)
        where = json.loads(line)
        variables = {"ENCORD_DOMAIN": where["url"], "ENCORD_SSH_KEY_FILE": where["ssh_key"]}
        for name, value in variables.items():
            say(f"$ export {name}={shlex.quote(value)}")
        yield os.environ | variables
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _first_line(stdout: IO[str]) -> str:
    line = stdout.readline().strip()
    if not line:
        raise DemoError("the emulator did not start; what it wrote to stderr says why")
    return line


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ropewalk", *arguments]


def _typed(*arguments: str) -> str:
    return f"$ {shlex.join(('ropewalk', *arguments))}"
