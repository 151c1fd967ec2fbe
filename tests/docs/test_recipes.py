"""The recipes run as they are shown, and each leaves labels on its branch."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from encord.objects import OntologyStructure, Shape
from PIL import Image

from documents import ROOT, run_ropewalk
from ropewalk.emulator import running_emulator
from snapshots import make_image, make_snapshot, make_video

GUIDE = ROOT / "docs" / "guide" / "recipes.md"
RECIPES = re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

# Objects, and frames with one, that each recipe leaves on its branch.
WRITTEN = {
    "Ultralytics": (2, 2),
    "ByteTrack, BoxMOT and other trackers": (2, 2),
    "SAM 2": (2, 2),
    "SA-V": (1, 1),
    "Detectron2": (2, 1),
    "MMDetection": (2, 1),
    "supervision": (1, 2),
    "CVAT": (1, 4),
    "Label Studio": (1, 1),
    "Labelbox": (1, 1),
    "KITTI, as Encord Active imports it": (1, 1),
    "Your own arrays": (1, 1),
}


def write_files(text: str) -> None:
    """Write the files that a recipe shows, and the pictures whose names it lists."""
    for name, content in re.findall(r"^`([^`\n]+)`:\n\n```text\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")
    for name in re.findall(r"^(\S+\.png)$", text, re.MULTILINE):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        picture = np.zeros((360, 640), np.uint8)
        picture[40:90, 100:300] = 1
        picture[200:210, 5:60] = 2
        Image.fromarray(picture, "L").save(name)


@pytest.mark.parametrize(("title", "text"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_runs(title: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(text)
    structure = OntologyStructure()
    structure.add_object("Boat", Shape.BOUNDING_BOX)
    structure.add_object("Person", Shape.BOUNDING_BOX)
    structure.add_object("Hull", Shape.BITMASK)
    media = (
        make_video("harbour.mp4", width=640, height=360, number_of_frames=40),
        make_image("dock.jpg", width=800, height=600),
    )
    lines = re.findall(r"^\$ ropewalk (.+)$", text, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["import", "show"]
    with running_emulator(make_snapshot(media, structure.to_dict())) as local:
        account = {"ENCORD_DOMAIN": local.url, "ENCORD_SSH_KEY_FILE": str(local.ssh_key_path)}
        for line in lines:
            arguments = line.replace("$PROJECT", local.project_hash).split()
            done = run_ropewalk(*arguments, **account)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
        shown = run_ropewalk(*arguments, "--json", **account)
    (total,) = json.loads(shown.stdout)["totals"].values()
    assert (total["objects"], total["frames"]) == WRITTEN[title]
