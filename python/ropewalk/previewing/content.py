"""What a preview holds, as the page's script reads it: the frames chosen, with the objects on them, and tracks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars

from ropewalk.previewing.choosing import Chooser, FrameKey
from ropewalk.previewing.differences import likely_cause, mark_differences
from ropewalk.previewing.drawing import Drawn, drawn
from ropewalk.previewing.known import Known, SizeWh
from ropewalk.previewing.light import light_rows
from ropewalk.previewing.pictures import MediaFolder, Picture
from ropewalk.previewing.sides import Side

# Objects of a side on one frame; more are counted.
MOST_OBJECTS = 200

# px: for frames of which nothing tells the size.
_USUAL_SIZE = (1280, 720)

# Skeletons of 17 points without a project are taken for persons of COCO, whose edges these are.
_COCO_POINTS = 17
_COCO_EDGES = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
    *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)


@dataclass
class Frame:
    """A frame of the page: its size in px, its picture, why it is there, and each side's objects."""

    key: FrameKey
    size: SizeWh
    why: Sequence[str]
    in_grid: bool
    picture: Picture | None
    objects: list[list[Drawn]] = field(default_factory=list)
    more: list[int] = field(default_factory=list)
    differences: int = 0

    @property
    def note(self) -> str | None:
        """What is odd about its picture."""
        if self.picture is None:
            return None
        (width, height), (of_picture, high) = self.size, self.picture.size
        if abs(width * high / (height * of_picture) - 1) <= 0.01:
            return None
        return f"the file has {of_picture} x {high} px, the predictions are for {width} x {height}"


def content_of(sides: Sequence[Side], known: Known, folder: MediaFolder | None, most_frames: int) -> dict[str, Any]:
    """Read each side twice, first to choose frames and then to draw what is on them.

    Args:
        sides: One, or two to compare.
        known: What a project tells.
        folder: Has the user's frames; None draws on empty ones.
        most_frames: Frames in the grid; the strips of tracks have some more.

    Returns:
        JSON types; preview.js says by its use what each is.

    Raises:
        RopewalkError: A source cannot be read.
    """
    choosers = [Chooser(most_frames) for _ in sides]
    for side, chooser in zip(sides, choosers, strict=True):
        for table in side.tables():
            chooser.add(light_rows(table))
    frames = _frames(choosers, most_frames)
    _add_pictures(frames, choosers, known, folder)
    for side in sides:
        _add_objects(frames, side)
    cause = None
    if len(sides) == 2:
        cause = likely_cause(*({key: frame.objects[n] for key, frame in frames.items()} for n in (0, 1)))
        for frame in frames.values():
            frame.differences = mark_differences(*frame.objects)
    return _as_data(sides, choosers, frames, known) | {"cause": cause}


def _frames(choosers: Sequence[Chooser], most_frames: int) -> dict[FrameKey, Frame]:
    """Choose the frames of all sides in turn, and then those of the strips."""
    chosen = [list(chooser.frames().items()) for chooser in choosers]
    frames: dict[FrameKey, Frame] = {}
    for at in range(max(map(len, chosen))):
        for key, why in (found[at] for found in chosen if at < len(found)):
            if key in frames:
                frames[key].why = list(dict.fromkeys((*frames[key].why, *why)))
            elif len(frames) < most_frames:
                frames[key] = Frame(key, _USUAL_SIZE, why, True, None)
    for chooser in choosers:
        for track in chooser.tracks():
            for frame in track.strip():
                key = (track.medium, frame)
                frames.setdefault(key, Frame(key, _USUAL_SIZE, (), False, None))
    return frames


def _add_pictures(
    frames: Mapping[FrameKey, Frame], choosers: Sequence[Chooser], known: Known, folder: MediaFolder | None
) -> None:
    by_file: dict[tuple[str, str], list[Frame]] = {}
    for frame in frames.values():
        by_file.setdefault((frame.key[0], known.title(*frame.key)), []).append(frame)
    for (medium, title), found in by_file.items() if folder is not None else ():
        by_number = {frame.key[1]: frame for frame in found}
        assert folder is not None
        for number, picture in folder.pictures(medium, by_number, title):
            by_number[number].picture = picture
    for frame in frames.values():
        frame.size = _size(frame, choosers, known)


def _size(frame: Frame, choosers: Sequence[Chooser], known: Known) -> SizeWh:
    extents = [chooser.media[frame.key[0]] for chooser in choosers if frame.key[0] in chooser.media]
    size = known.size(*frame.key) or next((extent.size for extent in extents if extent.size), None)
    if size is not None:
        return size
    if frame.picture is not None:
        return frame.picture.size
    right, bottom = (max((getattr(extent, side) for extent in extents), default=0) for side in ("right", "bottom"))
    return (int(right) + 1, int(bottom) + 1) if right and bottom else _USUAL_SIZE


def _add_objects(frames: Mapping[FrameKey, Frame], side: Side) -> None:
    wanted = polars.DataFrame(list(frames), schema={"media": polars.String, "frame": polars.Int64}, orient="row")
    for frame in frames.values():
        frame.objects.append([])
        frame.more.append(0)
    for table in side.tables():
        here = table.join(wanted, on=["media", "frame"], how="semi", maintain_order="left")
        for row in here.iter_rows(named=True):
            frame = frames[row["media"], row["frame"]]
            if len(frame.objects[-1]) < MOST_OBJECTS:
                frame.objects[-1].append(drawn(row, frame.size))
            else:
                frame.more[-1] += 1


def _as_data(
    sides: Sequence[Side], choosers: Sequence[Chooser], frames: Mapping[FrameKey, Frame], known: Known
) -> dict[str, Any]:
    on_page = [item for frame in frames.values() for objects in frame.objects for item in objects]
    names = {name: max(chooser.classes[name] for chooser in choosers) for name in _names(choosers, on_page)}
    classes = {name: n for n, name in enumerate(names)}
    skeletons = {item["c"] for item in on_page if item["k"] == "skeleton" and len(item["d"]) == 2 * _COCO_POINTS}
    media = {name: n for n, name in enumerate(dict.fromkeys(medium for medium, _ in frames))}
    places = {key: n for n, key in enumerate(frames)}
    edges = {name: known.edges.get(name) or (_COCO_EDGES if name in skeletons else ()) for name in classes}
    for item in on_page:
        item["c"] = classes[item["c"]]
    return {
        "sides": [
            {"name": side.name, "counts": {**side.counts, **chooser.others}}
            for side, chooser in zip(sides, choosers, strict=True)
        ],
        "classes": [{"name": name, "n": n, "edges": edges[name]} for name, n in names.items()],
        "media": list(media),
        "frames": [
            {
                "m": media[frame.key[0]],
                "f": frame.key[1],
                "w": frame.size[0],
                "h": frame.size[1],
                "img": None if frame.picture is None else frame.picture.uri,
                "why": list(frame.why),
                "grid": frame.in_grid,
                "d": frame.differences,
                "note": frame.note,
                "sides": frame.objects,
                "more": frame.more,
            }
            for frame in frames.values()
        ],
        "tracks": [
            {
                "side": at,
                "c": classes[track.class_name],
                "t": track.name,
                "m": media[track.medium],
                "n": track.objects,
                "frames": [places[track.medium, frame] for frame in track.strip()],
            }
            for at, chooser in enumerate(choosers)
            for track in chooser.tracks()
            if track.class_name in classes
        ],
    }


def _names(choosers: Iterable[Chooser], on_page: Iterable[Drawn]) -> list[str]:
    """List the classes on the page, the most frequent first."""
    found = {item["c"] for item in on_page}
    totals = {name: max(chooser.classes[name] for chooser in choosers) for name in found}
    return sorted(found, key=lambda name: (-totals[name], name))
