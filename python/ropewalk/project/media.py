"""The media of a project by title, with their data_hash; images inside image groups and spaces of data groups as well.

Equal titles are kept apart: all of it is lists, since nothing keeps two media from having one title.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from ropewalk.listing import Listing
from ropewalk.project.live import medium_from_entry
from ropewalk.project.snapshot import Medium, Snapshot
from ropewalk.project.spaces import DATA_TYPES
from ropewalk.project.titles import is_meant
from ropewalk.text import without_query

if TYPE_CHECKING:
    import encord


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image inside an image group; `frame` is its place, from 0, a size (px) may be unknown."""

    title: str
    data_hash: str
    frame: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class ListedSpace:
    """A space of a data group; `data_hash` is its id, a size (px) may be unknown."""

    title: str
    data_hash: str
    data_type: str
    layout_key: str | None
    number_of_frames: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class ListedMedium:
    """A data row of a project; a size (px) may be unknown, a URL in a title is without its query.

    Attributes:
        title: Its title.
        data_hash: Its data_hash.
        data_type: Encord's word, in capitals: VIDEO, IMAGE, IMG_GROUP, AUDIO and so on.
        number_of_frames: Frames of a video, images of a group.
        width: Width, px.
        height: Height, px.
        images: Images of an image group, in order.
        spaces: Spaces of a data group.
    """

    title: str
    data_hash: str
    data_type: str
    number_of_frames: int
    width: int | None = None
    height: int | None = None
    images: tuple[ListedImage, ...] = ()
    spaces: tuple[ListedSpace, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON types; only an image group has `images`, only a data group `spaces`."""
        fields = asdict(self)
        for name, data_type in (("images", "IMG_GROUP"), ("spaces", "GROUP")):
            if self.data_type != data_type:
                del fields[name]
        return fields


def list_media(project: encord.Project | Snapshot, only_media: Sequence[str] = ()) -> Listing[ListedMedium]:
    """List the media of a project.

    Args:
        project: A project of the `encord` client, or a snapshot.
        only_media: Only media whose title fits one of these globs; of a group whose title does not, the images or
            spaces that do. All where it is empty.

    Returns:
        The media, in the project's order.

    Raises:
        EncordError: Encord refused the listing or could not be reached any more.
        BlockerError: An entry of the listing lacks what every row has; names it.
    """
    if isinstance(project, Snapshot):
        return _narrowed(map(_listed, project.media), only_media)
    from ropewalk.sinks.encord.connection import connected

    with connected(project) as (rows, _):
        entries = rows.listing("main", images_data=True)
    return _narrowed((_listed(medium_from_entry(entry)) for entry in entries), only_media)


def media_map(listed: Iterable[ListedMedium]) -> tuple[dict[str, str], list[str]]:
    """Make the media map of an import: title -> data_hash, of media and of the images and spaces inside groups.

    A space is under its path, GROUP/TITLE; a data group is not in it, since nothing can be imported onto it.

    Args:
        listed: Media of a project.

    Returns:
        The map of the titles that stand for one of them alone, and the other titles.
    """
    pairs = [
        pair
        for medium in listed
        for pair in (
            *([] if medium.spaces else [(medium.title, medium.data_hash)]),
            *((image.title, image.data_hash) for image in medium.images),
            *((f"{medium.title}/{space.title}", space.data_hash) for space in medium.spaces),
        )
    ]
    titles = Counter(title for title, _ in pairs)
    return {title: data_hash for title, data_hash in pairs if titles[title] == 1}, [
        title for title, n in titles.items() if n > 1
    ]


def _listed(medium: Medium) -> ListedMedium:
    return ListedMedium(
        title=without_query(medium.title),
        data_hash=medium.data_hash,
        data_type=medium.data_type,
        number_of_frames=medium.number_of_frames,
        width=medium.width,
        height=medium.height,
        images=tuple(
            ListedImage(without_query(image.title), image.image_hash, frame, image.width, image.height)
            for frame, image in enumerate(medium.images)
        ),
        spaces=tuple(
            ListedSpace(
                without_query(space.title),
                space.space_id,
                DATA_TYPES.get(space.space_type, space.space_type.upper()),
                space.layout_key,
                space.number_of_frames,
                space.width,
                space.height,
            )
            for space in medium.spaces
        ),
    )


def _narrowed(listed: Iterable[ListedMedium], globs: Sequence[str]) -> Listing[ListedMedium]:
    if not globs:
        return Listing(listed)
    found: Listing[ListedMedium] = Listing()
    for medium in listed:
        images = tuple(image for image in medium.images if is_meant(image.title, globs))
        spaces = tuple(space for space in medium.spaces if is_meant(space.title, globs))
        if is_meant(medium.title, globs):
            found.append(medium)
        elif images or spaces:
            found.append(replace(medium, images=images, spaces=spaces))
    return found
