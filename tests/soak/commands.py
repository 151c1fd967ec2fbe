"""Runs of the command line in processes that can be killed.

Loading Python, the client and the core takes a second, which would bound the number of kills. So the runs are forked
from a server that has loaded them; `cold` makes one that loads everything itself, for kills in start-up.
"""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("kills and forks need a POSIX system", allow_module_level=True)

# Longer than anything here takes on a busy machine.
SECONDS = 180

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [
        # What these tests import themselves: this module names it.
        "pytest",
        "ropewalk._core",
        "ropewalk.cli.commands",
        "ropewalk.converting.convert",
        "ropewalk.importing.run",
        "ropewalk.importing.rollback",
        "ropewalk.importing.verify",
        "ropewalk.sinks.encord.connection",
        "ropewalk.sinks.encord.opening",
        "ropewalk.sinks.encord.upload",
    ]
)


class Running:
    """A run of the command line: `python -m ropewalk ARGUMENTS...`, forked."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        prepare: Callable[..., None] | None = None,
        prepare_with: Sequence[Any] = (),
        env: Mapping[str, str] | None = None,
        loud: bool = False,
    ) -> None:
        """Start it.

        Args:
            command: The arguments.
            prepare: Called in the process first, with `prepare_with`; a function of a module.
            prepare_with: Its arguments.
            env: Environment variables beside those there are.
            loud: Log everything that any library logs, and tracebacks of crashes.
        """
        handle, self._out = tempfile.mkstemp(prefix="ropewalk-out-")
        os.close(handle)
        self._process: Any = _processes.Process(
            target=_run, args=(list(command), self._out, prepare, tuple(prepare_with), dict(env or {}), loud)
        )
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_over(self) -> bool:
        return self._process.exitcode is not None

    def kill(self, how: int = signal.SIGKILL) -> None:
        os.kill(self._process.pid, how)

    def wait(self, seconds: float = SECONDS) -> tuple[int, str]:
        """Wait for its end.

        Returns:
            The exit code, negative for the signal that killed it, and what it wrote.
        """
        self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
            raise AssertionError(f"still running after {seconds:g} s: {self._output()}")
        return self._process.exitcode, self._output()

    def _output(self) -> str:
        path = Path(self._out)
        text = path.read_text(errors="surrogateescape")
        path.unlink()
        return text


def _run(
    command: list[str],
    out: str,
    prepare: Callable[..., None] | None,
    prepare_with: tuple[Any, ...],
    env: dict[str, str],
    loud: bool,
) -> None:
    file = os.open(out, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.environ.update(env)
    if loud:
        logging.basicConfig(level=logging.DEBUG)
        faulthandler.enable()
    if prepare is not None:
        prepare(*prepare_with)
    sys.argv = ["ropewalk", *command]
    from ropewalk.cli import main

    main()


def note_peak(path: str) -> None:
    """Write the process's peak memory to a file when it ends, in bytes."""
    import atexit
    import multiprocessing.util
    import resource

    def write(*_: object) -> None:
        unit = 1 if sys.platform == "darwin" else 1024
        Path(path).write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit))

    atexit.register(write)
    # A forked process runs no atexit functions.
    multiprocessing.util.Finalize(None, write, exitpriority=0)


def finish(command: Sequence[str], code: int = 0, **more: Any) -> str:
    """Run the command line to its end, with the exit code given and no traceback.

    Returns:
        What it wrote.
    """
    found, text = Running(command, **more).wait()
    assert found == code, (found, text)
    assert "Traceback" not in text, text
    return text


def cold(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the command line as users do."""
    return subprocess.Popen(
        [sys.executable, "-m", "ropewalk", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_until(what: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
