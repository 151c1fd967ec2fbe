"""Work in threads: what is ready after a failure counts, since it is stored all the same."""

from __future__ import annotations

import threading

import pytest

from ropewalk.sinks.encord.parallel import in_parallel


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
