"""The options of `inspect` and `map`."""

from __future__ import annotations

from dataclasses import dataclass

from ropewalk.project.options import MediaOptions
from ropewalk.reading.options import ReadOptions


@dataclass(frozen=True, kw_only=True)
class InspectOptions(ReadOptions, MediaOptions):
    """How sources are read, and how their media are matched with those of a project."""
