"""Shows the plan of an import: what each class and each medium becomes, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ropewalk.cli.console import say
from ropewalk.cli.grid import write_grid
from ropewalk.files import written_whole
from ropewalk.summary import reject_lines, sums_lines, target_line, unresolved_lines
from ropewalk.text import count, size

if TYPE_CHECKING:
    from ropewalk.importing.planned import ImportPlan, PlannedClass, PlannedMedium

Item = TypeVar("Item")

# Classes and media that are shown each; the page and the report have all of them.
_SHOWN = 20

_CLASS_COLUMNS = ("class", "becomes", "shape", "made from", "annotations", "warnings", "feature hash")
_MEDIA_COLUMNS = ("medium", "data unit", "data hash", "found by", "frames", "annotations", "tracks", "size", "exists")


def show_plan(plan: ImportPlan, *, err: bool = False) -> None:
    """Write a plan to stdout, or to stderr; of many classes or media the first ones, and the sum of the others."""
    from ropewalk.importing.plan_page import named, named_counts

    def class_cells(item: PlannedClass) -> tuple[str, ...]:
        made = (item.name, item.becomes, item.shape.replace("_", " "), item.made_from.replace("_", " "))
        return (*made, f"{item.annotations:,}", named_counts(item.warnings), item.feature_hash)

    def medium_cells(item: PlannedMedium) -> tuple[str, ...]:
        found = (named(item.name, item.names), item.title, item.data_hash, item.rule.replace("_", " "))
        sums = (f"{item.frames:,}", f"{item.annotations:,}", f"{item.tracks:,}" if item.tracks else "")
        return (*found, *sums, size(item.len_bytes), "yes" if item.exists else "")

    say(f"plan: onto {target_line(plan.branch, plan.project_title, plan.project_hash)}", err=err)
    _write_first(_CLASS_COLUMNS, plan.classes, class_cells, ("class", "classes"), err=err)
    _write_first(_MEDIA_COLUMNS, plan.media, medium_cells, ("label row", "label rows"), err=err)
    for line in (
        *unresolved_lines("class", plan.unresolved_classes),
        *unresolved_lines("medium", plan.unresolved_media),
        *reject_lines({found.code: found.annotations for found in plan.rejects}, {r.code: r for r in plan.rejects}),
        *sums_lines("filtered", plan.filtered),
        *sums_lines("warnings", {found.name: found.count for found in plan.warnings}),
    ):
        say(line, err=err)


def _write_first(
    columns: Sequence[str],
    items: Sequence[Item],
    cells: Callable[[Item], tuple[str, ...]],
    noun: tuple[str, str],
    *,
    err: bool,
) -> None:
    if not items:
        return
    write_grid(columns, map(cells, items[:_SHOWN]), err=err)
    left = items[_SHOWN:]
    if left:
        annotations = sum(item.annotations for item in left)  # type: ignore[attr-defined]
        say(
            f"and {len(left):,} more {noun[len(left) > 1]} with {count(annotations, 'annotation')}; "
            "--plan FILE.html and --report list all of them",
            err=err,
        )


def question_of(plan: ImportPlan) -> str:
    """Ask whether to do what a plan says."""
    return (
        f"Send {count(plan.annotations_planned, 'annotation')} in {count(len(plan.media), 'label row')}, "
        f"{size(plan.len_bytes)}, to {target_line(plan.branch, plan.project_title, plan.project_hash)}?"
    )


def save_plan(plan: ImportPlan, file: Path) -> None:
    """Write a plan as a page of HTML, whole or not at all; `-` is stdout.

    Raises:
        FileError: It cannot be written.
    """
    from ropewalk.importing.plan_page import plan_page

    with written_whole(file) as temporary:
        temporary.write_text(plan_page(plan), encoding="utf-8")
