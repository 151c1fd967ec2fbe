"""The names of an ontology and the hashes that stand for them: objects, points, classifications, attributes, options.

Equal names are kept apart: all of it is lists, since an ontology may have two objects or options of one name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ropewalk.errors import SnapshotError
from ropewalk.project.snapshot import Snapshot
from ropewalk.project.templates import Template, Templates, points_of
from ropewalk.text import without_query

if TYPE_CHECKING:
    import encord

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListedOption:
    """An option of a radio or checklist attribute, with the three hashes that name it.

    Attributes:
        name: Its label.
        feature_hash: Of the classification or object that it belongs to.
        attribute_hash: Of the attribute that it is an option of.
        option_hash: Its own.
        archived: Whether it is no longer offered.
        attributes: Those nested below it.
    """

    name: str
    feature_hash: str
    attribute_hash: str
    option_hash: str
    archived: bool = False
    attributes: tuple[ListedAttribute, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedAttribute:
    """An attribute of an object or a classification.

    Attributes:
        name: Its name.
        type: `radio`, `checklist`, `text` or another that Encord has.
        feature_hash: Of the classification or object that it belongs to.
        attribute_hash: Its own.
        required: Whether the label editor asks for it.
        dynamic: Whether it may change from frame to frame.
        archived: Whether it is no longer offered.
        options: Its options.
    """

    name: str
    type: str
    feature_hash: str
    attribute_hash: str
    required: bool = False
    dynamic: bool = False
    archived: bool = False
    options: tuple[ListedOption, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedPoint:
    """A point of an object of shape `skeleton`."""

    name: str
    feature_hash: str


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object of an ontology; `shape` as Encord spells it, `points` of a skeleton in the order of its template."""

    name: str
    feature_hash: str
    shape: str
    archived: bool = False
    attributes: tuple[ListedAttribute, ...] = ()
    points: tuple[ListedPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedClassification:
    """A classification of an ontology; its name is that of its first attribute."""

    name: str
    feature_hash: str
    attributes: tuple[ListedAttribute, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedOntology:
    """The objects and classifications of an ontology, in its own order."""

    ontology_hash: str
    objects: tuple[ListedObject, ...]
    classifications: tuple[ListedClassification, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON types."""
        return asdict(self)

    def __str__(self) -> str:
        """Write the objects and classifications with their hashes, a line each."""
        return "\n".join("\t".join(row) for row in self._rows())

    def _repr_html_(self) -> str:
        from ropewalk.pages.page import table

        return table(("name", "shape", "feature_hash"), self._rows())

    def _rows(self) -> list[tuple[str, str, str]]:
        objects = [(item.name, item.shape, item.feature_hash) for item in self.objects]
        return objects + [(item.name, "classification", item.feature_hash) for item in self.classifications]

    def class_map(self) -> dict[str, str]:
        """Return the class map of an import: name -> feature hash of the objects whose name no other has."""
        names = Counter(item.name for item in self.objects)
        return {item.name: item.feature_hash for item in self.objects if names[item.name] == 1}

    def shared_names(self) -> list[str]:
        """List the names that several objects have, which a class map therefore lacks."""
        names = Counter(item.name for item in self.objects)
        return [name for name, n in names.items() if n > 1]


def list_ontology(project: encord.Project | Snapshot) -> ListedOntology:
    """List the names of a project's ontology with their hashes.

    Args:
        project: A project of the `encord` client, or a snapshot.

    Returns:
        Its objects and classifications.

    Raises:
        SnapshotError: The ontology is not as Encord writes one; says where.
        EncordError: Encord refused the request or could not be reached any more.
    """
    if isinstance(project, Snapshot):
        return _listed(project.ontology_hash, project.ontology_structure)
    from ropewalk.sinks.encord.connection import connected

    with connected(project) as (rows, _):
        return _listed(str(project.ontology_hash), rows.ontology(str(project.ontology_hash)))


def _listed(ontology_hash: str, structure: Json) -> ListedOntology:
    where = "skeleton_templates"
    try:
        templates = Templates(structure)
        objects, classifications = [], []
        for index, item in enumerate(structure.get("objects") or []):
            where = f"objects[{index}]"
            objects.append(_object(item, templates))
        for index, item in enumerate(structure.get("classifications") or []):
            where = f"classifications[{index}]"
            classifications.append(_classification(item))
    except (KeyError, TypeError, AttributeError, RecursionError) as e:
        raise SnapshotError(f"the ontology's {where} is not as Encord writes one ({e!r})") from e
    return ListedOntology(ontology_hash, tuple(objects), tuple(classifications))


def _object(item: Json, templates: Templates) -> ListedObject:
    feature_hash = item["featureNodeHash"]
    return ListedObject(
        name=without_query(item["name"]),
        feature_hash=feature_hash,
        shape=item["shape"],
        archived=bool(item.get("archived")),
        attributes=tuple(_attributes(item.get("attributes"), feature_hash)),
        points=tuple(_points(templates.of(item))),
    )


def _points(templates: list[Template]) -> Iterator[ListedPoint]:
    """List the points of a skeleton; none where it is not known which of several templates is its own."""
    for point in points_of(templates[0]) if len(templates) == 1 else ():
        yield ListedPoint(without_query(point["name"]), point.get("featureHash") or "")


def _classification(item: Json) -> ListedClassification:
    feature_hash = item["featureNodeHash"]
    attributes = tuple(_attributes(item.get("attributes"), feature_hash))
    return ListedClassification(attributes[0].name if attributes else "", feature_hash, attributes)


def _attributes(items: list[Json] | None, feature_hash: str) -> Iterator[ListedAttribute]:
    for item in items or []:
        attribute_hash = item["featureNodeHash"]
        yield ListedAttribute(
            name=without_query(item["name"]),
            type=item["type"],
            feature_hash=feature_hash,
            attribute_hash=attribute_hash,
            required=bool(item.get("required")),
            dynamic=bool(item.get("dynamic")),
            archived=bool(item.get("archived")),
            options=tuple(
                ListedOption(
                    name=without_query(option["label"]),
                    feature_hash=feature_hash,
                    attribute_hash=attribute_hash,
                    option_hash=option["featureNodeHash"],
                    archived=bool(option.get("archived")),
                    attributes=tuple(_attributes(option.get("options"), feature_hash)),
                )
                for option in item.get("options") or []
            ),
        )
