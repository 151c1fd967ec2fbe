"""Which media of a project predictions may be matched with, and by what: datasets, workflow stages, and media keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any

from ropewalk.errors import UsageError
from ropewalk.options import spelt
from ropewalk.project.options import PlanOptions
from ropewalk.project.snapshot import Medium, Snapshot
from ropewalk.text import shown

TITLE = "title"
_METADATA = "client_metadata."
_NAMES_SHOWN = 10


def narrowed(project: Snapshot, options: PlanOptions) -> Snapshot:
    """Keep the media of the datasets and workflow stages that the options name.

    Raises:
        UsageError: No medium is in such a dataset or stage; names those that exist.
    """
    keep = [True] * len(project.media)
    if options.dataset:
        datasets = [(medium.dataset_title, medium.dataset_hash) for medium in project.media]
        keep = _both(keep, _meant("dataset", options.dataset, datasets))
    if options.stage:
        stages = [(medium.stage, medium.stage_uuid) for medium in project.media]
        keep = _both(keep, _meant("stage", options.stage, stages))
    return project if all(keep) else replace(project, media=tuple(compress(project.media, keep)))


def asks_metadata(media_key: str) -> bool:
    """Tell whether a media key needs the client metadata of the media.

    Raises:
        UsageError: It is not a media key.
    """
    if media_key == TITLE:
        return False
    if not media_key.startswith(_METADATA) or media_key == _METADATA:
        raise UsageError(
            f"{spelt('media_key')} is {shown(media_key)}; expected {TITLE}, or {_METADATA}KEY with a key of the client "
            "metadata"
        )
    return True


def keys_of(media: Sequence[Medium], media_key: str) -> list[str | None]:
    """List what the media are matched by, besides their hashes: None where that is the title.

    A medium whose client metadata lacks the key, or holds neither text nor a whole number there, is found by its
    data_hash alone.

    Raises:
        UsageError: It is not a media key, or no medium has it; names keys that exist.
    """
    if not asks_metadata(media_key):
        return [None] * len(media)
    key = media_key.removeprefix(_METADATA)
    found = [_text(_value(medium.client_metadata or {}, key)) for medium in media]
    if media and all(value is None for value in found):
        known = _listing(name for medium in media for name in medium.client_metadata or {})
        raise UsageError(
            f"{spelt('media_key')}: no medium has a text or whole number as {shown(key)} in its client metadata; "
            f"keys that exist: {known}"
        )
    return [medium.data_hash if value is None else value for medium, value in zip(media, found, strict=True)]


def _meant(option: str, wanted: Sequence[str], names: Sequence[tuple[str | None, str | None]]) -> list[bool]:
    """Tell which media, each by the title and the hash of what it is in, are in one of those wanted."""
    strangers = set(wanted).difference(*names)
    if strangers:
        known = _listing(title for title, _ in names if title)
        raise UsageError(
            f"{spelt(option)}: no medium of the project is in the {option} {shown(min(strangers))}; it has {known}"
        )
    return [not set(wanted).isdisjoint(of) for of in names]


def _both(first: Sequence[bool], second: Sequence[bool]) -> list[bool]:
    return [a and b for a, b in zip(first, second, strict=True)]


def _value(metadata: Mapping[str, Any], key: str) -> Any:
    """Look up a key, or a path of keys with points between them."""
    if key in metadata:
        return metadata[key]
    first, _, rest = key.partition(".")
    below = metadata.get(first)
    return _value(below, rest) if rest and isinstance(below, dict) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if type(value) is int else None


def _listing(names: Iterable[str]) -> str:
    distinct = sorted(set(names))
    left = len(distinct) - _NAMES_SHOWN
    return (", ".join(map(shown, distinct[:_NAMES_SHOWN])) or "none") + (f" and {left} more" if left > 0 else "")
