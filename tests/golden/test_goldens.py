"""The committed golden files are what the installed SDK and Python make of the same input."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_goldens import goldens


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return goldens()


@pytest.mark.parametrize("name", ["label_rows.json", "floats.txt"])
def test_golden_is_up_to_date(made: dict[str, str], name: str) -> None:
    assert (Path(__file__).parent / name).read_text(encoding="ascii") == made[name]
