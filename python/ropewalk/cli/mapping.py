"""`map`: a class map or media map made for a source, to be edited."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ropewalk.cli import console, listings
from ropewalk.cli import options as o
from ropewalk.cli.account import AccountOptions, chosen
from ropewalk.cli.inspecting import project_of
from ropewalk.files import STDOUT
from ropewalk.inspecting.options import InspectOptions
from ropewalk.options import fields_of
from ropewalk.text import count, shown

_KINDS = ("classes", "media")


@o.taking(InspectOptions, AccountOptions)
def make_map(
    kind: Annotated[str, typer.Argument(metavar="classes|media", help="What to map.")],
    sources: o.Sources,
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the map to a file; - is stdout.")
    ] = None,
    **options: Any,
) -> None:
    """Make a map for --class-map or --media-map: the source's names, each with the best guess, to be edited.

    Exit codes: 0 done; 1 failed; 2 usage.
    """
    with console.failures():
        from ropewalk.errors import UsageError
        from ropewalk.inspecting.guesses import class_map_for, media_map_for
        from ropewalk.inspecting.inspect import inspect_sources
        from ropewalk.options import made
        from ropewalk.project.maps import COMMENT, EVERY_OTHER
        from ropewalk.project.options import MediaOptions, PlanOptions
        from ropewalk.reading.predictions import sources_of
        from ropewalk.reading.sources import files_read

        if kind not in _KINDS:
            raise UsageError(f"map {shown(kind)}: expected {' or '.join(_KINDS)}")
        project, project_file = chosen(project, project_file)
        if project is None and project_file is None:
            raise UsageError("give --project HASH, or --project-file FILE")
        given = o.taken(InspectOptions, options)
        found, job = sources_of(sources, InspectOptions, given)
        if out is not None:
            files_read(found, job, project_file).refuse("out", out)
        rules = made(PlanOptions, {name: given[name] for name in fields_of(MediaOptions)})
        target = project_of(project, project_file, options, rules.media_key)
        assert target is not None
        with console.shown_progress() as progress:
            inspection = inspect_sources(found, job, progress=progress)
        made_map = class_map_for(inspection, target) if kind == "classes" else media_map_for(inspection, target, rules)
        listings.write_json(made_map, None if out == STDOUT else out)
        listed = [value for name, value in made_map.items() if not name.startswith(COMMENT) and name != EVERY_OTHER]
        line = f"{count(len(listed), 'name')}, {sum(value is None for value in listed):,} without a guess"
        if out in (None, STDOUT):
            console.say(line, err=True)
        else:
            option = "--class-map" if kind == "classes" else "--media-map"
            console.say(f"{line}, in {shown(str(out))}; edit it, and give it with {option}")
