"""Write the examples that are pictures of masks. Run it as `python tests/formats/make_pictures.py`."""

from __future__ import annotations

import io
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask

FOLDER = Path(__file__).resolve().parent

# Sizes (width, height) of the media in the tests' project.
DRIVE, STILL, WALK = (64, 36), (30, 50), ((40, 24), (24, 40), (33, 21))

Pixels = NDArray[np.integer]
Json = dict[str, Any]


def areas(size_wh: tuple[int, int], *boxes: tuple[int, int, int, int, int]) -> Pixels:
    """Draw boxes (value, left, top, width, height), each without one of its corners, on a background of 0."""
    width, height = size_wh
    pixels = np.zeros((height, width), dtype=np.uint32)
    for value, left, top, w, h in boxes:
        pixels[top : top + h, left : left + w] = value
        pixels[top : top + 2, left : left + 3] = 0
    return pixels


def palette(pixels: Pixels) -> bytes:
    """Encode values as indices of a palette, in as few bits as there are colours."""
    image = Image.fromarray(pixels.astype(np.uint8), mode="P")
    image.putpalette([channel for index in range(int(pixels.max()) + 1) for channel in (37 * index % 256, index, 200)])
    return encoded(image)


def grey(pixels: Pixels) -> bytes:
    """Encode values as grey of 8 bits."""
    return encoded(Image.fromarray(pixels.astype(np.uint8), mode="L"))


def grey_16(pixels: Pixels) -> bytes:
    """Encode values as grey of 16 bits."""
    return encoded(Image.fromarray(pixels.astype(np.uint16)))


def colours(pixels: Pixels, channels: int) -> bytes:
    """Encode values as red, green, blue (and alpha), the lowest byte first."""
    bands = [(pixels >> 8 * band & 255).astype(np.uint8) for band in range(channels)]
    return encoded(Image.fromarray(np.stack(bands, axis=-1)))


def encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def mots_lines(sequence: str) -> list[str]:
    """Write a line for each mask of the MOTS pictures of a sequence."""
    lines = []
    for path in sorted((FOLDER / "mots" / "named" / "png" / sequence).glob("*.png")):
        pixels = np.asarray(Image.open(path))
        for value in np.unique(pixels[pixels > 0]):
            rle = mask.encode(np.asfortranarray(pixels == value, dtype=np.uint8))
            h, w = rle["size"]
            lines.append(f"{int(path.stem)} {value} {value // 1000} {h} {w} {rle['counts'].decode()}\n")
    return lines


def with_header(png: bytes, at: int, value: bytes) -> bytes:
    """Change the header of a PNG, whose bytes begin at byte 16, and its checksum."""
    header = bytearray(png[12:29])
    header[at - 12 : at - 12 + len(value)] = value
    return png[:12] + bytes(header) + zlib.crc32(header).to_bytes(4, "big") + png[33:]


def interlaced(png: bytes) -> bytes:
    return with_header(png, 28, b"\1")


def write(path: str, content: bytes) -> None:
    file = FOLDER / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def davis() -> None:
    two = areas(DRIVE, (1, 4, 6, 20, 10), (2, 30, 2, 9, 31), (255, 0, 33, 64, 3))
    write("davis/named/results/drive/00000.png", palette(two))
    write("davis/named/results/drive/00003.png", grey(areas(DRIVE, (2, 31, 3, 9, 31), (254, 0, 0, 5, 4))))
    write("davis/named/results/drive/00005.png", grey(areas(DRIVE)))
    write("davis/named/results/walk/00001.png", palette(areas(WALK[1], (1, 3, 5, 11, 30))))
    # SAM 2's objects may overlap.
    write("davis/named/sam2/drive/000/00002.png", grey(areas(DRIVE, (255, 4, 6, 20, 10))))
    write("davis/named/sam2/drive/012/00002.png", palette(areas(DRIVE, (1, 10, 8, 40, 20))))
    one = palette(areas(DRIVE, (1, 4, 6, 20, 10)))
    wrong = "davis/malformed"
    write(f"{wrong}/bad_picture/cut/drive/00001.png", one[:-40])
    write(f"{wrong}/bad_picture/huge/drive/00001.png", with_header(one, 16, b"\0\1\0\0" * 2))
    write(f"{wrong}/bad_picture/interlaced/drive/00001.png", interlaced(one))
    write(f"{wrong}/bad_picture/text/drive/00001.png", b"not a picture")
    write(f"{wrong}/mask_size/results/drive/00001.png", palette(areas((36, 64), (1, 4, 6, 20, 10))))
    write(f"{wrong}/blocker-palette/results/drive/00001.png", encoded(Image.new("RGB", DRIVE, (200, 3, 0))))


def masks() -> None:
    mapped = "masks/named/mapped"
    write(f"{mapped}/ontology_mapping.json", b'{"obj-tree": 3, "obj-road": 700}\n')
    write(f"{mapped}/drive.mp4__11.png", grey_16(areas(DRIVE, (3, 4, 6, 20, 10), (700, 30, 2, 9, 31))))
    write(f"{mapped}/drive.mp4__3.png", grey_16(areas(DRIVE, (700, 31, 3, 9, 31))))
    # Two areas of one class are one mask.
    by_name = areas(STILL, (1, 2, 3, 8, 40), (1, 14, 20, 9, 7), (2, 15, 30, 12, 19))
    write("masks/named/by-name/still.png", palette(by_name))
    write("masks/named/by-name/sub/walk-1.png", grey(areas(WALK[1], (1, 3, 5, 11, 30))))
    wrong = "masks/malformed"
    write(f"{wrong}/bad_picture/labels/still.png", palette(by_name)[:-30])
    write(f"{wrong}/mask_size/labels/still.png", palette(areas(STILL[::-1], (1, 2, 3, 8, 20))))
    write(f"{wrong}/unknown_class/labels/still.png", palette(areas(STILL, (1, 2, 3, 8, 40), (9, 14, 20, 9, 7))))
    write(f"{wrong}/blocker-panoptic/labels/still.png", colours(by_name, 3))
    write(f"{wrong}/blocker-becomes/labels/still.png", palette(by_name))
    write(f"{wrong}/blocker-becomes/labels/ontology_mapping.json", b'{"obj-tree": 1, "obj-road": 1}\n')


def mots() -> None:
    two = areas(DRIVE, (1001, 4, 6, 20, 10), (2003, 30, 2, 9, 31), (10000, 0, 33, 64, 3))
    write("mots/named/png/drive/000000.png", grey_16(two))
    write("mots/named/png/drive/000004.png", grey_16(areas(DRIVE, (2003, 31, 3, 9, 31))))
    write("mots/named/png/walk/000001.png", grey_16(areas(WALK[1], (1001, 3, 5, 11, 30))))
    wrong = "mots/malformed"
    write(f"{wrong}/bad_picture/png/drive/000001.png", grey_16(two)[:-30])
    write(f"{wrong}/blocker-grey/png/drive/000001.png", colours(two, 3))
    write(f"{wrong}/blocker-kind/both/drive/000001.png", grey_16(two))
    write(f"{wrong}/blocker-kind/both/drive.txt", b"0 1001 1 36 64 PX2\n")
    lines = [line for name in ("drive", "walk") for line in mots_lines(name)]
    write("mots/good/drive.txt", "".join(lines[:4]).encode())
    write("mots/good/walk/walk.txt", "\ufeff\r\n".join(["", *lines[4:]]).encode().lstrip(b"\r\n"))
    first = lines[0]
    write(f"{wrong}/bad_line/drive.txt", (first + "1 1001 1 36 64\n").encode())
    write(f"{wrong}/bad_field/drive.txt", (first + first.replace("0 ", "-1 ", 1)).encode())
    write(f"{wrong}/rle_sum/drive.txt", (first + "1 1001 1 36 64 PX1\n").encode())
    write(f"{wrong}/mask_size/drive.txt", (first + first.replace("0 1001 1 36 64", "1 1001 1 64 36", 1)).encode())


def bdd_bitmask() -> None:
    def value(klass: int, attributes: int, instance: int) -> int:
        return klass | attributes << 8 | (instance >> 8) << 16 | (instance & 255) << 24

    car, tree, crowd, ignored = value(1, 0, 7), value(2, 12, 700), value(2, 2, 3), value(1, 1, 4)
    boxes = [(car, 4, 6, 20, 10), (tree, 30, 2, 9, 31), (crowd, 50, 2, 8, 5), (ignored, 50, 12, 8, 5)]
    named = "bdd-bitmask/named/bitmasks"
    write(f"{named}/drive/drive-0000001.png", colours(areas(DRIVE, *boxes), 4))
    write(f"{named}/drive/drive-0000004.png", colours(areas(DRIVE, (tree, 31, 3, 9, 31)), 4))
    # An image: its instances are no tracks.
    write(f"{named}/still.png", colours(areas(STILL, (car, 2, 3, 8, 40), (tree, 14, 20, 9, 7)), 4))
    wrong = "bdd-bitmask/malformed"
    two = areas(DRIVE, (car, 4, 6, 20, 10), (value(2, 0, 7), 30, 2, 9, 31))
    write(f"{wrong}/bad_field/bitmasks/drive/drive-0000001.png", colours(two, 4))
    write(f"{wrong}/bad_picture/bitmasks/drive/drive-0000001.png", colours(two, 4)[:-30])
    write(f"{wrong}/blocker-alpha/bitmasks/drive/drive-0000001.png", colours(two, 3))
    write(f"{wrong}/unmapped_class/bitmasks/still.png", colours(areas(STILL, (value(5, 0, 7), 2, 3, 8, 40)), 4))


CATEGORIES = [{"id": 3, "name": "Tree", "isthing": 1}, {"id": 700, "name": "Road", "isthing": 0}]


def panoptic() -> None:
    images = [{"id": 1, "file_name": "still.jpg", "width": 30, "height": 50}, {"id": 5, "file_name": "walk-1.png"}]
    boxes = [(70000, 2, 3, 8, 40), (300, 14, 20, 9, 7), (9, 15, 30, 12, 19)]
    still = colours(areas(STILL, *boxes), 3)
    segments: list[Json] = [
        {"id": 9, "category_id": 700, "area": 1, "bbox": [15, 30, 12, 19], "iscrowd": 0},
        {"id": 300, "category_id": 3, "iscrowd": 1},
        {"id": 70000, "category_id": 3, "iscrowd": False, "score": 0.75},
    ]
    entry: Json = {"image_id": 1, "file_name": "still.png", "segments_info": segments}

    def source(path: str, annotations: list[Json], pngs: dict[str, bytes], **lists: list[Json]) -> None:
        text = json.dumps({**lists, "annotations": annotations, "categories": CATEGORIES}) + "\n"
        write(f"panoptic/{path}/pan.json", text.encode())
        for name, content in pngs.items():
            write(f"panoptic/{path}/pan/{name}", content)

    walk: Json = {"image_id": 5, "file_name": "000005.png", "segments_info": [{"id": 1, "category_id": 3}]}
    walk_png = colours(areas(WALK[1], (1, 3, 5, 11, 30)), 3)
    source("good/images", [entry, walk], {"still.png": still, "000005.png": walk_png}, images=images)
    # VIPSeg: an id is a track of its video.
    frames = [
        {"file_name": f"{frame:08}.png", "segments_info": [{"id": 257, "category_id": 3, "iscrowd": 0}]}
        for frame in (2, 7)
    ]
    drive = {f"drive/{frame:08}.png": colours(areas(DRIVE, (257, 4 + frame, 6, 20, 10)), 3) for frame in (2, 7)}
    source("good/vipseg", [{"video_id": "drive", "annotations": frames}], drive)

    wrong = {
        "bad_field/unlisted": (entry | {"segments_info": segments[1:]}, still),
        "bad_field/outside": (entry | {"file_name": "../still.png"}, still),
        "bad_field/segment": (entry | {"segments_info": [{"id": -1, "category_id": 3}]}, still),
        "bad_picture/cut": (entry, still[:-30]),
        "empty_geometry/few": (entry | {"segments_info": [*segments, {"id": 8, "category_id": 3}]}, still),
        "missing_field/bare": (entry | {"segments_info": None}, still),
        "repeated_id/twice": (entry | {"segments_info": [*segments, segments[0]]}, still),
        "unknown_category/other": (entry | {"segments_info": [segments[0] | {"category_id": 8}, *segments[1:]]}, still),
        "mask_size/turned": (
            entry | {"segments_info": [{"id": 1, "category_id": 3}]},
            colours(areas(STILL[::-1], (1, 2, 3, 8, 20)), 3),
        ),
        "blocker-RGB/palette": (entry, palette(areas(STILL, (1, 2, 3, 8, 40)))),
    }
    for path, (annotation, png) in wrong.items():
        source(f"malformed/{path}", [annotation], {"still.png": png}, images=images)
    source("malformed/bad_picture/missing", [entry], {"other.png": still}, images=images)
    source("malformed/blocker-png-dir/alone", [entry], {}, images=images)


def openimages() -> None:
    """Masks beside a CSV; the examples of boxes are written by hand."""

    def source(path: str, records: list[str], pngs: dict[str, bytes]) -> None:
        shutil.rmtree(FOLDER / "openimages" / path, ignore_errors=True)
        header = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks,Confidence"
        write(f"openimages/{path}/masks.csv", "".join(f"{line}\n" for line in (header, *records)).encode())
        for name, content in pngs.items():
            write(f"openimages/{path}/{name}", content)

    def record(png: str, image: str, label: str, score: str = "") -> str:
        return f"{png},{image},{label},9a55e2ed,0.1,0.3,0.06,0.86,0.9,,{score}"

    still, walk = areas(STILL, (1, 2, 3, 8, 40)), areas(WALK[1], (255, 3, 5, 11, 30))
    one_bit = encoded(Image.fromarray(still.astype(bool)))
    records = [
        record("still_m0tree_9a55e2ed.png", "still", "Tree"),
        record("w/walk-1.png", "walk-1", "Road", "0.75"),
        record("w/palette.png", "walk-1", "Tree", "0.5"),
    ]
    pngs = {
        "still_m0tree_9a55e2ed.png": one_bit,
        "w/walk-1.png": grey(walk),
        "w/palette.png": palette(areas(WALK[1], (1, 10, 2, 6, 9))),
    }
    source("good/masks", records, pngs)
    one = {"still.png": one_bit}
    wrong = {
        "bad_field/outside": (record("../still.png", "still", "Tree"), one),
        "bad_picture/missing": (record("other.png", "still", "Tree"), one),
        "bad_picture/cut": (record("still.png", "still", "Tree"), {"still.png": one_bit[:60]}),
        "missing_field/label": (record("still.png", "still", ""), one),
        "score_range/mask": (record("still.png", "still", "Tree", "2"), one),
        "mask_size/turned": (record("still.png", "still", "Tree"), {"still.png": grey(still.T)}),
        "blocker-RGB/colours": (record("still.png", "still", "Tree"), {"still.png": colours(still, 3)}),
    }
    for path, (line, found) in wrong.items():
        source(f"malformed/{path}", [line], found)


def main() -> None:
    for make in (davis, masks, mots, bdd_bitmask, panoptic):
        for part in ("good", "named", "malformed"):
            shutil.rmtree(FOLDER / make.__name__.replace("_", "-") / part, ignore_errors=True)
        make()
    openimages()


if __name__ == "__main__":
    main()
