"""Predictions from arrays onto a branch of the emulator, beside the same ones imported from COCO."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ropewalk import PredictionWriter, import_predictions
from ropewalk.errors import UsageError
from workbench import Bench, box, check_sums, dataset, ring

H, W = 36, 64
NAMES = {"Road": "obj-road", "Tree": "obj-tree"}


def l_mask() -> tuple[Any, dict[str, Any]]:
    """Draw an L, and say it down the columns."""
    mask = np.zeros((H, W), bool)
    mask[3:30, 10] = mask[29, 10:20] = True
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, flat.size]).tolist()
    annotation = {"id": 9, "image_id": 103, "category_id": 3, "segmentation": {"size": [H, W], "counts": counts}}
    return mask, annotation


def add_all(writer: PredictionWriter) -> None:
    """Add what `COCO` says: tracked boxes, a polygon, a mask."""
    for frame, number in ((1, 64), (2, 128)):
        writer.add(
            "drive.mp4", frame, boxes=[[number / 64, 2, 5, 7.5]], class_names="Car", track_ids=[5], scores=[0.25]
        )
    writer.add("still.jpg", 0, polygons=[np.reshape(ring(3)["segmentation"][0], (-1, 2))], class_names="Road")
    writer.add("drive.mp4", 3, masks=[l_mask()[0]], class_names="Tree")


def coco() -> dict[str, Any]:
    boxes = [box(number, image=100 + number // 64, track_id=5, score=0.25) for number in (64, 128)]
    return dataset([*boxes, ring(3), l_mask()[1]])


def test_an_upload_gives_the_label_rows_of_coco(bench: Bench) -> None:
    writer = PredictionWriter.upload(
        bench.project, branch=bench.branch, box_format="xywh", source_label="model", work_dir=bench.folder / "work"
    )
    with writer:
        add_all(writer)
        assert bench.rows() == {}
    assert writer.report is not None and writer.report.annotations_written == 4
    check_sums(writer.report)
    assert not writer.path.exists()
    uploaded = bench.rows()
    # The branch is part of an object's identity: on the same one COCO finds that all of it is there.
    report = bench.run(coco(), source_label="model")
    assert (report.annotations_written, report.annotations_already_there) == (0, 4)
    assert bench.rows() == uploaded and len(bench.objects()) == 4


def test_rejects_keep_the_file_for_another_import(bench: Bench) -> None:
    options: dict[str, Any] = {"branch": bench.branch, "work_dir": bench.folder / "work", "source_label": "model"}
    with PredictionWriter.upload(bench.project, box_format="xywh", **options) as writer:
        add_all(writer)
        writer.add("drive.mp4", 4, boxes=[[1, 2, 3, 4]], class_names="Lorry")
    assert writer.report is not None
    assert (writer.report.exit_code, writer.report.rejects_by_code) == (3, {"unknown_class": 1})
    options |= {"class_map": {"Lorry": "obj-car1", "Car": "obj-car1"} | NAMES}
    report = import_predictions(writer.path, bench.project, on_existing="replace", format="parquet", **options)
    assert report.exit_code == 0 and len(bench.objects()) == 5


def test_a_block_that_ends_early_sends_nothing(bench: Bench) -> None:
    stored = bench.stored()
    options: dict[str, Any] = {"branch": bench.branch, "work_dir": bench.folder / "work", "source_label": "model"}
    with (
        pytest.raises(UsageError, match="frame 4: boxes has shape"),
        PredictionWriter.upload(bench.project, **options) as writer,
    ):
        add_all(writer)
        writer.add("drive.mp4", 4, boxes=[1, 2, 3, 4], class_names="Car")
    assert bench.stored() == stored and not writer.path.exists()
