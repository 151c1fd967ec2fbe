"""The commands: options in, one call of the library, its result shown."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from ropewalk.cli import console
from ropewalk.cli import options as o
from ropewalk.text import count, shown

app = typer.Typer(
    name="ropewalk",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would show keys.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)

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
def import_command(
    sources: o.Sources,
    branch: o.Branch,
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    dry_run: o.DryRun = False,
    report: o.ReportFile = None,
    domain: o.Domain = None,
    ssh_key: o.SshKey = None,
    format: o.Format = "coco",
    annotations: o.Annotations = None,
    source_label: o.SourceLabel = None,
    confidence_field: o.ConfidenceField = None,
    include_crowd: o.IncludeCrowd = False,
    min_confidence: o.MinConfidence = None,
    threads: o.Threads = 0,
    work_dir: o.WorkDir = Path(".ropewalk"),
    rejects: o.Rejects = None,
    class_map: o.ClassMap = None,
    media_map: o.MediaMap = None,
    media_from: o.MediaFrom = "auto",
    frame_from: o.FrameFrom = "auto",
    frame_pattern: o.FramePattern = None,
    frame_base: o.FrameBase = 0,
    frame_stride: o.FrameStride = 1,
    only_classes: o.OnlyClasses = None,
    only_media: o.OnlyMedia = None,
    limit_rows: o.LimitRows = None,
    every: o.Every = None,
    max_per_frame: o.MaxPerFrame = None,
    off_image: o.OffImage = "clip",
    simplify: o.Simplify = None,
    decimals: o.Decimals = None,
    allow_branch: o.AllowBranch = False,
    on_existing: o.OnExisting = "fail",
    empty_rows: o.EmptyRows = "skip",
    jobs: o.Jobs = 4,
    batch_rows: o.BatchRows = 20,
    batch_bytes: o.BatchBytes = 8_000_000,
    max_rejects: o.MaxRejects = None,
) -> None:
    """Import predictions onto a branch of a project.

    Exit codes: 0 all written; 3 done, with rejects; 1 stopped or failed; 2 usage.
    """
    with console.failures(report, _AGAIN):
        from ropewalk.errors import UsageError
        from ropewalk.importing import check_branch, import_predictions, split_options
        from ropewalk.snapshot import read_snapshot
        from ropewalk.sources import find_sources

        if (project is None) == (project_file is None):
            raise UsageError("give --project HASH, or --project-file FILE with --dry-run")
        if project_file is not None and not dry_run:
            raise UsageError("a project file can only be imported into with --dry-run")
        options: dict[str, Any] = {
            "format": format,
            "annotations": annotations,
            "confidence_field": confidence_field,
            "include_crowd": include_crowd,
            "min_confidence": min_confidence,
            "threads": threads or os.cpu_count() or 1,
            "work_dir": work_dir,
            "rejects": rejects,
            "class_map": class_map,
            "media_map": media_map,
            "media_from": media_from,
            "frame_from": frame_from,
            "frame_pattern": frame_pattern,
            "frame_base": frame_base,
            "frame_stride": frame_stride,
            "only_classes": _split(only_classes),
            "only_media": tuple(only_media or ()),
            "limit_rows": limit_rows,
            "every": every,
            "max_per_frame": max_per_frame,
            "off_image": off_image,
            "simplify_px": simplify,
            "decimals": decimals,
            "allow_branch": allow_branch,
            "on_existing": on_existing,
            "empty_rows": empty_rows,
            "jobs": jobs,
            "batch_rows": batch_rows,
            "batch_bytes": batch_bytes,
            "max_rejects": max_rejects,
            "dry_run": dry_run,
        }
        # What can be found wrong without a connection is said before one is made.
        _, stage, _ = split_options(options)
        check_branch(branch, allow_branch)
        console.check_report_file(report, stage.files_read(find_sources(sources, source_label)))
        target: Any
        if project_file is not None:
            target = read_snapshot(project_file)
        else:
            assert project is not None
            target = _open(project, ssh_key, domain)
        with console.shown_progress() as progress:
            result = import_predictions(
                sources, target, branch=branch, source_label=source_label, progress=progress, **options
            )
        console.show_report(result, verb="to be written" if dry_run else "written", err=report == console.STDOUT)
        console.save_report(result, report)
    raise typer.Exit(result.exit_code)


@app.command()
def convert(
    sources: o.Sources,
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help=".ndjson for label rows; .parquet or .arrow for the IR, no project needed."),
    ],
    project_file: o.ProjectFile = None,
    branch: Annotated[str, typer.Option(metavar="NAME", help="Branch the label rows are meant for.")] = "predictions",
    report: o.ReportFile = None,
    format: o.Format = "coco",
    annotations: o.Annotations = None,
    source_label: o.SourceLabel = None,
    confidence_field: o.ConfidenceField = None,
    include_crowd: o.IncludeCrowd = False,
    min_confidence: o.MinConfidence = None,
    threads: o.Threads = 0,
    work_dir: o.WorkDir = Path(".ropewalk"),
    rejects: o.Rejects = None,
    class_map: o.ClassMap = None,
    media_map: o.MediaMap = None,
    media_from: o.MediaFrom = "auto",
    frame_from: o.FrameFrom = "auto",
    frame_pattern: o.FramePattern = None,
    frame_base: o.FrameBase = 0,
    frame_stride: o.FrameStride = 1,
    only_classes: o.OnlyClasses = None,
    only_media: o.OnlyMedia = None,
    limit_rows: o.LimitRows = None,
    every: o.Every = None,
    max_per_frame: o.MaxPerFrame = None,
    off_image: o.OffImage = "clip",
    simplify: o.Simplify = None,
    decimals: o.Decimals = None,
) -> None:
    """Convert predictions to a file: label rows as NDJSON, or a Parquet or Arrow table."""
    with console.failures(report):
        from ropewalk.converting import convert as run
        from ropewalk.importing import check_branch
        from ropewalk.snapshot import read_snapshot
        from ropewalk.sources import find_sources

        check_branch(branch, allow_branch=True)
        found = find_sources(sources, source_label)
        given = [source.path for source in found if source.path is not None]
        console.check_report_file(report, given if annotations is None else [*given, annotations])
        snapshot = None if project_file is None else read_snapshot(project_file)
        with console.shown_progress() as progress:
            result = run(
                found,
                out,
                snapshot,
                branch=branch,
                progress=progress,
                format=format,
                annotations=annotations,
                confidence_field=confidence_field,
                include_crowd=include_crowd,
                min_confidence=min_confidence,
                threads=threads or os.cpu_count() or 1,
                work_dir=work_dir,
                rejects=rejects,
                class_map=class_map,
                media_map=media_map,
                media_from=media_from,
                frame_from=frame_from,
                frame_pattern=frame_pattern,
                frame_base=frame_base,
                frame_stride=frame_stride,
                only_classes=_split(only_classes),
                only_media=tuple(only_media or ()),
                limit_rows=limit_rows,
                every=every,
                max_per_frame=max_per_frame,
                off_image=off_image,
                simplify_px=simplify,
                decimals=decimals,
            )
        console.show_report(result, verb="written", err=report == console.STDOUT)
        console.save_report(result, report)
    raise typer.Exit(result.exit_code)


@app.command()
def snapshot(
    project: o.RequiredProjectHash,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The snapshot file.")],
    domain: o.Domain = None,
    ssh_key: o.SshKey = None,
) -> None:
    """Write a project's ontology and media to a file without links, to rehearse an import with no account."""
    with console.failures():
        from ropewalk.snapshot import snapshot_from_project, write_snapshot

        taken = snapshot_from_project(_open(project, ssh_key, domain))
        write_snapshot(taken, out)
        console.say(f"{count(len(taken.media), 'data row')} in {shown(str(out))}")


@app.command()
def emulator(
    project_file: Annotated[Path, typer.Option(metavar="FILE", help="Project snapshot to serve.")],
    db: Annotated[Path | None, typer.Option(metavar="FILE", help="SQLite file that keeps the rows.")] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
) -> None:
    """Run a local Encord for the `encord` client; the first line on stdout says where it is, as JSON."""
    with console.failures():
        try:
            from ropewalk.emulator import serve
        except ModuleNotFoundError as e:
            console.fail(str(e), 1)
        serve(project_file, db, port)


@app.command()
def show(
    project: o.RequiredProjectHash,
    branch: Annotated[str | None, typer.Option(metavar="NAME", help="Only this branch.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    domain: o.Domain = None,
    ssh_key: o.SshKey = None,
) -> None:
    """Show what stands on each branch, per data unit: objects, frames, classes."""
    with console.failures():
        from ropewalk.cli.tables import show_units
        from ropewalk.showing import show as read

        show_units(project, read(_open(project, ssh_key, domain), branch), as_json=as_json)


@app.command()
def demo(
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="New or empty folder for the data, which is kept; else a temporary one."),
    ] = None,
    annotations: Annotated[int, typer.Option(metavar="N", min=100, help="Annotations to import.")] = 50_000,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same data.")] = 1,
) -> None:
    """Import a synthetic prediction set into a local Encord and show what stands there; no account is needed."""
    with console.failures(), ExitStack() as stack:
        from ropewalk.demo.run import run_demo
        from ropewalk.errors import UsageError

        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ropewalk-demo-")))
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"--out {shown(str(out))} is not an empty folder; give a new one")
        else:
            folder = out
            folder.mkdir(parents=True, exist_ok=True)
        run_demo(folder, annotations=annotations, seed=seed, say=console.say)
        console.say(
            "Its folder is removed; `ropewalk demo --out DIR` keeps it." if out is None else f"The data is in {folder}."
        )


def _open(project: str, ssh_key: Path | None, domain: str | None) -> Any:
    from ropewalk.sinks.encord.client import open_project

    return open_project(project, ssh_key_file=ssh_key, domain=domain)


def _split(names: list[str] | None) -> tuple[str, ...]:
    return tuple(part.strip() for name in names or () for part in name.split(",") if part.strip())
