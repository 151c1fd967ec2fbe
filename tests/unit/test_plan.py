"""The plan and its maps: what the core is told, and what is refused before it is told anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ropewalk.errors import UsageError
from ropewalk.project.plan import PlanOptions, rules_json
from snapshots import hash_of, make_snapshot

PROJECT = make_snapshot()
VIDEO = hash_of("drive.mp4")
GROUP_IMAGE = hash_of("walk/1")


def plan(**options: Any) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(rules_json(PROJECT, "pred-1", PlanOptions(**options)))
    return result


def test_the_project_stands_in_the_plan() -> None:
    whole = plan()
    assert whole["branch"] == "pred-1"
    assert whole["ontology"][0]["feature_hash"] == "obj-car1"
    assert [item["shape"] for item in whole["ontology"][:3]] == ["bounding_box", "polygon", "bitmask"]
    assert whole["class_map"] is None and whole["only_media"] is None


def test_field_names_are_those_of_the_core() -> None:
    sources = Path(__file__).parents[2] / "rust" / "core" / "src"
    classification = plan()["classifications"][0]
    structs = {
        # Media are taken from Python's objects.
        "Plan": plan() | {"media": []},
        "OntologyObject": plan()["ontology"][0],
        "Classification": classification,
        "Attribute": classification["attributes"][0],
        "AttributeOption": classification["attributes"][0]["options"][0],
    }
    text = "".join((sources / name).read_text(encoding="utf-8") for name in ("plan.rs", "media.rs", "ontology.rs"))
    for name, written in structs.items():
        body = text.split(f"pub struct {name} {{")[1].split("\n}")[0]
        fields = {line.split(":")[0].removeprefix("    pub ") for line in body.splitlines() if "    pub " in line}
        assert written.keys() == fields


def test_options_go_through() -> None:
    whole = plan(only_media=("a*", "b"), limit_rows=2, simplify=0.5, off_image="keep")
    assert (whole["only_media"], whole["limit_rows"], whole["simplify"]) == (["a*", "b"], 2, 0.5)
    assert whole["off_image"] == "keep"
    thinned = plan(every=5, max_per_frame=7, decimals=0)
    assert (thinned["every"], thinned["max_per_frame"], thinned["decimals"]) == (5, 7, 0)
    assert (whole["every"], whole["max_per_frame"], whole["decimals"]) == (None, None, None)


@pytest.mark.parametrize(
    "options",
    [
        {"media_from": "video"},
        {"frame_from": "name"},
        {"off_image": "cut"},
        {"min_confidence": 1.5},
        {"min_confidence": float("nan")},
        {"limit_rows": 0},
        {"every": 0},
        {"max_per_frame": -1},
        {"decimals": -1},
        {"decimals": 18},
        {"simplify": -1.0},
        {"simplify": float("inf")},
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected"):
        PlanOptions(**options)


def test_class_map() -> None:
    given = {"1": "obj-car1", "tree": "obj-tree", "sky": None}
    assert plan(class_map=given)["class_map"] == given


def test_actives_ontology_mapping_is_turned_round() -> None:
    assert plan(class_map={"obj-car1": 1, "obj-tree": "tree"})["class_map"] == {"1": "obj-car1", "tree": "obj-tree"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"1": "obj-none"}, "obj-none"),
        ({"1": "cls-wthr"}, "classification"),
        ({"obj-car1": "car", "1": "obj-tree"}, "car"),
        ({"obj-car1": 1, "obj-tree": 1}, "are both for category 1"),
        ({"1": ["obj-car1"]}, "cannot be in a map"),
        ({"1": 7}, "7"),
    ],
)
def test_class_maps_that_do_not_fit(given: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        plan(class_map=given)


def test_media_map() -> None:
    given = {"7": VIDEO, "b.png": GROUP_IMAGE, "c.png": {"data_hash": VIDEO, "frame": 11}}
    assert plan(media_map=given)["media_map"] == given


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("nowhere", "nowhere"),
        ({"data_hash": "nowhere", "frame": 0}, "nowhere"),
        ({"data_hash": GROUP_IMAGE, "frame": 0}, GROUP_IMAGE),
        ({"data_hash": VIDEO, "frame": 12}, "from 0 to 11"),
        ({"data_hash": VIDEO, "frame": True}, "from 0 to 11"),
        ({"data_hash": VIDEO}, "expected a data_hash"),
        (None, "expected a data_hash"),
    ],
)
def test_media_maps_that_do_not_fit(target: Any, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        plan(media_map={"7": target})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"1": "obj-car1",', "line 1, column"),
        (b'["obj-car1"]', "expected a JSON object"),
        (b'{"1": "obj-car1", "1": "obj-tree"}', "1 appears twice"),
        (b'{"\xff": "obj-car1"}', "not UTF-8"),
        (b"[" * 100_000, "not valid JSON|nested too deeply"),
    ],
)
def test_map_files_that_are_not_maps(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "map.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        plan(class_map=path)


def test_map_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"map\.json: No such file"):
        plan(media_map=tmp_path / "map.json")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_a_project_of_many_media_takes_little_memory() -> None:
    """Beyond the snapshot, which is there before."""
    bench = Path(__file__).parents[2] / "benches" / "plan.py"
    one, many = (
        float(
            subprocess.run([sys.executable, bench, media], capture_output=True, text=True, check=True).stdout.split()[
                -2
            ]
        )
        for media in ("1", "100000")
    )
    assert many - one <= 40
