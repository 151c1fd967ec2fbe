"""What in predictions looks wrong, and the option that fixes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ropewalk.inspecting.folders import folders_of_frames
from ropewalk.inspecting.frame_findings import frame_findings
from ropewalk.inspecting.geometry_findings import geometry_findings
from ropewalk.inspecting.inspection import Finding, InspectedFormat
from ropewalk.inspecting.matched import Matched, matched
from ropewalk.options import spelt
from ropewalk.reading.formats import formats
from ropewalk.text import count, shown

if TYPE_CHECKING:
    from ropewalk.project.options import PlanOptions
    from ropewalk.project.snapshot import Snapshot
    from ropewalk.reading.options import ReadOptions

# A score this large is a percentage; one a little above 1 is a model's.
_LEAST_PERCENT = 2.0


def findings_of(
    found: Iterable[InspectedFormat], options: ReadOptions, project: Snapshot | None, rules: PlanOptions
) -> Iterator[Finding]:
    """Find what looks wrong, format by format.

    Args:
        found: What the documents of each format hold.
        options: How they were read.
        project: Project to compare with.
        rules: How media are matched with those of the project.

    Raises:
        UsageError: A map does not fit the project.
    """
    for of in found:
        if not of.annotations:
            continue
        media = None if project is None else matched(of.media, project, rules)
        yield from frame_findings(of, media)
        yield from _name_findings(of, media, rules)
        yield from geometry_findings(of, media)
        yield from _score_findings(of, options)


def _score_findings(of: InspectedFormat, options: ReadOptions) -> Iterator[Finding]:
    scores = of.scores
    if not scores.given:
        other = ""
        if "confidence_field" in formats()[of.name]["options"]:
            other = f"; if another field holds it, give {spelt('confidence_field')} NAME"
        yield Finding("no_scores", f"no annotation has a score: each gets the confidence 1.0{other}")
        return
    top = scores.max or 0.0
    if scores.above_one and _LEAST_PERCENT <= top <= 100 and scores.above_one * 2 >= scores.given:
        yield Finding(
            "scores_in_percent",
            f"scores reach {top:g} and look like percentages; Encord's confidences are from 0 to 1: divide them by 100",
        )
    elif (scores.above_one or scores.below_zero) and options.score != "clamp":
        yield Finding(
            "scores_out_of_range",
            f"{count(scores.above_one + scores.below_zero, 'score')} outside 0 to 1 (they are from {scores.min:g} to "
            f"{top:g}): these annotations are rejected; {spelt('score')} clamp makes them 0 or 1",
        )


def _name_findings(of: InspectedFormat, media: Matched | None, rules: PlanOptions) -> Iterator[Finding]:
    if rules.frame_pattern is not None:
        return
    patterns = folders_of_frames(of.media) if media is None else media.patterns()
    for found in patterns:
        others = f" and {count(found.videos - 1, 'other video')}" if found.videos > 1 else ""
        yield Finding(
            "names_of_frames",
            f"{count(found.names, 'name')}, such as {shown(found.example)}, look like frames of {shown(found.video)}"
            f"{others}: if they are, give {spelt('frame_pattern')} "
            f"'{found.pattern}'",
        )
