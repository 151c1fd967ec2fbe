"""Writes an evaluation: the metrics of all classes, then a table for each thing that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ropewalk.cli.console import say
from ropewalk.cli.grid import Cells, write_grid

if TYPE_CHECKING:
    from ropewalk.evaluating.details import Curve, MediumMetrics
    from ropewalk.evaluating.metrics import ClassMetrics
    from ropewalk.evaluating.sides import Evaluation
    from ropewalk.evaluating.tracking import TrackMetrics

_FIGURE_COLUMNS = ("labels", "predictions", "AP", "AP50", "AR")
_CLASS_COLUMNS = ("class", *_FIGURE_COLUMNS)
_MEDIUM_COLUMNS = ("medium", "images", *_FIGURE_COLUMNS)
# Of a curve's 101 points those at these tenths are shown.
_SHOWN_RECALLS = (1, 3, 5, 7, 9)


def write_evaluation(found: Evaluation, *, per_class: bool, per_medium: bool, confusion: bool, curves: bool) -> None:
    """Write an evaluation to stdout: the metrics of all classes, then a table for each of the options."""
    say("  ".join(f"{name} {_metric(value)}" for name, value in found.metrics.items()))
    if found.tracking is not None:
        say("  ".join((*_named(found.tracking.all.metrics), *_named(found.tracking.all.counts))))
    if per_class:
        write_grid(_CLASS_COLUMNS, ((item.name, *_figures(item)) for item in found.classes))
    if per_medium:
        write_grid(_MEDIUM_COLUMNS, ((item.name, str(item.images), *_figures(item)) for item in found.media))
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
                write_grid(columns, map(_track_cells, listed), numbers_from=1)
    if curves:
        columns = ("class", *(f"P at R {at / 10:g}" for at in _SHOWN_RECALLS), "best F1", "at confidence")
        write_grid(columns, map(_curve_cells, found.curves), numbers_from=1)
    if confusion and found.confusion is not None:
        names = found.confusion.classes
        rows = zip((*names, "(no label)"), found.confusion.counts, strict=True)
        write_grid(
            ("label", *names, "(not found)"), ((name, *map(str, counts)) for name, counts in rows), numbers_from=1
        )


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
