"""What the core tells of staged label rows: sizes, digests, whole rows as rejects, differences from a branch."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from box_datasets import HEIGHT, WIDTH, coco_boxes
from ropewalk import _core
from ropewalk.errors import LabelRowError
from ropewalk.project.plan import PlanOptions, plan_of
from snapshots import hash_of, make_image, make_snapshot

WHEN = "Sat, 21 Nov 2026 23:48:11 UTC"
LATER = "Mon, 23 Nov 2026 00:00:00 UTC"
DATASET = coco_boxes(
    {"drive.mp4": [[0.25, 0.5, 0.125, 0.0625], [0.1, 0.2, 0.3, 0.4]], "still.jpg": [[0.5, 0, 0.25, 1]]}
)

Stager = Callable[..., _core.Staged]


@pytest.fixture
def stage(tmp_path: Path) -> Stager:
    def run(dataset: dict[str, Any] | bytes = DATASET, **options: Any) -> _core.Staged:
        plan = plan_of(make_snapshot(), "b", PlanOptions(**options))
        content = dataset if isinstance(dataset, bytes) else json.dumps(dataset).encode()
        stage = _core.Stage(plan, str(tmp_path / "rejects.ndjson"))
        stage.add(content, "p.json", "coco")
        return stage.finish()

    return run


def test_rows_are_measured(stage: Stager) -> None:
    staged = stage()
    measures = staged.measure(2)
    assert measures == staged.measure(1)
    assert [size for size, _ in measures] == [len(staged.encode(at, None, WHEN)) for at in range(len(staged))]
    digests = [digest for _, digest in measures]
    assert all(len(digest) == 32 and int(digest, 16) for digest in digests) and len(set(digests)) == 2
    rounded = stage(decimals=1).measure(1)
    assert rounded[0][0] < measures[0][0] and rounded[0][1] != measures[0][1]


def test_a_large_row_comes_in_blocks(stage: Stager) -> None:
    boxes = [[at / 1000, 0.25, 0.5 / (at + 2), 0.5] for at in range(900)]
    staged = stage(coco_boxes({"drive.mp4": boxes}))
    blocks = staged.encode_blocks(0, None, WHEN)
    *whole, last = map(len, blocks)
    assert len(whole) > 3 and min(whole) >= 65_536 and max(*whole, last) < 70_000
    text = b"".join(blocks)
    assert (text, len(text)) == (staged.encode(0, None, WHEN), staged.measure(1)[0][0])
    # A box that stands there twice makes hashes be looked up; it changes none of the others'.
    twice = json.loads(stage(coco_boxes({"drive.mp4": [*boxes, boxes[7]]})).encode(0, None, WHEN))["object_answers"]
    once = json.loads(text)["object_answers"]
    assert len(once) == 900 and len(twice) == 901 and once.keys() < twice.keys()


class _Written(io.BytesIO):
    """Keeps how much was written at a time; takes `room` bytes."""

    def __init__(self, room: int = 1 << 30) -> None:
        super().__init__()
        self.lengths: list[int] = []
        self.room = room

    def write(self, text: Any) -> int:
        self.lengths.append(len(text))
        if self.tell() + len(text) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(text)


def test_a_row_is_written_as_it_is_encoded(stage: Stager) -> None:
    staged = stage(coco_boxes({"drive.mp4": [[at / 1000, 0.25, 0.5 / (at + 2), 0.5] for at in range(900)]}))
    file = _Written()
    text = staged.encode(0, None, WHEN)
    assert staged.write(0, file, None, WHEN) == len(text)
    assert file.getvalue() == text
    assert len(file.lengths) > 3 and max(file.lengths) < 70_000

    full = _Written(room=100_000)
    with pytest.raises(OSError, match="No space left") as caught:
        staged.write(0, full, None, WHEN)
    assert caught.value.errno == errno.ENOSPC
    # One block went in, one did not, and none was tried after it.
    assert len(full.lengths) == 2


def test_a_row_is_rejected_as_one_line(stage: Stager, tmp_path: Path) -> None:
    line = stage().refuse_row(0, "row_too_large", "61 MB; try --every", 61_000_000)
    assert line.endswith("\n") and json.loads(line) == {
        "code": "row_too_large",
        "message": "61 MB; try --every",
        "annotation": None,
        "data_hash": hash_of("drive.mp4"),
        "title": "drive.mp4",
        "annotations": 2,
        "len_bytes": 61_000_000,
    }
    again = stage(line.encode())
    assert (again.counts["read"], again.counts["rejects_by_code"], len(again)) == (2, {"row_too_large": 2}, 0)
    assert (tmp_path / "rejects.ndjson").read_text() == line
    with pytest.raises(ValueError, match="row_too_large"):
        stage().refuse_row(0, "off_image", "", 1)


def test_rows_are_compared_annotation_by_annotation(stage: Stager) -> None:
    staged = stage()
    there = json.loads(staged.encode(0, None, LATER))
    assert staged.compare(0, json.dumps(there).encode(), WHEN) == {"equal": 2, "differences": []}

    (unit,) = there["data_units"].values()
    objects = unit["labels"]["0"]["objects"]
    unit["labels"]["7"] = {"objects": [objects.pop(0)], "classifications": []}
    objects[0]["confidence"] = 0.5
    compared = staged.compare(0, json.dumps(there).encode(), WHEN)
    assert (compared["equal"], len(compared["differences"])) == (0, 3)
    missing, changed, extra = map(json.loads, compared["differences"])
    common = {"data_hash": hash_of("drive.mp4"), "title": "drive.mp4", "data_unit": unit["data_hash"], "class": "Car"}
    moved = unit["labels"]["7"]["objects"][0]["objectHash"]
    assert missing == {"code": "missing", "frame": 0, "object_hash": moved, "fields": []} | common
    stayed = objects[0]["objectHash"]
    assert changed == {"code": "changed", "frame": 0, "object_hash": stayed, "fields": ["confidence"]} | common
    assert extra == {"code": "extra", "frame": 7, "object_hash": moved, "fields": []} | common
    with pytest.raises(LabelRowError):
        staged.compare(0, b"{}", WHEN)


def test_titles_are_told_without_their_signatures(tmp_path: Path) -> None:
    title = "https://files.example.com/still.jpg?Expires=1&Signature=canary"
    project = make_snapshot(media=(make_image(title),))
    stage = _core.Stage(plan_of(project, "b", PlanOptions()), str(tmp_path / "rejects.ndjson"))
    stage.add(json.dumps(coco_boxes({title: [[0.25, 0.5, 0.125, 0.0625]]})).encode(), "p.json", "coco")
    staged = stage.finish()
    there = json.loads(staged.encode(0, None, WHEN))
    (unit,) = there["data_units"].values()
    unit["labels"] = {}
    (difference,) = staged.compare(0, json.dumps(there).encode(), WHEN)["differences"]
    told = staged.refuse_row(0, "row_too_large", "61 MB", 61_000_000)
    assert [json.loads(line)["title"] for line in (difference, told)] == ["https://files.example.com/still.jpg"] * 2
    assert staged.label_row(0)["title"] == "https://files.example.com/still.jpg"


def test_options_that_make_rows_smaller(stage: Stager) -> None:
    dataset = coco_boxes({"drive.mp4": [], "still.jpg": []})
    dataset["images"] = [
        {"id": frame, "file_name": "drive.mp4", "width": WIDTH, "height": HEIGHT, "frame_index": frame}
        for frame in range(5)
    ]
    dataset["annotations"] = [
        {"image_id": frame, "category_id": 1, "bbox": [3, n, 2, 1], "score": score}
        for frame in range(5)
        for n, score in enumerate((0.125, 0.5, 0.25))
    ]
    staged = stage(dataset, every=2, max_per_frame=2, decimals=2)
    assert staged.counts["filtered_by_reason"] == {"every": 6, "max_per_frame": 3}
    row = json.loads(staged.encode(0, None, WHEN))
    ((_, unit),) = row["data_units"].items()
    kept = {frame: sorted(o["confidence"] for o in labels["objects"]) for frame, labels in unit["labels"].items()}
    assert kept == {"0": [0.25, 0.5], "2": [0.25, 0.5], "4": [0.25, 0.5]}
    # 3/64 is 0.046875, 2/64 an exact 0.03125.
    boxes = [o["boundingBox"] for o in unit["labels"]["0"]["objects"]]
    assert {(box["x"], box["w"], box["h"]) for box in boxes} == {(0.05, 0.03, 0.03)}
