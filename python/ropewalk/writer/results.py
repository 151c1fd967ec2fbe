"""Results of other libraries as the rows of a frame, known by their attributes: none of the libraries is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ropewalk.writer.checks import Floats, Place
from ropewalk.writer.columns import Rows
from ropewalk.writer.frames import Conventions, class_table, objects_of

SEGMENTS = ("masks", "polygons")

# Points of a skeleton that a model is less sure of than this are not in the picture, as Ultralytics draws them.
LEAST_KEYPOINT = 0.5

# Degrees by which a side may lean the wrong way and still count as level: corners are 32-bit floats.
LEVEL = 0.01


def objects_of_detections(place: Place, how: Conventions, detections: Any, size_hw: Any) -> Rows:
    """Take `supervision.Detections` of a frame of `size_hw`, or of the masks' size, or of the medium's.

    Raises:
        UsageError: Something in it does not fit.
    """
    how = replace(how, unit="px", box_format="xyxy")
    return objects_of(place, how, **_arguments_of_detections(place, detections), size_hw=size_hw)


def objects_of_results(place: Place, how: Conventions, results: Any, segments: str, keypoint_threshold: float) -> Rows:
    """Take `Results` of Ultralytics of a frame.

    Raises:
        UsageError: Something in it does not fit.
    """
    given, names = _arguments_of_results(place, results, segments, keypoint_threshold)
    classes = class_table(names) if how.classes is None else how.classes
    return objects_of(place, replace(how, classes=classes, unit="px", box_format="xyxy"), **given)


def objects_of_tracked_masks(
    place: Place,
    how: Conventions,
    obj_ids: Any,
    mask_logits: Any,
    class_names: str | Mapping[int, str] | None,
    mask_threshold: float,
    size_hw: Any,
) -> Rows:
    """Take what SAM 2 yields for a frame: an object id and logits (h, w) for each object.

    Raises:
        UsageError: Something in it does not fit, or an object has no name.
    """
    numbers = place.whole("obj_ids", obj_ids)
    if class_names is None:
        raise place.error("SAM 2 gives objects without classes; give class_names: one name, or names by object id")
    if isinstance(class_names, Mapping):
        unnamed = next((number for number in numbers if number not in class_names), None)
        if unnamed is not None:
            known = ", ".join(map(str, list(class_names)[:10]))
            raise place.error(f"obj_ids has {unnamed}, expected one of those in class_names: {known}")
    names = class_names if isinstance(class_names, str) else [class_names[number] for number in numbers]
    return objects_of(
        place,
        how,
        masks=mask_logits,
        mask_threshold=mask_threshold,
        class_names=names,
        track_ids=numbers,
        size_hw=size_hw,
    )


def _arguments_of_detections(place: Place, detections: Any) -> dict[str, Any]:
    """Take `supervision.Detections`: boxes, masks, confidences, classes, tracks; corners of turned boxes.

    Raises:
        UsageError: It lacks an attribute.
    """
    try:
        xyxy, mask = detections.xyxy, detections.mask
        names, corners = (detections.data.get(name) for name in ("class_name", "xyxyxyxy"))
        confidence, class_id, tracker_id = detections.confidence, detections.class_id, detections.tracker_id
    except AttributeError as e:
        raise place.error(f"detections is {type(detections).__name__}, expected supervision.Detections: {e}") from None
    given: dict[str, Any] = {"boxes": xyxy, "masks": mask, "scores": confidence, "track_ids": tracker_id}
    given |= {"class_ids": class_id} if names is None else {"class_names": names}
    if corners is not None and mask is None:
        given["boxes"], given["thetas"] = _boxes_with_corners(place, "data['xyxyxyxy']", corners)
    return given


def _arguments_of_results(
    place: Place, results: Any, segments: str, keypoint_threshold: float
) -> tuple[dict[str, Any], Any]:
    """Take `Results` of Ultralytics: boxes, turned boxes, masks or their outlines, keypoints.

    Returns:
        The arguments, and the names of class ids.

    Raises:
        UsageError: It lacks an attribute, holds no objects, or its masks are not of the frame's size.
    """
    if segments not in SEGMENTS:
        raise place.error(f"segments is {segments!r}, expected one of {', '.join(SEGMENTS)}")
    try:
        # Only newer ones have turned boxes.
        turned = getattr(results, "obb", None) is not None
        found = results.obb if turned else results.boxes
        names, masks, keypoints, size_hw = results.names, results.masks, results.keypoints, results.orig_shape
        if found is None:
            raise place.error("results holds no boxes; answers to classifications go to add_answers")
        given = {"scores": found.conf, "class_ids": found.cls, "track_ids": found.id, "size_hw": size_hw}
        if turned:
            given["boxes"], given["thetas"] = _turned(place, found)
        else:
            given["boxes"] = found.xyxy
        if masks is not None and segments == "polygons":
            # Of what is smaller than a pixel of the network there is no outline; its box is left.
            given["polygons"] = [outline if len(outline) >= 3 else None for outline in masks.xy]
        elif masks is not None:
            given["masks"] = _whole_frame(place, masks.data, place.size_hw(size_hw))
        elif keypoints is not None:
            given["keypoints"] = _with_flags(place, keypoints.data, keypoint_threshold)
    except AttributeError as e:
        raise place.error(f"results is {type(results).__name__}, expected Results of Ultralytics: {e}") from None
    return given, names


def _whole_frame(place: Place, data: Any, size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    masks = place.array("masks.data", data)
    if masks.ndim == 3 and masks.shape[1:] != size_hw:
        raise place.error(
            f"masks.data has shape {masks.shape}, but the frame is (h, w) = {size_hw}: masks are never scaled; "
            'predict with retina_masks=True, or give segments="polygons" for their outlines'
        )
    return masks > 0


def _with_flags(place: Place, data: Any, threshold: float) -> Floats:
    """Turn the confidence of each point into a flag of visibility."""
    points = place.points("keypoints.data", data, least=threshold)
    if points.shape[2] == 3:
        points[:, :, 2] = np.where(points[:, :, 2] < threshold, 0, 2)
    return points


def _turned(place: Place, found: Any) -> tuple[Floats, Floats]:
    """Find the turned boxes of Ultralytics: by their corners, so that they are the same as through supervision."""
    corners = getattr(found, "xyxyxyxy", None)
    if corners is not None:
        return _boxes_with_corners(place, "obb.xyxyxyxy", corners)
    xywhr = place.numbers("obb.xywhr", found.xywhr, "(n, 5)", (5,))
    return _level(xywhr[:, :2], xywhr[:, 2:4], np.degrees(xywhr[:, 4]))


def _boxes_with_corners(place: Place, name: str, corners: Any) -> tuple[Floats, Floats]:
    """Find the boxes of which these are the corners, (n, 4, 2) in turn."""
    points = place.numbers(name, corners, "(n, 4, 2)", (4,), (2,))
    first, second, third, fourth = (points[:, at] for at in range(4))
    # Opposite sides count alike.
    across, down = (second - first + third - fourth) / 2, (fourth - first + third - second) / 2
    sides = np.stack([np.hypot(*across.T), np.hypot(*down.T)], axis=1)
    return _level(points.mean(axis=1), sides, np.degrees(np.arctan2(across[:, 1], across[:, 0])))


def _level(centres: Floats, sides: Floats, degrees: Floats) -> tuple[Floats, Floats]:
    """Give boxes as xyxy before they are turned, and degrees clockwise of less than a quarter turn.

    A rectangle has four such forms, and each library begins at another corner.
    """
    quarters = np.floor((degrees + LEVEL) / 90)
    sides = np.where(quarters[:, None] % 2 == 1, sides[:, ::-1], sides)
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1), degrees - 90 * quarters
