"""Formats of pictures, read by the core and by Pillow and numpy by each format's own rule."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask

from ropewalk import _core
from ropewalk.errors import UsageError

Pixels = NDArray[Any]
Rows = dict[tuple[str, int, str, str | None], Pixels]

SIZES_HW = ((37, 23), (19, 64), (5, 131))


def draw(seed: int, values: list[int]) -> Pixels:
    """Draw overlapping boxes of the values, and some single pixels."""
    random = np.random.default_rng(seed)
    h, w = SIZES_HW[seed % len(SIZES_HW)]
    pixels = np.zeros((h, w), dtype=np.uint32)
    for value in values:
        top, left = random.integers(0, h), random.integers(0, w)
        pixels[top : top + random.integers(1, h), left : left + random.integers(1, w)] = value
    at = random.integers(0, pixels.size, size=9)
    pixels.flat[at] = random.choice([0, *values], size=at.size)
    return pixels


def image_of(pixels: Pixels, mode: str) -> Image.Image:
    """Make an image of a mode whose pixels are the values; of colours the lowest byte is red."""
    if mode == "I;16":
        return Image.fromarray(pixels.astype(np.uint16))
    if mode == "1":
        return Image.fromarray(pixels > 0)
    if mode in ("RGB", "RGBA"):
        return Image.fromarray(np.stack([(pixels >> 8 * band & 255).astype(np.uint8) for band in range(len(mode))], -1))
    image = Image.fromarray(pixels.astype(np.uint8), mode=mode)
    if mode == "P":
        # Pillow takes 1, 2, 4 or 8 bits by the number of colours.
        image.putpalette([channel for index in range(int(pixels.max()) + 1) for channel in (255 - index, 7, index)])
    return image


def values_of(path: Path) -> Pixels:
    """Read a picture as Pillow does: of palettes the index, of colours the lowest byte from red."""
    pixels = np.asarray(Image.open(path)).astype(np.uint32)
    if pixels.ndim == 2:
        return pixels
    bands = [band << 8 * number for number, band in enumerate(np.moveaxis(pixels, -1, 0))]
    total: Pixels = np.sum(bands, axis=0, dtype=np.uint32)
    return total


def read(source: Path, name: str | None, **options: Any) -> Rows:
    """Read a source by the core; run-length strings are decoded by pycocotools, which walks down the columns."""
    found: Rows = {}
    opened = _core.read(source, "run", name, json.dumps(options))
    for row in polars.concat([polars.DataFrame(batch) for batch in opened]).iter_rows(named=True):
        assert row["rle_order"] == "row_major"
        turned = mask.decode({"size": [row["width_px"], row["height_px"]], "counts": bytes(row["rle"])})
        key = (row["media"], row["frame"], row["class"], row["track"])
        assert key not in found
        found[key] = turned.T.astype(bool)
    assert opened.rejects == []
    return found


def check(found: Rows, expected: Rows) -> None:
    assert found.keys() == expected.keys()
    for key, pixels in expected.items():
        np.testing.assert_array_equal(found[key], pixels, err_msg=str(key))


def write(folder: Path, names: Callable[[int], str], modes: list[str], values: list[int]) -> list[Path]:
    """Write pictures of each mode in turn, called by their numbers."""
    paths = []
    for seed, mode in zip(range(6), itertools.cycle(modes), strict=False):
        path = folder / names(seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        image_of(draw(seed, values), mode).save(path)
        paths.append(path)
    return paths


@pytest.mark.parametrize("values", [[1], [1, 2, 3], [1, 5, 14], [1, 77, 200, 254, 255]])
def test_davis(tmp_path: Path, values: list[int]) -> None:
    paths = write(tmp_path, lambda n: f"v{n % 2}/{5 * n:05}.png", ["P", "L"], values)
    expected: Rows = {}
    for path in paths:
        pixels = values_of(path)
        for value in set(np.unique(pixels)) - {0, 254, 255}:
            expected[(path.parent.name, int(path.stem), "Person", str(value))] = pixels == value
    check(read(tmp_path, "davis", class_="Person"), expected)


def test_davis_with_a_folder_an_object(tmp_path: Path) -> None:
    paths = write(tmp_path, lambda n: f"v/{n % 2:03}/{n // 2:05}.png", ["L", "P", "1"], [1, 255])
    expected: Rows = {}
    for path in paths:
        number = str(int(path.parent.name))
        expected[("v", int(path.stem), number, number)] = values_of(path) > 0
    check(read(tmp_path, "davis"), expected)


def test_masks(tmp_path: Path) -> None:
    paths = write(tmp_path, lambda n: f"a/clip.mp4__{n}.png", ["P", "L", "I;16"], [1, 3, 201])
    paths += write(tmp_path, lambda n: f"b/still-{n}.png", ["I;16"], [2, 300, 65535])
    expected: Rows = {}
    for path in paths:
        title, _, frame = path.stem.partition("__")
        pixels = values_of(path)
        for value in set(np.unique(pixels)) - {0}:
            expected[(title, int(frame or 0), str(value), None)] = pixels == value
    check(read(tmp_path, "masks"), expected)


def test_mots(tmp_path: Path) -> None:
    paths = write(tmp_path, lambda n: f"000{n % 2}/{n:06}.png", ["I;16"], [1001, 2003, 2004, 10000])
    expected: Rows = {}
    for path in paths:
        pixels = values_of(path)
        for value in set(np.unique(pixels)) - {0, 10000}:
            expected[(path.parent.name, int(path.stem), str(value // 1000), str(value))] = pixels == value
    check(read(tmp_path, "mots"), expected)


def test_bdd_bitmask(tmp_path: Path) -> None:
    # Class, attributes and instance: ignored and crowd are left out.
    parts = [(1, 0, 7), (3, 12, 300), (2, 2, 9), (2, 1, 10), (8, 4, 65535)]
    values = [klass | bits << 8 | (number >> 8) << 16 | (number & 255) << 24 for klass, bits, number in parts]
    paths = write(tmp_path, lambda n: f"b1-c2/b1-c2-{n:07}.png", ["RGBA"], values)
    paths += write(tmp_path, lambda n: f"images/b1-{n:07}.png", ["RGBA"], values)
    expected: Rows = {}
    for path in paths:
        red, green, blue, alpha = np.moveaxis(np.asarray(Image.open(path)).astype(int), -1, 0)
        instances = 256 * blue + alpha
        for number in set(np.unique(instances)) - {0}:
            here = instances == number
            if green[here][0] & 3 == 0:
                is_video = path.parent.name == "b1-c2"
                media, frame = (path.parent.name, int(path.stem[-7:])) if is_video else (path.stem, 0)
                expected[(media, frame, str(red[here][0]), str(number) if is_video else None)] = here
    check(read(tmp_path, "bdd-bitmask"), expected)


def panoptic_entry(path: Path) -> dict[str, Any]:
    """List the ids of a picture, each with a category of its own making."""
    ids = sorted(set(np.unique(values_of(path)).tolist()) - {0})
    return {"file_name": path.name, "segments_info": [{"id": number, "category_id": number % 3 + 1} for number in ids]}


def panoptic_rows(path: Path, media: str, frame: int, *, is_video: bool) -> Rows:
    pixels = values_of(path)
    ids = set(np.unique(pixels).tolist()) - {0}
    return {
        (media, frame, f"class {number % 3 + 1}", str(number) if is_video else None): pixels == number for number in ids
    }


CATEGORIES = [{"id": number, "name": f"class {number}"} for number in (1, 2, 3)]


def openimages_csv(path: Path, pngs: list[str]) -> None:
    """Write a file of masks: one class for each PNG, on an image of the same number."""
    header = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
    records = [f"{png},image{n},/m/{n},b{n},0,1,0,1,0.5," for n, png in enumerate(pngs)]
    path.write_text("\n".join([header, *records]) + "\n")


@pytest.mark.parametrize("where", ["beside", "png_dir"])
def test_masks_of_open_images(tmp_path: Path, where: str) -> None:
    folder = tmp_path if where == "beside" else tmp_path / "pngs"
    paths = write(folder, lambda n: f"{n % 2}/image{n}_m{n}_b{n}.png", ["1", "L", "P"], [1, 200, 255])
    openimages_csv(tmp_path / "masks.csv", [str(path.relative_to(folder)) for path in paths])
    expected: Rows = {(f"image{n}", 0, f"/m/{n}", None): values_of(path) > 0 for n, path in enumerate(paths)}
    options = {} if where == "beside" else {"png_dir": str(folder)}
    check(read(tmp_path / "masks.csv", None, **options), expected)


def test_a_mask_of_open_images_without_pixels_is_counted(tmp_path: Path) -> None:
    image_of(np.zeros((5, 9), np.uint32), "1").save(tmp_path / "a.png")
    openimages_csv(tmp_path / "masks.csv", ["a.png", "a.png"])
    opened = _core.read(tmp_path / "masks.csv")
    assert sum(map(len, opened)) == 0
    assert (opened.counts["filtered_by_reason"], opened.rejects) == ({"empty_mask": 2}, [])


def test_masks_of_open_images_without_their_pngs(tmp_path: Path) -> None:
    openimages_csv(tmp_path / "masks.csv", ["a.png"])
    with pytest.raises(UsageError, match="there is no folder .*elsewhere; give another --png-dir"):
        _core.read(tmp_path / "masks.csv", None, None, json.dumps({"png_dir": str(tmp_path / "elsewhere")}))
    with pytest.raises(UsageError, match="content in memory has none beside it; give --png-dir DIR"):
        _core.read((tmp_path / "masks.csv").read_bytes(), "label")


def test_panoptic(tmp_path: Path) -> None:
    # No two ids of a picture are of one category: the rows of still images have no other key.
    paths = write(tmp_path / "pngs", lambda n: f"{n:012}.png", ["RGB"], [300, 70_000, 16_777_211])
    truth = tmp_path / "truth.json"
    images = [{"id": 7 * n, "file_name": f"image {n}.jpg"} for n in range(len(paths))]
    truth.write_text(json.dumps({"images": images, "annotations": [], "categories": CATEGORIES}))
    results = tmp_path / "results.json"
    entries = [{"image_id": 7 * n, **panoptic_entry(path)} for n, path in enumerate(paths)]
    results.write_text(json.dumps({"annotations": entries}))
    expected: Rows = {}
    for n, path in enumerate(paths):
        expected |= panoptic_rows(path, f"image {n}.jpg", 0, is_video=False)
    options = {"annotations": str(truth), "png_dir": str(tmp_path / "pngs")}
    check(read(results, "panoptic", **options), expected)


def test_panoptic_of_videos(tmp_path: Path) -> None:
    paths = write(tmp_path / "pan_pred", lambda n: f"v{n % 2}/{n:08}.png", ["RGB"], [300, 70_000, 16_777_211])
    videos = [
        {"video_id": video, "annotations": [panoptic_entry(path) for path in paths if path.parent.name == video]}
        for video in ("v0", "v1")
    ]
    results = tmp_path / "pan_pred.json"
    results.write_text(json.dumps({"annotations": videos, "categories": CATEGORIES}))
    expected: Rows = {}
    for path in paths:
        expected |= panoptic_rows(path, path.parent.name, int(path.stem), is_video=True)
    check(read(results, "panoptic"), expected)


def test_panoptic_is_recognised_behind_a_long_list_of_images(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "pan", lambda _: "a.png", ["RGB"], [300])[:1]
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(4000)]
    results = tmp_path / "pan.json"
    entry = {"image_id": 7, **panoptic_entry(path)}
    results.write_text(json.dumps({"images": images, "annotations": [entry], "categories": CATEGORIES}))
    assert results.read_text().index("segments_info") > 1 << 16
    check(read(results, None), panoptic_rows(path, "7.jpg", 0, is_video=False))
    boxes = {"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]}
    results.write_text(json.dumps({"images": images, "annotations": [boxes], "categories": CATEGORIES}))
    assert _core.read(results, "run").format == "coco"
