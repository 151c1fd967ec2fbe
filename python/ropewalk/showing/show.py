"""`show`: all labels and predictions on the branches of a project; a batch of label rows in memory at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ropewalk.errors import LabelRowError, UsageError
from ropewalk.project.ontology import list_ontology
from ropewalk.project.spaces import DATA_TYPES
from ropewalk.project.titles import is_meant
from ropewalk.showing.labels import (
    FoundObject,
    FoundUnit,
    ShownLabel,
    classifications_of,
    covers,
    length,
    merged,
    objects_of,
    units_of,
)
from ropewalk.text import shown, without_query

if TYPE_CHECKING:
    import encord

    from ropewalk.sinks.encord.rows import LabelRows

# A label row may have 50 MB: how many are fetched together follows from the sizes of those before.
_FIRST_BATCH_ROWS = 4
_MOST_BATCH_ROWS = 50
_BATCH_BYTES = 8_000_000

# Branches that are named where another one was asked for.
_BRANCHES_NAMED = 20

_IMAGE_TYPES = ("IMAGE", "IMG_GROUP")
_GROUPS = ("IMG_GROUP", "GROUP")
# Of these a range is not one of frames.
_WITHOUT_FRAMES = ("AUDIO", "PLAIN_TEXT", "TIME_SERIES")


@dataclass(frozen=True)
class ShownUnit:
    """What stands on one data unit of one branch: a medium, an image of an image group, or a space of a data group.

    Attributes:
        branch: The branch.
        data_title: Title of the data unit, inside a group of the image or space; a URL in it is without its query.
        data_hash: data_hash of the data unit; of a space its id.
        data_type: Encord's word, in capitals: VIDEO, IMAGE, AUDIO and so on; of an image in a group IMAGE.
        group_hash: data_hash of the group that the image or space is in, else None.
        label_hash: label_hash of its label row.
        objects: Objects, a track counted once.
        frames: Frames that hold a label, where a classification of a whole video counts for none; None for audio and
            text, which have no frames.
        classifications: Classifications.
        classes: Objects by class name.
        labels: The labels themselves, where they were asked for.
    """

    branch: str
    data_title: str
    data_hash: str
    data_type: str
    group_hash: str | None
    label_hash: str
    objects: int
    frames: int | None
    classifications: int
    classes: dict[str, int] = field(default_factory=dict)
    labels: tuple[ShownLabel, ...] = ()

    def as_dict(self, *, labels: bool) -> dict[str, Any]:
        """Return it as JSON types; with its labels where they are asked for."""
        fields = asdict(self)
        if not labels:
            del fields["labels"]
        return fields


@dataclass(frozen=True)
class ShownRow:
    """What stands on one label row: its data units, and its sums, where what spans a group's images counts once."""

    branch: str
    objects: int
    classifications: int
    frames: int | None
    units: tuple[ShownUnit, ...]


@dataclass
class BranchTotals:
    """What was shown of a branch; frames are those of media that have frames."""

    label_rows: int = 0
    objects: int = 0
    classifications: int = 0
    frames: int = 0

    def add(self, row: ShownRow) -> None:
        """Count a row."""
        self.label_rows += 1
        self.objects += row.objects
        self.classifications += row.classifications
        self.frames += row.frames or 0


def show(
    project: encord.Project, branch: str | None = None, *, only_media: Sequence[str] = (), labels: bool = False
) -> Iterator[ShownUnit]:
    """Read all labels and predictions of a project: what stands on each data unit of each branch.

    Args:
        project: A project of the `encord` client.
        branch: Only this branch; all, `main` included, where None.
        only_media: Only media whose title fits one of these globs; of an image group whose title does not, the images
            that do.
        labels: Whether each data unit lists its labels.

    Yields:
        Data units by branch and title; the images of a group in their order.

    Raises:
        UsageError: The branch does not exist; the message names those that do.
        EncordError: Encord refused or could not be reached.
        LabelRowError: A label row is not as Encord writes one; names it.
    """
    for row in show_rows(project, branch, only_media=only_media, labels=labels):
        yield from row.units


def show_rows(
    project: encord.Project, branch: str | None = None, *, only_media: Sequence[str] = (), labels: bool = False
) -> Iterator[ShownRow]:
    """Read what `show` does, label row by label row.

    Rows are fetched in batches of about 8 MB (one row, if it is larger) and released.
    """
    import orjson

    from ropewalk.sinks.encord.connection import connected

    with connected(project) as (rows, _):
        listing = rows.listing(branch)
        if branch is not None and not any(entry.get("label_hash") for entry in listing):
            raise UsageError(_no_branch(branch, rows))
        entries = [entry for entry in listing if entry.get("label_hash") and _may_be_meant(entry, only_media)]
        entries.sort(key=lambda entry: (entry["branch_name"], *_names(entry)))
        listed = {entry["label_hash"]: entry for entry in entries}
        # Asked for only where they are shown: the ontology costs a request.
        names = {item.feature_hash: item.name for item in list_ontology(project).classifications} if labels else None
        for label_hash, content in label_row_contents(list(listed), rows):
            entry = listed[label_hash]
            try:
                label_row = _with_listed_spaces(orjson.loads(content), entry)
                row = row_of(label_row, entry["branch_name"], only_media=only_media, names=names)
            except (KeyError, TypeError, ValueError, AttributeError) as e:
                raise LabelRowError(f"label row {label_hash} is not as Encord writes one ({e!r})") from e
            if row is not None:
                yield row


def _no_branch(branch: str, rows: LabelRows) -> str:
    known = sorted({entry["branch_name"] for entry in rows.listing(None) if entry.get("label_hash")})
    names = ", ".join(map(shown, known[:_BRANCHES_NAMED]))
    more = f" and {len(known) - _BRANCHES_NAMED} more" if len(known) > _BRANCHES_NAMED else ""
    return f"no branch named {shown(branch)}; " + (
        f"the project has {names}{more}" if known else "the project has no label rows"
    )


def _names(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return without_query(entry["data_title"] or ""), entry["data_hash"], entry["label_hash"]


def _with_listed_spaces(label_row: dict[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Give the spaces of a label row what only the listing says of them, such as their titles."""
    listed = entry.get("spaces") or {}
    spaces = {key: {**listed.get(key, {}), **info} for key, info in (label_row.get("spaces") or {}).items()}
    return {**label_row, "spaces": spaces}


def _may_be_meant(entry: Mapping[str, Any], only_media: Sequence[str]) -> bool:
    """Tell whether a row has to be fetched: the images and spaces of a group are known only then."""
    is_group = entry["data_type"].upper() in _GROUPS
    return not only_media or is_group or is_meant(without_query(entry["data_title"] or ""), only_media)


def label_row_contents(label_hashes: list[str], rows: LabelRows) -> Iterator[tuple[str, bytes]]:
    """Fetch label rows in batches that follow their sizes, as (label_hash, JSON); one that is gone is left out."""
    at, size = 0, _FIRST_BATCH_ROWS
    while at < len(label_hashes):
        batch = label_hashes[at : at + size]
        answers = rows.get(batch)
        len_bytes = sum(map(len, answers.values()))
        for label_hash in batch:
            content = answers.pop(label_hash, None)
            if content is not None:
                yield label_hash, content
        at += len(batch)
        size = max(1, min(2 * size, _MOST_BATCH_ROWS, _BATCH_BYTES * len(batch) // max(len_bytes, 1)))


def row_of(
    label_row: Mapping[str, Any],
    branch: str,
    *,
    only_media: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
) -> ShownRow | None:
    """Count what a label row holds; None where the globs leave nothing of it.

    Args:
        label_row: A label row as `GET labelrow` answers it.
        branch: Its branch.
        only_media: Globs as `show` takes them.
        names: Names of the ontology's classifications by feature hash, with which the labels are listed; None does not.
    """
    data_type = (label_row.get("data_type") or "").upper()
    data_title = without_query(label_row.get("data_title") or "")
    units = units_of(label_row)
    whole = not only_media or is_meant(data_title, only_media)
    if not whole:
        units = [unit for unit in units if data_type in _GROUPS and is_meant(_title(unit), only_media)]
        if not units:
            return None
    classifications = [
        label
        for label in classifications_of(label_row, units, names)
        if whole or data_type == "GROUP" or any(covers(label, unit.place) for unit in units)
    ]
    seen = _Seen(label_row, branch, data_type, names is not None)
    objects = objects_of(label_row, units)
    if data_type in _IMAGE_TYPES:
        shown = tuple(_image(seen, unit, classifications) for unit in units)
        frames = sum(unit.frames or 0 for unit in shown)
        return ShownRow(branch, len(objects), len(classifications), frames, shown)
    if data_type == "GROUP":
        shown = tuple(_of_space(seen, unit, names) for unit in units)
        frames = sum(unit.frames or 0 for unit in shown)
        return ShownRow(branch, len(objects), len(classifications), frames, shown)
    held = _held(data_type, objects, classifications)
    unit = seen.unit(data_title, label_row["data_hash"], objects, held, classifications)
    return ShownRow(branch, len(objects), len(classifications), held, (unit,))


def _held(data_type: str, objects: Mapping[str, FoundObject], classifications: Iterable[ShownLabel]) -> int | None:
    """Count the frames that hold a label; None for media without frames."""
    if data_type in _WITHOUT_FRAMES:
        return None
    single = ((frame, frame) for found in objects.values() for frame in found.frames)
    return length(merged([*single, *(pair for label in classifications for pair in label.ranges)]))


@dataclass(frozen=True)
class _Seen:
    """What the data units of a label row have in common."""

    label_row: Mapping[str, Any]
    branch: str
    data_type: str
    with_labels: bool

    def unit(
        self,
        data_title: str,
        data_hash: str,
        objects: Mapping[str, FoundObject],
        frames: int | None,
        classifications: Sequence[ShownLabel],
        data_type: str | None = None,
    ) -> ShownUnit:
        in_group = self.data_type in _GROUPS
        labels = (*(found.shown(self.label_row) for found in objects.values()), *classifications)
        return ShownUnit(
            branch=self.branch,
            data_title=data_title,
            data_hash=data_hash,
            data_type=data_type or self.data_type,
            group_hash=self.label_row["data_hash"] if in_group else None,
            label_hash=self.label_row["label_hash"],
            objects=len(objects),
            frames=frames,
            classifications=len(classifications),
            classes=dict(sorted(Counter(found.first.get("name") or "" for found in objects.values()).items())),
            labels=labels if self.with_labels else (),
        )


def _image(seen: _Seen, unit: FoundUnit, classifications: Iterable[ShownLabel]) -> ShownUnit:
    objects = objects_of({}, [unit])
    here = ((unit.place, unit.place),)
    held = [replace(label, ranges=label.ranges and here) for label in classifications if covers(label, unit.place)]
    return seen.unit(_title(unit), unit.unit["data_hash"], objects, int(bool(objects or held)), held, "IMAGE")


def _of_space(seen: _Seen, unit: FoundUnit, names: Mapping[str, str] | None) -> ShownUnit:
    assert unit.space is not None
    objects = objects_of(seen.label_row, [unit])
    classifications = classifications_of(seen.label_row, [unit], names)
    data_type = DATA_TYPES.get(unit.space.space_type, unit.space.space_type.upper())
    held = _held(data_type, objects, classifications)
    return seen.unit(_title(unit), unit.unit["data_hash"], objects, held, classifications, data_type)


def _title(unit: FoundUnit) -> str:
    return without_query(unit.unit.get("data_title") or "")
