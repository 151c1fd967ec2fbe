"""Whose template a skeleton has: that of the object's hash or name, the one that fits, or the one chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ropewalk import import_predictions, list_ontology, read_table
from ropewalk.emulator import running_emulator
from ropewalk.errors import UsageError
from ropewalk.report import Report
from ropewalk.sinks.encord.client import open_project
from snapshots import make_image, make_snapshot

RING = [0.125, 0.25, 0.5, 0.375, 0.25, 0.75]


def template(name: str, feature_hash: str | None, *points: str) -> dict[str, Any]:
    skeleton = {
        str(n): {
            **{"x": 0.25 * n, "y": 0.5, "name": point, "color": "#d33115", "value": point},
            "featureHash": f"{name}/{feature_hash}/{point}",
        }
        for n, point in enumerate(points)
    }
    sizes = {"width": 100, "height": 50, "skeletonEdges": {}, "shape": "skeleton"}
    return {"template": {"name": name, "feature_node_hash": feature_hash, "skeleton": skeleton, **sizes}}


@contextmanager
def project(*templates: dict[str, Any], objects: tuple[str, ...] = ("Walker",)) -> Iterator[tuple[Any, Any]]:
    """Open a project with skeletons and templates; give it with a function that reads the points of its objects."""
    structure = {
        "objects": [
            {
                **{"id": str(n), "name": name, "color": f"#00000{n}", "shape": "skeleton"},
                "featureNodeHash": f"obj-{name.lower()}",
            }
            for n, name in enumerate(objects, 1)
        ],
        "classifications": [],
        "skeleton_templates": list(templates),
    }
    with running_emulator(make_snapshot((make_image(),), structure)) as running:

        def points() -> dict[str, list[str]]:
            headers = running.store.headers("b")
            (content,) = running.store.contents(header.label_hash for header in headers)
            (unit,) = json.loads(content)["data_units"].values()
            return {
                item["name"]: [point["featureHash"] for point in item["skeleton"].values()]
                for item in unit["labels"]["objects"]
            }

        opened = open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url)
        yield opened, points


def imported(opened: Any, folder: Path, *names: str, points: int = 3, **options: Any) -> Report:
    rows = [
        {"media": "still.jpg", "class": name, "shape": "skeleton", "unit": "frac", "points": [[RING[: 2 * points]]]}
        for name in names
    ]
    return import_predictions(read_table(rows), opened, branch="b", work_dir=folder, **options)


def test_templates_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    # Objects that share one primitive: the SDK keeps the last template of that name.
    pair = (
        template("Human", "obj-walker", "nose", "hand", "foot"),
        template("Human", "obj-runner", "head", "hip", "toe"),
    )
    with project(*pair, objects=("Walker", "Runner")) as (opened, points):
        assert imported(opened, tmp_path, "Walker", "Runner").annotations_written == 2
        assert points() == {
            "Walker": [f"Human/obj-walker/{name}" for name in ("nose", "hand", "foot")],
            "Runner": [f"Human/obj-runner/{name}" for name in ("head", "hip", "toe")],
        }
        listed = {item.name: [point.name for point in item.points] for item in list_ontology(opened).objects}
        assert listed == {"Walker": ["nose", "hand", "foot"], "Runner": ["head", "hip", "toe"]}


def test_the_only_template_needs_no_link(tmp_path: Path) -> None:
    with project(template("Human", "elsewhere", "nose", "hand", "foot")) as (opened, points):
        assert imported(opened, tmp_path, "Walker").annotations_written == 1
        assert points()["Walker"] == [f"Human/elsewhere/{name}" for name in ("nose", "hand", "foot")]


def test_the_number_of_points_tells(tmp_path: Path) -> None:
    pair = (template("Pair", None, "left", "right"), template("Human", None, "nose", "hand", "foot"))
    with project(*pair) as (opened, points):
        assert imported(opened, tmp_path, "Walker").annotations_written == 1
        assert points()["Walker"] == [f"Human/None/{name}" for name in ("nose", "hand", "foot")]
        imported(opened, tmp_path, "Walker", points=2, on_existing="replace")
        assert points()["Walker"] == [f"Pair/None/{name}" for name in ("left", "right")]


ALIKE = (template("Human", None, "nose", "hand", "foot"), template("Ape", "ape-hash", "head", "hip", "toe"))


@pytest.mark.parametrize("n", [3, 2])
def test_what_does_not_tell_names_the_templates(tmp_path: Path, n: int) -> None:
    with project(*ALIKE) as (opened, _):
        report = imported(opened, tmp_path, "Walker", points=n)
        assert report.rejects_by_code == {"skeleton_template": 1}
        (reject,) = map(json.loads, Path(report.rejects_file or "").read_text().splitlines())
        for said in ('"Walker"', f" {n} points", '"Human" with 3 points', '"Ape" with 3 points', "--skeleton-template"):
            assert said in reject["message"]
        assert list_ontology(opened).objects[0].points == ()


@pytest.mark.parametrize("choice", ["Walker=Ape", "obj-walker=ape-hash"])
def test_a_template_is_chosen(tmp_path: Path, choice: str) -> None:
    with project(*ALIKE) as (opened, points):
        assert imported(opened, tmp_path, "Walker", skeleton_template=[choice]).annotations_written == 1
        assert points()["Walker"] == [f"Ape/ape-hash/{name}" for name in ("head", "hip", "toe")]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("Walker", "expected CLASS=TEMPLATE"),
        ("Cow=Ape", "has no skeleton Cow; it has Walker"),
        ("Walker=Cow", r"has no template Cow; its templates are Human \(no hash\), Ape \(ape-hash\)"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(tmp_path: Path, choice: str, said: str) -> None:
    with project(*ALIKE) as (opened, _), pytest.raises(UsageError, match=said):
        imported(opened, tmp_path, "Walker", skeleton_template=[choice])


def test_keypoints_of_a_category_follow_the_template_that_fits(tmp_path: Path) -> None:
    pair = (template("Pair", None, "left", "right"), template("Human", None, "nose", "hand", "foot"))
    dataset = {
        "images": [{"id": 1, "file_name": "still.jpg", "width": 30, "height": 50}],
        "categories": [{"id": 1, "name": "Walker", "keypoints": ["foot", "nose", "hand"]}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [3, 5, 2, 6, 10, 2, 9, 40, 1], "num_keypoints": 3}
        ],
    }
    source = tmp_path / "keypoints.json"
    source.write_text(json.dumps(dataset))
    with project(*pair) as (opened, points):
        report = import_predictions(source, opened, branch="b", work_dir=tmp_path)
        assert (report.rejects_by_code, report.annotations_written) == ({}, 1)
        assert points()["Walker"] == [f"Human/None/{name}" for name in ("nose", "hand", "foot")]
