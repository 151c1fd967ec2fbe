"""The plan: the project, the maps and the options as one JSON text for the core (`rust/core/src/plan.rs`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ropewalk.options import fields_of
from ropewalk.project.maps import read_class_map, read_media_map
from ropewalk.project.options import PlanOptions
from ropewalk.project.snapshot import Medium, Snapshot

ATTRIBUTE_KINDS = ("radio", "checklist", "text", "numeric")


def plan_json(project: Snapshot, branch: str, options: PlanOptions) -> str:
    """Build the plan of an import.

    Args:
        project: Ontology and media.
        branch: Branch to write on, checked before.
        options: Maps and rules.

    Returns:
        JSON text that the core reads.

    Raises:
        UsageError: A map does not fit the project.
    """
    rules = {name: getattr(options, name) for name in fields_of(PlanOptions)}
    maps = {
        "class_map": None if options.class_map is None else read_class_map(options.class_map, project),
        "media_map": None if options.media_map is None else read_media_map(options.media_map, project),
    }
    return json.dumps(
        {
            "branch": branch,
            "ontology": _ontology_objects(project.ontology_structure),
            "classifications": [
                {
                    "feature_hash": item["featureNodeHash"],
                    "attributes": _attributes(item),
                    "is_global": item.get("level") == "global",
                }
                for item in project.ontology_structure.get("classifications", [])
            ],
            "media": [medium_fields(medium) for medium in project.media],
            **rules,
            **maps,
        },
        allow_nan=False,
    )


def _ontology_objects(structure: Mapping[str, Any]) -> list[dict[str, Any]]:
    templates = [item["template"] for item in structure.get("skeleton_templates", [])]
    # The label editor links a skeleton and its template by the hash; ontologies made by hand have them share a name.
    by_hash = {template["feature_node_hash"]: template for template in templates if template.get("feature_node_hash")}
    by_name = {template["name"]: template for template in templates}
    return [
        {
            "feature_hash": item["featureNodeHash"],
            "name": item["name"],
            "color": item.get("color") or "#D33115",
            "shape": item["shape"],
            "attributes": _attributes(item),
            "skeleton": _skeleton(by_hash.get(item["featureNodeHash"]) or by_name.get(item["name"]))
            if item["shape"] == "skeleton"
            else [],
        }
        for item in structure.get("objects", [])
    ]


def _skeleton(template: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    points = {} if template is None else template["skeleton"]
    return [
        {
            "name": point["name"],
            "color": point.get("color"),
            "value": point.get("value"),
            "feature_hash": point.get("featureHash") or point.get("feature_hash"),
        }
        for _, point in sorted(points.items(), key=lambda item: int(item[0]))
    ]


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


def medium_fields(medium: Medium) -> dict[str, Any]:
    return {
        "data_hash": medium.data_hash,
        "title": medium.title,
        "data_type": medium.data_type.lower(),
        "file_type": medium.file_type,
        "dataset_hash": medium.dataset_hash,
        "dataset_title": medium.dataset_title,
        "width": medium.width,
        "height": medium.height,
        "frames": medium.number_of_frames,
        "fps": medium.frames_per_second,
        "duration": medium.duration,
        "audio": {
            "codec": medium.audio_codec,
            "sample_rate": medium.audio_sample_rate,
            "bit_depth": medium.audio_bit_depth,
            "num_channels": medium.audio_num_channels,
        },
        "units": [
            {
                "data_hash": image.image_hash,
                "title": image.title,
                "file_type": image.file_type,
                "width": image.width,
                "height": image.height,
            }
            for image in medium.images
        ],
    }
