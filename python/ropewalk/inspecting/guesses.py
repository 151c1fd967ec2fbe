"""Class and media maps made for a source: its names on the left, the best guess on the right, to be edited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ropewalk.inspecting.inspection import InspectedClass, InspectedMedium, Inspection
from ropewalk.nearest import SURE, nearest
from ropewalk.project.maps import COMMENT, EVERY_OTHER, MATCH, titled_media
from ropewalk.project.narrowing import narrowed
from ropewalk.project.plan import plan_of
from ropewalk.text import count, without_query

if TYPE_CHECKING:
    from ropewalk.project.options import PlanOptions
    from ropewalk.project.snapshot import Snapshot

_HEAD = "Left: names of the source. Right: a name or hash of the project, or null to drop. Lines with // are comments."
_REST = f'What is not listed: "{MATCH}" matches it by name, null drops it. Without this line it is rejected.'


def class_map_for(inspection: Inspection, project: Snapshot) -> dict[str, Any]:
    """Make a class map.

    Args:
        inspection: What the source holds.
        project: The project whose ontology has the objects.

    Returns:
        A map for `--class-map`: the source's classes, most frequent first, with the name of the nearest object; its
        feature hash where several have the name; None where none is near enough. Near misses are comments.
    """
    objects = project.ontology_structure.get("objects", [])
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for item in objects:
        by_name.setdefault(item["name"], []).append(item)
    lines: dict[str, Any] = {COMMENT: _HEAD}
    for found in _classes(inspection):
        near = nearest(found.name, by_name)
        value = _sure(near)
        others = [name for name, _ in near if name != value]
        notes = [count(found.annotations, "annotation")]
        if value is not None and len(by_name[value]) > 1:
            hashes = {item["featureNodeHash"]: item["shape"] for item in by_name[value]}
            of_shape = [each for each, shape in hashes.items() if shape in found.shapes]
            several = ", ".join(f"{each} ({shape})" for each, shape in hashes.items())
            notes.append(f"several objects are named {value}: {several}")
            value = of_shape[0] if len(of_shape) == 1 else None
        _add(lines, found.name, value, notes, others)
    return _ended(lines)


def media_map_for(inspection: Inspection, project: Snapshot, rules: PlanOptions) -> dict[str, Any]:
    """Make a media map.

    Args:
        inspection: What the source holds.
        project: The project that has the media.
        rules: How an import matches media by name; what it matches so is the guess.

    Returns:
        A map for `--media-map`, in the order of the source: titles, or data_hashes where several media have the title;
        None where no title is near enough. Near misses are comments. Names that an import reads as frames of a video
        are left to `"*": "match"`.

    Raises:
        UsageError: A map among the rules does not fit the project.
    """
    project = narrowed(project, rules)
    media = list(_media(inspection))
    found = plan_of(project, "map", rules).find_media([medium.name for medium in media])
    pairs = list(titled_media(project))
    titles = Counter(title for title, _ in pairs)
    lines: dict[str, Any] = {COMMENT: _HEAD}
    for medium, (index, image, frame, _) in zip(media, found, strict=True):
        if frame is not None:
            continue
        notes = [count(medium.annotations, "annotation")]
        if index is not None and index < len(project.media):
            own = project.media[index]
            title, data_hash = own.title, own.data_hash
            if image is not None:
                title, data_hash = own.images[image].title, own.images[image].image_hash
            known = titles[title] == 1 and title == without_query(title)
            _add(lines, medium.name, title if known else data_hash, notes, ())
            continue
        near = nearest(medium.name, (title for title in titles if title == without_query(title)))
        value = _sure(near)
        if value is not None and titles[value] > 1:
            value = None
        _add(lines, medium.name, value, notes, [name for name, _ in near if name != value])
    return _ended(lines)


def _classes(inspection: Inspection) -> list[InspectedClass]:
    """List the classes of all formats, each name once, most frequent first."""
    shapes: dict[str, Counter[str]] = {}
    for of in inspection.formats:
        for item in of.classes:
            shapes.setdefault(item.name, Counter()).update(item.shapes)
    found = [InspectedClass(name, dict(counts)) for name, counts in shapes.items()]
    return sorted(found, key=lambda item: (-item.annotations, item.name))


def _media(inspection: Inspection) -> Iterable[InspectedMedium]:
    by_name: dict[str, InspectedMedium] = {}
    for of in inspection.formats:
        for medium in of.media:
            by_name.setdefault(medium.name, medium)
    return by_name.values()


def _sure(near: Sequence[tuple[str, float]]) -> str | None:
    """Give the nearest name, if it is near enough and no other is as near."""
    if not near or near[0][1] < SURE or (len(near) > 1 and near[1][1] == near[0][1]):
        return None
    return near[0][0]


def _add(lines: dict[str, Any], name: str, value: str | None, notes: list[str], others: Sequence[str]) -> None:
    # Such a name would be read as a comment; what is not listed is matched by name.
    if name.startswith(COMMENT) or name == EVERY_OTHER:
        return
    if others:
        notes.append(f"near: {', '.join(others)}")
    elif value is None and len(notes) == 1:
        notes.append("nothing is near")
    lines[name] = value
    lines[f"{COMMENT} {name}"] = "; ".join(notes)


def _ended(lines: dict[str, Any]) -> dict[str, Any]:
    return lines | {f"{COMMENT} {EVERY_OTHER}": _REST, EVERY_OTHER: MATCH}
