"""The complete file that COCO's page shows is imported as the page says."""

from __future__ import annotations

import json
from pathlib import Path

from encord import EncordUserClient

import ropewalk
from documents import ROOT, blocks
from ropewalk.emulator import running_emulator


def test_the_tracked_video_is_two_cars(demo_folder: Path) -> None:
    shown = [block for block in blocks(ROOT / "docs" / "guide" / "formats" / "coco.md", "json") if "videos" in block]
    (text,) = shown
    file = demo_folder / "tracked.json"
    file.write_text(text, encoding="utf-8")
    with running_emulator(ropewalk.read_snapshot(demo_folder / "project.json")) as local:
        client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=local.ssh_key_path, domain=local.url)
        project = client.get_project(local.project_hash)
        report = ropewalk.import_predictions(file, project, branch="model-1")
        assert (report.exit_code, report.annotations_written, report.warnings) == (0, 4, {})
        (row,) = [row for row in project.list_label_rows_v2(branch_name="model-1") if row.label_hash is not None]
        assert row.data_title == "street-1.mp4"
        row.initialise_labels()
        cars = {
            car.object_number: [annotation.frame for annotation in car.get_annotations()]
            for car in row.get_object_instances()
        }
        assert cars == {7: [0, 1, 2], 8: [2]}
        # The same as a results list beside its dataset.
        results = demo_folder / "results.json"
        results.write_text(json.dumps(json.loads(text)["annotations"]), encoding="utf-8")
        listed = ropewalk.import_predictions(results, project, branch="model-2", annotations=file)
        assert (listed.exit_code, listed.annotations_written) == (0, 4)
