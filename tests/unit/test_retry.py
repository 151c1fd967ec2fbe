"""The policy of retries by a clock that only its own waits move."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ropewalk.errors import AccessError, EncordError, TemporaryEncordError
from ropewalk.sinks.encord.retry import Retry, Stopped


class Clock:
    """Seconds, moved by waits and by what requests take."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def policy(self, **options: Any) -> Retry:
        clock = self

        class Stop(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                assert timeout is not None
                clock.waits.append(timeout)
                clock.now += timeout
                return False

        return Retry(**{"stop": Stop(), "clock": lambda: self.now, "random": lambda: 1.0} | options)


def failing(times: int = 10**9, *, seconds: float = 0.0, clock: Clock | None = None, retry_after: Any = None) -> Any:
    def request() -> int:
        request.sent += 1  # type: ignore[attr-defined]
        if clock is not None:
            clock.now += seconds
        if request.sent <= times:  # type: ignore[attr-defined]
            raise TemporaryEncordError("busy", status=503, name="Status503", retry_after=retry_after)
        return 7

    request.sent = 0  # type: ignore[attr-defined]
    return request


def test_waits_double_up_to_a_bound_and_end_with_the_budget() -> None:
    clock = Clock()
    with pytest.raises(TemporaryEncordError) as raised:
        clock.policy(budget_seconds=60, first_wait=1, longest_wait=10)(failing())
    assert clock.waits == [1, 2, 4, 8, 10, 10, 10, 10, 5]
    assert str(raised.value) == "busy; tried 10 times in 60 s"
    assert raised.value.status == 503


def test_jitter_is_full() -> None:
    clock = Clock()
    shares = iter((0.0, 0.5, 0.25))
    assert clock.policy(first_wait=1, random=lambda: next(shares))(failing(3)) == 7
    assert clock.waits == [0, 1, 1]


def test_a_second_attempt_is_made_whatever_the_first_one_took() -> None:
    clock = Clock()
    request = failing(seconds=900, clock=clock)
    with pytest.raises(TemporaryEncordError, match="tried 2 times in 1800 s"):
        clock.policy(budget_seconds=600, first_wait=0.5)(request)
    assert (request.sent, clock.waits) == (2, [0.5])


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (0.0, [0.5, 0.5]),
        (7.0, [7.7, 7.7]),
        # As long as the server may ask for, and in the end no longer than the budget.
        (9000.0, [55.0, 45.0]),
    ],
)
def test_retry_after_is_honoured_within_bounds(asked: float, waits: list[float]) -> None:
    clock = Clock()
    policy = clock.policy(budget_seconds=100, longest_retry_after=50)
    assert policy(failing(2, retry_after=asked)) == 7
    assert clock.waits == pytest.approx(waits)


def test_a_retry_after_longer_than_the_budget_does_not_stretch_it() -> None:
    clock = Clock()
    with pytest.raises(TemporaryEncordError, match="tried 2 times in 20 s"):
        clock.policy(budget_seconds=20)(failing(retry_after=300.0))
    assert clock.waits == [20]


@pytest.mark.parametrize("kind", [AccessError, EncordError])
def test_what_repeating_cannot_help_is_raised_at_once(kind: type[EncordError]) -> None:
    clock = Clock()
    sent = []

    def request() -> None:
        sent.append(1)
        raise kind("no", status=401, name="Status401")

    with pytest.raises(kind, match="^no$"):
        clock.policy()(request)
    assert (len(sent), clock.waits) == (1, [])


def test_several_requests_of_a_call_share_its_budget() -> None:
    clock = Clock()
    call = clock.policy(budget_seconds=10, first_wait=4, longest_wait=4).call()
    assert call(failing(2)) == 7
    with pytest.raises(TemporaryEncordError, match="tried 4 times in 10 s"):
        call(failing())


def test_thousands_of_attempts_do_not_overflow() -> None:
    clock = Clock()
    assert clock.policy(budget_seconds=1e6, random=lambda: 0.0)(failing(5000)) == 7


def test_stop_ends_a_wait_and_lets_nothing_more_be_sent() -> None:
    retry = Retry(first_wait=600, longest_wait=600, random=lambda: 1.0)
    request = failing()
    timer = threading.Timer(0.1, retry.stop.set)
    timer.start()
    for _ in range(2):
        with pytest.raises(Stopped):
            retry(request)
    timer.join()
    assert request.sent == 1
