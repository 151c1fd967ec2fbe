"""The options of an import, sorted by what they are for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ropewalk.errors import UsageError
from ropewalk.importing.staging import StageOptions, parse_max_rejects
from ropewalk.project.plan import PlanOptions

ON_EXISTING = ("fail", "skip", "replace", "merge")
EMPTY_ROWS = ("create", "skip")

Options = TypeVar("Options", PlanOptions, StageOptions, "SendOptions")


@dataclass(frozen=True, kw_only=True)
class SendOptions:
    """What is written, how much at a time, and how long is tried.

    At most `jobs` requests are in flight, fewer while the server is slow, with batches of at most so many rows and
    bytes, and at most `max_inflight_bytes` of bodies together. `retry_seconds` is the time in which one request has to
    succeed, `timeout` (seconds) how long one attempt waits for an answer, longer for large bodies. `sdk_calls` goes
    through the SDK's public calls, one at a time. `sync` starts Encord Active's sync once something was saved.
    """

    allow_branch: bool = False
    on_existing: str = "fail"
    empty_rows: str = "skip"
    jobs: int = 8
    batch_rows: int = 20
    batch_bytes: int = 8_000_000
    max_inflight_bytes: int = 128_000_000
    max_row_bytes: int = 50_000_000
    retry_seconds: float = 600.0
    timeout: float = 60.0
    sdk_calls: bool = False
    max_rejects: str | None = None
    verify: bool = False
    sync: bool = False
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
            ("--max-inflight-bytes", self.max_inflight_bytes),
            ("--max-row-bytes", self.max_row_bytes),
        ):
            if number < 1:
                raise UsageError(f"{option} is {number}; expected a whole number of at least 1")
        for option, seconds in (("--retry-seconds", self.retry_seconds), ("--timeout", self.timeout)):
            if not 0 < seconds < float("inf"):
                raise UsageError(f"{option} is {seconds}; expected a number of seconds above 0")
        if self.verify and self.dry_run:
            raise UsageError("--verify reads back what was written, --dry-run writes nothing; give one of them")
        if self.sync and self.dry_run:
            raise UsageError("--sync shows in Active what was written, --dry-run writes nothing; give one of them")
        if self.max_rejects is not None:
            parse_max_rejects(self.max_rejects)


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
