"""Streams of a video's results: each item gets its frame, and the rows that the same item has alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace as Stub
from typing import Any

import ml_dtypes
import numpy as np
import polars
import pytest

from ropewalk import PredictionWriter
from ropewalk.errors import UsageError

H, W = 5, 8
F = np.zeros((H, W), bool)
F[0, 1:4] = F[1:4, 1] = F[2, 2] = F[4, 7] = True
LOGITS = np.where(np.stack([F, ~F])[:, None], 2.5, -4).astype(np.float32)


class Bfloat16:
    """What torch calls the type, in its words."""

    def __repr__(self) -> str:
        return "torch.bfloat16"


class Tensor:
    """A tensor of torch with gradients, as models under autocast give it: numpy has no type like its own."""

    def __init__(self, values: Any, dtype: Any, gradients: bool = True) -> None:
        self.values, self.dtype, self.gradients = np.asarray(values, np.float32), dtype, gradients

    @property
    def ndim(self) -> int:
        return int(self.values.ndim)

    def detach(self) -> Tensor:
        return Tensor(self.values, self.dtype, gradients=False)

    def cpu(self) -> Tensor:
        return self

    def float(self) -> Tensor:
        return Tensor(self.values, "torch.float32", self.gradients)

    def numpy(self) -> Any:
        if self.gradients:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if repr(self.dtype) == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.numpy()


def rows(folder: Path, add: Callable[[PredictionWriter], object], **options: Any) -> polars.DataFrame:
    """Write what is added and read it back."""
    path = folder / "rows.parquet"
    with PredictionWriter(path, **options) as writer:
        add(writer)
    return polars.read_parquet(path)


def result(corner: int) -> Any:
    boxes = Stub(xyxy=[[corner, 1, corner + 2, 4]], conf=[0.5], cls=[2], id=[7])
    masks = Stub(data=F[None], xy=[np.array([[1, 0], [4, 0], [1, 4]])])
    return Stub(boxes=boxes, obb=None, masks=masks, keypoints=None, names={2: "Car"}, orig_shape=(H, W))


def detections(corner: int, n: int = 1) -> Any:
    return Stub(
        xyxy=np.array([[corner, 1, corner + 2, 4]] * n).reshape(n, 4),
        mask=None,
        confidence=np.full(n, 0.5),
        class_id=np.full(n, 2),
        tracker_id=np.full(n, 7),
        data={"class_name": ["Car"] * n},
    )


def test_results_are_numbered_in_order(tmp_path: Path) -> None:
    def stream() -> Iterator[Any]:
        yield from (result(corner) for corner in range(3))

    def one_by_one(writer: PredictionWriter) -> None:
        for corner in range(3):
            writer.add_results("drive.mp4", 10 + 5 * corner, result(corner), segments="polygons")

    numbers = []
    table = rows(
        tmp_path,
        lambda w: numbers.append(
            w.add_video("drive.mp4", stream(), first_frame=10, frame_stride=5, segments="polygons")
        ),
    )
    assert table.equals(rows(tmp_path, one_by_one))
    assert table.select("frame", "shape").rows() == [(10, "polygon"), (15, "polygon"), (20, "polygon")]
    assert numbers == [3]


def test_detections_without_objects_take_a_number(tmp_path: Path) -> None:
    stream = [detections(0), detections(1, n=0), detections(2)]
    table = rows(tmp_path, lambda w: w.add_video("drive.mp4", stream, size_hw=(H, W)))
    assert table.select("frame", "box", "track", "class", "height_px").rows() == [
        (0, [0, 1, 2, 3], "7", "Car", H),
        (2, [2, 1, 2, 3], "7", "Car", H),
    ]


@pytest.mark.parametrize("kind", ["numpy", "torch.bfloat16", "ml_dtypes"])
def test_sam_2_has_numbers_of_its_own(tmp_path: Path, kind: str) -> None:
    """It goes backwards, too; its logits are (n, 1, h, w)."""
    logits = {
        "numpy": LOGITS,
        "torch.bfloat16": Tensor(LOGITS, Bfloat16()),
        "ml_dtypes": LOGITS.astype(ml_dtypes.bfloat16),
    }[kind]
    stream = [(3, [1, 4], logits), (2, [4, 1], logits), (1, [], np.empty((0, 1, H, W)))]

    def dense(writer: PredictionWriter) -> None:
        for frame, ids in ((3, [1, 4]), (2, [4, 1])):
            names = [{1: "Car", 4: "Road"}[number] for number in ids]
            writer.add("drive.mp4", frame, masks=[F, ~F], class_names=names, track_ids=ids)

    expected = rows(tmp_path, dense)
    assert expected["rle"].n_unique() == 2
    found = rows(tmp_path, lambda w: w.add_video("drive.mp4", stream, class_names={1: "Car", 4: "Road"}))
    assert found.equals(expected)
    strided = rows(
        tmp_path, lambda w: w.add_video("drive.mp4", stream, class_names="Car", first_frame=7, frame_stride=2)
    )
    assert strided.select("frame", "class", "track").rows() == [
        (13, "Car", "1"),
        (13, "Car", "4"),
        (11, "Car", "4"),
        (11, "Car", "1"),
    ]
    all_of_it = rows(tmp_path, lambda w: w.add_video("drive.mp4", stream[:1], class_names="Car", mask_threshold=-5))
    assert set(all_of_it["rle"]) == {b"0X1"}


@pytest.mark.parametrize("dtype", ["torch.bfloat16", "ml_dtypes"])
def test_bfloat16_is_taken_for_every_array(tmp_path: Path, dtype: str) -> None:
    def half(values: Any) -> Any:
        if dtype == "ml_dtypes":
            return np.array(values, ml_dtypes.bfloat16)
        return Tensor(values, Bfloat16())

    table = rows(
        tmp_path,
        lambda w: w.add(
            "a", boxes=half([[2, 3, 12, 8.5]]), scores=half([0.25]), class_ids=half([3]), thetas=half([30])
        ),
    )
    assert table.select("box", "score", "class", "theta").rows() == [([2, 3, 10, 5.5], 0.25, "3", 30)]


@pytest.mark.parametrize(
    ("results", "options", "message"),
    [
        (detections(0), {}, "results is one SimpleNamespace; expected a stream with one for each frame"),
        (result(0), {}, "results is one SimpleNamespace"),
        (3, {}, "results is int; expected a stream with one item for each frame: Results of Ultralytics, sup"),
        ([detections(0), None], {}, r"results\[1\] is NoneType; expected Results of Ultralytics, supervision.Detect"),
        ([detections(0), (1, 2)], {}, r"results\[1\] is tuple; expected .*\(frame_idx, obj_ids, mask_logits\)"),
        ([(0.5, [1], LOGITS[:1])], {}, r"frame_idx of results\[0\] is 0.5, expected a whole number from 0"),
        ([detections(0)], {"frame_stride": 0}, "frame_stride is 0; expected at least 1"),
        ([detections(0)], {"first_frame": -1}, "first_frame is -1, expected a whole number from 0"),
        ([(0, [1], LOGITS[:1])], {}, "drive.mp4, frame 0: SAM 2 gives objects without classes; give class_names"),
        ([(0, [1], LOGITS)], {"class_names": "Car"}, "frame 0: .*different lengths.* masks 2, track_ids 1"),
        (
            [(0, [1, 5], LOGITS)],
            {"class_names": {1: "Car"}},
            "frame 0: obj_ids has 5, expected one of those in class_names: 1",
        ),
        (
            [(0, [1], LOGITS[:1, :, ::2])],
            {"class_names": "Car", "size_hw": (H, W)},
            r"frame 0: masks of \(h, w\) = \(3, 8\), but size_hw is \(5, 8\)",
        ),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, results: Any, options: dict[str, Any], message: str) -> None:
    with PredictionWriter(tmp_path / "rows.parquet") as writer, pytest.raises(UsageError, match=message):
        writer.add_video("drive.mp4", results, **options)


def test_a_bad_frame_of_a_stream_is_skipped_and_the_next_keeps_its_number(tmp_path: Path) -> None:
    bad = detections(1)
    bad.confidence = [1.5]
    path = tmp_path / "rows.parquet"
    with pytest.warns(UserWarning, match="1 frame skipped"), PredictionWriter(path, on_error="skip") as writer:
        assert writer.add_video("drive.mp4", [detections(0), bad, detections(2)]) == 3
    assert polars.read_parquet(path)["frame"].to_list() == [0, 2]
