"""The main job: predictions onto a branch. Stage everything, check what stands there, then send row by row."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

from ropewalk.bars import progress_of
from ropewalk.errors import BlockerError, EncordError, RopewalkError, UsageError
from ropewalk.files import refuse_same, written_whole
from ropewalk.importing.earlier import EarlierImports
from ropewalk.importing.notes import NUMBER_TAKEN
from ropewalk.importing.options import ImportKeywords, ImportOptions
from ropewalk.importing.planned import ImportPlan, planned
from ropewalk.importing.rejects import RejectFile
from ropewalk.importing.staging import check_max_rejects, staged_sources
from ropewalk.importing.written import write_written
from ropewalk.ledger.ledger import LEDGERS, Ledger
from ropewalk.ledger.lock import branch_lock
from ropewalk.ledger.records import ImportName, ImportRecord
from ropewalk.options import spelt, takes
from ropewalk.progress import Progress
from ropewalk.project.live import project_from_listing, standing_from_listing
from ropewalk.project.narrowing import asks_metadata, narrowed
from ropewalk.project.snapshot import Snapshot
from ropewalk.project.titles import is_meant
from ropewalk.project.web import project_page
from ropewalk.reading.predictions import Given, sources_of
from ropewalk.reading.sources import Source, files_read
from ropewalk.report import EXIT_STOPPED, Report
from ropewalk.text import count, shown

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

    from ropewalk._core import Staged
    from ropewalk.importing.earlier import Document
    from ropewalk.ledger.lock import Turn
    from ropewalk.project.live import StandingRow
    from ropewalk.sinks.encord.outcome import Outcome
    from ropewalk.sinks.encord.rows import LabelRows
    from ropewalk.sinks.encord.staged_rows import Row
    from ropewalk.sinks.encord.upload import Upload

# Shown the plan, says whether to go on.
Confirm = Callable[[ImportPlan], bool]

_BRANCH = re.compile(r"[A-Za-z0-9._-]+")
_REFUSED_SHOWN = 5


@takes(ImportOptions)
def import_predictions(
    predictions: Given,
    project: encord.Project | Snapshot,
    *,
    branch: str,
    progress: Progress | Literal["auto"] | None = None,
    confirm: Confirm | None = None,
    **options: Unpack[ImportKeywords],
) -> Report:
    """Import predictions onto a branch of a project.

    Args:
        predictions: Files, folders or globs of predictions; what `read`, `read_coco` or `read_table` gave; a table of
            polars or pyarrow, rows as a list of dicts, or COCO's results or dataset.
        project: A project of the `encord` client; with `dry_run` also a snapshot, without any network.
        branch: The prediction branch.
        progress: Told about phases; "auto" shows a bar on a terminal or in a notebook.
        confirm: Asked with the plan before anything is sent; False stops the import. A dry run does not ask, its plan
            is in the report.
        **options: Those of `ropewalk import --help`, under the same names: `--on-existing` is `on_existing`.

    Returns:
        The report; its exit_code is 0 when all was written and 3 when there are rejects.

    Raises:
        UsageError: An option, a map or a path does not fit.
        BlockerError: Something stops the import before anything is sent, or `confirm` said no; its `report` says how
            far it came.
        EncordError: Encord refused the key or could not be reached any more; running the import again finishes it.
        RopewalkError: What the core found wrong with a source.
    """
    sources, job = sources_of(predictions, ImportOptions, options)
    if not (isinstance(project, Snapshot) or hasattr(project, "project_hash")):
        raise UsageError(f"{type(project).__name__} is not a project; expected one of the encord client, or a snapshot")
    files_read(sources, job).refuse("written", job.written)
    refuse_same(written=job.written, rejects=job.rejects)
    with progress_of(progress) as told:
        return _Import(sources, project, branch, job, told, confirm).run()


def check_branch(branch: str, allow_branch: bool) -> None:
    """Refuse branch names that Encord does not take, and branches that hold no predictions.

    Raises:
        BlockerError: The name is not valid, or it is `main` or of a consensus and `allow_branch` is not given.
    """
    if not isinstance(branch, str):
        raise UsageError(f"{type(branch).__name__} is not a branch name; expected a text")
    if not _BRANCH.fullmatch(branch):
        raise BlockerError(
            f'"{shown(branch)}" is not a branch name; expected letters A to Z and a to z, digits, `-`, `_` and `.`'
        )
    if (branch == "main" or branch.startswith("encord-")) and not allow_branch:
        what = "holds the labels themselves" if branch == "main" else "belongs to Encord's consensus"
        raise BlockerError(
            f"the branch {branch} {what}; give another name, or {spelt('allow_branch')} to write on it all the same"
        )


def creation_time(moment: datetime) -> str:
    """Write a time as label rows have it: `Sat, 21 Nov 2026 23:48:11 UTC`."""
    return format_datetime(moment.astimezone(timezone.utc)).replace("+0000", "UTC")


def _annotations(rows: Iterable[Row]) -> int:
    return sum(row.annotations for row in rows)


@dataclass
class _Import:
    sources: list[Source]
    project: encord.Project | Snapshot
    branch: str
    options: ImportOptions
    progress: Progress
    confirm: Confirm | None = None
    report: Report = field(default_factory=Report)
    stop: threading.Event = field(default_factory=threading.Event)
    rejects: RejectFile | None = None
    left_out: set[int] = field(default_factory=set)
    unfit: dict[int, list[int]] = field(default_factory=dict)

    def run(self) -> Report:
        check_branch(self.branch, self.options.allow_branch)
        offline = isinstance(self.project, Snapshot)
        if offline and not self.options.dry_run:
            raise UsageError(f"a snapshot can only be imported into with {spelt('dry_run')}")
        report = self.report
        report.project_hash, report.branch, report.dry_run = (
            self.project.project_hash,
            self.branch,
            self.options.dry_run,
        )
        started = time.monotonic()
        try:
            with ExitStack() as stack:
                self._import(stack)
            if self.options.sync:
                self._sync()
        except RopewalkError as e:
            report.exit_code, report.stopped_by = EXIT_STOPPED, str(e)
            e.report = report
            raise
        except OSError as e:
            report.exit_code, report.stopped_by = EXIT_STOPPED, str(e)
            e.report = report  # type: ignore[attr-defined]
            raise
        except KeyboardInterrupt as e:
            self.stop.set()
            report.exit_code, report.stopped_by = EXIT_STOPPED, "interrupted"
            e.report = report  # type: ignore[attr-defined]
            raise
        finally:
            report.seconds = round(time.monotonic() - started, 3)
        return report

    def _import(self, stack: ExitStack) -> None:
        written = self.options.written
        # Opened before anything is sent: a folder that does not exist is found out in time.
        listed = None if written is None else stack.enter_context(written_whole(written))
        rows: LabelRows | None = None
        turn: Turn | None = None
        endpoint = ""
        standing: dict[str, StandingRow] = {}
        if isinstance(self.project, Snapshot):
            project = self.project
        else:
            from ropewalk.sinks.encord.connection import connected

            rows, endpoint = stack.enter_context(connected(self.project, self.options, self.stop))
            self.report.project_url = project_page(endpoint, self.project.project_hash)
            self.report.notices = rows.notices
            if not self.options.dry_run:
                turn = stack.enter_context(branch_lock(endpoint, self.project.project_hash, self.branch))
            entries = rows.listing(self.branch, images_data=True, client_metadata=asks_metadata(self.options.media_key))
            project, standing = (
                project_from_listing(self.project, rows.ontology(str(self.project.ontology_hash)), entries),
                standing_from_listing(entries),
            )
            del entries
        self.report.project_title = project.project_title
        # A dry run changes nothing, so it leaves nothing behind that is not asked for.
        stem = None if self.options.dry_run else "rejects"
        staged, self.rejects = stack.enter_context(
            staged_sources(self.sources, project, self.branch, self.options, self.report, self.progress, stem)
        )
        documents = staged.documents() if rows is not None else []
        earlier = EarlierImports.read(self.options.work_dir, endpoint, project.project_hash, self.branch)
        # What is replaced leaves no other objects behind.
        if self.options.on_existing != "replace":
            earlier.check(documents, standing)
        todo = self._measured(staged)
        if self.options.max_rejects is not None:
            check_max_rejects(self.options.max_rejects, self.report)
        ledger: Ledger | None = None
        if turn is not None:
            name = self._name(endpoint, todo)
            ledger = stack.enter_context(self._ledger(endpoint, name, project, todo, documents))
        upload = self._upload(staged, todo, rows, standing, ledger, earlier.labels(documents))
        if turn is not None and turn.was_last(name):
            upload.trust_ledger()
        if self.options.on_existing == "fail" and standing:
            self._check_existing(upload)
        if self.confirm is not None and not self.options.dry_run:
            plan = planned(staged, todo, self.report, standing, self.options.on_existing)
            if not self.confirm(plan):
                raise BlockerError("not confirmed; nothing was sent")
        if turn is not None:
            turn.take(name)
        self._send(upload, project)
        if self.options.dry_run:
            # At the end: only now is it known what does not fit the rows that exist.
            self.report.plan = planned(staged, todo, self.report, standing, self.options.on_existing)
        if self.options.verify:
            self._verify(upload)
        if written is not None and listed is not None and ledger is not None:
            stored = [row for row in todo if row.index not in self.left_out]
            write_written(staged, stored, ledger, self.unfit, written, listed)
            self.report.written_file = str(written)
        self.report.finish()

    def _measured(self, staged: Staged) -> list[Row]:
        """Measure all label rows, and reject those that are too large to be sent."""
        from ropewalk.sinks.encord.staged_rows import staged_rows, too_large

        assert self.rejects is not None
        limit = self.options.max_row_bytes
        todo = []
        self.progress.start("measuring", len(staged), "label rows")
        for row in staged_rows(staged, self.options.n_threads):
            if row.len_bytes <= limit:
                todo.append(row)
                continue
            line = too_large(staged, row, row.len_bytes, f"more than --max-row-bytes {limit:,} allows")
            self.rejects.append([line], self.report)
            self.report.label_rows_failed += 1
        self.progress.update(len(staged))
        self.progress.end()
        return todo

    def _upload(
        self,
        staged: Staged,
        todo: list[Row],
        rows: LabelRows | None,
        standing: Mapping[str, StandingRow],
        ledger: Ledger | None,
        labels_before: list[str],
    ) -> Upload:
        from ropewalk.sinks.encord.upload import Upload

        return Upload(
            staged=staged,
            todo=todo,
            rows=rows,
            branch=self.branch,
            standing=standing,
            # The ledger's own creation time: what is sent again is identical.
            when=creation_time(datetime.now(timezone.utc)) if ledger is None else ledger.header.when,
            options=self.options,
            stop=self.stop,
            ledger=ledger,
            labels_before=labels_before,
        )

    def _name(self, endpoint: str, todo: list[Row]) -> str:
        from ropewalk import __version__

        digests = [row.digest for row in todo]
        return ImportName(
            endpoint, self.project.project_hash, self.branch, self.options.on_existing, __version__, digests
        ).digest()

    @contextmanager
    def _ledger(
        self, endpoint: str, name: str, project: Snapshot, todo: list[Row], documents: list[Document]
    ) -> Iterator[Ledger]:
        header = ImportRecord(
            endpoint=endpoint,
            project_hash=project.project_hash,
            project_title=project.project_title,
            branch=self.branch,
            on_existing=self.options.on_existing,
            sources=[source.name for source in self.sources],
            when=creation_time(datetime.now(timezone.utc)),
            label_rows=len(todo),
            annotations=sum(row.annotations for row in todo),
            documents=[(label, digest) for label, _, _, digest in documents if digest is not None],
        )
        ledger = Ledger.open(self.options.work_dir / LEDGERS, name, header)
        try:
            yield ledger
        finally:
            ledger.close()

    def _check_existing(self, upload: Upload) -> None:
        refused: list[str] = []
        if not upload.to_check():
            return
        for outcome in self._shown("checking", _annotations(upload.to_check()), upload.check_existing()):
            refused += outcome.refused
        if refused:
            names = ", ".join(shown(title) for title in sorted(refused)[:_REFUSED_SHOWN])
            more = f" and {len(refused) - _REFUSED_SHOWN} more" if len(refused) > _REFUSED_SHOWN else ""
            raise BlockerError(
                f"{count(len(refused), 'label row')} on {self.branch} with objects that this import would not write: "
                f"{names}{more}; nothing was sent; choose with {spelt('on_existing')} skip, replace or merge"
            )

    def _send(self, upload: Upload, project: Snapshot) -> None:
        phase = "checking" if self.options.dry_run else "sending"
        for outcome in self._shown(phase, _annotations(upload.todo), upload.send()):
            self._count(outcome)
        if self.options.empty_rows == "create":
            empty = self._empty_media(upload, project)
            for outcome in self._shown("creating empty rows", len(empty), upload.create_empty(empty), "label rows"):
                self._count(outcome)
        if upload.ledger is not None and self.report.label_rows_saved:
            for outcome in upload.find_edits():
                self._count(outcome)

    def _empty_media(self, upload: Upload, project: Snapshot) -> list[str]:
        staged = {upload.staged.label_row(i)["data_hash"] for i in range(len(upload.staged))}
        globs = self.options.only_media or ("*",)
        return [
            medium.data_hash
            for medium in narrowed(project, self.options).media
            if medium.data_hash not in staged
            and medium.data_hash not in upload.standing
            and is_meant(medium.title, globs)
        ]

    def _verify(self, upload: Upload) -> None:
        """Read back what this import stands for: what was refused or skipped is counted already."""
        from ropewalk.importing.verify import compare_rows

        assert upload.rows is not None
        standing = standing_from_listing(upload.rows.listing(self.branch))
        indices = [row.index for row in upload.todo if row.index not in self.left_out]
        found = compare_rows(upload.staged, indices, upload.rows, standing, None, self.progress)
        found.rejected.clear()
        found.finish(allow_extra=self.options.on_existing == "merge")
        self.report.verification = found.as_dict()

    def _sync(self) -> None:
        """Start Active's sync if there is something new to show; the import is done, and stays so if that fails."""
        from ropewalk.showing.sync import failed, not_needed, sync_project
        from ropewalk.sinks.encord.client import OPENING_SECONDS
        from ropewalk.sinks.encord.retry import Retry

        assert not isinstance(self.project, Snapshot)
        if not self.report.label_rows_saved:
            self.report.active = not_needed()
            return
        retry = Retry(budget_seconds=min(self.options.retry_seconds, OPENING_SECONDS), stop=self.stop)
        try:
            self.report.active = sync_project(self.project, retry=retry).as_dict()
        except EncordError as e:
            self.report.active = failed(e)

    def _shown(
        self, phase: str, total: int, outcomes: Iterator[Outcome], unit: str = "annotations"
    ) -> Iterator[Outcome]:
        self.progress.start(phase, total, unit)
        done = 0
        for outcome in outcomes:
            yield outcome
            done += outcome.done
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
        report.edited_by_others += outcome.edited
        report.objects_extended += outcome.objects_extended
        report.labels_replaced += outcome.labels_replaced
        report.share_tracks(outcome.shared_tracks)
        report.warn(NUMBER_TAKEN, outcome.numbers_taken)
        self.left_out.update(outcome.left_out)
        self.unfit |= outcome.unfit
        assert self.rejects is not None
        self.rejects.append([line for lines in outcome.rejects.values() for line in lines], report)
