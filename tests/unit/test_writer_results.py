"""Results of supervision and Ultralytics, by stand-ins with just the attributes that theirs have."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from ropewalk import PredictionWriter
from ropewalk.errors import UsageError

H, W = 36, 64
XYXY = np.array([[2, 3, 12, 8], [1, 1, 5, 4.5]], np.float32)
XYWH = [[2, 3, 10, 5], [1, 1, 4, 3.5]]
NAMES = {0: "Car", 5: "Lorry"}
MASKS = np.zeros((2, H, W), bool)
MASKS[0, 3:9, 20:50] = MASKS[0, 9:30, 20:24] = MASKS[1, 1, 2:7] = True


@dataclass
class Detections:
    xyxy: Any
    mask: Any = None
    confidence: Any = None
    class_id: Any = None
    tracker_id: Any = None
    data: dict[str, Any] = field(default_factory=dict)


class Tensor:
    """Stays on its device until it is fetched, as a tensor does."""

    def __init__(self, values: Any, dtype: Any = np.float32) -> None:
        self._values = np.asarray(values, dtype)

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> Any:
        return self._values

    @property
    def ndim(self) -> int:
        return int(self._values.ndim)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


@dataclass
class Boxes:
    xyxy: Any
    conf: Any
    cls: Any
    id: Any = None


@dataclass
class Turned:
    xywhr: Any
    conf: Any
    cls: Any
    id: Any = None
    xyxyxyxy: Any = None


@dataclass
class Masks:
    data: Any
    xy: list[Any]


@dataclass
class Keypoints:
    data: Any


@dataclass
class Results:
    boxes: Any = None
    obb: Any = None
    masks: Any = None
    keypoints: Any = None
    names: Any = field(default_factory=lambda: NAMES)
    orig_shape: tuple[int, int] = (H, W)


def found(**more: Any) -> Results:
    """Make results of two boxes, and more."""
    boxes = Boxes(Tensor(XYXY), Tensor([0.5, 0.25]), Tensor([5, 0]), more.pop("id", None))
    return Results(boxes=boxes, **more)


def table(folder: Path, results: Any, *, classes: Any = None, unit: str = "px", **options: Any) -> polars.DataFrame:
    """Write one frame and read it back."""
    path = folder / "rows.parquet"
    # What a writer says of its arrays does not change what these libraries give.
    with PredictionWriter(path, classes=classes, unit=unit, box_format="xywh") as writer:
        add = writer.add_detections if isinstance(results, Detections) else writer.add_results
        add("drive.mp4", 7, results, **options)
    return polars.read_parquet(path)


def strings(masks: Any) -> list[bytes]:
    from ropewalk import rle

    return [text.encode() for text in rle.encode_many(masks)]


@pytest.mark.parametrize("unit", ["px", "frac"])
def test_detections(tmp_path: Path, unit: str) -> None:
    names = {"class_name": np.array(["Lorry", "Car"])}
    detections = Detections(XYXY, None, np.array([0.5, 0.25]), np.array([5, 0]), np.array([17, 3]), names)
    rows = table(tmp_path, detections, unit=unit, size_hw=(H, W))
    assert rows.select("class", "track", "score", "shape", "unit", "box", "height_px", "width_px").rows() == [
        ("Lorry", "17", 0.5, "bounding_box", "px", XYWH[0], H, W),
        ("Car", "3", 0.25, "bounding_box", "px", XYWH[1], H, W),
    ]


def test_detections_of_class_ids_with_masks(tmp_path: Path) -> None:
    rows = table(tmp_path, Detections(XYXY, MASKS, class_id=np.array([5, 0])), classes=NAMES)
    assert rows.select("class", "track", "score", "shape", "box", "rle", "height_px").rows() == [
        ("Lorry", None, None, "bitmask", XYWH[0], strings(MASKS)[0], H),
        ("Car", None, None, "bitmask", XYWH[1], strings(MASKS)[1], H),
    ]


def test_detections_of_turned_boxes(tmp_path: Path) -> None:
    """Corners in turn from any of them: the same rectangle."""
    centre, across, down = np.array([30, 20]), np.array([8, 6]), np.array([-3, 4])
    corners = np.array([centre - across - down, centre + across - down, centre + across + down, centre - across + down])
    detections = Detections(XYXY, class_id=np.array([5, 0]), data={"xyxyxyxy": [corners, np.roll(corners, 1, axis=0)]})
    rows = table(tmp_path, detections)
    assert set(rows["shape"]) == {"rotatable_bounding_box"}
    angle = float(np.degrees(np.arctan2(6, 8)))
    for row in rows.select("box", "theta").rows():
        assert row == (pytest.approx([20, 15, 20, 10]), pytest.approx(angle))


@pytest.mark.parametrize("degrees", [0, 30, 89.9999, 90, 120, -15, 179.9999, 360])
def test_a_turned_result_is_the_same_box_through_supervision(tmp_path: Path, degrees: float) -> None:
    """Ultralytics' corners begin at another one than its width and height say; they are 32-bit floats."""
    radians = np.float32(np.radians(degrees))
    w, h = [
        np.float32(side) * np.array([np.cos(turn), np.sin(turn)]) / 2
        for side, turn in ((20, radians), (10, radians + np.pi / 2))
    ]
    centre = np.array([30, 20])
    corners = np.array([[centre + w + h, centre + w - h, centre - w - h, centre - w + h]], np.float32)
    xywhr = Tensor([[30, 20, 20, 10, radians]])
    results = [Turned(xywhr, Tensor([0.5]), Tensor([5]), xyxyxyxy=given) for given in (None, Tensor(corners))]
    detections = Detections(XYXY[:1], None, np.array([0.5]), np.array([5]), data={"xyxyxyxy": corners})
    tables = [table(tmp_path, found) for found in (*(Results(obb=one) for one in results), detections)]
    by_angle, by_corners, through_supervision = (found.select("box", "theta").row(0) for found in tables)
    assert by_corners == through_supervision
    assert by_angle == (pytest.approx(by_corners[0], abs=1e-4), pytest.approx(by_corners[1], abs=1e-3))
    assert -0.01 <= by_corners[1] < 90


def test_no_detections(tmp_path: Path) -> None:
    nothing = np.empty(0)
    assert len(table(tmp_path, Detections(np.empty((0, 4), np.float32), None, nothing, nothing))) == 0
    boxes = Boxes(Tensor(np.empty((0, 4))), Tensor([]), Tensor([]))
    empty = Results(boxes=boxes, keypoints=Keypoints(Tensor(np.empty((0, 17, 3)))))
    assert len(table(tmp_path, empty)) == 0


@pytest.mark.parametrize("unit", ["px", "frac"])
def test_results_of_boxes(tmp_path: Path, unit: str) -> None:
    rows = table(tmp_path, found(id=Tensor([17, 3])), unit=unit)
    assert rows.select("class", "track", "score", "shape", "unit", "box", "height_px", "width_px").rows() == [
        ("Lorry", "17", 0.5, "bounding_box", "px", XYWH[0], H, W),
        ("Car", "3", 0.25, "bounding_box", "px", XYWH[1], H, W),
    ]
    assert table(tmp_path, found(), classes={0: "a", 5: "b"})["class"].to_list() == ["b", "a"]


def test_turned_results_are_in_radians(tmp_path: Path) -> None:
    turned = Turned(Tensor([[30, 20, 20, 10, 0.5]]), Tensor([0.5]), Tensor([5]))
    (row,) = table(tmp_path, Results(obb=turned)).select("shape", "box", "theta").rows()
    assert row == ("rotatable_bounding_box", [20, 15, 20, 10], pytest.approx(28.6478897565))


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.bool_])
def test_masks_of_the_size_of_the_frame(tmp_path: Path, dtype: Any) -> None:
    rows = table(tmp_path, found(masks=Masks(Tensor(MASKS, dtype), [])))
    assert rows.select("shape", "rle", "height_px", "width_px").rows() == [
        ("bitmask", text, H, W) for text in strings(MASKS)
    ]


def test_masks_of_another_size_are_not_scaled(tmp_path: Path) -> None:
    ring = np.array([[2, 3], [12, 3.5], [7, 8]], np.float32)
    small = found(masks=Masks(Tensor(MASKS[:, ::2, ::2]), [ring, np.empty((0, 2), np.float32)]))
    with pytest.raises(UsageError, match=r"drive\.mp4, frame 7: masks.data has shape \(2, 18, 32\).*\(36, 64\).*never"):
        table(tmp_path, small)
    rows = table(tmp_path, small, segments="polygons")
    assert rows.select("shape", "points", "box", "rle").rows() == [
        ("polygon", [[[2, 3, 12, 3.5, 7, 8]]], XYWH[0], None),
        ("bounding_box", None, XYWH[1], None),
    ]


def test_points_that_are_not_in_the_picture_may_be_anywhere(tmp_path: Path) -> None:
    points = [[[2, 3, 0.9], [np.nan, np.inf, 0.4]]]
    boxes = Boxes(Tensor(XYXY[:1]), Tensor([0.5]), Tensor([5]))
    rows = table(tmp_path, Results(boxes=boxes, keypoints=Keypoints(Tensor(points))))
    assert rows.select("points", "visibility").row(0) == ([[[2, 3, 0, 0]]], [2, 0])
    with pytest.raises(UsageError, match=r"keypoints.data\[0, 1, 0\] is nan"):
        table(tmp_path, Results(boxes=boxes, keypoints=Keypoints(Tensor(points))), keypoint_threshold=0.3)


def test_keypoints_get_flags(tmp_path: Path) -> None:
    points = [[[2, 3, 0.9], [12, 8, 0.4]], [[1, 1, 0.5], [5, 4.5, 0]]]
    rows = table(tmp_path, found(keypoints=Keypoints(Tensor(points))))
    assert rows.select("shape", "points", "visibility", "box").rows() == [
        ("skeleton", [[[2, 3, 12, 8]]], [2, 0], XYWH[0]),
        ("skeleton", [[[1, 1, 5, 4.5]]], [2, 0], XYWH[1]),
    ]
    surer = table(tmp_path, found(keypoints=Keypoints(Tensor(points))), keypoint_threshold=0.6)
    assert surer["visibility"].to_list() == [[2, 0], [0, 0]]
    plain = table(tmp_path, found(keypoints=Keypoints(Tensor(np.array(points)[..., :2]))))
    assert plain["visibility"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("results", "options", "message"),
    [
        (Results(), {}, "results holds no boxes; answers to classifications go to add_answers"),
        (object(), {}, "results is object, expected Results of Ultralytics: .*boxes"),
        (Results(boxes=object()), {}, "expected Results of Ultralytics: .*conf"),
        (found(), {"segments": "both"}, "segments is 'both', expected one of masks, polygons"),
        (found(names={0: "Car"}), {}, r"class_ids\[0\] is 5, expected one of those in classes: 0"),
        (Detections(XYXY), {}, "class_ids or class_names are missing"),
        (Detections(XYXY, data=None), {}, "expected supervision.Detections: .*get"),  # type: ignore[arg-type]
    ],
)
def test_what_does_not_fit_is_told_with_its_frame(
    tmp_path: Path, results: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"^drive.mp4, frame 7: .*{message}"):
        table(tmp_path, results, **options)
    with PredictionWriter(tmp_path / "rows.parquet") as writer, pytest.raises(UsageError, match="object.*supervision"):
        writer.add_detections("drive.mp4", 7, object())
