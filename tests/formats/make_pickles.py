"""Write the examples that are pickles.

Run it as `PYTHONHASHSEED=0 PYTHONPATH=tests python tests/formats/make_pickles.py`.
Sets are pickled in the order of hashes.
"""

from __future__ import annotations

import pickle
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from active_classes import OLD_MODULE, dump, make_classes
from snapshots import hash_of

FOLDER = Path(__file__).resolve().parent / "active-pkl"
VIDEO, IMAGE = hash_of("drive.mp4"), hash_of("still.jpg")

Json = dict[str, Any]


def mask(height: int, width: int) -> np.ndarray[Any, Any]:
    """Draw an F, which is neither square nor symmetric."""
    dense = np.zeros((height, width), np.uint8)
    dense[4:30, 5:9] = 1
    dense[4:9, 5:20] = 1
    dense[14:18, 9:15] = 1
    return dense


def detections(classes: types.SimpleNamespace) -> list[Any]:
    """Make a prediction of each kind, of a video of 64 x 36 px and an image of 30 x 50 px."""

    def detect(format_: Any, data: Any, feature_hash: str, track_id: Any = None) -> Any:
        return classes.ObjectDetection(format=format_, data=data, feature_hash=feature_hash, track_id=track_id)

    box = classes.BoundingBox(x=0.125, y=0.25, h=0.5, w=0.375, theta=0.0)
    turned = classes.BoundingBox(x=0.25, y=0.25, h=0.125, w=0.5, theta=30.0)
    polygon = np.array([[0.1, 0.2], [0.5, 0.3], [0.25, 0.75]])
    pixels = np.array([[3, 4], [40, 6], [21, 30]], np.int64)
    answer = classes.FrameClassification(feature_hash="cls-wthr", attribute_hash="att-wthr", option_hash="opt-nght")
    polygons, masks = classes.Format.POLYGON, classes.Format.MASK
    return [
        classes.Prediction(data_hash=VIDEO, frame=3, confidence=0.5, object=shape)
        for shape in (
            detect(classes.Format.BOUNDING_BOX, box, "obj-car1", "7"),
            detect(classes.Format.BOUNDING_BOX, turned, "obj-ship", 12),
            detect(polygons, polygon, "obj-road"),
            detect(polygons, pixels, "obj-road"),
            # Encord Active's importer of masks calls them polygons.
            detect(polygons, mask(36, 64), "obj-tree"),
            detect(masks, np.asfortranarray(mask(36, 64)[::-1] > 0), "obj-tree"),
        )
    ] + [
        classes.Prediction(data_hash=VIDEO, frame=5, confidence=np.float64(0.75), classification=answer),
        classes.Prediction(data_hash=IMAGE, confidence=0.25, object=detect(masks, mask(50, 30), "obj-tree")),
    ]


def flat(classes: types.SimpleNamespace) -> list[Any]:
    """Make predictions as Encord Active had them before 0.1.33."""
    common = {"data_hash": VIDEO, "frame": 4, "confidence": 0.5}
    box = classes.BoundingBox(x=0.125, y=0.25, h=0.5, w=0.375)
    polygon = np.array([[0.1, 0.2], [0.5, 0.3], [0.25, 0.75]])
    return [
        classes.Prediction(**common, class_id="obj-car1", format=classes.Format.BOUNDING_BOX, data=box, track_id="7"),
        classes.Prediction(**common, class_id="obj-road", format=classes.Format.POLYGON, data=polygon),
    ]


def wrong(classes: types.SimpleNamespace) -> dict[str, Any]:
    """Make predictions that are rejected, by their reject's code and their name."""
    box = classes.BoundingBox(x=0.125, y=0.25, h=0.5, w=0.375)
    formats = classes.Format
    answer = classes.FrameClassification(feature_hash="cls-wthr", attribute_hash="att-wthr", option_hash="opt-nght")

    def detect(changes: Json) -> Any:
        fields = {"format": formats.BOUNDING_BOX, "data": box, "feature_hash": "obj-car1"} | changes
        return classes.ObjectDetection.construct(**fields)

    def predict(object_changes: Json | None = None, **changes: Any) -> Any:
        fields = {"data_hash": VIDEO, "frame": 3, "confidence": 0.5, "object": detect(object_changes or {})}
        return classes.Prediction.construct(**fields | changes)

    line = np.array([[0.1, 0.2], [0.5, 0.3]])
    small = mask(50, 30)
    return {
        "missing_field/hash": predict(data_hash=None),
        "missing_field/class": predict({"feature_hash": None}),
        "bad_field/frame": predict(frame=-1),
        "bad_field/both": predict(classification=answer),
        "bad_field/neither": predict(object=None),
        "bad_field/array": predict({"format": formats.MASK, "data": np.zeros((2, 3, 4), np.uint8)}),
        "bad_field/floats": predict({"format": formats.MASK, "data": np.zeros((36, 64), np.float32)}),
        "bad_field/track": predict({"track_id": 1.5}),
        "bad_field/item": ["a text"],
        "negative_box/turned": predict({"data": box.copy(update={"w": -0.25})}),
        "bad_polygon/line": predict({"format": formats.POLYGON, "data": line, "feature_hash": "obj-road"}),
        "not_finite/score": predict(confidence=float("nan")),
        "score_range/logit": predict(confidence=7.5),
        "unknown_media/hash": predict(data_hash="0" * 8),
        "unknown_class/hash": predict({"feature_hash": "obj-none"}),
        "mask_size/small": predict({"format": formats.MASK, "data": small, "feature_hash": "obj-tree"}),
    }


def write(path: str, content: bytes) -> None:
    """Write an example."""
    target = FOLDER / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def main() -> None:
    """Write all pickles."""
    old, new, first = make_classes(1), make_classes(2), make_classes(1, flat=True, module=OLD_MODULE)
    for protocol in (2, 4, 5):
        write(f"good/protocol-{protocol}.pkl", dump(old, detections(old), protocol, numpy_1=protocol == 4))
    for protocol in (0, 1):
        # Masks are long in them.
        without_masks = [detections(old)[at] for at in (0, 2, 3, 6)]
        write(f"good/protocol-{protocol}.pkl", dump(old, without_masks, protocol, numpy_1=protocol == 1))
    write("good/pydantic-2.pkl", dump(new, detections(new), 4))
    write("good/flat.pkl", dump(first, flat(first), 3))
    for path, prediction in wrong(old).items():
        items = prediction if isinstance(prediction, list) else [prediction]
        write(f"malformed/{path}.pkl", dump(old, items, 4))
    whole = dump(old, detections(old)[:1], 4)
    write("malformed/blocker-ends/cut.pkl", whole[:-30])
    write("malformed/blocker-follows/twice.pkl", whole + whole)
    write("malformed/blocker-list/single.pkl", dump(old, detections(old)[0], 4))
    write("malformed/blocker-OrderedDict/name.pkl", pickle.dumps([OrderedDict(a=1)], 4))
    write("malformed/blocker-opcode/persistent.pkl", b"\x80\x04]\x94P0\n.")


if __name__ == "__main__":
    main()
