"""HOTA, MOTA and IDF1 of tracks, by trackeval; needs the extra `ropewalk[tracking]`."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ropewalk.errors import UsageError
from ropewalk.evaluating.details import on_ignored, pair_up
from ropewalk.text import shown

if TYPE_CHECKING:
    from ropewalk.evaluating.coco_rows import Fields
    from ropewalk.evaluating.matching import Pair
    from ropewalk.evaluating.metrics import ClassMetrics

# What trackeval calls the figures, by our names; those of HOTA are means over its thresholds.
_FIGURES: dict[str, tuple[str, str]] = {
    "HOTA": ("HOTA", "HOTA"),
    "DetA": ("HOTA", "DetA"),
    "AssA": ("HOTA", "AssA"),
    "MOTA": ("CLEAR", "MOTA"),
    "IDF1": ("Identity", "IDF1"),
}
_COUNTS: dict[str, tuple[str, str]] = {
    "id_switches": ("CLEAR", "IDSW"),
    "false_positives": ("CLEAR", "CLR_FP"),
    "false_negatives": ("CLEAR", "CLR_FN"),
}

# Name of a metric of trackeval -> its fields, as trackeval gives them.
_Result: TypeAlias = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class TrackMetrics:
    """How well tracks were found.

    Attributes:
        name: Name of the class or medium; empty for all of them.
        metrics: HOTA, DetA, AssA, MOTA and IDF1, at most 1. MOTA may be below 0.
        counts: id_switches, false_positives and false_negatives, at an overlap of 0.5.
        label_tracks: Tracks of the labels.
        predicted_tracks: Tracks of the predictions.
    """

    name: str
    metrics: dict[str, float]
    counts: dict[str, int]
    label_tracks: int
    predicted_tracks: int


@dataclass(frozen=True)
class Tracking:
    """How well tracks were found.

    Attributes:
        all: All media and classes. Classes are joined by their detections (trackeval's `cls_comb_det_av`).
        classes: Each class that has labels or predictions.
        media: Each medium.
    """

    all: TrackMetrics
    classes: list[TrackMetrics]
    media: list[TrackMetrics]


def track(
    frames: Mapping[tuple[str, int], Pair],
    classes: Mapping[int, ClassMetrics],
    titles: Mapping[str, str],
    iou: str,
    labels_from: str,
) -> Tracking:
    """Measure tracks.

    Args:
        frames: Medium and frame -> labels and predictions, each with its category_id and track. An object without a
            track is a track of its own.
        classes: Category id -> class, those that have labels or predictions.
        titles: What a medium is called -> title, where it is another.
        iou: bbox, segm or keypoints.
        labels_from: Where the labels are from, for messages.

    Raises:
        UsageError: trackeval is not installed, no label has a track, or a track is twice on a frame.
    """
    metrics = _metrics()
    if not any(item["track"] is not None for labels, _ in frames.values() for item in labels):
        raise UsageError(
            f"{labels_from}: no label has a track; tracking metrics compare tracks, so give labels with a `track_id`"
        )
    media: dict[str, list[tuple[int, Pair]]] = {}
    for (medium, frame), pair in sorted(frames.items(), key=lambda item: item[0]):
        media.setdefault(medium, []).append((frame, pair))
    results: dict[tuple[int, str], _Result] = {}
    tracks: dict[tuple[int, str], tuple[int, int]] = {}
    with redirect_stdout(io.StringIO()):
        for number, item in classes.items():
            for medium, on_frames in media.items():
                data = _sequence(on_frames, number, iou, f"{titles.get(medium, medium)}, class {item.name}")
                tracks[number, medium] = data["num_gt_ids"], data["num_tracker_ids"]
                results[number, medium] = {name: metric.eval_sequence(data) for name, metric in metrics.items()}

        def joined(name: str, wanted: Callable[[tuple[int, str]], bool]) -> TrackMetrics:
            chosen = [key for key in results if wanted(key)]
            of_classes: dict[int, _Result] = {}
            for number in {key[0]: None for key in chosen}:
                of_media = {key[1]: results[key] for key in chosen if key[0] == number}
                of_classes[number] = {
                    name: metric.combine_sequences({medium: result[name] for medium, result in of_media.items()})
                    for name, metric in metrics.items()
                }
            whole = {
                name: metric.combine_classes_det_averaged({n: result[name] for n, result in of_classes.items()})
                for name, metric in metrics.items()
            }
            # With one class there is nothing to join.
            result = whole if len(of_classes) != 1 else next(iter(of_classes.values()))
            n_labels, n_predictions = (sum(tracks[key][side] for key in chosen) for side in (0, 1))
            return _figures(name, result, n_labels, n_predictions)

        return Tracking(
            joined("", lambda key: True),
            [joined(item.name, lambda key, number=number: key[0] == number) for number, item in classes.items()],  # type: ignore[misc]
            [joined(titles.get(name, name), lambda key, name=name: key[1] == name) for name in media],  # type: ignore[misc]
        )


def _metrics() -> dict[str, Any]:
    try:
        # It prints which of its data sets lack a package.
        with redirect_stdout(io.StringIO()):
            from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as e:
        raise UsageError(
            f"tracking metrics need {e.name or 'trackeval'}; install it with: pip install 'ropewalk[tracking]'"
        ) from None
    quiet = {"PRINT_CONFIG": False}
    return {"HOTA": HOTA(), "CLEAR": CLEAR(quiet), "Identity": Identity(quiet)}


def _sequence(frames: Sequence[tuple[int, Pair]], number: int, iou: str, where: str) -> dict[str, Any]:
    """Give the frames of a medium with the objects of a class in trackeval's form."""
    import numpy as np

    from ropewalk.evaluating.matching import is_ignored, similarity

    ids: tuple[dict[Any, int], dict[Any, int]] = ({}, {})
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for frame, pair in frames:
        labels, found = ([item for item in side if item["category_id"] == number] for side in pair)
        if any(is_ignored(item, iou) for item in labels):
            left = set(range(len(found))) - set(pair_up(labels, found, iou).values())
            dropped = on_ignored(labels, found, iou, left)
            labels = [item for item in labels if not is_ignored(item, iou)]
            found = [item for n, item in enumerate(found) if n not in dropped]
        data["gt_ids"].append(_numbered(labels, ids[0], frame, f"labels of {where}"))
        data["tracker_ids"].append(_numbered(found, ids[1], frame, f"predictions of {where}"))
        data["similarity_scores"].append(
            similarity(iou, labels, found).T if labels and found else np.zeros((len(labels), len(found)))
        )
    return data | {
        "num_timesteps": len(frames),
        "num_gt_ids": len(ids[0]),
        "num_tracker_ids": len(ids[1]),
        "num_gt_dets": sum(map(len, data["gt_ids"])),
        "num_tracker_dets": sum(map(len, data["tracker_ids"])),
    }


def _numbered(items: Sequence[Fields], ids: dict[Any, int], frame: int, where: str) -> Any:
    """Number the tracks of a frame from 0, in the order in which they are met."""
    import numpy as np

    tracks = [(frame, n) if item["track"] is None else item["track"] for n, item in enumerate(items)]
    twice = [name for name, n in Counter(tracks).items() if n > 1]
    if twice:
        raise UsageError(
            f"{where}: track {shown(str(twice[0]))} is on frame {frame} more than once; "
            "expected one object of a track on a frame"
        )
    return np.array([ids.setdefault(name, len(ids)) for name in tracks], dtype=int)


def _figures(name: str, result: _Result, n_labels: int, n_predictions: int) -> TrackMetrics:
    import numpy as np

    return TrackMetrics(
        name,
        {ours: float(np.mean(result[metric][field])) for ours, (metric, field) in _FIGURES.items()},
        {ours: int(result[metric][field]) for ours, (metric, field) in _COUNTS.items()},
        n_labels,
        n_predictions,
    )
