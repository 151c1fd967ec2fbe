"""Spaces: the media inside a data group, each with labels of its own in the group's one label row.

A space has Encord's words of the wire (`space_info`) and is a medium of the plan (`space_fields`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What the label row of a group has for the group as a whole.
ROOT_SPACE_ID = "root"

# A space's type -> the data type of a medium that holds labels in the same way.
DATA_TYPES: Mapping[str, str] = {
    "video": "VIDEO",
    "image_sequence": "VIDEO",
    "image": "IMAGE",
    "audio": "AUDIO",
    "text": "PLAIN_TEXT",
    "time_series": "TIME_SERIES",
    "pdf": "PDF",
    "medical_file": "NIFTI",
    "medical_stack": "DICOM",
}
_SIZED = frozenset({"video", "image_sequence", "image", "medical_file"})
_COUNTED = frozenset({"video", "image_sequence", "medical_file"})
_LISTED = frozenset({"image_sequence", "medical_stack"})


@dataclass(frozen=True, slots=True)
class Space:
    """One space of a data group; a size (px) may be unknown, `duration` is in seconds.

    Attributes:
        space_id: Its id: that of its storage item; `root` for the group as a whole.
        title: Its file name.
        space_type: Encord's word, such as `video`, `image`, `audio`, `text` or `pdf`.
        layout_key: Its name in the group's layout.
        width: Width, px.
        height: Height, px.
        number_of_frames: Frames of a video or volume, pages of a PDF.
        frames_per_second: Frames a second of a video.
        duration: Seconds of a video or of sound.
        frames: What Encord lists of the single frames of an image sequence or of a medical stack.
    """

    space_id: str
    title: str
    space_type: str
    layout_key: str | None = None
    width: int | None = None
    height: int | None = None
    number_of_frames: int = 1
    frames_per_second: float | None = None
    duration: float | None = None
    frames: tuple[Mapping[str, Any], ...] = ()

    @property
    def data_type(self) -> str:
        """The data type of a medium that holds labels in the same way; OTHER where labels cannot be written."""
        return "OTHER" if self.space_id == ROOT_SPACE_ID else DATA_TYPES.get(self.space_type, "OTHER")


def spaces_from_listing(listed: Mapping[str, Mapping[str, Any]]) -> tuple[Space, ...]:
    """Make spaces of what a listing, or a label row, has under `spaces`; links are left behind.

    Raises:
        KeyError, TypeError: An entry lacks what every space has.
    """
    return tuple(space_from_info(space_id, info) for space_id, info in listed.items())


def space_from_info(space_id: str, info: Mapping[str, Any]) -> Space:
    """Make a space of its entry in a listing or a label row.

    Raises:
        KeyError, TypeError: The entry lacks what every space has.
    """
    space_type = info["space_type"]
    child = info.get("child_info") or info.get("root_info") or {}
    frames = tuple(
        {name: value for name, value in frame.items() if name != "data_link"} for frame in info.get("frames") or ()
    )
    milliseconds = info.get("duration_ms")
    return Space(
        space_id=space_id,
        title=child.get("file_name") or "",
        space_type=space_type,
        layout_key=child.get("layout_key"),
        width=info.get("width") or None,
        height=info.get("height") or None,
        number_of_frames=info.get("number_of_frames") or info.get("number_of_pages") or len(frames) or 1,
        frames_per_second=info.get("data_fps"),
        duration=info.get("data_duration") if milliseconds is None else milliseconds / 1000,
        frames=frames,
    )


def space_info(space: Space) -> dict[str, Any]:
    """Write what a label row has of a space besides its labels, as the SDK writes it."""
    info: dict[str, Any] = {"space_type": space.space_type}
    if space.space_type in _COUNTED:
        info["number_of_frames"] = space.number_of_frames
    if space.space_type in _SIZED:
        info |= {"width": space.width or 0, "height": space.height or 0}
    if space.space_type == "video":
        info |= {"data_duration": space.duration or 0.0, "data_fps": space.frames_per_second or 0.0}
    if space.space_type == "audio":
        info["duration_ms"] = round((space.duration or 0.0) * 1000)
    if space.space_type == "pdf":
        info["number_of_pages"] = space.number_of_frames
    if space.space_type in _LISTED:
        info["frames"] = [dict(frame) for frame in space.frames]
    return info


def listed_space(space: Space) -> dict[str, Any]:
    """Write a space as a listing has it: with its names."""
    if space.space_id == ROOT_SPACE_ID:
        return space_info(space) | {"root_info": {"file_name": space.title}}
    layout_key = space.space_id if space.layout_key is None else space.layout_key
    return space_info(space) | {
        "child_info": {"layout_key": layout_key, "file_name": space.title, "data_link": None},
    }
