"""Open Images CSV beside a reader of a few lines, by the names of the header: what an import stores of each record."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import pytest

import ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.sinks.encord.client import open_project
from snapshots import make_image, make_snapshot
from workbench import check_sums

COLUMNS = ["ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", "IsGroupOf"]
CLASS_MAP: dict[str, Any] = {"/m/0k4j": "obj-car1", "/m/01yrx": None}
# Open Images names images by 16 hexadecimal digits; none is square.
SIZES = {"000026e7ee790996": (90, 41), "000062a39995e348": (30, 50)}


def write(path: Path, seed: int) -> None:
    """Write records whose columns come in an order of their own."""
    source = random.Random(seed)
    order = source.sample(COLUMNS, len(COLUMNS))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, order)
        writer.writeheader()
        for number in range(1, 41):
            left, right = sorted(source.sample(range(0, 1025), 2))
            top, bottom = sorted(source.sample(range(0, 1025), 2))
            writer.writerow(
                {
                    "ImageID": source.choice(list(SIZES)),
                    "Source": 'xclick, "checked"',
                    "LabelName": source.choice(list(CLASS_MAP)),
                    "Confidence": number / 64,
                    "XMin": left / 1024,
                    "XMax": right / 1024,
                    "YMin": top / 1024,
                    "YMax": bottom / 1024,
                    "IsGroupOf": 0,
                }
            )


@pytest.mark.parametrize("seed", range(3))
def test_boxes_are_those_of_the_header(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "boxes.csv"
    write(path, seed)
    with path.open(newline="") as file:
        records = list(csv.DictReader(file))
    expected = set()
    for record in records:
        left, right, top, bottom = (float(record[name]) for name in ("XMin", "XMax", "YMin", "YMax"))
        if CLASS_MAP[record["LabelName"]] is not None:
            box = (left, top, right - left, bottom - top)
            expected.add((record["ImageID"], float(record["Confidence"]), box))
    media = tuple(make_image(f"{name}.jpg", width=width, height=height) for name, (width, height) in SIZES.items())
    found = set()
    with running_emulator(make_snapshot(media)) as emulator:
        project = open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)
        report = ropewalk.import_predictions(path, project, branch="p", class_map=CLASS_MAP, work_dir=tmp_path / "w")
        check_sums(report)
        assert report.exit_code == 0, report
        for row in project.list_label_rows_v2(branch_name="p"):
            row.initialise_labels()
            for item in row.get_object_instances():
                (annotation,) = item.get_annotations()
                box = annotation.coordinates
                corner = (box.top_left_x, box.top_left_y, box.width, box.height)
                found.add((Path(row.data_title).stem, annotation.confidence, corner))
    assert len(expected) > 10
    assert found == expected
