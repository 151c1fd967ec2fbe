"""Labelbox's NDJSON, read by the core and by a plain reader of its rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from ropewalk import _core

Json = dict[str, Any]


def read(path: Path) -> tuple[list[Json], Any]:
    """Read a file by the core: its rows, and its reader for the counts."""
    reader = _core.read(path, "label", None, "{}")
    rows = [row for batch in reader for row in polars.DataFrame(batch).to_dicts()]
    assert reader.counts["rejected"] == 0, reader.rejects
    return rows, reader


def keyframe(kind: str, frame: int, random: np.random.Generator) -> Json:
    numbers = np.round(random.random(6) * 30, 3).tolist()
    if kind == "bbox":
        return {"frame": frame, kind: dict(zip(("left", "top", "width", "height"), numbers, strict=False))}
    points = [{"x": x, "y": y} for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return {"frame": frame, kind: points[0] if kind == "point" else points}


def numbers_of(keyframe: Json) -> np.ndarray:
    if "bbox" in keyframe:
        return np.array([keyframe["bbox"][name] for name in ("left", "top", "width", "height")])
    points = [keyframe["point"]] if "point" in keyframe else keyframe["line"]
    return np.array([number for point in points for number in (point["x"], point["y"])])


def drawn(row: Json) -> np.ndarray:
    (((numbers),),) = row["points"] if row["box"] is None else [[row["box"]]]
    return np.array(numbers)


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_segments_are_linear_between_their_keyframes(seed: int, as_list: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    records, expected, given = [], {}, 0
    for number in range(9):
        kind = ("bbox", "line", "point")[number % 3]
        frames = np.sort(random.permutation(60)[: random.integers(2, 9)]).tolist()
        cut = int(random.integers(1, len(frames)))
        segments = []
        for part in (frames[:cut], frames[cut:]):
            keyframes = [keyframe(kind, frame, random) for frame in part]
            segments.append({"keyframes": [keyframes[at] for at in random.permutation(len(part))]})
            given += len(part)
            for one, other in zip(keyframes, keyframes[1:], strict=False):
                span = other["frame"] - one["frame"]
                for step in range(span):
                    share = step / span
                    at = numbers_of(one) + (numbers_of(other) - numbers_of(one)) * share
                    expected[f"u{number}", one["frame"] + step] = at
            expected[f"u{number}", keyframes[-1]["frame"]] = numbers_of(keyframes[-1])
        records.append(
            {"uuid": f"u{number}", "schemaId": "s1", "dataRow": {"globalKey": "v.mp4"}, "segments": segments}
        )
    path = tmp_path / "predictions.ndjson"
    lines = "".join(json.dumps(record) + "\n" for record in records)
    path.write_text(json.dumps(records, indent=1) if as_list else lines, encoding="utf-8")

    rows, reader = read(path)

    assert {(row["media"], row["class"]) for row in rows} == {("v.mp4", "s1")}
    assert len(rows) == len(expected)
    for row in rows:
        assert np.allclose(drawn(row), expected[row["track"], row["frame"]])
    assert reader.counts["warnings"].get("interpolated", 0) == len(expected) - given


def test_answers_below_an_option_are_answers_of_the_object(tmp_path: Path) -> None:
    below = {"name": "size", "answer": [{"name": "large"}, {"name": "heavy"}]}
    colour = {"name": "colour", "answer": {"name": "red", "classifications": [below]}}
    record = {
        "name": "Car",
        "dataRow": {"id": "d1"},
        "bbox": {"left": 1, "top": 2, "width": 3, "height": 4},
        "classifications": [colour, {"name": "plate", "answer": "AB 12"}],
    }
    path = tmp_path / "predictions.ndjson"
    path.write_text(json.dumps(record), encoding="utf-8")
    ((row,), _) = read(path)
    found = [(answer["name"], answer["value"]) for answer in row["attributes"]]
    assert found == [("colour", "red"), ("size", "large"), ("size", "heavy"), ("plate", "AB 12")]
