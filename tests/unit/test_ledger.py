"""The ledger of an import: what it says again after it was closed, and that damage is told from what was written."""

from __future__ import annotations

import dataclasses
import errno
import os
import random
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ropewalk.errors import LedgerError, LockedError
from ropewalk.ledger.ledger import BEFORE_SUFFIX, Ledger, find_ledgers
from ropewalk.ledger.lines import CheckedLines
from ropewalk.ledger.lock import branch_lock, is_locked
from ropewalk.ledger.records import (
    FAILED,
    SAVED,
    SENDING,
    STANDING,
    UNDONE,
    UNKNOWN,
    ImportName,
    ImportRecord,
    RowRecord,
)

# `make soak` damages the ledger at every byte, `make test` at a share of them.
EVERY_BYTES, FLIPS = (1, 1000) if os.environ.get("ROPEWALK_SOAK") == "full" else (7, 150)

NAME = "0123456789abcdef01234567"
NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
HEADER = ImportRecord(
    endpoint="http://127.0.0.1:9",
    project_hash="p-1",
    project_title="Größe ☃",
    branch="pred-1",
    on_existing="fail",
    sources=["a.json"],
    when="Sat, 21 Nov 2026 12:00:00 UTC",
    label_rows=3,
    annotations=60,
)


def record(n: int, state: str = SENDING, **more: object) -> RowRecord:
    return RowRecord(state, f"data-{n}", f"label-{n}", f"digest-{n}", 10 * n, **more)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledgers"


def filled(folder: Path) -> Ledger:
    """Write a ledger with one row of each fate; row 2 is saved twice."""
    ledger = Ledger.open(folder, NAME, HEADER)
    ledger.keep_before("data-2", "label-2", {"object_answers": {"o": {}}})
    ledger.sending([record(1), record(2, had_labels=True)])
    ledger.saved(["data-1", "data-2"], NOON)
    ledger.sending([record(2)])
    ledger.saved(["data-2"], NOON + timedelta(seconds=5))
    ledger.sending([record(3)])
    ledger.unknown(["data-3"])
    ledger.standing(record(4, STANDING, seen=NOON))
    ledger.failed(record(5), "server_refused")
    ledger.close()
    return ledger


def test_a_ledger_says_again_what_was_noted(folder: Path) -> None:
    written = filled(folder)
    read = Ledger.open(folder, NAME, HEADER)
    assert (read.records, read.header, read.damaged) == (written.records, HEADER, 0)
    assert read.records["data-1"] == record(1, SAVED, attempts=1, first_attempt=1, seen=NOON + timedelta(seconds=1))
    later = NOON + timedelta(seconds=6)
    assert read.records["data-2"] == record(2, SAVED, attempts=2, first_attempt=1, had_labels=True, seen=later)
    assert read.records["data-5"] == record(5, FAILED, code="server_refused")
    assert read.counts() == {SAVED: 2, UNKNOWN: 1, STANDING: 1, FAILED: 1}
    assert [ledger.path for ledger in find_ledgers(folder.parent)] == [read.path]
    assert find_ledgers(folder.parent, branch="pred-2") == []


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")
def test_only_its_owner_may_read_what_rows_held(folder: Path) -> None:
    path = filled(folder).path
    for file in (path, path.with_suffix(BEFORE_SUFFIX)):
        assert file.stat().st_mode & 0o077 == 0


def test_the_name_of_a_branch_may_be_longer_than_that_of_a_file(folder: Path) -> None:
    header = dataclasses.replace(HEADER, branch="b" * 300)
    Ledger.open(folder, NAME, header).close()
    assert [ledger.header.branch for ledger in find_ledgers(folder.parent)] == ["b" * 300]


def test_the_ledgers_own_creation_time_counts(folder: Path) -> None:
    filled(folder)

    later = dataclasses.replace(HEADER, when="Sun, 22 Nov 2026 12:00:00 UTC")
    assert Ledger.open(folder, NAME, later).header.when == HEADER.when


@pytest.mark.parametrize(
    ("state", "seen", "change", "done"),
    [
        (SAVED, NOON, {}, True),
        (STANDING, NOON, {}, True),
        (SENDING, NOON, {}, False),
        (UNKNOWN, NOON, {}, False),
        (UNDONE, NOON, {}, False),
        (SAVED, None, {}, False),
        (SAVED, NOON, {"digest": "another"}, False),
        (SAVED, NOON, {"label_hash": "another"}, False),
        (SAVED, NOON, {"label_hash": None}, False),
        (SAVED, NOON, {"last_edited_at": None}, False),
        (SAVED, NOON, {"last_edited_at": NOON + timedelta(seconds=1)}, False),
        (SAVED, NOON, {"last_edited_at": NOON - timedelta(seconds=1)}, True),
        (SAVED, NOON, {"data_hash": "data-2"}, False),
    ],
)
def test_a_row_is_done_only_if_nothing_speaks_against_it(
    folder: Path, state: str, seen: datetime | None, change: dict[str, object], done: bool
) -> None:
    ledger = Ledger.open(folder, NAME, HEADER)
    ledger.records["data-1"] = record(1, state, seen=seen)
    listing = {"data_hash": "data-1", "digest": "digest-1", "label_hash": "label-1", "last_edited_at": NOON} | change
    assert ledger.is_done(**listing) is done  # type: ignore[arg-type]


def test_what_stood_before_is_given_back_as_it_was_kept_last(folder: Path) -> None:
    ledger = filled(folder)
    ledger.keep_before("data-1", "label-1", {"object_answers": {"later": {}}})
    ledger.undone(["data-2"])
    ledger.keep_before("data-2", "label-2", {"object_answers": {"last": {}}})
    ledger.sending([record(2, had_labels=True)])
    assert list(ledger.before({"data-2", "data-7"})) == [("data-2", {"object_answers": {"last": {}}})]


def test_what_stood_before_is_not_taken_from_another_time_or_row(folder: Path) -> None:
    """What was kept last is lost with a bad disk: what was kept earlier is no substitute."""
    ledger = Ledger.open(folder, NAME, HEADER)
    for number in (1, 2):
        ledger.keep_before(f"data-{number}", f"label-{number}", {"object_answers": {"old": {}}})
    ledger.sending([record(1, had_labels=True), record(2, had_labels=True)])
    assert {data_hash for data_hash, _ in ledger.before({"data-1", "data-2"})} == {"data-1", "data-2"}
    # Undone, and sent again over what somebody had drawn meanwhile.
    ledger.undone(["data-1"])
    ledger.sending([record(1, had_labels=True)])
    # Deleted, and made anew with labels.
    ledger.sending([dataclasses.replace(record(2, had_labels=True), label_hash="another")])
    assert list(ledger.before({"data-1", "data-2"})) == []


def test_undone_rows_are_untouched_again(folder: Path) -> None:
    ledger = filled(folder)
    assert ledger.touched("data-2", "label-2") and not ledger.touched("data-2", "another")
    ledger.undoing(["data-2"])
    assert ledger.touched("data-2", "label-2") and ledger.counts()[UNKNOWN] == 2
    ledger.undone(["data-2"])
    assert not ledger.touched("data-2", "label-2")
    # What it holds now was never looked at: whether it had labels is the next run's to say.
    ledger.sending([record(2, had_labels=False)])
    assert (ledger.records["data-2"].attempts, ledger.records["data-2"].had_labels) == (3, False)


def test_a_row_found_standing_is_one_that_was_saved_if_this_import_sent_it(folder: Path) -> None:
    ledger = filled(folder)
    ledger.standing(record(3, STANDING, seen=NOON))
    assert ledger.records["data-3"] == record(3, SAVED, attempts=1, first_attempt=1, seen=NOON)


def history(folder: Path) -> set[RowRecord]:
    """All records that were ever written in `filled`."""
    lines = CheckedLines(filled(folder).path, NAME)
    return {RowRecord.from_json(content) for content in lines.read() if content and "import" not in content}


def check_never_wrong(path: Path, written: set[RowRecord]) -> None:
    """Read a damaged ledger as an import does, and write on: nothing stands in it that was not written."""
    other = ImportRecord(**(HEADER.__dict__ | {"when": "another"}))
    ledger = Ledger.open(path.parent, NAME, other)
    assert set(ledger.records.values()) <= written
    assert ledger.header in (HEADER, other)
    ledger.sending([record(8)])
    ledger.close()
    again = Ledger.open(path.parent, NAME, HEADER)
    assert again.records == ledger.records
    assert again.header == ledger.header
    again.close()


def test_a_ledger_cut_anywhere_says_nothing_that_was_not_written(folder: Path) -> None:
    written = history(folder)
    path = next(folder.glob("*.ledger"))
    whole = path.read_bytes()
    for n_bytes in range(0, len(whole), EVERY_BYTES):
        path.write_bytes(whole[:n_bytes])
        check_never_wrong(path, written)


def test_a_ledger_with_a_flipped_bit_says_nothing_that_was_not_written(folder: Path) -> None:
    written = history(folder)
    path = next(folder.glob("*.ledger"))
    whole = path.read_bytes()
    draw = random.Random(3)
    for _ in range(FLIPS):
        bit = draw.randrange(8 * len(whole))
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert _damaged(path) >= 1
        check_never_wrong(path, written)


def _damaged(path: Path) -> int:
    return sum(content is None for content in CheckedLines(path, NAME).read())


def test_lines_of_another_import_do_not_count(folder: Path) -> None:
    path = filled(folder).path
    other = "f" * 24
    moved = path.with_name(path.name.replace(NAME, other))
    path.rename(moved)
    ledger = Ledger.open(folder, other, HEADER)
    assert (ledger.path, ledger.records) == (moved, {})
    assert ledger.damaged > 5


def test_a_whole_line_of_another_version_counts_as_damaged(folder: Path) -> None:
    path = filled(folder).path
    lines = CheckedLines(path, NAME)
    known = record(9).to_json()
    lines.append([known | {"state": "melted"}, known | {"annotations": "90"}, known | {"colour": "red"}, {}])
    lines.close()
    ledger = Ledger.open(folder, NAME, HEADER)
    assert (ledger.damaged, "data-9" in ledger.records) == (4, False)


def test_a_damaged_line_of_what_stood_before_is_left_out(folder: Path) -> None:
    ledger = filled(folder)
    before = ledger.path.with_suffix(BEFORE_SUFFIX)
    before.write_bytes(before.read_bytes().replace(b'"o"', b'"p"'))
    assert list(ledger.before({"data-2"})) == []


def test_a_ledger_that_cannot_be_written_says_where(folder: Path) -> None:
    ledger = filled(folder)
    ledger.path.unlink()
    ledger.path.mkdir()
    with pytest.raises(LedgerError, match=r"pred-1-0123456789abcdef01234567\.ledger: "):
        ledger.sending([record(1)])


def test_a_line_cut_short_by_a_full_disk_costs_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(folder, NAME, HEADER)
    ledger.sending([record(1)])
    write = os.write

    def full(file: int, text: bytes) -> int:
        write(file, text[:30])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(LedgerError, match="No space left on device"):
        patch.setattr(os, "write", full)
        ledger.sending([record(2)])
    ledger.sending([record(3)])
    ledger.close()
    read = Ledger.open(folder, NAME, HEADER)
    assert (set(read.records), read.damaged) == ({"data-1", "data-3"}, 1)


def test_an_imports_name_follows_all_that_makes_it_another_one() -> None:
    first = ImportName("http://a", "p", "b", "fail", "0.1.0", ["x", "y"])
    others = [
        ImportName("http://b", "p", "b", "fail", "0.1.0", ["x", "y"]),
        ImportName("http://a", "q", "b", "fail", "0.1.0", ["x", "y"]),
        ImportName("http://a", "p", "c", "fail", "0.1.0", ["x", "y"]),
        ImportName("http://a", "p", "b", "merge", "0.1.0", ["x", "y"]),
        ImportName("http://a", "p", "b", "fail", "0.2.0", ["x", "y"]),
        ImportName("http://a", "p", "b", "fail", "0.1.0", ["y", "x"]),
        ImportName("http://a", "p", "b", "fail", "0.1.0", ["x"]),
    ]
    names = {name.digest() for name in (first, *others)}
    assert len(names) == 8
    assert ImportName("http://a", "p", "b", "fail", "0.1.0", ("x", "y")).digest() == first.digest()


def test_a_branch_has_one_importer_at_a_time() -> None:
    with branch_lock("http://a", "p", "b"):
        assert is_locked("http://a", "p", "b")
        with (
            pytest.raises(LockedError, match="another import is writing on the branch b of this project"),
            branch_lock("http://a", "p", "b"),
        ):
            pass
        for other in (("http://c", "p", "b"), ("http://a", "q", "b"), ("http://a", "p", "c")):
            assert not is_locked(*other)
    assert not is_locked("http://a", "p", "b")


def test_locks_are_kept_elsewhere_where_the_home_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with branch_lock("http://a", "p", "b") as turn:
        assert is_locked("http://a", "p", "b")
        turn.take("one")
        assert turn.was_last("one")
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    with pytest.raises(LockedError, match="no folder for locks can be written"), branch_lock("http://a", "p", "b"):
        pass


def test_a_branch_remembers_whose_turn_it_was() -> None:
    with branch_lock("http://a", "p", "b") as turn:
        assert not turn.was_last("one")
        turn.take("one")
        assert turn.was_last("one") and not turn.was_last("two")
    with branch_lock("http://a", "p", "b") as turn:
        assert turn.was_last("one")
        turn.take("two")
        assert not turn.was_last("one")
