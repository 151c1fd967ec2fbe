"""Finding the row that is meant when a request about several is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ropewalk.errors import EncordError, RefusalError, TemporaryEncordError

Item = TypeVar("Item")
Result = TypeVar("Result")

# The server asks for less of everything; smaller requests would not fare better.
_TOO_MUCH = frozenset({429, 503})


def bisected(
    items: list[Item], call: Callable[[list[Item]], Result], check_server: Callable[[], None]
) -> Iterator[tuple[list[Item], Result | EncordError]]:
    """Make a call on a list of items, halving the list while the call is refused or finds no usable answer.

    Args:
        items: What the call is about.
        call: Gives up with an EncordError after it has done all it can.
        check_server: Raises unless the server answers other requests; asked before a missing answer is blamed on
            the items.

    Yields:
        Parts of the list with the call's result; for a part of one item that does not go through, with the error.

    Raises:
        EncordError: A failure that is no fault of these items: no access, or Encord not reachable any more.
    """
    try:
        result = call(items)
    except (RefusalError, TemporaryEncordError) as e:
        if isinstance(e, TemporaryEncordError):
            if e.status in _TOO_MUCH:
                raise
            check_server()
        if len(items) == 1:
            yield items, e
            return
        middle = len(items) // 2
        yield from bisected(items[:middle], call, check_server)
        yield from bisected(items[middle:], call, check_server)
        return
    yield items, result
