"""Times several ways of one job in turns, so that a machine that slows down slows all of them down."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Samples:
    """Seconds of each repeat."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median, seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """Fastest and slowest, seconds."""
        return min(self.seconds), max(self.seconds)


# A sample of less tells more about the clock and cold caches than about the job.
LEAST_SECONDS = 0.02


def interleave(
    jobs: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Samples]:
    """Run every job in each round, in an order that turns from round to round; short jobs several times in a row.

    Args:
        jobs: What to time, by name.
        repeats: Rounds that count; one goes ahead, which finds out how often a short job is run. 0: run each job once,
            and time nothing.
        clock: Tells seconds.

    Returns:
        The samples of each job, seconds of one run; none for 0 repeats.
    """
    if repeats == 0:
        for job in jobs.values():
            job()
        return {}
    times = {name: max(1, math.ceil(LEAST_SECONDS / max(_seconds(job, 1, clock), 1e-6))) for name, job in jobs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    names = list(jobs)
    for turn in range(repeats):
        for at in range(len(names)):
            name = names[(at + turn) % len(names)]
            seconds[name].append(_seconds(jobs[name], times[name], clock))
    return {name: Samples(tuple(took)) for name, took in seconds.items()}


def _seconds(job: Callable[[], object], times: int, clock: Callable[[], float]) -> float:
    gc.collect()
    started = clock()
    for _ in range(times):
        job()
    return (clock() - started) / times
