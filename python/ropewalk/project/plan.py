"""The plan: the project, the maps and the options for the core (`rust/core/src/plan.rs`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ropewalk.options import fields_of
from ropewalk.project.maps import NO_MAP, read_class_map, read_media_map
from ropewalk.project.narrowing import keys_of
from ropewalk.project.options import PlanOptions
from ropewalk.project.snapshot import Medium, Snapshot
from ropewalk.project.spaces import ROOT_SPACE_ID, Space, space_info
from ropewalk.project.templates import Template, Templates, points_of

if TYPE_CHECKING:
    from ropewalk._core import Plan

# What these say is in the ontology and the media that the core gets.
_ONLY_HERE = ("skeleton_template", "media_key", "dataset", "stage")

ATTRIBUTE_KINDS = ("radio", "checklist", "text", "numeric")


def plan_of(project: Snapshot, branch: str, options: PlanOptions) -> Plan:
    """Build the plan of an import.

    Args:
        project: Ontology and media.
        branch: Branch to write on, checked before.
        options: Maps and rules.

    Raises:
        UsageError: A map does not fit the project.
    """
    from ropewalk import _core

    media = project.media
    keys = keys_of(media, options.media_key)
    return _core.Plan(rules_json(project, branch, options), media, keys, _spaces(media))


def rules_json(project: Snapshot, branch: str, options: PlanOptions) -> str:
    """Write the plan without its media as JSON; arguments and errors are those of `plan_of`."""
    rules = {name: getattr(options, name) for name in fields_of(PlanOptions) if name not in _ONLY_HERE}
    classes = media = NO_MAP
    if options.class_map is not None:
        classes = read_class_map(options.class_map, project)
    if options.media_map is not None:
        media = read_media_map(options.media_map, project)
    maps = {
        "class_map": classes.entries,
        "unlisted_classes": classes.unlisted,
        "media_map": media.entries,
        "unlisted_media": media.unlisted,
    }
    return json.dumps(
        {
            "branch": branch,
            "ontology": _ontology_objects(
                project.ontology_structure, Templates(project.ontology_structure, options.skeleton_template or ())
            ),
            "classifications": [
                {
                    "feature_hash": item["featureNodeHash"],
                    "attributes": _attributes(item),
                    "is_global": item.get("level") == "global",
                }
                for item in project.ontology_structure.get("classifications", [])
            ],
            **rules,
            **maps,
        },
        allow_nan=False,
    )


def _ontology_objects(structure: Mapping[str, Any], templates: Templates) -> list[dict[str, Any]]:
    return [
        {
            "feature_hash": item["featureNodeHash"],
            "name": item["name"],
            "color": item.get("color") or "#D33115",
            "shape": item["shape"],
            "attributes": _attributes(item),
            **_skeleton(templates.of(item)),
        }
        for item in structure.get("objects", [])
    ]


def _skeleton(templates: list[Template]) -> dict[str, Any]:
    """Give the points of an object's template, or the templates among which the number of points decides."""
    rendered = [
        {"name": str(template.get("name")), "points": [_point(point) for point in points_of(template)]}
        for template in templates
    ]
    if len(rendered) > 1:
        return {"skeleton": [], "templates": rendered}
    return {"skeleton": rendered[0]["points"] if rendered else [], "templates": []}


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": point["name"],
        "color": point.get("color"),
        "value": point.get("value"),
        "feature_hash": point.get("featureHash") or point.get("feature_hash"),
    }


def _attributes(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "feature_hash": attribute["featureNodeHash"],
            "name": attribute["name"],
            "kind": attribute["type"],
            "dynamic": bool(attribute.get("dynamic", False)),
            "options": [
                {
                    "feature_hash": option["featureNodeHash"],
                    "label": option["label"],
                    "value": option["value"],
                    # What is asked once an option is chosen stands below it under the name of options, too.
                    "attributes": [] if attribute["type"] == "checklist" else _attributes_below(option),
                }
                for option in attribute.get("options") or []
            ],
        }
        for attribute in item.get("attributes") or []
        # A kind of question that is not known here cannot be answered; whoever tries is told so.
        if attribute["type"] in ATTRIBUTE_KINDS
    ]


def _attributes_below(option: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _attributes({"attributes": option.get("options")})


def _spaces(media: Sequence[Medium]) -> list[tuple[Medium, int, str | None, str]]:
    """List the spaces of all data groups: as a medium, with the group's number, the layout key and the wire's words."""
    return [
        (_medium_of(space, group), index, space.layout_key, json.dumps(space_info(space)))
        for index, group in enumerate(media)
        for space in group.spaces
        if space.space_id != ROOT_SPACE_ID
    ]


def _medium_of(space: Space, group: Medium) -> Medium:
    return Medium(
        data_hash=space.space_id,
        title=space.title,
        data_type=space.data_type,
        dataset_hash=group.dataset_hash,
        dataset_title=group.dataset_title,
        width=space.width,
        height=space.height,
        number_of_frames=space.number_of_frames,
        frames_per_second=space.frames_per_second,
        duration=space.duration,
    )
