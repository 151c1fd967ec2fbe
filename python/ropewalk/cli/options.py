"""The options that several commands share, each with its help."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

_MAPS = "Names and frames"
_READING = "Reading"
_GEOMETRY = "Geometry"
_SENDING = "Sending"
_TRYING = "Trying again"
_ACCOUNT = "Account"

Sources = Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Prediction files, folders or globs.")]
ProjectHash = Annotated[str | None, typer.Option("--project", metavar="HASH", help="Project hash.")]
RequiredProjectHash = Annotated[str, typer.Option("--project", metavar="HASH", help="Project hash.")]
ProjectFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Project snapshot instead of a project; no network is used.")
]
Domain = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="URL of the API; else ENCORD_DOMAIN, else Encord's own.", rich_help_panel=_ACCOUNT
    ),
]
SshKey = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Private key (Ed25519); else ENCORD_SSH_KEY_FILE names it or ENCORD_SSH_KEY holds it.",
        rich_help_panel=_ACCOUNT,
    ),
]
SshKeyPassphraseEnv = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Environment variable with the private key's passphrase; else ENCORD_SSH_KEY_PASSPHRASE.",
        rich_help_panel=_ACCOUNT,
    ),
]
Format = Annotated[
    str,
    typer.Option(
        metavar="auto|coco|encord|parquet|arrow|ndjson",
        help="Format of the sources, by default told by suffix and content.",
        rich_help_panel=_READING,
    ),
]
Unit = Annotated[
    str | None,
    typer.Option(
        metavar="px|frac", help="Unit of a table's coordinates, where no column says it.", rich_help_panel=_READING
    ),
]
Annotations = Annotated[
    Path | None,
    typer.Option(
        "--annotations",
        "--ground-truth",
        metavar="FILE",
        help="Dataset file that gives a results list its images and categories.",
        rich_help_panel=_READING,
    ),
]
SourceLabel = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Name of the source instead of its file name; objects are recognised by it when imported again.",
        rich_help_panel=_READING,
    ),
]
ConfidenceField = Annotated[
    str | None, typer.Option(metavar="NAME", help="Field with the confidence, else score.", rich_help_panel=_READING)
]
IncludeCrowd = Annotated[
    bool, typer.Option("--include-crowd", help="Keep iscrowd annotations.", rich_help_panel=_READING)
]
BoxFormat = Annotated[
    str,
    typer.Option(
        metavar="xywh|cxcywha|corners",
        help="Numbers of a COCO bbox: COCO's own; centre, size, degrees clockwise; or four corners.",
        rich_help_panel=_READING,
    ),
]
MinConfidence = Annotated[
    float | None, typer.Option(metavar="X", help="Leave out what is below, 0 to 1.", rich_help_panel=_READING)
]
ClassMap = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON: category id or name to feature hash, null drops a class; Active's ontology_mapping.json works.",
        rich_help_panel=_MAPS,
    ),
]
MediaMap = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help='JSON: image id or file name to data_hash or {"data_hash", "frame"}; Active\'s image_mapping.json works.',
        rich_help_panel=_MAPS,
    ),
]
MediaFrom = Annotated[
    str, typer.Option(metavar="auto|file_name|stem", help="What names the medium.", rich_help_panel=_MAPS)
]
FrameFrom = Annotated[str, typer.Option(metavar="auto|image_id", help="What gives the frame.", rich_help_panel=_MAPS)]
FramePattern = Annotated[
    str | None,
    typer.Option(metavar="RE", help="Pattern over file names with groups media and frame.", rich_help_panel=_MAPS),
]
FrameBase = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="The source's number of the first frame (default: that of its format).", rich_help_panel=_MAPS
    ),
]
FrameStride = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Frames from one frame of the source to the next (default: that of its format).",
        rich_help_panel=_MAPS,
    ),
]
OnlyClasses = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME,...", help="Only these classes; may be repeated.", rich_help_panel=_MAPS),
]
OnlyMedia = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Only media with such a title; may be repeated.", rich_help_panel=_MAPS),
]
LimitRows = Annotated[
    int | None, typer.Option(metavar="N", help="At most so many label rows, for a first try.", rich_help_panel=_MAPS)
]
Every = Annotated[
    int | None,
    typer.Option(metavar="N", help="Of videos, only each N-th frame, counted from 0.", rich_help_panel=_MAPS),
]
MaxPerFrame = Annotated[
    int | None,
    typer.Option(metavar="N", help="At most so many annotations on a frame, the surest.", rich_help_panel=_MAPS),
]
OffImage = Annotated[
    str,
    typer.Option(
        metavar="clip|keep|reject", help="Boxes and polygons over the image's edge.", rich_help_panel=_GEOMETRY
    ),
]
Simplify = Annotated[
    float | None,
    typer.Option(
        "--simplify",
        metavar="PX",
        help="Polygons from masks may leave the pixel edges so far.",
        rich_help_panel=_GEOMETRY,
    ),
]
Decimals = Annotated[
    int | None, typer.Option(metavar="N", help="Coordinates with so many decimals, 0 to 17.", rich_help_panel=_GEOMETRY)
]
Threads = Annotated[int, typer.Option(metavar="N", help="Threads that read; 0 is all.", rich_help_panel=_READING)]
WorkDir = Annotated[
    Path, typer.Option(metavar="DIR", help="Folder for staged rows, rejects and ledgers.", rich_help_panel=_READING)
]
Rejects = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Where rejects go, else the work folder.", rich_help_panel=_READING)
]
ReportFile = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Report as JSON; - is stdout.")]
Branch = Annotated[str, typer.Option(metavar="NAME", help="Prediction branch.")]
AllowBranch = Annotated[
    bool, typer.Option("--allow-branch", help="Write on main or encord-* all the same.", rich_help_panel=_SENDING)
]
OnExisting = Annotated[
    str,
    typer.Option(
        metavar="fail|skip|replace|merge",
        help="Label rows that hold other objects than this import would write.",
        rich_help_panel=_SENDING,
    ),
]
EmptyRows = Annotated[
    str, typer.Option(metavar="create|skip", help="Media without predictions.", rich_help_panel=_SENDING)
]
Jobs = Annotated[
    int, typer.Option(metavar="N", help="Requests in flight, fewer while the server is slow.", rich_help_panel=_SENDING)
]
BatchRows = Annotated[int, typer.Option(metavar="N", help="Label rows in a request.", rich_help_panel=_SENDING)]
BatchBytes = Annotated[int, typer.Option(metavar="N", help="Bytes in a request.", rich_help_panel=_SENDING)]
MaxRejects = Annotated[
    str | None, typer.Option(metavar="N|P%", help="Send nothing if more are rejected.", rich_help_panel=_SENDING)
]
MaxInflightBytes = Annotated[
    int, typer.Option(metavar="N", help="Bytes of label rows in flight together.", rich_help_panel=_SENDING)
]
MaxRowBytes = Annotated[
    int, typer.Option(metavar="N", help="Reject label rows that are larger.", rich_help_panel=_SENDING)
]
RetrySeconds = Annotated[
    float, typer.Option(metavar="S", help="How long one request is tried again.", rich_help_panel=_TRYING)
]
Timeout = Annotated[
    float,
    typer.Option(metavar="S", help="How long an answer may take, more for large bodies.", rich_help_panel=_TRYING),
]
SdkCalls = Annotated[
    bool,
    typer.Option(
        "--sdk-calls",
        help="Go through the public calls of the encord SDK: slower, for versions that this release does not know.",
        rich_help_panel=_TRYING,
    ),
]
Verify = Annotated[bool, typer.Option("--verify", help="Read back and compare at the end.", rich_help_panel=_SENDING)]
Sync = Annotated[
    bool,
    typer.Option(
        "--sync", help="Start Encord Active's sync at the end, if something was saved.", rich_help_panel=_SENDING
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do everything but write; the report says what would be.")]

READING: Mapping[str, tuple[Any, Any]] = {
    "format": (Format, "auto"),
    "unit": (Unit, None),
    "annotations": (Annotations, None),
    "source_label": (SourceLabel, None),
    "confidence_field": (ConfidenceField, None),
    "include_crowd": (IncludeCrowd, False),
    "box_format": (BoxFormat, "xywh"),
    "min_confidence": (MinConfidence, None),
    "threads": (Threads, 0),
    "work_dir": (WorkDir, Path(".ropewalk")),
    "rejects": (Rejects, None),
    "class_map": (ClassMap, None),
    "media_map": (MediaMap, None),
    "media_from": (MediaFrom, "auto"),
    "frame_from": (FrameFrom, "auto"),
    "frame_pattern": (FramePattern, None),
    "frame_base": (FrameBase, None),
    "frame_stride": (FrameStride, None),
    "only_classes": (OnlyClasses, None),
    "only_media": (OnlyMedia, None),
    "limit_rows": (LimitRows, None),
    "off_image": (OffImage, "clip"),
    "simplify_px": (Simplify, None),
    "every": (Every, None),
    "max_per_frame": (MaxPerFrame, None),
    "decimals": (Decimals, None),
}
CONNECTING: Mapping[str, tuple[Any, Any]] = {
    "jobs": (Jobs, 8),
    "retry_seconds": (RetrySeconds, 600.0),
    "timeout": (Timeout, 60.0),
    "sdk_calls": (SdkCalls, False),
}
SENDING: Mapping[str, tuple[Any, Any]] = {
    "allow_branch": (AllowBranch, False),
    "on_existing": (OnExisting, "fail"),
    "empty_rows": (EmptyRows, "skip"),
    "batch_rows": (BatchRows, 20),
    "batch_bytes": (BatchBytes, 8_000_000),
    "max_inflight_bytes": (MaxInflightBytes, 128_000_000),
    "max_row_bytes": (MaxRowBytes, 50_000_000),
    "max_rejects": (MaxRejects, None),
    "verify": (Verify, False),
    "sync": (Sync, False),
}
ACCOUNT: Mapping[str, tuple[Any, Any]] = {
    "domain": (Domain, None),
    "ssh_key": (SshKey, None),
    "ssh_key_passphrase_env": (SshKeyPassphraseEnv, None),
}


def taking(*groups: Mapping[str, tuple[Any, Any]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options that others have as well; it gets them as keywords beside its own.

    Args:
        groups: Name of an option -> its type and its default.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        shared = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for group in groups
            for name, (annotation, default) in group.items()
        ]
        command.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
        return command

    return decorate


def for_library(options: dict[str, Any]) -> dict[str, Any]:
    """Turn options as the command line has them into those of the library."""
    return options | {
        "threads": options["threads"] or os.cpu_count() or 1,
        "only_classes": _split(options["only_classes"]),
        "only_media": tuple(options["only_media"] or ()),
    }


def _split(names: list[str] | None) -> tuple[str, ...]:
    return tuple(part.strip() for name in names or () for part in name.split(",") if part.strip())
