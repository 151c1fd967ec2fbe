"""Damaged lines, COCO files and label rows: refused, or all that Python's json finds in them is counted."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from damage import damaged
from world import full

ROWS = 200
FILES = 500 if full() else 25

# Reads the files that it is given: how many annotations were written and rejected of each, or why it is refused.
READER = """
import json, sys
from pathlib import Path
from ropewalk import convert
from ropewalk.errors import RopewalkError
out, format = Path(sys.argv[1]), sys.argv[2]
for path in sys.stdin.read().splitlines():
    try:
        report = convert(path, out / "out.parquet", format=format, work_dir=out, rejects=out / "rejects.ndjson")
        assert report.annotations_read == report.annotations_written + report.annotations_rejected
        found = [report.annotations_written, report.annotations_rejected]
    except RopewalkError as e:
        found = type(e).__name__
    print(json.dumps([path, found]), flush=True)
"""


def boxes() -> list[Any]:
    draw = random.Random(2)
    return [[round(draw.random() * 60, 3) for _ in range(4)] for _ in range(ROWS)]


def ndjson() -> str:
    rows = (
        {"media": f"drive-{at // 50}.mp4", "frame": at % 50, "class": "Car", "box": box, "unit": "px", "score": 0.5}
        for at, box in enumerate(boxes())
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def coco() -> str:
    return json.dumps(
        {
            "images": [{"id": 7 + at, "file_name": f"{at}.jpg", "width": 90, "height": 60} for at in range(9)],
            "annotations": [
                {"id": at, "image_id": 7 + at % 9, "category_id": 3, "bbox": box, "score": 0.5}
                for at, box in enumerate(boxes())
            ],
            "categories": [{"id": 3, "name": "Car"}],
        }
    )


def encord() -> str:
    """Make a label row of a video, one object a frame."""
    frames = {
        str(at): {
            "objects": [
                {
                    "name": "Car",
                    "featureHash": "obj-car1",
                    "objectHash": f"hash{at:04}",
                    "shape": "bounding_box",
                    "confidence": 0.5,
                    "boundingBox": dict(zip("xywh", (n / 64 for n in box), strict=True)),
                }
            ],
            "classifications": [],
        }
        for at, box in enumerate(boxes())
    }
    unit = {
        "data_hash": "unit",
        "data_title": "drive.mp4",
        "data_type": "video/mp4",
        "data_sequence": "0",
        "width": 64,
        "height": 36,
        "labels": frames,
    }
    return json.dumps(
        {
            "label_hash": "row",
            "data_hash": "unit",
            "data_title": "drive.mp4",
            "data_type": "video",
            "data_units": {"unit": unit},
            "object_answers": {},
            "classification_answers": {},
        }
    )


def lines_in(text: bytes) -> int:
    return sum(bool(line.strip()) for line in text.split(b"\n"))


def annotations_in(text: bytes) -> int:
    return len(json.loads(text)["annotations"])


def objects_in(text: bytes) -> int:
    (unit,) = json.loads(text)["data_units"].values()
    return sum(len(frame["objects"]) for frame in unit["labels"].values())


FORMATS: dict[str, tuple[str, Callable[[], str], Callable[[bytes], int]]] = {
    "ndjson": ("run.ndjson", ndjson, lines_in),
    "coco": ("run.json", coco, annotations_in),
    "encord": ("rows.json", encord, objects_in),
}


@pytest.mark.parametrize("name", FORMATS)
def test_no_annotation_is_lost_in_silence(tmp_path: Path, name: str) -> None:
    file_name, write, count = FORMATS[name]
    content = write().encode("ascii")
    paths = [tmp_path / f"good-{file_name}"]
    paths[0].write_bytes(content)
    for number, text in enumerate(damaged(content, FILES, seed=len(name))):
        paths.append(tmp_path / f"{number}-{file_name}")
        paths[-1].write_bytes(text)
    ran = subprocess.run(
        [sys.executable, "-c", READER, tmp_path, name],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 0 and len(lines) == 1 + FILES, (lines[-1:], ran.stderr)
    assert ran.stderr == ""
    assert lines[0][1] == [ROWS, 0]
    for path, found in lines[1:]:
        if isinstance(found, str):
            continue
        written, rejected = found
        try:
            expected = count(Path(path).read_bytes())
        except (ValueError, KeyError, TypeError, AttributeError):
            # Python does not find them either.
            expected = None
        # A reject says where something is that could not be read, however many annotations that is.
        assert written + rejected == expected or (rejected and name != "ndjson"), (path, found, expected)
    # Most damage shows.
    assert sum(found != [ROWS, 0] for _, found in lines) > FILES / 2
