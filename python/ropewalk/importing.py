"""The main job: predictions onto a branch. Stage everything, check what stands there, then send row by row."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

from ropewalk.errors import BlockerError, RopewalkError, UsageError
from ropewalk.plan import PlanOptions
from ropewalk.progress import NoProgress, Progress
from ropewalk.project import label_hashes_from_listing, project_from_listing
from ropewalk.rejects import RejectFile
from ropewalk.report import EXIT_STOPPED, Report
from ropewalk.snapshot import Snapshot
from ropewalk.sources import Source, find_sources
from ropewalk.staging import StageOptions, check_max_rejects, parse_max_rejects, staged_sources
from ropewalk.text import count, shown

if TYPE_CHECKING:
    import encord

    from ropewalk._core import Staged
    from ropewalk.predictions import Predictions
    from ropewalk.sinks.encord.rows import LabelRows
    from ropewalk.sinks.encord.upload import Outcome, Upload

ON_EXISTING = ("fail", "skip", "replace", "merge")
EMPTY_ROWS = ("create", "skip")

_BRANCH = re.compile(r"[A-Za-z0-9._-]+")
_REFUSED_SHOWN = 5

Options = TypeVar("Options", PlanOptions, StageOptions, "SendOptions")


@dataclass(frozen=True, kw_only=True)
class SendOptions:
    """What is written and how much at a time: `jobs` requests in flight, batches of at most so many rows and bytes."""

    allow_branch: bool = False
    on_existing: str = "fail"
    empty_rows: str = "skip"
    jobs: int = 4
    batch_rows: int = 20
    batch_bytes: int = 8_000_000
    max_rejects: str | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        for option, value, allowed in (
            ("--on-existing", self.on_existing, ON_EXISTING),
            ("--empty-rows", self.empty_rows, EMPTY_ROWS),
        ):
            if value not in allowed:
                raise UsageError(f"{option} is {value!r}; expected one of {', '.join(allowed)}")
        for option, number in (
            ("--jobs", self.jobs),
            ("--batch-rows", self.batch_rows),
            ("--batch-bytes", self.batch_bytes),
        ):
            if number < 1:
                raise UsageError(f"{option} is {number}; expected a whole number of at least 1")
        if self.max_rejects is not None:
            parse_max_rejects(self.max_rejects)


def import_predictions(
    predictions: str | os.PathLike[str] | Predictions | Iterable[str | os.PathLike[str]],
    project: encord.Project | Snapshot,
    *,
    branch: str,
    source_label: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Report:
    """Import predictions onto a branch of a project.

    Args:
        predictions: Files, folders or globs of COCO predictions, or what `read_coco` gave.
        project: A project of the `encord` client; with `dry_run` also a snapshot, without any network.
        branch: The prediction branch.
        source_label: Label of the one source instead of its file name.
        progress: Told about phases.
        **options: Fields of `PlanOptions`, `StageOptions` and `SendOptions`, which are the command line's options.

    Returns:
        The report; its exit_code is 0 when all was written and 3 when there are rejects.

    Raises:
        UsageError: An option, a map or a path does not fit.
        BlockerError: Something stops the import before anything is sent; its `report` says how far it came.
        EncordError: Encord refused the key or could not be reached any more; running the import again finishes it.
        RopewalkError: What the core found wrong with a source.
    """
    from ropewalk.predictions import Predictions

    if isinstance(predictions, Predictions):
        if source_label is not None:
            raise UsageError("source_label: the predictions have a label already; give it to read_coco")
        own = {k: getattr(predictions, k) for k in ("annotations", "confidence_field", "include_crowd")}
        sources = [predictions.source]
        options = own | options
    else:
        sources = find_sources(predictions, source_label)
    plan, stage, send = split_options(options)
    job = _Import(sources, project, branch, plan, stage, send, progress or NoProgress())
    return job.run()


def split_options(options: Mapping[str, Any]) -> tuple[PlanOptions, StageOptions, SendOptions]:
    """Sort options by what they are for.

    Raises:
        UsageError: An option does not exist, or its value does not fit.
    """
    left = dict(options)

    def taken(kind: Callable[..., Options]) -> Options:
        return kind(**{f.name: left.pop(f.name) for f in dataclasses.fields(kind) if f.name in left})  # type: ignore[arg-type]

    plan, stage, send = taken(PlanOptions), taken(StageOptions), taken(SendOptions)
    if left:
        raise UsageError(f"unknown option {', '.join(sorted(left))}")
    if send.empty_rows == "create" and plan.limit_rows is not None:
        raise UsageError("--empty-rows create makes rows for all media, --limit-rows is for a few; give one of them")
    return plan, stage, send


def check_branch(branch: str, allow_branch: bool) -> None:
    """Refuse branch names that Encord does not take, and branches that hold no predictions.

    Raises:
        BlockerError: The name is not valid, or it is `main` or of a consensus and `allow_branch` is not given.
    """
    if not _BRANCH.fullmatch(branch):
        raise BlockerError(
            f'"{shown(branch)}" is not a branch name; expected letters A to Z and a to z, digits, `-`, `_` and `.`'
        )
    if (branch == "main" or branch.startswith("encord-")) and not allow_branch:
        what = "holds the labels themselves" if branch == "main" else "belongs to Encord's consensus"
        raise BlockerError(
            f"the branch {branch} {what}; give another name, or --allow-branch to write on it all the same"
        )


def creation_time(moment: datetime) -> str:
    """Write a time as label rows have it: `Sat, 21 Nov 2026 23:48:11 UTC`."""
    return format_datetime(moment.astimezone(timezone.utc)).replace("+0000", "UTC")


@dataclass
class _Import:
    sources: list[Source]
    project: encord.Project | Snapshot
    branch: str
    plan: PlanOptions
    stage: StageOptions
    send: SendOptions
    progress: Progress
    report: Report = field(default_factory=Report)
    stop: threading.Event = field(default_factory=threading.Event)
    rejects: RejectFile | None = None

    def run(self) -> Report:
        check_branch(self.branch, self.send.allow_branch)
        offline = isinstance(self.project, Snapshot)
        if offline and not self.send.dry_run:
            raise UsageError("a project file can only be imported into with --dry-run")
        report = self.report
        report.project_hash, report.branch, report.dry_run = self.project.project_hash, self.branch, self.send.dry_run
        started = time.monotonic()
        try:
            with self._label_rows() as rows:
                self._import(rows)
        except RopewalkError as e:
            report.exit_code, report.stopped_by = EXIT_STOPPED, str(e)
            e.report = report
            raise
        except KeyboardInterrupt:
            self.stop.set()
            raise
        finally:
            report.seconds = round(time.monotonic() - started, 3)
        return report

    @contextmanager
    def _label_rows(self) -> Iterator[LabelRows | None]:
        if isinstance(self.project, Snapshot):
            yield None
            return
        from ropewalk.sinks.encord.retry import Retry
        from ropewalk.sinks.encord.rows import LabelRows
        from ropewalk.sinks.encord.transport import Transport

        transport = Transport(self.project, self.send.jobs)
        try:
            yield LabelRows(transport, Retry(stop=self.stop))
        finally:
            transport.close()

    def _import(self, rows: LabelRows | None) -> None:
        if isinstance(self.project, Snapshot) or rows is None:
            assert isinstance(self.project, Snapshot)
            project, label_hashes = self.project, dict[str, str]()
        else:
            entries = rows.listing(self.branch, images_data=True)
            project, label_hashes = project_from_listing(self.project, entries), label_hashes_from_listing(entries)
            del entries
        stem = "dry-run-rejects" if self.send.dry_run else "rejects"
        with staged_sources(
            self.sources, project, self.branch, self.plan, self.stage, self.report, self.progress, stem
        ) as (staged, self.rejects):
            if self.send.max_rejects is not None:
                check_max_rejects(self.send.max_rejects, self.report)
            upload = self._upload(staged, rows, label_hashes)
            if self.send.on_existing == "fail" and label_hashes:
                self._check_existing(upload)
            self._send(upload, project)
        self.report.finish()

    def _upload(self, staged: Staged, rows: LabelRows | None, label_hashes: Mapping[str, str]) -> Upload:
        from ropewalk.sinks.encord.upload import Limits, Upload

        return Upload(
            staged=staged,
            rows=rows,
            branch=self.branch,
            label_hashes=label_hashes,
            when=creation_time(datetime.now(timezone.utc)),
            on_existing=self.send.on_existing,
            limits=Limits(self.send.jobs, self.send.batch_rows, self.send.batch_bytes),
            dry_run=self.send.dry_run,
            stop=self.stop,
        )

    def _check_existing(self, upload: Upload) -> None:
        refused: list[str] = []
        for outcome in self._shown("checking", len(upload.existing()), upload.check_existing()):
            refused += outcome.refused
            upload.settled.update(outcome.settled)
        if refused:
            names = ", ".join(shown(title) for title in sorted(refused)[:_REFUSED_SHOWN])
            more = f" and {len(refused) - _REFUSED_SHOWN} more" if len(refused) > _REFUSED_SHOWN else ""
            raise BlockerError(
                f"{count(len(refused), 'label row')} on {self.branch} with objects that this import would not write: "
                f"{names}{more}; nothing was sent; choose with --on-existing skip, replace or merge"
            )

    def _send(self, upload: Upload, project: Snapshot) -> None:
        for outcome in self._shown("sending", len(upload.staged), upload.send()):
            self._count(outcome)
        if self.send.empty_rows == "create":
            empty = self._empty_media(upload, project)
            for outcome in self._shown("creating empty rows", len(empty), upload.create_empty(empty)):
                self._count(outcome)

    def _empty_media(self, upload: Upload, project: Snapshot) -> list[str]:
        staged = {upload.staged.label_row(i)["data_hash"] for i in range(len(upload.staged))}
        globs = self.plan.only_media or ("*",)

        def wanted(title: str) -> bool:
            # As the core matches them: the whole title, or what follows its last slash.
            names = (title, re.split(r"[/\\]", title)[-1])
            return any(fnmatchcase(name, glob) for name in names for glob in globs)

        return [
            medium.data_hash
            for medium in project.media
            if medium.data_hash not in staged and medium.data_hash not in upload.label_hashes and wanted(medium.title)
        ]

    def _shown(self, phase: str, total: int, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        self.progress.start(phase, total, "label rows")
        done = 0
        for outcome in outcomes:
            yield outcome
            done += outcome.rows_done
            self.progress.update(done)
        self.progress.end()

    def _count(self, outcome: Outcome) -> None:
        report = self.report
        report.write(outcome.written, outcome.already_there)
        if outcome.rows_skipped:
            report.filter("existing_row_skipped", outcome.skipped)
        report.label_rows_saved += outcome.rows_saved
        report.label_rows_already_there += outcome.rows_already_there
        report.label_rows_skipped += outcome.rows_skipped
        report.label_rows_created_empty += outcome.rows_created_empty
        report.bytes_sent += outcome.bytes_sent
        report.label_rows_failed += outcome.rows_failed + len(outcome.rows_not_created)
        report.rows_not_created |= outcome.rows_not_created
        assert self.rejects is not None
        self.rejects.append([line for lines in outcome.rejects.values() for line in lines], report)
