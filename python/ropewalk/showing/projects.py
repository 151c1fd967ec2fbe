"""The projects that a key may see."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ropewalk.listing import Listing
from ropewalk.text import without_query

if TYPE_CHECKING:
    import encord


@dataclass(frozen=True, slots=True)
class ListedProject:
    """A project; `last_edited_at` is UTC, a URL in its title is without its query."""

    title: str
    project_hash: str
    last_edited_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON types; the time as ISO 8601."""
        return asdict(self) | {"last_edited_at": self.last_edited_at.isoformat(timespec="seconds")}


def list_projects(client: encord.EncordUserClient, query: str | None = None) -> Listing[ListedProject]:
    """List the projects that the client's key may see.

    Args:
        client: A client of the `encord` SDK.
        query: Only projects with this in their title; with a `%` in it, a pattern for all of the title in which `%`
            stands for any text and `_` for any character, as SQL and Encord have it.

    Returns:
        The projects, the one edited last first.

    Raises:
        EncordError: Encord refused the key or could not be reached.
    """
    from ropewalk.sinks.encord.sdk_calls import translated

    return translated(lambda: projects_of(client, query))


def projects_of(client: encord.EncordUserClient, query: str | None) -> Listing[ListedProject]:
    """List projects as `list_projects` does, failures as the SDK raises them."""
    found = [
        ListedProject(without_query(project.title), project.project_hash, _utc(project.last_edited_at))
        for project in client.list_projects(title_like=_pattern(query))
    ]
    return Listing(sorted(found, key=lambda project: (-project.last_edited_at.timestamp(), project.title)))


def _pattern(query: str | None) -> str | None:
    return query if query is None or "%" in query else f"%{query}%"


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
