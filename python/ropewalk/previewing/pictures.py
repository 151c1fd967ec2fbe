"""The user's own frames, out of a folder of images and videos, as small JPEGs inside the page."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ropewalk.errors import UsageError
from ropewalk.options import spelt
from ropewalk.previewing.known import SizeWh
from ropewalk.text import base_name

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")

# px: the longer side of a picture on the page.
_LONGEST = 640
# JPEG's, 2 (best) to 31.
_QUALITY = "5"
_SECOND = Fraction(1)

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Picture:
    """A frame as the page has it, and the size of the original in px."""

    uri: str
    size: SizeWh


class MediaFolder:
    """Images and videos, found by what predictions call them.

    A medium is a file of that name, with or without its folders and suffix, or a folder of images, in which the frames
    are in the order of their names.
    """

    def __init__(self, folder: Path) -> None:
        """List a folder.

        Raises:
            UsageError: PyAV is not installed, or the folder holds neither images nor videos.
        """
        try:
            import av  # noqa: F401
        except ModuleNotFoundError:
            raise UsageError(f"{spelt('media_dir')} needs PyAV: run `pip install 'ropewalk[preview]'`") from None
        self._files: dict[str, Path] = {}
        self._folders: dict[str, list[Path]] = {}
        for file in sorted(folder.rglob("*")):
            if file.suffix.lower() not in (*_IMAGES, *_VIDEOS) or not file.is_file():
                continue
            inside = file.relative_to(folder)
            for name in (inside.as_posix(), file.name, inside.with_suffix("").as_posix(), file.stem):
                self._files.setdefault(name, file)
            if file.suffix.lower() in _IMAGES:
                # MOTChallenge has the images of a sequence in a folder `img1` of it.
                for parent in inside.parents:
                    for name in {parent.as_posix(), parent.name} - {"", "."}:
                        self._folders.setdefault(name, []).append(file)
        if not self._files:
            raise UsageError(f"{folder} has neither images nor videos; give the folder that has the media")
        for files in self._folders.values():
            files.sort(key=_natural)

    def pictures(self, medium: str, frames: Iterable[int], title: str) -> Iterator[tuple[int, Picture]]:
        """Read frames of a medium; those that it does not have are left out.

        Args:
            medium: What predictions call it.
            frames: Numbers of frames, from 0.
            title: What its file is called, where a project says so.
        """
        wanted = sorted(set(frames))
        names = dict.fromkeys(
            name for text in (title, medium) for name in (text, base_name(text), Path(base_name(text)).stem)
        )
        file = next((self._files[name] for name in names if name in self._files), None)
        images = next((self._folders[name] for name in names if name in self._folders), [])
        if file is not None and file.suffix.lower() in _VIDEOS:
            yield from _video_frames(file, wanted)
        elif file is not None:
            yield from ((frame, picture) for frame in wanted for picture in _image(file))
        else:
            here = (frame for frame in wanted if 0 <= frame < len(images))
            yield from ((frame, picture) for frame in here for picture in _image(images[frame]))


def _natural(file: Path) -> list[tuple[int, str]]:
    """Order 2 before 10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in _NUMBER.split(file.as_posix())]


def _image(file: Path) -> Iterator[Picture]:
    with _opened(file) as container:
        for frame in container.decode(video=0):
            yield _picture(frame)
            return


def _video_frames(file: Path, wanted: Sequence[int]) -> Iterator[tuple[int, Picture]]:
    """Read frames by their place in the order in which they are shown, whatever their times are."""
    with _opened(file) as container:
        stream = container.streams.video[0]
        # Packets are listed without decoding them; their order is not that in which frames are shown.
        shown = (packet for packet in container.demux(stream) if not packet.is_discard)
        times = sorted(packet.pts for packet in shown if packet.pts is not None)
        for place in wanted:
            if 0 <= place < len(times):
                container.seek(times[place], stream=stream)
                for frame in container.decode(stream):
                    if frame.pts is not None and frame.pts >= times[place]:
                        yield place, _picture(frame)
                        break


@contextmanager
def _opened(file: Path) -> Iterator[InputContainer]:
    import av

    try:
        # As content: a % in a path would be a pattern of names.
        with file.open("rb") as content, av.open(content, mode="r") as container:
            yield container
    except (av.error.FFmpegError, IndexError) as e:
        raise UsageError(f"{file}: PyAV cannot read this image or video ({e}); repair it or take it away") from None


def _upright(frame: av.VideoFrame) -> av.VideoFrame:
    """Turn a frame as players show it: phones store how they were held beside the picture."""
    import av
    import numpy as np

    quarters = round(frame.rotation / 90) % 4
    if not quarters:
        return frame
    return av.VideoFrame.from_ndarray(np.rot90(frame.to_ndarray(format="rgb24"), quarters).copy(), format="rgb24")


def _picture(frame: av.VideoFrame) -> Picture:
    """Shrink a frame and write it as JPEG."""
    import av

    frame = _upright(frame)
    shrink = min(1.0, _LONGEST / max(frame.width, frame.height))
    width, height = (max(2, round(side * shrink / 2) * 2) for side in (frame.width, frame.height))
    small = frame.reformat(width=width, height=height, format="yuvj420p")
    encoder = av.VideoCodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.options = {"qmin": _QUALITY, "qmax": _QUALITY}
    # A still needs a time too.
    encoder.time_base, small.time_base, small.pts = _SECOND, _SECOND, 0
    packets = [*encoder.encode(small), *encoder.encode(None)]
    uri = "data:image/jpeg;base64," + b64encode(b"".join(map(bytes, packets))).decode("ascii")
    return Picture(uri, (frame.width, frame.height))
