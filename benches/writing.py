"""Writing while a model runs: arrays of 1080p frames to a table, beside the encoders of others, which write nothing."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from encord.objects.coordinates import BitmaskCoordinates
from pycocotools import mask as coco_mask

from parity import check_equal
from report import Line, Table, write
from ropewalk import PredictionWriter
from ropewalk.reading.tables import read_table
from synthetic import CLASS_NAMES, HEIGHT_PX, WIDTH_PX, dense_masks
from timing import interleave

PER_FRAME = 10
# How often the frames are gone through: opening and closing a file is done once.
ROUNDS = 10
BOXES_PER_FRAME = 100
WAYS = ("ropewalk", "pycocotools", "SDK")
TEXT = f"""\
Frames a second: median (slowest..fastest), x times as long as ropewalk. Arrays of 1080p, {PER_FRAME} masks or
{BOXES_PER_FRAME} boxes a frame; one thread. *ropewalk* is `PredictionWriter`: it checks the arrays and writes a Parquet
file with scores and classes beside the masks. *pycocotools* encodes the transposed picture, *SDK* makes
`BitmaskCoordinates`; both give strings and write nothing. Masks are drawn in turn as blobs, blobs with holes and blobs
with a noisy edge; logits are compared with 0."""

Array = npt.NDArray[Any]
Encode = Callable[[Array], str]


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time all inputs.

    Raises:
        ParityError: Two ways give different strings.
    """
    number = max(1, round(3 * scale))
    drawn = list(dense_masks(number * PER_FRAME))
    frames = [np.array(drawn[at : at + PER_FRAME], np.bool_) for at in range(0, len(drawn), PER_FRAME)]
    draw = np.random.default_rng(7)
    # As far from 0 as logits of a model are.
    logits = [(np.where(masks, 1, -1) * draw.exponential(4, masks.shape)).astype(np.float32) for masks in frames]
    lines = [
        _line("masks, bool", frames, folder, repeats),
        _line("masks, float32 logits", logits, folder, repeats, mask_threshold=0),
        _boxes(max(10, round(1000 * scale)), folder, repeats),
    ]
    return Table("Writing while a model runs", TEXT, WAYS, tuple(lines))


def _line(name: str, frames: list[Array], folder: Path, repeats: int, **options: Any) -> Line:
    path = folder / "writing.parquet"

    def above(frame: Array) -> Array:
        return frame > options["mask_threshold"] if options else frame

    def encode_all(encode: Encode) -> list[str]:
        return [encode(mask) for frame in ROUNDS * frames for mask in above(frame)]

    given = [{"masks": frame, **_labels(len(frame)), **options} for frame in frames]
    jobs: dict[str, Callable[[], object]] = {
        "ropewalk": partial(_write, path, ROUNDS * given),
        "pycocotools": partial(encode_all, _pycocotools),
        "SDK": partial(encode_all, _sdk),
    }
    strings = {way: job() for way, job in jobs.items()}
    check_equal(name, strings | {"ropewalk": [rle.decode() for rle in read_table(path).collect()["rle"]]})
    number = ROUNDS * len(frames)
    return Line(f"{name}: {number} frames", number, interleave(jobs, repeats), per_second=True, scale=1)


def _boxes(number: int, folder: Path, repeats: int) -> Line:
    path = folder / "writing.parquet"
    draw = np.random.default_rng(11)
    boxes = draw.random((number, BOXES_PER_FRAME, 4), np.float32) * (WIDTH_PX, HEIGHT_PX, 400, 250)
    frames = [{"boxes": frame, **_labels(BOXES_PER_FRAME)} for frame in boxes]
    _write(path, frames)
    written = np.array(read_table(path).collect()["box"].to_list())
    check_equal("boxes", {"given": boxes.reshape(-1, 4), "written": written})
    samples = interleave({"ropewalk": partial(_write, path, frames)}, repeats)
    return Line(f"boxes: {number:,} frames", number, samples, per_second=True, scale=1)


def _labels(n: int) -> dict[str, Array]:
    return {"scores": np.linspace(0.1, 0.9, n), "class_ids": np.arange(n) % len(CLASS_NAMES)}


def _write(path: Path, frames: Sequence[dict[str, Any]]) -> None:
    with PredictionWriter(path, classes=CLASS_NAMES, box_format="xywh", threads=1) as writer:
        for number, frame in enumerate(frames):
            writer.add("drive.mp4", number, **frame)


def _pycocotools(mask: Array) -> str:
    return str(coco_mask.encode(np.asfortranarray(mask.T.view(np.uint8)))["counts"], "ascii")


def _sdk(mask: Array) -> str:
    return str(BitmaskCoordinates(mask).to_dict()["rleString"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ropewalk-bench-") as temporary:
        sys.stdout.write(write([table(1, 5, Path(temporary))], "python benches/writing.py"))
