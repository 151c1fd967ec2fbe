"""`rollback`: rows hold again what they held before an import; what others did since is not touched."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from editing import add_one, edit, touch
from ropewalk.errors import EncordError, UsageError
from ropewalk.ledger.ledger import BEFORE_SUFFIX, find_ledgers
from ropewalk.rolling_back import Rollback, rollback
from workbench import DRIVE, STILL, WALK, Bench, box, dataset, ring

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
    again = undone(bench)
    assert (figures(again), again.undone_before) == ((0, 0, 0), 2)
    assert bench.run(FIRST).annotations_written == 5
    assert len(bench.objects()) == 5


@pytest.mark.parametrize("policy", ["merge", "replace"])
def test_rows_get_back_what_they_held(bench: Bench, policy: str) -> None:
    bench.run(FIRST)
    before = bench.rows()
    bench.run(SECOND, on_existing=policy)
    assert bench.rows() != before
    assert figures(undone(bench, name=last_name(bench))) == (2, 1, 0)
    rows = bench.rows()
    assert {key: rows[key] for key in before} == before
    assert [title for title, _, _ in bench.objects() if title == "walk-0.png"] == []
    # The first import can be undone as well, although its rows were written since: say so.
    first = next(ledger.name for ledger in find_ledgers(bench.folder / "work", branch=bench.branch) if ledger)
    assert figures(undone(bench, name=first, also_edited=True)) == (0, 2, 0)
    assert bench.objects() == []


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
    with pytest.raises(UsageError, match="2 imports onto .* have a ledger; choose one with --ledger") as clear:
        undone(bench)
    assert last_name(bench) in str(clear.value)
    with pytest.raises(UsageError, match="named nonsense"):
        undone(bench, name="nonsense")


def test_a_rollback_that_is_interrupted_is_finished_by_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from ropewalk.options import SendOptions
    from ropewalk.sinks.encord.rows import LabelRows

    bench.run(FIRST)
    save, saves = LabelRows.save, []

    def once(self: LabelRows, *row: Any) -> Any:
        result = save(self, *row)
        saves.append(result)
        if len(saves) == 1:
            # It was applied; the answer never arrived.
            raise EncordError("lost", status=None, name="Timeout")
        return result

    monkeypatch.setattr(LabelRows, "save", once)
    with pytest.raises(EncordError, match="lost"):
        undone(bench, options=SendOptions(batch_rows=1))
    result = undone(bench)
    assert (result.emptied, result.edited, result.exit_code) == (2, [], 0)
    assert bench.objects() == []


def test_what_the_ledger_cannot_give_back_is_left_as_it_is(bench: Bench) -> None:
    bench.run(FIRST)
    bench.run(SECOND, on_existing="merge")
    held = bench.rows()
    ledger = find_ledgers(bench.folder / "work", branch=bench.branch)[-1]
    before = ledger.path.with_suffix(BEFORE_SUFFIX)
    lines = before.read_bytes().splitlines(keepends=True)
    before.write_bytes(b"".join(line.replace(b"confidence", b"confidenze") for line in lines if STILL.encode() in line))
    result = undone(bench, name=ledger.name)
    assert sorted(result.lost) == sorted([STILL, DRIVE])
    assert (figures(result)) == (0, 1, 3)
    rows = bench.rows()
    assert {key: rows[key] for key in (STILL, DRIVE)} == {key: held[key] for key in (STILL, DRIVE)}
    assert rows[WALK]["object_answers"] == {}


def test_rows_that_are_gone_and_a_refusal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(FIRST)
    (ledger,) = find_ledgers(bench.folder / "work", branch=bench.branch)
    ledger.sending([dataclasses.replace(ledger.records[STILL], data_hash="gone", label_hash="gone")])
    ledger.close()
    result = undone(bench)
    assert (figures(result), result.gone) == ((0, 2, 0), ["gone"])


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
