"""A process that is to be killed: it dies when its ledger reaches a point, or with half of a line written."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from ropewalk.ledger import ledger, lines


def die_at(point: str, nth: int) -> None:
    """Let the process die when its ledger reaches a point for the n-th time."""
    reached = 0

    def watch(name: str) -> None:
        nonlocal reached
        reached += name == point
        if reached == nth and name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    original = ledger.Ledger.__post_init__

    def watched(self: Any) -> None:
        original(self)
        self.reached = watch

    ledger.Ledger.__post_init__ = watched  # type: ignore[method-assign]


def die_half_written(suffix: str, nth: int) -> None:
    """Let the process die with half of the n-th piece that is written to files of this suffix on the disk."""
    append = lines.CheckedLines.append
    written = 0

    def halving(self: Any, contents: Any) -> None:
        nonlocal written
        written += self.path.suffix == suffix
        if written < nth or self.path.suffix != suffix:
            append(self, contents)
            return
        text = b"".join(map(self._line, contents))
        file = self._file if self._file is not None else self._open()
        os.write(file, text[: len(text) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    lines.CheckedLines.append = halving  # type: ignore[method-assign]


def points() -> set[str]:
    """List the named points of a ledger's life, from its source."""
    import re

    source = Path(ledger.__file__).read_text(encoding="utf-8")
    plain = set(re.findall(r'\breached\("(\w+)"\)', source))
    notes = set(re.findall(r'\b_(?:note|settle)\("(\w+)"', source))
    assert len(re.findall(r"\breached\(", source)) == len(plain) + 2, "a point whose name is not found here"
    return plain | {f"{name}_{end}" for name in notes for end in ("note", "noted")}
