"""Read predictions once, and say what they hold and what looks wrong."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from ropewalk.inspecting.findings import findings_of
from ropewalk.inspecting.inspection import (
    InspectedClass,
    InspectedFormat,
    InspectedMedium,
    InspectedScores,
    Inspection,
)
from ropewalk.progress import NoProgress, Progress
from ropewalk.project.options import PlanOptions
from ropewalk.reading.formats import formats, open_source
from ropewalk.reading.options import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ropewalk.project.snapshot import Snapshot
    from ropewalk.reading.sources import Source


def inspect_sources(
    sources: Sequence[Source],
    options: ReadOptions,
    project: Snapshot | None = None,
    *,
    rules: PlanOptions | None = None,
    progress: Progress | None = None,
) -> Inspection:
    """Read sources once, in bounded memory, and say what they hold.

    Args:
        sources: What to read.
        options: How.
        project: Project to compare names, frames and sizes with.
        rules: How media are matched with those of the project.
        progress: Told about bytes read, source by source.

    Returns:
        What they hold, with findings.

    Raises:
        UsageError: A map does not fit the project.
        RopewalkError: A source cannot be read.
    """
    from ropewalk import _core

    progress = progress or NoProgress()
    survey = _core.Survey()
    read, before = 0, 0
    filtered: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    progress.start("reading", sum(source.len_bytes for source in sources), "bytes")
    for source in sources:
        opened = open_source(source, options, keep_scores=True)
        while opened.survey(survey):
            pass
        counts = opened.counts
        read += counts["read"]
        filtered.update(counts["filtered_by_reason"])
        warnings.update(counts["warnings"])
        before += source.len_bytes
        progress.update(before)
    progress.end()
    found = tuple(_format(name, of, options) for name, of in json.loads(survey.to_json()).items())
    return Inspection(
        sources=tuple(source.name for source in sources),
        annotations_read=read,
        filtered_by_reason=dict(filtered),
        warnings=dict(warnings),
        formats=found,
        findings=tuple(findings_of(found, options, project, rules or PlanOptions())),
    )


def _format(name: str, of: dict[str, Any], options: ReadOptions) -> InspectedFormat:
    info, rows = formats()[name], of["rows"]
    return InspectedFormat(
        name=name,
        frame_base=info["frame_base"] if options.frame_base is None else options.frame_base,
        frame_stride=info["frame_stride"] if options.frame_stride is None else options.frame_stride,
        annotations=rows["annotations"],
        media=tuple(_medium(medium) for medium in rows["media"]),
        on_other_media=rows["on_other_media"],
        classes=tuple(InspectedClass(item["name"], item["shapes"]) for item in rows["classes"]),
        of_other_classes=rows["of_other_classes"],
        tracked=rows["tracked"],
        tracks=rows["tracks"],
        more_tracks=rows["more_tracks"],
        scores=InspectedScores(**rows["scores"]),
        rejects={code: (item["count"], item["first"]) for code, item in of["rejects"].items()},
        looks=rows["looks"],
    )


def _medium(medium: dict[str, Any]) -> InspectedMedium:
    frames = medium["frames"]
    return InspectedMedium(
        name=medium["name"],
        annotations=medium["annotations"],
        tracks=medium["tracks"],
        first_frame=frames["first"],
        last_frame=frames["last"],
        frames=frames["count"],
        step=frames["step"],
        gaps=frames["gaps"],
        first_gaps=tuple((first, last) for first, last in frames["first_gaps"]),
        size_px=None if medium["size_px"] is None else (medium["size_px"][0], medium["size_px"][1]),
        reach_px=None if (reach := medium["reach"]) is None else (reach[0], reach[1], reach[2], reach[3]),
    )
