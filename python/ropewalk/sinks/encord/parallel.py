"""Work spread over threads with a bound on what is in flight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], jobs: int, stop: threading.Event
) -> Iterator[Result]:
    """Do work on items in threads, taking an item only when a thread is free for it.

    Args:
        work: Called in a thread with one item.
        items: Taken one by one in the caller's thread, so it may be lazy.
        jobs: Threads.
        stop: Set when the caller stops or the work of an item fails; what waits on it should give up.

    Yields:
        Results, in the order in which they are ready; also those that are ready after another item's work failed.

    Raises:
        Exception: The first that the work raised, once everything in flight has ended.
    """
    failures: list[BaseException] = []

    def results(done: set[Future[Result]]) -> Iterator[Result]:
        for future in done:
            failure = future.exception()
            if failure is None:
                yield future.result()
            else:
                failures.append(failure)
                stop.set()

    executor = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="ropewalk-send")
    in_flight: set[Future[Result]] = set()
    try:
        for item in items:
            while len(in_flight) >= jobs:
                done, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
                yield from results(done)
            if failures:
                break
            in_flight.add(executor.submit(work, item))
        while in_flight:
            done, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
            yield from results(done)
        if failures:
            raise failures[0]
    except BaseException:
        stop.set()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
