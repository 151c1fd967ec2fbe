"""How the commands that only read write what they found: a table on a terminal, else tab-separated columns, or JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ropewalk.cli.console import say
from ropewalk.files import written_whole
from ropewalk.options import on_command_line, spelt
from ropewalk.text import shown

if TYPE_CHECKING:
    from ropewalk._core import FormatInfo
    from ropewalk.evaluating.details import Curve, MediumMetrics
    from ropewalk.evaluating.metrics import ClassMetrics
    from ropewalk.evaluating.sides import Evaluation
    from ropewalk.evaluating.tracking import TrackMetrics
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
_FIGURE_COLUMNS = ("labels", "predictions", "AP", "AP50", "AR")
_CLASS_COLUMNS = ("class", *_FIGURE_COLUMNS)
_MEDIUM_COLUMNS = ("medium", "images", *_FIGURE_COLUMNS)
# Of a curve's 101 points those at these tenths are shown.
_SHOWN_RECALLS = (1, 3, 5, 7, 9)
_NUMBERS = frozenset(("objects", "frames", "classifications", "width", "height", "place", "images", *_FIGURE_COLUMNS))

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

    _write(_LABEL_COLUMNS if labels else _UNIT_COLUMNS, counted())
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
    _write(_ONTOLOGY_COLUMNS, _ontology_cells(listed))


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
    _write(_MEDIA_COLUMNS, _media_cells(listed))


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
    _write(_FORMAT_COLUMNS, ((item["name"], _files(item), _flags(item["options"]), item["about"]) for item in found))


def _files(item: FormatInfo) -> str:
    suffixes = item["suffixes"] or item["members"]
    plain = [suffix for suffix in suffixes if not suffix.endswith(_PACKED)]
    files = ", ".join(f"*{suffix}" for suffix in plain) + (", also .gz and .zst" if len(plain) < len(suffixes) else "")
    return files if item["suffixes"] else f"folder of {files}"


def _flags(options: Iterable[str]) -> str:
    with on_command_line():
        return " ".join(map(spelt, options))


def write_evaluation(found: Evaluation, *, per_class: bool, per_medium: bool, confusion: bool, curves: bool) -> None:
    """Write an evaluation to stdout: the metrics of all classes, then a table for each of the options."""
    say("  ".join(f"{name} {_metric(value)}" for name, value in found.metrics.items()))
    if found.tracking is not None:
        say("  ".join((*_named(found.tracking.all.metrics), *_named(found.tracking.all.counts))))
    if per_class:
        _write(_CLASS_COLUMNS, ((item.name, *_figures(item)) for item in found.classes))
    if per_medium:
        _write(_MEDIUM_COLUMNS, ((item.name, str(item.images), *_figures(item)) for item in found.media))
    if found.tracking is not None:
        for what, listed, wanted in (
            ("class", found.tracking.classes, per_class),
            ("medium", found.tracking.media, per_medium),
        ):
            if wanted:
                columns = (
                    what,
                    "label tracks",
                    "predicted tracks",
                    *listed[0].metrics,
                    *map(_spaced, listed[0].counts),
                )
                _write(columns, map(_track_cells, listed), numbers_from=1)
    if curves:
        columns = ("class", *(f"P at R {at / 10:g}" for at in _SHOWN_RECALLS), "best F1", "at confidence")
        _write(columns, map(_curve_cells, found.curves), numbers_from=1)
    if confusion and found.confusion is not None:
        names = found.confusion.classes
        rows = zip((*names, "(no label)"), found.confusion.counts, strict=True)
        _write(("label", *names, "(not found)"), ((name, *map(str, counts)) for name, counts in rows), numbers_from=1)


def _named(figures: Mapping[str, float | int]) -> Iterator[str]:
    for name, value in figures.items():
        yield f"{_spaced(name)} {value:,}" if isinstance(value, int) else f"{name} {_metric(value)}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _track_cells(item: TrackMetrics) -> Cells:
    tracks = (str(item.label_tracks), str(item.predicted_tracks))
    return item.name, *tracks, *map(_metric, item.metrics.values()), *map(str, item.counts.values())


def _curve_cells(curve: Curve) -> Cells:
    shown_points = (_metric(curve.precision[10 * at]) for at in _SHOWN_RECALLS)
    return curve.name, *shown_points, _metric(curve.best_f1), _metric(curve.best_confidence)


def _figures(item: ClassMetrics | MediumMetrics) -> Cells:
    return str(item.labels), str(item.predictions), _metric(item.ap), _metric(item.ap50), _metric(item.ar)


def _metric(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def write_projects(found: Iterable[ListedProject]) -> None:
    """Write projects to stdout."""
    rows = ((p.title, p.project_hash, p.last_edited_at.isoformat(timespec="seconds")) for p in found)
    _write(_PROJECT_COLUMNS, rows)


def _write(columns: Sequence[str], rows: Iterable[Cells], numbers_from: int | None = None) -> None:
    """Write a table; columns from the place `numbers_from` are numbers, else those of `_NUMBERS`."""
    safe = (tuple(shown(cell, _CELL_CHARACTERS) for cell in row) for row in rows)
    if not sys.stdout.isatty():
        say("\t".join(shown(column, _CELL_CHARACTERS) for column in columns))
        for row in safe:
            say("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for at, column in enumerate(columns):
        is_number = column in _NUMBERS if numbers_from is None else at >= numbers_from
        # As text, not as markup: a name may hold square brackets.
        table.add_column(Text(shown(column, _CELL_CHARACTERS)), justify="right" if is_number else "left")
    for row in safe:
        table.add_row(*map(Text, row))
    Console().print(table)
