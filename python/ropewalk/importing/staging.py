"""The first phase of an import: everything read, resolved, validated and sorted, before anything is sent."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ropewalk.errors import BlockerError, UsageError
from ropewalk.importing.rejects import RejectFile
from ropewalk.project.plan import PlanOptions, plan_json
from ropewalk.reading.formats import BOX_FORMATS, FORMATS, UNITS, add_source
from ropewalk.report import Report, unresolved
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

# File systems take names of 255 bytes, branches may have longer ones.
_STEM_CHARACTERS = 120

_STAGE = "stage"
_IN_USE = "in-use.lock"


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """How sources are read and where they are staged.

    `format` is one of `formats.FORMATS`, `box_format` of `formats.BOX_FORMATS`, `unit` px or frac for tables whose
    rows do not say it.
    `memory_bytes` is the budget above which sorted runs are spilled to the work folder, None for the core's own.
    Paths may be given as text.
    """

    format: str = "auto"
    unit: str | None = None
    annotations: Path | None = None
    confidence_field: str | None = None
    include_crowd: bool = False
    box_format: str = "xywh"
    threads: int = 1
    memory_bytes: int | None = None
    work_dir: Path = Path(".ropewalk")
    rejects: Path | None = None

    def __post_init__(self) -> None:
        for name in ("annotations", "work_dir", "rejects"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))
        if self.format not in FORMATS:
            raise UsageError(f"--format is {self.format!r}; expected one of {', '.join(FORMATS)}")
        if self.unit is not None and self.unit not in UNITS:
            raise UsageError(f"--unit is {self.unit!r}; expected one of {', '.join(UNITS)}")
        if self.box_format not in BOX_FORMATS:
            raise UsageError(f"--box-format is {self.box_format!r}; expected one of {', '.join(BOX_FORMATS)}")
        if self.threads < 1:
            raise UsageError(f"--threads is {self.threads}; expected a whole number of at least 1")
        if self.annotations is not None and not self.annotations.is_file():
            raise UsageError(f"--annotations {shown(str(self.annotations))}: no such file")

    def reject_file(self, stem: str, sources: Iterable[Source]) -> RejectFile:
        """Choose where the rejects of an import are written.

        Raises:
            UsageError: `rejects` names a file that is read.
        """
        return RejectFile(self.rejects, self.work_dir, stem[:_STEM_CHARACTERS], self.files_read(sources))

    def files_read(self, sources: Iterable[Source]) -> set[Path]:
        """List the files that must not be written over: the sources and `annotations`."""
        files = [*(source.path for source in sources), self.annotations]
        return {path.resolve() for path in files if path is not None}


@contextmanager
def staged_sources(
    sources: Sequence[Source],
    project: Snapshot,
    branch: str,
    plan: PlanOptions,
    options: StageOptions,
    report: Report,
    progress: Progress,
    rejects_stem: str = "rejects",
) -> Iterator[tuple[Staged, RejectFile]]:
    """Stage sources, and keep the stage's files for as long as the context lasts.

    Args:
        sources: What to read.
        project: Ontology and media.
        branch: Branch to write on; part of the objects' identity.
        plan: Maps and rules.
        options: How to read and where to stage.
        report: Takes the counts.
        progress: Told about bytes read.
        rejects_stem: Begins the name of the reject file, before the branch.

    Yields:
        The sorted annotations, and the file of those that cannot be written.

    Raises:
        UsageError: A map does not fit the project.
        BlockerError: The disk is too small.
        RopewalkError: What the core found wrong with a source, a subclass that names the byte.
    """
    text = plan_json(project, branch, plan)
    from ropewalk import _core

    options.work_dir.mkdir(parents=True, exist_ok=True)
    sizes = [source.len_bytes for source in sources]
    text_bytes = (
        size * (_UNPACKED_FACTOR if source.is_packed else 1) for source, size in zip(sources, sizes, strict=True)
    )
    check_disk(options.work_dir, sum(text_bytes) * _DISK_FACTOR)
    rejects = options.reject_file(f"{rejects_stem}-{branch}", sources)
    with stage_folder(options.work_dir) as folder:
        budget = {} if options.memory_bytes is None else {"memory_bytes": options.memory_bytes}
        temporary = folder / "rejects.ndjson"
        stage = _core.Stage(text, str(temporary), str(folder), threads=options.threads, **budget)
        progress.start("reading", sum(sizes), "bytes")
        before = 0
        for source, len_bytes in zip(sources, sizes, strict=True):
            add_source(stage, source, options, plan, partial(_update, progress, before))
            before += len_bytes
            progress.update(before)
        progress.end()
        staged = stage.finish()
        counts = staged.counts
        report.label_rows_staged = len(staged)
        report.add_staged(counts)
        if counts["rejected"]:
            rejects.take(temporary, report)
        titles = chain.from_iterable((m.title, *(image.title for image in m.images)) for m in project.media)
        names = [item["name"] for item in project.ontology_structure.get("objects", [])]
        report.unresolved_media = unresolved(counts["unresolved_media"], list(map(without_query, titles)))
        report.unresolved_classes = unresolved(counts["unresolved_classes"], names)
        yield staged, rejects


@contextmanager
def stage_folder(work_dir: Path) -> Iterator[Path]:
    """Make a folder for sorted runs, and remove those that imports left behind when they were killed.

    Args:
        work_dir: Where; it exists.

    Yields:
        The folder; it is removed at the end of the context.
    """
    # While this is held no folder is without its lock, so that one whose lock is free has no owner.
    with FileLock(work_dir / f"{_STAGE}.lock"):
        for old in work_dir.glob(f"{_STAGE}-*"):
            try:
                with FileLock(old / _IN_USE, timeout=0):
                    pass
            except (Timeout, OSError):
                continue
            shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{_STAGE}-", dir=work_dir))
        lock = FileLock(folder / _IN_USE)
        lock.acquire()
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _update(progress: Progress, before: int, done: int) -> None:
    progress.update(before + done)


def check_disk(folder: Path, needed_bytes: int) -> None:
    """Refuse to begin what would fill the disk.

    Raises:
        BlockerError: Less than `needed_bytes` are free where `folder` is.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise BlockerError(
            f"{shown(str(folder))}: staging may need {size(needed_bytes)} of disk, {size(free)} are free; "
            "make room or give another folder with --work-dir"
        )


def check_max_rejects(limit: str, report: Report) -> None:
    """Turn too many rejects into a blocker.

    Args:
        limit: `N` annotations, or `P%` of those read.
        report: What was counted.

    Raises:
        BlockerError: There are more.
        UsageError: The limit is neither.
    """
    most, text = parse_max_rejects(limit), limit.strip()
    allowed = most * report.annotations_read / 100 if text.endswith("%") else most
    if report.annotations_rejected > allowed:
        raise BlockerError(
            f"{report.annotations_rejected} of {report.annotations_read} annotations are rejected, more than "
            f"--max-rejects {text} allows; nothing was sent"
        )


def parse_max_rejects(limit: str) -> float:
    """Read the number of a limit such as `100` or `0.5%`.

    Raises:
        UsageError: It is neither.
    """
    text = limit.strip()
    try:
        value = float(text[:-1]) if text.endswith("%") else int(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf") or (text.endswith("%") and value > 100):
        raise UsageError(f"--max-rejects is {limit!r}; expected a whole number, or a percentage such as 0.5%")
    return value
