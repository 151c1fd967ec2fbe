"""The limit of requests in flight, by a clock that the tests move."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from ropewalk.sinks.encord.pace import Pace, Slot
from ropewalk.sinks.encord.retry import Stopped


class Server:
    """A pace with all of its slots taken together, as by many threads, each answered after some seconds."""

    def __init__(self, most: int = 32, start: int = 4) -> None:
        self.now = 0.0
        self.pace = Pace(most, start, clock=lambda: self.now)

    def round(self, seconds: float = 0.1, *, len_bytes: int = 0, push_backs: int = 0, operation: str = "save") -> int:
        """Fill all slots, push some back, answer the others, and return the limit."""
        with ExitStack() as stack:
            slots = [stack.enter_context(self.pace.slot(threading.Event())) for _ in range(self.pace.limit)]
            self.now += seconds
            for n, slot in enumerate(slots):
                if n < push_backs:
                    slot.pushed_back()
                else:
                    slot.answered(operation, len_bytes)
        return self.pace.limit

    def one(self) -> Slot:
        with self.pace.slot(threading.Event()) as slot:
            self.now += 0.1
        return slot


def test_the_limit_grows_with_quick_answers_up_to_the_most() -> None:
    server = Server(most=10, start=2)
    # Of those in flight together the first fills a limit; once that has grown, there are free slots.
    limits = [server.round() for _ in range(12)]
    assert limits == [3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 10]


def test_start_and_most_are_bounds() -> None:
    assert [Pace(most, start).limit for most, start in ((2, 4), (8, 4), (0, 4), (8, 0))] == [2, 4, 1, 1]


def test_a_burst_of_push_backs_halves_once() -> None:
    server = Server(most=16, start=16)
    assert server.round(push_backs=16) == 8
    assert server.round(push_backs=3) == 4
    assert [server.round(push_backs=1) for _ in range(4)] == [2, 1, 1, 1]


def test_a_push_back_of_a_request_from_before_the_halving_says_nothing_new() -> None:
    server = Server(most=16, start=16)
    early, other = server.one(), server.one()
    early.pushed_back()
    assert server.pace.limit == 8
    later = server.one()
    other.pushed_back()
    assert server.pace.limit == 8
    later.pushed_back()
    assert server.pace.limit == 4


def test_after_a_push_back_it_grows_by_one_for_as_many_answers_as_the_limit_is() -> None:
    server = Server(most=16, start=8)
    assert server.round(push_backs=8) == 4
    limits = [server.round() for _ in range(6)]
    assert limits == [5, 6, 7, 8, 9, 10]
    # Not by each answer: fewer than the limit are not enough, and those that a push-back interrupts do not count.
    server = Server(most=16, start=8)
    server.round(push_backs=8)
    with ExitStack() as stack:
        slots = [stack.enter_context(server.pace.slot(threading.Event())) for _ in range(4)]
        server.now += 0.1
        for slot in slots[:3]:
            slot.answered("save", 0)
        assert server.pace.limit == 4
        slots[3].pushed_back()
    assert server.pace.limit == 2


def test_slow_answers_do_not_let_it_grow() -> None:
    server = Server(start=2)
    assert server.round(0.1) == 3
    assert server.round(0.5) == 3
    assert server.round(0.39) == 4
    # Another kind of request has a measure of its own.
    assert server.round(0.5, operation="list") == 5


def test_a_slow_answer_breaks_the_row_of_quick_ones() -> None:
    server = Server(start=4)
    server.round(push_backs=4)
    assert server.pace.limit == 2
    for seconds in (0.1, 0.9, 0.1):
        with server.pace.slot(threading.Event()) as slot, server.pace.slot(threading.Event()):
            server.now += seconds
            slot.answered("save", 0)
    assert server.pace.limit == 2


def test_large_bodies_may_take_longer() -> None:
    server = Server(start=2)
    server.round(0.1)
    assert server.round(1.5, len_bytes=9_000_000) == 4
    assert server.round(1.5, len_bytes=1_000_000) == 4


def test_the_best_is_forgotten_in_time() -> None:
    server = Server(start=1, most=500)
    server.round(0.1)
    limits = [server.round(0.5) for _ in range(40)]
    assert limits[0] == 2
    assert limits[-1] > 2


def test_differences_of_milliseconds_are_none() -> None:
    server = Server(start=2)
    assert [server.round(0.001), server.round(0.04)] == [3, 4]


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    server = Server(start=4)
    for _ in range(10):
        with server.pace.slot(threading.Event()) as slot:
            slot.answered("save", 0)
    assert server.pace.limit == 4


def test_no_more_requests_than_the_limit_are_in_flight() -> None:
    pace = Pace(3, 3)
    lock = threading.Lock()
    in_flight = 0
    seen = []

    def work() -> None:
        nonlocal in_flight
        with pace.slot(threading.Event()):
            with lock:
                in_flight += 1
                seen.append(in_flight)
            threading.Event().wait(0.01)
            with lock:
                in_flight -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(seen), max(seen)) == (12, 3)


def test_a_wait_for_a_slot_ends_when_the_import_stops() -> None:
    pace = Pace(1)
    stop = threading.Event()
    with pace.slot(stop):
        timer = threading.Timer(0.1, stop.set)
        timer.start()
        with pytest.raises(Stopped), pace.slot(stop):
            pytest.fail("a second request in flight")
        timer.join()
    with pytest.raises(Stopped), pace.slot(stop):
        pytest.fail("a request after the stop")


def test_a_request_that_fails_gives_its_slot_back() -> None:
    pace = Pace(1)
    for _ in range(3):
        with pytest.raises(OSError, match="gone"), pace.slot(threading.Event()):
            raise OSError("gone")
