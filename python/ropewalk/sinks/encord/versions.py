"""Versions of the `encord` SDK: which one is installed, and the first one that knows a feature."""

from __future__ import annotations

import re
from importlib.metadata import version

from ropewalk.errors import UsageError

CHANGING_ANSWERS = "answers that change from frame to frame"
ANSWERS_ON_SPACES = "answers on spaces"
OBJECT_NUMBERS = "object numbers"
COPIES = "copies of branches"

# Found by looking through the releases on PyPI; 0.1.194 and 0.1.203 were never published.
FIRST_WITH = {
    # Shapes of an ontology, as it spells them.
    "circle": "0.1.195",
    "cuboid_2d": "0.1.187",
    "ellipse": "0.1.198",
    "time_range": "0.1.199",
    # Older ones read an answer of this kind only if it has a `trackHash`, which Encord has given up.
    CHANGING_ANSWERS: "0.1.200",
    # Older ones read the spaces of a data group without their classifications.
    ANSWERS_ON_SPACES: "0.1.204",
    # Other features.
    COPIES: "0.1.195",
    OBJECT_NUMBERS: "0.1.210",
    "spaces": "0.1.187",
    "time series": "0.1.199",
}


def installed() -> str:
    """Give the version of the SDK that is installed."""
    return version("encord")


def check_sdk(feature: str) -> None:
    """Refuse a feature that the installed SDK does not know.

    Args:
        feature: A name of `FIRST_WITH`.

    Raises:
        UsageError: The SDK is older; says which version is needed and which one is installed.
    """
    lack = lack_of(feature)
    if lack is not None:
        raise UsageError(lack)


def lack_of(feature: str) -> str | None:
    """Say that the installed SDK does not know a feature of `FIRST_WITH`, and what to do; None where it does."""
    needed, found = FIRST_WITH[feature], installed()
    if _numbers(found) >= _numbers(needed):
        return None
    return f"{feature}: the encord SDK {needed} or later is needed, {found} is installed; {upgrade(needed)}"


def upgrade(needed: str | None = None) -> str:
    """Say how to install a newer SDK: at least the version `needed`, or else the newest one."""
    return f'run `pip install --upgrade "encord>={needed}"`' if needed else "run `pip install --upgrade encord`"


def _numbers(text: str) -> tuple[int, ...]:
    """Take the numbers of a version apart, up to the first part that is not one: `0.2.0rc1` is (0, 2, 0)."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()
