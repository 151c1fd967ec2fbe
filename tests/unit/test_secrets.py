"""Errors that hold a secret on their way into reports and reject files: what the transport let through stops here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from encord import Project

from box_datasets import coco_boxes
from ropewalk.errors import RefusalError
from ropewalk.importing.run import import_predictions
from ropewalk.sinks.encord.rows import LabelRows
from snapshots import make_image, make_snapshot

CANARY = "canary-of-a-signed-url"
BOX = [0.25, 0.5, 0.125, 0.0625]


@pytest.mark.parametrize("refused", ["save", "create", "get"])
def test_a_servers_reason_is_written_without_secrets(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def refuse(*_: Any) -> None:
        said = f"see https://files.example.com/a?Signature={CANARY} (Authorization: {CANARY})"
        raise RefusalError(said, status=400, name="CorruptedLabelError")

    source = tmp_path / "predictions.json"
    source.write_text(json.dumps(coco_boxes({"still.jpg": [BOX]})))
    options: dict[str, Any] = {"branch": "b", "work_dir": tmp_path / "work"}
    if refused == "get":
        import_predictions(source, project, **options)
        options["on_existing"] = "merge"
    monkeypatch.setattr(LabelRows, refused, refuse)
    report = import_predictions(source, project, empty_rows="create", **options)
    assert report.rejects_by_code == {"server_refused": 1}
    rejects = "".join(path.read_text() for path in (tmp_path / "work").rglob("*.ndjson"))
    assert "https://files.example.com/a" in rejects
    for written in (rejects, report.to_json(), repr(report)):
        assert CANARY not in written


def test_nearest_titles_are_named_without_their_signatures(tmp_path: Path) -> None:
    media = (make_image(f"https://files.example.com/still.jpg?Signature={CANARY}"),)
    source = tmp_path / "predictions.json"
    source.write_text(json.dumps(coco_boxes({"https://files.example.com/stil.jpg": [BOX]})))
    report = import_predictions(
        source, make_snapshot(media=media), branch="b", work_dir=tmp_path / "work", dry_run=True
    )
    (unresolved,) = report.unresolved_media
    assert unresolved.nearest == ("https://files.example.com/still.jpg",)
    assert CANARY not in report.to_json()
