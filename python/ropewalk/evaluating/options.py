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


class EvaluateKeywords(VerifyKeywords, total=False):
    """`EvaluateOptions` for type checkers."""

    iou: Iou
    all_frames: bool
