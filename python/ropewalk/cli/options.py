"""The parameters of commands: made from the library's options, and those that only the command line has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer

from ropewalk.files import STDOUT
from ropewalk.options import Field, Options, fields_of
from ropewalk.project.web import PROJECT_VARIABLE

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...", help="Prediction files, folders, zips or tars of folders, or globs; - is standard input."
    ),
]
_PROJECT = typer.Option(
    "--project",
    metavar="HASH",
    envvar=PROJECT_VARIABLE,
    help="Project: its hash, its exact title, or its address in Encord's app.",
)
ProjectHash = Annotated[str | None, _PROJECT]
RequiredProjectHash = Annotated[str, _PROJECT]
ProjectFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Project snapshot instead of a project; no network is used.")
]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the report as JSON; - is stdout.")
]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="FILE", help="Write the plan as a page of HTML; - is stdout.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Branch = Annotated[str, typer.Option(metavar="NAME", help="Prediction branch.")]
WorkDir = Annotated[Path, typer.Option(metavar="DIR", help="Work folder of the import.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write JSON to a file; - is stdout.")]
OnlyMedia = Annotated[
    list[str] | None,
    typer.Option(
        "--only-media", "--media", metavar="GLOB", help="List only media whose title matches GLOB; may be repeated."
    ),
]


def printed(as_json: bool, out: Path | None) -> tuple[bool, Path | None]:
    """Read `--out -` as `--json`: both print."""
    return (True, None) if out == STDOUT else (as_json, out)


def taking(
    *families: type[Options], without: Container[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of families, but for those `without`; it gets them as keywords beside its own."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        shared = [parameter(field) for family in families for field in fields_of(family).values()]
        shared = [p for p in shared if p.name not in without]
        command.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
        return command

    return decorate


def parameter(field: Field) -> inspect.Parameter:
    """Make the parameter of an option; its value is checked by the library, which words it better than typer."""
    opt, kind = field.opt, _kind(field)
    flag = "--" + field.name.rstrip("_").replace("_", "-")
    option = typer.Option(
        flag,
        *opt.also,
        metavar="|".join(field.choices) or opt.metavar,
        help=opt.help,
        rich_help_panel=None if opt.common else opt.panel,
        show_default=opt.default_text or True,
        callback=_split if opt.commas else None,
    )
    annotation: Any = Annotated[kind | None if field.default is None else kind, option]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation)


def _kind(field: Field) -> Any:
    # A number that may be text is text; where names are one alternative to a file, and for dicts, there is Python.
    plain = next((kind for kind in (str, bool, float, int, Path) if kind in field.types), None)
    is_list = any(get_origin(kind) is tuple for kind in field.types)
    return plain or (list[str] if is_list else str)


def _split(names: list[str] | None) -> list[str]:
    return [part.strip() for name in names or () for part in name.split(",") if part.strip()]


def taken(family: type[Options], options: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the options of a family out of those that a command got; those that it does not have keep their default."""
    return {name: options[name] for name in fields_of(family) if name in options}
