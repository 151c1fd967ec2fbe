"""Text for people: names from hostile input made safe to show, numbers and sizes made readable."""

from __future__ import annotations

import re
from datetime import datetime, timezone

# A URL's query is where signatures stand; the part before it is enough to recognise it. Inside JSON its slashes may be
# escaped, and parts of it may stand alone.
_URL_QUERY = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:(?:\\?/){2}[^\s?#\"'<>]*)[?#][^\s\"'<>]*")
_URL_USER = re.compile(r"(:(?:\\?/){2})[^\s/@\"'<>]+@")
_PARAMETER = re.compile(r"(?i)\b((?:x-(?:amz|goog)-)?(?:signature|credential|security-token|token)|sig)=[^\s&\"'<>]+")
_AUTHORIZATION = re.compile(r"(?i)\b(authorization|bearer)\b\W+(?:(?:bearer|basic|token|digest)\s+)?\S+")


def shown(text: str, limit: int = 200) -> str:
    """Escape what a terminal would act on, and cut what is too long.

    Args:
        text: Any text, also from a hostile source.
        limit: Longest result, in characters.

    Returns:
        The text with every character that is not printable as an escape.
    """
    head = text[: limit + 1]
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in head)
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def base_name(path: str) -> str:
    """Return what follows the last slash of either kind."""
    return re.split(r"[/\\]", path)[-1]


def is_writable(text: str) -> bool:
    """Say whether UTF-8 can write a text; names of files that the system could not decode are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without_query(text: str) -> str:
    """Take the query out of every URL in a text: that is where signatures stand."""
    return _URL_QUERY.sub(r"\1", text)


def without_secrets(text: str, limit: int = 500) -> str:
    """Take signed queries and credentials out of a server's words and make them safe to show."""
    text = _URL_QUERY.sub(r"\1?(hidden)", text[: 4 * limit])
    text = _PARAMETER.sub(r"\1=(hidden)", _URL_USER.sub(r"\1(hidden)@", text))
    return shown(_AUTHORIZATION.sub(r"\1 (hidden)", text), limit)


def size(n_bytes: float) -> str:
    """Write a number of bytes with a decimal unit: `1.2 MB`."""
    if n_bytes < 1000:
        return f"{n_bytes:.0f} B"
    for unit in ("kB", "MB", "GB", "TB"):
        n_bytes /= 1000
        if n_bytes < 999.95 or unit == "TB":
            break
    return f"{n_bytes:.1f} {unit}"


def count(n: int, noun: str) -> str:
    """Write a number with its noun: `1 label row`, `12,000 label rows`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def moment(when: datetime) -> str:
    """Write a time for people: `2026-11-21 23:48 UTC`."""
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"
