"""Label rows as Encord writes them, as a source: the labels of one project become predictions of another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ropewalk
from ropewalk.converting.convert import convert
from ropewalk.reading.sources import find_sources
from snapshots import hash_of, make_image, make_ontology, make_snapshot, make_video

ROWS: list[dict[str, Any]] = [
    {"media": "drive.mp4", "frame": 3, "class": "Car", "box": [4, 6, 20, 10], "unit": "px", "track": "a", "score": 0.5},
    {
        "media": "drive.mp4",
        "frame": 4,
        "class": "Car",
        "box": [5, 6, 20, 10],
        "unit": "px",
        "track": "a",
        "score": 0.75,
    },
    {"media": "still.jpg", "class": "Road", "shape": "polygon", "points": [[[1, 2, 9, 3, 7, 8]]], "unit": "px"},
    {
        "media": "drive.mp4",
        "frame": 2,
        "frame_last": 9,
        "kind": "answer",
        "class": "Weather",
        "attributes": [{"name": "", "value": "Night"}],
    },
]


@pytest.fixture
def label_rows(tmp_path: Path) -> Path:
    """Write label rows of a project, one a line."""
    source, out = tmp_path / "model.ndjson", tmp_path / "labels.ndjson"
    source.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    report = convert(find_sources([source]), out, make_snapshot((make_video(), make_image())), work_dir=tmp_path)
    assert (report.exit_code, report.annotations_written) == (0, 4)
    return out


def encoded(source: Path, project: ropewalk.Snapshot, out: Path) -> list[dict[str, Any]]:
    report = convert(find_sources([source]), out, project, work_dir=out.parent)
    assert (report.exit_code, report.annotations_written) == (0, 4)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def geometry(rows: list[dict[str, Any]]) -> list[Any]:
    """Pick what does not depend on a project's hashes."""
    found: list[Any] = []
    for row in rows:
        for unit in row["data_units"].values():
            frames = unit["labels"].items() if row["data_type"] == "video" else [("", unit["labels"])]
            for frame, labels in frames:
                for item in labels["objects"]:
                    shape = item.get("boundingBox") or item.get("polygons")
                    found.append((unit["data_title"], frame, item["name"], item["confidence"], str(shape)))
        for answer in row["classification_answers"].values():
            options = [option["name"] for option in answer["classifications"][0]["answers"]]
            found.append((row["data_title"], str(answer["range"]), options, answer["confidence"]))
    return sorted(found, key=str)


def test_the_same_project_takes_its_rows_by_hash(label_rows: Path, tmp_path: Path) -> None:
    project = make_snapshot((make_video(), make_image()))
    before = [json.loads(line) for line in label_rows.read_text(encoding="utf-8").splitlines()]
    after = encoded(label_rows, project, tmp_path / "again.ndjson")
    assert geometry(after) == geometry(before)
    assert len({key for row in after for key in row["object_answers"]}) == 2


def test_another_project_takes_them_by_title_and_name(label_rows: Path, tmp_path: Path) -> None:
    structure = json.loads(json.dumps(make_ontology().to_dict()))
    for item in (*structure["objects"], *structure["classifications"]):
        item["featureNodeHash"] += "-b"
        for attribute in item.get("attributes", []):
            attribute["featureNodeHash"] += "-b"
            for option in attribute["options"]:
                option["featureNodeHash"] += "-b"
    media = tuple(replace(m, data_hash=hash_of(f"b/{m.title}")) for m in (make_video(), make_image()))
    after = encoded(label_rows, make_snapshot(media, structure), tmp_path / "other.ndjson")
    before = [json.loads(line) for line in label_rows.read_text(encoding="utf-8").splitlines()]
    assert geometry(after) == geometry(before)
    assert {row["data_hash"] for row in after} == {medium.data_hash for medium in media}
    texts = json.dumps(after)
    assert "obj-car1-b" in texts and "opt-nght-b" in texts and '"obj-car1"' not in texts


@pytest.mark.parametrize("form", ["list", "one", "lines"])
def test_the_format_is_told_by_the_content(form: str, label_rows: Path, tmp_path: Path) -> None:
    lines = label_rows.read_text(encoding="utf-8").splitlines()
    text = {"list": f"[{','.join(lines)}]", "one": lines[0], "lines": "\n".join(lines)}[form]
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")
    frame = ropewalk.Predictions(find_sources([path])[0]).to_polars()
    assert len(frame) == (3 if form == "one" else 4)
    assert set(frame["unit"]) == {"frac"}


@pytest.mark.parametrize("behind", ["", " \n", " x", "[]", "]"])
@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_list_that_does_not_end_where_it_should_writes_nothing(
    behind: str, cut: int, label_rows: Path, tmp_path: Path
) -> None:
    text = f"[{','.join(label_rows.read_text(encoding='utf-8').splitlines())}]"
    path, out = tmp_path / "export.json", tmp_path / "out.ndjson"
    path.write_text(text[: len(text) - cut] + behind, encoding="utf-8")
    project = make_snapshot((make_video(), make_image()))
    if (not behind.strip() and not cut) or (behind, cut) == ("]", 1):
        assert convert(find_sources([path]), out, project, work_dir=tmp_path).annotations_written == 4
        return
    with pytest.raises(ropewalk.errors.SourceError, match=r"export\.json.*byte \d+"):
        convert(find_sources([path]), out, project, work_dir=tmp_path)
    assert not out.exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"boundingBox"', '"cuboid"', "no geometry of a kind that predictions have"),
        ('"objectHash"', '"objectHush"', "missing field `objectHash`"),
        ('"h":', '"h":"', "the label row"),
    ],
)
def test_what_is_no_label_is_rejected(old: str, new: str, said: str, label_rows: Path, tmp_path: Path) -> None:
    lines = label_rows.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "spoilt.json"
    path.write_text("[" + ",".join([lines[0].replace(old, new, 1), *lines[1:]]) + "]", encoding="utf-8")
    project = make_snapshot((make_video(), make_image()))
    if said == "the label row":
        with pytest.raises(ropewalk.errors.SourceError):
            convert(find_sources([path]), tmp_path / "out.ndjson", project, work_dir=tmp_path)
        return
    report = convert(find_sources([path]), tmp_path / "out.ndjson", project, work_dir=tmp_path)
    assert (report.exit_code, report.rejects_by_code) == (3, {"bad_label": 1})
    assert report.annotations_read == report.annotations_written + 1
    assert report.rejects_file is not None
    assert said in Path(report.rejects_file).read_text(encoding="utf-8")
