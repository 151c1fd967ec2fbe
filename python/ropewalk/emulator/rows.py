"""The shapes Encord answers with: a listing's entry for a data row, and a label row with its data units."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ropewalk.project.snapshot import Medium, Snapshot
from ropewalk.project.spaces import listed_space

# Labels stand below a frame number for these, and directly in the data unit for images.
FRAME_TYPES = frozenset({"VIDEO", "DICOM", "NIFTI", "PDF"})
# Labels are on its spaces.
GROUP_TYPES = frozenset({"GROUP"})
IMAGE_TYPES = frozenset({"IMAGE", "IMG_GROUP"})
# Labels of these stand in the answers only.
RANGE_TYPES = frozenset({"AUDIO", "TIME_SERIES", "PLAIN_TEXT"})
LABEL_TYPES = FRAME_TYPES | IMAGE_TYPES | RANGE_TYPES | GROUP_TYPES


@dataclass(frozen=True)
class RowHeader:
    """What a listing says of a label row; `saves` counts how often it was saved, times are UTC."""

    label_hash: str
    data_hash: str
    branch_name: str
    created_at: datetime
    last_edited_at: datetime
    saves: int


def long_time(moment: datetime) -> str:
    """Write a time as label rows have it: `Sat, 21 Nov 2026 23:48:11 UTC`."""
    return moment.astimezone(timezone.utc).strftime("%a, %d %b %Y %H:%M:%S UTC")


def short_time(moment: datetime) -> str:
    """Write a time as listings have it: `2026-11-21 23:48:11`, UTC."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def data_link(data_hash: str) -> str:
    """Name a data unit's file; no URL, since the emulator has no files."""
    return f"ropewalk-emulator/{data_hash}"


_ONLY_STAGE = "Annotate 1"


def stage_of(medium: Medium, snapshot: Snapshot) -> dict[str, str]:
    """Give the workflow stage of a data row's label rows; all are in one where the snapshot does not say."""
    title = medium.stage or _ONLY_STAGE
    return {"uuid": medium.stage_uuid or str(uuid.uuid5(uuid.UUID(snapshot.project_hash), title)), "title": title}


def stages_of(snapshot: Snapshot) -> list[dict[str, str]]:
    """List the workflow stages of a project."""
    stages = (stage_of(medium, snapshot) for medium in snapshot.media)
    return list({stage["uuid"]: stage for stage in stages}.values())


def listing_entry(
    medium: Medium,
    branch_name: str,
    header: RowHeader | None,
    *,
    images_data: bool,
    image_sizes: bool,
    workflow_graph_node: dict[str, str] | None,
    client_metadata: bool = False,
) -> dict[str, Any]:
    """Build a listing's entry for one data row on one branch.

    Args:
        medium: The data row.
        branch_name: The branch the entry is for.
        header: The label row on that branch, None if it has not been created.
        images_data: Whether an image group lists its images.
        image_sizes: Whether single images have their size (px) in a listing.
        workflow_graph_node: The workflow stage of the row.
        client_metadata: Whether the entry has the client metadata.
    """
    sized = image_sizes or medium.data_type != "IMAGE"
    return {
        "label_hash": header.label_hash if header else None,
        "created_at": short_time(header.created_at) if header else None,
        "last_edited_at": short_time(header.last_edited_at) if header else None,
        "branch_name": branch_name,
        "data_hash": medium.data_hash,
        "data_title": medium.title,
        "data_type": medium.data_type,
        "data_link": None if medium.data_type in ("IMG_GROUP", "DICOM", "GROUP") else data_link(medium.data_hash),
        "dataset_hash": medium.dataset_hash,
        "dataset_title": medium.dataset_title,
        "label_status": "LABEL_IN_PROGRESS" if header else "NOT_LABELLED",
        "annotation_task_status": "QUEUED",
        "workflow_graph_node": workflow_graph_node,
        "client_metadata": (medium.client_metadata or {}) if client_metadata else None,
        "is_shadow_data": False,
        "is_valid": True,
        "number_of_frames": medium.number_of_frames,
        "frames_per_second": medium.frames_per_second,
        "duration": medium.duration,
        "width": medium.width if sized else None,
        "height": medium.height if sized else None,
        "audio_codec": medium.audio_codec,
        "audio_sample_rate": medium.audio_sample_rate,
        "audio_bit_depth": medium.audio_bit_depth,
        "audio_num_channels": medium.audio_num_channels,
        "file_type": medium.file_type,
        "backing_item_uuid": medium.backing_item_uuid,
        "spaces": {space.space_id: listed_space(space) for space in medium.spaces},
        "images_data": _images_data(medium) if images_data and medium.data_type == "IMG_GROUP" else None,
    }


def _images_data(medium: Medium) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "title": image.title,
            "file_type": image.file_type,
            "width": image.width,
            "height": image.height,
            "image_hash": image.image_hash,
        }
        for index, image in enumerate(medium.images)
    ]


def empty_label_row(medium: Medium, header: RowHeader) -> dict[str, Any]:
    """Build a label row without labels, as Encord answers a create with."""
    row = {
        "object_answers": {},
        "classification_answers": {},
        "object_actions": {},
        "data_units": _data_units(medium),
        "spaces": {},
    }
    return with_server_header(row, header, medium)


def with_server_header(row: dict[str, Any], header: RowHeader, medium: Medium) -> dict[str, Any]:
    """Give a label row the header fields that belong to the server, whatever was sent in their place."""
    server = {
        "label_hash": header.label_hash,
        "branch_name": header.branch_name,
        "created_at": long_time(header.created_at),
        "last_edited_at": long_time(header.last_edited_at),
        "data_hash": medium.data_hash,
        "dataset_hash": medium.dataset_hash,
        "dataset_title": medium.dataset_title,
        "data_title": medium.title,
        "data_type": medium.data_type.lower(),
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "label_status": "LABEL_IN_PROGRESS",
        "is_valid": True,
    }
    sent = {key: value for key, value in row.items() if key not in server}
    return {**server, **sent, "spaces": _spaces(sent.get("spaces") or {}, medium)}


def _spaces(sent: dict[str, Any], medium: Medium) -> dict[str, Any]:
    """Give the spaces of a data group what the server knows of them, and the labels that were sent."""
    known = {space.space_id: listed_space(space) for space in medium.spaces}
    return {
        **sent,
        **{
            space_id: {**info, "labels": (sent.get(space_id) or {}).get("labels") or {}}
            for space_id, info in known.items()
        },
    }


def _data_units(medium: Medium) -> dict[str, Any]:
    if medium.data_type == "IMG_GROUP":
        return {
            image.image_hash: {
                "data_hash": image.image_hash,
                "data_title": image.title,
                "data_link": data_link(image.image_hash),
                "data_type": image.file_type or "image/jpeg",
                "data_sequence": str(index),
                "width": image.width,
                "height": image.height,
                "labels": {},
            }
            for index, image in enumerate(medium.images)
        }
    unit: dict[str, Any] = {
        "data_hash": medium.data_hash,
        "data_title": medium.title,
        "data_link": data_link(medium.data_hash),
        "data_type": medium.file_type or "application/octet-stream",
        "data_sequence": 0,
        "labels": {},
    }
    if medium.data_type == "GROUP":
        unit |= {"data_link": None, "data_type": "application/group"}
    if medium.data_type in ("VIDEO", "IMAGE", "DICOM", "NIFTI"):
        unit |= {"width": medium.width, "height": medium.height}
    if medium.data_type == "AUDIO":
        unit |= {
            "audio_codec": medium.audio_codec,
            "audio_sample_rate": medium.audio_sample_rate,
            "audio_bit_depth": medium.audio_bit_depth,
            "audio_num_channels": medium.audio_num_channels,
        }
    if medium.data_type in ("VIDEO", "AUDIO", "TIME_SERIES") and medium.duration is not None:
        unit["data_duration"] = medium.duration
    if medium.data_type == "VIDEO" and medium.frames_per_second is not None:
        unit["data_fps"] = medium.frames_per_second
    return {medium.data_hash: unit}
