"""Arrays of a frame as rows: boxes in three formats, masks, rings, points, classes, and what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco_mask

from letter import F, H, W
from ropewalk import PredictionWriter
from ropewalk.errors import UsageError

BOX = [[2, 3, 12, 8]]
HOLED = [[[[0, 0], [9, 0], [9, 9.5]], [[6, 1], [7, 1], [7, 2]]], [[[20, 1], [22, 1], [22, 4], [21, 5]]]]


def rows(folder: Path, *, writer: dict[str, Any] | None = None, **given: Any) -> polars.DataFrame:
    """Write one frame and read it back."""
    path = folder / "rows.parquet"
    with PredictionWriter(path, **(writer or {})) as written:
        written.add("drive.mp4", 7, **({"class_names": "Car"} if "class_ids" not in given else {}) | given)
    return polars.read_parquet(path)


def strings(*masks: Any) -> list[bytes]:
    """Encode masks along their rows, as pycocotools does with the transposed picture."""
    return [coco_mask.encode(np.asfortranarray(mask.T.astype(np.uint8)))["counts"] for mask in masks]


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 6).flatmap(lambda n: arrays.arrays(np.int32, (n, 4), elements=st.integers(-(2**20), 2**20))),
    st.sampled_from([np.float32, np.float64, np.int64]),
)
def test_boxes_in_three_formats_are_one(tmp_path_factory: pytest.TempPathFactory, xywh: Any, dtype: Any) -> None:
    """Whole and even numbers, of which no format loses a bit."""
    folder = tmp_path_factory.mktemp("boxes")
    xywh = 2 * np.concatenate([xywh[:, :2], abs(xywh[:, 2:])], axis=1)
    corner, size = xywh[:, :2], xywh[:, 2:]
    formats = {
        "xywh": xywh,
        "xyxy": np.hstack([corner, corner + size]),
        "cxcywh": np.hstack([corner + size // 2, size]),
    }
    tables = [rows(folder, boxes=boxes.astype(dtype), writer={"box_format": name}) for name, boxes in formats.items()]
    assert tables[0].equals(tables[1]) and tables[0].equals(tables[2])
    assert tables[0]["box"].to_list() == xywh.tolist()
    assert (tables[0]["shape"] == "bounding_box").all()


def test_fractions_are_kept_bit_for_bit(tmp_path: Path) -> None:
    boxes = np.array([[0.1, 1 / 3, 0.7, 0.2]])
    table = rows(tmp_path, boxes=boxes, writer={"unit": "frac", "box_format": "xywh"})
    assert table.select("unit", "box", "width_px").rows() == [("frac", boxes[0].tolist(), None)]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8])
def test_masks_are_counted_along_rows(tmp_path: Path, order: Any, dtype: Any) -> None:
    masks = np.array([F, ~F, np.zeros_like(F)]).astype(dtype, order=order)
    table = rows(tmp_path, masks=masks)
    assert table["rle"].to_list() == strings(*masks) != strings(*masks[:, ::-1])
    assert set(table.select("shape", "rle_order", "unit", "width_px", "height_px").rows()) == {
        ("bitmask", "row_major", "px", W, H)
    }
    assert rows(tmp_path, masks=list(masks), size_hw=(H, W)).equals(table)
    assert rows(tmp_path, masks=np.repeat(masks, 2, axis=2)[..., ::2]).equals(table)


@settings(deadline=None, max_examples=25)
@given(
    arrays.arrays(np.bool_, st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(8, 13))),
    st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.uint8]),
    st.sampled_from([0, 1, 100]),
    st.sampled_from(["C", "F"]),
)
def test_logits_above_the_threshold_are_foreground(
    tmp_path_factory: pytest.TempPathFactory, masks: Any, dtype: Any, threshold: int, order: Any
) -> None:
    scores = np.where(masks, threshold + 1, threshold).astype(dtype, order=order)
    table = rows(tmp_path_factory.mktemp("masks"), masks=scores, mask_threshold=threshold)
    assert table["rle"].to_list() == strings(*masks)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_masks_with_a_channel(tmp_path: Path, n: int) -> None:
    masks = np.array([F, ~F])[:n]
    table = rows(tmp_path, masks=masks)
    assert rows(tmp_path, masks=masks[:, None]).equals(table)
    assert rows(tmp_path, masks=list(masks[:, None])).equals(table)
    assert len(table) == n


def test_uint8_without_a_threshold_is_foreground_where_it_is_not_0(tmp_path: Path) -> None:
    masks = np.where(F, [[255, 1, 2, 3, 4, 5, 6, 7]], 0).astype(np.uint8)[None]
    assert rows(tmp_path, masks=masks)["rle"].to_list() == strings(F)


def test_polygons_of_every_form(tmp_path: Path) -> None:
    ring = np.array([[1, 2], [30, 4], [5, 9]], np.float32)
    table = rows(tmp_path, polygons=[ring, ring.tolist(), [ring, 2 * ring], HOLED, None], boxes=BOX * 5)
    flat = [1, 2, 30, 4, 5, 9]
    assert table["points"].to_list() == [
        [[flat]],
        [[flat]],
        [[flat], [[2 * value for value in flat]]],
        [[[0, 0, 9, 0, 9, 9.5], [6, 1, 7, 1, 7, 2]], [[20, 1, 22, 1, 22, 4, 21, 5]]],
        None,
    ]
    assert table["shape"].to_list() == ["polygon"] * 4 + ["bounding_box"]
    assert rows(tmp_path, polygons=np.array([ring, ring]))["points"].to_list() == [[[flat]]] * 2


RING = st.lists(st.tuples(*[st.floats(-1e9, 1e9)] * 2), min_size=3, max_size=5)
PARTS = st.lists(st.lists(RING, min_size=1, max_size=3), min_size=1, max_size=3)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.none() | PARTS, max_size=4) | st.none(), min_size=1, max_size=6), st.integers(1, 9))
def test_parts_and_rings_stay_with_their_rows(
    tmp_path_factory: pytest.TempPathFactory, frames: list[Any], buffer_rows: int
) -> None:
    """Frames of polygons, of rows without one among them, and frames of boxes alone, in batches of any size."""
    path = tmp_path_factory.mktemp("rings") / "rows.parquet"
    expected = []
    with PredictionWriter(path, buffer_rows=buffer_rows) as writer:
        for number, items in enumerate(frames):
            n = 1 if items is None else len(items)
            writer.add("a", number, polygons=items, boxes=np.array(BOX * n).reshape(n, 4), class_names="Car")
            for parts in items or [None] * n:
                flat = parts and [[[value for point in ring for value in point] for ring in part] for part in parts]
                expected.append((number, flat))
    assert polars.read_parquet(path).select("frame", "points").rows() == expected


def test_lines_points_and_skeletons(tmp_path: Path) -> None:
    path = tmp_path / "rows.arrow"
    with PredictionWriter(path, classes={3: "Lane"}) as writer:
        writer.add("a", 0, polylines=[[[1, 2], [3, 4]], [[5, 6], [7, 8], [9, 10]]], class_ids=[3, 3])
        writer.add("a", 1, points=[[1.5, 2]], class_ids=[3])
        writer.add("a", 2, keypoints=np.array([[[1, 2, 2], [3, 4, 0]]]), class_ids=[3], boxes=BOX)
        writer.add("a", 3, keypoints=np.array([[[1, 2], [3, 4], [5, 6]]]), class_ids=[3])
    assert polars.read_ipc(path).select("shape", "points", "visibility").rows() == [
        ("polyline", [[[1, 2, 3, 4]]], None),
        ("polyline", [[[5, 6, 7, 8, 9, 10]]], None),
        ("point", [[[1.5, 2]]], None),
        ("skeleton", [[[1, 2, 3, 4]]], [2, 0]),
        ("skeleton", [[[1, 2, 3, 4, 5, 6]]], None),
    ]


def test_turned_and_round_boxes(tmp_path: Path) -> None:
    assert rows(tmp_path, boxes=BOX, thetas=[30]).select("shape", "box", "theta").rows() == [
        ("rotatable_bounding_box", [2, 3, 10, 5], 30)
    ]
    assert rows(tmp_path, boxes=BOX, shape="circle").select("shape", "theta").rows() == [("circle", None)]
    assert rows(tmp_path, boxes=BOX, shape="ellipse", thetas=[5])["shape"].to_list() == ["ellipse"]


def test_classes_tracks_and_scores(tmp_path: Path) -> None:
    boxes = np.array(BOX * 3)
    ids = np.array([1, 0, 1], np.float32)
    named = rows(tmp_path, boxes=boxes, class_ids=ids, writer={"classes": ["Car", "Lorry"]})
    assert named["class"].to_list() == ["Lorry", "Car", "Lorry"]
    assert rows(tmp_path, boxes=boxes, class_ids=ids)["class"].to_list() == ["1", "0", "1"]
    assert rows(tmp_path, boxes=boxes, class_names=["a", "b", "c"])["class"].to_list() == ["a", "b", "c"]
    for tracks, texts in (
        (np.array([2**60 + 1, 2, 3]), [str(2**60 + 1), "2", "3"]),
        (np.array([1.0, 2.0, 3.0], np.float32), ["1", "2", "3"]),
        (["a", None, 3], ["a", None, "3"]),
        (np.array([1.0, np.nan, -1.0]), ["1", None, None]),
        (np.array([-1, 2, -1]), [None, "2", None]),
        (["", "-1", float("nan")], [None, None, None]),
        ([7.0, -1, "nan"], ["7", None, None]),
    ):
        assert rows(tmp_path, boxes=boxes, track_ids=tracks)["track"].to_list() == texts
    assert rows(tmp_path, boxes=boxes, scores=np.array([0, 0.25, 1]))["score"].to_list() == [0, 0.25, 1]
    assert rows(tmp_path, boxes=boxes, size_hw=(36, 64)).select("height_px", "width_px").rows() == [(36, 64)] * 3


def test_answers_and_attributes(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with PredictionWriter(path) as writer:
        writer.add("a", 0, boxes=BOX * 2, class_names="Car", attributes=[{"Doors": 3, "Colours": ["red", "blue"]}, {}])
        writer.add_answers("a", 2, 9, classification="Weather", value="Sunny", score=0.25)
        writer.add_answers("a", 2, classification="Fruit", value=[])
        writer.add_answers("a", 3, classification="Fruit", value={"Plum", "Apple", "Kiwi", "Fig"})
        writer.add_answers("a", classification="Fruit", value={"Many?": ["Apple", "Kiwi"], "Weight": np.float64(0.1)})
    table = polars.read_parquet(path)
    assert table.select("kind", "class", "frame", "frame_last", "score", "shape").rows() == [
        ("object", "Car", 0, None, None, "bounding_box"),
        ("object", "Car", 0, None, None, "bounding_box"),
        ("answer", "Weather", 2, 9, 0.25, None),
        ("answer", "Fruit", 2, None, None, None),
        ("answer", "Fruit", 3, None, None, None),
        ("answer", "Fruit", None, None, None, None),
    ]
    assert [[(a["name"], a["value"]) for a in given] for given in table["attributes"].to_list()] == [
        [("Doors", "3"), ("Colours", "red"), ("Colours", "blue")],
        [],
        [("", "Sunny")],
        [("", None)],
        [("", "Apple"), ("", "Fig"), ("", "Kiwi"), ("", "Plum")],
        [("Many?", "Apple"), ("Many?", "Kiwi"), ("Weight", "0.1")],
    ]


def test_a_frame_without_objects_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with PredictionWriter(path) as writer:
        writer.add("a", 0, boxes=np.empty((0, 4)), scores=[], class_ids=np.empty(0, int))
        writer.add("a", 1, masks=np.empty((0, H, W), bool))
        writer.add("a", 2, polygons=[], keypoints=None, class_names="Car")
        assert len(writer) == 0
    assert len(polars.read_parquet(path)) == 0


class Tensor:
    """Has what a tensor of torch has: no `__array__` on a device or with gradients."""

    def __init__(self, values: Any, *where: str) -> None:
        self.values, self.where = values, where

    def detach(self) -> Tensor:
        return Tensor(self.values, *(place for place in self.where if place != "gradients"))

    def cpu(self) -> Tensor:
        return Tensor(self.values, *(place for place in self.where if place != "device"))

    def numpy(self) -> Any:
        if self.where:
            raise TypeError(f"is on {self.where}")
        return self.values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.numpy()

    @property
    def ndim(self) -> int:
        return int(self.values.ndim)

    def __len__(self) -> int:
        return len(self.values)


def test_tensors_are_fetched(tmp_path: Path) -> None:
    def tensor(values: Any, dtype: Any = np.float32) -> Tensor:
        return Tensor(np.array(values, dtype), "device", "gradients")

    table = rows(
        tmp_path, masks=tensor([F], bool), boxes=tensor(BOX), class_ids=tensor([4]), track_ids=tensor([5], np.int64)
    )
    assert table.select("box", "rle", "class", "track").rows() == [([2, 3, 10, 5], *strings(F), "4", "5")]
    polygons = rows(tmp_path, polygons=[tensor([[1, 2], [30, 4], [5, 9]])])
    assert polygons["points"].to_list() == [[[[1, 2, 30, 4, 5, 9]]]]


ONE = {"boxes": BOX, "class_ids": [0]}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "nothing is drawn; expected boxes, masks, rles, polygons, polylines, points, keypoints"),
    ({"boxes": np.zeros((3, 5)), "class_ids": [0]}, r"boxes has shape \(3, 5\), expected \(n, 4\) as xyxy"),
    ({"boxes": [2, 3, 12, 8], "class_ids": [0]}, r"boxes has shape \(4,\), expected \(n, 4\)"),
    ({"boxes": [["a"] * 4], "class_ids": [0]}, "boxes is of <U1, expected numbers"),
    ({"boxes": [[1, 2, 3, 4], [1, 2]], "class_ids": [0]}, "boxes is list that is no array"),
    ({"boxes": [[1, 2, 3, 4], [1, 2, np.nan, 4]], "class_ids": [0, 0]}, r"boxes\[1, 2\] is nan, expected finite"),
    ({"boxes": [[1, 2, -np.inf, 4]], "class_ids": [0]}, r"boxes\[0, 2\] is -inf"),
    ({"boxes": [[5, 2, 3, 4]], "class_ids": [0]}, r"boxes\[0\] has w = -2, h = 2 read as xyxy"),
    ({"boxes": BOX}, "class_ids or class_names are missing"),
    (ONE | {"class_names": ["Car"]}, "class_ids and class_names are given"),
    ({"boxes": BOX, "class_names": [3]}, r"class_names\[0\] is 3, expected a text"),
    ({"boxes": BOX, "class_ids": [2]}, r"class_ids\[0\] is 2, expected one of those in classes: 0, 1"),
    ({"boxes": BOX, "class_ids": [0.5]}, r"class_ids\[0\] is 0.5, expected whole numbers"),
    ({"boxes": BOX, "class_ids": 0}, r"class_ids has shape \(\), expected \(n,\)"),
    ({"boxes": BOX, "class_ids": [True]}, "class_ids is of bool"),
    ({"boxes": BOX * 2, "class_ids": [0]}, "different lengths.* boxes 2, class_ids 1"),
    (ONE | {"scores": [0.5, 0.5]}, "different lengths.* boxes 1, scores 2, class_ids 1"),
    (ONE | {"scores": [[0.5]]}, r"scores has shape \(1, 1\), expected \(n,\)"),
    (ONE | {"scores": [1.5]}, r"scores\[0\] is 1.5, expected 0 to 1"),
    (ONE | {"scores": [np.nan]}, r"scores\[0\] is nan"),
    (ONE | {"scores": [1.00001]}, r"scores\[0\] is 1.00001, expected 0 to 1"),
    (ONE | {"scores": [-2e-6]}, r"scores\[0\] is -2e-06, expected 0 to 1"),
    (ONE | {"class_ids": [1.0000001]}, r"class_ids\[0\] is 1.0000001, expected whole numbers"),
    (ONE | {"boxes": [[-1.7e308, 0, 1.7e308, 1]]}, r"boxes\[0\] is larger than any number read as xyxy"),
    (ONE | {"attributes": [10**400]}, r"attributes\[0\] holds 1000.*expected a text, a finite number"),
    (ONE | {"attributes": ["\udcff"]}, r"attributes\[0\] is '\\udcff', expected a text that UTF-8 can write"),
    (ONE | {"attributes": [{"\udcff": 1}]}, r"attributes\[0\] is '\\udcff', expected a text that UTF-8"),
    (ONE | {"track_ids": ["\udcff"]}, r"track_ids\[0\] is '\\udcff', expected a text that UTF-8 can write"),
    ({"boxes": BOX, "class_names": "\udcff"}, r"class_names\[0\] is '\\udcff', expected a text that UTF-8 can write"),
    (ONE | {"track_ids": [1, 2]}, "different lengths.* track_ids 2"),
    (ONE | {"track_ids": [1.5]}, r"track_ids\[0\] is 1.5, expected a whole number, a text or None"),
    (ONE | {"track_ids": np.array([1.5])}, r"track_ids\[0\] is 1.5, expected whole numbers"),
    (ONE | {"track_ids": "ab"}, "track_ids is one str, expected one entry for each object"),
    (ONE | {"track_ids": 5}, "track_ids is int, expected one entry for each object"),
    (ONE | {"thetas": [np.inf]}, r"thetas\[0\] is inf"),
    ({"thetas": [1], "points": [[1, 2]]}, "thetas are given without boxes"),
    (ONE | {"mask_threshold": 0}, "mask_threshold is given without masks"),
    (ONE | {"shape": "polygon"}, "shape is 'polygon', expected one of circle, ellipse"),
    (ONE | {"shape": "circle", "points": [[1, 2]]}, "shape is 'circle' beside points"),
    (ONE | {"size_hw": (0, 3)}, r"size_hw is \(0, 3\), expected \(h, w\)"),
    (ONE | {"size_hw": 36}, r"size_hw is 36, expected \(h, w\)"),
    (ONE | {"attributes": [{"Doors": None}]}, r"attributes\[0\] holds None, expected a text"),
    (ONE | {"attributes": {"Doors": 3}}, "attributes is one dict, expected one entry for each object"),
    (ONE | {"attributes": [{3: "a"}]}, r"attributes\[0\] has 3 for a question"),
    ({"masks": F, "class_ids": [0]}, r"masks has shape \(5, 8\), expected \(n, h, w\)"),
    ({"masks": np.stack([F, F])[None], "class_ids": [0]}, r"masks has shape \(1, 2, 5, 8\), expected \(n, h, w\) or"),
    ({"masks": 3, "class_ids": [0]}, "masks is int, expected one entry for each object"),
    (
        {"masks": [F, F.T], "class_ids": [0, 0]},
        r"\(h, w\) = \(8, 5\), but the first of them is \(5, 8\): .*never scaled",
    ),
    ({"masks": [F], "size_hw": (8, 5), "class_ids": [0]}, r"\(h, w\) = \(5, 8\), but size_hw is \(8, 5\): .*polygons"),
    ({"masks": [F[:0]], "class_ids": [0]}, r"\(h, w\) = \(0, 8\), expected at least one pixel"),
    ({"masks": [F.astype(np.float32)], "class_ids": [0]}, "masks are of float32, expected bool or uint8, or mask_thre"),
    ({"masks": [F.astype(np.int64)], "class_ids": [0]}, "masks are of int64"),
    ({"masks": [F], "mask_threshold": 0, "class_ids": [0]}, "masks are of bool, expected numbers to compare"),
    ({"masks": [np.where(F, np.nan, 0)], "mask_threshold": 0, "class_ids": [0]}, "masks hold NaN"),
    (
        {"masks": np.where(F, np.nan, 0).astype(np.float32)[None], "mask_threshold": 0, "class_ids": [0]},
        "masks: the score of pixel 1 is NaN",
    ),
    ({"masks": [F * 1.0], "mask_threshold": np.nan, "class_ids": [0]}, "mask_threshold is nan, expected a finite"),
    ({"masks": [F * 1.0], "mask_threshold": 10**400, "class_ids": [0]}, "mask_threshold is 1000.*expected a finite"),
    ({"masks": [F * 1.0], "mask_threshold": "0", "class_ids": [0]}, "mask_threshold is '0', expected a finite"),
    ({"masks": [F], "points": [[1, 2]], "class_ids": [0]}, "masks and points are given; an object is drawn as one"),
    ({"polygons": [[[1, 2], [3, 4]]], "class_ids": [0]}, r"polygons\[0\] has 2 vertices, expected at least 3"),
    ({"polygons": [[1, 2, 3, 4, 5, 6]], "class_ids": [0]}, r"polygons\[0\] has 1 levels of lists"),
    ({"polygons": [None], "class_ids": [0]}, r"polygons\[0\] is empty, and there are no boxes"),
    ({"polygons": [[]], "class_ids": [0]}, r"polygons\[0\] has 1 levels of lists"),
    ({"polygons": [[*HOLED, []]], "class_ids": [0]}, r"polygons\[0\] has a part without rings"),
    ({"polylines": [[[1, 2]]], "class_ids": [0]}, r"polylines\[0\] has 1 vertices, expected at least 2"),
    ({"polylines": [[[1, 2, 3], [1, 2, 3]]], "class_ids": [0]}, r"polylines\[0\] has shape \(2, 3\)"),
    ({"points": [[1, 2, 3]], "class_ids": [0]}, r"points has shape \(1, 3\), expected \(n, 2\)"),
    ({"keypoints": [[1, 2]], "class_ids": [0]}, r"keypoints has shape \(1, 2\), expected \(n, k, 2\)"),
    ({"keypoints": np.zeros((1, 0, 2)), "class_ids": [0]}, "expected at least one point for each object"),
    ({"keypoints": np.full((1, 2, 3), 0.87), "class_ids": [0]}, r"keypoints\[0, 0, 2\] is 0.87, expected a flag"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=[message[:60] for _, message in WRONG])
def test_what_does_not_fit_is_told_with_its_frame(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with PredictionWriter(tmp_path / "rows.parquet", classes=["Car", "Lorry"]) as writer:
        writer.add("drive.mp4", 7, **ONE)
        with pytest.raises(UsageError, match=rf"^drive\.mp4, frame 7: .*{message}"):
            writer.add("drive.mp4", 7, **given)
        assert len(writer) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.add("", 7, **ONE), "media is '', expected a title"),
        (lambda w: w.add(3, 7, **ONE), "media is 3, expected a title"),
        (lambda w: w.add("a\udcff.jpg", 7, **ONE), r"media is 'a\\udcff.jpg', expected a text that UTF-8 can write"),
        (lambda w: w.add("a", -1, **ONE), "frame is -1, expected a whole number from 0"),
        (lambda w: w.add("a", 1.0, **ONE), "frame is 1.0"),
        (lambda w: w.add("a", 2**32, **ONE), "frame is 4294967296"),
        (lambda w: w.add_answers("a", 5, 4, classification="c", value="v"), "a, frame 5: frame_last is 4, expected at"),
        (lambda w: w.add_answers("a", 5, classification="", value="v"), r"classification\[0\] is '', expected a text"),
        (lambda w: w.add_answers("a", 5, classification="c", value=None), "value holds None, expected a text"),
        (lambda w: w.add_answers("a", 5, classification="c", value=True), "value holds True"),
        (lambda w: w.add_answers("a", 5, classification="c", value=np.inf), "value holds inf"),
        (lambda w: w.add_answers("a", 5, classification="c", value="v", score=2), r"scores\[0\] is 2"),
    ],
)
def test_places_and_answers_that_do_not_fit(tmp_path: Path, call: Any, message: str) -> None:
    with PredictionWriter(tmp_path / "rows.parquet") as writer, pytest.raises(UsageError, match=message):
        call(writer)


def test_scores_beyond_the_range_by_rounding_are_put_right_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with PredictionWriter(path) as writer:
        scores = np.array([1.0000001, 0.5, -1e-7], np.float32)
        writer.add("a", boxes=BOX * 3, class_names="Car", scores=scores)
    assert polars.read_parquet(path)["score"].to_list() == [1.0, 0.5, 0.0]
    assert writer.warnings == {"score_clamped": 2}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_a_threshold_above_all_numbers_leaves_nothing(tmp_path: Path, dtype: Any) -> None:
    table = rows(tmp_path, masks=[F.astype(dtype)], mask_threshold=1e300)
    assert table["rle"].to_list() == strings(np.zeros((H, W), bool))
