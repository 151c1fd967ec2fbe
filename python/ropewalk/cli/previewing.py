"""`preview`: predictions, or a branch, drawn on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ropewalk.cli import console, listings
from ropewalk.cli import options as o
from ropewalk.cli.account import AccountOptions, chosen, open_project
from ropewalk.previewing.options import PreviewOptions
from ropewalk.text import count, shown


@o.taking(PreviewOptions, AccountOptions)
def preview(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE...]", help="Prediction files, folders or globs.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Page to write.")] = Path("preview.html"),
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    branch: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Draw this branch of the project; beside SOURCE, mark what differs."),
    ] = None,
    as_json: o.AsJson = False,
    **options: Any,
) -> None:
    """Draw predictions on one page of HTML, over your own frames (--media-dir) or empty ones; nothing is uploaded.

    With a project, SOURCE is drawn as an import would write it; without one, as it is read.

    Exit codes: 0 done; 3 done, with rejects; 1 failed; 2 usage.
    """
    with console.failures():
        from ropewalk.errors import UsageError
        from ropewalk.previewing.preview import preview as run
        from ropewalk.project.snapshot import read_snapshot

        project, project_file = chosen(project, project_file)
        if project is not None and project_file is not None:
            raise UsageError("give --project HASH, or --project-file FILE")
        given = o.taken(PreviewOptions, options)
        target: Any = None
        if project_file is not None:
            target = read_snapshot(project_file)
        elif project is not None:
            target = open_project(project, options)
        with console.shown_progress() as progress:
            found = run(sources or None, out, project=target, branch=branch, progress=progress, **given)
        if as_json:
            listings.write_json(found.as_dict(), None)
        else:
            on_pictures = f", {count(found.pictures, 'picture')} from {shown(str(given['media_dir']))}"
            console.say(
                f"{shown(found.out)}: {count(found.frames, 'frame')} with {count(found.objects, 'object')}, "
                f"{count(found.tracks, 'track')}{on_pictures if given['media_dir'] is not None else ''}"
            )
            if found.differences is not None:
                console.say(f"{count(found.differences, 'difference')} on these frames; `ropewalk verify` compares all")
            if found.likely_cause is not None:
                console.say(found.likely_cause)
            for name, counts in found.sides.items():
                left = [f"{what} {n:,}" for what, n in counts.items() if what != "drawable"]
                if left:
                    console.say(f"{shown(name)}: {', '.join(left)}")
    raise typer.Exit(found.exit_code)
