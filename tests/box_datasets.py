"""Small COCO documents for tests in which the geometry does not matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Powers of two, so that fractions of them are whole numbers of px.
WIDTH, HEIGHT = 64, 32


def coco_boxes(boxes: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Make a dataset of boxes of class Car, on frame 0 of each medium.

    Args:
        boxes: Title -> boxes as fractions (x, y, w, h). None is a bad box and becomes a reject, 0 a crowd annotation.

    Returns:
        The COCO dataset.
    """
    images = [
        {"id": at, "file_name": title, "width": WIDTH, "height": HEIGHT, "frame_index": 0}
        for at, title in enumerate(boxes)
    ]
    annotations = []
    for image, on_image in zip(images, boxes.values(), strict=True):
        for box in on_image:
            annotation = {"id": len(annotations), "image_id": image["id"], "category_id": 1}
            if box == 0:
                annotation |= {"iscrowd": 1, "bbox": [1, 2, 4, 3]}
            elif box is None:
                annotation |= {"bbox": [1, 2, 4]}
            else:
                x, y, w, h = box
                annotation |= {"bbox": [x * WIDTH, y * HEIGHT, w * WIDTH, h * HEIGHT]}
            annotations.append(annotation)
    return {"images": images, "categories": [{"id": 1, "name": "Car"}], "annotations": annotations}
