"""Encord Active's pickles: what goes in comes out, in every variant that Python writes, and nothing in them is run."""

from __future__ import annotations

import gzip
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from active_classes import MODULE, OLD_MODULE, dump, make_classes
from ropewalk import _core, errors

HEIGHT, WIDTH = 23, 41
TYPES = ["bool", "u1", "i1", "u2", ">i4", "u8", "<i8"]

Json = Any
Array = np.ndarray[Any, Any]


def rows_of(path: Path) -> list[Json]:
    """Read a file whose format is recognised."""
    reader = _core.read(str(path), "label", None, "{}")
    rows = [row for batch in reader for row in polars.DataFrame(batch).to_dicts()]
    assert reader.format == "active-pkl"
    assert reader.counts["rejected"] == 0
    return rows


def drawn(row: Json) -> Json:
    """Give what a row holds in the form of the expected tuples."""
    if row["kind"] == "answer":
        ((name, value),) = [(said["name"], said["value"]) for said in row["attributes"]]
        what: Json = (name, value)
    elif row["shape"] == "bitmask":
        assert row["rle_order"] == "row_major"
        # COCO's code for the picture that lies on its side.
        rle = {"size": [row["width_px"], row["height_px"]], "counts": row["rle"]}
        what = coco_mask.decode(rle).T.astype(bool).tolist()
    elif row["shape"] == "polygon":
        ((ring,),) = row["points"]
        what = (row["unit"], ring)
    else:
        assert row["unit"] == "frac"
        what = (row["shape"], row["box"], row["theta"])
    return (row["media"], row["frame"], row["class"], row["track"], row["score"], what)


def random_mask(random: np.random.Generator, type_name: str) -> Array:
    mask = np.zeros((HEIGHT, WIDTH), type_name)
    y, x = random.integers(0, HEIGHT - 3), random.integers(0, WIDTH - 9)
    mask[y : y + random.integers(1, 9), x : x + 5] = 1
    mask[y + 2, x : x + 9] = 1
    return np.asfortranarray(mask) if random.random() < 0.5 else mask


def random_predictions(classes: Any, random: np.random.Generator, count: int) -> tuple[list[Any], list[Json]]:
    """Make predictions of all kinds, and what is to be read of them."""
    predictions: list[Any] = []
    expected: list[Json] = []
    for number in range(count):
        kind = random.choice(["box", "polygon", "pixels", "mask", "called polygon", "answer"])
        media, frame = f"hash-{random.integers(3)}", int(random.integers(9)) if random.random() < 0.7 else None
        score = float(random.random())
        common = {
            "data_hash": media,
            "frame": frame,
            "confidence": random.choice([np.float64(score), score]) if number % 2 else score,
        }
        where = (media, frame or 0)
        if kind == "answer":
            answer = {"feature_hash": "f1", "attribute_hash": "a1", "option_hash": "o1"}
            predictions.append(classes.Prediction(**common, classification=classes.FrameClassification(**answer)))
            expected.append((*where, "f1", None, score, ("a1", "o1")))
            continue
        track = [None, "é7", 12, -3][int(random.integers(4))]
        if kind == "box":
            x, y, w, h = random.random(4).tolist()
            theta = [0.0, 30.5][int(random.integers(2))]
            format_, data = classes.Format.BOUNDING_BOX, classes.BoundingBox(x=x, y=y, w=w, h=h, theta=theta)
            what: Json = ("rotatable_bounding_box" if theta else "bounding_box", [x, y, w, h], theta)
        elif kind in ("polygon", "pixels"):
            size = (int(random.integers(3, 60)), 2)
            data = random.random(size) if kind == "polygon" else random.integers(0, 99, size).astype(">u2")
            if random.random() < 0.5:
                data = np.asfortranarray(data)
            format_ = classes.Format.POLYGON
            what = ("frac" if kind == "polygon" else "px", data.ravel().tolist())
        else:
            data = random_mask(random, random.choice(TYPES))
            format_ = classes.Format.MASK if kind == "mask" else classes.Format.POLYGON
            what = data.astype(bool).tolist()
        fields = {"format": format_, "data": data, "track_id": track}
        predictions.append(classes.Prediction(**common, object=classes.ObjectDetection(**fields, feature_hash="f2")))
        expected.append((*where, "f2", None if track is None else str(track), score, what))
    return predictions, expected


@pytest.mark.parametrize("numpy_1", [False, True])
@pytest.mark.parametrize("pydantic_version", [1, 2])
@pytest.mark.parametrize("protocol", range(6))
def test_what_goes_in_comes_out(protocol: int, pydantic_version: int, numpy_1: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(protocol)
    classes = make_classes(pydantic_version)
    predictions, expected = random_predictions(classes, random, 60)
    content = dump(classes, predictions, protocol, numpy_1=numpy_1)
    assert (b"numpy.core" in content, b"numpy._core" in content) == (numpy_1, not numpy_1)
    path = tmp_path / "predictions.pkl"
    path.write_bytes(content)

    assert [drawn(row) for row in rows_of(path)] == expected

    packed = tmp_path / "predictions.pkl.gz"
    packed.write_bytes(gzip.compress(content))
    assert [drawn(row) for row in rows_of(packed)] == expected


@pytest.mark.parametrize("module", [MODULE, OLD_MODULE])
@pytest.mark.parametrize("protocol", range(6))
def test_predictions_before_objects_had_a_class_of_their_own(protocol: int, module: str, tmp_path: Path) -> None:
    classes = make_classes(1, flat=True, module=module)
    box = classes.BoundingBox(x=0.125, y=0.25, h=0.5, w=0.375)
    fields = {"data_hash": "h", "class_id": "f", "confidence": 0.5, "format": classes.Format.BOUNDING_BOX, "data": box}
    path = tmp_path / "predictions.pkl"
    path.write_bytes(dump(classes, [classes.Prediction(**fields, frame=n, track_id="7") for n in range(3)], protocol))

    box_read = ("bounding_box", [0.125, 0.25, 0.375, 0.5], None)
    assert [drawn(row) for row in rows_of(path)] == [("h", n, "f", "7", 0.5, box_read) for n in range(3)]


@pytest.mark.parametrize("protocol", range(6))
def test_many_predictions_may_share_everything(protocol: int, tmp_path: Path) -> None:
    """A list is pickled in groups of 1,000, and what occurs again by its number."""
    classes = make_classes()
    mask = random_mask(np.random.default_rng(7), "u1")
    detection = classes.ObjectDetection(format=classes.Format.MASK, data=mask, feature_hash="f", track_id=1)
    first = classes.Prediction(data_hash="h", frame=0, confidence=0.5, object=detection)
    others = [classes.Prediction.construct(**dict(first) | {"frame": n}) for n in range(1, 2500)]
    path = tmp_path / "predictions.pkl"
    path.write_bytes(dump(classes, [first, *others, first], protocol))

    rows = rows_of(path)

    assert [row["frame"] for row in rows] == [*range(2500), 0]
    assert drawn(rows[-1]) == ("h", 0, "f", "1", 0.5, mask.astype(bool).tolist())
    assert len({row["rle"] for row in rows}) == 1


class MakesFolder:
    """Makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def refusal(path: Path) -> str:
    with pytest.raises(errors.SourceError) as caught:
        for _ in _core.read(str(path), "label", "active-pkl", "{}"):
            pass
    return str(caught.value)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_run_something_is_refused(protocol: int, tmp_path: Path) -> None:
    made, path = tmp_path / "made", tmp_path / "predictions.pkl"
    classes = make_classes()
    hidden = classes.Prediction.construct(data_hash="h", confidence=0.5, frame=MakesFolder(made))
    path.write_bytes(dump(classes, [hidden], protocol))

    message = refusal(path)

    assert not made.exists()
    assert "`mkdir`" in message and f"`{os.mkdir.__module__}`" in message
    # It does what it says where it is unpickled.
    pickle.loads(pickle.dumps(MakesFolder(made), protocol))
    assert made.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "print"),
        ("builtins", "getattr"),
        ("os", "system"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "fromfile"),
        (MODULE, "Prediction.construct"),
        (MODULE, "os"),
        (MODULE + ".x", "Prediction"),
        ("collections\x1b[2J", "OrderedDict"),
    ],
)
def test_any_other_name_is_refused(module: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "predictions.pkl"
    stacked = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    for content in (f"(lp0\nc{module}\n{name}\na.".encode(), b"\x80\x04]" + stacked + b"\x93a."):
        path.write_bytes(content)
        message = refusal(path)
        assert module.split("\x1b")[0] in message and f"`{name}`" in message
        assert "\x1b" not in message


def wholes() -> list[bytes]:
    """Make a pickle of each protocol."""
    contents = []
    for protocol in range(6):
        classes = make_classes(1 + protocol % 2)
        predictions, _ = random_predictions(classes, np.random.default_rng(protocol), 4)
        contents.append(dump(classes, predictions, protocol))
    return contents


CONTENTS = wholes()


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_damaged_pickles_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(CONTENTS)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from(["set", "cut", "insert"]))
        if change == "set":
            content[at] = data.draw(st.integers(0, 255))
        elif change == "insert":
            content[at:at] = data.draw(st.binary(max_size=9))
        else:
            del content[at : at + data.draw(st.integers(0, 40))]
        if not content:
            break
    try:
        reader = _core.read(bytes(content), "label", "active-pkl", json.dumps({}))
        rows = sum(polars.DataFrame(batch).height for batch in reader)
        assert reader.counts["read"] == rows + reader.counts["rejected"]
    except errors.SourceError:
        pass


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80\x04]\x8e" + (1 << 60).to_bytes(8, "little") + b"abc", "ends inside"),
        (b"\x80\x04]\x8d" + (1 << 60).to_bytes(8, "little") + b"abc", "ends inside"),
        (b"\x80\x04]r\xff\xff\xff\xff.", "does not number its values one after the other"),
        (b"\x80\x04]j\xff\xff\xff\xff.", "asks for value 4294967295"),
        (b"\x80\x04" + b"(" * 100_000, "nested more deeply"),
        (b"\x80\x04" + b"N" * 100_000, "stacks more values"),
    ],
)
def test_numbers_that_the_file_does_not_keep(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "predictions.pkl"
    path.write_bytes(content)
    assert said in refusal(path)


def test_depth_needs_no_recursion() -> None:
    content = b"\x80\x04]N" + b"\x85" * 100_000 + b"a."
    reader = _core.read(content, "label", "active-pkl", "{}")
    assert [polars.DataFrame(batch).height for batch in reader] == []
    assert [reject["code"] for reject in reader.rejects] == ["bad_field"]
