"""Progress of long work, as an interface: the library reports, the command line and notebooks show."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told about phases and how far each is. Called from one thread."""

    def start(self, phase: str, total: int, unit: str) -> None:
        """Begin a phase of `total` units (`bytes`, `annotations` or `label rows`); 0 where the total is not known."""

    def update(self, done: int) -> None:
        """Say how many units of the phase are done so far."""

    def end(self) -> None:
        """End the phase."""


class NoProgress:
    """Shows nothing."""

    def start(self, phase: str, total: int, unit: str) -> None:
        """Ignore the phase."""

    def update(self, done: int) -> None:
        """Ignore how far it is."""

    def end(self) -> None:
        """Ignore that it ends."""
