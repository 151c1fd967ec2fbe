"""How the commands that only read write what they found: a table on a terminal, else tab-separated columns, or JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ropewalk.cli.console import say
from ropewalk.files import written_whole
from ropewalk.options import on_command_line, spelt
from ropewalk.text import shown

if TYPE_CHECKING:
    from ropewalk._core import FormatInfo
    from ropewalk.evaluating.sides import Evaluation
    from ropewalk.project.media import ListedMedium
    from ropewalk.project.ontology import ListedAttribute, ListedOntology
    from ropewalk.showing.labels import Ranges, ShownLabel
    from ropewalk.showing.projects import ListedProject
    from ropewalk.showing.show import BranchTotals, ShownRow, ShownUnit

_UNIT_COLUMNS = ("branch", "data unit", "objects", "frames", "classifications", "classes")
_LABEL_COLUMNS = (
    "branch",
    "data unit",
    "kind",
    "name",
    "feature_hash",
    "shape",
    "hash",
    "frames",
    "confidence",
    "answers",
)
_ONTOLOGY_COLUMNS = ("kind", "name", "type", "feature_hash", "attribute_hash", "option_hash")
_FORMAT_COLUMNS = ("format", "files", "options", "about")
_PACKED = (".gz", ".zst")
_MEDIA_COLUMNS = ("title", "data_hash", "type", "width", "height", "frames", "group", "place")
_PROJECT_COLUMNS = ("title", "project_hash", "last edit")
_EVALUATION_COLUMNS = ("class", "labels", "predictions", "AP", "AP50", "AR")
_NUMBERS = frozenset(
    (
        "objects",
        "frames",
        "classifications",
        "width",
        "height",
        "place",
        "annotations",
        "tracks",
        "with annotations",
        *_EVALUATION_COLUMNS[1:],
    )
)

# A title is to be found again by what is printed; a cell is still bounded.
_CELL_CHARACTERS = 1_000

Cells = tuple[str, ...]


@contextmanager
def json_output(out: Path | None) -> Iterator[Callable[[str], object]]:
    """Give what writes text to a file, whole or not at all, or to stdout."""
    if out is None:
        yield sys.stdout.write
        return
    with written_whole(out) as path, path.open("w", encoding="ascii") as file:
        yield file.write


def write_json(document: Any, out: Path | None) -> None:
    """Write a document as ASCII JSON to a file or to stdout."""
    with json_output(out) as write:
        write(json.dumps(document, indent=1) + "\n")


def write_rows_as_json(
    write: Callable[[str], object], project_hash: str, rows: Iterable[ShownRow], *, labels: bool
) -> dict[str, BranchTotals]:
    """Write rows as one JSON document, each as it comes; give the totals of the branches, which end the document."""
    # Loaded when it is needed: `--help` should not wait for it.
    from ropewalk.showing.show import BranchTotals

    totals: dict[str, BranchTotals] = {}
    branch: str | None = None
    write(f'{{\n"project_hash": {json.dumps(project_hash)},\n"branches": {{')
    for row in rows:
        totals.setdefault(row.branch, BranchTotals()).add(row)
        for unit in row.units:
            fields = unit.as_dict(labels=labels)
            del fields["branch"]
            if row.branch == branch:
                write(",\n")
            else:
                write(f"{'' if branch is None else '],'}\n{json.dumps(row.branch)}: [\n")
                branch = row.branch
            write(json.dumps(fields))
    sums = {name: dataclasses.asdict(found) for name, found in totals.items()}
    write(f'{"" if branch is None else "]"}}},\n"totals": {json.dumps(sums)}\n}}\n')
    return totals


def write_rows(rows: Iterable[ShownRow], *, labels: bool) -> dict[str, BranchTotals]:
    """Write data units, or all labels, to stdout; give the totals of the branches."""
    # Loaded when it is needed: `--help` should not wait for it.
    from ropewalk.showing.show import BranchTotals

    totals: dict[str, BranchTotals] = {}

    def counted() -> Iterator[Cells]:
        for row in rows:
            totals.setdefault(row.branch, BranchTotals()).add(row)
            for unit in row.units:
                yield from _label_cells(unit) if labels else _unit_cells(unit)

    write_columns(_LABEL_COLUMNS if labels else _UNIT_COLUMNS, counted())
    return totals


def _unit_cells(unit: ShownUnit) -> Iterator[Cells]:
    classes = ", ".join(f"{name} {n}" for name, n in unit.classes.items())
    frames = "" if unit.frames is None else str(unit.frames)
    yield unit.branch, unit.data_title, str(unit.objects), frames, str(unit.classifications), classes


def _label_cells(unit: ShownUnit) -> Iterator[Cells]:
    for label in unit.labels:
        yield (
            *(unit.branch, unit.data_title, label.kind, label.name, label.feature_hash, label.shape or "", label.hash),
            *(_ranges(label.ranges), _confidence(label), _answers(label)),
        )


def _ranges(ranges: Ranges) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _confidence(label: ShownLabel) -> str:
    if label.confidence is None:
        return ""
    low, high = label.confidence
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"


def _answers(label: ShownLabel) -> str:
    return "; ".join(
        f"{answer.attribute}: {', '.join(answer.values)}" + (f" ({_ranges(answer.ranges)})" if answer.ranges else "")
        for answer in label.answers
    )


def write_ontology(listed: ListedOntology) -> None:
    """Write the names of an ontology with their hashes to stdout; nested ones follow the names that are above them."""
    write_columns(_ONTOLOGY_COLUMNS, _ontology_cells(listed))


def _ontology_cells(listed: ListedOntology) -> Iterator[Cells]:
    for item in listed.objects:
        yield "object", item.name, _type(item.shape, item.archived), item.feature_hash, "", ""
        for point in item.points:
            yield "point", f"{item.name} / {point.name}", "", point.feature_hash, "", ""
        yield from _attribute_cells(item.attributes, f"{item.name} / ")
    for classification in listed.classifications:
        yield "classification", classification.name, "", classification.feature_hash, "", ""
        yield from _attribute_cells(classification.attributes, "")


def _attribute_cells(attributes: Iterable[ListedAttribute], above: str) -> Iterator[Cells]:
    for item in attributes:
        name = above + item.name
        kind = f"{item.type}, dynamic" if item.dynamic else item.type
        yield "attribute", name, _type(kind, item.archived), item.feature_hash, item.attribute_hash, ""
        for option in item.options:
            hashes = (option.feature_hash, option.attribute_hash, option.option_hash)
            yield "option", f"{name} / {option.name}", _type("", option.archived), *hashes
            yield from _attribute_cells(option.attributes, f"{name} / {option.name} / ")


def _type(text: str, archived: bool) -> str:
    return ", ".join(part for part in (text, "archived" if archived else "") if part)


def write_media(listed: Iterable[ListedMedium]) -> None:
    """Write media to stdout; the images and spaces of a group follow it, with its data_hash and their place in it."""
    write_columns(_MEDIA_COLUMNS, _media_cells(listed))


def _media_cells(listed: Iterable[ListedMedium]) -> Iterator[Cells]:
    for medium in listed:
        size = (_number(medium.width), _number(medium.height))
        yield medium.title, medium.data_hash, medium.data_type, *size, str(medium.number_of_frames), "", ""
        for image in medium.images:
            size = (_number(image.width), _number(image.height))
            yield image.title, image.data_hash, "IMAGE", *size, "1", medium.data_hash, str(image.frame)
        for space in medium.spaces:
            size = (_number(space.width), _number(space.height))
            frames = str(space.number_of_frames)
            yield space.title, space.data_hash, space.data_type, *size, frames, medium.data_hash, space.layout_key or ""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def write_formats(found: Iterable[FormatInfo]) -> None:
    """Write formats to stdout, with their files and the options that each takes."""
    write_columns(
        _FORMAT_COLUMNS, ((item["name"], _files(item), _flags(item["options"]), item["about"]) for item in found)
    )


def _files(item: FormatInfo) -> str:
    suffixes = item["suffixes"] or item["members"]
    plain = [suffix for suffix in suffixes if not suffix.endswith(_PACKED)]
    files = ", ".join(f"*{suffix}" for suffix in plain) + (", also .gz and .zst" if len(plain) < len(suffixes) else "")
    return files if item["suffixes"] else f"folder of {files}"


def _flags(options: Iterable[str]) -> str:
    with on_command_line():
        return " ".join(map(spelt, options))


def write_evaluation(found: Evaluation) -> None:
    """Write the metrics of an evaluation to stdout: those of all classes, then of each."""
    classes = (
        (item.name, *map(str, (item.labels, item.predictions)), *map(_metric, (item.ap, item.ap50, item.ar)))
        for item in found.classes
    )
    say("  ".join(f"{name} {_metric(value)}" for name, value in found.metrics.items()))
    write_columns(_EVALUATION_COLUMNS, classes)


def _metric(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def write_projects(found: Iterable[ListedProject]) -> None:
    """Write projects to stdout."""
    rows = ((p.title, p.project_hash, p.last_edited_at.isoformat(timespec="seconds")) for p in found)
    write_columns(_PROJECT_COLUMNS, rows)


def write_columns(columns: Sequence[str], rows: Iterable[Cells]) -> None:
    """Write rows to stdout: as a table on a terminal, else as tab-separated columns."""
    safe = (tuple(shown(cell, _CELL_CHARACTERS) for cell in row) for row in rows)
    if not sys.stdout.isatty():
        say("\t".join(columns))
        for row in safe:
            say("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in columns:
        table.add_column(column, justify="right" if column in _NUMBERS else "left")
    for row in safe:
        # As text, not as markup: a title may hold square brackets.
        table.add_row(*map(Text, row))
    Console().print(table)
