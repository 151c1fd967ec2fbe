"""Which frames a preview draws: some for each class and shape, the extremes, tracks, and others spread over the rest.

What is kept while a source is read does not grow with it: names beyond the bounds below are counted only.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias
from zlib import crc32

from ropewalk.previewing.light import Light

# Name of the medium, and frame.
FrameKey: TypeAlias = tuple[str, int]

_MOST_CLASSES = 1_000
_MOST_MEDIA = 10_000
_MOST_TRACKS = 5_000

# Of so many media, the first ones, each frame with objects is remembered, as long as there are not more of them.
_WATCHED_MEDIA = 50
_WATCHED_FRAMES = 10_000

# Frames without objects on the page.
_GAPS = 3

# Tracks on the page, and frames of each.
TRACKS = 8
STRIP_FRAMES = 6
_SAMPLED = 4 * STRIP_FRAMES


@dataclass
class Extent:
    """What was seen of a medium: its frames with objects, its size if rows have it, and how far objects reach in px."""

    objects: int = 0
    first: int = 0
    last: int = 0
    right: float = 0.0
    bottom: float = 0.0
    size: tuple[int, int] | None = None
    seen: set[int] | None = None

    def add(self, row: Light) -> None:
        """Take an object."""
        self.first = min(self.first, row.frame) if self.objects else row.frame
        self.last = max(self.last, row.frame) if self.objects else row.frame
        self.objects += 1
        self.right = max(self.right, row.right or 0.0)
        self.bottom = max(self.bottom, row.bottom or 0.0)
        if self.size is None and row.width and row.height:
            self.size = row.width, row.height
        if self.seen is not None:
            self.seen.add(row.frame)
            if len(self.seen) > _WATCHED_FRAMES:
                self.seen = None

    def gap(self) -> int | None:
        """Find the first frame without objects between the first and the last one, None where there is none."""
        if self.seen is None or len(self.seen) == self.last - self.first + 1:
            return None
        return next(frame for frame in range(self.first, self.last) if frame not in self.seen)


@dataclass
class TrackSeen:
    """A track and some of its frames, spread over those that were read: each `step`-th."""

    medium: str
    class_name: str
    name: str
    objects: int = 0
    step: int = 1
    frames: list[int] = field(default_factory=list)

    def add(self, frame: int) -> None:
        """Take one of its frames."""
        if self.objects % self.step == 0:
            self.frames.append(frame)
            if len(self.frames) > _SAMPLED:
                self.frames, self.step = self.frames[::2], 2 * self.step
        self.objects += 1

    def strip(self) -> list[int]:
        """Choose frames in their order, spread over those that were kept, with the first and the last of them."""
        frames = sorted(set(self.frames))
        n = min(STRIP_FRAMES, len(frames))
        return [frames[i * (len(frames) - 1) // max(n - 1, 1)] for i in range(n)]


class _Best:
    """The object with the greatest value; of equal ones that on the first frame, whatever the order of the source."""

    def __init__(self) -> None:
        self.value = -float("inf")
        self.row: Light | None = None

    def add(self, value: float | None, row: Light) -> None:
        if value is None or value < self.value:
            return
        if self.row is None or value > self.value or row[:2] < self.row[:2]:
            self.value, self.row = value, row


class Chooser:
    """Looks at all objects once, and then tells which frames to draw.

    Attributes:
        classes: Objects by class.
        shapes: Objects by shape.
        media: Name -> what was seen of the medium.
        others: Objects of classes, media and tracks beyond those that are kept apart, which are drawn by chance only.
    """

    def __init__(self, most_frames: int) -> None:
        self._most = most_frames
        self.classes: Counter[str] = Counter()
        self.shapes: Counter[str] = Counter()
        self.media: dict[str, Extent] = {}
        self.others: Counter[str] = Counter()
        self._extremes = {
            name: _Best() for name in ("highest score", "lowest score", "largest", "off the image", "empty")
        }
        self._by_class: dict[str, _Best] = {}
        self._by_shape: dict[str, _Best] = {}
        self._tracks: dict[tuple[str, str, str], TrackSeen] = {}
        # The frames with the smallest checksums: spread over all of them, and the same in every run.
        self._spread: list[tuple[int, FrameKey]] = []
        self._in_spread: set[FrameKey] = set()

    def add(self, rows: Iterable[Light]) -> None:
        """Look at objects."""
        for row in rows:
            if row.medium in self.media:
                self.media[row.medium].add(row)
            elif len(self.media) < _MOST_MEDIA:
                self.media[row.medium] = Extent(seen=set() if len(self.media) < _WATCHED_MEDIA else None)
                self.media[row.medium].add(row)
            else:
                self.others[f"media beyond the first {_MOST_MEDIA:,}"] += 1
            self.shapes[row.shape] += 1
            score = 1.0 if row.score is None else row.score
            if row.class_name in self.classes or len(self.classes) < _MOST_CLASSES:
                self.classes[row.class_name] += 1
                self._by_class.setdefault(row.class_name, _Best()).add(score, row)
            else:
                self.others[f"classes beyond the first {_MOST_CLASSES:,}"] += 1
            self._by_shape.setdefault(row.shape, _Best()).add(score, row)
            self._add_extremes(row)
            if row.track is not None:
                self._add_to_track(row, row.track)
            self._sample((row.medium, row.frame))

    def _add_extremes(self, row: Light) -> None:
        extremes = self._extremes
        extremes["highest score"].add(row.score, row)
        extremes["lowest score"].add(None if row.score is None else -row.score, row)
        extremes["largest"].add(row.area, row)
        if row.is_off:
            extremes["off the image"].add(row.area or 0.0, row)
        if row.is_empty:
            extremes["empty"].add(0.0, row)

    def _add_to_track(self, row: Light, track: str) -> None:
        key = (row.medium, row.class_name, track)
        if key in self._tracks or len(self._tracks) < _MOST_TRACKS:
            self._tracks.setdefault(key, TrackSeen(row.medium, row.class_name, track)).add(row.frame)
        else:
            self.others[f"tracks beyond the first {_MOST_TRACKS:,}"] += 1

    def _sample(self, key: FrameKey) -> None:
        if key in self._in_spread:
            return
        rank = -crc32(f"{key[0]}\0{key[1]}".encode("utf-8", "surrogatepass"))
        if len(self._spread) < self._most:
            heapq.heappush(self._spread, (rank, key))
        elif rank <= self._spread[0][0]:
            return
        else:
            self._in_spread.discard(heapq.heapreplace(self._spread, (rank, key))[1])
        self._in_spread.add(key)

    def frames(self) -> dict[FrameKey, list[str]]:
        """Choose the frames of the grid, with what each is there for."""
        chosen: dict[FrameKey, list[str]] = {}
        for key, why in self._reasons():
            if key in chosen:
                chosen[key].append(why)
            elif len(chosen) < self._most:
                chosen[key] = [why]
        for _, key in sorted(self._spread, reverse=True):
            if len(chosen) < self._most:
                chosen.setdefault(key, [])
        return chosen

    def _reasons(self) -> Iterator[tuple[FrameKey, str]]:
        for name, best in self._extremes.items():
            if best.row is not None:
                about = f" {best.row.score:.3g}" if best.row.score is not None and "score" in name else ""
                yield (best.row.medium, best.row.frame), f"{name}{about}: {best.row.class_name}"
        for what, found in (("class", self._by_class), ("shape", self._by_shape)):
            for name, best in found.items():
                if best.row is not None:
                    yield (best.row.medium, best.row.frame), f"{what} {name}"
        gaps = ((name, extent.gap()) for name, extent in self.media.items())
        for name, gap in islice(((name, gap) for name, gap in gaps if gap is not None), _GAPS):
            yield (name, gap), "no predictions"
        for name, extent in self.media.items():
            if extent.first != extent.last:
                yield (name, extent.first), "first frame"
                yield (name, extent.last), "last frame"

    def tracks(self) -> list[TrackSeen]:
        """Choose the tracks with the most objects, of each class in turn."""
        by_class: dict[str, list[TrackSeen]] = {}
        for track in sorted(self._tracks.values(), key=lambda track: -track.objects):
            if track.objects > 1:
                by_class.setdefault(track.class_name, []).append(track)
        ranked = [(n, -track.objects, track) for found in by_class.values() for n, track in enumerate(found)]
        return [track for _, _, track in sorted(ranked, key=lambda item: item[:2])[:TRACKS]]
