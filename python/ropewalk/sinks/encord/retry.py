"""When a request is sent again: exponential backoff with full jitter under a budget of time, Retry-After honoured."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ropewalk.errors import EncordError, TemporaryEncordError

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Clients that were told the same Retry-After should not come back in the same moment either.
_JITTER_OF_RETRY_AFTER = 0.1


class Stopped(Exception):  # noqa: N818 - not an error: the import is being stopped elsewhere
    """Raised out of a wait when the import stops."""


@dataclass
class Retry:
    """The policy for every call: sent again until it is answered or its time is used up. Shared by threads.

    Attributes:
        budget_seconds: Time for one call with all its attempts. Two attempts are made in any case, and an attempt that
            has begun is not cut short.
        first_wait: Longest wait before the second attempt, in seconds; it doubles with every attempt.
        longest_wait: Bound of that doubling, in seconds.
        longest_retry_after: Bound of what a server may ask for, in seconds.
        stop: Ends every wait at once when it is set.
        clock: Seconds from any origin.
        random: Share of the longest wait that is waited, 0 to 1.
    """

    budget_seconds: float = 600.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 300.0
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random

    def __call__(self, request: Callable[[], T]) -> T:
        """Make a call of one request whose repetition changes nothing.

        Raises:
            EncordError: The last one, when the time is used up or repeating cannot help.
            Stopped: The import stops.
        """
        return self.call()(request)

    def call(self) -> Call:
        """Begin a call of several kinds of requests: they share one budget."""
        return Call(self)

    def check(self) -> None:
        """Give up if the import stops.

        Raises:
            Stopped: It does.
        """
        if self.stop.is_set():
            raise Stopped


class Call:
    """One call: when it began, and how often it has failed. For one thread."""

    def __init__(self, policy: Retry) -> None:
        self._policy = policy
        self._began = policy.clock()
        self._failures = 0

    def __call__(self, request: Callable[[], T]) -> T:
        """Send a request whose repetition changes nothing until it is answered.

        Raises:
            EncordError: The last one, when the time is used up or repeating cannot help.
            Stopped: The import stops.
        """
        while True:
            self._policy.check()
            try:
                return request()
            except TemporaryEncordError as e:
                self.wait(e)

    def wait(self, error: EncordError) -> None:
        """Wait after a failure, or give up with it.

        Raises:
            EncordError: The given one, saying how often and how long was tried, when the time is used up.
            Stopped: The import stops.
        """
        policy = self._policy
        self._failures += 1
        spent = policy.clock() - self._began
        left = policy.budget_seconds - spent
        if self._failures > 1 and left <= 0:
            error.args = (f"{error}; tried {self._failures} times in {spent:.0f} s",)
            raise error
        # Full jitter: clients that were turned away together do not come back together.
        exponent = min(self._failures - 1, 60)
        seconds = policy.random() * min(policy.longest_wait, policy.first_wait * 2**exponent)
        if error.retry_after is not None:
            asked = min(error.retry_after, policy.longest_retry_after)
            seconds = asked + policy.random() * max(policy.first_wait, _JITTER_OF_RETRY_AFTER * asked)
        _log.info("attempt %d failed: %s; again in %.1f s", self._failures, error, seconds)
        if policy.stop.wait(min(seconds, left if left > 0 else policy.first_wait)):
            raise Stopped
