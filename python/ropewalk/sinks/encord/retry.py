"""When a request is sent again: bounded attempts, exponential backoff with full jitter, Retry-After up to a bound."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ropewalk.errors import EncordError, TemporaryEncordError

T = TypeVar("T")


class Stopped(Exception):  # noqa: N818 - not an error: the import is being stopped elsewhere
    """Raised out of a wait when the import stops."""


@dataclass
class Retry:
    """Sends a request that is safe to repeat until it is answered, or the attempts are used up.

    Waits are in seconds. `stop` ends every wait at once.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 120.0
    stop: threading.Event = field(default_factory=threading.Event)

    def __call__(self, call: Callable[[], T]) -> T:
        """Make a call whose repetition changes nothing.

        Raises:
            EncordError: The last one, when no attempt is left or repeating cannot help.
            Stopped: The import stops.
        """
        attempt = 0
        while True:
            self.check()
            try:
                return call()
            except TemporaryEncordError as e:
                self.wait(attempt, e)
            attempt += 1

    def check(self) -> None:
        """Give up if the import stops.

        Raises:
            Stopped: It does.
        """
        if self.stop.is_set():
            raise Stopped

    def wait(self, attempt: int, error: EncordError) -> None:
        """Wait before attempt number `attempt` + 1 (0-based), or give up with the error.

        Raises:
            EncordError: The given one, when no attempt is left.
            Stopped: The import stops.
        """
        if attempt + 1 >= self.attempts:
            raise error
        # Full jitter: clients that were turned away together do not come back together.
        seconds = random.uniform(0, min(self.longest_wait, self.first_wait * 2**attempt))
        if error.retry_after is not None:
            seconds += min(error.retry_after, self.longest_retry_after)
        if self.stop.wait(seconds):
            raise Stopped
