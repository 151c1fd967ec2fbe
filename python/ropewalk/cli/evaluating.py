"""`evaluate`: metrics of predictions against labels, before anything is uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ropewalk.cli import console, figures, listings
from ropewalk.cli import options as o
from ropewalk.cli.account import AccountOptions, chosen, open_project
from ropewalk.evaluating.options import EvaluateOptions
from ropewalk.text import count, shown

# Options for what is on the page.
_DETAILS = ("per_medium", "confusion", "curves")


@o.taking(EvaluateOptions, AccountOptions)
def evaluate(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE...]", help="Prediction files, folders or globs.")
    ] = None,
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    branch: Annotated[str, typer.Option(metavar="NAME", help="Branch that holds the labels.")] = "main",
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="COCO dataset that holds the labels, instead of those of a project."),
    ] = None,
    predictions_branch: Annotated[
        str | None, typer.Option(metavar="NAME", help="Branch that holds the predictions, instead of files.")
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="List the metrics of each class.")] = False,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write metrics, curves, confused classes and media as one page of HTML that needs no network.",
        ),
    ] = None,
    as_json: o.AsJson = False,
    out: o.Out = None,
    **options: Any,
) -> None:
    """Measure predictions against labels by COCO's metrics, as pycocotools computes them; nothing is uploaded.

    Exit codes: 0 done; 3 done, with rejects; 1 failed; 2 usage.
    """
    as_json, out = o.printed(as_json, out)
    with console.failures():
        from ropewalk.errors import UsageError
        from ropewalk.evaluating.evaluate import evaluate as run
        from ropewalk.project.snapshot import read_snapshot

        project, project_file = chosen(project, project_file)
        if project is not None and project_file is not None:
            raise UsageError("give --project HASH, or --project-file FILE")
        given = o.taken(EvaluateOptions, options)
        if page is not None:
            given |= dict.fromkeys(_DETAILS, True)
        target: Any = None
        if project_file is not None:
            target = read_snapshot(project_file)
        elif project is not None:
            target = open_project(project, options)
        with console.shown_progress() as progress:
            found = run(
                sources or None,
                labels,
                project=target,
                branch=branch,
                predictions_branch=predictions_branch,
                progress=progress,
                **given,
            )
        if page is not None:
            found.write_page(page)
        if as_json or out is not None:
            listings.write_json(found.as_dict(), out)
        if out is not None or not as_json:
            figures.write_evaluation(found, per_class=per_class, **{name: options[name] for name in _DETAILS})
        # Beside the columns, for who reads those with a program.
        console.say(
            f"{found.iou}: {count(found.predictions, 'prediction')} against {count(found.labels, 'label')} of "
            f"{shown(found.labels_from)} on {count(found.images, 'image')}",
            err=True,
        )
        for what, sums in (
            ("predictions rejected", found.rejects_by_code),
            ("predictions left out", found.filtered_by_reason),
            ("labels left out", found.labels_left_out),
        ):
            if sums:
                console.say(f"{what}: " + ", ".join(f"{name} {n:,}" for name, n in sums.items()), err=True)
        if page is not None:
            console.say(f"the page is in {shown(str(page))}", err=True)
        if found.rejects_file is not None:
            console.say(f"rejects are in {shown(found.rejects_file)}", err=True)
    raise typer.Exit(found.exit_code)
