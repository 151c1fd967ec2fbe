"""Frames that are counted otherwise than an import would take them: from another base, or in another stride."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ropewalk.inspecting.inspection import Finding, InspectedFormat
from ropewalk.options import spelt
from ropewalk.text import count, shown

if TYPE_CHECKING:
    from ropewalk.inspecting.matched import Matched, OnMedium

# Fewer media or frames may count so by chance.
_LEAST_MEDIA = 3
_LEAST_FRAMES = 5

# Share of the videos that must end where a stride would have them end.
_MOST = 0.6

_LISTED = 3


def frame_findings(of: InspectedFormat, media: Matched | None) -> Iterator[Finding]:
    """Find out whether frames count from another base, or in another stride, than is assumed.

    Args:
        of: What the documents of a format hold.
        media: Their media beside those of a project, whose frames are known.
    """
    base, stride = of.frame_base, of.frame_stride
    videos = () if media is None else media.videos
    if videos and any(not _fits(video, base, stride) for video in videos):
        yield _outside(videos, base, stride)
        return
    longer = [medium for medium in of.media if medium.last_frame > medium.first_frame]
    before = sum(medium.first_frame < base for medium in of.media)
    if before:
        yield Finding(
            "frame_base",
            f"frames of {count(before, 'medium').replace('mediums', 'media')} are below {base}, the first frame of "
            f"{of.name}: give {spelt('frame_base')} {min(medium.first_frame for medium in of.media)}",
        )
    elif (
        base == 0
        and len(longer) >= _LEAST_MEDIA
        and all(medium.first_frame == 1 for medium in longer)
        and all(_fits(video, 1, stride) for video in videos if video.last_frame)
    ):
        yield Finding(
            "frame_base",
            f"frames begin at 1 on all of {len(longer):,} media, and are read from 0 on: if they count from 1, give "
            f"{spelt('frame_base')} 1",
        )
    yield from _strides(videos, base, stride)


def _fits(video: OnMedium, base: int, stride: int) -> bool:
    """Tell whether all frames of a source are frames of the video."""
    first, last = video.first_frame - base, video.last_frame - base
    return first >= 0 and last * stride < video.medium.number_of_frames


def _outside(videos: Sequence[OnMedium], base: int, stride: int) -> Finding:
    """Say that frames lie outside their videos, and with which base and stride they do not."""
    outside = [video for video in videos if not _fits(video, base, stride)]
    example = outside[0]
    what = (
        f"frames lie outside {len(outside):,} of {count(len(videos), 'video')}, such as "
        f"{shown(example.medium.title)}: the source has {example.first_frame} to {example.last_frame}, the video has "
        f"{count(example.medium.number_of_frames, 'frame')}"
    )
    bases = (base, *(other for other in (0, 1) if other != base))
    choices = [(other, each) for each in range(stride, 0, -1) for other in bases]
    fitting = [(sum(_fits(video, *choice) for video in videos), choice) for choice in choices]
    most = max(n for n, _ in fitting)
    best = next(choice for n, choice in fitting if n == most)
    if most == len(videos):
        return Finding(
            "frames_outside",
            f"{what}; all of them fit with {_options(best, base, stride)}: give it if the source counts so",
        )
    is_better = most > len(videos) - len(outside)
    fixed = f"; with {_options(best, base, stride)} {most:,} fit" if is_better else ""
    return Finding(
        "frames_outside",
        f"{what}{fixed}; no {spelt('frame_base')} or {spelt('frame_stride')} fits all of them: check which media they "
        "are matched with",
    )


def _options(choice: tuple[int, int], base: int, stride: int) -> str:
    given = []
    if choice[0] != base:
        given.append(f"{spelt('frame_base')} {choice[0]}")
    if choice[1] != stride:
        given.append(f"{spelt('frame_stride')} {choice[1]}")
    return " ".join(given)


def _strides(videos: Sequence[OnMedium], base: int, stride: int) -> Iterator[Finding]:
    """Find videos that are a multiple as long as the source's frames, though all of these fit."""
    telling = [
        video
        for video in videos
        if video.step == 1
        and video.last_frame - video.first_frame + 1 >= _LEAST_FRAMES
        and (video.frames is None or 2 * video.frames > video.last_frame - video.first_frame)
    ]
    votes: Counter[tuple[int, int]] = Counter()
    for other in (base, *(other for other in (0, 1) if other != base)):
        if all(video.first_frame >= other for video in videos):
            votes.update((other, each) for video in telling for each in _strides_of(video, other) if each > stride)
    own = [choice for choice in votes if all(_fits(video, *choice) for video in videos)]
    best = max(own, key=lambda choice: (votes[choice], choice[0] == base), default=None)
    agree = 0 if best is None else votes[best]
    rate = None if agree == len(telling) else _common_rate(telling, base)
    if best is not None and rate is None and _is_enough(agree, telling, best[1]):
        yield Finding(
            "frame_stride",
            f"{agree:,} of {count(len(videos), 'video')} are {best[1]} times as long as the source's frames, "
            f"such as {_example(telling, best)}: if every {_ordinal(best[1])} frame was predicted, give "
            f"{_options(best, base, stride)}",
        )
    elif rate is not None:
        by_stride: dict[int, list[str]] = {}
        for video in telling:
            by_stride.setdefault(_stride_at(video, rate), []).append(video.medium.title)
        groups = "; ".join(
            f"{spelt('frame_stride')} {each} for {len(titles):,} ({', '.join(map(shown, titles[:_LISTED]))}"
            f"{', ...' if len(titles) > _LISTED else ''})"
            for each, titles in sorted(by_stride.items())
        )
        yield Finding(
            "frame_stride",
            f"the source's frames fit {rate:g} frames a second of videos with several frame rates: import them "
            f"separately, with {groups}",
        )


def _strides_of(video: OnMedium, base: int) -> range:
    """List the strides with which the source's last frame is the last one that the video has."""
    frames = video.last_frame - base + 1
    if frames < _LEAST_FRAMES:
        return range(0)
    total = video.medium.number_of_frames
    return range(-(-total // frames), -(-total // (frames - 1)))


def _is_enough(votes: int, telling: Sequence[OnMedium], stride: int) -> bool:
    if len(telling) >= 2:
        return votes >= max(2, _MOST * len(telling))
    # One video may end so by chance; less so if the stride gives a whole number of frames a second.
    rate = telling[0].medium.frames_per_second
    return votes == 1 and rate is not None and abs(rate / stride - round(rate / stride)) < 0.01 * rate / stride


def _common_rate(telling: Sequence[OnMedium], base: int) -> float | None:
    """Find the frames a second, a whole number, by which all videos were sampled, if their frame rates differ."""
    rates = [video.medium.frames_per_second for video in telling]
    if len(telling) < 2 or None in rates or len(set(rates)) < 2:
        return None
    for rate in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0):
        strides = [_stride_at(video, rate) for video in telling]
        if (
            min(strides) > 1
            and len(set(strides)) > 1
            and all(each in _strides_of(video, base) for each, video in zip(strides, telling, strict=True))
        ):
            return rate
    return None


def _stride_at(video: OnMedium, rate: float) -> int:
    return round((video.medium.frames_per_second or 0.0) / rate)


def _example(telling: Sequence[OnMedium], choice: tuple[int, int]) -> str:
    base, stride = choice
    video = next(video for video in telling if stride in _strides_of(video, base))
    return (
        f"{shown(video.medium.title)} (frames {video.first_frame} to {video.last_frame} in the source, "
        f"{count(video.medium.number_of_frames, 'frame')} in the project)"
    )


def _ordinal(n: int) -> str:
    if n % 100 in (11, 12, 13):
        return f"{n}th"
    return f"{n}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th') }"
