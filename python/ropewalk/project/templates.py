"""Skeleton templates of an ontology: which one an object's points are of.

The label editor links an object and its template by a common hash. Ontologies made by hand give them one name. Others
link them by nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ropewalk.errors import UsageError
from ropewalk.options import spelt
from ropewalk.text import shown

Template = Mapping[str, Any]


class Templates:
    """The templates of an ontology.

    Args:
        structure: The ontology, as the server has it: the SDK keeps templates by name and loses those of equal names.
        chosen: `CLASS=TEMPLATE` for objects that nothing links; each side is a name or a feature hash.

    Raises:
        UsageError: A choice is not of that form, or names an unknown skeleton or template; lists those that exist.
    """

    def __init__(self, structure: Mapping[str, Any], chosen: Sequence[str] = ()) -> None:
        self._templates: list[Template] = [item["template"] for item in structure.get("skeleton_templates") or []]
        skeletons = [item for item in structure.get("objects") or [] if item["shape"] == "skeleton"]
        self._chosen: dict[str, Template] = {}
        for choice in chosen:
            self._choose(choice, skeletons)

    def of(self, item: Mapping[str, Any]) -> list[Template]:
        """List the templates that an object may have: one where it is known, else all that it could be."""
        if item["shape"] != "skeleton":
            return []
        if item["featureNodeHash"] in self._chosen:
            return [self._chosen[item["featureNodeHash"]]]
        by_hash = [found for found in self._templates if _hash(found) == item["featureNodeHash"]]
        by_name = [found for found in self._templates if found.get("name") == item["name"]]
        distinct: list[Template] = []
        for found in by_hash or by_name or self._templates:
            if all(found["skeleton"] != other["skeleton"] for other in distinct):
                distinct.append(found)
        return distinct

    def _choose(self, choice: str, skeletons: Sequence[Mapping[str, Any]]) -> None:
        name, equals, template = choice.partition("=")
        where = f"{spelt('skeleton_template')} {shown(choice)}"
        if not equals:
            raise UsageError(f"{where}: expected CLASS=TEMPLATE")
        items = [item for item in skeletons if name in (item["name"], item["featureNodeHash"])]
        if not items:
            known = ", ".join(shown(item["name"]) for item in skeletons) or "none"
            raise UsageError(f"{where}: the ontology has no skeleton {shown(name)}; it has {known}")
        found = [item for item in self._templates if template in (item.get("name"), _hash(item))]
        if len(found) != 1:
            known = (
                ", ".join(f"{shown(str(item.get('name')))} ({_hash(item) or 'no hash'})" for item in self._templates)
                or "none"
            )
            how_many = "several templates" if found else "no template"
            raise UsageError(f"{where}: the ontology has {how_many} {shown(template)}; its templates are {known}")
        self._chosen |= {item["featureNodeHash"]: found[0] for item in items}


def points_of(template: Template) -> list[Mapping[str, Any]]:
    """List the points of a template in its order, which its keys tell."""
    return [point for _, point in sorted(template["skeleton"].items(), key=lambda item: int(item[0]))]


def _hash(template: Template) -> str | None:
    return template.get("feature_node_hash") or template.get("featureNodeHash")
