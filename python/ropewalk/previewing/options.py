"""The options of `preview`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ropewalk.errors import UsageError
from ropewalk.importing.options import VerifyKeywords, VerifyOptions
from ropewalk.options import Opt, spelt

MOST_FRAMES = 300


@dataclass(frozen=True, kw_only=True)
class PreviewOptions(VerifyOptions):
    """How predictions are read, and what is drawn of them."""

    media_dir: Annotated[
        Path | None,
        Opt(
            "Folder with the images and videos to draw on; needs the extra `preview` of the package.",
            metavar="DIR",
            default_text="empty frames",
        ),
    ] = None
    frames: Annotated[int, Opt("Draw up to N frames.", metavar="N", at_least=1, at_most=MOST_FRAMES)] = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.media_dir is not None and not self.media_dir.is_dir():
            raise UsageError(f"{spelt('media_dir')} {self.media_dir}: no such folder")


class PreviewKeywords(VerifyKeywords, total=False):
    """`PreviewOptions` for type checkers."""

    media_dir: str | os.PathLike[str] | None
    frames: int
