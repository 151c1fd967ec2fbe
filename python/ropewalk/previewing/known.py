"""What a project tells about its media and classes, by the names that a preview shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ropewalk.project.snapshot import Medium, Snapshot
from ropewalk.project.templates import Templates
from ropewalk.text import without_query

SizeWh = tuple[int, int]
Edges = list[tuple[int, int]]


@dataclass(frozen=True)
class Known:
    """Names, sizes and skeletons of a project; empty without one.

    Attributes:
        media: data_hash -> name on the page, which no other medium has.
        by_name: Name on the page -> medium.
        classes: Feature hash -> name of the object, with its feature hash where several share the name.
        edges: Name of the object -> pairs of places of points that an edge joins.
    """

    media: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, Medium] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    edges: Mapping[str, Edges] = field(default_factory=dict)

    def size(self, medium: str, frame: int) -> SizeWh | None:
        """Give the width and height of a frame in px, None where they are not known."""
        found = self.by_name.get(medium)
        if found is None:
            return None
        unit = found.images[frame] if 0 <= frame < len(found.images) else found
        return (unit.width, unit.height) if unit.width and unit.height else None

    def title(self, medium: str, frame: int) -> str:
        """Give what the file of a frame is called: of an image group the image's title."""
        found = self.by_name.get(medium)
        if found is None:
            return medium
        return without_query(found.images[frame].title if 0 <= frame < len(found.images) else found.title)


def known_of(project: Snapshot | None) -> Known:
    """Take what a preview needs out of a project."""
    if project is None:
        return Known()
    media = _distinct({medium.data_hash: without_query(medium.title) for medium in project.media})
    objects = project.ontology_structure.get("objects") or []
    classes = _distinct({item["featureNodeHash"]: without_query(item["name"]) for item in objects})
    templates = Templates(project.ontology_structure)
    edges = {classes[item["featureNodeHash"]]: _edges(templates.of(item)) for item in objects}
    return Known(
        media=media,
        by_name={media[medium.data_hash]: medium for medium in project.media},
        classes=classes,
        edges={name: found for name, found in edges.items() if found},
    )


def _distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Put the hash behind names that are shared."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def _edges(templates: list[Mapping[str, Any]]) -> Edges:
    # With several templates it is not known which of them an object has.
    listed = (templates[0].get("skeletonEdges") or {}) if len(templates) == 1 else {}
    return [(int(first), int(second)) for first, others in listed.items() for second in others]
