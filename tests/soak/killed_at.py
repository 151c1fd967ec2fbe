"""Run the command line and die by SIGKILL when the ledger reaches a point: `killed_at.py POINT NTH ARGUMENTS...`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from ropewalk.cli import main
from ropewalk.ledger import ledger, lines

POINT, NTH = sys.argv[1], int(sys.argv[2])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Watch:
    """Counts how often the point is reached."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, point: str) -> None:
        if point == POINT:
            self.times += 1
            if self.times == NTH:
                die()


def watch_ledger(reached: Watch) -> None:
    original_init = ledger.Ledger.__post_init__

    def watched(self: Any) -> None:
        original_init(self)
        self.reached = reached

    ledger.Ledger.__post_init__ = watched  # type: ignore[method-assign]


def watch_writes(reached: Watch) -> None:
    """Die with half of a line on the disk."""
    write = os.write

    class HalfWriting:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        @staticmethod
        def write(file: int, text: bytes) -> int:
            reached.times += 1
            if reached.times == NTH:
                write(file, text[: len(text) // 2])
                die()
            return write(file, text)

    lines.os = HalfWriting()  # type: ignore[assignment]


watch = Watch()
if POINT == "half_written":
    watch_writes(watch)
else:
    watch_ledger(watch)
sys.argv = ["ropewalk", *sys.argv[3:]]
main()
