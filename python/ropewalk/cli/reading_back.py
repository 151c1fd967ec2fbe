"""The commands that read a project and change nothing in it: its labels, ontology, media; and Active's sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ropewalk.cli import console, listings
from ropewalk.cli import options as o
from ropewalk.cli.account import AccountOptions, chosen, open_project, open_project_list
from ropewalk.options import made
from ropewalk.showing.sync import SyncOptions
from ropewalk.summary import active_line, shown_names
from ropewalk.text import count, shown


@o.taking(AccountOptions)
def show(
    project: o.RequiredProjectHash,
    branch: Annotated[str | None, typer.Option(metavar="NAME", help="Show only this branch.")] = None,
    only_media: o.OnlyMedia = None,
    labels: Annotated[bool, typer.Option("--labels", help="List every object and classification.")] = False,
    as_json: o.AsJson = False,
    out: o.Out = None,
    **account: Any,
) -> None:
    """Show all labels and predictions: what stands on each branch, per data unit, `main` included."""
    as_json, out = o.printed(as_json, out)
    with console.failures():
        from ropewalk.showing.show import show_rows

        opened = open_project(project, account)
        rows = listings.begun(show_rows(opened, branch, only_media=tuple(only_media or ()), labels=labels))
        if as_json or out is not None:
            with listings.json_output(out) as write:
                totals = listings.write_rows_as_json(write, opened.project_hash, rows, labels=labels)
            if out is None:
                return
        else:
            totals = listings.write_rows(rows, labels=labels)
        # Beside rows of columns on stderr, for who reads those with a program.
        for name, sums in totals.items():
            console.say(
                f"{shown(name)}: {count(sums.label_rows, 'label row')}, {count(sums.objects, 'object')}, "
                f"{count(sums.classifications, 'classification')}, {count(sums.frames, 'frame')} with labels",
                err=out is None,
            )
        if not totals:
            console.say("no label row stands there", err=out is None)


@o.taking(AccountOptions)
def ontology(
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    as_json: o.AsJson = False,
    class_map: Annotated[
        bool, typer.Option("--map", help="Print JSON for --class-map: object name to feature hash.")
    ] = False,
    out: o.Out = None,
    **account: Any,
) -> None:
    """List the names of the ontology with their hashes: objects, points, classifications, attributes, options."""
    as_json, out = o.printed(as_json, out)
    with console.failures():
        from ropewalk.project.ontology import list_ontology

        listed = list_ontology(_source(project, project_file, account))
        if class_map:
            _write_map(listed.class_map(), listed.shared_names(), "several objects", out)
        elif as_json or out is not None:
            listings.write_json(listed.as_dict(), out)
        else:
            listings.write_ontology(listed)
        if out is not None:
            console.say(
                f"{count(len(listed.objects), 'object')} and "
                f"{count(len(listed.classifications), 'classification')} in {shown(str(out))}"
            )


@o.taking(AccountOptions)
def media(
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    only_media: o.OnlyMedia = None,
    as_json: o.AsJson = False,
    media_map: Annotated[bool, typer.Option("--map", help="Print JSON for --media-map: title to data_hash.")] = False,
    out: o.Out = None,
    **account: Any,
) -> None:
    """List the media by title with their data_hash, type, size and frames; images inside image groups as well."""
    as_json, out = o.printed(as_json, out)
    with console.failures():
        from ropewalk.project.media import list_media
        from ropewalk.project.media import media_map as map_of

        listed = list_media(_source(project, project_file, account), tuple(only_media or ()))
        if media_map:
            titles, several = map_of(listed)
            _write_map(titles, several, "several media", out)
        elif as_json or out is not None:
            listings.write_json([medium.as_dict() for medium in listed], out)
        else:
            listings.write_media(listed)
        if out is not None:
            console.say(f"{count(len(listed), 'data row')} in {shown(str(out))}")


@o.taking(AccountOptions)
def projects(
    query: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="List only projects whose title contains TEXT; with % in it, TEXT is an SQL pattern."
        ),
    ] = None,
    as_json: o.AsJson = False,
    out: o.Out = None,
    **account: Any,
) -> None:
    """List the projects that the key may see: title, hash, last edit."""
    as_json, out = o.printed(as_json, out)
    with console.failures():
        found = open_project_list(query, account)
        if as_json or out is not None:
            listings.write_json([project.as_dict() for project in found], out)
        else:
            listings.write_projects(found)
        if out is not None:
            console.say(f"{count(len(found), 'project')} in {shown(str(out))}")


@o.taking(SyncOptions, AccountOptions)
def sync(
    project: o.RequiredProjectHash,
    as_json: o.AsJson = False,
    **options: Any,
) -> None:
    """Start Encord Active's sync, which makes it show what stands on the branches now; it goes on by itself.

    Exit codes: 0 started; 1 refused, or it is not known whether it began; 2 usage.
    """
    with console.failures():
        from ropewalk.showing.sync import sync_project

        given = o.taken(SyncOptions, options)
        made(SyncOptions, given)
        started = sync_project(open_project(project, options), **given)
        if as_json:
            listings.write_json(started.as_dict(), None)
        else:
            console.say(active_line(started.as_dict()))


COMMANDS: Mapping[str, Callable[..., None]] = {
    "show": show,
    "ontology": ontology,
    "media": media,
    "data-mapping": media,
    "projects": projects,
    "sync": sync,
}


def _source(project: str | None, project_file: Path | None, account: dict[str, Any]) -> Any:
    """Open the project, or read the snapshot: one of them is given."""
    from ropewalk.errors import UsageError
    from ropewalk.project.snapshot import read_snapshot

    project, project_file = chosen(project, project_file)
    if (project is None) == (project_file is None):
        raise UsageError("give --project HASH, or --project-file FILE")
    if project_file is not None:
        return read_snapshot(project_file)
    assert project is not None
    return open_project(project, account)


def _write_map(entries: dict[str, str], several: list[str], what: str, out: Path | None) -> None:
    listings.write_json(entries, out)
    if several:
        console.say(
            f"{count(len(several), 'name')} left out of the map, since {what} have each: {shown_names(several)}",
            err=True,
        )
