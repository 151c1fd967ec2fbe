"""The demo ends by itself with exit code 0, writes what it says, and is the same for one seed."""

from __future__ import annotations

import json
import os
import shlex
import signal
from pathlib import Path

import pytest
from pycocotools import mask as coco_mask

from documents import run_ropewalk
from ropewalk.demo.synthetic import write_demo
from ropewalk.project.snapshot import read_snapshot


def test_the_demo_imports_once_and_then_saves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "kept"
    done = run_ropewalk("demo", "--annotations", "300", "--out", str(out))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    imports = [lines[at + 1 : at + 3] for at, line in enumerate(lines) if line.startswith("$ ropewalk import")]
    assert len(imports) == 3
    first, again, spoilt = imports
    assert first[0] == "300 annotations read: 300 written, 0 rejected, 0 filtered, 0 already there"
    assert again[0] == "300 annotations read: 0 written, 0 rejected, 0 filtered, 300 already there"
    assert again[1].startswith("0 label rows saved, 0 B, ")
    assert spoilt[0] == "5 annotations read: 2 written, 3 rejected, 0 filtered, 0 already there"
    assert [line for line in lines if line.startswith("demo-model\tstreet-")]
    assert sorted(path.name for path in out.iterdir()) == [".ropewalk", "predictions", "project.json", "spoilt.json"]


def test_the_commands_that_the_demo_prints_work_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = run_ropewalk("demo", "--annotations", "300", "--out", "data").stdout
    printed = [shlex.split(line[2:], comments=True) for line in shown.splitlines() if line.startswith("$ ")]
    (opened,), rest = [words for words in printed if words[0] == "eval"], [w for w in printed if w[0] == "ropewalk"]
    done = run_ropewalk(*shlex.split(opened[1][2:-1])[1:])
    assert done.returncode == 0, done.stderr
    variables = dict(line.removeprefix("export ").split("=", 1) for line in done.stdout.splitlines())
    try:
        codes = [run_ropewalk(*words[1:], **variables).returncode for words in rest if "emulator" not in words]
    finally:
        os.kill(int(variables["ROPEWALK_EMULATOR_PID"]), signal.SIGTERM)
    assert [words[1] for words in rest] == [
        *("plan", "import", "show", "import", "import", "plan", "convert", "emulator")
    ]
    # The spoilt file has rejects.
    assert codes == [0, 0, 0, 0, 3, 0, 0]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    done = run_ropewalk("demo", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_one_seed_gives_one_set(tmp_path: Path) -> None:
    contents = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        folder = tmp_path / name
        folder.mkdir()
        write_demo(folder, annotations=200, seed=seed)
        contents.append({path.name: path.read_bytes() for path in folder.rglob("*.json")})
    assert contents[0] == contents[1]
    assert not contents[0].items() & contents[2].items() - {("spoilt.json", contents[0]["spoilt.json"])}


@pytest.mark.parametrize("annotations", [100, 1013])
def test_the_set_is_as_it_is_said_to_be(tmp_path: Path, annotations: int) -> None:
    written = write_demo(tmp_path, annotations=annotations, seed=3)
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "predictions").iterdir()]
    rows = [(row, {i["id"]: i for i in d["images"]}[row["image_id"]]) for d in documents for row in d["annotations"]]
    assert written.annotations == len(rows) == annotations
    assert written.tracks == len({row["track_id"] for row, _ in rows if "track_id" in row})
    assert set(written.shapes) == {"boxes", "polygons", "masks"}
    sizes = {(m.width, m.height) for m in read_snapshot(tmp_path / "project.json").media if m.width}
    assert len(sizes) == 7 and all(width != height for width, height in sizes)
    for row, image in rows:
        x, y, w, h = row["bbox"]
        assert x >= 0 and y >= 0 and x + w <= image["width"] and y + h <= image["height"]
        drawn = row.get("segmentation")
        if isinstance(drawn, dict):
            assert drawn["size"] == [image["height"], image["width"]]
            assert coco_mask.area(drawn | {"counts": drawn["counts"].encode()}) > 0
        elif drawn is not None:
            assert len(drawn) == 2
