"""Class and media maps: JSON files that lead a source's names to what the project has."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ropewalk.errors import UsageError
from ropewalk.options import spelt
from ropewalk.project.snapshot import Snapshot
from ropewalk.text import shown

MapSource = str | os.PathLike[str] | Mapping[str, Any]

# JSON has no comments: members whose name begins so are not read.
COMMENT = "//"

# The member that says what becomes of names that the map does not list.
EVERY_OTHER = "*"
MATCH = "match"


@dataclass(frozen=True)
class ReadMap:
    """A map as the plan takes it.

    Attributes:
        entries: Names of the source -> what the project has, None to drop; None as a whole without a map.
        unlisted: What becomes of names that the map does not list: `reject`, `drop`, or `match` by name.
    """

    entries: dict[str, Any] | None
    unlisted: str = "reject"


NO_MAP = ReadMap(None)


def read_class_map(source: MapSource, project: Snapshot) -> ReadMap:
    """Read a class map: category id or name -> name or feature hash of an object, null to drop the class.

    `"*": null` drops the classes that the map does not list, `"*": "match"` matches them by name. Members that begin
    with `//` are comments. Encord Active's ontology_mapping.json (feature hash -> category id or name) is recognised by
    the side whose strings are feature hashes of the ontology, and turned round.

    Args:
        source: A JSON file, or its content.
        project: The project whose ontology has the objects.

    Returns:
        Category id (as text) or name -> feature hash of an ontology object, or None.

    Raises:
        UsageError: Not such a map, or a value is not an object of the ontology; names it.
    """
    where, entries, unlisted = _entries(source, spelt("class_map"))
    objects = project.ontology_structure.get("objects", [])
    hashes = {item["featureNodeHash"] for item in objects}
    strangers = [value for value in entries.values() if value is not None and value not in hashes]
    if strangers and all(key in hashes for key in entries):
        return ReadMap(_turned_round(entries, where), unlisted)
    names = _Names((item["name"], item["featureNodeHash"]) for item in objects)
    classifications = {item["featureNodeHash"] for item in project.ontology_structure.get("classifications", [])}
    for key, value in entries.items():
        if value is None or value in hashes:
            continue
        at = f"{where}: {_name(key)}"
        if value in classifications:
            raise UsageError(
                f"{at}: {_name(value)} is a classification; expected the name or feature hash of an object"
            )
        found = names.hash_of(value, at, "objects of the ontology")
        if found is None:
            raise UsageError(
                f"{at}: {_name(value)} is not a name or feature hash of the ontology; its objects are "
                + _listing(f"{item['name']} ({item['featureNodeHash']})" for item in objects)
            )
        entries[key] = found
    return ReadMap(entries, unlisted)


def read_media_map(source: MapSource, project: Snapshot) -> ReadMap:
    """Read a media map: image id or file name -> title, data_hash, or {"data_hash", "frame"}; null drops the medium.

    `"*"` and members that begin with `//` are as in a class map. A title may be that of an image in a group, or a path
    GROUP/SPACE. The id of a storage item, which a data row calls its backing_item_uuid, may replace a data_hash.

    Args:
        source: A JSON file, or its content.
        project: The project that has the media.

    Returns:
        The map as the plan takes it.

    Raises:
        UsageError: Not such a map, or a title, data_hash or frame that the project does not have; names it.
    """
    where, entries, unlisted = _entries(source, spelt("media_map"))
    frames = {medium.data_hash: medium.number_of_frames for medium in project.media}
    frames |= {space.space_id: space.number_of_frames for medium in project.media for space in medium.spaces}
    by_item = _media_by_item(project)
    images = {image.image_hash for medium in project.media for image in medium.images}
    titles = _Names(titled_media(project))
    for key, given in entries.items():
        at = f"{where}: {_name(key)}"
        value = _with_data_hash(given, by_item, at)
        if isinstance(value, str) and value not in frames and value not in images:
            value = titles.hash_of(value, at, "media") or value
        entries[key] = value
        if isinstance(value, str):
            if value not in frames and value not in images:
                raise UsageError(
                    f"{at}: {_name(value)} is not the title or data_hash of a medium of the project, or a space's id"
                )
        elif isinstance(value, dict) and set(value) == {"data_hash", "frame"}:
            data_hash, frame = value["data_hash"], value["frame"]
            if not isinstance(data_hash, str) or data_hash not in frames:
                raise UsageError(f"{at}: {_name(data_hash)} is not the data_hash of a medium of the project")
            if type(frame) is not int or not 0 <= frame < frames[data_hash]:
                raise UsageError(
                    f"{at}: frame {_name(frame)}: expected a whole number from 0 to {frames[data_hash] - 1}"
                )
        elif value is not None:
            raise UsageError(
                f'{at}: {_name(value)}: expected a title, a data_hash, {{"data_hash": ..., "frame": ...}}, or null'
            )
    return ReadMap(entries, unlisted)


def titled_media(project: Snapshot) -> Iterator[tuple[str, str]]:
    """List what a media map may lead to, by title: media, images of groups, and spaces by their path GROUP/SPACE."""
    for medium in project.media:
        if not medium.spaces:
            yield medium.title, medium.data_hash
        for image in medium.images:
            yield image.title, image.image_hash
        for space in medium.spaces:
            yield f"{medium.title}/{space.title}", space.space_id


class _Names:
    """Hashes by name; a name that only differs in letter case is found where it is one thing's alone."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._by_name: dict[str, list[str]] = {}
        self._caseless: dict[str, list[str]] = {}
        for name, feature_hash in pairs:
            self._by_name.setdefault(name, []).append(feature_hash)
            self._caseless.setdefault(name.casefold(), []).append(feature_hash)

    def hash_of(self, name: Any, at: str, what: str) -> str | None:
        if not isinstance(name, str):
            return None
        found = self._by_name.get(name) or self._caseless.get(name.casefold(), [])
        if len(found) > 1:
            raise UsageError(f"{at}: {_name(name)} is the name of {len(found)} {what}; give a hash: {_listing(found)}")
        return found[0] if found else None


def _media_by_item(project: Snapshot) -> dict[str, list[str]]:
    by_item: dict[str, list[str]] = {}
    for medium in project.media:
        if medium.backing_item_uuid is not None:
            by_item.setdefault(medium.backing_item_uuid, []).append(medium.data_hash)
    return by_item


def _with_data_hash(value: Any, by_item: Mapping[str, list[str]], at: str) -> Any:
    """Put the data_hash of its medium in the place of a storage item's id."""
    if isinstance(value, dict):
        inner = value.get("data_hash")
        return value | {"data_hash": _with_data_hash(inner, by_item, at)} if isinstance(inner, str) else value
    media = by_item.get(value, []) if isinstance(value, str) else []
    if len(media) > 1:
        raise UsageError(
            f"{at}: {_name(value)} is the storage item of {len(media)} media of the project; give a data_hash"
        )
    return media[0] if media else value


def _turned_round(entries: dict[str, Any], where: str) -> dict[str, str | None]:
    by_class: dict[str, str | None] = {}
    for feature_hash, value in entries.items():
        if type(value) not in (str, int):
            raise UsageError(f"{where}: {feature_hash}: {_name(value)}: expected a category id or name")
        if str(value) in by_class:
            raise UsageError(f"{where}: {by_class[str(value)]} and {feature_hash} are both for category {_name(value)}")
        by_class[str(value)] = feature_hash
    return by_class


def _entries(source: MapSource, option: str) -> tuple[str, dict[str, Any], str]:
    """Give what the map is called in messages, its members without comments, and what becomes of other names."""
    if isinstance(source, Mapping):
        where = option
        entries = {str(key): value for key, value in source.items() if not str(key).startswith(COMMENT)}
    else:
        where = f"{option} {shown(os.fspath(source))}"
        entries = _load(Path(source), where)
    unlisted = "reject"
    if EVERY_OTHER in entries and entries[EVERY_OTHER] in (None, MATCH):
        unlisted = "drop" if entries.pop(EVERY_OTHER) is None else "match"
    for key, value in entries.items():
        if isinstance(value, (list, float, bool)):
            raise UsageError(f"{where}: {_name(key)}: {_name(value)} cannot be in a map")
    return where, entries, unlisted


def _load(path: Path, where: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs = [pair for pair in pairs if not pair[0].startswith(COMMENT)]
        entries = dict(pairs)
        if len(entries) != len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise UsageError(f"{where}: {_name(twice)} appears twice")
        return entries

    try:
        document = json.loads(path.read_bytes(), object_pairs_hook=unique)
    except OSError as e:
        raise UsageError(f"{where}: {e.strerror}") from e
    except json.JSONDecodeError as e:
        raise UsageError(f"{where}: not valid JSON at line {e.lineno}, column {e.colno}: {e.msg}") from e
    except UnicodeDecodeError as e:
        raise UsageError(f"{where}: not UTF-8 at byte {e.start}") from e
    except RecursionError as e:
        raise UsageError(f"{where}: nested too deeply for a map") from e
    if not isinstance(document, dict):
        raise UsageError(f"{where}: expected a JSON object of names and hashes, found {_name(document)}")
    return document


def _name(value: Any) -> str:
    return shown(value if isinstance(value, str) else json.dumps(value), 80)


def _listing(names: Any) -> str:
    names = [shown(name, 80) for name in names]
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
