"""The gate on instruction counts: what it says of counts that differ. Counting itself needs valgrind, and no test."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

BENCHES = Path(__file__).parents[2] / "benches"


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script as a module, its stored counts in a file of their own."""
    spec = importlib.util.spec_from_file_location("instructions", BENCHES / "instructions.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "STORED", tmp_path / "instructions.json")
    return module


@pytest.mark.parametrize(
    ("now", "code", "said"),
    [
        ({"read": 1000, "write": 20_000}, 0, []),
        ({"read": 1030, "write": 19_400}, 0, []),
        ({"read": 1031, "write": 20_000}, 1, ["Grown by more than 3%: read. "]),
        ({"read": 1000, "write": 19_399}, 0, ["Shrunk by more than 3%: write. "]),
        ({"read": 900, "write": 21_000}, 1, ["Grown by more than 3%: write. ", "Shrunk by more than 3%: read. "]),
        ({"read": 1000}, 1, ["Only stored, or only counted: write. "]),
        ({"read": 1000, "write": 20_000, "sort": 5}, 1, ["Only stored, or only counted: sort. "]),
    ],
)
def test_growth_fails_and_gains_are_to_be_stored(gate: Any, now: dict[str, int], code: int, said: list[str]) -> None:
    stored = gate.Counts("rustc 1.90.0", "x86_64", {"read": 1000, "write": 20_000})
    text, found = gate.compare(stored, stored._replace(per_item=now))
    verdict = [line for line in text.splitlines() if gate.RENEW in line]
    assert found == code
    assert len(verdict) == len(said)
    assert all(line.startswith(start) for line, start in zip(verdict, said, strict=True))


def test_changes_are_shown_in_per_cent(gate: Any) -> None:
    stored = gate.Counts("rustc 1.90.0", "x86_64", {"read": 1000, "gone": 7})
    text, _ = gate.compare(stored, stored._replace(per_item={"read": 1234, "new": 8}))
    assert [re.split(" {2,}", line) for line in text.splitlines()[1:4]] == [
        ["read", "1,000", "1,234", "+23.40%"],
        ["new", "-", "8", ""],
        ["gone", "7", "-", ""],
    ]


@pytest.mark.parametrize("other", [{"rustc": "rustc 1.91.0"}, {"target": "aarch64"}])
def test_counts_of_another_compiler_are_neither_right_nor_wrong(gate: Any, other: dict[str, str]) -> None:
    stored = gate.Counts("rustc 1.90.0", "x86_64", {"read": 1000})
    counted = stored._replace(per_item={"read": 5000}, **other)
    text, code = gate.compare(stored, counted)
    assert code == 2
    assert "Nothing was compared" in text and "Grown" not in text
    assert stored.made_by in text and counted.made_by in text and gate.RENEW in text
    assert "+400.00%" in text


def test_counts_are_stored_and_compared_with(
    gate: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = gate.Counts("rustc 1.90.0", "x86_64", {"read": 1000})
    monkeypatch.setattr(gate, "count", lambda: counted)
    assert gate.main([]) == 2
    assert "no counts are stored" in capsys.readouterr().out
    assert gate.main(["--renew"]) == 0
    assert gate.main([]) == 0
    monkeypatch.setattr(gate, "count", lambda: counted._replace(per_item={"read": 1100}))
    assert gate.main([]) == 1
    # What was compared is not stored.
    assert json.loads(gate.STORED.read_text())["per_item"] == {"read": 1000}


def test_without_valgrind_the_remedy_is_named(
    gate: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda tool: None if tool == "valgrind" else tool)
    assert gate.main(["--renew"]) == 2
    assert "apt-get install valgrind" in capsys.readouterr().err
    assert not gate.STORED.exists()


def test_a_profile_of_nothing_is_no_count(gate: Any) -> None:
    assert gate.read_total("version: 1\nfn=(1)\n3 12\n\ntotals: 12\n") == 12
    for nothing in ("totals: 0\n", "version: 1\n"):
        with pytest.raises(gate.CountError, match="counted nothing"):
            gate.read_total(nothing)


def test_each_piece_of_work_has_a_stored_count() -> None:
    work = (BENCHES.parent / "rust" / "bench" / "src" / "work.rs").read_text(encoding="utf-8")
    stored = json.loads((BENCHES / "instructions.json").read_text(encoding="utf-8"))
    assert list(stored["per_item"]) == re.findall(r'piece\("([^"]+)"', work)
