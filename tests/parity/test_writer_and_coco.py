"""The same predictions, once as a COCO file and once as arrays to the writer: the label rows are equal to the byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from ropewalk import PredictionWriter, _core
from ropewalk.project.plan import PlanOptions, plan_of
from ropewalk.reading.tables import read_table
from sdk_oracle import WHEN_TEXT
from snapshots import make_snapshot

LABEL = "model 1"
CLASSES = {1: "Car", 2: "Road", 3: "Tree"}
# Title, frames, (w, h).
MEDIA = (("drive.mp4", 12, (64, 36)), ("still.jpg", 1, (30, 50)))

Frame = dict[str, Any]


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Draw boxes in tracks, polygons of several parts and masks on every frame, their numbers to the last bit."""
    draw = np.random.default_rng(5)
    made = []
    for title, number_of_frames, (w, h) in MEDIA:
        for frame in range(number_of_frames):
            corner = draw.random((4, 2)) * (w / 2, h / 2)
            masks = draw.random((2, h, w)) < 0.2
            masks[:, 1:9, 3:20] = True
            rings = [[draw.random((3 + part, 2)) * (w, h) for part in range(1 + row)] for row in range(2)]
            made.append(
                {
                    "media": title,
                    "frame": frame,
                    "size_hw": (h, w),
                    # An even number of 64ths: no format of boxes loses a bit.
                    "xywh": np.round(np.hstack([corner, 1 + corner]) * 32) / 32,
                    "tracks": [7, 8, None, 9] if number_of_frames > 1 else [None] * 4,
                    "masks": masks,
                    "rings": rings,
                    "scores": draw.random(8),
                }
            )
    return made


def coco_document(frames: list[Frame]) -> dict[str, Any]:
    """Write the frames as COCO has them: masks down the columns."""
    images, annotations = [], []
    for number, frame in enumerate(frames, 1):
        h, w = frame["size_hw"]
        video = {"video_id": 1, "frame_index": frame["frame"]} if frame["media"] == "drive.mp4" else {}
        images.append({"id": number, "file_name": frame["media"], "width": w, "height": h} | video)
        drawn: list[dict[str, Any]] = [
            {"category_id": 1, "bbox": box.tolist()} | ({} if track is None else {"track_id": track})
            for box, track in zip(frame["xywh"], frame["tracks"], strict=True)
        ]
        drawn += [{"category_id": 2, "segmentation": [ring.ravel().tolist() for ring in row]} for row in frame["rings"]]
        for mask in frame["masks"]:
            rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
            drawn.append({"category_id": 3, "segmentation": {"size": [h, w], "counts": rle["counts"].decode()}})
        for annotation, score in zip(drawn, frame["scores"].tolist(), strict=True):
            annotations.append({"id": len(annotations), "image_id": number, "score": score} | annotation)
    return {
        "images": images,
        "videos": [{"id": 1, "name": "drive.mp4"}],
        "categories": [{"id": number, "name": name} for number, name in CLASSES.items()],
        "annotations": annotations,
    }


def write_frames(frames: list[Frame], path: Path, box_format: str) -> None:
    with PredictionWriter(path, classes=CLASSES, box_format=box_format, source_label=LABEL, buffer_rows=17) as writer:
        for frame in frames:
            at = {"media": frame["media"], "frame": frame["frame"], "size_hw": frame["size_hw"]}
            scores, boxes = frame["scores"], frame["xywh"].copy()
            if box_format == "xyxy":
                boxes[:, 2:] += boxes[:, :2]
            elif box_format == "cxcywh":
                boxes[:, :2] += boxes[:, 2:] / 2
            writer.add(**at, boxes=boxes, track_ids=frame["tracks"], scores=scores[:4], class_ids=[1] * 4)
            writer.add(**at, polygons=frame["rings"], scores=scores[4:6], class_names="Road")
            writer.add(**at, masks=frame["masks"], scores=scores[6:], class_names=["Tree"] * 2)


def label_rows(folder: Path, add: Any) -> list[bytes]:
    """Stage what `add` adds, and encode all label rows."""
    plan = plan_of(make_snapshot(), "model-1", PlanOptions())
    stage = _core.Stage(plan, str(folder / "rejects.ndjson"), str(folder))
    add(stage)
    staged = stage.finish()
    assert (staged.counts["staged"], staged.counts["read"], len(staged)) == (13 * 8, 13 * 8, 2), staged.counts
    return [staged.encode(index, None, WHEN_TEXT) for index in range(len(staged))]


@pytest.mark.parametrize("box_format", ["xyxy", "xywh", "cxcywh"])
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_table_of_the_writer_gives_the_label_rows_of_coco(
    tmp_path: Path, frames: list[Frame], suffix: str, box_format: str
) -> None:
    path = tmp_path / f"predictions.{suffix}"
    write_frames(frames, path, box_format)
    document = json.dumps(coco_document(frames)).encode()
    by_coco = label_rows(tmp_path, lambda stage: stage.add(document, LABEL, "coco"))
    by_table = label_rows(tmp_path, lambda stage: stage.add(read_table(path).collect(), LABEL, "table"))
    for ours, theirs in zip(by_table, by_coco, strict=True):
        assert json.loads(ours) == json.loads(theirs)
    assert by_table == by_coco
    assert by_coco[0].count(b'"rleString"') == 24
