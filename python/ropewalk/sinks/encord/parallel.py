"""Work spread over threads, with bounds on what is in flight and on how long stopping takes."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from ropewalk.sinks.encord.retry import Stopped

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], jobs: int, stop: threading.Event, stop_seconds: float = 20.0
) -> Iterator[Result]:
    """Do work on items in threads, taking an item only when a thread is free for it.

    Args:
        work: Called in a thread with one item.
        items: Taken one by one in the caller's thread, so it may be lazy.
        jobs: Threads.
        stop: Set when the caller stops or the work of an item fails; what waits on it should give up.
        stop_seconds: How long what is in flight may take to end once `stop` is set; it is left behind after that.

    Yields:
        Results, in the order in which they are ready; also those that are ready after another item's work failed, or
        after an interrupt.

    Raises:
        Exception: The first that the work raised, once everything in flight has ended or `stop_seconds` are over.
        KeyboardInterrupt: The caller's thread was interrupted; a second one does not wait.
    """
    todo: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
    done: deque[tuple[Result | None, BaseException | None]] = deque()
    # One entry for each of `done`. Losing one costs a look at `done`: an interrupt may come with any call's return.
    woken: queue.SimpleQueue[None] = queue.SimpleQueue()
    failure: BaseException | None = None
    in_flight = threads = 0

    def run() -> None:
        while (item := todo.get()) is not None:
            try:
                done.append((work(item), None))
            except BaseException as e:
                stop.set()
                done.append((None, e))
            woken.put(None)

    iterator = iter(items)
    try:
        while failure is None:
            try:
                item = next(iterator, None) if in_flight < jobs and not stop.is_set() else None
                if item is not None:
                    if threads == in_flight:
                        # Daemons, so that a request without an answer does not keep the process from ending.
                        threading.Thread(target=run, name=f"ropewalk-send-{threads}", daemon=True).start()
                        threads += 1
                    todo.put(item)
                    in_flight += 1
                    continue
                if not in_flight:
                    if stop.is_set():
                        raise Stopped
                    return
                # In slices, since not every platform wakes an unbounded wait for ctrl-C.
                while not done:
                    _wait(woken, 0.5)
            except KeyboardInterrupt as e:
                failure = e
                break
            # No call in here, so that no interrupt comes between taking a result and counting it.
            result, failure = done[0]
            del done[0]
            in_flight -= 1
            if failure is None:
                yield result  # type: ignore[misc]
        stop.set()
        deadline = time.monotonic() + stop_seconds
        while in_flight:
            while not done and (left := deadline - time.monotonic()) > 0:
                _wait(woken, left)
            if not done:
                break
            result, error = done[0]
            del done[0]
            in_flight -= 1
            if error is None:
                yield result  # type: ignore[misc]
            elif isinstance(failure, Stopped):
                failure = error
        raise failure
    except BaseException:
        stop.set()
        raise
    finally:
        for _ in range(threads):
            todo.put(None)


def _wait(woken: queue.SimpleQueue[None], seconds: float) -> None:
    with suppress(queue.Empty):
        woken.get(timeout=seconds)


class InFlight:
    """A bound on the bytes of what is in flight together; one thing larger than the bound goes alone."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, n_bytes: int, stop: threading.Event) -> Iterator[None]:
        """Wait until there is room, and take it for as long as the context lasts.

        Raises:
            Stopped: The import stops.
        """
        with self._changed:
            while self._held and self._held + n_bytes > self._most:
                if stop.is_set():
                    raise Stopped
                self._changed.wait(timeout=0.1)
            self._held += n_bytes
        try:
            yield
        finally:
            with self._changed:
                self._held -= n_bytes
                self._changed.notify_all()
