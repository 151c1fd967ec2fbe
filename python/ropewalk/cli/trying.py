"""The commands that need no account: a local Encord, and the demo on it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from ropewalk.cli import console
from ropewalk.files import make_folder
from ropewalk.text import shown


def emulator(
    project_file: Annotated[Path, typer.Option(metavar="FILE", help="Project snapshot to serve.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND...]", help="Run this command on the emulator, then stop the emulator."),
    ] = None,
    env: Annotated[
        bool,
        typer.Option(
            "--env",
            help='Start it in the background and print shell variables that lead to it, for eval "$(...)"; '
            "`kill $ROPEWALK_EMULATOR_PID` stops it.",
        ),
    ] = False,
    db: Annotated[Path | None, typer.Option(metavar="FILE", help="SQLite file that keeps the rows.")] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON file of faults that the answers suffer, to rehearse them.")
    ] = None,
    open_rows: Annotated[
        bool, typer.Option(help="Refuse a save whose label row the SDK cannot open. Opening takes longer than saving.")
    ] = True,
) -> None:
    """Run a local Encord for the `encord` client; the first line on stdout says where it is, as JSON.

    With a COMMAND after `--` it runs that, with variables that lead Ropewalk and the project to it.

    Exit codes: that of COMMAND; 0 stopped by a signal; 1 it does not start; 2 usage.
    """
    with console.failures():
        from ropewalk.demo.emulator_process import exports, run_beside, start
        from ropewalk.errors import UsageError

        if command and env:
            raise UsageError("--env and a COMMAND are both given; give one of them")
        try:
            from ropewalk.emulator import EmulatorOptions, read_faults, serve
        except ModuleNotFoundError as e:
            console.fail(str(e), 1)
        if not command and not env:
            options = EmulatorOptions(open_rows=open_rows)
            serve(project_file, db, port, options, None if faults is None else read_faults(faults))
            return
        given = [
            "--project-file",
            str(project_file),
            "--port",
            str(port),
            "--open-rows" if open_rows else "--no-open-rows",
        ]
        for name, value in (("--db", db), ("--faults", faults)):
            given += [] if value is None else [name, str(value)]
        if env:
            console.say(exports(start(given)[1]).rstrip())
            return
        code = run_beside(given, command or ())
    raise typer.Exit(code)


def demo(
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="New or empty folder for the data, which is kept; else a temporary one."),
    ] = None,
    annotations: Annotated[int, typer.Option(metavar="N", min=100, help="Annotations to import.")] = 50_000,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same data.")] = 1,
) -> None:
    """Import a synthetic prediction set into a local Encord and show what was written; no account is needed."""
    with console.failures(), ExitStack() as stack:
        from ropewalk.demo.run import next_steps, run_demo
        from ropewalk.errors import UsageError

        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ropewalk-demo-")))
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"--out {shown(str(out))} is not an empty folder; give a new one")
        else:
            folder = out
            make_folder(folder)
        run_demo(folder, annotations=annotations, seed=seed, say=console.say)
        if out is None:
            console.say("Its folder is removed; `ropewalk demo --out demo` keeps it, for trying more.")
            return
        console.say(f"The data is in {folder}.")
        for line in next_steps(folder):
            console.say(line)


TRYING: Mapping[str, Callable[..., None]] = {"emulator": emulator, "demo": demo}
