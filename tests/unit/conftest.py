"""Fixtures of the unit tests."""

from __future__ import annotations

import sys

import core_by_hand
import pytest
import ropewalk


@pytest.fixture
def core_made_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a core made by hand in place of the real one, to test what Python does around it."""
    monkeypatch.setitem(sys.modules, "ropewalk._core", core_by_hand)  # type: ignore[arg-type]
    monkeypatch.setattr(ropewalk, "_core", core_by_hand, raising=False)
