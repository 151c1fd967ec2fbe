"""A live project as a listing of its label rows shows it: media and ontology, and which rows stand on a branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ropewalk.errors import BlockerError
from ropewalk.project.snapshot import Medium, MediumImage, Snapshot, without_links
from ropewalk.project.spaces import spaces_from_listing

if TYPE_CHECKING:
    import encord


def snapshot_from_project(project: encord.Project, *, client_metadata: bool = False) -> Snapshot:
    """Take a snapshot of a live project with one listing of its `main` branch.

    Links are left behind: a URL inside a text is cut down to its file name, an e-mail address is blanked out.

    Args:
        project: A project of the `encord` client.
        client_metadata: Whether to take the client metadata of the media.

    Returns:
        The snapshot, without label rows.

    Raises:
        EncordError: Encord refused the listing or could not be reached any more.
        BlockerError: An entry of the listing lacks what every row has; names it.
    """
    from ropewalk.sinks.encord.connection import connected

    with connected(project) as (rows, _):
        taken = project_from_listing(
            project,
            rows.ontology(str(project.ontology_hash)),
            rows.listing("main", images_data=True, client_metadata=client_metadata),
        )
    # The SDK has no public way from a project to its ontology's title.
    ontology_title = getattr(getattr(project, "_ontology", None), "title", "")
    return replace(
        taken,
        project_title=without_links(taken.project_title),
        project_description=without_links(project.description),
        ontology_title=without_links(ontology_title),
        ontology_structure=without_links(taken.ontology_structure),
        media=tuple(map(_without_links, taken.media)),
    )


def _without_links(medium: Medium) -> Medium:
    return replace(
        medium,
        title=without_links(medium.title),
        dataset_title=without_links(medium.dataset_title),
        stage=without_links(medium.stage),
        client_metadata=without_links(medium.client_metadata),
        images=tuple(replace(image, title=without_links(image.title)) for image in medium.images),
        spaces=tuple(
            replace(space, title=without_links(space.title), frames=tuple(without_links(list(space.frames))))
            for space in medium.spaces
        ),
    )


def project_from_listing(
    project: encord.Project, ontology_structure: dict[str, Any], entries: Iterable[Mapping[str, Any]]
) -> Snapshot:
    """Build the project's form from one listing, titles as they are (a snapshot file takes links out of them).

    Args:
        project: A project of the `encord` client.
        ontology_structure: Of its ontology, as the server has it.
        entries: Entries of `labelrowmetadata` with images data, one branch.

    Returns:
        The project without label rows.

    Raises:
        BlockerError: An entry lacks what every row has; names it.
    """
    return Snapshot(
        project_hash=project.project_hash,
        project_title=project.title,
        project_description="",
        ontology_hash=str(project.ontology_hash),
        ontology_title="",
        ontology_structure=ontology_structure,
        media=tuple(medium_from_entry(entry) for entry in entries),
    )


@dataclass(frozen=True)
class StandingRow:
    """A label row that stands on a branch; `last_edited_at` is UTC, in whole seconds, None where it is not told."""

    label_hash: str
    last_edited_at: datetime | None


def standing_from_listing(entries: Iterable[Mapping[str, Any]]) -> dict[str, StandingRow]:
    """Take the label rows that stand on the branch from a listing: data_hash -> row."""
    return {
        entry["data_hash"]: StandingRow(entry["label_hash"], _time(entry.get("last_edited_at")))
        for entry in entries
        if entry.get("label_hash")
    }


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    # Parts of a second are dropped: the time of an answer, which it is compared with, has none.
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).replace(microsecond=0)


def medium_from_entry(entry: Mapping[str, Any]) -> Medium:
    """Build a medium from an entry of `labelrowmetadata`; its links are left behind.

    Raises:
        BlockerError: The entry lacks what every row has; names it.
    """
    images: list[Mapping[str, Any]] = entry.get("images_data") or []
    stage: Mapping[str, Any] = entry.get("workflow_graph_node") or {}
    try:
        data_type = entry["data_type"].upper()
        return Medium(
            data_hash=entry["data_hash"],
            title=entry["data_title"] or "",
            data_type=data_type,
            dataset_hash=entry["dataset_hash"],
            dataset_title=entry["dataset_title"] or "",
            file_type=entry.get("file_type"),
            # A listing writes 0 for a size it does not know; the plan wants that said as null.
            width=entry.get("width") or None,
            height=entry.get("height") or None,
            number_of_frames=entry.get("number_of_frames") or 0,
            frames_per_second=entry.get("frames_per_second"),
            duration=entry.get("duration"),
            audio_codec=entry.get("audio_codec"),
            audio_sample_rate=entry.get("audio_sample_rate"),
            audio_bit_depth=entry.get("audio_bit_depth"),
            audio_num_channels=entry.get("audio_num_channels"),
            backing_item_uuid=entry.get("backing_item_uuid"),
            stage=stage.get("title"),
            stage_uuid=stage.get("uuid"),
            client_metadata=entry.get("client_metadata"),
            images=tuple(
                MediumImage(
                    image_hash=image["image_hash"],
                    title=image["title"] or "",
                    file_type=image.get("file_type"),
                    width=image.get("width") or None,
                    height=image.get("height") or None,
                )
                for image in (sorted(images, key=lambda i: i["index"]) if data_type == "IMG_GROUP" else ())
            ),
            spaces=spaces_from_listing((entry.get("spaces") or {}) if data_type == "GROUP" else {}),
        )
    except (KeyError, TypeError, AttributeError) as e:
        raise BlockerError(
            f"the project's listing has an entry that is not as expected ({e!r}); "
            "this version of Ropewalk may be too old for the server"
        ) from e


def as_snapshot(project: encord.Project | Snapshot, *, client_metadata: bool = False) -> Snapshot:
    """Give a snapshot as it is, and take one of a live project; arguments and errors are those of a live one."""
    return project if isinstance(project, Snapshot) else snapshot_from_project(project, client_metadata=client_metadata)
