"""How progress is shown: bars on a terminal or in a notebook, a line now and then elsewhere. All on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from ropewalk.errors import UsageError
from ropewalk.progress import NoProgress, Progress
from ropewalk.text import count, size

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars
    from rich.progress import TaskID


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Give a progress that is shown; a bar that is not at its end when the context ends is taken down."""
    if not (sys.stderr.isatty() or in_notebook()):
        yield Lines()
        return
    bars = Bars()
    try:
        yield bars
    finally:
        bars.close()


@contextmanager
def progress_of(given: Progress | Literal["auto"] | None) -> Iterator[Progress]:
    """Give the progress that a caller asked for.

    Args:
        given: A progress; `auto` for one that is shown, as a bar on a terminal and in a notebook; None for nothing.

    Raises:
        UsageError: It is neither.
    """
    if given == "auto":
        with shown_progress() as progress:
            yield progress
        return
    if isinstance(given, str):
        raise UsageError(f'progress is {given!r}; expected "auto", None, or an object with start, update and end')
    yield given or NoProgress()


def in_notebook() -> bool:
    """Tell whether this is a notebook's kernel."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


class Bars:
    """A bar for each phase, which stays when the phase ends. Between phases nothing is drawn."""

    def __init__(self) -> None:
        """Show nothing until a phase begins."""
        self._bars: RichBars | None = None
        self._task: TaskID | None = None
        self._total, self._unit = 0, ""

    def start(self, phase: str, total: int, unit: str) -> None:
        """Draw the bar of a phase."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.close()
        self._total, self._unit = total, unit
        # In a notebook Rich finds out by itself where to draw.
        console = Console() if in_notebook() else Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:>20}"),
            BarColumn(),
            TextColumn("{task.fields[amount]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._bars.start()
        self._task = self._bars.add_task(phase, total=total or None, amount=amount(0, total, unit))

    def update(self, done: int) -> None:
        """Lengthen the bar."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, amount=amount(done, self._total, self._unit))

    def end(self) -> None:
        """Leave the bar as it is."""
        self.close()

    def close(self) -> None:
        """Stop drawing."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._task = None


class Lines:
    """Writes a line every few seconds, and one at the end of each phase."""

    _SECONDS_BETWEEN = 5.0

    def __init__(self) -> None:
        """Write nothing until a phase begins."""
        self._phase, self._total, self._unit = "", 0, ""
        self._done = 0
        self._said = 0.0

    def start(self, phase: str, total: int, unit: str) -> None:
        """Begin a phase."""
        self._phase, self._total, self._unit, self._done = phase, total, unit, 0
        self._said = time.monotonic()

    def update(self, done: int) -> None:
        """Write a line if the last one was a while ago."""
        self._done = done
        if time.monotonic() - self._said >= self._SECONDS_BETWEEN:
            self._said = time.monotonic()
            self._say()

    def end(self) -> None:
        """Write how far the phase came."""
        self._say()

    def _say(self) -> None:
        sys.stderr.write(f"{self._phase}: {amount(self._done, self._total, self._unit)}\n")
        sys.stderr.flush()


def amount(done: int, total: int, unit: str) -> str:
    """Write how much is done: `1.2 MB of 3.4 MB`, `200 of 5,000 annotations`; a total of 0 is not known."""
    if unit == "bytes":
        return f"{size(done)} of {size(total)}" if total else size(done)
    # Units are plurals.
    return f"{done:,} of {count(total, unit[:-1])}" if total else count(done, unit[:-1])
