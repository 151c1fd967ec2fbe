"""`preview`: one page of HTML that draws predictions, so that a person sees whether they are read as they were meant.

With a project, predictions are drawn as an import would write them: maps, frames, clipping and rejects are those of the
import. Without one they are drawn as the source has them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ropewalk.errors import UsageError
from ropewalk.files import written_whole
from ropewalk.importing.options import ConnectOptions
from ropewalk.importing.staging import staged_sources
from ropewalk.options import fields_of, given_of, made, spelt, takes
from ropewalk.pages.page import page, table
from ropewalk.previewing.content import content_of
from ropewalk.previewing.known import known_of
from ropewalk.previewing.options import PreviewKeywords, PreviewOptions
from ropewalk.previewing.pictures import MediaFolder
from ropewalk.previewing.sides import Side
from ropewalk.progress import NoProgress, Progress
from ropewalk.project.live import project_from_listing
from ropewalk.project.narrowing import asks_metadata
from ropewalk.project.options import PlanOptions
from ropewalk.project.snapshot import Snapshot
from ropewalk.reading.options import ReadOptions
from ropewalk.reading.predictions import Given, Predictions, sources_of
from ropewalk.reading.sources import Source, files_read
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS, Report
from ropewalk.scratch import Spool
from ropewalk.showing.read_project import read_project

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

_HERE = Path(__file__).parent

# Times are not drawn, so any value works.
_WHEN = "Thu, 01 Jan 1970 00:00:00 UTC"

# Identity of objects needs a branch also where none is written on.
_BRANCH = "predictions"


@dataclass
class Preview:
    """What a preview's page holds.

    Attributes:
        out: The page.
        frames: Frames in its grid.
        pictures: Frames drawn over a picture of the user's, those in strips of tracks among them.
        objects: Objects on the frames of the grid, of all sides.
        tracks: Tracks with a strip.
        differences: Objects of the grid that differ between the two sides; None for one side.
        likely_cause: The usual mistake that explains the differences, None without one.
        sides: What became of each side's annotations: name -> reason -> number, with `drawable` for those that may be
            on the page.
        exit_code: 0, or 3 with rejects.
    """

    out: str
    frames: int
    pictures: int
    objects: int
    tracks: int
    differences: int | None
    likely_cause: str | None = None
    sides: dict[str, dict[str, int]] = field(default_factory=dict)
    exit_code: int = EXIT_ALL_WRITTEN

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return asdict(self)


@takes(PreviewOptions)
def preview(
    predictions: Given | None,
    out: str | os.PathLike[str],
    *,
    project: encord.Project | Snapshot | None = None,
    branch: str | None = None,
    progress: Progress | None = None,
    **options: Unpack[PreviewKeywords],
) -> Preview:
    """Draw predictions on a page of HTML that needs no network and no other file.

    The page shows up to `frames` frames: some for each class and shape, the first and last of each medium, the
    extremes, and others spread over the rest; and the longest tracks as strips of their frames.

    Args:
        predictions: As `import_predictions` takes them; None to draw a branch alone.
        out: The page to write, `.html`.
        project: A project of the `encord` client, or a snapshot. Predictions are then drawn as an import would write
            them.
        branch: Branch of the project to draw; with `predictions` beside them, and what differs is marked.
        progress: Told about phases.
        **options: Those of `ropewalk preview --help`, under the same names.

    Returns:
        What is on the page.

    Raises:
        UsageError: There is nothing to draw, or an option does not fit.
        RopewalkError: What the core found wrong with a source, or Encord refused; see `import_predictions`.

    Example:
        >>> import tempfile
        >>> from ropewalk import read_table
        >>> rows = [{"media": "a.jpg", "class": "Car", "box": [2, 3, 5, 4], "unit": "px", "score": 0.5}]
        >>> preview(read_table(rows), Path(tempfile.mkdtemp(), "preview.html")).objects
        1
    """
    out, progress = Path(out), progress or NoProgress()
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{spelt('out')} {out.name}: expected a name that ends in .html")
    if predictions is None and branch is None:
        raise UsageError(f"there is nothing to draw: give predictions, or a project with {spelt('branch')}")
    if branch is not None and project is None:
        raise UsageError(f"{spelt('branch')} needs a project")
    sources: list[Source] = []
    if predictions is None:
        job = made(PreviewOptions, options)
    else:
        sources, job = sources_of(predictions, PreviewOptions, options)
        files_read(sources, job).refuse("out", out)
    folder = None if job.media_dir is None else MediaFolder(job.media_dir)
    snapshot = None if project is None else _snapshot(project, job)
    known = known_of(snapshot)
    sides = []
    if sources and snapshot is not None:
        sides.append(_as_imported(sources, snapshot, branch or _BRANCH, job, progress))
        sides[-1].known = known
    elif sources:
        sides.append(_as_read(sources, job))
    if branch is not None:
        assert project is not None
        connect = {name: getattr(job, name) for name in fields_of(ConnectOptions)}
        stored = read_project(project, branch=branch, work_dir=job.work_dir, **connect)
        sides.append(Side(branch, [stored], known))
    data = content_of(sides, known, folder, job.frames)
    with written_whole(out) as temporary:
        temporary.write_text(_html(data), encoding="utf-8")
    return _figures(out, data)


def _snapshot(project: encord.Project | Snapshot, options: PreviewOptions) -> Snapshot:
    if isinstance(project, Snapshot):
        return project
    from ropewalk.sinks.encord.connection import connected

    with connected(project, options) as (rows, _):
        listing = rows.listing("main", images_data=True, client_metadata=asks_metadata(options.media_key))
        return project_from_listing(project, rows.ontology(str(project.ontology_hash)), listing)


def _as_read(sources: list[Source], options: PreviewOptions) -> Side:
    """Take predictions as the sources have them."""
    for name in given_of(options, PlanOptions):
        raise UsageError(f"{spelt(name)} needs a project: without one predictions are drawn as the source has them")
    reading = made(ReadOptions, given_of(options, ReadOptions))
    return Side(_names(sources), [Predictions(source, reading) for source in sources])


def _as_imported(
    sources: list[Source], project: Snapshot, branch: str, options: PreviewOptions, progress: Progress
) -> Side:
    """Make the label rows that an import would write."""
    report = Report(branch=branch)
    with staged_sources(sources, project, branch, options, report, progress, "preview-rejects") as (staged, rejects):

        def write(file: BinaryIO) -> None:
            for index in range(len(staged)):
                rejects.append([line for _, line in staged.unfit(index, None, _WHEN)], report)
                staged.write(index, file, None, _WHEN)
                file.write(b"\n")

        spool = Spool("label-rows.ndjson", options.work_dir, write)
    left_out = Counter({f"rejected: {code}": n for code, n in report.rejects_by_code.items()})
    left_out.update({f"left out: {reason}": n for reason, n in report.filtered_by_reason.items()})
    label_rows = Predictions(Source(spool.path, _BRANCH, spool=spool), ReadOptions(format="encord"))
    return Side(_names(sources), [label_rows], left_out=left_out)


def _names(sources: list[Source]) -> str:
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return f"{sources[0].name}{more}"


def _html(data: Mapping[str, Any]) -> str:
    title = "Preview of " + " and ".join(side["name"] for side in data["sides"])
    counts = [(side["name"], what, n) for side in data["sides"] for what, n in side["counts"].items()]
    compared = len(data["sides"]) == 2
    cause = f"<p class=differs>{escape(data['cause'])}</p>\n" if data["cause"] else ""
    body = (
        f"<style>{_asset('preview.css')}</style>\n<h1>{escape(title)}</h1>\n"
        f"{cause}"
        f'<div id="controls"></div>\n<div id="frames"{" class=compared" if compared else ""}></div>\n'
        '<h2>Tracks</h2>\n<div id="tracks"></div>\n<h2>Annotations</h2>\n'
        f"{table(('predictions', 'annotations', 'number'), counts)}\n<dialog></dialog>"
    )
    return page(title, body, data, _asset("preview.js"))


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _figures(out: Path, data: Mapping[str, Any]) -> Preview:
    grid = [frame for frame in data["frames"] if frame["grid"]]
    sides = {side["name"]: side["counts"] for side in data["sides"]}
    rejected = any(what.startswith("rejected") for counts in sides.values() for what in counts)
    return Preview(
        out=str(out),
        frames=len(grid),
        pictures=sum(frame["img"] is not None for frame in data["frames"]),
        objects=sum(len(objects) + more for f in grid for objects, more in zip(f["sides"], f["more"], strict=True)),
        tracks=len(data["tracks"]),
        differences=sum(frame["d"] for frame in grid) if len(sides) == 2 else None,
        likely_cause=data["cause"],
        sides=sides,
        exit_code=EXIT_WITH_REJECTS if rejected else EXIT_ALL_WRITTEN,
    )
