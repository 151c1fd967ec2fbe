"""What makes Ropewalk handy in Python and notebooks: what results show, tables in and out, progress, connecting."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pyarrow
import pytest
from encord import Project

import ropewalk
from ropewalk.emulator import RunningEmulator
from ropewalk.errors import UsageError
from ropewalk.project.media import list_media
from small_imports import BOX
from snapshots import hash_of, make_image, make_snapshot, make_video

HOSTILE = "<script>alert(1)</script>.jpg"
ROW = {"media": "still.jpg", "class": "Car", "box": [2, 3, 5, 4], "unit": "px", "score": 0.5}
RESULT = {"image_id": 1, "category_id": 1, "bbox": [2, 3, 5, 4], "score": 0.5}
DATASET = {
    "images": [{"id": 1, "file_name": "still.jpg"}],
    "categories": [{"id": 1, "name": "Car"}],
    "annotations": [RESULT | {"id": 1}],
}


def dry(predictions: Any, tmp_path: Path, **options: Any) -> ropewalk.Report:
    project = make_snapshot(media=(make_video(), make_image("still.jpg")))
    given = {"branch": "b", "dry_run": True, "work_dir": tmp_path / "work"} | options
    return ropewalk.import_predictions(predictions, project, **given)


def test_predictions_are_a_table_for_whoever_takes_arrow(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_text(json.dumps(ROW) + "\n")
    found = ropewalk.read(path)
    assert polars.DataFrame(found).equals(found.to_polars())
    assert pyarrow.table(found).column("class").to_pylist() == ["Car"]
    assert str(found) == f"predictions of {tmp_path.name}/rows.ndjson, format auto"
    assert "rows.ndjson" in found._repr_html_()


def test_an_import_takes_what_is_in_memory(tmp_path: Path) -> None:
    frame = ropewalk.read_table([ROW]).to_polars()
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps(DATASET))
    for given in (frame, frame.lazy(), frame.to_arrow(), [ROW], DATASET, path, str(path)):
        report = dry(given, tmp_path)
        assert (report.annotations_written, report.exit_code) == (1, 0), type(given)
    report = dry([RESULT], tmp_path, annotations=path)
    assert (report.annotations_written, report.exit_code) == (1, 0)


def test_a_report_says_what_the_command_line_says_and_escapes_it(tmp_path: Path) -> None:
    report = dry([ROW, ROW | {"media": HOSTILE}], tmp_path, rejects=tmp_path / "rejects.ndjson")
    assert str(report).startswith("2 annotations read: 1 to be written, 1 rejected")
    report.plan = None
    assert "<script" not in report._repr_html_() and "&lt;script&gt;" in report._repr_html_()


def test_rejects_are_a_table(tmp_path: Path, run: Callable[..., Any]) -> None:
    report = dry([ROW, ROW | {"class": "Bike"}, ROW | {"score": 7}], tmp_path, rejects=tmp_path / "rejects.ndjson")
    table = report.rejects()
    assert sorted(table["code"]) == ["score_range", "unknown_class"]
    assert table["annotations"].to_list() == [1, 1]
    annotation = json.loads(table.filter(polars.col("code") == "unknown_class")["annotation"].item())
    assert annotation["class"] == "Bike"
    empty = dry([ROW], tmp_path).rejects()
    assert (empty.height, empty.columns) == (0, table.columns)
    with pytest.raises(UsageError, match="1 annotation rejected and not kept in a file; name one with rejects"):
        dry([ROW | {"class": "Bike"}], tmp_path).rejects()
    whole = run({"drive.mp4": [BOX]}, max_row_bytes=100).rejects()
    assert whole.select("code", "title", "annotations", "annotation").rows() == [
        ("row_too_large", "drive.mp4", 1, None)
    ]


def test_a_verification_and_listings_show_themselves(run: Callable[..., Any], project: Project, tmp_path: Path) -> None:
    run({"drive.mp4": [BOX]})
    (tmp_path / "other.json").write_text(json.dumps(DATASET))
    found = ropewalk.verify_predictions(tmp_path / "other.json", project, branch="pred-1", work_dir=tmp_path / "work")
    assert str(found).splitlines()[1:] == ["1 label row missing", "row_missing 1: still.jpg"]
    assert f"<td>{hash_of('still.jpg')}</td>" in found._repr_html_()
    listed = list_media(make_snapshot(media=(make_image(HOSTILE),)))
    assert str(listed).splitlines()[0].startswith("title\tdata_hash\t")
    assert "&lt;script&gt;" in listed._repr_html_() and "<script" not in listed._repr_html_()
    assert str(list_media(make_snapshot(media=()))) == ""
    ontology = ropewalk.list_ontology(project)
    assert "Car\tbounding_box\tobj-car1" in str(ontology).splitlines()
    assert "<td>obj-car1</td>" in ontology._repr_html_()


def test_progress_is_shown_if_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dry([ROW], tmp_path)
    assert capsys.readouterr().err == ""
    dry([ROW], tmp_path, progress="auto")
    assert capsys.readouterr().err.splitlines()[-1] == "checking: 1 of 1 annotation"
    with pytest.raises(UsageError, match="progress is 'on'; expected \"auto\", None"):
        dry([ROW], tmp_path, progress="on")


def test_a_project_is_opened_by_the_environment(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENCORD_PROJECT", raising=False)
    with pytest.raises(UsageError, match="no project is named; give its hash or title, or set ENCORD_PROJECT"):
        ropewalk.connect()
    monkeypatch.setenv("ENCORD_DOMAIN", emulator.url)
    monkeypatch.setenv("ENCORD_SSH_KEY_FILE", str(emulator.ssh_key_path))
    monkeypatch.setenv("ENCORD_PROJECT", emulator.project_hash)
    assert ropewalk.connect().project_hash == emulator.project_hash
    monkeypatch.delenv("ENCORD_PROJECT")
    titled = ropewalk.connect("Test project", ssh_key=emulator.ssh_key_path, domain=emulator.url)
    assert titled.project_hash == emulator.project_hash


def test_requests_are_logged_under_the_name_of_the_package(
    run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "ropewalk"):
        run({"drive.mp4": [BOX]})
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("ropewalk.")]
    assert any(message.startswith("PUT labelrow: status 200, ") for message in messages), messages
