"""Finding the row that is meant when a request about several is refused, or never finds a usable answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ropewalk.errors import EncordError, RefusalError, TemporaryEncordError

Item = TypeVar("Item")
Result = TypeVar("Result")

# The server asks for less of everything; smaller requests would not fare better.
_TOO_MUCH = frozenset({429, 503})

_MOST_BLAMED_IN_A_ROW = 3


class Halving:
    """Halves the requests of one kind in one job. Safe to use from several threads.

    A refusal names its row once it is alone. That no answer arrives may be the row's fault, when its body makes the
    server stumble, or the server is down: rows are blamed only if other requests of the kind are answered meanwhile.

    Args:
        check_server: Asks the server something else, and raises unless it answers.
    """

    def __init__(self, check_server: Callable[[], object]) -> None:
        self._check_server = check_server
        self._answered = 0
        self._blamed_in_a_row = 0

    @property
    def is_answered(self) -> bool:
        """Whether any request of this kind was answered, if only with a refusal."""
        return self._answered > 0

    def bisected(
        self, items: list[Item], call: Callable[[list[Item]], Result]
    ) -> Iterator[tuple[list[Item], Result | EncordError]]:
        """Make a call on a list of items, halving the list while the call fails for what it holds.

        Args:
            items: What the call is about.
            call: Gives up with an EncordError after it has done all it can.

        Yields:
            Parts of the list with the call's result; for a part of one item that does not go through, with the error.

        Raises:
            EncordError: A failure that is no fault of these items: no access, or Encord not reachable any more.
        """
        before = self._answered
        try:
            result = self._counted(items, call)
        except RefusalError as e:
            failure: EncordError = e
        except TemporaryEncordError as e:
            if e.status in _TOO_MUCH:
                raise
            failure = e
        else:
            yield items, result
            return
        if len(items) == 1:
            if self._answered == before:
                # Nothing else was answered meanwhile: the row's fault, or the first sign that the server is down.
                self._blamed_in_a_row += 1
                if self._blamed_in_a_row > _MOST_BLAMED_IN_A_ROW:
                    raise failure
                self._check_server()
            yield items, failure
            return
        if self._answered == before:
            # Two rows alone, since one of them may be the one that is meant.
            for probe in (items[:1], items[-1:]):
                answer = self._answer_to(probe, call)
                if not isinstance(answer, TemporaryEncordError):
                    yield probe, answer
                    items = [item for item in items if item is not probe[0]]
                    break
            else:
                raise failure
        middle = len(items) // 2
        for half in (items[:middle], items[middle:]):
            if half:
                yield from self.bisected(half, call)

    def _answer_to(self, items: list[Item], call: Callable[[list[Item]], Result]) -> Result | EncordError:
        try:
            return self._counted(items, call)
        except (RefusalError, TemporaryEncordError) as e:
            return e

    def _counted(self, items: list[Item], call: Callable[[list[Item]], Result]) -> Result:
        try:
            result = call(items)
        except RefusalError:
            self._note_answer()
            raise
        self._note_answer()
        return result

    def _note_answer(self) -> None:
        self._answered += 1
        self._blamed_in_a_row = 0
