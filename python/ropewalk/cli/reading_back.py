"""The commands that read a project and change nothing in it: its labels, ontology, media; and Active's sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ropewalk.cli import console, listings
from ropewalk.cli import options as o
from ropewalk.cli.account import open_project, open_project_list
from ropewalk.text import count, shown

_Json = Annotated[bool, typer.Option("--json", help="For machines.")]
_Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write JSON to a file.")]
_Media = Annotated[
    list[str] | None, typer.Option("--media", metavar="GLOB", help="Only media with such a title; may be repeated.")
]


@o.taking(o.ACCOUNT)
def show(
    project: o.RequiredProjectHash,
    branch: Annotated[str | None, typer.Option(metavar="NAME", help="Only this branch.")] = None,
    media: _Media = None,
    labels: Annotated[bool, typer.Option("--labels", help="List every object and classification.")] = False,
    as_json: _Json = False,
    out: _Out = None,
    **account: Any,
) -> None:
    """Show all labels and predictions: what stands on each branch, per data unit, `main` included."""
    with console.failures():
        from ropewalk.showing.show import show_rows

        rows = show_rows(open_project(project, account), branch, media=tuple(media or ()), labels=labels)
        if as_json or out is not None:
            with listings.json_output(out) as write:
                totals = listings.write_rows_as_json(write, project, rows, labels=labels)
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


@o.taking(o.ACCOUNT)
def ontology(
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    as_json: _Json = False,
    class_map: Annotated[
        bool, typer.Option("--map", help="As JSON that --class-map takes: object name to feature hash.")
    ] = False,
    out: _Out = None,
    **account: Any,
) -> None:
    """List the names of the ontology with their hashes: objects, points, classifications, attributes, options."""
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


@o.taking(o.ACCOUNT)
def media(
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    media: _Media = None,
    as_json: _Json = False,
    media_map: Annotated[
        bool, typer.Option("--map", help="As JSON that --media-map takes: title to data_hash.")
    ] = False,
    out: _Out = None,
    **account: Any,
) -> None:
    """List the media by title with their data_hash, type, size and frames; images inside image groups as well."""
    with console.failures():
        from ropewalk.project.media import list_media
        from ropewalk.project.media import media_map as map_of

        listed = list_media(_source(project, project_file, account), tuple(media or ()))
        if media_map:
            titles, several = map_of(listed)
            _write_map(titles, several, "several media", out)
        elif as_json or out is not None:
            listings.write_json([medium.as_dict() for medium in listed], out)
        else:
            listings.write_media(listed)
        if out is not None:
            console.say(f"{count(len(listed), 'data row')} in {shown(str(out))}")


@o.taking(o.ACCOUNT)
def projects(
    query: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only projects with this in their title; with % in it a pattern, as in SQL."),
    ] = None,
    as_json: _Json = False,
    out: _Out = None,
    **account: Any,
) -> None:
    """List the projects that the key may see: title, hash, last edit."""
    with console.failures():
        found = open_project_list(query, account)
        if as_json or out is not None:
            listings.write_json([project.as_dict() for project in found], out)
        else:
            listings.write_projects(found)
        if out is not None:
            console.say(f"{count(len(found), 'project')} in {shown(str(out))}")


@o.taking(o.ACCOUNT)
def sync(
    project: o.RequiredProjectHash,
    import_as: Annotated[
        str | None,
        typer.Option(
            metavar="data|label|metric|advanced",
            help="Import the project into Active, so far, where it was never imported.",
        ),
    ] = None,
    video_sampling_rate: Annotated[
        float | None,
        typer.Option(metavar="N", help="Frames a second of videos that such an import takes; Encord's default is 1."),
    ] = None,
    as_json: _Json = False,
    **account: Any,
) -> None:
    """Start Encord Active's sync, which makes it show what stands on the branches now; it goes on by itself.

    Exit codes: 0 started; 1 refused, or it is not known whether it began; 2 usage.
    """
    with console.failures():
        from ropewalk.showing.sync import check_import, sync_project

        check_import(import_as, video_sampling_rate)
        started = sync_project(
            open_project(project, account), import_as=import_as, video_sampling_rate=video_sampling_rate
        )
        if as_json:
            listings.write_json(started.as_dict(), None)
        else:
            console.say(console.active_line(started.as_dict()))


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
            f"{count(len(several), 'name')} left out of the map, since {what} have each: "
            f"{console.shown_names(several)}",
            err=True,
        )
