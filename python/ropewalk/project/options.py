"""The options of a plan: how what a source says becomes labels of the project."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypedDict

from ropewalk.options import Opt, Options

NAMES = "Names and frames"
CHOOSING = "Choosing"
GEOMETRY = "Geometry"

MediaFrom: TypeAlias = Literal["auto", "file_name", "stem"]
MediaMatch: TypeAlias = Literal["exact", "suffix", "name"]
FrameFrom: TypeAlias = Literal["auto", "image_id"]
OffImage: TypeAlias = Literal["clip", "keep", "reject"]
EmptyMasks: TypeAlias = Literal["drop", "keep"]
SwappedSides: TypeAlias = Literal["reject", "keep"]


@dataclass(frozen=True, kw_only=True)
class MediaOptions(Options):
    """How the media and frames of a source become those of the project."""

    media_map: Annotated[
        Path | Mapping[str, Any] | None,
        Opt(
            'JSON that maps image ids or file names to a title, a data_hash or {"data_hash", "frame"}, null to drop; '
            "`ropewalk map media` makes one. Active's image_mapping.json works too.",
            panel=NAMES,
            common=True,
            metavar="FILE",
        ),
    ] = None
    media_from: Annotated[
        MediaFrom,
        Opt(
            "Match media by the name of the image's video or else its file (auto), by its file's name, or by the stem "
            "of the prediction file.",
            panel=NAMES,
        ),
    ] = "auto"
    media_key: Annotated[
        str,
        Opt(
            "Match media by their title, or by this key of their client metadata (client_metadata.KEY).",
            panel=NAMES,
            metavar="KEY",
        ),
    ] = "title"
    dataset: Annotated[
        tuple[str, ...] | None,
        Opt("Match only media of this dataset (title or hash); may be repeated.", panel=NAMES, metavar="NAME"),
    ] = None
    stage: Annotated[
        tuple[str, ...] | None,
        Opt("Match only media in this workflow stage (title or id); may be repeated.", panel=NAMES, metavar="NAME"),
    ] = None
    media_match: Annotated[
        MediaMatch,
        Opt(
            "Match media by title alone (exact), by folder and file name too (suffix), or by file name with or without "
            "its suffix (name).",
            panel=NAMES,
        ),
    ] = "name"
    frame_from: Annotated[
        FrameFrom,
        Opt("What gives the frame: frame_index of the image, or the image id.", panel=NAMES),
    ] = "auto"
    frame_pattern: Annotated[
        str | None,
        Opt("Regular expression for file names, with the groups `media` and `frame`.", panel=NAMES, metavar="RE"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class PlanOptions(MediaOptions):
    """How the names, frames and geometries of a source become those of the project, and what is left out."""

    class_map: Annotated[
        Path | Mapping[str, Any] | None,
        Opt(
            "JSON that maps category ids or names to names or feature hashes of objects, null to drop; `ropewalk map "
            "classes` makes one. Active's ontology_mapping.json works too.",
            panel=NAMES,
            common=True,
            metavar="FILE",
        ),
    ] = None
    skeleton_template: Annotated[
        tuple[str, ...] | None,
        Opt(
            "Use this skeleton template for a class that nothing links with one; may be repeated.",
            panel=NAMES,
            metavar="CLASS=TEMPLATE",
        ),
    ] = None
    min_confidence: Annotated[
        float | None,
        Opt(
            "Skip predictions below this confidence (0-1).",
            panel=CHOOSING,
            common=True,
            metavar="X",
            at_least=0,
            at_most=1,
        ),
    ] = None
    only_classes: Annotated[
        tuple[str, ...] | None,
        Opt("Keep only these classes; may be repeated.", panel=CHOOSING, metavar="NAME,...", commas=True),
    ] = None
    only_media: Annotated[
        tuple[str, ...] | None,
        Opt("Keep only media whose title matches GLOB; may be repeated.", panel=CHOOSING, metavar="GLOB"),
    ] = None
    limit_rows: Annotated[
        int | None, Opt("Keep only the first N label rows, for a first try.", panel=CHOOSING, metavar="N", at_least=1)
    ] = None
    every: Annotated[
        int | None, Opt("Keep every N-th video frame (0, N, 2N, ...).", panel=CHOOSING, metavar="N", at_least=1)
    ] = None
    max_per_frame: Annotated[
        int | None,
        Opt("Keep the N most confident annotations of each frame.", panel=CHOOSING, metavar="N", at_least=1),
    ] = None
    off_image: Annotated[
        OffImage,
        Opt(
            "Clip geometry to the image and sounds to their medium, keep them as they are, or reject them.",
            panel=GEOMETRY,
        ),
    ] = "clip"
    empty_masks: Annotated[EmptyMasks, Opt("Drop masks without a pixel, or keep them.", panel=GEOMETRY)] = "drop"
    swapped_sides: Annotated[
        SwappedSides,
        Opt(
            "Reject annotations of images whose width and height are those of the medium swapped, or keep them.",
            panel=GEOMETRY,
        ),
    ] = "reject"
    simplify: Annotated[
        float | None,
        Opt("Simplify polygons made from masks by up to PX pixels.", panel=GEOMETRY, metavar="PX", at_least=0),
    ] = None
    decimals: Annotated[
        int | None,
        Opt("Round coordinates to N decimals (0-17).", panel=GEOMETRY, metavar="N", at_least=0, at_most=17),
    ] = None


class MediaKeywords(TypedDict, total=False):
    """`MediaOptions` for type checkers."""

    media_map: str | os.PathLike[str] | Mapping[str, Any] | None
    media_from: MediaFrom
    media_key: str
    dataset: str | Iterable[str] | None
    stage: str | Iterable[str] | None
    media_match: MediaMatch
    frame_from: FrameFrom
    frame_pattern: str | None


class PlanKeywords(MediaKeywords, total=False):
    """`PlanOptions` for type checkers."""

    class_map: str | os.PathLike[str] | Mapping[str, Any] | None
    skeleton_template: str | Iterable[str] | None
    min_confidence: float | None
    only_classes: str | Iterable[str] | None
    only_media: str | Iterable[str] | None
    limit_rows: int | None
    every: int | None
    max_per_frame: int | None
    off_image: OffImage
    empty_masks: EmptyMasks
    swapped_sides: SwappedSides
    simplify: float | None
    decimals: int | None
