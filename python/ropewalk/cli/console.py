"""What the command line shows: progress, results and failures. Rich on a terminal, plain lines otherwise."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

from ropewalk.bars import shown_progress as shown_by_bars
from ropewalk.errors import RopewalkError, UsageError
from ropewalk.files import STDOUT, is_stream, refuse_same
from ropewalk.options import on_command_line
from ropewalk.progress import NoProgress
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_STOPPED, EXIT_USAGE
from ropewalk.summary import MESSAGE_CHARACTERS, active_line, rejects_line, report_lines
from ropewalk.text import count, shown

if TYPE_CHECKING:
    from pathlib import Path

    from ropewalk.files import FilesRead
    from ropewalk.progress import Progress
    from ropewalk.report import Report


@dataclass(frozen=True)
class _Run:
    """How a command was called."""

    context: typer.Context
    quiet: bool


_run: ContextVar[_Run | None] = ContextVar("run", default=None)


@contextmanager
def run_of(context: typer.Context, *, quiet: bool) -> Iterator[None]:
    """Run a command: what it shows depends on how it was called.

    Args:
        context: Of the command.
        quiet: Whether progress, and the summary of what went well, are left out.
    """
    token = _run.set(_Run(context, quiet))
    try:
        yield
    finally:
        _run.reset(token)


def is_quiet() -> bool:
    """Tell whether progress and summaries are left out."""
    run = _run.get()
    return run is not None and run.quiet


def is_typed(option: str) -> bool:
    """Tell whether an option was given on the command line, not by the environment or a file."""
    run = _run.get()
    source = None if run is None else run.context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


@contextmanager
def logged() -> Iterator[None]:
    """Write what Ropewalk logs to stderr."""
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("ropewalk")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Give a progress that is shown, unless the command is quiet."""
    if is_quiet():
        yield NoProgress()
        return
    with shown_by_bars() as progress:
        yield progress


def say(line: str, *, err: bool = False) -> None:
    """Write a line to stdout, or to stderr."""
    typer.echo(line, err=err)


def is_answered() -> bool:
    """Tell whether there is somebody to answer a question: both stdin and stderr are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def fail(message: str, code: int) -> NoReturn:
    """Write what went wrong to stderr, made safe to show, and exit."""
    say(f"ropewalk: {shown(message, MESSAGE_CHARACTERS)}", err=True)
    raise typer.Exit(code)


@contextmanager
def failures(report_file: Path | None = None, again: str = "") -> Iterator[None]:
    """Turn what stops a command into one clear message and its exit code.

    Args:
        report_file: Where the report of a stopped import is written all the same.
        again: What running the command again does, said when it is interrupted or the server is lost.
    """
    from ropewalk.errors import EncordError, LedgerError

    try:
        with on_command_line():
            yield
    except RopewalkError as e:
        code = EXIT_USAGE if isinstance(e, UsageError) else EXIT_STOPPED
        if e.report is not None:
            e.report.exit_code = code
            _save_stopped(e.report, report_file)
            if e.report.rejects_file not in (None, str(STDOUT)):
                say(rejects_line(e.report.rejects_file), err=True)
        hint = f"; {again}" if again and isinstance(e, (EncordError, LedgerError)) and e.report is not None else ""
        fail(f"{e}{hint}", code)
    except OSError as e:
        _save_stopped(getattr(e, "report", None), report_file)
        where = f"{shown(str(e.filename))}: " if e.filename is not None else ""
        fail(f"{where}{e.strerror or e}", EXIT_STOPPED)
    except KeyboardInterrupt as e:
        report = getattr(e, "report", None)
        _save_stopped(report, report_file)
        so_far = f"; {_so_far(report)}" if report is not None else ""
        fail(f"interrupted{so_far}{f'; {again}' if again else ''}", EXIT_STOPPED)


def _so_far(report: Report) -> str:
    stored = report.label_rows_saved + report.label_rows_already_there
    return f"{stored:,} of {count(report.label_rows_staged, 'label row')} known to be stored"


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a command as ctrl-C does."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    # Signals belong to the main thread; elsewhere somebody else handles them.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_report_file(file: Path | None, read: FilesRead, **others: Path | None) -> None:
    """Find out before anything is read whether the report can be written; its folder is made.

    Args:
        file: Where the report is to be written.
        read: Files that must not be written over.
        **others: Where other options write to.

    Raises:
        UsageError: It would be written over a file that is read, or one that another option names.
        OSError: It cannot be written.
    """
    read.refuse("report", file)
    refuse_same(report=file, **others)
    if file is not None and not is_stream(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            pass


def save_report(report: Report, file: Path | None) -> None:
    """Write a report to a file, or to stdout for `-`.

    Raises:
        FileError: It cannot be written.
    """
    if file is not None:
        report.save(file)


def _save_stopped(report: Report | None, file: Path | None) -> None:
    """Write the report of what was stopped; what keeps it from being written must not hide why it was stopped."""
    if report is None or file is None:
        return
    try:
        report.save(file)
    except OSError as e:
        # What is there is the report of another run.
        if not is_stream(file):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        say(f"ropewalk: the report is not written: {shown(str(e), MESSAGE_CHARACTERS)}", err=True)


def show_report(report: Report, *, verb: str, err: bool = False) -> None:
    """Write the sums of a report for people.

    Args:
        report: The report of an import that ran to its end.
        verb: `written`, or what a rehearsal or a conversion calls it.
        err: To stderr instead of stdout.
    """
    if is_quiet() and report.exit_code == EXIT_ALL_WRITTEN:
        return
    for line in report_lines(report, verb):
        say(line, err=err)
    if report.verification is not None:
        from ropewalk.cli.differences import show_differences

        show_differences(report.verification["differences"], err=err)
    if report.active is not None:
        # On stderr, since the exit code is that of the import: that is done whatever became of the sync.
        say(active_line(report.active), err=err or report.active["error"] is not None)
