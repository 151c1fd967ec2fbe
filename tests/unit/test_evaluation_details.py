"""What an evaluation tells beyond COCO's metrics: media, confused classes, curves, and the page that shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ropewalk
from ropewalk import evaluate
from ropewalk.cli.commands import app
from ropewalk.evaluating.page import page_of

NAMES = ("Car", "<script>alert(1)</script>", "Cow")


def labels() -> dict[str, Any]:
    items = [
        {"image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 10]},
        {"image_id": 1, "category_id": 2, "bbox": [40, 0, 20, 10]},
        {"image_id": 1, "category_id": 2, "bbox": [0, 30, 40, 10], "iscrowd": 1},
        {"image_id": 2, "category_id": 1, "bbox": [5, 5, 12, 20]},
    ]
    return {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 60, "height": 40} for n in (1, 2, 3)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, 1)],
        "annotations": [item | {"id": n} for n, item in enumerate(items, 1)],
    }


RESULTS = [
    {"image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 10], "score": 0.9},
    # Overlaps the other class's label more than the one before does its own.
    {"image_id": 1, "category_id": 1, "bbox": [40, 0, 20, 10], "score": 0.8},
    # In the crowd, so neither right nor wrong.
    {"image_id": 1, "category_id": 2, "bbox": [2, 31, 9, 8], "score": 0.7},
    {"image_id": 3, "category_id": 2, "bbox": [2, 3, 9, 8], "score": 0.6},
]


def test_media_are_measured_by_themselves() -> None:
    found = evaluate(ropewalk.read_coco(RESULTS), labels(), per_medium=True)
    assert [(m.name, m.images, m.labels, m.predictions) for m in found.media] == [
        ("1.jpg", 1, 3, 3),
        ("2.jpg", 1, 1, 0),
        ("3.jpg", 1, 0, 1),
    ]
    for medium in found.media:
        alone = labels() | {"images": [image for image in labels()["images"] if image["file_name"] == medium.name]}
        ids = {image["id"] for image in alone["images"]}
        alone["annotations"] = [item for item in alone["annotations"] if item["image_id"] in ids]
        expected = evaluate(ropewalk.read_coco([r for r in RESULTS if r["image_id"] in ids]), alone).metrics
        assert (medium.ap, medium.ap50, medium.ar) == pytest.approx(
            (expected["AP"], expected["AP50"], expected["AR100"])
        )
    assert (found.media[0].ap, found.media[1].ap, found.media[2].ap) == (pytest.approx(0.5), 0.0, None)


def test_a_class_that_is_taken_for_another_is_counted_there() -> None:
    found = evaluate(ropewalk.read_coco(RESULTS), labels(), confusion=True).confusion
    assert found is not None
    assert found.classes == list(NAMES[:2])
    # Rows are labels: one car found and one not; the other class taken for a car; one prediction where nothing is.
    assert found.counts == [[1, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_a_curve_has_its_best_confidence() -> None:
    results = [
        {"image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 10], "score": 0.9},
        {"image_id": 2, "category_id": 1, "bbox": [5, 5, 12, 20], "score": 0.5},
        {"image_id": 3, "category_id": 1, "bbox": [5, 5, 12, 20], "score": 0.2},
        {"image_id": 3, "category_id": 1, "bbox": [25, 5, 12, 20], "score": 0.7},
    ]
    car, other = evaluate(ropewalk.read_coco(results), labels(), curves=True).curves
    assert (car.name, other.name) == NAMES[:2]
    assert [car.precision[at] for at in (0, 50, 51, 100)] == pytest.approx([1, 1, 2 / 3, 2 / 3])
    assert (car.confidence[50], car.confidence[100]) == (0.9, 0.5)
    # Two of three right, and both found.
    assert (car.best_confidence, car.best_f1) == (0.5, pytest.approx(0.8))
    assert (other.best_confidence, other.best_f1, set(other.precision)) == (None, None, {0.0})


def test_details_are_left_out_unless_they_are_asked_for() -> None:
    found = evaluate(ropewalk.read_coco(RESULTS), labels())
    assert (found.media, found.confusion, found.curves) == ([], None, [])


def test_the_page_shows_all_and_needs_nothing_else() -> None:
    found = evaluate(ropewalk.read_coco(RESULTS), labels(), per_medium=True, confusion=True, curves=True)
    text = page_of(found)
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert not re.search(r"(src|href)\s*=|https?:|//[a-z]", text)
    # A curve for each of the two classes that have labels.
    assert text.count("<polyline") == 2
    assert all(f">{name}<" in text for name in ("Car", "3.jpg", "(not found)", "AP75"))


def test_the_command_writes_tables_and_the_page(tmp_path: Path) -> None:
    for name, document in (("labels", labels()), ("results", RESULTS)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    given = ["evaluate", str(tmp_path / "results.json"), "--labels", str(tmp_path / "labels.json")]
    plain = CliRunner().invoke(app, given)
    assert (plain.exit_code, len(plain.stdout.splitlines())) == (0, 1)
    page = tmp_path / "page.html"
    ran = CliRunner().invoke(
        app, [*given, "--per-class", "--per-medium", "--confusion", "--curves", "--page", str(page)]
    )
    assert ran.exit_code == 0, ran.output
    heads = [line.split("\t")[0] for line in ran.stdout.splitlines()]
    assert heads[1:] == [
        *("class", *NAMES[:2]),
        *("medium", "1.jpg", "2.jpg", "3.jpg"),
        *("class", *NAMES[:2]),
        *("label", *NAMES[:2], "(no label)"),
    ]
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
