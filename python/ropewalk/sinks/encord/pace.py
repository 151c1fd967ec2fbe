"""How many requests are in flight: more while answers are quick, half as many when the server pushes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ropewalk.sinks.encord.retry import Stopped

# An answer is quick up to so many times the best seen, or when it is so short that the difference says nothing.
_QUICK_TIMES = 4.0
_QUICK_SECONDS = 0.05
# The best is forgotten by so much with each answer: what was measured on an idle server is no measure for hours.
_AGEING = 1.01
_BYTES_PER_MB = 1_000_000
_SECONDS_BETWEEN_LOOKS_AT_STOP = 0.1


@dataclass
class Pace:
    """A limit of requests in flight that adapts to the server. Shared by threads.

    It grows by one with each quick answer until the server first pushes back, then by one for as many quick answers in
    a row as the limit is; only while all of it is used, since an unused limit has not been tried.

    Attributes:
        most: The limit's own bound; at least 1.
        start: The limit at first.
        clock: Seconds from any origin.
    """

    most: int
    start: int = 4
    clock: Callable[[], float] = time.monotonic
    limit: int = field(init=False)
    _in_flight: int = field(default=0, init=False)
    _halvings: int = field(default=0, init=False)
    _quick_in_a_row: int = field(default=0, init=False)
    _best: dict[str, float] = field(default_factory=dict, init=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, init=False)

    def __post_init__(self) -> None:
        self.most = max(self.most, 1)
        self.limit = max(1, min(self.start, self.most))

    @contextmanager
    def slot(self, stop: threading.Event) -> Iterator[Slot]:
        """Hold one of the places in flight for the time of a request; a free one is waited for.

        Raises:
            Stopped: `stop` was set.
        """
        with self._changed:
            while not stop.is_set() and self._in_flight >= self.limit:
                self._changed.wait(_SECONDS_BETWEEN_LOOKS_AT_STOP)
            if stop.is_set():
                raise Stopped
            self._in_flight += 1
            slot = Slot(self, self._halvings, self.clock())
        try:
            yield slot
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def _answered(self, halvings: int, operation: str, seconds: float, len_bytes: int) -> None:
        with self._changed:
            measure = seconds / (1 + len_bytes / _BYTES_PER_MB)
            best = self._best[operation] = min(measure, self._best.get(operation, measure) * _AGEING)
            if measure > max(_QUICK_TIMES * best, _QUICK_SECONDS):
                self._quick_in_a_row = 0
                return
            if halvings != self._halvings:
                return  # What was sent under the old limit tells nothing about the new one.
            self._quick_in_a_row += 1
            enough = 1 if self._halvings == 0 else self.limit
            if self._quick_in_a_row >= enough and self.limit <= self._in_flight:
                self._quick_in_a_row = 0
                self.limit = min(self.limit + 1, self.most)
                self._changed.notify()

    def _pushed_back(self, halvings: int) -> None:
        with self._changed:
            self._quick_in_a_row = 0
            # Requests that were in flight together are turned away together: that says one thing, not many.
            if halvings == self._halvings:
                self._halvings += 1
                self.limit = max(1, self.limit // 2)


@dataclass(frozen=True)
class Slot:
    """A place in flight; one of its two methods is called, within the slot, once it is known what came of the request.

    Attributes:
        halvings: How often the limit had been halved when the request began.
        began: When it began, by the pace's clock.
    """

    pace: Pace
    halvings: int
    began: float

    def answered(self, operation: str, len_bytes: int) -> None:
        """Tell that the server answered; a quick answer lets the limit grow.

        Args:
            operation: Requests of the same kind are compared with each other.
            len_bytes: Size of request and answer.
        """
        self.pace._answered(self.halvings, operation, self.pace.clock() - self.began, len_bytes)

    def pushed_back(self) -> None:
        """Tell that the server asked for less or did not answer: the limit is halved, once for requests in flight."""
        self.pace._pushed_back(self.halvings)
