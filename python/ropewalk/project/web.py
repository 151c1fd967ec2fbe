"""Where people look at a project: its page in Encord's app."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Host of the API -> host of the app.
_APPS = {
    "api.encord.com": "app.encord.com",
    "api.us.encord.com": "app.us.encord.com",
}

# Names the project of commands, and of `ropewalk.connect`, that are given none.
PROJECT_VARIABLE = "ENCORD_PROJECT"

_HASH = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def project_page(domain: str, project_hash: str) -> str | None:
    """Return the address of a project in the app; None where the app of a domain is not known.

    Args:
        domain: URL of the API.
        project_hash: Which project.
    """
    app = _APPS.get(urlsplit(domain).hostname or "")
    return None if app is None else f"https://{app}/projects/view/{project_hash}/summary"


def domain_of_address(text: str) -> str | None:
    """Return the URL of the API that an address of the app belongs to; None for any other text."""
    host = urlsplit(text).hostname
    return next((f"https://{api}" for api, app in _APPS.items() if app == host), None)


def is_hash(text: str) -> bool:
    """Tell whether a text is a project hash."""
    return _HASH.fullmatch(text) is not None


def hash_in_address(text: str) -> str | None:
    """Return the project hash in an address of the app, such as `https://app.encord.com/projects/view/HASH/summary`.

    Args:
        text: An address, or anything else.

    Returns:
        The hash; None where the text is not the address of a project.
    """
    parts = urlsplit(text)
    found = _HASH.search(parts.path) if parts.scheme in ("http", "https") else None
    return None if found is None else found.group().lower()
