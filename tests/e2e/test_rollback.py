"""`rollback`: rows hold again what they held before an import; what others did since is not touched."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from editing import add_one, edit, touch
from ropewalk.emulator import running_emulator
from ropewalk.errors import EncordError, RefusalError, TemporaryEncordError, UsageError
from ropewalk.importing.rollback import Rollback, rollback
from ropewalk.ledger.ledger import BEFORE_SUFFIX, find_ledgers
from ropewalk.sinks.encord.client import open_project
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Blocks
from workbench import DRIVE, STILL, WALK, Bench, box, dataset, full_snapshot, ring

FIRST = dataset([box(1), box(2), *(box(10 + n, image=100 + n, track_id=7) for n in range(3))])
SECOND = dataset([box(3, score=0.5), box(30, image=105), ring(20, image=2)])


def undone(bench: Bench, **options: Any) -> Rollback:
    given = {"branch": bench.branch, "work_dir": bench.folder / "work", "confirm": lambda _: True} | options
    result = rollback(bench.project, **given)
    assert result is not None
    return result


def last_name(bench: Bench) -> str:
    return find_ledgers(bench.folder / "work", branch=bench.branch)[-1].name


def figures(result: Rollback) -> tuple[int, int, int]:
    return result.restored, result.emptied, result.exit_code


def test_new_rows_are_emptied(bench: Bench) -> None:
    bench.run(FIRST)
    asked: list[str] = []
    assert figures(undone(bench, confirm=lambda text: asked.append(text) or True)) == (0, 2, 0)
    assert asked == [
        f"2 label rows on {bench.branch}: 0 get back what they held before the import, 2 are emptied",
    ]
    assert bench.objects() == []
    # As a row that was never written on.
    for row in bench.rows().values():
        assert row["object_answers"] == row["classification_answers"] == {}
    # Again: nothing is left to undo, and the import can be made once more.
    again = undone(bench, confirm=lambda _: pytest.fail("asked about nothing"))
    assert (figures(again), again.undone_before) == ((0, 0, 0), 2)
    assert bench.run(FIRST).annotations_written == 5
    assert len(bench.objects()) == 5


@pytest.mark.parametrize("policy", ["merge", "replace"])
def test_rows_get_back_what_they_held(bench: Bench, policy: str) -> None:
    bench.run(FIRST)
    before = bench.rows()
    bench.run(SECOND, on_existing=policy)
    assert bench.rows() != before
    assert figures(undone(bench, ledger=last_name(bench))) == (2, 1, 0)
    rows = bench.rows()
    assert {key: rows[key] for key in before} == before
    assert [title for title, _, _ in bench.objects() if title == "walk-0.png"] == []
    # The first import can be undone as well, although its rows were written since: say so.
    first = next(ledger.name for ledger in find_ledgers(bench.folder / "work", branch=bench.branch) if ledger)
    assert figures(undone(bench, ledger=first, also_edited=True)) == (0, 2, 0)
    assert bench.objects() == []


def test_a_row_that_held_a_part_of_the_import_gets_that_part_back(bench: Bench) -> None:
    bench.run(dataset([box(1)]))
    before = bench.rows()
    bench.run(dataset([box(1), box(2)]))
    assert figures(undone(bench, ledger=last_name(bench))) == (1, 0, 0)
    assert bench.rows() == before


def test_what_a_row_held_is_kept_once_however_often_its_save_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> Any:
        raise TemporaryEncordError("lost", status=None, name="Timeout")

    bench.run(FIRST)
    before = bench.rows()
    for _ in range(2):
        with monkeypatch.context() as patch, pytest.raises(EncordError, match="lost"):
            patch.setattr(LabelRows, "save", lost)
            bench.run(SECOND, on_existing="replace")
        kept = find_ledgers(bench.folder / "work", branch=bench.branch)[-1].path.with_suffix(BEFORE_SUFFIX)
        assert len(kept.read_bytes().splitlines()) == 2
    bench.run(SECOND, on_existing="replace")
    assert figures(undone(bench, ledger=last_name(bench))) == (2, 1, 0)
    rows = bench.rows()
    assert {key: rows[key] for key in before} == before


def test_rows_edited_since_are_left_unless_asked_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(FIRST)
    edit(bench, "still.jpg", add_one, monkeypatch)
    result = undone(bench)
    assert (figures(result), result.edited) == ((0, 1, 3), [STILL])
    assert {title for title, _, _ in bench.objects()} == {"still.jpg"}
    assert figures(undone(bench, also_edited=True)) == (0, 1, 0)
    assert bench.objects() == []


def test_nothing_is_changed_without_a_yes(bench: Bench) -> None:
    bench.run(FIRST)
    stored = bench.stored()
    assert rollback(bench.project, branch=bench.branch, work_dir=bench.folder / "work", confirm=lambda _: False) is None
    assert bench.stored() == stored


def test_which_import_has_to_be_clear(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no ledger of an import onto"):
        undone(bench)
    bench.run(FIRST)
    bench.run(SECOND, on_existing="merge")
    with pytest.raises(UsageError, match="2 imports onto .* have a ledger; choose one with ledger") as clear:
        undone(bench)
    assert last_name(bench) in str(clear.value)
    with pytest.raises(UsageError, match="named nonsense"):
        undone(bench, ledger="nonsense")


def test_a_rollback_that_is_interrupted_is_finished_by_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(FIRST)
    save = LabelRows.save

    def once(self: LabelRows, *row: Any) -> Any:
        save(self, *row)
        # It was applied; the answer never arrived.
        raise EncordError("lost", status=None, name="Timeout")

    later = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=5)
    with monkeypatch.context() as patch, pytest.raises(EncordError, match="lost"):
        patch.setattr(LabelRows, "save", once)
        patch.setattr(bench.emulator.store, "_clock", lambda: later)
        undone(bench, batch_rows=1)
    # What the first one wrote is no edit of someone else.
    result = undone(bench)
    assert (result.emptied, result.edited, result.exit_code) == (2, [], 0)
    assert bench.objects() == []


def test_an_import_does_not_trust_its_ledger_after_a_rollback_of_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All happens within one second, which is all that a listing's times can tell apart."""
    moment = datetime.now(timezone.utc).replace(microsecond=0)
    monkeypatch.setattr(bench.emulator.store, "_clock", lambda: moment)
    one, two = dataset([box(1)]), dataset([box(2)])
    bench.run(one)
    first = last_name(bench)
    bench.run(two, on_existing="replace")
    assert figures(undone(bench, ledger=first, also_edited=True)) == (0, 1, 0)
    assert bench.run(two, on_existing="replace").annotations_written == 1
    assert bench.boxes() == [("still.jpg", 0, 2.0)]


def test_ledgers_of_another_server_are_left_alone(bench: Bench) -> None:
    bench.run(FIRST)
    with running_emulator(full_snapshot()) as other:
        project = open_project(other.project_hash, ssh_key=other.ssh_key_path, domain=other.url)
        with pytest.raises(UsageError, match="no ledger of an import onto"):
            rollback(project, branch=bench.branch, work_dir=bench.folder / "work", confirm=lambda _: True)


def test_a_damaged_ledger_is_no_success(bench: Bench) -> None:
    bench.run(FIRST)
    (ledger,) = find_ledgers(bench.folder / "work", branch=bench.branch)
    with ledger.path.open("ab") as file:
        file.write(b"torn")
    result = undone(bench)
    assert (figures(result), result.damaged) == ((0, 2, 3), 1)


@pytest.mark.parametrize(
    ("limits", "saves"), [({}, [2]), ({"batch_rows": 1}, [1, 1]), ({"batch_bytes": 2_000}, [1, 1])]
)
def test_requests_are_bounded(
    bench: Bench, requests_sent: list[tuple[str, int]], limits: dict[str, int], saves: list[int]
) -> None:
    bench.run(FIRST)
    requests_sent.clear()
    undone(bench, **limits)
    for method in ("GET labelrow", "POST labelrow"):
        assert [ids for sent, ids in requests_sent if sent == method] == saves


def test_rows_that_were_only_found_are_not_the_imports_to_undo(bench: Bench) -> None:
    bench.run(FIRST)
    shutil.rmtree(bench.folder / "work" / "ledgers")
    assert bench.run(FIRST).label_rows_already_there == 2
    result = undone(bench, confirm=lambda _: pytest.fail("asked about nothing"))
    assert (figures(result), result.undone_before, len(bench.objects())) == ((0, 0, 0), 0, 5)


def test_what_the_ledger_cannot_give_back_is_left_as_it_is(bench: Bench) -> None:
    bench.run(FIRST)
    bench.run(SECOND, on_existing="merge")
    held = bench.rows()
    ledger = find_ledgers(bench.folder / "work", branch=bench.branch)[-1]
    before = ledger.path.with_suffix(BEFORE_SUFFIX)
    lines = before.read_bytes().splitlines(keepends=True)
    before.write_bytes(b"".join(line.replace(b"confidence", b"confidenze") for line in lines if STILL.encode() in line))
    result = undone(bench, ledger=ledger.name)
    assert sorted(result.lost) == sorted([STILL, DRIVE])
    assert (figures(result)) == (0, 1, 3)
    rows = bench.rows()
    assert {key: rows[key] for key in (STILL, DRIVE)} == {key: held[key] for key in (STILL, DRIVE)}
    assert rows[WALK]["object_answers"] == {}


def test_rows_that_a_ledger_has_lost_are_counted(bench: Bench) -> None:
    bench.run(FIRST)
    (ledger,) = find_ledgers(bench.folder / "work", branch=bench.branch)
    assert undone(bench, ledger=ledger.name, confirm=lambda _: True).unrecorded == 0
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(line for line in lines if STILL.encode() not in line))
    assert undone(bench, ledger=ledger.name).unrecorded == 1
    told = bench.cli("rollback", *bench.arguments())
    assert (told.code, "1 label row of the import not in its ledger" in told.out) == (0, True)


def test_rows_that_are_gone_are_told(bench: Bench) -> None:
    bench.run(FIRST)
    (ledger,) = find_ledgers(bench.folder / "work", branch=bench.branch)
    ledger.sending([dataclasses.replace(ledger.records[STILL], data_hash="gone", label_hash="gone")])
    ledger.close()
    result = undone(bench)
    assert (figures(result), result.gone) == ((0, 2, 0), ["gone"])


def test_a_row_that_was_made_anew_is_left_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(FIRST)
    listing = LabelRows.listing

    def anew(self: LabelRows, *args: Any, **options: Any) -> Any:
        entries = listing(self, *args, **options)
        return [entry | ({"label_hash": "another"} if entry["data_hash"] == STILL else {}) for entry in entries]

    monkeypatch.setattr(LabelRows, "listing", anew)
    asked: list[str] = []
    result = undone(bench, confirm=lambda text: asked.append(text) or True)
    assert (figures(result), result.gone) == ((0, 1, 0), [STILL])
    assert asked[0].startswith("1 label row on ")
    assert {title for title, _, _ in bench.objects()} == {"still.jpg"}


def test_a_row_that_is_refused_costs_no_neighbour(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(FIRST)
    save = LabelRows.save

    def picky(self: LabelRows, label_hashes: list[str], rows: list[Blocks]) -> Any:
        if any(b"still.jpg" in b"".join(row) for row in rows):
            raise RefusalError("not this one", status=400, name="CorruptedLabelError")
        return save(self, label_hashes, rows)

    with monkeypatch.context() as patch:
        patch.setattr(LabelRows, "save", picky)
        result = undone(bench)
    assert (figures(result), result.refused) == ((0, 1, 3), {STILL: "not this one"})
    assert figures(undone(bench)) == (0, 1, 0)
    assert bench.objects() == []


def test_the_command_asks_and_tells(bench: Bench) -> None:
    assert bench.cli_import(bench.write(FIRST)).code == 0
    refused = bench.cli("rollback", *bench.arguments())
    assert (refused.code, "2 label rows" in refused.err, len(bench.objects())) == (1, True, 5)
    done = bench.cli("rollback", *bench.arguments("--yes"))
    assert (done.code, done.out) == (0, "0 label rows as before the import, 2 emptied\n")
    machine = bench.cli("rollback", *bench.arguments("--yes", "--json"))
    assert json.loads(machine.out)["undone_before"] == 2
    assert ": rolled back\n" in bench.cli("status", "--work-dir", bench.folder / "work").out


def test_an_edit_of_the_status_alone_moves_the_time_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(FIRST)
    edit(bench, "still.jpg", touch, monkeypatch)
    assert undone(bench).edited == [STILL]
