"""Halving: which rows are blamed when requests about several fail."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from ropewalk.errors import AccessError, EncordError, RefusalError, TemporaryEncordError
from ropewalk.sinks.encord.halving import Halving

REFUSED = RefusalError("refused", status=400, name="CorruptedLabelError")
NO_ANSWER = TemporaryEncordError("no answer", status=None, name="Timeout")


class Server:
    """Fails requests that hold certain items."""

    def __init__(self, bad: Collection[int], error: EncordError) -> None:
        self.bad, self.error = bad, error
        self.calls: list[list[int]] = []
        self.checks = 0

    def __call__(self, items: list[int]) -> int:
        self.calls.append(items)
        if any(item in self.bad for item in items):
            raise self.error
        return len(items)

    def check(self) -> None:
        self.checks += 1

    def answers(self, items: list[int], halving: Halving | None = None) -> tuple[list[int], list[int]]:
        """Give the items that went through and those that were blamed; each must stand in one part."""
        parts = list((halving or Halving(self.check)).bisected(items, self))
        assert sorted(item for part, _ in parts for item in part) == sorted(items)
        blamed = [part[0] for part, answer in parts if isinstance(answer, EncordError)]
        assert all(len(part) == 1 for part, answer in parts if isinstance(answer, EncordError))
        return sorted(item for part, answer in parts if isinstance(answer, int) for item in part), sorted(blamed)


def test_the_refused_items_are_found() -> None:
    server = Server({3, 9}, REFUSED)
    assert server.answers(list(range(12))) == ([0, 1, 2, 4, 5, 6, 7, 8, 10, 11], [3, 9])
    assert server.answers([3]) == ([], [3])
    assert server.checks == 0


@pytest.mark.parametrize("bad", [0, 3, 5, 11])
def test_an_item_without_an_answer_is_found_though_nothing_else_goes_on(bad: int) -> None:
    server = Server({bad}, NO_ANSWER)
    assert server.answers(list(range(12))) == ([n for n in range(12) if n != bad], [bad])


def test_a_server_that_is_down_blames_no_item() -> None:
    server = Server(range(12), NO_ANSWER)
    with pytest.raises(TemporaryEncordError, match="no answer"):
        server.answers(list(range(12)))
    # All of them, and two alone: not one after the other, which would take hours.
    assert server.calls == [list(range(12)), [0], [11]]


def test_a_server_that_goes_down_stops_a_job_that_went_well() -> None:
    server = Server({8, 9, 10, 11}, NO_ANSWER)
    halving = Halving(server.check)
    assert server.answers([0, 1, 2], halving) == ([0, 1, 2], [])
    with pytest.raises(TemporaryEncordError):
        server.answers([8, 9, 10, 11], halving)


def test_a_row_alone_is_blamed_only_if_the_server_answers_something() -> None:
    def down() -> None:
        raise TemporaryEncordError("down", status=None, name="ConnectionError")

    server = Server({8}, NO_ANSWER)
    assert server.answers([8]) == ([], [8])
    assert server.checks == 1
    with pytest.raises(TemporaryEncordError, match="down"):
        server.answers([8], Halving(down))


def test_a_row_alone_is_blamed_without_a_check_if_others_are_answered_meanwhile() -> None:
    server = Server({8}, NO_ANSWER)
    halving = Halving(server.check)

    def busy(items: list[int]) -> int:
        if items == [8]:
            server.answers([1, 2], halving)
        return server(items)

    ((part, answer),) = halving.bisected([8], busy)
    assert (part, answer, server.checks) == ([8], NO_ANSWER, 0)


def test_rows_alone_are_not_blamed_one_after_the_other() -> None:
    server = Server({5, 6, 7, 8}, NO_ANSWER)
    halving = Halving(server.check)
    for n in (5, 6, 7):
        assert server.answers([n], halving) == ([], [n])
    with pytest.raises(TemporaryEncordError, match="no answer"):
        server.answers([8], halving)
    # One that goes through shows that it was the rows.
    assert server.answers([1], halving) == ([1], [])
    assert server.answers([8], halving) == ([], [8])


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_less_is_not_asked_more(status: int) -> None:
    server = Server({1}, TemporaryEncordError("too much", status=status, name=f"Status{status}"))
    with pytest.raises(TemporaryEncordError, match="too much"):
        server.answers([0, 1, 2, 3])
    assert len(server.calls) == 1


def test_a_key_that_is_refused_stops_at_once() -> None:
    server = Server({1}, AccessError("no access", status=403, name="AuthorisationError"))
    with pytest.raises(AccessError):
        server.answers([0, 1, 2, 3])
    assert len(server.calls) == 1
