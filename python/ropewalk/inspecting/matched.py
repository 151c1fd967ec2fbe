"""The media of a source beside those of a project, as an import would match them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ropewalk.inspecting.folders import FramePattern
from ropewalk.inspecting.inspection import InspectedMedium
from ropewalk.project.narrowing import narrowed
from ropewalk.project.plan import plan_of

if TYPE_CHECKING:
    from ropewalk.project.options import PlanOptions
    from ropewalk.project.snapshot import Medium, Snapshot

_VIDEO = "VIDEO"


@dataclass(frozen=True)
class OnMedium:
    """What a source has on one medium of the project; frames as the source counts them.

    Attributes:
        medium: The medium.
        first_frame: First frame with an annotation.
        last_frame: Last frame with an annotation.
        frames: Frames with annotations, None where that is not known.
        step: All frames are this far apart, or a multiple of it.
    """

    medium: Medium
    first_frame: int
    last_frame: int
    frames: int | None
    step: int


@dataclass(frozen=True)
class Matched:
    """The media of a source with what they are in the project.

    Attributes:
        pairs: Each medium of the source, and the one of the project that it is; None where there is none.
        videos: What the source has on each video.
    """

    pairs: tuple[tuple[InspectedMedium, Medium | None], ...]
    videos: tuple[OnMedium, ...]
    _by_pattern: dict[str, list[str]]

    def patterns(self) -> list[FramePattern]:
        """List the patterns by which names that match nothing would be frames of the project's videos."""
        return [
            FramePattern(pattern, names[0], videos[0], len(names), len(set(videos)))
            for pattern, names in self._by_pattern.items()
            if (videos := [found["media"] for name in names if (found := re.search(pattern, name))])
        ]


def matched(media: Sequence[InspectedMedium], project: Snapshot, rules: PlanOptions) -> Matched:
    """Match the media of a source with those of a project.

    Raises:
        UsageError: A map does not fit the project.
    """
    project = narrowed(project, rules)
    found = plan_of(project, "inspect", rules).find_media([medium.name for medium in media])
    known = project.media
    pairs: list[tuple[InspectedMedium, Medium | None]] = []
    by_pattern: defaultdict[str, list[str]] = defaultdict(list)
    on_videos: list[OnMedium] = []
    frames_of: defaultdict[int, list[int]] = defaultdict(list)
    for medium, (index, _, frame, pattern) in zip(media, found, strict=True):
        if pattern is not None:
            by_pattern[pattern].append(medium.name)
        # Behind the media the plan has the spaces of data groups.
        own = None if index is None or index >= len(known) else known[index]
        pairs.append((medium, own))
        if index is None or own is None or own.data_type != _VIDEO:
            continue
        if frame is not None and medium.last_frame == 0:
            frames_of[index].append(frame)
        else:
            on_videos.append(OnMedium(own, medium.first_frame, medium.last_frame, medium.frames, medium.step))
    for index, frames in frames_of.items():
        ordered = sorted(set(frames))
        step = min((b - a for a, b in zip(ordered, ordered[1:], strict=False)), default=1)
        on_videos.append(OnMedium(known[index], ordered[0], ordered[-1], len(ordered), step))
    return Matched(tuple(pairs), tuple(on_videos), dict(by_pattern))
