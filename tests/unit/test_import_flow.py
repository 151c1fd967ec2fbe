"""The flow of an import around the core: what is asked of the server, counted and reported, on the emulator."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from encord import Project

from box_datasets import coco_boxes
from ropewalk import read_coco
from ropewalk.emulator import EmulatorOptions, running_emulator
from ropewalk.errors import AccessError, BlockerError, EncordError, SourceError, TemporaryEncordError, UsageError
from ropewalk.importing.run import check_branch, import_predictions
from ropewalk.importing.verify import verify_predictions
from ropewalk.progress import NoProgress
from ropewalk.sinks.encord import calls
from ropewalk.sinks.encord.rows import LabelRows
from small_imports import BOX, OTHER_BOX, objects_by_title, opened
from snapshots import make_image, make_snapshot


def test_all_written_and_again_nothing_saved(run: Any, project: Project, requests_sent: list[tuple[str, int]]) -> None:
    content = {"drive.mp4": [BOX, OTHER_BOX], "still.jpg": [BOX], "walk": [OTHER_BOX]}
    report = run(content)
    assert (report.annotations_read, report.annotations_written, report.exit_code) == (4, 4, 0)
    assert (report.label_rows_saved, report.rejects_file) == (3, None)
    assert report.bytes_sent > 1000
    assert objects_by_title(project, "pred-1") == {"drive.mp4": 2, "still.jpg": 1, "walk-0.png": 1}

    requests_sent.clear()
    again = run(content)
    assert (again.annotations_written, again.annotations_already_there, again.exit_code) == (0, 4, 0)
    assert (again.label_rows_saved, again.label_rows_already_there, again.bytes_sent) == (0, 3, 0)
    # The ledger and one listing tell that all is done.
    assert requests_sent == [("GET labelrowmetadata", 0)]


def test_without_its_ledger_an_import_compares_what_stands_there(
    run: Any, tmp_path: Path, requests_sent: list[tuple[str, int]]
) -> None:
    content = {"drive.mp4": [BOX, OTHER_BOX], "still.jpg": [BOX], "walk": [OTHER_BOX]}
    run(content)
    shutil.rmtree(tmp_path / "work" / "ledgers")
    requests_sent.clear()
    again = run(content)
    assert (again.annotations_written, again.annotations_already_there, again.exit_code) == (0, 4, 0)
    # One listing, and each row fetched once.
    assert sorted(requests_sent) == [("GET labelrow", 1), ("GET labelrow", 2), ("GET labelrowmetadata", 0)]

    # What was found to stand there is in the new ledger.
    requests_sent.clear()
    assert run(content).annotations_already_there == 4
    assert requests_sent == [("GET labelrowmetadata", 0)]


@pytest.mark.parametrize(("batch_bytes", "rows"), [(2000, [1, 1, 1]), (8_000_000, [3])])
def test_requests_are_bounded_by_the_bytes_of_their_rows(
    run: Any, requests_sent: list[tuple[str, int]], batch_bytes: int, rows: list[int]
) -> None:
    content = {"drive.mp4": [BOX], "still.jpg": [BOX], "walk": [BOX]}
    assert run(content, batch_rows=20, batch_bytes=batch_bytes, jobs=1).label_rows_saved == 3
    assert [ids for method, ids in requests_sent if method == "PUT labelrow"] == rows
    assert [ids for method, ids in requests_sent if method == "POST labelrow"] == rows


def test_merging_does_not_make_requests_larger(run: Any, requests_sent: list[tuple[str, int]]) -> None:
    titles = ("drive.mp4", "still.jpg", "walk")
    many = [[n / 64, 0.5, 0.125, 0.0625] for n in range(20)]
    run({title: many for title in titles})
    requests_sent.clear()
    report = run({title: [OTHER_BOX] for title in titles}, on_existing="merge", batch_rows=20, batch_bytes=15_000)
    assert (report.annotations_written, report.label_rows_saved) == (3, 3)
    # They are fetched together, since what is new is small.
    sent = {
        method: [ids for sent, ids in requests_sent if sent == method] for method in ("GET labelrow", "POST labelrow")
    }
    assert sent == {"GET labelrow": [3], "POST labelrow": [1, 1, 1]}
    assert 15_000 < report.bytes_sent < 3 * 15_000


def test_rejects_and_filtered_are_counted(run: Any, tmp_path: Path) -> None:
    report = run({"still.jpg": [BOX, None, 0], "stil.jpg": [BOX]})
    sums = (report.annotations_written, report.annotations_rejected, report.annotations_filtered)
    assert (report.annotations_read, sums, report.exit_code) == (4, (1, 2, 1), 3)
    assert report.rejects_by_code == {"bad_field": 1, "unknown_media": 1}
    assert report.unresolved_media[0].nearest == ("still.jpg",)
    rejects = tmp_path / "work" / "rejects-pred-1.ndjson"
    assert report.rejects_file == str(rejects)
    assert len(rejects.read_text().splitlines()) == 2


def test_existing_rows_stop_the_import_with_nothing_sent(
    run: Any, project: Project, requests_sent: list[tuple[str, int]]
) -> None:
    run({"still.jpg": [BOX]})
    requests_sent.clear()
    with pytest.raises(BlockerError, match=r"1 label row on pred-1 .*still\.jpg") as stopped:
        run({"still.jpg": [OTHER_BOX], "walk": [BOX]})
    assert {method for method, _ in requests_sent} == {"GET labelrowmetadata", "GET labelrow"}
    assert stopped.value.report is not None
    assert (stopped.value.report.annotations_read, stopped.value.report.annotations_not_sent) == (2, 2)
    assert objects_by_title(project, "pred-1") == {"still.jpg": 1}


def test_of_many_existing_rows_some_are_named(tmp_path: Path) -> None:
    stills = tuple(make_image(f"still-{n}.jpg") for n in range(7))
    path = tmp_path / "predictions.json"
    with running_emulator(make_snapshot(stills)) as emulator:
        path.write_text(json.dumps(coco_boxes({medium.title: [BOX] for medium in stills})))
        import_predictions(path, opened(emulator), branch="b", work_dir=tmp_path)
        path.write_text(json.dumps(coco_boxes({medium.title: [OTHER_BOX] for medium in stills})))
        named = ", ".join(medium.title for medium in stills[:5])
        with pytest.raises(BlockerError, match=f"7 label rows on b .*: {named} and 2 more; nothing was sent"):
            import_predictions(path, opened(emulator), branch="b", work_dir=tmp_path)


@pytest.mark.parametrize(
    ("policy", "stored", "written", "filtered"), [("skip", 1, 1, 1), ("replace", 1, 2, 0), ("merge", 2, 2, 0)]
)
def test_existing_rows_by_policy(
    run: Any, project: Project, policy: str, stored: int, written: int, filtered: int
) -> None:
    run({"still.jpg": [BOX]})
    report = run({"still.jpg": [OTHER_BOX], "walk": [BOX]}, on_existing=policy)
    assert (report.annotations_written, report.annotations_filtered, report.exit_code) == (written, filtered, 0)
    assert objects_by_title(project, "pred-1") == {"still.jpg": stored, "walk-0.png": 1}


def test_the_bytes_in_flight_are_bounded(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    save, lock = LabelRows.save, threading.Lock()
    saving: list[int] = []
    together: list[int] = []

    def slow(self: LabelRows, label_hashes: list[str], rows: list[bytes]) -> Any:
        with lock:
            saving.append(1)
            together.append(len(saving))
        time.sleep(0.05)
        try:
            return save(self, label_hashes, rows)
        finally:
            with lock:
                saving.pop()

    monkeypatch.setattr(LabelRows, "save", slow)
    titles = ("drive.mp4", "still.jpg", "walk")
    content = {title: [BOX] for title in titles}
    # One byte is less than any row: each goes alone.
    limits = {"batch_rows": 1, "jobs": 3}
    run(content, max_inflight_bytes=1, **limits)
    assert together == [1, 1, 1]
    # Room for all three, if they did not stand there: then each is held as it is and as it will be.
    other = {title: [OTHER_BOX] for title in titles}
    n_bytes = run(other, branch="pred-2", dry_run=True).bytes_sent
    together.clear()
    assert run(other, on_existing="replace", max_inflight_bytes=n_bytes, **limits).label_rows_saved == 3
    assert together == [1, 1, 1]


def test_what_does_not_fit_a_row_is_rejected_whether_the_row_is_new_or_stands_there(tmp_path: Path) -> None:
    """Neither the source nor the listing tells the size: only the row itself shows that a box lies outside."""
    boxes = [[1, 2, 5, 7.5], [31, 2, 5, 7], [2, 60, 5, 7]]
    annotations = [{"id": n, "image_id": 1, "category_id": 1, "bbox": box} for n, box in enumerate(boxes)]
    images = [{"id": 1, "file_name": "still.jpg"}]
    path = tmp_path / "predictions.json"
    path.write_text(
        json.dumps({"images": images, "categories": [{"id": 1, "name": "Car"}], "annotations": annotations})
    )

    def ran(branch: str) -> tuple[int, int, dict[str, int], list[str]]:
        report = import_predictions(path, opened(emulator), branch=branch, work_dir=tmp_path)
        lines = (tmp_path / f"rejects-{branch}.ndjson").read_text().splitlines()
        ids = sorted(json.loads(line)["annotation_id"] for line in lines)
        return report.annotations_written, report.annotations_already_there, report.rejects_by_code, ids

    with running_emulator(make_snapshot(), options=EmulatorOptions(list_image_sizes=False)) as emulator:
        outside = ({"off_image": 2}, ["1", "2"])
        assert ran("new") == (1, 0, *outside)
        assert ran("new") == (0, 1, *outside)
        # What was rejected is not missing; it is no success of the source either.
        report = import_predictions(path, opened(emulator), branch="new", work_dir=tmp_path, verify=True)
        assert report.verification is not None
        assert (report.exit_code, report.verification["exit_code"], report.verification["equal"]) == (3, 0, 1)
        verified = verify_predictions(path, opened(emulator), branch="new", work_dir=tmp_path)
        assert (verified.annotations_expected, verified.equal, verified.rejected) == (1, 1, outside[0])
        assert verified.exit_code == 3
        for row in opened(emulator).list_label_rows_v2(branch_name="empty", data_title_eq="still.jpg"):
            row.initialise_labels()
        assert ran("empty") == (1, 0, *outside)


def test_dry_run_only_reads(run: Any, project: Project, requests_sent: list[tuple[str, int]]) -> None:
    run({"still.jpg": [BOX]})
    requests_sent.clear()
    report = run({"still.jpg": [BOX], "walk": [BOX]}, dry_run=True)
    assert (report.annotations_written, report.annotations_already_there, report.label_rows_saved) == (1, 1, 1)
    assert {method for method, _ in requests_sent} == {"GET labelrowmetadata", "GET labelrow"}
    assert objects_by_title(project, "pred-1") == {"still.jpg": 1}


def test_dry_run_on_a_snapshot_needs_no_network(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection was made"))
    report = run({"still.jpg": [BOX], "walk": [BOX, None]}, project=make_snapshot(), dry_run=True)
    assert (report.annotations_written, report.annotations_rejected, report.exit_code) == (2, 1, 3)
    with pytest.raises(UsageError, match="dry_run"):
        run({}, project=make_snapshot())


def test_empty_rows_are_created_when_asked_for(
    run: Any, project: Project, requests_sent: list[tuple[str, int]]
) -> None:
    report = run({"still.jpg": [BOX]}, empty_rows="create")
    assert (report.label_rows_saved, report.label_rows_created_empty, report.exit_code) == (1, 2, 0)
    rows = project.list_label_rows_v2(branch_name="pred-1")
    assert all(row.label_hash is not None for row in rows)

    # No more of them in a request than of others.
    requests_sent.clear()
    assert run({"still.jpg": [BOX]}, branch="pred-2", empty_rows="create", batch_rows=1).exit_code == 0
    assert [ids for method, ids in requests_sent if method == "PUT labelrow"] == [1, 1, 1]

    # Again, there is nothing to ask for.
    requests_sent.clear()
    assert run({"still.jpg": [BOX]}, empty_rows="create").label_rows_created_empty == 0
    assert requests_sent == [("GET labelrowmetadata", 0)]


def test_nothing_to_import(run: Any) -> None:
    report = run({})
    assert (report.annotations_read, report.label_rows_saved, report.exit_code) == (0, 0, 0)


@pytest.mark.parametrize(("limit", "stops"), [("0", True), ("1", False), ("24%", True), ("25%", False)])
def test_max_rejects(run: Any, requests_sent: list[tuple[str, int]], limit: str, stops: bool) -> None:
    content = {"still.jpg": [BOX, None, OTHER_BOX, 0]}
    if not stops:
        assert run(content, max_rejects=limit).exit_code == 3
        return
    with pytest.raises(BlockerError, match="max_rejects"):
        run(content, max_rejects=limit)
    assert requests_sent == [("GET labelrowmetadata", 0)]


def test_a_source_that_cannot_be_read_sends_nothing(
    project: Project, tmp_path: Path, requests_sent: list[tuple[str, int]]
) -> None:
    path = tmp_path / "cut.json"
    path.write_text('{"annotations": [{"bbox": [0.1')
    with pytest.raises(SourceError, match="byte") as stopped:
        import_predictions(path, project, branch="b", work_dir=tmp_path)
    assert stopped.value.report is not None
    assert stopped.value.report.stopped_by == str(stopped.value)
    assert requests_sent == [("GET labelrowmetadata", 0)]
    assert not list(tmp_path.glob("stage-*"))


def test_a_server_that_is_lost_stops_the_import(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any) -> int:
        raise TemporaryEncordError("no answer", status=None, name="Timeout")

    monkeypatch.setattr("ropewalk.sinks.encord.rows.LabelRows.save", lost)
    with pytest.raises(EncordError, match="no answer") as stopped:
        run({"still.jpg": [BOX], "walk": [BOX]})
    report = stopped.value.report
    assert report is not None
    assert (report.exit_code, report.annotations_not_sent) == (1, 2)


@pytest.mark.parametrize("branch", ["", "a b", "a/b", "é", "a\n", "main", "encord-1"])
def test_branch_names_that_are_refused(run: Any, branch: str, requests_sent: list[tuple[str, int]]) -> None:
    with pytest.raises(BlockerError):
        run({"still.jpg": [BOX]}, branch=branch)
    assert requests_sent == []


def test_branch_names_that_are_taken() -> None:
    check_branch("Model-1.2_b", allow_branch=False)
    check_branch("main", allow_branch=True)
    check_branch("encordant", allow_branch=False)


def test_a_reject_file_is_never_overwritten_by_its_own_import(project: Project, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    source = work / "rejects-b.ndjson"
    source.write_text(json.dumps(coco_boxes({"still.jpg": [BOX, None]})))
    before = source.read_bytes()
    report = import_predictions(source, project, branch="b", work_dir=work)
    assert source.read_bytes() == before
    assert report.rejects_file == str(work / "rejects-b-2.ndjson")
    with pytest.raises(UsageError, match="is a file that is read"):
        import_predictions(source, project, branch="b", work_dir=work, rejects=source)


def test_what_was_stored_before_a_failure_is_counted(
    run: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = threading.Event()
    save = LabelRows.save

    def lost_after_another(self: LabelRows, label_hashes: list[str], rows: list[bytes]) -> int:
        if b"drive.mp4" in b"".join(rows[0]):
            assert stored.wait(10)
            raise AccessError("the key was withdrawn", status=401, name="Status401")
        n_bytes = save(self, label_hashes, rows)
        stored.set()
        return n_bytes

    monkeypatch.setattr(LabelRows, "save", lost_after_another)
    with pytest.raises(AccessError) as stopped:
        run({"drive.mp4": [BOX], "walk": [BOX, OTHER_BOX]}, batch_rows=1)
    report = stopped.value.report
    assert report is not None
    assert (report.annotations_written, report.annotations_not_sent, report.exit_code) == (2, 1, 1)
    assert objects_by_title(project, "pred-1") == {"walk-0.png": 2}


def test_an_interrupt_while_sending_ends_at_once(run: Any, requests_sent: list[tuple[str, int]]) -> None:
    class Interrupted(NoProgress):
        phase = ""

        def start(self, phase: str, total: int, unit: str) -> None:
            self.phase = phase

        def update(self, done: int) -> None:
            if self.phase == "sending":
                raise KeyboardInterrupt

    content = {"still.jpg": [BOX], "walk": [BOX], "drive.mp4": [BOX]}
    with pytest.raises(KeyboardInterrupt) as stopped:
        run(content, batch_rows=1, jobs=1, progress=Interrupted())
    # How far it came is with the interrupt, for who shows it.
    report = stopped.value.report  # type: ignore[attr-defined]
    assert (report.stopped_by, report.exit_code, report.annotations_read) == ("interrupted", 1, 3)
    # At most the row that was reported and the one in flight behind it.
    assert [method for method, _ in requests_sent].count("POST labelrow") <= 2
    assert run(content).label_rows_saved >= 1


def test_an_interrupt_ends_what_is_being_tried_again(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []
    save = calls.DirectCalls.save_rows

    def busy(self: calls.DirectCalls, label_hashes: Any, rows: Any) -> Any:
        if b"drive.mp4" in b"".join(rows[0]):
            attempts.append(len(rows))
            raise TemporaryEncordError("busy", status=500, name="Status500")
        return save(self, label_hashes, rows)

    class Interrupted(NoProgress):
        def update(self, done: int) -> None:
            if attempts:
                raise KeyboardInterrupt

    monkeypatch.setattr(calls.DirectCalls, "save_rows", busy)
    content = {title: [BOX] for title in ("drive.mp4", "still.jpg", "walk")}
    # Kept, as interactive interpreters do with the last exception: with it lives all that it went through.
    with pytest.raises(KeyboardInterrupt) as kept:
        run(content, batch_rows=1, jobs=2, progress=Interrupted())
    time.sleep(0.1)
    before = len(attempts)
    # The second attempt comes within half a second.
    time.sleep(0.7)
    assert (len(attempts), kept.type) == (before, KeyboardInterrupt)


def test_a_row_is_not_saved_for_nothing(tmp_path: Path) -> None:
    """Of media without a listed size, what lies off the image shows only once the row is there."""
    snapshot = make_snapshot((make_image("still.jpg", width=64, height=32),))
    with running_emulator(snapshot, options=EmulatorOptions(list_image_sizes=False)) as emulator:
        project = opened(emulator)
        document = coco_boxes({"still.jpg": [BOX]})
        for image in document["images"]:
            del image["width"], image["height"]

        def run(**options: Any) -> Any:
            return import_predictions(read_coco(document), project, branch="b", work_dir=tmp_path, **options)

        assert (run().label_rows_saved, objects_by_title(project, "b")) == (1, {"still.jpg": 1})
        document["annotations"][0]["bbox"] = [70, 2, 3, 4]
        report = run(on_existing="replace")
        assert (report.label_rows_saved, report.rejects_by_code, report.exit_code) == (0, {"off_image": 1}, 3)
        assert objects_by_title(project, "b") == {"still.jpg": 1}
