"""The commands: options in, one call of the library, its result shown. Those that only read are in `reading_back`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ropewalk.cli import console, listings, tables
from ropewalk.cli import options as o
from ropewalk.cli.account import AccountOptions, chosen, open_project
from ropewalk.cli.app import App
from ropewalk.cli.evaluating import evaluate
from ropewalk.cli.inspecting import inspect
from ropewalk.cli.mapping import make_map
from ropewalk.cli.previewing import preview
from ropewalk.cli.reading_back import COMMANDS
from ropewalk.cli.trying import TRYING
from ropewalk.files import STDOUT, WORK_DIR, written_whole
from ropewalk.importing.options import ConnectOptions, ImportOptions, RollbackOptions, StageOptions, VerifyOptions
from ropewalk.options import made
from ropewalk.text import count, shown

if TYPE_CHECKING:
    from ropewalk.importing.planned import ImportPlan

app = App()

_AGAIN = "run the same command again to finish; what is stored is not sent again"


def _show_version(wanted: bool) -> None:
    if wanted:
        from ropewalk import __version__

        console.say(f"ropewalk {__version__}")
        raise typer.Exit


@app.callback()
def ropewalk(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Bulk import of model predictions into Encord prediction branches."""


@app.command(name="import")
@o.taking(ImportOptions, AccountOptions)
def import_command(
    sources: o.Sources,
    branch: o.Branch,
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    report: o.ReportFile = None,
    plan: o.PlanFile = None,
    yes: o.Yes = False,
    **options: Any,
) -> None:
    """Import predictions onto a branch of a project; the same command again finishes one that was stopped.

    On a terminal it shows the plan and asks before anything is sent.

    Exit codes: 0 all written; 3 done, with rejects or differences; 1 stopped or failed; 2 usage.
    """
    _import(sources, branch, project, project_file, report, plan, asks=not yes, options=options)


@app.command(name="plan")
@o.taking(ImportOptions, AccountOptions, without=("dry_run", "written", "verify", "sync"))
def plan_command(
    sources: o.Sources,
    branch: o.Branch,
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    report: o.ReportFile = None,
    plan: o.PlanFile = None,
    **options: Any,
) -> None:
    """Show what an import would do and write nothing: `import --dry-run` by another name.

    Exit codes: 0 all would be written; 3 there are rejects; 1 stopped or failed; 2 usage.
    """
    _import(sources, branch, project, project_file, report, plan, asks=False, options=options | {"dry_run": True})


def _import(
    sources: list[str],
    branch: str,
    project: str | None,
    project_file: Path | None,
    report: Path | None,
    plan: Path | None,
    *,
    asks: bool,
    options: dict[str, Any],
) -> None:
    with console.failures(report, _AGAIN), console.stopped_by_sigterm():
        from ropewalk.cli.plan import question_of, save_plan, show_plan
        from ropewalk.errors import UsageError
        from ropewalk.importing.run import check_branch, import_predictions
        from ropewalk.project.snapshot import read_snapshot
        from ropewalk.reading.predictions import sources_of
        from ropewalk.reading.sources import files_read

        project, project_file = chosen(project, project_file)
        if (project is None) == (project_file is None):
            raise UsageError("give --project HASH, or --project-file FILE with --dry-run")
        # What can be found wrong without a connection is said before one is made.
        given = o.taken(ImportOptions, options)
        job = made(ImportOptions, given)
        if project_file is not None and not job.dry_run:
            raise UsageError("a project file can only be imported into with --dry-run")
        check_branch(branch, job.allow_branch)
        found, _ = sources_of(sources, ImportOptions, given)
        read = files_read(found, job, project_file)
        read.refuse("plan", plan)
        console.check_report_file(report, read, plan=plan, rejects=job.rejects, written=job.written)
        target: Any
        if project_file is not None:
            target = read_snapshot(project_file)
        else:
            assert project is not None
            target = open_project(project, options)
        asks = asks and not job.dry_run and console.is_answered()

        def confirm(made: ImportPlan) -> bool:
            if plan is not None:
                save_plan(made, plan)
            if not asks:
                return True
            show_plan(made, err=True)
            return typer.confirm(question_of(made), default=True, err=True)

        with console.shown_progress() as progress:
            result = import_predictions(
                found,
                target,
                branch=branch,
                progress=progress,
                confirm=confirm if asks or plan is not None else None,
                **given,
            )
        err = STDOUT in (report, plan, job.rejects, job.written)
        if result.plan is not None:
            # What a plan says is what was asked for, also of a quiet command.
            show_plan(result.plan, err=err)
            if plan is not None:
                save_plan(result.plan, plan)
        console.show_report(result, verb="to be written" if job.dry_run else "written", err=err)
        console.save_report(result, report)
    raise typer.Exit(result.exit_code)


@app.command()
@o.taking(StageOptions)
def convert(
    sources: o.Sources,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help=".ndjson for label rows, - for those on stdout; without a project .parquet or .arrow for the table, "
            ".json for a COCO dataset.",
        ),
    ],
    project_file: o.ProjectFile = None,
    branch: Annotated[str, typer.Option(metavar="NAME", help="Branch the label rows are meant for.")] = "predictions",
    report: o.ReportFile = None,
    **options: Any,
) -> None:
    """Convert predictions to a file: label rows as NDJSON, a Parquet or Arrow table, or a COCO dataset."""
    with console.failures(report):
        from ropewalk.converting.convert import convert as run
        from ropewalk.importing.run import check_branch
        from ropewalk.project.snapshot import read_snapshot
        from ropewalk.reading.predictions import sources_of
        from ropewalk.reading.sources import files_read

        check_branch(branch, allow_branch=True)
        found, job = sources_of(sources, StageOptions, options)
        read = files_read(found, job, project_file)
        read.refuse("out", out)
        console.check_report_file(report, read, out=out, rejects=job.rejects)
        snapshot = None if project_file is None else read_snapshot(project_file)
        with console.shown_progress() as progress:
            result = run(found, out, snapshot, branch=branch, progress=progress, **options)
        console.show_report(result, verb="written", err=STDOUT in (report, job.rejects, out))
        console.save_report(result, report)
    raise typer.Exit(result.exit_code)


@app.command()
@o.taking(VerifyOptions, AccountOptions)
def verify(
    sources: o.Sources,
    project: o.RequiredProjectHash,
    branch: o.Branch,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every difference to a file, one JSON line each."),
    ] = None,
    allow_extra: Annotated[
        bool, typer.Option("--allow-extra", help="Accept other objects on the same label rows, as after a merge.")
    ] = False,
    as_json: o.AsJson = False,
    **options: Any,
) -> None:
    """Compare a branch with predictions, object by object; give the options of the import.

    Exit codes: 0 the branch holds what the source says; 3 it differs, or the source has rejects; 1 failed; 2 usage.
    """
    with console.failures(), ExitStack() as stack:
        from ropewalk.importing.verify import verify_predictions
        from ropewalk.reading.predictions import sources_of
        from ropewalk.reading.sources import files_read

        given = o.taken(VerifyOptions, options)
        found, job = sources_of(sources, VerifyOptions, given)
        files_read(found, job).refuse("out", out)
        target = open_project(project, options)
        write = None
        if out is not None:
            temporary = stack.enter_context(written_whole(out))
            write = stack.enter_context(temporary.open("w", encoding="ascii")).write
        result = verify_predictions(
            found,
            target,
            branch=branch,
            allow_extra=allow_extra,
            on_difference=write,
            progress=stack.enter_context(console.shown_progress()),
            **given,
        )
        tables.show_verification(result, as_json=as_json, err=out == STDOUT)
    raise typer.Exit(result.exit_code)


@app.command()
def status(
    branch: Annotated[str | None, typer.Option(metavar="NAME", help="Show only this branch.")] = None,
    work_dir: o.WorkDir = WORK_DIR,
    as_json: o.AsJson = False,
) -> None:
    """Show how far the imports of a work folder came; the server is not asked."""
    with console.failures():
        from ropewalk.importing.status import status as read

        tables.show_status(list(read(work_dir, branch)), work_dir, as_json=as_json)


@app.command()
@o.taking(RollbackOptions, AccountOptions)
def rollback(
    project: o.RequiredProjectHash,
    branch: o.Branch,
    work_dir: o.WorkDir = WORK_DIR,
    ledger: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ledger of the import, as `ropewalk status` names it.")
    ] = None,
    also_edited: Annotated[
        bool, typer.Option("--also-edited", help="Undo also rows that someone edited after the import.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: o.AsJson = False,
    **options: Any,
) -> None:
    """Undo an import: label rows get back what they held before it, the others are emptied. Asks first.

    Exit codes: 0 all undone; 3 rows were left as they are; 1 not confirmed or failed; 2 usage.
    """
    with console.failures(again="run the same command again to finish"), console.stopped_by_sigterm():
        from ropewalk.importing.rollback import rollback as run

        given = o.taken(RollbackOptions, options)
        result = run(
            open_project(project, options),
            branch=branch,
            work_dir=work_dir,
            ledger=ledger,
            also_edited=also_edited,
            confirm=lambda question: yes or typer.confirm(f"{question}. Go on?", err=True),
            **given,
        )
        if result is None:
            console.fail("nothing was changed", 1)
        tables.show_rollback(result, as_json=as_json)
    raise typer.Exit(result.exit_code)


@app.command()
@o.taking(ConnectOptions, AccountOptions)
def promote(
    project: o.RequiredProjectHash,
    branch: o.Branch,
    to: Annotated[str, typer.Option(metavar="NAME", help="Branch to copy the label rows to.")] = "main",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace label rows that hold other labels; those labels are lost.")
    ] = False,
    limit_rows: Annotated[
        int | None, typer.Option(metavar="N", help="Copy at most N label rows; run again for more.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: o.AsJson = False,
    **options: Any,
) -> None:
    """Copy the label rows of a branch onto main, or another branch. Shows what it will do, and asks first.

    Exit codes: 0 all there; 3 rows were left as they are; 1 not confirmed or failed; 2 usage.
    """
    with console.failures(again="run the same command again to finish"), console.stopped_by_sigterm():
        from ropewalk.importing.promote import promote as run

        with console.shown_progress() as progress:
            result = run(
                open_project(project, options),
                branch=branch,
                to=to,
                replace=replace,
                limit_rows=limit_rows,
                confirm=lambda question: yes or typer.confirm(f"{question}. Go on?", err=True),
                progress=progress,
                **o.taken(ConnectOptions, options),
            )
        if result is None:
            console.fail("nothing was changed", 1)
        tables.show_promotion(result, as_json=as_json)
    raise typer.Exit(result.exit_code)


@app.command()
@o.taking(ConnectOptions, AccountOptions)
def prioritize(
    project: o.RequiredProjectHash,
    branch: o.Branch,
    priority_from: Annotated[
        str,
        typer.Option(
            metavar="confidence|disagreement",
            help="Label first what the model is least sure of, or where two branches differ most.",
        ),
    ],
    against: Annotated[str, typer.Option(metavar="NAME", help="Branch to compare with, for disagreement.")] = "main",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: o.AsJson = False,
    **options: Any,
) -> None:
    """Set the priorities of tasks from the predictions of a branch. Shows what it will do, and asks first.

    Exit codes: 0 done; 1 not confirmed or failed; 2 usage.
    """
    with console.failures(again="run the same command again to set all of them"), console.stopped_by_sigterm():
        from ropewalk.evaluating.prioritize import prioritize as run

        with console.shown_progress() as progress:
            result = run(
                open_project(project, options),
                branch=branch,
                # Anything else is refused by the library.
                priority_from=priority_from,  # type: ignore[arg-type]
                against=against,
                confirm=lambda question: yes or typer.confirm(f"{question}. Go on?", err=True),
                progress=progress,
                **o.taken(ConnectOptions, options),
            )
        if result is None:
            console.fail("nothing was changed", 1)
        tables.show_priorities(result, as_json=as_json)


@app.command()
@o.taking(AccountOptions)
def snapshot(
    project: o.RequiredProjectHash,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Snapshot file to write.")],
    client_metadata: Annotated[
        bool, typer.Option("--client-metadata", help="Include the client metadata of the media, for --media-key.")
    ] = False,
    **account: Any,
) -> None:
    """Write a project's ontology and media to a file without links, to rehearse an import with no account."""
    with console.failures():
        from ropewalk.project.live import snapshot_from_project
        from ropewalk.project.snapshot import write_snapshot

        taken = snapshot_from_project(open_project(project, account), client_metadata=client_metadata)
        write_snapshot(taken, out)
        console.say(f"{count(len(taken.media), 'data row')} in {shown(str(out))}", err=out == STDOUT)


@app.command()
def formats(as_json: o.AsJson = False) -> None:
    """List the formats of predictions: their files, and the options of reading that each takes."""
    with console.failures():
        from ropewalk.reading.formats import in_files

        if as_json:
            listings.write_json(in_files(), None)
        else:
            listings.write_formats(in_files())


_OTHERS = {
    **COMMANDS,
    **TRYING,
    "evaluate": evaluate,
    "inspect": inspect,
    "map": make_map,
    "preview": preview,
}
for name, command in _OTHERS.items():
    app.command(name=name)(command)
