"""Lists of what a project has, which notebooks show as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import TypeVar

Item = TypeVar("Item")

_PLAIN = (str, int, float, datetime, type(None))

# A notebook is to stay quick.
_SHOWN = 1_000


class Listing(list[Item]):
    """A list of dataclasses. Its columns are those of their fields that hold text, numbers, times or nothing."""

    def __str__(self) -> str:
        """Write the columns with tabs between them, a line for each item."""
        head: list[object] = [*self._columns()]
        return "\n".join("\t".join(map(str, row)) for row in (head, *self._rows()))

    def _repr_html_(self) -> str:
        from ropewalk.pages.page import lines, table

        shown = table(self._columns(), (row for row, _ in zip(self._rows(), range(_SHOWN), strict=False)))
        return shown + (lines(f"and {len(self) - _SHOWN:,} more") if len(self) > _SHOWN else "")

    def _columns(self) -> list[str]:
        if not self:
            return []
        names = [field.name for field in fields(self[0])]  # type: ignore[arg-type]
        return [name for name in names if all(isinstance(getattr(item, name), _PLAIN) for item in self)]

    def _rows(self) -> Iterator[list[object]]:
        columns = self._columns()
        for item in self:
            values = [getattr(item, name) for name in columns]
            yield ["" if value is None else value for value in values]
