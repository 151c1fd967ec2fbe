"""Predictions from memory, and the table they become: out through Arrow, Parquet and IPC, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow
import pytest
from encord import Project
from pycocotools import mask as coco_mask

from ropewalk import _core, import_predictions, read_coco, rle
from ropewalk.errors import SchemaError, UsageError
from ropewalk.project.plan import PlanOptions, plan_of
from ropewalk.reading.tables import read_table, write_table
from snapshots import make_snapshot

# An F, 50 high and 30 wide: the size of the image.
F = np.zeros((50, 30), bool)
F[5:40, 4:8] = F[5:9, 4:25] = F[18:22, 4:16] = True


def dataset(**annotation: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "still.jpg", "width": 30, "height": 50}],
        "categories": [{"id": 1, "name": "Car"}, {"id": 3, "name": "Tree"}],
        "annotations": [{"id": 7, "image_id": 1, "category_id": 1} | annotation],
    }


def test_counts_as_bytes_are_transposed(project: Project, tmp_path: Path) -> None:
    segmentation = coco_mask.encode(np.asfortranarray(F, np.uint8))
    assert isinstance(segmentation["counts"], bytes)
    document = dataset(category_id=3, segmentation=segmentation, score=np.float32(0.5))
    report = import_predictions(read_coco(document), project, branch="b", work_dir=tmp_path)
    assert (report.annotations_written, report.exit_code) == (1, 0)
    (row,) = project.list_label_rows_v2(branch_name="b", data_title_eq="still.jpg")
    row.initialise_labels()
    ((annotation,),) = [instance.get_annotations() for instance in row.get_object_instances()]
    assert annotation.confidence == 0.5
    stored: Any = annotation.coordinates
    assert stored.to_dict()["rleString"] == rle.encode(F) != rle.encode_coco(F)


def test_a_label_from_memory_is_part_of_a_tracks_identity(tmp_path: Path) -> None:
    def hashes(label: str | None, **more: Any) -> set[str]:
        stage = _core.Stage(plan_of(make_snapshot(), "b", PlanOptions()), str(tmp_path / "rejects.ndjson"))
        source = read_coco(dataset(bbox=[1, 2, 3, 4], **more), source_label=label).source
        stage.add(source.given, source.label, "coco")
        return set(json.loads(stage.finish().encode(0, None, "Sat, 21 Nov 2026 23:48:11 UTC"))["object_answers"])

    assert hashes("run 1", track_id=4) == hashes("run 1", track_id=4) != hashes("run 2", track_id=4)
    with pytest.raises(UsageError, match="source_label is needed: what is in memory has tracks"):
        hashes(None, track_id=4)
    # Without tracks it says nothing of any object.
    assert hashes(None) == hashes("run 1")


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="object is no part of predictions"):
        read_coco(dataset(bbox=object()))


def rows() -> list[_core.AnnotationBatch]:
    segmentation = coco_mask.encode(np.asfortranarray(F, np.uint8))
    document = dataset(bbox=[0.1, 2, 3, 4], score=1 / 3, track_id="a track")
    document["annotations"] += [
        {"image_id": 1, "category_id": 3, "segmentation": segmentation},
        {"image_id": 1, "category_id": 9, "segmentation": [[1.5, 2, 3, 4, 5, 7.25], [9, 9, 12, 9, 12, 11, 9, 12]]},
    ]
    return list(read_coco(document))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_table_comes_back_from_a_file(tmp_path: Path, suffix: str) -> None:
    batches = rows()
    assert write_table(batches, tmp_path / f"ir{suffix}") == 3
    table = read_table(tmp_path / f"ir{suffix}").collect()
    expected = polars.DataFrame(batches[0])
    assert table.equals(expected)
    again = _core.AnnotationBatch.from_arrow(table)
    assert polars.DataFrame(again).equals(expected)


def test_a_batch_is_handed_out_and_taken_by_arrow() -> None:
    (batch,) = rows()
    table = pyarrow.record_batch(batch)
    assert table.schema.metadata == {b"ropewalk.schema_version": b"1"}
    assert table["points"].to_pylist()[2] == [[[1.5, 2, 3, 4, 5, 7.25]], [[9, 9, 12, 9, 12, 11, 9, 12]]]
    assert polars.DataFrame(_core.AnnotationBatch.from_arrow(table)).equals(polars.DataFrame(batch))
    with pytest.raises(SchemaError, match="no column `media`"):
        _core.AnnotationBatch.from_arrow(table.drop_columns(["media"]))
    assert len(_core.AnnotationBatch.empty()) == 0


def test_ctrl_c_while_a_path_is_asked_for_is_no_error_of_type() -> None:
    class Interrupted:
        def __fspath__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _core.read(Interrupted(), "p.json", "coco")
    with pytest.raises(TypeError, match="expected a file, its content, a table"):
        _core.read(1, "p.json", "coco")


def test_rows_of_small_files_come_together(tmp_path: Path) -> None:
    for number in range(40):
        dataset = {
            "images": [{"id": 1, "file_name": f"clip-{number}.mp4", "width": 90, "height": 50}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 4], "score": 0.5}],
            "categories": [{"id": 1, "name": "Car"}],
        }
        (tmp_path / f"{number:02}.json").write_text(json.dumps(dataset), encoding="utf-8")
    (batch,) = _core.read(tmp_path, "run")
    found = polars.DataFrame(batch)
    assert found["media"].to_list() == [f"clip-{number}.mp4" for number in range(40)]
