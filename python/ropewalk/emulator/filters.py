"""Filters of listings that both APIs have, with the words of the client: SQL patterns, and times."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from ropewalk.emulator.refusals import Refused, invalid


def like(value: Any, name: str) -> re.Pattern[str] | None:
    """Build the pattern of a fuzzy filter: `%` stands for any text, `_` for any character; case does not matter.

    Args:
        value: The filter's value, None where it is not given.
        name: The filter's name, for the refusal.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid(f"{name} is a text or null")
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(char) or re.escape(char) for char in value), re.IGNORECASE | re.DOTALL)


def moment(value: Any, name: str) -> datetime | None:
    """Read the time of a filter, UTC where it names no zone.

    Args:
        value: The filter's value, None where it is not given.
        name: The filter's name, for the refusal.
    """
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"Z$", "+00:00", value))
    except (TypeError, ValueError) as e:
        raise Refused("INVALID_DATE_FORMAT_ERROR", 400, f"{name} is not an ISO 8601 time") from e
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
