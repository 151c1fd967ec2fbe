"""`inspect`: what predictions hold and what in them looks wrong, before anything is imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ropewalk.cli import console, listings
from ropewalk.cli import options as o
from ropewalk.cli.account import AccountOptions, chosen, open_project
from ropewalk.cli.grid import write_grid
from ropewalk.inspecting.options import InspectOptions
from ropewalk.options import fields_of
from ropewalk.summary import MESSAGE_CHARACTERS
from ropewalk.text import count, shown

if TYPE_CHECKING:
    from ropewalk.inspecting.inspection import InspectedFormat, InspectedMedium, Inspection
    from ropewalk.project.snapshot import Snapshot

_CLASS_COLUMNS = ("class", "annotations", "shapes")
_MEDIA_COLUMNS = ("medium", "annotations", "tracks", "frames", "with annotations", "gaps")

# Media that are listed; `--json` lists all.
_MEDIA_SHOWN = 20
_SIZES_SHOWN = 5


@o.taking(InspectOptions, AccountOptions)
def inspect(
    sources: o.Sources,
    project: o.ProjectHash = None,
    project_file: o.ProjectFile = None,
    as_json: o.AsJson = False,
    out: o.Out = None,
    **options: Any,
) -> None:
    """Show what predictions hold (media, frames, classes, tracks, scores), and what looks wrong; nothing is uploaded.

    With a project, frames and sizes are compared with those of its media.

    Exit codes: 0 done; 1 failed; 2 usage.
    """
    as_json, out = o.printed(as_json, out)
    with console.failures():
        from ropewalk.inspecting.inspect import inspect_sources
        from ropewalk.options import made
        from ropewalk.project.options import MediaOptions, PlanOptions
        from ropewalk.reading.predictions import sources_of
        from ropewalk.reading.sources import files_read

        project, project_file = chosen(project, project_file)
        given = o.taken(InspectOptions, options)
        found, job = sources_of(sources, InspectOptions, given)
        if out is not None:
            files_read(found, job, project_file).refuse("out", out)
        rules = made(PlanOptions, {name: given[name] for name in fields_of(MediaOptions)})
        target = project_of(project, project_file, options, rules.media_key)
        with console.shown_progress() as progress:
            inspection = inspect_sources(found, job, target, rules=rules, progress=progress)
        if as_json or out is not None:
            listings.write_json(inspection.as_dict(), out)
        if out is not None or not as_json:
            _show(inspection)


def project_of(
    project: str | None, project_file: Path | None, options: dict[str, Any], media_key: str
) -> Snapshot | None:
    """Open the project that is given, or read its snapshot; None where neither is given."""
    from ropewalk.errors import UsageError
    from ropewalk.project.live import snapshot_from_project
    from ropewalk.project.narrowing import asks_metadata
    from ropewalk.project.snapshot import read_snapshot

    if project is not None and project_file is not None:
        raise UsageError("give --project HASH, or --project-file FILE")
    if project_file is not None:
        return read_snapshot(project_file)
    if project is None:
        return None
    return snapshot_from_project(open_project(project, options), client_metadata=asks_metadata(media_key))


def _show(inspection: Inspection) -> None:
    for of in inspection.formats:
        for line in _summary(of):
            console.say(line)
        write_grid(_CLASS_COLUMNS, _class_cells(of))
        write_grid(_MEDIA_COLUMNS, map(_medium_cells, of.media[:_MEDIA_SHOWN]))
        if len(of.media) > _MEDIA_SHOWN:
            console.say(f"and {len(of.media) - _MEDIA_SHOWN:,} more media; --json lists them all")
    for title, sums in (("left out", inspection.filtered_by_reason), ("warnings", inspection.warnings)):
        if sums:
            console.say(f"{title}: " + ", ".join(f"{shown(name)} {n:,}" for name, n in sorted(sums.items())))
    if not inspection.annotations_read:
        console.say("no annotations")
    for finding in inspection.findings:
        console.say(f"finding: {shown(finding.message, MESSAGE_CHARACTERS)}")
    if inspection.annotations_read and not inspection.findings:
        console.say("nothing looks wrong")


def _summary(of: InspectedFormat) -> Iterator[str]:
    more = " or more" if of.more_tracks else ""
    media = count(len(of.media), "medium") if len(of.media) == 1 else f"{len(of.media):,} media"
    classes = "1 class" if len(of.classes) == 1 else f"{len(of.classes):,} classes"
    yield f"{of.name}: {count(of.annotations, 'annotation')} on {media}, {classes}, {count(of.tracks, 'track')}{more}"
    scores = of.scores
    if scores.given:
        without = of.annotations - scores.given
        missing = f", {count(without, 'annotation')} without" if without else ""
        yield f"scores from {scores.min:g} to {scores.max:g}{missing}"
    if of.sizes_px:
        sizes = ", ".join(f"{width} x {height}" for width, height in of.sizes_px[:_SIZES_SHOWN])
        left = len(of.sizes_px) - _SIZES_SHOWN
        yield f"sizes of media in px: {sizes}{f' and {left:,} more' if left > 0 else ''}"
    width, height = of.looks["boxes"]["width_px"], of.looks["boxes"]["height_px"]
    if width is not None:
        yield f"boxes in px: {width[0]:g} to {width[1]:g} wide, {height[0]:g} to {height[1]:g} high"
    for code, (n, first) in of.rejects.items():
        yield f"cannot be read: {code} {n:,}, such as: {shown(first, MESSAGE_CHARACTERS)}"
    for n, what in ((of.on_other_media, "on further media"), (of.of_other_classes, "of further classes")):
        if n:
            yield f"{count(n, 'annotation')} {what} counted, and not listed"


def _class_cells(of: InspectedFormat) -> Iterator[tuple[str, ...]]:
    for item in sorted(of.classes, key=lambda item: (-item.annotations, item.name)):
        yield item.name, f"{item.annotations:,}", ", ".join(f"{shape} {n:,}" for shape, n in item.shapes.items())


def _medium_cells(medium: InspectedMedium) -> tuple[str, ...]:
    first, last = medium.first_frame, medium.last_frame
    frames = str(first) if first == last else f"{first} to {last}"
    if medium.step > 1:
        frames += f", {medium.step} apart"
    gaps = ""
    if medium.gaps:
        longest = max(medium.first_gaps, key=lambda gap: gap[1] - gap[0])
        gaps = f"{medium.gaps:,}, such as {longest[0]} to {longest[1]}"
    known = "" if medium.frames is None else f"{medium.frames:,}"
    return medium.name, f"{medium.annotations:,}", f"{medium.tracks:,}", frames, known, gaps
