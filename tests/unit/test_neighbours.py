"""Label rows that are refused, too large, gone or changed meanwhile: their neighbours are imported all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from encord import Project

from box_datasets import coco_boxes
from ropewalk.emulator import parse_faults, running_emulator
from ropewalk.errors import RefusalError, TemporaryEncordError
from ropewalk.importing.run import import_predictions
from ropewalk.sinks.encord import calls
from ropewalk.sinks.encord.rows import LabelRows
from small_imports import BOX, OTHER_BOX, objects_by_title, opened
from snapshots import hash_of, make_image, make_snapshot


def test_a_refused_row_costs_no_neighbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = calls.DirectCalls.save_rows

    def picky(self: calls.DirectCalls, label_hashes: Any, rows: Any) -> int:
        if any(b"still-4.jpg" in b"".join(row) for row in rows):
            raise RefusalError("refused", status=400, name="CorruptedLabelError")
        return save(self, label_hashes, rows)

    monkeypatch.setattr(calls.DirectCalls, "save_rows", picky)
    stills = tuple(make_image(f"still-{n}.jpg") for n in range(7))
    with running_emulator(make_snapshot(stills)) as emulator:
        content: dict[str, Any] = {medium.title: [BOX] for medium in stills}
        content["still-4.jpg"] = [BOX, OTHER_BOX]
        path = tmp_path / "predictions.json"
        path.write_text(json.dumps(coco_boxes(content)))
        report = import_predictions(path, opened(emulator), branch="b", work_dir=tmp_path, batch_rows=7)
        assert (report.label_rows_saved, report.label_rows_failed, report.exit_code) == (6, 1, 3)
        assert (report.annotations_written, report.annotations_rejected) == (6, 2)
        assert report.rejects_by_code == {"server_refused": 2}
        rejects = tmp_path / "rejects-b.ndjson"
        lines = [json.loads(line) for line in rejects.read_text().splitlines()]
        assert sorted(line["annotation"]["bbox"] for line in lines) == [[16, 16, 8, 2], [32, 4, 16, 24]]
        assert len(objects_by_title(opened(emulator), "b")) == 6

        # Once the server takes the row, the reject file is all that it needs.
        monkeypatch.setattr(calls.DirectCalls, "save_rows", save)
        again = import_predictions(rejects, opened(emulator), branch="b", work_dir=tmp_path, annotations=path)
        assert (again.annotations_written, again.label_rows_saved, again.exit_code) == (2, 1, 0)


def test_a_row_that_the_server_finds_too_large_costs_no_neighbour(tmp_path: Path) -> None:
    stills = tuple(make_image(f"still-{n}.jpg") for n in range(3))
    faults = parse_faults({"body_limit_bytes": 6000})
    with running_emulator(make_snapshot(stills), faults=faults) as emulator:
        content = {medium.title: [BOX] for medium in stills} | {"still-1.jpg": [BOX, OTHER_BOX] * 10}
        path = tmp_path / "predictions.json"
        path.write_text(json.dumps(coco_boxes(content)))
        report = import_predictions(path, opened(emulator), branch="b", work_dir=tmp_path)
        assert (report.label_rows_saved, report.rejects_by_code, report.exit_code) == (2, {"row_too_large": 20}, 3)
        (reject,) = map(json.loads, (tmp_path / "rejects-b.ndjson").read_text().splitlines())
        assert (reject["title"], reject["annotations"]) == ("still-1.jpg", 20)
        assert "more than the server takes" in reject["message"] and "--min-confidence" in reject["message"]
        assert objects_by_title(opened(emulator), "b") == {"still-0.jpg": 1, "still-2.jpg": 1}


@pytest.mark.parametrize("answered", [False, True], ids=["no save is answered", "another save is"])
def test_a_row_without_an_answer_is_blamed_only_if_some_save_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """The listing is answered, and saves are not: nothing shows that it is the row's fault."""
    save = calls.DirectCalls.save_rows

    def mute(self: calls.DirectCalls, label_hashes: Any, rows: Any) -> Any:
        if answered and not any(b"still-0.jpg" in b"".join(row) for row in rows):
            return save(self, label_hashes, rows)
        raise TemporaryEncordError("no answer", status=None, name="Timeout")

    monkeypatch.setattr(calls.DirectCalls, "save_rows", mute)
    stills = tuple(make_image(f"still-{n}.jpg") for n in range(2))
    with running_emulator(make_snapshot(stills)) as emulator:
        path = tmp_path / "predictions.json"
        path.write_text(json.dumps(coco_boxes({medium.title: [BOX] for medium in stills})))
        # The row without an answer comes first.
        options = {"branch": "b", "work_dir": tmp_path, "batch_rows": 1, "jobs": 1, "retry_seconds": 0.01}
        if answered:
            report = import_predictions(path, opened(emulator), **options)
            assert (report.label_rows_saved, report.rejects_by_code) == (1, {"no_answer": 1})
            return
        with pytest.raises(TemporaryEncordError, match="no answer") as raised:
            import_predictions(path, opened(emulator), **options)
        stopped = raised.value.report
        assert stopped is not None
        assert (stopped.annotations_not_sent, stopped.rejects_by_code, stopped.rejects_file) == (2, {}, None)


def test_a_row_created_meanwhile_is_used(run: Any, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for row in project.list_label_rows_v2(branch_name="pred-1", data_title_eq="still.jpg"):
        row.initialise_labels()
    # The import's first listing is from before the row was created.
    monkeypatch.setattr("ropewalk.importing.run.standing_from_listing", lambda entries: {})
    report = run({"still.jpg": [BOX], "walk": [BOX], "drive.mp4": [BOX]})
    assert (report.annotations_written, report.label_rows_saved, report.exit_code) == (3, 3, 0)


def test_a_row_drawn_on_meanwhile_is_left_alone(
    run: Any, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run({"still.jpg": [BOX, OTHER_BOX]}, work_dir=tmp_path / "someone")
    # The import's first listing is from before.
    monkeypatch.setattr("ropewalk.importing.run.standing_from_listing", lambda entries: {})
    report = run({"still.jpg": [BOX], "walk": [BOX]})
    assert (report.rejects_by_code, report.label_rows_saved, report.exit_code) == ({"existing_row": 1}, 1, 3)
    assert objects_by_title(project, "pred-1") == {"still.jpg": 2, "walk-0.png": 1}


def test_a_row_that_is_gone_or_no_label_row_costs_no_neighbour(
    run: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = hash_of("still.jpg")
    get, create = LabelRows.get, LabelRows.create

    def gone(self: LabelRows, label_hashes: list[str]) -> dict[str, bytes]:
        return {key: row for key, row in get(self, label_hashes).items() if still.encode() not in row}

    def no_row(self: LabelRows, label_hashes: list[str]) -> dict[str, bytes]:
        rows = get(self, label_hashes).items()
        return {key: b'{"data_units": 7}' if still.encode() in row else row for key, row in rows}

    def not_created(self: LabelRows, data_hashes: list[str], branch: str) -> Any:
        created, there = create(self, data_hashes, branch)
        created.pop(still, None)
        return created, there

    def created_wrong(self: LabelRows, data_hashes: list[str], branch: str) -> Any:
        created, there = create(self, data_hashes, branch)
        return {key: (row[0], b"7" if key == still else row[1]) for key, row in created.items()}, there

    content = {"drive.mp4": [BOX], "still.jpg": [BOX, OTHER_BOX]}
    other = {"drive.mp4": [BOX, OTHER_BOX], "still.jpg": [BOX]}
    run(content)
    for branch, method, wrong, code in (
        ("pred-1", "get", gone, "row_missing"),
        ("pred-1", "get", no_row, "bad_label_row"),
        ("pred-2", "create", not_created, "row_missing"),
        ("pred-3", "create", created_wrong, "bad_label_row"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(LabelRows, method, wrong)
            report = run(other, branch=branch, on_existing="replace")
        assert (report.rejects_by_code, report.label_rows_failed, report.exit_code) == ({code: 1}, 1, 3)
        assert objects_by_title(project, branch)["drive.mp4"] == 2
    assert objects_by_title(project, "pred-1")["still.jpg"] == 2


def test_an_empty_row_that_is_refused_costs_no_other(
    run: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = LabelRows.create

    def picky(self: LabelRows, data_hashes: list[str], branch: str) -> Any:
        if hash_of("walk") in data_hashes:
            raise RefusalError("not this one", status=400, name="CorruptedLabelError")
        return create(self, data_hashes, branch)

    monkeypatch.setattr(LabelRows, "create", picky)
    report = run({"still.jpg": [BOX]}, empty_rows="create")
    assert (report.label_rows_saved, report.label_rows_created_empty, report.label_rows_failed) == (1, 1, 1)
    assert (report.rows_not_created, report.exit_code) == ({hash_of("walk"): "not this one"}, 3)
    rows = project.list_label_rows_v2(branch_name="pred-1")
    assert {row.data_title for row in rows if row.label_hash is not None} == {"still.jpg", "drive.mp4"}
