"""Tracking metrics are those of trackeval's own evaluation of MOTChallenge files."""

from __future__ import annotations

import io
import json
import random
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ropewalk
from ropewalk import evaluate
from ropewalk.errors import UsageError
from ropewalk.evaluating.tracking import TrackMetrics

WIDTH, HEIGHT = 320, 240
FRAMES = {"street-1": 12, "street-2": 7, "street-3": 5}
FIELDS = {
    "HOTA": ("HOTA", "HOTA"),
    "DetA": ("HOTA", "DetA"),
    "AssA": ("HOTA", "AssA"),
    "MOTA": ("CLEAR", "MOTA"),
    "IDF1": ("Identity", "IDF1"),
}
COUNTS = {"id_switches": "IDSW", "false_positives": "CLR_FP", "false_negatives": "CLR_FN"}

# Frame, track, left, top, width, height.
Box = tuple[int, int, float, float, float, float]


def random_tracks(rng: random.Random, frames: int) -> tuple[list[Box], list[Box]]:
    """Make tracks, and what a tracker finds of them: some boxes are missing, moved, or of another track."""
    truth, found = [], []
    for track in range(1, rng.randint(2, 6)):
        x, y, w, h = rng.uniform(0, 200), rng.uniform(0, 150), rng.uniform(20, 60), rng.uniform(20, 80)
        switch = rng.randint(1, frames)
        for frame in range(rng.randint(1, 3), frames + 1):
            x, y = x + rng.uniform(-2, 6), y + rng.uniform(-2, 4)
            truth.append((frame, track, x, y, w, h))
            if rng.random() < 0.8:
                by = rng.choice((1, 4, 12))
                moved = (x + rng.uniform(-by, by), y + rng.uniform(-by, by), w * rng.uniform(0.9, 1.1), h)
                found.append((frame, track if frame < switch else track + 50, *moved))
        if rng.random() < 0.5:
            found.append((rng.randint(1, frames), 90 + track, 250.0, 180.0, 30.0, 20.0))
    return truth, found


def write_mot(path: Path, boxes: list[Box], tail: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{','.join(map(repr, box))},{tail}\n" for box in boxes))


def coco_of(tracks: dict[str, list[Box]]) -> dict[str, Any]:
    """Make the labels' dataset: frames count from 0, and every frame of a video was looked at."""
    images, annotations = [], []
    for video, (name, boxes) in enumerate(tracks.items(), 1):
        for frame in range(FRAMES[name]):
            image = {"id": 100 * video + frame, "file_name": f"{name}/{frame}.jpg", "width": WIDTH, "height": HEIGHT}
            images.append(image | {"video_id": video, "frame_index": frame})
        for frame, track, *box in boxes:
            item = {"image_id": 100 * video + frame - 1, "category_id": 1, "bbox": box, "track_id": track}
            annotations.append(item | {"id": len(annotations) + 1, "area": box[2] * box[3]})
    return {
        "images": images,
        "videos": [{"id": n, "name": name} for n, name in enumerate(tracks, 1)],
        "categories": [{"id": 1, "name": "pedestrian"}],
        "annotations": annotations,
    }


def by_trackeval(folder: Path) -> dict[str, Any]:
    """Run trackeval as its own script does; give its results by sequence."""
    with redirect_stdout(io.StringIO()):
        import trackeval

        evaluator = trackeval.Evaluator({"TIME_PROGRESS": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False,
                                         "PLOT_CURVES": False, "LOG_ON_ERROR": None})  # fmt: skip
        dataset = trackeval.datasets.MotChallenge2DBox({
            "GT_FOLDER": str(folder / "truth"), "TRACKERS_FOLDER": str(folder / "trackers"), "DO_PREPROC": False,
            "SKIP_SPLIT_FOL": True, "SEQ_INFO": dict(FRAMES), "BENCHMARK": "MOT17",
        })  # fmt: skip
        metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(), trackeval.metrics.Identity()]
        results, _ = evaluator.evaluate([dataset], metrics)
    found: dict[str, Any] = results["MotChallenge2DBox"]["ours"]
    return found


def check_equal(ours: TrackMetrics, theirs: dict[str, Any]) -> None:
    result = theirs["pedestrian"]
    expected = {name: float(np.mean(result[metric][field])) for name, (metric, field) in FIELDS.items()}
    assert ours.metrics == pytest.approx(expected, abs=1e-9)
    assert ours.counts == {name: result["CLEAR"][field] for name, field in COUNTS.items()}
    assert (ours.label_tracks, ours.predicted_tracks) == (result["Count"]["GT_IDs"], result["Count"]["IDs"])


@pytest.mark.parametrize("seed", range(10))
def test_the_figures_are_those_of_trackeval(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    made = {name: random_tracks(rng, frames) for name, frames in FRAMES.items()}
    for name, (truth, found) in made.items():
        write_mot(tmp_path / "truth" / name / "gt" / "gt.txt", truth, "1,1,1")
        write_mot(tmp_path / "trackers" / "ours" / "data" / f"{name}.txt", found, "0.9,-1,-1,-1")
    theirs = by_trackeval(tmp_path)
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps(coco_of({name: truth for name, (truth, _) in made.items()})))
    files = sorted((tmp_path / "trackers" / "ours" / "data").iterdir())
    ours = evaluate(files, labels, format="mot", class_="pedestrian", tracking=True).tracking
    assert ours is not None
    check_equal(ours.all, theirs["COMBINED_SEQ"])
    check_equal(ours.classes[0], theirs["COMBINED_SEQ"])
    assert [item.name for item in ours.media] == list(FRAMES)
    for item in ours.media:
        check_equal(item, theirs[item.name])
    assert 0 < ours.all.metrics["HOTA"] < 1


def test_frames_count_from_1_unless_an_option_says_otherwise(tmp_path: Path) -> None:
    labels = coco_of({"street-1": [(2, 1, 5.0, 20.0, 30.0, 40.0)]})
    for number, options in ((2, {}), (1, {"frame_base": 0}), (4, {"frame_base": 3})):
        file = tmp_path / "street-1.txt"
        write_mot(file, [(number, 1, 5.0, 20.0, 30.0, 40.0)], "0.9,-1,-1,-1")
        found = evaluate(file, labels, format="mot", class_="pedestrian", **options)
        assert found.metrics["AP"] == pytest.approx(1.0), options


def tracked(frame: int, track: int | None, x: float, **more: Any) -> dict[str, Any]:
    item = {"image_id": 100 + frame, "category_id": 1, "bbox": [x, 20, 30, 40], **more}
    return item if track is None else item | {"track_id": track}


def measured(labels: list[dict[str, Any]], found: list[dict[str, Any]]) -> TrackMetrics:
    document = coco_of({"street-1": []})
    sides = [
        document | {"annotations": [item | {"id": n} for n, item in enumerate(items, 1)]} for items in (labels, found)
    ]
    tracking = evaluate(ropewalk.read_coco(sides[1]), sides[0], tracking=True).tracking
    assert tracking is not None
    return tracking.all


def test_predictions_on_a_crowd_are_ignored() -> None:
    labels = [tracked(n, 1, 5) for n in range(4)]
    found = [tracked(n, 7, 5) for n in range(4)]
    crowd, on_crowd = tracked(2, 2, 200, iscrowd=1), tracked(2, 8, 202)
    assert measured(labels, found) == measured([*labels, crowd], [*found, on_crowd])
    assert measured(labels, [*found, on_crowd]).counts["false_positives"] == 1


def test_objects_without_a_track_are_tracks_of_their_own() -> None:
    found = measured([tracked(n, 1, 5) for n in range(4)], [tracked(n, None, 5) for n in range(4)])
    assert (found.label_tracks, found.predicted_tracks, found.counts["id_switches"]) == (1, 4, 3)


def test_what_cannot_be_compared_is_refused() -> None:
    labels = [tracked(n, 1, 5) for n in range(4)]
    with pytest.raises(UsageError, match="no label has a track"):
        measured([tracked(0, None, 5)], labels)
    with pytest.raises(UsageError, match=r"street-1, class pedestrian: track 1 is on frame 2 more than once"):
        measured(labels, [*labels, tracked(2, 1, 90)])


def test_without_trackeval_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackeval", None)
    monkeypatch.setitem(sys.modules, "trackeval.metrics", None)
    with pytest.raises(UsageError, match=r"pip install 'ropewalk\[tracking\]'"):
        measured([tracked(0, 1, 5)], [tracked(0, 1, 5)])
