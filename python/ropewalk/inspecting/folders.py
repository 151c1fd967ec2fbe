"""Names of media that look like the files of folders of frames."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ropewalk.inspecting.inspection import InspectedMedium

_FRAME = r"(?P<frame>\d+)(?:\.[^./]+)?$"
# The video is the folder of the file, or what comes before the number in its name, or the folder above.
_PATTERNS = (
    rf"(?P<media>[^/]+)/[^/]*?{_FRAME}",
    rf"(?P<media>[^/]+?)[-_. ]+{_FRAME}",
    rf"(?P<media>[^/]+)/[^/]+/[^/]*?{_FRAME}",
)

# Fewer files are not a video.
_LEAST_FRAMES = 8


@dataclass(frozen=True)
class FramePattern:
    """A pattern that reads names as frames of videos.

    Attributes:
        pattern: The regular expression.
        example: A name that it reads.
        video: The video that it reads from the example.
        names: How many names it reads.
        videos: How many videos these are of.
    """

    pattern: str
    example: str
    video: str
    names: int
    videos: int


def folders_of_frames(media: Sequence[InspectedMedium]) -> list[FramePattern]:
    """Find names that count frames: most names, on frame 0 alone, in groups that count evenly without gaps.

    Args:
        media: Media of a source.

    Returns:
        The pattern that reads most of the names, or nothing.
    """
    names = [medium.name for medium in media if medium.first_frame == medium.last_frame == 0]
    if len(names) < len(media) or len(names) < _LEAST_FRAMES:
        return []
    for pattern in _PATTERNS:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for name in names:
            if read := re.search(pattern, name):
                groups[read["media"]].append(int(read["frame"]))
        counted = {video: frames for video, frames in groups.items() if _counts_evenly(frames)}
        if sum(map(len, counted.values())) * 2 > len(names):
            return [_found(pattern, names, counted)]
    return []


def _found(pattern: str, names: Iterable[str], counted: dict[str, list[int]]) -> FramePattern:
    read = ((name, re.search(pattern, name)) for name in names)
    example, video = next((name, found["media"]) for name, found in read if found and found["media"] in counted)
    return FramePattern(pattern, example, video, sum(map(len, counted.values())), len(counted))


def _counts_evenly(frames: Sequence[int]) -> bool:
    """Tell whether numbers are those of a video's frames: from its beginning on, in even steps, with few gaps."""
    ordered = sorted(set(frames))
    if len(ordered) < _LEAST_FRAMES or len(ordered) < len(frames):
        return False
    step = min(b - a for a, b in zip(ordered, ordered[1:], strict=False))
    return ordered[0] <= step and (ordered[-1] - ordered[0]) // step + 1 <= 2 * len(ordered)
