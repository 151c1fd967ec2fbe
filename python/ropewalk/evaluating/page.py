"""An evaluation as one page of HTML: metrics, classes, precision over recall, confused classes, media."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ropewalk.evaluating.details import Confusion, Curve
from ropewalk.pages.page import page, table
from ropewalk.text import count

if TYPE_CHECKING:
    from ropewalk.evaluating.sides import Evaluation
    from ropewalk.evaluating.tracking import Tracking

# Size of a drawing, px; the axes have a margin on the left and below.
_WIDTH, _HEIGHT, _MARGIN = 220, 160, 28

# More media than these are not listed, those found worst are.
_MOST_MEDIA = 500

_STYLE = """
<style>
.metrics { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; } .metrics b { display: block; font-size: 1.3rem; }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; } figcaption { font-size: .9em; }
figure svg { background: var(--soft); } svg text { font: 10px system-ui, sans-serif; fill: currentColor; }
.matrix { overflow-x: auto; } .matrix table { width: auto; } .matrix td { text-align: right; }
</style>
"""


def page_of(found: Evaluation) -> str:
    """Make the page, with the details that the evaluation has; all names in it are escaped."""
    body = [
        _STYLE,
        f"<h1>{escape(found.iou)} evaluation against {escape(found.labels_from)}</h1>",
        f"<p>{count(found.predictions, 'prediction')}, {count(found.labels, 'label')}, {count(found.images, 'image')}.",
        *(f"{what}: {_sums(sums)}." for what, sums in _left_out(found) if sums),
        "</p>",
        '<div class="metrics">',
        *(f"<div>{name}<b>{_metric(value)}</b></div>" for name, value in found.metrics.items()),
        "</div>",
        "<h2>Classes</h2>",
        _classes(found),
    ]
    if found.tracking is not None:
        body += ["<h2>Tracks</h2>", _tracks(found.tracking)]
    if found.curves:
        body += [
            "<h2>Precision over recall at IoU 0.50</h2>",
            "<p>The dot is the confidence with the best F1.</p>",
            '<div class="curves">',
            *map(_drawing, found.curves),
            "</div>",
        ]
    if found.confusion is not None:
        body += [
            "<h2>Confused classes</h2>",
            "<p>Rows are labels, columns are predictions. The best pairs with an IoU of at least 0.5 are counted.</p>",
            _matrix(found.confusion),
        ]
    if found.media:
        worst = sorted(found.media, key=lambda item: (item.ap is None, item.ap))
        rows = [
            (m.name, m.images, m.labels, m.predictions, *map(_metric, (m.ap, m.ap50, m.ar)))
            for m in worst[:_MOST_MEDIA]
        ]
        more = "" if len(worst) <= _MOST_MEDIA else f" The {_MOST_MEDIA} with the lowest AP of {len(worst):,}."
        body += [
            f"<h2>Media</h2><p>Lowest AP first.{more}</p>",
            table(("medium", "images", "labels", "predictions", "AP", "AP50", "AR"), rows),
        ]
    return page(f"{found.iou} evaluation against {found.labels_from}", "\n".join(body))


def _left_out(found: Evaluation) -> tuple[tuple[str, dict[str, int]], ...]:
    return (
        ("Predictions rejected", found.rejects_by_code),
        ("Predictions left out", found.filtered_by_reason),
        ("Labels left out", found.labels_left_out),
    )


def _sums(sums: dict[str, int]) -> str:
    return ", ".join(f"{escape(name)} {n:,}" for name, n in sums.items())


def _metric(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _classes(found: Evaluation) -> str:
    curves = {curve.id: curve for curve in found.curves}
    rows = []
    for item in found.classes:
        curve = curves.get(item.id)
        best = (None, None) if curve is None else (curve.best_f1, curve.best_confidence)
        figures = map(_metric, (item.ap, item.ap50, item.ar, *best))
        rows.append((item.name, item.labels, item.predictions, *figures))
    return table(("class", "labels", "predictions", "AP", "AP50", "AR", "best F1", "at confidence"), rows)


def _tracks(tracking: Tracking) -> str:
    figures = tracking.all
    columns = ("", "label tracks", "predicted tracks", *figures.metrics, *(n.replace("_", " ") for n in figures.counts))
    rows = [
        (item.name or "all", item.label_tracks, item.predicted_tracks)
        + (*map(_metric, item.metrics.values()), *item.counts.values())
        for item in (figures, *tracking.classes, *tracking.media[:_MOST_MEDIA])
    ]
    return table(columns, rows)


def _drawing(curve: Curve) -> str:
    steps = len(curve.precision) - 1
    points = [_point(at / steps, value) for at, value in enumerate(curve.precision)]
    dot = ""
    if curve.best_confidence is not None:
        at = max(range(steps + 1), key=lambda n: _f1(curve.precision[n], n / steps))
        x, y = points[at]
        dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="currentColor"/>'
    left, bottom = _point(0, 0)
    right, top = _point(1, 1)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    said = (
        "no prediction is right"
        if curve.best_confidence is None
        else f"F1 {_metric(curve.best_f1)} at confidence {_metric(curve.best_confidence)}"
    )
    return (
        f'<figure><svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f"<title>{escape(curve.name)}</title>"
        f'<path d="M{left},{top}V{bottom}H{right}" fill="none" stroke="currentColor" opacity=".5"/>'
        f'<text x="4" y="{top + 8}">1</text><text x="4" y="{bottom}">0</text>'
        f'<text x="{right - 6}" y="{_HEIGHT - 8}">1</text><text x="{left + 60}" y="{_HEIGHT - 8}">recall</text>'
        f'<polyline points="{path}" fill="none" stroke="#2a78d6" stroke-width="2"/>{dot}</svg>'
        f"<figcaption>{escape(curve.name)}<br>{said}</figcaption></figure>"
    )


def _point(recall: float, precision: float) -> tuple[float, float]:
    return _MARGIN + recall * (_WIDTH - _MARGIN - 8), 8 + (1 - precision) * (_HEIGHT - _MARGIN - 8)


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _matrix(confusion: Confusion) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in ("label", *confusion.classes, "(not found)"))
    rows = "\n".join(map(_row, (*confusion.classes, "(no label)"), confusion.counts))
    return f'<div class="matrix"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


def _row(name: str, counts: Sequence[int]) -> str:
    total = sum(counts) or 1
    # The shade is the share of the row.
    cells = "".join(f'<td style="background:rgb(42 120 214/{n / total * 0.7:.2f})">{n:,}</td>' for n in counts)
    return f"<tr><th>{escape(name)}</th>{cells}</tr>"
