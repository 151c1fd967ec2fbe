"""Times several ways of one job in turns, so that a machine that slows down slows all of them down."""

from __future__ import annotations

import gc
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


def interleave(jobs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Samples]:
    """Run every job once per round, in an order that turns from round to round.

    Args:
        jobs: What to time, by name.
        repeats: Rounds that count; one more goes ahead when there are several.

    Returns:
        The samples of each job.
    """
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    names = list(jobs)
    warm_up = repeats > 1
    for turn in range(repeats + warm_up):
        for at in range(len(names)):
            name = names[(at + turn) % len(names)]
            gc.collect()
            started = time.perf_counter()
            jobs[name]()
            took = time.perf_counter() - started
            if turn >= warm_up:
                seconds[name].append(took)
    return {name: Samples(tuple(took)) for name, took in seconds.items()}
