"""The options of staging and sending, and those that each job takes together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, TypedDict

from ropewalk.errors import UsageError
from ropewalk.files import WORK_DIR
from ropewalk.importing.written import check_written_file
from ropewalk.options import Opt, Options, given_of, spelt
from ropewalk.project.options import PlanKeywords, PlanOptions
from ropewalk.reading.options import FrameKeywords, FrameOptions, ReadKeywords, ReadOptions

WORKING = "Working"
SENDING = "Sending"
CONNECTION = "Connection"

OnExisting: TypeAlias = Literal["fail", "skip", "replace", "merge"]
EmptyRows: TypeAlias = Literal["create", "skip"]


@dataclass(frozen=True, kw_only=True)
class WorkOptions(Options):
    """Where an import works, and with how much of the machine."""

    threads: Annotated[
        int | None,
        Opt("Use N threads.", panel=WORKING, metavar="N", default_text="one for each processor", at_least=1),
    ] = None
    memory_bytes: Annotated[
        int,
        Opt(
            "Sort up to N bytes of rows in memory; more go to files in the work folder.",
            panel=WORKING,
            metavar="N",
            default_text="25 MB",
            at_least=1,
        ),
    ] = 24 << 20
    work_dir: Annotated[Path, Opt("Folder for staged rows, rejects and ledgers.", panel=WORKING, metavar="DIR")] = (
        WORK_DIR
    )
    rejects: Annotated[
        Path | None,
        Opt("Write rejects to this file.", panel=WORKING, metavar="FILE", default_text="a file in the work folder"),
    ] = None

    @property
    def n_threads(self) -> int:
        """Number of threads to use."""
        return self.threads or os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class ConnectOptions(Options):
    """How Encord is asked: how many requests at a time, and for how long each is tried."""

    jobs: Annotated[
        int,
        Opt(
            "Send at most N requests at a time, fewer while the server is slow.",
            panel=CONNECTION,
            metavar="N",
            at_least=1,
        ),
    ] = 8
    retry_seconds: Annotated[
        float, Opt("Try a request again for up to S seconds.", panel=CONNECTION, metavar="S", above=0)
    ] = 600.0
    timeout: Annotated[
        float,
        Opt("Wait up to S seconds for an answer, longer for large requests.", panel=CONNECTION, metavar="S", above=0),
    ] = 60.0
    sdk_calls: Annotated[
        bool,
        Opt(
            "Use only public calls of the encord SDK: slower, for SDK versions that this release does not know.",
            panel=CONNECTION,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class BatchOptions(Options):
    """How much goes into one request that saves."""

    batch_rows: Annotated[
        int, Opt("Send at most N label rows in a request.", panel=SENDING, metavar="N", at_least=1)
    ] = 20
    batch_bytes: Annotated[
        int,
        Opt(
            "Send at most N bytes in a request.",
            panel=SENDING,
            metavar="N",
            default_text="8 MB",
            at_least=1,
        ),
    ] = 8_000_000


@dataclass(frozen=True, kw_only=True)
class SendOptions(Options):
    """What is written, and what with rows that exist already."""

    dry_run: Annotated[bool, Opt("Check everything, write nothing; the report says what would be written.")] = False
    allow_branch: Annotated[bool, Opt("Allow writing to main and to branches named encord-*.", panel=SENDING)] = False
    on_existing: Annotated[
        OnExisting,
        Opt("What to do with label rows that already hold other objects.", panel=SENDING, common=True),
    ] = "fail"
    empty_rows: Annotated[
        EmptyRows,
        Opt("What to do with media that have no predictions: create empty label rows, or skip.", panel=SENDING),
    ] = "skip"
    max_inflight_bytes: Annotated[
        int,
        Opt(
            "Keep at most N bytes of label rows in flight.",
            panel=SENDING,
            metavar="N",
            default_text="128 MB",
            at_least=1,
        ),
    ] = 128_000_000
    max_row_bytes: Annotated[
        int,
        Opt(
            "Reject label rows larger than N bytes.",
            panel=SENDING,
            metavar="N",
            default_text="50 MB",
            at_least=1,
        ),
    ] = 50_000_000
    max_rejects: Annotated[
        int | str | None,
        Opt(
            "Send nothing if more than N annotations, or P percent of them, are rejected.",
            panel=SENDING,
            metavar="N|P%",
            at_least=0,
        ),
    ] = None
    written: Annotated[
        Path | None,
        Opt(
            "Write each annotation's data_hash, label_hash and object_hash to this file, .parquet or .ndjson.",
            panel=SENDING,
            metavar="FILE",
        ),
    ] = None
    verify: Annotated[bool, Opt("Read the branch back and compare it at the end.", panel=SENDING)] = False
    sync: Annotated[bool, Opt("Start Encord Active's sync at the end, if something was saved.", panel=SENDING)] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, what in (
            ("written", "lists what was written"),
            ("verify", "reads back what was written"),
            ("sync", "shows in Active what was written"),
        ):
            if getattr(self, name) and self.dry_run:
                raise UsageError(f"{spelt(name)} {what}, {spelt('dry_run')} writes nothing; give one of them")
        if self.written is not None:
            check_written_file(self.written)
        if self.max_rejects is not None:
            parse_max_rejects(self.max_rejects)


@dataclass(frozen=True, kw_only=True)
class StageOptions(ReadOptions, PlanOptions, WorkOptions):
    """How sources are read, resolved and staged; the options of `convert`."""


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(StageOptions, ConnectOptions):
    """The options of `verify_predictions`."""


@dataclass(frozen=True, kw_only=True)
class RollbackOptions(BatchOptions, ConnectOptions):
    """The options of `rollback`."""


@dataclass(frozen=True, kw_only=True)
class UploadOptions(FrameOptions, PlanOptions, WorkOptions, SendOptions, BatchOptions, ConnectOptions):
    """The options of `PredictionWriter.upload`, whose table is of a format of its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.empty_rows == "create" and self.limit_rows is not None:
            raise UsageError(
                f"{spelt('empty_rows')} create makes rows for all media, {spelt('limit_rows')} is for a few; give one "
                "of them"
            )


@dataclass(frozen=True, kw_only=True)
class ImportOptions(StageOptions, UploadOptions):
    """The options of `import_predictions`."""


class WorkKeywords(TypedDict, total=False):
    """`WorkOptions` for type checkers."""

    threads: int | None
    memory_bytes: int
    work_dir: str | os.PathLike[str]
    rejects: str | os.PathLike[str] | None


class ConnectKeywords(TypedDict, total=False):
    """`ConnectOptions` for type checkers."""

    jobs: int
    retry_seconds: float
    timeout: float
    sdk_calls: bool


class BatchKeywords(TypedDict, total=False):
    """`BatchOptions` for type checkers."""

    batch_rows: int
    batch_bytes: int


class SendKeywords(TypedDict, total=False):
    """`SendOptions` for type checkers."""

    dry_run: bool
    allow_branch: bool
    on_existing: OnExisting
    empty_rows: EmptyRows
    max_inflight_bytes: int
    max_row_bytes: int
    max_rejects: int | str | None
    written: str | os.PathLike[str] | None
    verify: bool
    sync: bool


class StageKeywords(ReadKeywords, PlanKeywords, WorkKeywords, total=False):
    """`StageOptions` for type checkers."""


class VerifyKeywords(StageKeywords, ConnectKeywords, total=False):
    """`VerifyOptions` for type checkers."""


class RollbackKeywords(BatchKeywords, ConnectKeywords, total=False):
    """`RollbackOptions` for type checkers."""


class UploadKeywords(
    FrameKeywords, PlanKeywords, WorkKeywords, SendKeywords, BatchKeywords, ConnectKeywords, total=False
):
    """`UploadOptions` for type checkers."""


class ImportKeywords(StageKeywords, UploadKeywords, total=False):
    """`ImportOptions` for type checkers."""


def check_without_project(options: StageOptions, reason: str) -> None:
    """Refuse options that change what a project gets, where there is no project.

    Args:
        options: What was given.
        reason: Why they do not apply.

    Raises:
        UsageError: Names the first of them.
    """
    for name in given_of(options, PlanOptions) | given_of(options, FrameOptions):
        raise UsageError(f"{spelt(name)} needs a project: {reason}")


def parse_max_rejects(limit: int | str) -> float:
    """Read the number of a limit such as `100` or `0.5%`.

    Raises:
        UsageError: It is neither.
    """
    text = str(limit).strip()
    try:
        value = float(text[:-1]) if text.endswith("%") else int(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf") or (text.endswith("%") and value > 100):
        raise UsageError(f"{spelt('max_rejects')} is {limit!r}; expected a whole number, or a percentage such as 0.5%")
    return value
