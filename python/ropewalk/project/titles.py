"""Titles of media: which of them a glob means."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from unicodedata import normalize

from ropewalk.text import base_name


def is_meant(title: str, globs: Iterable[str]) -> bool:
    """Tell whether a title, or what follows its last slash, fits one of the globs; case matters."""
    # As the core matches them when it resolves.
    composed = normalize("NFC", title)
    names = (composed, base_name(composed))
    return any(fnmatchcase(name, normalize("NFC", glob)) for name in names for glob in globs)
