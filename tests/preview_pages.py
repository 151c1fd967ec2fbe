"""Reads the pages that `preview` writes, and makes media whose frames can be told apart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import av
import numpy as np

SVG_NAMESPACE = "http://www.w3.org/2000/svg"

WIDTH, HEIGHT, FRAMES = 320, 180, 24


def data_of(page: Path) -> Any:
    """Read the data that the page's script draws."""
    (text,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    return json.loads(text)


def addresses_in(page: Path) -> set[str]:
    """List what could be fetched from elsewhere: everything with a scheme, and addresses without one."""
    text = page.read_text("utf-8")
    found = set(re.findall(r"\b(?:https?|ftp|wss?|file):/*[^\s\"'<>)]+", text))
    found |= set(re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(//[^\s\"'<>)]+)", text))
    return found - {SVG_NAMESPACE}


def frame_array(n: int) -> np.ndarray[Any, Any]:
    """Draw frame `n` of the test video: a rectangle that moves by 10 px a frame, and a bar as long as 12 n px."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[...] = (20, 30, 60)
    picture[60:110, 20 + 10 * n : 80 + 10 * n] = (250, 220, 60)
    picture[:8, : 12 * n] = 255
    return picture


def write_video(path: Path) -> None:
    """Write the test video, 25 frames per second, with a key frame each 12 frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for n in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_array(n), format="rgb24")))
        container.mux(stream.encode(None))


def write_image(path: Path, n: int = 0) -> None:
    """Write a frame of the test video as PNG."""
    encoder = av.VideoCodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "rgb24", 1
    frame = av.VideoFrame.from_ndarray(frame_array(n), format="rgb24")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(bytes, [*encoder.encode(frame), *encoder.encode(None)])))
