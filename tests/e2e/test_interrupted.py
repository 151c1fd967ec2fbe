"""Imports that are run again, what others did to the branch in between, where imports stand, and rows too large."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from editing import add_one, edit, move_first, touch
from ropewalk.errors import BlockerError, EncordError, LedgerError, TemporaryEncordError
from ropewalk.importing.status import status
from ropewalk.ledger.ledger import Ledger, find_ledgers
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Blocks, Transport
from workbench import Bench, box, dataset, ring

CONTENT = dataset([box(1), box(2), *(box(10 + n, image=100 + n, track_id=7) for n in range(3)), ring(20, image=2)])


@pytest.fixture
def lost_after() -> Iterator[Any]:
    """Let the server be lost after so many saves: the next one is not sent, or it is stored and not answered."""
    with pytest.MonkeyPatch.context() as patch:

        def lost_after(good: int, *, stored: bool = False) -> pytest.MonkeyPatch:
            send, saves = Transport.send, []

            def send_or_fail(self: Transport, body: Blocks, operation: str) -> Any:
                if b'"query_method": "POST"' in b"".join(body):
                    saves.append(body)
                if len(saves) <= good:
                    return send(self, body, operation)
                if stored and len(saves) == good + 1:
                    send(self, body, operation)
                raise TemporaryEncordError("the line is dead", status=None, name="ConnectionError")

            patch.setattr(Transport, "send", send_or_fail)
            return patch

        yield lost_after


@pytest.mark.parametrize("stored", [False, True])
def test_a_stopped_import_is_finished_by_the_same_command(bench: Bench, lost_after: Any, stored: bool) -> None:
    options = {"batch_rows": 1, "jobs": 1, "retry_seconds": 0.1}
    down = lost_after(1, stored=stored)
    with pytest.raises(EncordError, match="the line is dead") as stopped:
        bench.run(CONTENT, **options)
    down.undo()
    report = stopped.value.report
    assert report is not None
    # The server is to blame, and not the row that it did not answer to.
    assert (report.exit_code, report.label_rows_saved, report.rejects_by_code) == (1, 1, {})
    saves = bench.stored()

    again = bench.run(CONTENT, **options)
    # A row whose answer was lost is read back, not sent again.
    assert (again.label_rows_already_there, again.label_rows_saved) == ((2, 1) if stored else (1, 2))
    assert len(bench.objects()) == 6
    assert all(bench.stored()[row] == n for row, n in saves.items() if n)


def test_a_full_disk_stops_the_import_and_says_how_to_go_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise LedgerError("work/ledgers/a.ledger: No space left on device")

    source = bench.write(CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "saved", full)
        stopped = bench.cli_import(source)
    assert stopped.code == 1
    assert "No space left on device; run the same command again" in stopped.err
    assert bench.cli_import(source).code == 0
    assert len(bench.objects()) == 6


def test_all_of_one_import_has_one_creation_time(
    bench: Bench, lost_after: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = "Sat, 21 Nov 2020 23:48:11 UTC"
    with monkeypatch.context() as patch:
        patch.setattr("ropewalk.importing.run.creation_time", lambda moment: long_ago)
        down = lost_after(1)
        with pytest.raises(EncordError):
            bench.run(CONTENT, batch_rows=1, jobs=1, retry_seconds=0.1)
        down.undo()
    bench.run(CONTENT)
    headers = bench.emulator.store.headers(bench.branch)
    times = {
        time
        for content in bench.emulator.store.contents(h.label_hash for h in headers)
        for time in re.findall(r'"createdAt": "([^"]*)"', content)
    }
    assert times == {long_ago}


def test_a_row_without_an_answer_counts_as_unknown_until_the_next_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = LabelRows.save

    def silent(self: LabelRows, label_hashes: Any, rows: list[Blocks]) -> Any:
        if any(b"still.jpg" in b"".join(row) for row in rows):
            raise TemporaryEncordError("no answer", status=None, name="Timeout")
        return save(self, label_hashes, rows)

    def states() -> tuple[int, int, int]:
        (state,) = json.loads(bench.cli("status", "--work-dir", bench.folder / "work", "--json").out)
        return state["stored"], state["unknown"], state["failed"]

    with monkeypatch.context() as patch:
        patch.setattr(LabelRows, "save", silent)
        assert bench.run(CONTENT).rejects_by_code == {"no_answer": 2}
    assert states() == (2, 1, 0)
    again = bench.run(CONTENT)
    assert (again.annotations_written, again.exit_code, states()) == (2, 0, (3, 0, 0))


def test_an_edit_between_two_runs_is_told_and_put_right(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(CONTENT)
    good = bench.rows()
    edit(bench, "still.jpg", move_first, monkeypatch)
    with pytest.raises(BlockerError, match=r"1 label row on .* still\.jpg"):
        bench.run(CONTENT)
    report = bench.run(CONTENT, on_existing="replace")
    assert (report.label_rows_saved, report.annotations_already_there) == (1, 5)
    assert bench.rows() == good


def test_an_edit_of_a_row_that_this_import_saved_is_reported(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(CONTENT, on_existing="replace")
    edit(bench, "still.jpg", move_first, monkeypatch)
    edit(bench, "drive.mp4", touch, monkeypatch)
    report = bench.run(CONTENT, on_existing="replace")
    assert (report.edited_by_others, report.label_rows_saved) == (["still.jpg"], 1)


def test_an_edit_soon_after_a_save_is_told_by_the_next_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers have the clock of a server that is ahead of the one which dates edits: the listing's times count."""
    behind = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=30)
    with monkeypatch.context() as patch:
        patch.setattr(bench.emulator.store, "_clock", lambda: behind)
        bench.run(CONTENT, on_existing="replace")
    edit(bench, "still.jpg", move_first, monkeypatch, later=timedelta(seconds=1))
    report = bench.run(CONTENT, on_existing="replace")
    assert (report.edited_by_others, report.label_rows_saved) == (["still.jpg"], 1)


@pytest.mark.parametrize(
    ("policy", "change", "edited"),
    [
        ("fail", move_first, ["still.jpg"]),
        ("fail", add_one, ["still.jpg"]),
        ("merge", add_one, []),
        ("merge", move_first, ["still.jpg"]),
        ("fail", touch, []),
    ],
)
def test_an_edit_while_the_import_runs_is_seen_at_its_end(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    requests_sent: list[tuple[str, int]],
    policy: str,
    change: Any,
    edited: list[str],
) -> None:
    listing, listings = LabelRows.listing, []

    def edited_before_the_last(self: LabelRows, *args: Any, **kwargs: Any) -> Any:
        listings.append(args)
        if len(listings) == 2:
            edit(bench, "still.jpg", change, monkeypatch)
        return listing(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(LabelRows, "listing", edited_before_the_last)
        report = bench.run(CONTENT, on_existing=policy)
    assert (report.edited_by_others, report.exit_code, len(listings)) == (edited, 0, 2)
    (state,) = status(bench.folder / "work")
    assert (state.edited, state.stored) == (len(edited), 3 - len(edited))
    # The next run trusts the rows whose labels were left alone.
    if edited == []:
        requests_sent.clear()
        assert bench.run(CONTENT, on_existing=policy).annotations_already_there == 6
        assert requests_sent == [("GET labelrowmetadata", 0)]


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_row_deleted_while_the_import_runs_counts_as_edited(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, made_anew: bool
) -> None:
    listing, listings = LabelRows.listing, []

    def without_one(self: LabelRows, *args: Any, **kwargs: Any) -> Any:
        listings.append(args)
        entries = listing(self, *args, **kwargs)
        if len(listings) == 1:
            return entries
        others = [entry for entry in entries if entry["data_title"] != "still.jpg"]
        anew = [entry | {"label_hash": "another"} for entry in entries if entry["data_title"] == "still.jpg"]
        return others + (anew if made_anew else [])

    monkeypatch.setattr(LabelRows, "listing", without_one)
    assert bench.run(CONTENT).edited_by_others == ["still.jpg"]


def test_an_import_does_not_trust_its_ledger_after_another_one(bench: Bench) -> None:
    """All three happen within one second, which is all that a listing's times can tell apart."""
    one, two = dataset([box(1)]), dataset([box(2)])
    for content in (one, two, one):
        report = bench.run(content, on_existing="replace")
        assert report.annotations_written == 1
    assert bench.boxes() == [("still.jpg", 0, 1.0)]


def test_rows_that_are_too_large_are_rejected_before_anything_is_sent(bench: Bench) -> None:
    content = dataset([*(box(n) for n in range(1, 11)), box(30, image=105)])
    source = bench.write(content)
    report = bench.run(source, max_row_bytes=3_000)
    assert (report.annotations_written, report.annotations_rejected, report.exit_code) == (1, 10, 3)
    assert (report.rejects_by_code, report.label_rows_failed) == ({"row_too_large": 10}, 1)
    (reject,) = bench.rejects()
    assert (reject["code"], reject["annotations"], reject["title"]) == ("row_too_large", 10, "still.jpg")
    assert reject["len_bytes"] > 3_000
    assert all(option in reject["message"] for option in ("--min-confidence", "--max-per-frame", "--every"))
    assert {title for title, _, _ in bench.objects()} == {"drive.mp4"}
    # What the message proposes helps.
    assert bench.run(source, max_row_bytes=3_000, max_per_frame=2).exit_code == 0
    with pytest.raises(BlockerError, match="max_rejects"):
        bench.run(source, max_row_bytes=3_000, max_rejects="9")


def test_a_dry_run_tells_of_rows_that_are_too_large(bench: Bench) -> None:
    report = bench.run(dataset([box(n) for n in range(1, 11)]), max_row_bytes=3_000, dry_run=True)
    assert report.rejects_by_code == {"row_too_large": 10}
    assert find_ledgers(bench.folder / "work") == []
    assert report.rejects_file is None
    assert not list((bench.folder / "work").glob("*.ndjson"))
    assert "--max-row-bytes" in report.reject_examples["row_too_large"].message


def test_a_reject_file_that_was_asked_for_is_written_over(bench: Bench) -> None:
    rejects = bench.write("of another day\n", "rejects.ndjson")
    report = bench.run(dataset([box(n) for n in range(1, 11)]), max_row_bytes=3_000, rejects=rejects)
    assert (report.rejects_file, [reject["code"] for reject in bench.rejects(rejects)]) == (
        str(rejects),
        ["row_too_large"],
    )


def test_a_reject_file_that_somebody_emptied_is_used_again(bench: Bench) -> None:
    emptied = bench.write("", f"work/rejects-{bench.branch}.ndjson")
    report = bench.run(dataset([box(n) for n in range(1, 11)]), max_row_bytes=3_000)
    assert (report.rejects_file, len(bench.rejects())) == (str(emptied), 1)


def test_a_row_that_merging_makes_too_large_is_rejected(bench: Bench) -> None:
    bench.run(dataset([box(n) for n in range(1, 6)]))
    held = bench.rows()
    report = bench.run(dataset([box(n) for n in range(6, 10)]), on_existing="merge", max_row_bytes=4_500)
    assert report.rejects_by_code == {"row_too_large": 4}
    assert bench.rows() == held


def test_a_branch_may_have_a_name_too_long_for_a_file(bench: Bench) -> None:
    bench.branch = "b" * 300
    report = bench.run(dataset([box(1), box(2, bbox=[1])]))
    assert (report.annotations_written, report.annotations_rejected) == (1, 1)
    assert report.rejects_file is not None
    assert [json.loads(line)["annotation"]["id"] for line in Path(report.rejects_file).read_text().splitlines()] == [2]


def test_rejects_of_the_server_stand_once_however_often_the_import_runs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ropewalk.errors import RefusalError

    save = LabelRows.save

    def picky(self: LabelRows, label_hashes: Any, rows: list[Blocks]) -> Any:
        if any(b"still.jpg" in b"".join(row) for row in rows):
            raise RefusalError("not this one", status=400, name="CorruptedLabelError")
        return save(self, label_hashes, rows)

    monkeypatch.setattr(LabelRows, "save", picky)
    for content in (CONTENT, dataset([*CONTENT["annotations"], box(40, bbox=[1])])):
        source = bench.write(content)
        first = bench.run(source)
        again = bench.run(source)
        assert (first.rejects_file, first.rejects_by_code) == (again.rejects_file, again.rejects_by_code)
        assert first.rejects_file is not None
        lines = Path(first.rejects_file).read_text().splitlines()
        assert len(lines) == len(set(lines)) == first.annotations_rejected


def test_status_tells_where_imports_stand(bench: Bench, lost_after: Any) -> None:
    nothing = bench.cli("status", "--work-dir", bench.folder / "work")
    assert (nothing.code, "no import has a ledger" in nothing.out) == (0, True)
    source = bench.write(CONTENT)
    down = lost_after(1)
    stopped = bench.cli_import(source, "--batch-rows", "1", "--jobs", "1", "--retry-seconds", "0.1")
    down.undo()
    assert stopped.code == 1
    assert "the same command again" in stopped.err
    state = bench.cli("status", "--work-dir", bench.folder / "work")
    assert f"{bench.branch} of " in state.out
    assert "not finished" in state.out and "1 of 3 label rows stored" in state.out
    (machine,) = json.loads(bench.cli("status", "--work-dir", bench.folder / "work", "--json").out)
    assert (machine["label_rows"], machine["stored"], machine["running"]) == (3, 1, False)
    assert machine["stored"] + machine["unknown"] + machine["left"] + machine["failed"] == 3

    assert bench.cli_import(source).code == 0
    (machine,) = json.loads(bench.cli("status", "--work-dir", bench.folder / "work", "--json").out)
    assert (machine["stored"], machine["annotations_stored"], machine["annotations"]) == (3, 6, 6)
    assert "finished" in bench.cli("status", "--work-dir", bench.folder / "work").out
