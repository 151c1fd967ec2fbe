"""The options that several commands share, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_MAPS = "Names and frames"
_READING = "Reading"
_GEOMETRY = "Geometry"
_SENDING = "Sending"
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
Format = Annotated[str, typer.Option(metavar="NAME", help="Format of the sources: coco.", rich_help_panel=_READING)]
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
    int, typer.Option(metavar="N", help="The source's number of the first frame.", rich_help_panel=_MAPS)
]
FrameStride = Annotated[
    int, typer.Option(metavar="N", help="Frames from one frame of the source to the next.", rich_help_panel=_MAPS)
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
    typer.Option(metavar="PX", help="Polygons from masks may leave the pixel edges so far.", rich_help_panel=_GEOMETRY),
]
Decimals = Annotated[
    int | None, typer.Option(metavar="N", help="Coordinates with so many decimals, 0 to 17.", rich_help_panel=_GEOMETRY)
]
Threads = Annotated[int, typer.Option(metavar="N", help="Threads that read; 0 is all.", rich_help_panel=_READING)]
WorkDir = Annotated[
    Path, typer.Option(metavar="DIR", help="Folder for staged rows and rejects.", rich_help_panel=_READING)
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
Jobs = Annotated[int, typer.Option(metavar="N", help="Requests in flight.", rich_help_panel=_SENDING)]
BatchRows = Annotated[int, typer.Option(metavar="N", help="Label rows in a request.", rich_help_panel=_SENDING)]
BatchBytes = Annotated[int, typer.Option(metavar="N", help="Bytes in a request.", rich_help_panel=_SENDING)]
MaxRejects = Annotated[
    str | None, typer.Option(metavar="N|P%", help="Send nothing if more are rejected.", rich_help_panel=_SENDING)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do everything but write; the report says what would be.")]
