"""Other formats than COCO: from the files of a tracker, a detector or a segmenter to the body of the save request."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from encord.objects import OntologyStructure
from PIL import Image
from pycocotools import mask as coco_mask

from parity import check_bodies
from peers import (
    PlainLabel,
    feature_hash,
    ontology_of,
    plain_bitmask,
    plain_body,
    plan_onto,
    staged_body,
    transposed,
)
from report import Line, Table, write
from ropewalk import _core
from ropewalk.project.snapshot import Medium
from ropewalk.reading.formats import add_source
from ropewalk.reading.options import ReadOptions
from ropewalk.reading.sources import find_sources
from ropewalk.sinks.encord.transport import Blocks
from synthetic import CLASS_NAMES, HEIGHT_PX, WIDTH_PX, Predictions, dense_masks, video
from timing import interleave

WAYS = ("ropewalk", "plain Python")
TEXT = """\
Microseconds an annotation, from the files of one video of 1080p to the body of the save request, without a network and
on one thread: median (fastest..slowest), x times ropewalk. *plain Python* reads text with `numpy.loadtxt` (a whole file
of numbers) or `str.split` (small files), JSON with orjson, PNGs with Pillow. It encodes masks with pycocotools from the
transposed picture, transposes run-length strings with rlemasklib, writes dict literals with orjson, checks nothing."""

THREADS_TEXT = """\
Microseconds a mask, from PNGs of 1080p to the body of the save request: the same job many times on two threads, on one
thread, and half of the times in each of two processes that share nothing; x is the time against that of two threads.
Two threads cannot gain more than two processes do on the machine as it is."""

# How often each of two processes does the job: starting them takes as long as doing it once.
ROUNDS = 8

OBJECTS = 5
STRIDE = 4

Picture = npt.NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A source in one format, and how plain Python reads it.

    `labels` gives the labels of `path`; classes of `class_map` are those that the file does not name.
    """

    name: str
    path: Path
    predictions: Predictions
    options: ReadOptions
    labels: Callable[[Path], Iterator[PlainLabel]]
    class_map: Mapping[str, str] | None = None


def table(scale: float, repeats: int, folder: Path) -> Table:
    """Check and time all formats.

    Raises:
        ParityError: Two ways do not make the same.
    """
    lines = []
    for case in _cases(scale, folder):
        structure, medium = ontology_of(case.predictions), case.predictions.medium
        jobs = {
            "ropewalk": partial(_ropewalk, case, plan_onto(medium, structure, case.class_map), folder),
            "plain Python": partial(_plain, case, medium, structure),
        }
        count = case.predictions.number_of_annotations
        check_bodies(case.name, {way: job() for way, job in jobs.items()}, count)
        lines.append(Line(f"{case.name}: {count:,}", count, interleave(jobs, repeats)))
    return Table("Other formats", TEXT, WAYS, tuple(lines))


def threads(scale: float, repeats: int, folder: Path) -> Table:
    """Time pictures on two threads beside two processes; what they make is checked in `table`."""
    lines = []
    for case in _pictures(folder / "threads", max(2, round(60 * scale))):
        plan = plan_onto(case.predictions.medium, ontology_of(case.predictions), case.class_map)
        jobs = {
            "two threads": partial(_repeat, 2 * ROUNDS, partial(_ropewalk, case, plan, folder, threads=2)),
            "one thread": partial(_repeat, 2 * ROUNDS, partial(_ropewalk, case, plan, folder)),
            "two processes": partial(_in_two_processes, partial(_ropewalk, case, plan, folder)),
        }
        count = case.predictions.number_of_annotations
        lines.append(Line(f"{case.name}: {count:,}", 2 * ROUNDS * count, interleave(jobs, repeats)))
    return Table("Two threads on pictures", THREADS_TEXT, ("two threads", "one thread", "two processes"), tuple(lines))


def _repeat(times: int, job: Callable[[], object]) -> None:
    for _ in range(times):
        job()


def _in_two_processes(job: Callable[[], object]) -> None:
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                _repeat(ROUNDS, job)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _ropewalk(case: Case, plan: _core.Plan, folder: Path, threads: int = 1) -> Blocks:
    stage = _core.Stage(plan, str(folder / f"rejects-{os.getpid()}.ndjson"), str(folder), threads=threads)
    for source in find_sources(case.path):
        add_source(stage, source, case.options, lambda _: None)
    return staged_body(stage)


def _plain(case: Case, medium: Medium, structure: OntologyStructure) -> Blocks:
    return plain_body(medium, structure, case.labels(case.path))


def _cases(scale: float, folder: Path) -> Iterator[Case]:
    frames, few = max(2, round(1000 * scale)), max(2, round(20 * scale))
    yield from _texts(folder, frames, 50)
    yield from _pictures(folder, few)
    yield from _json_masks(folder, 3 * few)


def _texts(folder: Path, frames: int, per_frame: int) -> Iterator[Case]:
    draw = random.Random("texts")
    classes = folder / "names.txt"
    classes.write_text("\n".join(CLASS_NAMES), encoding="ascii")
    mot, yolo, kitti = folder / "drive.txt", folder / "yolo", folder / "kitti"
    lines = []
    for target in (yolo, kitti):
        target.mkdir()
    for frame in range(frames):
        of_yolo, of_kitti = [], []
        for track in range(per_frame):
            w, h = draw.uniform(10, 400), draw.uniform(10, 250)
            x, y = draw.uniform(0, WIDTH_PX - w - 1), draw.uniform(0, HEIGHT_PX - h - 1)
            score = draw.random()
            lines.append(f"{frame + 1},{track + 1},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{score:.5f},-1,-1,-1\n")
            fractions = ((x + w / 2) / WIDTH_PX, (y + h / 2) / HEIGHT_PX, w / WIDTH_PX, h / HEIGHT_PX)
            of_yolo.append(f"{track % 2} {' '.join(f'{v:g}' for v in fractions)} {score:g} {track}\n")
            edges = f"{x:.2f} {y:.2f} {x + w:.2f} {y + h:.2f}"
            of_kitti.append(f"Car 0.00 0 -1.57 {edges} 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59 {score:.5f}\n")
        (yolo / f"drive_{frame + 1}.txt").write_text("".join(of_yolo), encoding="ascii")
        (kitti / f"drive__{frame}.txt").write_text("".join(of_kitti), encoding="ascii")
    mot.write_text("".join(lines), encoding="ascii")

    def given(path: Path, *, tracked: bool) -> Predictions:
        return Predictions(path, "bounding_box", tracked, frames * per_frame, video(frames))

    yield Case(
        "MOT, tracks", mot, given(mot, tracked=True), ReadOptions(format="mot", class_=CLASS_NAMES[0]), _mot_labels
    )
    options = ReadOptions(format="yolo", classes=classes, yolo_task="detect", yolo_extra="conf,track")
    yield Case(f"YOLO, tracks, {frames:,} files", yolo, given(yolo, tracked=True), options, _yolo_labels)
    options = ReadOptions(format="kitti")
    yield Case(f"KITTI, {frames:,} files", kitti, given(kitti, tracked=False), options, _kitti_labels)


def _mot_labels(path: Path) -> Iterator[PlainLabel]:
    for frame, track, x, y, w, h, score, *_ in np.loadtxt(path, delimiter=",").tolist():
        yield int(frame) - 1, 0, int(track), score, "boundingBox", _box(x, y, w, h)


def _yolo_labels(folder: Path) -> Iterator[PlainLabel]:
    for path in folder.iterdir():
        frame = int(path.stem.rpartition("_")[2]) - 1
        for line in path.read_text(encoding="ascii").splitlines():
            at, *numbers, track = line.split()
            x, y, w, h, score = map(float, numbers)
            box = {"h": h, "w": w, "x": x - w / 2, "y": y - h / 2}
            # Tracks of two classes are two objects.
            yield frame, int(at), 2 * int(track) + int(at), score, "boundingBox", box


def _kitti_labels(folder: Path) -> Iterator[PlainLabel]:
    number = 0
    for path in folder.iterdir():
        frame = int(path.stem.rpartition("__")[2])
        for line in path.read_text(encoding="ascii").splitlines():
            name, *words = line.split()
            left, top, right, bottom, score = map(float, (*words[3:7], words[14]))
            number += 1
            box = _box(left, top, right - left, bottom - top)
            yield frame, CLASS_NAMES.index(name), number, score, "boundingBox", box


def _box(x: float, y: float, w: float, h: float) -> dict[str, float]:
    return {"h": h / HEIGHT_PX, "w": w / WIDTH_PX, "x": x / WIDTH_PX, "y": y / HEIGHT_PX}


def _pictures(folder: Path, frames: int) -> Iterator[Case]:
    """Write each frame as a palette PNG, as one of 16 bits, and as one of colours that are ids."""
    davis, mots, panoptic = folder / "davis", folder / "mots", folder / "panoptic"
    drawn = dense_masks(frames * OBJECTS, "smooth")
    images, annotations = [], []
    for target in (davis / "drive", mots / "drive", panoptic):
        target.mkdir(parents=True)
    labels = 0
    for frame in range(frames):
        picture = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        for value in range(1, OBJECTS + 1):
            picture[next(drawn).view(np.bool_)] = value
        values = [value for value in range(1, OBJECTS + 1) if (picture == value).any()]
        labels += len(values)
        image = Image.fromarray(picture, "P")
        image.putpalette([channel for value in range(256) for channel in (value, 255 - value, value * 7 % 256)])
        image.save(davis / "drive" / f"{frame:05}.png")
        Image.fromarray(np.where(picture, picture.astype(np.uint16) + 1000, 0).astype(np.uint16)).save(
            mots / "drive" / f"{frame:06}.png"
        )
        # Ids that take more than one channel.
        ids = picture.astype(np.uint32) * 1000
        colours = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=-1).astype(np.uint8)
        Image.fromarray(colours).save(panoptic / f"{frame:06}.png")
        images.append({"id": frame, "file_name": f"{frame:06}.jpg", "width": WIDTH_PX, "height": HEIGHT_PX})
        segments = [{"id": 1000 * value, "category_id": value % 2, "iscrowd": 0} for value in values]
        annotations.append({"image_id": frame, "file_name": f"{frame:06}.png", "segments_info": segments})
    for image in images:
        image |= {"video_id": 1, "frame_index": image["id"]}
    document = {
        "images": images,
        "videos": [{"id": 1, "name": "drive.mp4"}],
        "annotations": annotations,
        "categories": [{"id": at, "name": name} for at, name in enumerate(CLASS_NAMES)],
    }
    listed = folder / "panoptic.json"
    listed.write_text(json.dumps(document), encoding="ascii")

    def given(path: Path, *, tracked: bool = True) -> Predictions:
        return Predictions(path, "bitmask", tracked, labels, video(frames))

    def of_video(path: Path) -> Iterator[PlainLabel]:
        return _indexed(path / "drive")

    options = ReadOptions(format="davis", class_=CLASS_NAMES[0])
    yield Case("palette PNGs (DAVIS)", davis, given(davis), options, of_video)
    class_map = {"1": feature_hash(CLASS_NAMES[0])}
    yield Case("PNGs of 16 bits (MOTS)", mots, given(mots), ReadOptions(format="mots"), of_video, class_map)
    options = ReadOptions(format="panoptic")
    yield Case("panoptic PNGs", listed, given(listed, tracked=False), options, _panoptic)


def _indexed(folder: Path) -> Iterator[PlainLabel]:
    for path in folder.iterdir():
        picture = np.asarray(Image.open(path))
        for value in np.flatnonzero(np.bincount(picture.ravel()))[1:].tolist():
            yield int(path.stem), 0, value, 1.0, "bitmask", _encoded(picture == value)


def _panoptic(listed: Path) -> Iterator[PlainLabel]:
    number = 0
    for annotation in orjson.loads(listed.read_bytes())["annotations"]:
        colours = np.asarray(Image.open(listed.with_suffix("") / annotation["file_name"])).astype(np.uint32)
        ids = colours[..., 0] + 256 * colours[..., 1] + 65536 * colours[..., 2]
        for segment in annotation["segments_info"]:
            number += 1
            mask = _encoded(ids == segment["id"])
            yield annotation["image_id"], segment["category_id"], number, 1.0, "bitmask", mask


def _encoded(mask: npt.NDArray[np.bool_]) -> dict[str, Any]:
    rle = coco_mask.encode(mask.view(np.uint8).T)
    return plain_bitmask(str(rle["counts"], "ascii"), WIDTH_PX, HEIGHT_PX)


def _json_masks(folder: Path, frames: int) -> Iterator[Case]:
    """Write masks as YouTube-VIS has them, and as SA-V."""
    drawn = dense_masks(frames * OBJECTS)
    masks = [[_segmentation(next(drawn)) for _ in range(OBJECTS)] for _ in range(frames)]
    sav, youtube_vis, listed = folder / "drive.json", folder / "results.json", folder / "listed.json"
    document = {
        "video_id": "drive",
        "video_frame_count": float(STRIDE * frames),
        "video_height": float(HEIGHT_PX),
        "video_width": float(WIDTH_PX),
        "masklet": masks,
        "masklet_id": list(range(OBJECTS)),
        "masklet_num": OBJECTS,
    }
    sav.write_text(json.dumps(document), encoding="ascii")
    results = [
        {
            "video_id": 1,
            "category_id": at % 2,
            "score": round(0.9 - at / 10, 5),
            "segmentations": [on_frame[at] for on_frame in masks],
        }
        for at in range(OBJECTS)
    ]
    youtube_vis.write_text(json.dumps(results), encoding="ascii")
    names = [f"drive/{frame:05}.jpg" for frame in range(frames)]
    video_entry = {"id": 1, "file_names": names, "width": WIDTH_PX, "height": HEIGHT_PX, "length": frames}
    categories = [{"id": at, "name": name} for at, name in enumerate(CLASS_NAMES)]
    listed.write_text(json.dumps({"videos": [video_entry], "categories": categories}), encoding="ascii")
    labels = frames * OBJECTS

    def given(path: Path) -> Predictions:
        return Predictions(path, "bitmask", True, labels, video(STRIDE * frames))

    options = ReadOptions(format="youtube-vis", annotations=listed)
    yield Case("YouTube-VIS", youtube_vis, given(youtube_vis), options, _youtube_vis)
    yield Case("SA-V", sav, given(sav), ReadOptions(format="sav", class_=CLASS_NAMES[0]), _sav)


def _segmentation(mask: Picture) -> dict[str, Any]:
    rle = coco_mask.encode(np.asfortranarray(mask))
    return {"size": [HEIGHT_PX, WIDTH_PX], "counts": str(rle["counts"], "ascii")}


def _youtube_vis(path: Path) -> Iterator[PlainLabel]:
    for number, result in enumerate(orjson.loads(path.read_bytes())):
        at, score = result["category_id"], result["score"]
        for entry, segmentation in enumerate(result["segmentations"]):
            mask = plain_bitmask(transposed(segmentation), WIDTH_PX, HEIGHT_PX)
            yield entry, at, number, score, "bitmask", mask


def _sav(path: Path) -> Iterator[PlainLabel]:
    document = orjson.loads(path.read_bytes())
    for entry, on_frame in enumerate(document["masklet"]):
        for number, segmentation in zip(document["masklet_id"], on_frame, strict=True):
            mask = plain_bitmask(transposed(segmentation), WIDTH_PX, HEIGHT_PX)
            yield STRIDE * entry, 0, number, 1.0, "bitmask", mask


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ropewalk-bench-") as temporary:
        sys.stdout.write(
            write([table(1, 5, Path(temporary)), threads(1, 5, Path(temporary))], "python benches/formats.py")
        )
