"""The options of `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from ropewalk.importing.options import VerifyKeywords, VerifyOptions
from ropewalk.options import Opt

Iou: TypeAlias = Literal["bbox", "segm", "keypoints"]


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(VerifyOptions):
    """How predictions are read, and what is compared."""

    iou: Annotated[Iou, Opt("Compare boxes, masks or keypoints.")] = "bbox"
    all_frames: Annotated[
        bool, Opt("Count predictions on frames without labels as wrong, instead of leaving them out.")
    ] = False
    tracking: Annotated[bool, Opt("Also measure tracks: HOTA, MOTA and IDF1. Needs the extra `tracking`.")] = False
    per_medium: Annotated[bool, Opt("List the metrics of each medium.")] = False
    confusion: Annotated[bool, Opt("Count which class was predicted for which, at an IoU of at least 0.5.")] = False
    curves: Annotated[
        bool, Opt("List precision over recall and the best confidence of each class, at an IoU of 0.5.")
    ] = False


class EvaluateKeywords(VerifyKeywords, total=False):
    """`EvaluateOptions` for type checkers."""

    iou: Iou
    all_frames: bool
    tracking: bool
    per_medium: bool
    confusion: bool
    curves: bool
