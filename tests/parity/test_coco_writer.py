"""The core's COCO writer beside a naive one in Python: equal documents, rejects and counts for any rows."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_coco
from ropewalk import _core, rle
from ropewalk.converting.coco_output import CocoWriter
from ropewalk.project.snapshot import Snapshot
from snapshots import hash_of, make_image, make_image_group, make_ontology, make_snapshot, make_video

SCHEMA = polars.DataFrame(_core.AnnotationBatch.empty()).schema
ROUND = ("circle", "ellipse")
SHAPES = ("bounding_box", "rotatable_bounding_box", "polygon", "polyline", "point", "bitmask", "skeleton", *ROUND)
ODD = [0.0, -0.0, 0.1, 1e-7, 1e16, 1e22, -1e300, 1.7e308, math.nan, math.inf]

# Mostly the size of the masks; never square.
SIZES = st.sampled_from([(8, 5)] * 8 + [(None, None)] * 3 + [(5, 8), (16, 10), (0, 5)])
PLAIN = st.floats(0, 20)
ANY = st.one_of(PLAIN, st.sampled_from(ODD))
NAMES = st.sampled_from(["colour", "score", "track", "rotation", "Farbe é\U0001f34e", 'a "b"\\c', ""])
MEDIA = (
    "still.jpg",
    "still.jpg",
    "drive.mp4",
    "walk",
    "walk-1.png",
    "unsized.jpg",
    "twin.jpg",
    "walk/2",
    "é \U0001f34e.png",
)
CLASSES = ("Car", "obj-car1", "Light", "Figure", "obj-sail", "twin", "obj-twin", 'Straße "é"')


def make_project() -> Snapshot:
    """Make a project with equal titles and names, an image group, a medium without a size and a skeleton."""
    structure = make_ontology().to_dict()
    points = {str(n): {"x": n, "y": 2 * n, "name": f"point é {n}"} for n in range(3)}
    structure["skeleton_templates"] = [{"template": {"name": "Figure", "skeleton": points}}]
    shapes = {"obj-sail": ("Figure", "skeleton"), "obj-twin": ("twin", "point"), "obj-twi2": ("twin", "point")}
    for feature_hash, (name, shape) in shapes.items():
        structure["objects"].append({"featureNodeHash": feature_hash, "name": name, "shape": shape})
    twin = make_image("twin.jpg")
    other = dataclasses.replace(twin, data_hash=hash_of("other twin"), width=None)
    unsized = make_image("unsized.jpg", width=None, height=None)
    media = (make_video(), make_image(width=8, height=5), make_image_group(), unsized, twin, other)
    return make_snapshot(media, structure)


def seldom(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 7)) == 5


@st.composite
def masks(draw: st.DrawFn) -> dict[str, Any]:
    order = draw(st.sampled_from(["row_major", "column_major"]))
    if seldom(draw):
        return {"rle": draw(st.sampled_from([b"PPZ", b"o", b"0" * 3, b"", b"\xff", b"0O"])), "rle_order": order}
    pixels = np.array(draw(st.lists(st.booleans(), min_size=40, max_size=40))).reshape(5, 8)
    encode = rle.encode if order == "row_major" else rle.encode_coco
    return {"rle": encode(pixels).encode(), "rle_order": order}


@st.composite
def geometries(draw: st.DrawFn, shape: str) -> dict[str, Any]:
    """Draw what a shape is drawn from, as a table may have it: seldom too much, too little or nonsense."""
    number = ANY if seldom(draw) else PLAIN

    def coordinates(n: int) -> list[float]:
        return draw(st.lists(number, min_size=2 * n, max_size=2 * n))

    def box() -> list[float]:
        return [*coordinates(1), *map(abs, coordinates(1))]

    fields: dict[str, Any] = {"shape": shape, "box": box() if seldom(draw) else None}
    if seldom(draw):
        return fields
    if shape == "bitmask":
        fields |= draw(masks())
    elif shape == "polygon":
        least = 0 if seldom(draw) else 1
        parts = range(draw(st.integers(least, 2)))
        rings = [range(draw(st.sampled_from([least, 1, 1, 2]))) for _ in parts]
        fields["points"] = [[coordinates(draw(st.integers(2 + least, 6))) for _ in part] for part in rings]
    elif shape in ("skeleton", "point", "polyline"):
        n = 1 if shape == "point" else draw(st.integers(0, 4))
        flags = st.lists(st.integers(0, 3), min_size=n, max_size=n)
        fields["points"] = [[coordinates(n)]]
        fields["visibility"] = [2, 0] if seldom(draw) else draw(st.one_of(st.none(), flags))
    elif shape in ROUND and draw(st.booleans()):
        fields["points"] = [[coordinates(2)]]
    else:
        fields["box"] = box()
    if shape in ("rotatable_bounding_box", *ROUND):
        fields["theta"] = draw(st.sampled_from([None, -0.0, 30.0, 90.0, -171.3, 1e-5]))
    return fields


@st.composite
def rows(draw: st.DrawFn, media: list[str]) -> dict[str, Any]:
    width_px, height_px = draw(SIZES)
    attributes = st.fixed_dictionaries({"name": NAMES, "value": st.sampled_from([None, "red", "é", "7"])})
    row = {
        "source": "s",
        "annotation_id": draw(st.sampled_from([None, "7", "é"])),
        "media": draw(st.sampled_from(media)),
        "frame": draw(st.sampled_from([0, 0, 1, 2, 3, 1_234_567])),
        "kind": "object",
        "class": draw(st.sampled_from(CLASSES)),
        "track": draw(st.sampled_from([None, None, "1", "left", "ü\n"])),
        "score": draw(st.sampled_from([None, 0.0, 1e-5, 0.1, 1.0, 1 / 3] * 3 + [math.nan])),
        "unit": draw(st.sampled_from(["px", "px", "frac"])),
        "width_px": width_px,
        "height_px": height_px,
        "attributes": draw(st.one_of(st.none(), st.lists(attributes, max_size=4))),
    }
    if seldom(draw):
        return row | {"kind": "answer"}
    return row | draw(geometries(draw(st.sampled_from(SHAPES))))


@st.composite
def sources(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """Draw batches of rows, many of them on the same images."""
    names = draw(st.lists(st.sampled_from(MEDIA), min_size=1, max_size=2))
    media = [*names, *map(hash_of, names)]
    return draw(st.lists(st.lists(rows(media), max_size=8), max_size=3))


def as_batch(rows: list[dict[str, Any]]) -> _core.AnnotationBatch:
    return _core.AnnotationBatch.from_arrow(polars.DataFrame([{"offset": n} | r for n, r in enumerate(rows)], SCHEMA))


def write(
    writer: CocoWriter | naive_coco.CocoWriter, batches: list[list[dict[str, Any]]]
) -> list[list[dict[str, Any]]]:
    rejects = [writer.write(as_batch(batch)) for batch in batches]
    writer.finish()
    return rejects


def place_of(reject: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(reject[name] for name in ("code", "source", "byte", "annotation_id"))


@settings(max_examples=250)
@given(sources(), st.booleans())
def test_any_rows(batches: list[list[dict[str, Any]]], known: bool) -> None:
    project = make_project() if known else None
    ours, theirs = io.BytesIO(), io.BytesIO()
    writer, naive = CocoWriter(ours, project), naive_coco.CocoWriter(theirs, project)
    found, expected = write(writer, batches), write(naive, batches)
    assert [list(map(place_of, rejects)) for rejects in found] == [list(map(place_of, rejects)) for rejects in expected]
    for batch, rejects in zip(batches, found, strict=True):
        for reject in rejects:
            # A row of a table, to be fixed and read again.
            row, annotation = batch[reject["byte"]], reject["annotation"]
            assert (annotation["media"], annotation["class"]) == (row["media"], row["class"])
    assert (writer.written, writer.left_out) == (naive.written, naive.left_out)
    assert writer.warnings == naive.warnings
    assert same(ours.getvalue().decode("ascii"), theirs.getvalue().decode("ascii"))


def same(ours: str, theirs: str) -> bool:
    """Whether documents are equal to the byte, but for the last digits of sums and trigonometry."""
    lines = list(zip(ours.splitlines(), theirs.splitlines(), strict=True))
    for ours, theirs in lines:
        if ours == theirs:
            continue
        one, other = (json.loads(line.rstrip(",")) for line in (ours, theirs))
        # Each line is spelt as Python does.
        assert json.dumps(one) == ours.rstrip(",")
        for inexact in {"area", "bbox"} & one.keys() & other.keys():
            expected = np.array(other.pop(inexact))
            assert one.pop(inexact) == pytest.approx(expected, rel=1e-12, abs=1e-12 * np.abs(expected).max())
        assert list(one.items()) == list(other.items())
    return True


def box(n: int) -> dict[str, Any]:
    place = {"source": "s", "media": "still.jpg", "frame": 0, "kind": "object", "class": "Car", "unit": "px"}
    return place | {"shape": "bounding_box", "box": [float(n), 2.0, 3.0, 4.0]}


def test_what_the_file_raises_is_raised() -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    writer = CocoWriter(Full())
    with pytest.raises(OSError, match="No space left") as raised:
        writer.write(as_batch([box(0)]))
    assert raised.value.errno == 28


def test_nothing_follows_the_end() -> None:
    file = io.BytesIO()
    writer = CocoWriter(file)
    writer.write(as_batch([box(0)]))
    writer.finish()
    whole = file.getvalue()
    for again in (writer.finish, lambda: writer.write(as_batch([box(1)]))):
        with pytest.raises(ValueError, match="the dataset is finished"):
            again()
    assert (file.getvalue(), writer.written) == (whole, 1)


def test_blocks_are_small_whatever_the_batch() -> None:
    blocks = []

    class Blocks(io.BytesIO):
        def write(self, block: Any) -> int:
            blocks.append(bytes(block))
            return len(block)

    writer = CocoWriter(Blocks())
    writer.write(as_batch([box(n) for n in range(20_000)]))
    writer.finish()
    assert len(json.loads(b"".join(blocks))["annotations"]) == 20_000
    assert 3 < len(blocks) < 10
    assert max(map(len, blocks)) < 1.1 * 2**20
