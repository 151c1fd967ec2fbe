"""An emulator in a process of its own, and the variables that lead other commands to it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ropewalk.errors import RopewalkError

# Process of an emulator that runs in the background, for `kill`.
PID_VARIABLE = "ROPEWALK_EMULATOR_PID"

_STOP_SECONDS = 10


class EmulatorError(RopewalkError, RuntimeError):
    """An emulator that does not start; the message has what it wrote."""


def variables_of(url: str, ssh_key: str, project_hash: str) -> dict[str, str]:
    """Name the environment variables by which commands find an emulator and its project."""
    return {"ENCORD_DOMAIN": url, "ENCORD_SSH_KEY_FILE": ssh_key, "ENCORD_PROJECT": project_hash}


def start(options: Sequence[str]) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start an emulator that goes on when this process ends.

    Args:
        options: Those of `ropewalk emulator`.

    Returns:
        Its process, and the variables that lead to it.

    Raises:
        EmulatorError: It does not start.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "ropewalk", "emulator", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Not ours: whoever reads that to its end would wait for the emulator.
            stderr=errors,
            text=True,
            encoding="utf-8",
            # Ctrl-C in the shell is not for it.
            start_new_session=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            errors.seek(0)
            raise EmulatorError(f"the emulator did not start: {errors.read().strip()}")
    where = json.loads(line)
    variables = variables_of(where["url"], where["ssh_key"], where["project_hash"])
    return process, variables | {PID_VARIABLE: str(process.pid)}


@contextmanager
def started(options: Sequence[str]) -> Iterator[dict[str, str]]:
    """Run an emulator for as long as the context lasts; gives the variables that lead to it.

    Raises:
        EmulatorError: It does not start.
    """
    process, variables = start(options)
    try:
        yield variables
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def exports(variables: Mapping[str, str]) -> str:
    """Write variables as lines for a POSIX shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def run_beside(options: Sequence[str], command: Sequence[str]) -> int:
    """Run a command while an emulator runs.

    Args:
        options: Those of `ropewalk emulator`.
        command: The command with its arguments.

    Returns:
        Its exit code; 128 and the number of a signal that ended it, as shells have it.

    Raises:
        EmulatorError: The emulator does not start.
        FileNotFoundError: The command does not exist.
    """
    with started(options) as variables:
        done = subprocess.run(list(command), env=os.environ | variables, check=False)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode
