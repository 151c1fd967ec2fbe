"""Sources of as many records as are asked for, in every format: what a record is, the function of its format says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars
from PIL import Image

from active_classes import dump, make_classes
from ropewalk import rle

HEIGHT, WIDTH = 61, 97
CLASSES = ("background", "car", "tree")
FRAMES = 100
OBJECTS = 5

Write = Callable[[Path, int], tuple[Path, list[str]]]
Json = dict[str, Any]


@dataclass(frozen=True)
class LongSource:
    """A format, and how a source of it is written: gives its path and the options of reading it.

    `is_folder` says that a record is a file of a folder; else the records of 100 MB are counted by their bytes.
    """

    write: Write
    is_folder: bool = False


def labels() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Draw two objects, neither square nor symmetric: 0 is background."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[4:40, 5:9] = picture[4:9, 5:30] = 1
    picture[30:55, 50:90] = 2
    return picture


COUNTS = rle.encode(labels() == 1)


def box(n: int) -> tuple[float, float, float, float]:
    """Give x, y, w, h of a box inside the picture, in px."""
    return n % 37 + 0.25, n % 23 + 0.5, n % 41 + 10.125, n % 19 + 9.75


def frame_of(n: int) -> int:
    return n // OBJECTS


def text(name: str, pieces: Callable[[int], Iterator[str]], *options: str) -> LongSource:
    def write(folder: Path, records: int) -> tuple[Path, list[str]]:
        path = folder / name
        with path.open("w", encoding="ascii") as file:
            file.writelines(pieces(records))
        return path, list(options)

    return LongSource(write)


def listed(records: int, start: str, record: Callable[[int], str], end: str) -> Iterator[str]:
    yield start
    yield from (f"{',' if n else ''}\n{record(n)}" for n in range(records))
    yield end


def coco(records: int) -> Iterator[str]:
    """A box on one of many images."""
    sizes = f'"width": {WIDTH}, "height": {HEIGHT}'

    def image(n: int) -> str:
        return f'{{"id": {n}, "file_name": "{n:08}.jpg", {sizes}}}'

    def annotation(n: int) -> str:
        return f'{{"id": {n}, "image_id": {n // 10}, "category_id": 1, "bbox": {list(box(n))}, "score": 0.5}}'

    yield from listed(records // 10 + 1, '{"images": [', image, "]")
    categories = ', "categories": [{"id": 1, "name": "car"}], "annotations": ['
    yield from listed(records, categories, annotation, "]}")


def encord(records: int) -> Iterator[str]:
    """A label row of an image with 50 boxes."""
    objects = [
        {
            **{"objectHash": f"{n:08}", "featureHash": "obj-car1", "name": "Car", "value": "car", "confidence": 0.5},
            **{"shape": "bounding_box", "boundingBox": dict(zip("xywh", (0.25, 0.5, 0.125, n / 100), strict=True))},
        }
        for n in range(50)
    ]
    answers = {one["objectHash"]: {"objectHash": one["objectHash"], "classifications": []} for one in objects}
    for n in range(records):
        unit = {
            **{"data_hash": f"unit-{n}", "data_title": f"{n:08}.jpg", "data_type": "image/jpeg", "data_sequence": 0},
            **{"width": WIDTH, "height": HEIGHT, "labels": {"objects": objects, "classifications": []}},
        }
        row = {
            **{"label_hash": f"row-{n}", "data_hash": f"unit-{n}", "data_title": f"{n:08}.jpg", "data_type": "image"},
            **{"data_units": {f"unit-{n}": unit}, "object_answers": answers, "classification_answers": {}},
        }
        yield json.dumps(row) + "\n"


def ndjson(records: int) -> Iterator[str]:
    """A box on a frame."""
    for n in range(records):
        drawn = f'"shape": "bounding_box", "unit": "px", "box": {list(box(n))}'
        yield f'{{"media": "v.mp4", "frame": {frame_of(n)}, "class": "car", "track": "{n % 5}", {drawn}}}\n'


def table(name: str, write: Callable[[polars.DataFrame, Path], object]) -> LongSource:
    """A box on a frame; numbers that do not repeat, which cannot be packed."""

    def made(folder: Path, records: int) -> tuple[Path, list[str]]:
        random = np.random.default_rng(1)
        parts = [
            polars.DataFrame(
                {
                    "media": ["v.mp4"] * (end - start),
                    "frame": np.arange(start, end, dtype=np.uint32) // OBJECTS,
                    "class": ["car"] * (end - start),
                    "unit": ["frac"] * (end - start),
                    "box": random.random((end - start, 4)) / 2 + 0.1,
                }
            )
            for start in range(0, records, 1 << 16)
            for end in [min(records, start + (1 << 16))]
        ]
        write(polars.concat(parts, rechunk=False), folder / name)
        return folder / name, []

    return LongSource(made)


def kitti_line(n: int) -> str:
    x, y, w, h = box(n)
    return f"Car 0.00 0 -1.57 {x} {y} {x + w} {y + h} 1.65 1.67 3.64 -0.65 1.71 46.7 -1.59 0.93\n"


def kitti_tracking(records: int) -> Iterator[str]:
    """A box on a frame."""
    return (f"{frame_of(n)} {n % 5} {kitti_line(n)}" for n in range(records))


def mot(records: int) -> Iterator[str]:
    """A box on a frame."""
    return (f"{frame_of(n) + 1},{n % 5},{','.join(map(str, box(n)))},0.87,-1,-1,-1\n" for n in range(records))


def mots(records: int) -> Iterator[str]:
    """A mask on a frame."""
    return (f"{frame_of(n)} {1000 + n % 5} 1 {HEIGHT} {WIDTH} {COUNTS}\n" for n in range(records))


def openimages(records: int) -> Iterator[str]:
    """A box on an image."""
    yield "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
    yield from (f"{n:016x},/m/0k4j,0.5,0.125,0.{n % 1000 + 2000},0.25,0.75\n" for n in range(records))


def supervision(records: int) -> Iterator[str]:
    """A box on a frame."""
    yield "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,class_name,frame_index\n"
    for n in range(records):
        x, y, w, h = box(n)
        yield f"{x},{y},{x + w},{y + h},1,0.5,{n % 5},car,{frame_of(n)}\n"


def tao(folder: Path, records: int) -> tuple[Path, list[str]]:
    """A box of a track, on one of many images that the file beside it lists."""
    path, beside = folder / "results.json", folder / "frames.json"

    def entry(n: int) -> str:
        ids = f'"image_id": {frame_of(n)}, "track_id": {n % 5}, "video_id": 1'
        return f'{{{ids}, "category_id": 1, "bbox": {list(box(n))}, "score": 0.5}}'

    def image(n: int) -> str:
        sizes = f'"width": {WIDTH}, "height": {HEIGHT}'
        return f'{{"id": {n}, "video_id": 1, "frame_index": {n}, "file_name": "val/drive/{n:06}.jpg", {sizes}}}'

    with path.open("w", encoding="ascii") as file:
        file.writelines(listed(records, "[", entry, "]"))
    start = '{"videos": [{"id": 1, "name": "val/drive"}], "categories": [{"id": 1, "name": "car"}], "images": ['
    with beside.open("w", encoding="ascii") as file:
        file.writelines(listed(frame_of(records) + 1, start, image, "]}"))
    return path, ["--annotations", str(beside)]


def burst(records: int) -> Iterator[str]:
    """A sequence of 100 frames with five tracks."""
    masks = {str(track): {"rle": COUNTS, "score": 0.5} for track in range(OBJECTS)}
    of = {
        **{"width": WIDTH, "height": HEIGHT},
        "annotated_image_paths": [f"frame{n:04}.jpg" for n in range(FRAMES)],
        "segmentations": [masks] * FRAMES,
        "track_category_ids": {str(track): 1 for track in range(OBJECTS)},
    }
    return listed(records, '{"sequences": [', lambda n: json.dumps({"seq_name": f"v{n}", **of}), "]}")


def sav(records: int) -> Iterator[str]:
    """A frame with the masks of five objects."""
    masks = json.dumps([{"size": [HEIGHT, WIDTH], "counts": COUNTS}] * OBJECTS)
    sizes = f'"video_frame_count": {4 * records}, "video_height": {HEIGHT}.0, "video_width": {WIDTH}.0'
    start = (
        f'{{"video_id": "sav", {sizes}, "masklet_id": {list(range(OBJECTS))}, "masklet_num": {OBJECTS}, "masklet": ['
    )
    return listed(records, start, lambda _: masks, "]}")


def scalabel(records: int) -> Iterator[str]:
    """A frame with five boxes."""

    def frame(n: int) -> str:
        boxes = [
            {"id": str(at), "category": "car", "score": 0.5, "box2d": {"x1": 4.5, "y1": 6, "x2": 24, "y2": 15 + at}}
            for at in range(OBJECTS)
        ]
        return json.dumps({"name": f"v-{n:07}.jpg", "videoName": "v", "frameIndex": n, "labels": boxes})

    return listed(records, "[", frame, "]")


def youtube_vis(folder: Path, records: int) -> tuple[Path, list[str]]:
    """A track with a mask on each of 100 frames."""
    path, beside = folder / "results.json", folder / "videos.json"
    masks = json.dumps([{"size": [HEIGHT, WIDTH], "counts": COUNTS}] * FRAMES)

    def entry(n: int) -> str:
        return f'{{"video_id": {frame_of(n)}, "category_id": 1, "score": 0.5, "segmentations": {masks}}}'

    with path.open("w", encoding="ascii") as file:
        file.writelines(listed(records, "[", entry, "]"))
    videos = [
        {
            **{"id": n, "width": WIDTH, "height": HEIGHT, "length": FRAMES},
            "file_names": [f"v{n}/{at:05}.jpg" for at in range(FRAMES)],
        }
        for n in range(frame_of(records) + 1)
    ]
    beside.write_text(json.dumps({"videos": videos, "categories": [{"id": 1, "name": "car"}]}))
    return path, ["--annotations", str(beside)]


def labelstudio(records: int) -> Iterator[str]:
    """A task with five boxes."""

    def region(at: int) -> Json:
        value = {"x": 10, "y": 20, "width": 30 + at, "height": 5, "rotation": 0, "rectanglelabels": ["car"]}
        sizes = {"original_width": WIDTH, "original_height": HEIGHT}
        return {
            "id": f"r{at}",
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            **sizes,
            "value": value,
        }

    predictions = [{"model_version": "m", "score": 0.5, "result": [region(at) for at in range(OBJECTS)]}]
    task = json.dumps(predictions)
    return listed(records, "[", lambda n: f'{{"data": {{"image": "s3://b/{n}.jpg"}}, "predictions": {task}}}', "]")


def cvat(records: int) -> Iterator[str]:
    """An image with five boxes, or a track with 100."""
    corners = 'xtl="1.50" ytl="2.25" xbr="10.75" ybr="30.00"'
    boxes = f'<box label="car" {corners}/>' * OBJECTS
    track = "".join(f'<box frame="{n}" keyframe="1" outside="0" {corners}/>' for n in range(FRAMES))
    yield "<annotations><version>1.1</version><meta><task><id>3</id><source>v.mp4</source></task></meta>\n"
    for n in range(records):
        if n % 2:
            yield f'<track id="{n}" label="car">{track}</track>\n'
        else:
            yield f'<image id="{n}" name="{n}.jpg" width="{WIDTH}" height="{HEIGHT}">{boxes}</image>\n'
    yield "</annotations>"


def labelbox(records: int) -> Iterator[str]:
    """A box on an image."""
    for n in range(records):
        drawn = json.dumps(dict(zip(("left", "top", "width", "height"), box(n), strict=True)))
        row = f'"dataRow": {{"globalKey": "{n // 5}.jpg"}}, "confidence": 0.5'
        yield f'{{"uuid": "u{n}", "name": "car", {row}, "bbox": {drawn}}}\n'


def active_pkl(folder: Path, records: int) -> tuple[Path, list[str]]:
    """A box on a frame."""
    classes, path = make_classes(), folder / "predictions.pkl"
    predictions = []
    for n in range(records):
        drawn = classes.BoundingBox(x=0.125, y=0.25, h=0.5, w=n / records / 2, theta=0.0)
        detection = classes.ObjectDetection(
            format=classes.Format.BOUNDING_BOX, data=drawn, feature_hash="obj-car1", track_id=n % 5
        )
        predictions.append(classes.Prediction(data_hash="v", frame=frame_of(n), confidence=0.5, object=detection))
    path.write_bytes(dump(classes, predictions, 4))
    return path, []


def folder_of(file: Callable[[int], tuple[str, bytes]], *options: str) -> LongSource:
    def write(folder: Path, records: int) -> tuple[Path, list[str]]:
        for n in range(records):
            name, content = file(n)
            path = folder / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / "source", list(options)

    return LongSource(write, is_folder=True)


def png(picture: Image.Image) -> bytes:
    held = BytesIO()
    picture.save(held, "PNG")
    return held.getvalue()


def palette_picture() -> bytes:
    picture = Image.fromarray(labels())
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    return png(picture)


def rgba_picture() -> bytes:
    drawn = labels()
    nothing = np.zeros_like(drawn)
    return png(Image.fromarray(np.stack([drawn, nothing, nothing, drawn], axis=2)))


PALETTE, GREY, RGBA = palette_picture(), png(Image.fromarray(labels())), rgba_picture()


def panoptic(folder: Path, records: int) -> tuple[Path, list[str]]:
    """A picture with two segments."""
    drawn = labels()
    content = png(Image.fromarray(np.stack([drawn, np.zeros_like(drawn), np.zeros_like(drawn)], axis=2)))
    (folder / "pan").mkdir()
    for n in range(records):
        (folder / "pan" / f"{n:07}.png").write_bytes(content)
    segments = json.dumps([{"id": number, "category_id": number} for number in (1, 2)])

    def image(n: int) -> str:
        return f'{{"id": {n}, "file_name": "{n:07}.jpg", "width": {WIDTH}, "height": {HEIGHT}}}'

    def annotation(n: int) -> str:
        return f'{{"image_id": {n}, "file_name": "{n:07}.png", "segments_info": {segments}}}'

    categories = ', "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "tree"}], "annotations": ['
    path = folder / "pan.json"
    with path.open("w", encoding="ascii") as file:
        file.writelines(listed(records, '{"images": [', image, "]"))
        file.writelines(listed(records, categories, annotation, "]}"))
    return path, []


def kitti_file(n: int) -> tuple[str, bytes]:
    return f"{n:07}.txt", kitti_line(n).encode() * OBJECTS


def yolo_file(n: int) -> tuple[str, bytes]:
    return f"labels/v_{n + 1}.txt", b"1 0.512 0.433 0.1 0.22 0.87\n" * OBJECTS


def mmdet_file(n: int) -> tuple[str, bytes]:
    boxes = [[1, 2, 20 + at, 30] for at in range(OBJECTS)]
    of = {"labels": [1] * OBJECTS, "scores": [0.5] * OBJECTS, "bboxes": boxes}
    return f"preds/{n:07}.json", json.dumps(of).encode()


def mmpose_file(n: int) -> tuple[str, bytes]:
    points = {"keypoints": [[10.5, 20], [12, 22.25], [25, 34.5]], "keypoint_scores": [0.875, 0.5, 0.0]}
    instance = {**points, "bbox": [[8, 16, 26, 40.5]], "bbox_score": 0.75}
    return f"predictions/{n:07}.json", json.dumps([instance] * OBJECTS).encode()


def labelme_file(n: int) -> tuple[str, bytes]:
    corners = [[4.5, 6.0], [24.25, 15.0]]
    shape = {"label": "car", "points": corners, "shape_type": "rectangle", "group_id": None, "flags": {}}
    sizes = {"imagePath": f"{n:07}.jpg", "imageData": None, "imageHeight": HEIGHT, "imageWidth": WIDTH}
    return f"{n:07}.json", json.dumps({"version": "6.3.1", "shapes": [shape] * OBJECTS, **sizes}).encode()


LONG_SOURCES: dict[str, LongSource] = {
    "coco": text("boxes.json", coco),
    "encord": text("rows.ndjson", encord),
    "ndjson": text("rows.ndjson", ndjson),
    "parquet": table("rows.parquet", lambda frame, path: frame.write_parquet(path, row_group_size=1 << 16)),
    "arrow": table("rows.arrow", lambda frame, path: frame.write_ipc(path)),
    "kitti": folder_of(kitti_file),
    "kitti-tracking": text("v.txt", kitti_tracking),
    "mot": text("v.txt", mot, "--class", "car"),
    "mots": text("v.txt", mots),
    "masks": folder_of(lambda n: (f"v__{n}.png", GREY), "--classes", "classes.txt"),
    "davis": folder_of(lambda n: (f"v/{n:05}.png", PALETTE), "--class", "car"),
    "bdd-bitmask": folder_of(lambda n: (f"v/v-{n:07}.png", RGBA)),
    "panoptic": LongSource(panoptic, is_folder=True),
    "openimages": text("boxes.csv", openimages),
    "supervision": text("v.csv", supervision),
    "yolo": folder_of(yolo_file, "--classes", "classes.txt", "--yolo-extra", "conf"),
    "tao": LongSource(tao),
    "burst": text("results.json", burst),
    "sav": text("sav.json", sav, "--class", "car"),
    "scalabel": text("frames.json", scalabel),
    "youtube-vis": LongSource(youtube_vis),
    "labelstudio": text("tasks.json", labelstudio),
    "cvat": text("annotations.xml", cvat),
    "labelbox": text("predictions.ndjson", labelbox),
    "active-pkl": LongSource(active_pkl),
    "mmdet": folder_of(mmdet_file, "--classes", "classes.txt"),
    "mmpose": folder_of(mmpose_file, "--class", "car"),
    "labelme": folder_of(labelme_file),
}


def write_long_source(name: str, folder: Path, records: int) -> tuple[Path, list[str]]:
    """Write a source into a new folder.

    Returns:
        Its path, and the options of the command line that it is read with.
    """
    folder.mkdir()
    classes = folder / "classes.txt"
    classes.write_text("".join(f"{name}\n" for name in CLASSES))
    path, options = LONG_SOURCES[name].write(folder, records)
    return path, [str(classes) if option == classes.name else option for option in options]
