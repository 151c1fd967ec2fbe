"""The options of reading."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, TypedDict

from ropewalk.errors import UsageError
from ropewalk.options import Opt, Options, spelt

READING = "Reading"

# Parts of a path that make a label: folder and name.
LABEL_PARTS = 2

Unit: TypeAlias = Literal["px", "frac"]
BoxFormat: TypeAlias = Literal["xywh", "cxcywha", "corners"]
Angle: TypeAlias = Literal["degrees", "degrees-ccw", "radians", "radians-ccw"]
Scores: TypeAlias = Literal["reject", "clamp"]
YoloTask: TypeAlias = Literal["detect", "segment", "pose", "obb"]
YoloExtra: TypeAlias = Literal["none", "conf", "track", "conf,track"]
YoloKeypoints: TypeAlias = Literal["xy", "xyv"]


@dataclass(frozen=True, kw_only=True)
class FrameOptions(Options):
    """How a source counts frames; every format takes these."""

    frame_base: Annotated[
        int | None,
        Opt(
            "Number of a medium's first frame in the source.",
            panel=READING,
            common=True,
            metavar="N",
            default_text="the format's own, 0 for most",
        ),
    ] = None
    frame_stride: Annotated[
        int | None,
        Opt(
            "Video frames per source frame (5: every 5th frame was predicted).",
            panel=READING,
            metavar="N",
            default_text="the format's own, 1 for most",
            at_least=1,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ReadOptions(FrameOptions):
    """How sources are read. An option that no source's format takes is refused; see `reading.formats`."""

    format: Annotated[
        str,
        Opt(
            "Format of the sources, one of `ropewalk formats`; auto tells it from names and content.",
            panel=READING,
            common=True,
            metavar="NAME",
        ),
    ] = "auto"
    source_label: Annotated[
        str | None,
        Opt(
            "Label of all sources. Equal track ids under one label are one object, also in a later import.",
            panel=READING,
            metavar="NAME",
            default_text="the folder and name of each file",
        ),
    ] = None
    label_parts: Annotated[
        int,
        Opt(
            "Parts of a file's path that make its label (2: folder and name).",
            panel=READING,
            metavar="N",
            at_least=1,
        ),
    ] = LABEL_PARTS
    annotations: Annotated[
        Path | None,
        Opt(
            "COCO dataset that gives a results list its images and categories.",
            panel=READING,
            metavar="FILE",
            also=("--ground-truth",),
            must_exist=True,
        ),
    ] = None
    confidence_field: Annotated[
        str | None, Opt("Field that holds the confidence.", panel=READING, metavar="NAME", default_text="score")
    ] = None
    score: Annotated[Scores, Opt("Reject confidences outside 0 to 1, or clamp them to 0 and 1.", panel=READING)] = (
        "reject"
    )
    include_crowd: Annotated[
        bool, Opt("Keep annotations of a dataset that have iscrowd set and no score.", panel=READING)
    ] = False
    box_format: Annotated[
        BoxFormat | None,
        Opt(
            "What the numbers of a COCO bbox are: x, y, width, height; centre, size, angle; four corners.",
            panel=READING,
            default_text="xywh",
        ),
    ] = None
    angle: Annotated[
        Angle | None,
        Opt(
            "Unit of angles, and ccw if they count counter-clockwise.",
            panel=READING,
            default_text="degrees",
        ),
    ] = None
    unit: Annotated[
        Unit | None,
        Opt(
            "Unit of coordinates in COCO, and in a table without a column `unit`: pixels, or fractions of the image.",
            panel=READING,
        ),
    ] = None
    class_: Annotated[
        str | None,
        Opt("Class of all annotations, for formats that do not say it.", panel=READING, metavar="NAME"),
    ] = None
    classes: Annotated[
        Path | tuple[str, ...] | None,
        Opt(
            "Names of class numbers from 0: a file with a name on each line, or a YAML file with `names`.",
            panel=READING,
            metavar="FILE",
            must_exist=True,
        ),
    ] = None
    media: Annotated[
        str | None,
        Opt("Medium that the source is about, for formats that do not say it.", panel=READING, metavar="NAME"),
    ] = None
    pixel_base: Annotated[
        int | None,
        Opt(
            "Number of the first pixel in each direction; 1 takes one pixel off left and top.",
            panel=READING,
            metavar="0|1",
            default_text="0",
            at_least=0,
            at_most=1,
        ),
    ] = None
    frame_column: Annotated[
        str | None,
        Opt(
            "Column that counts frames.",
            panel=READING,
            metavar="NAME",
            default_text="frame, frame_index or frame_number",
        ),
    ] = None
    media_column: Annotated[
        str | None, Opt("Column that names the medium, instead of the file's name.", panel=READING, metavar="NAME")
    ] = None
    yolo_task: Annotated[
        YoloTask | None, Opt("What each line of YOLO text draws.", panel=READING, default_text="detect")
    ] = None
    yolo_extra: Annotated[
        YoloExtra | None,
        Opt("Columns of YOLO text after the coordinates: confidence, track.", panel=READING, default_text="none"),
    ] = None
    yolo_keypoints: Annotated[
        YoloKeypoints | None,
        Opt(
            "Columns of each YOLO keypoint: x, y, or x, y and its visibility or confidence.",
            panel=READING,
            default_text="xyv",
        ),
    ] = None
    model_version: Annotated[
        str | None,
        Opt(
            "Read the predictions of one model, of a Label Studio file that has several.",
            panel=READING,
            metavar="NAME",
            default_text="all of them",
        ),
    ] = None

    png_dir: Annotated[
        Path | None,
        Opt(
            "Folder of the PNGs that a COCO panoptic or Open Images file names.",
            panel=READING,
            metavar="DIR",
            default_text="beside the file",
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source_label == "":
            raise UsageError(f"{spelt('source_label')} is empty; give a name")
        if self.source_label is not None and self.label_parts != LABEL_PARTS:
            raise UsageError(f"{spelt('label_parts')} does not apply with {spelt('source_label')}; give one of them")


class FrameKeywords(TypedDict, total=False):
    """`FrameOptions` for type checkers."""

    frame_base: int | None
    frame_stride: int | None


class ReadKeywords(FrameKeywords, total=False):
    """`ReadOptions` for type checkers."""

    format: str
    source_label: str | None
    label_parts: int
    annotations: str | os.PathLike[str] | None
    confidence_field: str | None
    score: Scores
    include_crowd: bool
    box_format: BoxFormat | None
    angle: Angle | None
    unit: Unit | None
    class_: str | None
    classes: str | os.PathLike[str] | Iterable[str] | None
    media: str | None
    pixel_base: int | None
    png_dir: str | os.PathLike[str] | None
    frame_column: str | None
    media_column: str | None
    yolo_task: YoloTask | None
    yolo_extra: YoloExtra | None
    yolo_keypoints: YoloKeypoints | None
    model_version: str | None
