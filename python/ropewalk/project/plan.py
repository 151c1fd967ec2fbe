"""The plan: the project, the maps and the options as one JSON text for the core (`rust/core/src/plan.rs`)."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ropewalk.errors import UsageError
from ropewalk.project.maps import read_class_map, read_media_map
from ropewalk.project.snapshot import Medium, Snapshot

MEDIA_FROM = ("auto", "file_name", "stem")
FRAME_FROM = ("auto", "image_id")
OFF_IMAGE = ("clip", "keep", "reject")
ATTRIBUTE_KINDS = ("radio", "checklist", "text", "numeric")


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """How the names, frames and geometries of a source become those of the project.

    `class_map` and `media_map` are files or their content; `min_confidence` is 0..1, `simplify_px` in px, `every` in
    frames. `decimals` are those of coordinates (fractions of the frame) and angles. `frame_base` and `frame_stride` are
    those of the source's format where None; sources are read by them.
    """

    class_map: str | os.PathLike[str] | Mapping[str, Any] | None = None
    media_map: str | os.PathLike[str] | Mapping[str, Any] | None = None
    media_from: str = "auto"
    frame_from: str = "auto"
    frame_pattern: str | None = None
    frame_base: int | None = None
    frame_stride: int | None = None
    min_confidence: float | None = None
    off_image: str = "clip"
    only_classes: tuple[str, ...] = ()
    only_media: tuple[str, ...] = ()
    limit_rows: int | None = None
    simplify_px: float | None = None
    every: int | None = None
    max_per_frame: int | None = None
    decimals: int | None = None

    def __post_init__(self) -> None:
        for name in ("only_classes", "only_media"):
            # One name is easily given without a list; a str would be read as its letters.
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, (getattr(self, name),))
        _one_of("--media-from", self.media_from, MEDIA_FROM)
        _one_of("--frame-from", self.frame_from, FRAME_FROM)
        _one_of("--off-image", self.off_image, OFF_IMAGE)
        if self.frame_stride is not None and self.frame_stride < 1:
            raise UsageError(f"--frame-stride is {self.frame_stride}; expected a whole number of at least 1")
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise UsageError(f"--min-confidence is {self.min_confidence}; expected a number from 0 to 1")
        for option in ("limit_rows", "every", "max_per_frame"):
            number = getattr(self, option)
            if number is not None and number < 1:
                name = option.replace("_", "-")
                raise UsageError(f"--{name} is {number}; expected a whole number of at least 1")
        if self.decimals is not None and not 0 <= self.decimals <= 17:
            raise UsageError(f"--decimals is {self.decimals}; expected a whole number from 0 to 17")
        if self.simplify_px is not None and not (self.simplify_px >= 0 and math.isfinite(self.simplify_px)):
            raise UsageError(f"--simplify is {self.simplify_px}; expected a number of px of at least 0")


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
    return json.dumps(
        {
            "branch": branch,
            "ontology": _ontology_objects(project.ontology_structure),
            "classifications": [
                {"feature_hash": item["featureNodeHash"], "attributes": _attributes(item)}
                for item in project.ontology_structure.get("classifications", [])
            ],
            "media": [_medium(medium) for medium in project.media],
            "class_map": None if options.class_map is None else read_class_map(options.class_map, project),
            "media_map": None if options.media_map is None else read_media_map(options.media_map, project),
            "media_from": options.media_from,
            "frame_from": options.frame_from,
            "frame_pattern": options.frame_pattern,
            "min_confidence": options.min_confidence,
            "off_image": options.off_image,
            "only_classes": list(options.only_classes) or None,
            "only_media": list(options.only_media) or None,
            "limit_rows": options.limit_rows,
            "simplify_px": options.simplify_px,
            "every": options.every,
            "max_per_frame": options.max_per_frame,
            "decimals": options.decimals,
        },
        allow_nan=False,
    )


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{option} is {value!r}; expected one of {', '.join(allowed)}")


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


def _medium(medium: Medium) -> dict[str, Any]:
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
