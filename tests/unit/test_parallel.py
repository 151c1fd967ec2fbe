"""Work in threads: what is ready after a failure counts, since it is stored all the same; stopping is bounded."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from ropewalk.sinks.encord.parallel import InFlight, in_parallel
from ropewalk.sinks.encord.retry import Stopped


def test_all_results_arrive_and_no_more_threads_than_jobs() -> None:
    together = threading.Semaphore(3)

    def work(item: int) -> int:
        assert together.acquire(blocking=False), "more than three at a time"
        time.sleep(0.001)
        together.release()
        return item * item

    assert sorted(in_parallel(work, range(1, 40), 3, threading.Event())) == [n * n for n in range(1, 40)]


def test_items_are_taken_when_a_thread_is_free() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(1, 9):
            taken.append(n)
            yield n

    results = in_parallel(lambda item: item, items(), 2, threading.Event())
    assert next(results) in (1, 2)
    assert len(taken) <= 3
    assert len(list(results)) == 7


def test_what_is_in_flight_at_a_failure_still_gives_its_result() -> None:
    stop = threading.Event()

    def work(item: str) -> str:
        if item == "fails":
            raise ValueError(item)
        # Ready only once the failure is known.
        assert stop.wait(10)
        return item

    found = []
    with pytest.raises(ValueError, match="fails"):
        for result in in_parallel(work, ["is stored", "fails", "is never begun"], 2, stop):
            found.append(result)
    assert found == ["is stored"]


def test_the_failure_counts_and_not_that_others_stopped_for_it() -> None:
    class Stop(threading.Event):
        """Is noticed by the others before the failure that set it is known."""

        def set(self) -> None:
            first = not self.is_set()
            super().set()
            if first:
                time.sleep(0.2)

    stop = Stop()

    def work(item: str) -> str:
        if item == "stops":
            assert stop.wait(10)
            raise Stopped
        raise ValueError(item)

    with pytest.raises(ValueError, match="fails"):
        list(in_parallel(work, ["stops", "fails"], 2, stop))


def test_an_import_that_was_stopped_does_not_look_finished() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        list(in_parallel(lambda item: item, [1, 2], 2, stop))


def test_ctrl_c_takes_the_results_of_what_is_in_flight_and_begins_nothing_new() -> None:
    stop = threading.Event()
    begun = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 2:
            signal.raise_signal(signal.SIGINT)
        assert stop.wait(10)
        return item

    found = []
    with pytest.raises(KeyboardInterrupt):
        for result in in_parallel(work, [1, 2, 3, 4], 2, stop):
            found.append(result)
    assert (sorted(begun), sorted(found)) == ([1, 2], [1, 2])


def test_what_does_not_end_is_left_behind() -> None:
    release = threading.Event()
    stop = threading.Event()

    def work(item: str) -> str:
        if item == "fails":
            raise ValueError(item)
        release.wait(30)
        return item

    started = time.monotonic()
    with pytest.raises(ValueError, match="fails"):
        list(in_parallel(work, ["hangs", "fails"], 2, stop, stop_seconds=0.2))
    assert time.monotonic() - started < 10
    release.set()


def test_bytes_in_flight_are_bounded_but_one_thing_always_goes() -> None:
    bound, stop, held, most = InFlight(100), threading.Event(), [0], [0]
    lock = threading.Lock()

    def work(n_bytes: int) -> int:
        with bound.hold(n_bytes, stop):
            with lock:
                held[0] += n_bytes
                most[0] = max(most[0], held[0])
            time.sleep(0.002)
            with lock:
                held[0] -= n_bytes
        return n_bytes

    assert sum(in_parallel(work, [60, 30, 50, 250, 40, 10, 70], 4, stop)) == 510
    # The large one was alone, and of the others never more than the bound were held.
    assert most[0] == 250
    most[0] = 0
    list(in_parallel(work, [60, 30, 50, 40, 10, 70] * 3, 4, stop))
    assert 60 < most[0] <= 100


def test_waiting_for_room_ends_when_the_import_stops() -> None:
    bound, stop = InFlight(10), threading.Event()
    with bound.hold(10, stop):
        stop.set()
        with pytest.raises(Stopped), bound.hold(1, stop):
            pass
