"""Cuboids on pictures, isometric and in perspective: imported onto the emulator, read back by the unmodified SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project
from encord.objects import OntologyStructure, Shape
from encord.objects.coordinates import (
    Cuboid2DIsometricCoordinates,
    Cuboid2DPerspectiveCoordinates,
    PointCoordinate,
)

import ropewalk
from ropewalk.emulator import running_emulator
from snapshots import make_image, make_snapshot

FRONT = [8.0, 4.0, 24.0, 4.0, 24.0, 16.0, 8.0, 12.0]


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    structure = OntologyStructure()
    structure.add_object("Crate", Shape.CUBOID_2D, feature_node_hash="obj-crat")
    with running_emulator(make_snapshot((make_image(width=32, height=64),), structure.to_dict())) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        yield client.get_project(running.project_hash)


def crate(*rings: list[float], **more: Any) -> dict[str, Any]:
    return {"media": "still.jpg", "class": "Crate", "shape": "cuboid_2d", "unit": "px", "points": [[*rings]], **more}


def test_both_kinds(project: Project, tmp_path: Path) -> None:
    rows = [crate(FRONT, [4.0, -8.0]), crate(FRONT, [40.0, 8.0], [0.25, 0.25], score=0.5)]
    predictions = ropewalk.read_table(rows, source_label="model")
    report = ropewalk.import_predictions(predictions, project, branch="both", work_dir=tmp_path, verify=True)
    assert (report.exit_code, report.annotations_written, report.warnings) == (0, 2, {"over_edge": 2})
    (row,) = (row for row in project.list_label_rows_v2(branch_name="both") if row.label_hash)
    row.initialise_labels()
    found = {
        instance.get_annotation(0).confidence: instance.get_annotation(0).coordinates
        for instance in row.get_object_instances()
    }
    front = [PointCoordinate(x / 32, y / 64) for x, y in zip(FRONT[::2], FRONT[1::2], strict=True)]
    assert found == {
        1.0: Cuboid2DIsometricCoordinates(front, PointCoordinate(0.125, -0.125)),
        0.5: Cuboid2DPerspectiveCoordinates(front, PointCoordinate(1.25, 0.125), 0.25),
    }
    row.save()
    # What Encord has is a source again.
    rows_out = tmp_path / "rows.ndjson"
    rows_out.write_text(json.dumps(row.to_encord_dict()))
    again = ropewalk.import_predictions(rows_out, project, branch="again", work_dir=tmp_path / "again")
    assert (again.exit_code, again.annotations_written) == (0, 2)


@pytest.mark.parametrize(
    ("rings", "policy", "warnings", "rejects"),
    [
        ((FRONT, [4.0, 8.0]), "reject", {}, {}),
        # The back alone is over the edge: below, and to the right.
        ((FRONT, [4.0, 56.0]), "clip", {"over_edge": 1}, {}),
        ((FRONT, [40.0, 8.0], [0.0, 0.0]), "clip", {"over_edge": 1}, {}),
        ((FRONT, [40.0, 8.0], [0.0, 0.0]), "keep", {}, {}),
        ((FRONT, [40.0, 8.0], [0.0, 0.0]), "reject", {}, {"off_image": 1}),
        # All of it is beside the image.
        (([x + 40.0 for x in FRONT], [4.0, 8.0]), "clip", {}, {"off_image": 1}),
    ],
)
def test_cuboids_over_the_edge(
    rings: tuple[list[float], ...],
    policy: Any,
    warnings: dict[str, int],
    rejects: dict[str, int],
    project: Project,
    tmp_path: Path,
) -> None:
    predictions = ropewalk.read_table([crate(*rings)], source_label="model")
    report = ropewalk.import_predictions(
        predictions, project, branch="edge", work_dir=tmp_path, off_image=policy, dry_run=True
    )
    assert (report.warnings, report.rejects_by_code) == (warnings, rejects)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (crate(FRONT), "bad_field"),
        (crate(FRONT[:4], [4.0, 8.0]), "bad_field"),
        (crate(FRONT, [40.0, 8.0], [0.25, 0.5]), "bad_field"),
        (crate(FRONT, [40.0, 8.0], [-0.25, -0.25]), "bad_field"),
        (crate(FRONT, [4.0, 8.0, 12.0, 16.0]), "bad_field"),
        ({**crate(FRONT), "shape": "polygon"}, "shape_mismatch"),
        ({"media": "still.jpg", "class": "Crate", "unit": "px", "box": [1, 2, 3, 4]}, "shape_mismatch"),
    ],
)
def test_what_is_not_a_cuboid_is_rejected(row: dict[str, Any], code: str, project: Project, tmp_path: Path) -> None:
    predictions = ropewalk.read_table([row], source_label="model")
    report = ropewalk.import_predictions(predictions, project, branch="rejects", work_dir=tmp_path)
    assert (report.exit_code, report.rejects_by_code) == (3, {code: 1})
