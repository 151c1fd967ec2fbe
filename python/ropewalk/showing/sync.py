"""Encord Active's sync: it shows what stands on the branches of a project as of the last sync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args

from ropewalk.errors import AccessError, EncordError, RefusalError, TemporaryEncordError, UsageError
from ropewalk.options import Opt, Options, spelt

if TYPE_CHECKING:
    import encord

    from ropewalk.sinks.encord.retry import Retry

# As the SDK's `ActiveProjectMode` has them.
ImportAs: TypeAlias = Literal["data", "label", "metric", "advanced"]
# The SDK's default and Encord's documentation; a sync changes nothing about it.
FRAMES_NOTE = "of a video Active shows one frame a second, unless it was imported into Active with another rate"
_TOO_MANY_REQUESTS = 429
_HOW_TO_IMPORT = (
    "if the project was never imported into Active, `ropewalk sync --import-as MODE` does that "
    f"(one of {', '.join(get_args(ImportAs))})"
)


@dataclass(frozen=True, kw_only=True)
class SyncOptions(Options):
    """What else is done than a sync where Active does not have the project yet."""

    import_as: Annotated[
        ImportAs | None, Opt("Import the project into Active up to this stage, if it was never imported.")
    ] = None
    video_sampling_rate: Annotated[
        float | None,
        Opt(
            "Frames per second of video that such an import takes.",
            metavar="N",
            default_text="Encord's own, 1",
            above=0,
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.video_sampling_rate is not None and self.import_as is None:
            raise UsageError(
                f"{spelt('video_sampling_rate')} is for an import into Active; give {spelt('import_as')} as well"
            )


@dataclass(frozen=True)
class ActiveStarted:
    """What was started in Active, which goes on by itself; the app shows how far it is.

    Attributes:
        started: `sync`, or `import` where the project was not in Active yet.
        import_as: The import's mode, else None.
        video_sampling_rate: Frames a second that Active shows of videos, where the import was given one.
    """

    started: str
    import_as: str | None = None
    video_sampling_rate: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as a report has it, in JSON types."""
        return asdict(self) | {"error": None}


def not_needed() -> dict[str, Any]:
    """Make what a report has where an import saved nothing."""
    return {"started": None, "import_as": None, "video_sampling_rate": None, "error": None}


def failed(error: EncordError) -> dict[str, Any]:
    """Make what a report has where nothing was started, or it is not known."""
    return not_needed() | {"error": str(error)}


def sync_project(
    project: encord.Project,
    *,
    import_as: ImportAs | None = None,
    video_sampling_rate: float | None = None,
    retry: Retry | None = None,
) -> ActiveStarted:
    """Start Active's sync of a project, once.

    The request is sent again only where Encord says that there were too many of them. What the answer is for a project
    that was never imported into Active is not documented: with `import_as`, any refusal of the sync, but for lack of
    access, is followed by one request to import it.

    Args:
        project: A project of the `encord` client.
        import_as: How far Active imports the project where it does not have it yet: `data`, `label` (data and labels),
            `metric` (metrics and search as well) or `advanced` (embedding plots as well).
        video_sampling_rate: Frames a second (above 0) of videos that such an import takes; Encord's default is 1.

    Returns:
        What was started.

    Raises:
        UsageError: A mode or rate that does not exist, or a rate without `import_as`.
        EncordError: Encord refused, or it is not known whether it began.
    """
    SyncOptions(import_as=import_as, video_sampling_rate=video_sampling_rate)
    from encord.orm.active import ActiveProjectMode

    from ropewalk.sinks.encord.retry import Retry

    retry = retry or Retry(budget_seconds=60.0)
    try:
        _once(retry, "sync", project.active_sync)
        return ActiveStarted("sync")
    except (AccessError, TemporaryEncordError):
        raise
    except EncordError as e:
        refused = e
    if import_as is None or not isinstance(refused, RefusalError):
        raise _like(refused, f"{refused}; {_HOW_TO_IMPORT}")
    mode = ActiveProjectMode(import_as)
    try:
        _once(retry, "import", lambda: project.active_import(mode, video_sampling_rate=video_sampling_rate))
    except EncordError as e:
        error = _like(e, f"{refused}; then {e}")
    else:
        return ActiveStarted("import", import_as, video_sampling_rate)
    raise error


def _once(retry: Retry, what: str, start: Callable[[], None]) -> None:
    """Start something in Active: a request that may have been carried out is not sent again."""
    from ropewalk.sinks.encord.sdk_calls import translated

    call = retry.call()
    while True:
        retry.check()
        try:
            return translated(start)
        except TemporaryEncordError as e:
            if e.status == _TOO_MANY_REQUESTS:
                call.wait(e)
                continue
            error = _like(e, f"whether Active's {what} began is not known ({e}); the app tells")
        except EncordError as e:
            error = _like(e, f"Active's {what} was refused ({str(e).rstrip('.')})")
        raise error


def _like(error: EncordError, message: str) -> EncordError:
    return type(error)(message, status=error.status, name=error.name, retry_after=error.retry_after)
