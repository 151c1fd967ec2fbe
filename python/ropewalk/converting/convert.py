"""`convert`: predictions to files instead of a project. Label rows as NDJSON, the IR as a table, or COCO."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ropewalk.bars import progress_of
from ropewalk.converting import coco_output
from ropewalk.errors import RopewalkError, UsageError
from ropewalk.files import is_stream, make_folder, refuse_same, written_whole
from ropewalk.importing.options import StageKeywords, StageOptions, check_without_project
from ropewalk.importing.rejects import reject_file
from ropewalk.importing.run import creation_time
from ropewalk.importing.staging import staged_sources
from ropewalk.options import spelt, takes
from ropewalk.progress import Progress
from ropewalk.reading.formats import open_source
from ropewalk.reading.predictions import Given, sources_of
from ropewalk.reading.sources import Source, files_read
from ropewalk.reading.tables import SUFFIXES, read_table, write_table
from ropewalk.report import EXIT_STOPPED, Output, Report, example_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ropewalk._core import AnnotationBatch
    from ropewalk.project.snapshot import Snapshot

# Identity of objects needs a branch also where none is written on.
DEFAULT_BRANCH = "predictions"


@takes(StageOptions)
def convert(
    predictions: Given,
    out: str | os.PathLike[str],
    project: Snapshot | None = None,
    *,
    branch: str = DEFAULT_BRANCH,
    progress: Progress | Literal["auto"] | None = None,
    **options: Unpack[StageKeywords],
) -> Report:
    """Convert predictions to a file, written whole or not at all.

    Args:
        predictions: Files, folders or globs of predictions; what `read`, `read_coco` or `read_table` gave; a table of
            polars or pyarrow, rows as a list of dicts, or COCO's results or dataset.
        out: `.ndjson` for label rows, one a line; `.parquet` or `.arrow` for the IR; `.json` for a COCO dataset.
        project: Needed for label rows; in COCO it puts names in the place of hashes.
        branch: Branch that label rows are meant for.
        progress: Told about phases; "auto" shows a bar on a terminal or in a notebook.
        **options: Those of `ropewalk convert --help`, under the same names.

    Returns:
        The report; written annotations are those in the file.

    Raises:
        UsageError: The name of `out` or an option does not fit, or `out` is a file that is read.
        RopewalkError: What the core found wrong with a source.
    """
    out = Path(out)
    sources, job = sources_of(predictions, StageOptions, options)
    files_read(sources, job).refuse("out", out)
    refuse_same(out=out, rejects=job.rejects)
    suffix = out.suffix.lower() or (".ndjson" if is_stream(out) else "")
    report = Report(branch=branch)
    started = time.monotonic()
    try:
        with progress_of(progress) as told:
            if suffix in SUFFIXES:
                with _reading(sources, branch, job, report, told) as (batches, _):
                    report.write(write_table(batches, out), 0)
                report.bytes_sent = out.stat().st_size
                columns = len(read_table(out).collect_schema())
                report.output = Output(str(out), "rows", report.annotations_written, columns, report.bytes_sent)
            elif suffix == coco_output.SUFFIX:
                _convert_to_coco(sources, out, project, branch, job, report, told)
                report.output = Output(str(out), "annotations", report.annotations_written, None, report.bytes_sent)
            elif suffix != ".ndjson":
                expected = f".ndjson, {', '.join(SUFFIXES)} or {coco_output.SUFFIX}"
                raise UsageError(f"{spelt('out')} {out.name}: expected a name that ends in {expected}")
            elif project is None:
                raise UsageError(
                    f"label rows need a project: give {spelt('project_file')} (`ropewalk snapshot` writes one)"
                )
            else:
                report.project_hash = project.project_hash
                _convert_to_label_rows(sources, out, project, branch, job, report, told)
                report.output = Output(str(out), "label rows", report.label_rows_saved, None, report.bytes_sent)
        report.finish()
    except RopewalkError as e:
        report.exit_code, report.stopped_by = EXIT_STOPPED, str(e)
        e.report = report
        raise
    finally:
        report.seconds = round(time.monotonic() - started, 3)
    return report


def _convert_to_label_rows(
    sources: Sequence[Source],
    out: Path,
    project: Snapshot,
    branch: str,
    options: StageOptions,
    report: Report,
    progress: Progress,
) -> None:
    when = creation_time(datetime.now(timezone.utc))
    with (
        staged_sources(sources, project, branch, options, report, progress, "convert-rejects") as (staged, rejects),
        written_whole(out) as temporary,
        temporary.open("wb") as file,
    ):
        progress.start("encoding", report.annotations_not_sent, "annotations")
        done = 0
        for index in range(len(staged)):
            info = staged.label_row(index)
            unfit = staged.unfit(index, None, when)
            rejects.append([line for _, line in unfit], report)
            len_bytes = staged.write(index, file, None, when)
            file.write(b"\n")
            report.write(info["annotations"] - len(unfit), 0)
            report.label_rows_saved += 1
            report.bytes_sent += len_bytes + 1
            done += info["annotations"]
            progress.update(done)
        progress.end()


def _convert_to_coco(
    sources: Sequence[Source],
    out: Path,
    project: Snapshot | None,
    branch: str,
    options: StageOptions,
    report: Report,
    progress: Progress,
) -> None:
    with (
        written_whole(out) as temporary,
        temporary.open("wb") as file,
        _reading(sources, branch, options, report, progress) as (batches, reject),
    ):
        writer = coco_output.CocoWriter(file, project)
        for batch in batches:
            reject(writer.write(batch))
        writer.finish()
        report.bytes_sent = file.tell()
        report.write(writer.written, 0)
        if writer.left_out:
            report.filter("no_place_in_coco", writer.left_out)
        report.warnings.update(writer.warnings)


# Takes rejects as dicts in the form of the reject file's lines, and counts them.
_Reject = Callable[[Iterable[Mapping[str, Any]]], None]


@contextmanager
def _reading(
    sources: Sequence[Source], branch: str, options: StageOptions, report: Report, progress: Progress
) -> Iterator[tuple[Iterator[AnnotationBatch], _Reject]]:
    """Read sources as they are, not resolved; rejects are counted, and stand in their file when the context ends."""
    check_without_project(options, "the file holds what the source says")
    rejects = reject_file(f"convert-rejects-{branch}", sources, options)
    make_folder(options.work_dir)
    with tempfile.TemporaryDirectory(prefix="convert-", dir=options.work_dir) as folder:
        temporary = Path(folder, "rejects.ndjson")

        def reject(found: Iterable[Mapping[str, Any]]) -> None:
            for line in found:
                report.reject(line["code"], line.get("annotations", 1), example_of(line))
                with temporary.open("a", encoding="ascii") as file:
                    file.write(json.dumps(line) + "\n")

        def batches(source: Source) -> Iterator[AnnotationBatch]:
            opened = open_source(source, options)
            before = report.annotations_read
            for batch in opened:
                yield batch
                progress.update(before + opened.counts["read"])
            reject(opened.rejects)
            counts = opened.counts
            report.annotations_read += counts["read"]
            report.annotations_not_sent += counts["read"]
            for reason, filtered in counts["filtered_by_reason"].items():
                report.filter(reason, filtered)
            report.leave_out(counts)
            for name, warned in counts["warnings"].items():
                report.warnings[name] = report.warnings.get(name, 0) + warned

        # How many there are is known when all are read.
        progress.start("reading", 0, "annotations")
        yield chain.from_iterable(map(batches, sources)), reject
        progress.update(report.annotations_read)
        progress.end()
        if report.annotations_rejected:
            rejects.take(temporary, report)
