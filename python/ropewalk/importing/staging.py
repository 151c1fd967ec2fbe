"""The first phase of an import: everything read, resolved, validated and sorted, before anything is sent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ropewalk.errors import BlockerError
from ropewalk.files import make_folder
from ropewalk.importing.options import StageOptions, parse_max_rejects
from ropewalk.importing.rejects import RejectFile, reject_file
from ropewalk.options import spelt
from ropewalk.project.narrowing import keys_of, narrowed
from ropewalk.project.plan import plan_of
from ropewalk.reading.formats import add_source
from ropewalk.report import Report, unresolved
from ropewalk.scratch import stage_folder
from ropewalk.text import shown, size, without_query

if TYPE_CHECKING:
    from ropewalk._core import Staged
    from ropewalk.progress import Progress
    from ropewalk.project.snapshot import Snapshot
    from ropewalk.reading.sources import Source

# Sorted runs and the runs they are merged into stand on disk together for a while.
_DISK_FACTOR = 2

# How many times as long the text in a compressed file is, for predictions.
_UNPACKED_FACTOR = 10


@contextmanager
def staged_sources(
    sources: Sequence[Source],
    project: Snapshot,
    branch: str,
    options: StageOptions,
    report: Report,
    progress: Progress,
    rejects_stem: str | None = "rejects",
) -> Iterator[tuple[Staged, RejectFile]]:
    """Stage sources, and keep the stage's files for as long as the context lasts.

    Args:
        sources: What to read.
        project: Ontology and media.
        branch: Branch to write on; part of the objects' identity.
        options: How to read and resolve, and where to stage.
        report: Takes the counts.
        progress: Told about bytes read.
        rejects_stem: Begins the name of the reject file in the work folder, before the branch; None where rejects are
            kept only if a file is asked for.

    Yields:
        The sorted annotations, and the file of those that cannot be written.

    Raises:
        UsageError: A map does not fit the project.
        BlockerError: The disk is too small.
        RopewalkError: What the core found wrong with a source, a subclass that names the byte.
    """
    project = narrowed(project, options)
    plan = plan_of(project, branch, options)
    from ropewalk import _core

    make_folder(options.work_dir)
    sizes = [source.len_bytes for source in sources]
    text_bytes = (
        size * (_UNPACKED_FACTOR if source.is_packed else 1) for source, size in zip(sources, sizes, strict=True)
    )
    check_disk(options.work_dir, sum(text_bytes) * _DISK_FACTOR)
    rejects = reject_file(None if rejects_stem is None else f"{rejects_stem}-{branch}", sources, options)
    with stage_folder(options.work_dir) as folder:
        temporary = folder / "rejects.ndjson"
        stage = _core.Stage(
            plan, str(temporary), str(folder), threads=options.n_threads, memory_bytes=options.memory_bytes
        )
        progress.start("reading", sum(sizes), "bytes")
        before = 0
        for source, len_bytes in zip(sources, sizes, strict=True):
            add_source(stage, source, options, partial(_update, progress, before, len_bytes))
            before += len_bytes
            progress.update(before)
        progress.end()
        staged = stage.finish()
        counts = staged.counts
        report.label_rows_staged = len(staged)
        report.add_staged(counts)
        if counts["rejected"]:
            rejects.take(temporary, report)
        keys = zip(project.media, keys_of(project.media, options.media_key), strict=True)
        titles = chain.from_iterable(
            (key or m.title, *(image.title for image in m.images), *(f"{m.title}/{space.title}" for space in m.spaces))
            for m, key in keys
        )
        names = [item["name"] for item in project.ontology_structure.get("objects", [])]
        report.unresolved_media = unresolved(counts["unresolved_media"], list(map(without_query, titles)))
        report.unresolved_classes = unresolved(counts["unresolved_classes"], names)
        yield staged, rejects


def _update(progress: Progress, before: int, len_bytes: int, done: int) -> None:
    # Of an archive what is done is as it is unpacked.
    progress.update(before + min(done, len_bytes))


def check_disk(folder: Path, needed_bytes: int) -> None:
    """Refuse to begin what would fill the disk.

    Raises:
        BlockerError: Less than `needed_bytes` are free where `folder` is.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise BlockerError(
            f"{shown(str(folder))}: staging may need {size(needed_bytes)} of disk, {size(free)} are free; "
            f"make room or give another folder with {spelt('work_dir')}"
        )


def check_max_rejects(limit: int | str, report: Report) -> None:
    """Turn too many rejects into a blocker.

    Args:
        limit: `N` annotations, or `P%` of those read.
        report: What was counted.

    Raises:
        BlockerError: There are more.
    """
    most, text = parse_max_rejects(limit), str(limit).strip()
    allowed = most * report.annotations_read / 100 if text.endswith("%") else most
    if report.annotations_rejected > allowed:
        raise BlockerError(
            f"{report.annotations_rejected} of {report.annotations_read} annotations are rejected, more than "
            f"{spelt('max_rejects')} {text} allows; nothing was sent"
        )
