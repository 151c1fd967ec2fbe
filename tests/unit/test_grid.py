"""Tables on a terminal: what is dropped, what is folded, and what is never cut."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from ropewalk.bars import Bars, amount
from ropewalk.cli.grid import write_grid
from ropewalk.text import moment

HASH = "d6354a52-53ef-5dc6-a06e-a82fd18fa14f"
TITLE = "a title that is much longer than any terminal of forty columns is wide.mp4"


@pytest.fixture
def forty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ropewalk.cli.grid._draws", lambda stream: True)
    monkeypatch.setenv("COLUMNS", "40")


@pytest.mark.usefixtures("forty_columns")
def test_a_terminal_folds_titles_and_never_cuts_a_hash(capsys: pytest.CaptureFixture[str]) -> None:
    write_grid(("title", "data_hash", "group", "frames"), [(TITLE, HASH, "", "12"), ("[red]b", HASH, "", "3")])
    lines = capsys.readouterr().out.splitlines()
    assert sum(HASH in line for line in lines) == 2
    # Folded, not cut: all of it is there, line below line.
    cells = [re.split("[│|]", line)[1].strip() for line in lines if re.search("[│|]", line)]
    assert "".join(cells).replace(" ", "").startswith(TITLE.replace(" ", ""))
    assert "[red]b" in "".join(cells)
    assert "group" not in lines[1] and "frames" in lines[1]


@pytest.mark.usefixtures("forty_columns")
def test_an_empty_table_keeps_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    write_grid(("title", "data_hash"), [])
    assert "data_hash" in capsys.readouterr().out


def test_a_pipe_gets_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    write_grid(("title", "group"), [("a\tb", "")])
    assert capsys.readouterr().out == "title\tgroup\na\\tb\t\n"


def test_amounts_and_times_have_one_form() -> None:
    assert amount(1_250_000, 3_400_000, "bytes") == "1.2 MB of 3.4 MB"
    assert amount(1, 1, "label rows") == "1 of 1 label row"
    assert amount(1_200, 5_000, "annotations") == "1,200 of 5,000 annotations"
    assert amount(1_200, 0, "annotations") == "1,200 annotations"
    east = timezone(timedelta(hours=2))
    assert moment(datetime(2026, 11, 21, 1, 5, 9, tzinfo=east)) == "2026-11-20 23:05 UTC"


def test_between_phases_nothing_is_drawn() -> None:
    bars = Bars()
    bars.start("verifying", 3, "annotations")
    drawn = bars._bars
    assert drawn is not None and drawn.live.is_started
    bars.end()
    assert not drawn.live.is_started and bars._bars is None
