"""Answers without a frame are about the whole medium: from its first frame, or millisecond, to its last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars
import pytest
from encord import EncordUserClient, Project

import ropewalk
from ropewalk.emulator import running_emulator
from snapshots import make_image, make_image_group, make_snapshot, make_sound, make_video

VIDEO, GROUP, STILL = make_video("drive.mp4"), make_image_group("walk"), make_image("still.jpg")
SOUND = make_sound(duration=2.5)
ENDLESS = replace(SOUND, title="stream.mp3", data_hash=make_video("stream.mp3").data_hash, duration=None)
WHOLE = {"drive.mp4": [[0, 11]], "walk": [[0, 2]], "still.jpg": [[0, 0]], "speech.mp3": [[0, 2500]]}


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running_emulator(make_snapshot((VIDEO, GROUP, STILL, SOUND, ENDLESS))) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        yield client.get_project(running.project_hash)


def weather(media: str, **more: Any) -> dict[str, Any]:
    return {"media": media, "class": "Weather", "attributes": [{"name": "", "value": "Night"}], **more}


def ranges(project: Project, branch: str) -> dict[str, list[list[int]]]:
    found = {}
    for row in project.list_label_rows_v2(branch_name=branch):
        row.initialise_labels()
        for answer in row.to_encord_dict()["classification_answers"].values():
            found[row.data_title] = answer["range"]
    return found


def as_rows(path: Path) -> Any:
    return ropewalk.read_table([weather(title) for title in WHOLE], source_label="model")  # type: ignore[list-item]


def as_ndjson(path: Path) -> Path:
    path = path / "rows.ndjson"
    path.write_text("".join(json.dumps(weather(title)) + "\n" for title in WHOLE))
    return path


def as_parquet(path: Path) -> Path:
    rows = [weather(title) for title in WHOLE]
    polars.DataFrame(rows, strict=False).write_parquet(path / "rows.parquet")
    return path / "rows.parquet"


def as_parquet_of_nulls(path: Path) -> Path:
    frame = polars.DataFrame([weather(title) for title in WHOLE], strict=False)
    frame.with_columns(polars.lit(None, polars.Int64).alias("frame")).write_parquet(path / "rows.parquet")
    return path / "rows.parquet"


def as_written(path: Path) -> Path:
    with ropewalk.PredictionWriter(path / "rows.parquet") as writer:
        for title in WHOLE:
            writer.add_answers(title, classification="Weather", value="Night")
    return path / "rows.parquet"


@pytest.mark.parametrize("given", [as_rows, as_ndjson, as_parquet, as_parquet_of_nulls, as_written])
def test_no_frame_is_the_whole_medium(given: Callable[[Path], Any], project: Project, tmp_path: Path) -> None:
    branch = given.__name__
    report = ropewalk.import_predictions(given(tmp_path), project, branch=branch, work_dir=tmp_path, verify=True)
    assert (report.exit_code, report.annotations_written) == (0, 4)
    # A still is one frame in any case.
    assert report.warnings == {"whole_medium": 3}
    assert ranges(project, branch) == WHOLE


def test_a_frame_is_a_frame(project: Project, tmp_path: Path) -> None:
    rows = [weather("drive.mp4", frame=0), weather("walk", frame=2), weather("speech.mp3", frame=7, frame_last=9)]
    predictions = ropewalk.read_table(rows, source_label="model")  # type: ignore[arg-type]
    report = ropewalk.import_predictions(predictions, project, branch="some", work_dir=tmp_path)
    assert (report.exit_code, report.warnings) == (0, {})
    assert ranges(project, "some") == {"drive.mp4": [[0, 0]], "walk": [[2, 2]], "speech.mp3": [[7, 9]]}


def test_the_name_of_a_frame_is_its_frame(project: Project, tmp_path: Path) -> None:
    rows = [weather("walk-1.png"), weather("drive/000004.png")]
    predictions = ropewalk.read_table(rows, source_label="model")  # type: ignore[arg-type]
    report = ropewalk.import_predictions(predictions, project, branch="named", work_dir=tmp_path)
    assert (report.exit_code, report.warnings) == (0, {"frame_from_name": 1})
    assert ranges(project, "named") == {"walk": [[1, 1]], "drive.mp4": [[4, 4]]}


def test_a_medium_that_does_not_end_needs_a_range(project: Project, tmp_path: Path) -> None:
    rows = [weather("stream.mp3"), weather("drive.mp4", frame=11, frame_last=None)]
    rows.append({"media": "drive.mp4", "class": "Car", "box": [0.1, 0.2, 0.3, 0.4]})
    predictions = ropewalk.read_table(rows, unit="frac", source_label="model")  # type: ignore[arg-type]
    report = ropewalk.import_predictions(predictions, project, branch="endless", work_dir=tmp_path)
    assert (report.annotations_written, report.rejects_by_code) == (1, {"no_frame": 2})
    assert report.rejects_file is not None
    messages = [json.loads(line)["message"] for line in Path(report.rejects_file).read_text().splitlines()]
    assert sum("how long" in message for message in messages) == 1
