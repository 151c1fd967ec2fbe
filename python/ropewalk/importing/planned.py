"""What an import is going to do, told before it does it: which class and which medium becomes what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ropewalk.importing.notes import NOTES

if TYPE_CHECKING:
    from ropewalk._core import Staged
    from ropewalk.report import Report, Unresolved
    from ropewalk.sinks.encord.staged_rows import Row


@dataclass(frozen=True)
class PlannedClass:
    """A class of the source, and what it becomes.

    Attributes:
        name: In the source.
        becomes: Name of the ontology object or classification.
        feature_hash: Its hash.
        shape: Its shape; `classification` for an answer.
        made_from: What of the source the shape is made from: box, mask, polygon, keypoints or another shape; `range`
            for objects on ranges of sound or text, `answer` for answers.
        annotations: How many, duplicates that are rejected later included.
        warnings: Annotations by the name of a warning.
    """

    name: str
    becomes: str
    feature_hash: str
    shape: str
    made_from: str
    annotations: int
    warnings: dict[str, int]


@dataclass(frozen=True)
class PlannedMedium:
    """A label row, and the medium of the source that it is for.

    Attributes:
        name: In the source; the least where several names are on the label row, as images of a group.
        names: How many names are on it.
        title: Title of the data unit.
        data_hash: Its hash.
        rule: By which rule the name was found: media_map, data_hash, title, path, base_name or stem.
        frames: Frames with annotations; of ranges the first one.
        annotations: How many.
        tracks: How many; they become one object each, for each class.
        len_bytes: Bytes of the label row, without the header that only the server knows.
        exists: Whether the branch has the label row already.
    """

    name: str
    names: int
    title: str
    data_hash: str
    rule: str
    frames: int
    annotations: int
    tracks: int
    len_bytes: int
    exists: bool


@dataclass(frozen=True)
class PlannedReject:
    """What is rejected for one reason, with an example.

    Attributes:
        code: The reason.
        annotations: How many.
        message: That of the first of them.
        place: Where that one is: source, file inside it, id; empty for a label row as a whole.
    """

    code: str
    annotations: int
    message: str
    place: str


@dataclass(frozen=True)
class PlannedWarning:
    """What is worth a look: its name, how many times, and which option changes it."""

    name: str
    count: int
    note: str


@dataclass
class ImportPlan:
    """What an import is going to do.

    Attributes:
        project_title: Title of the project.
        project_hash: Its hash.
        project_url: Its page in Encord's app; None where the address is not known.
        branch: The branch.
        on_existing: What is done with label rows that hold other objects.
        annotations_read: Annotations of the source.
        annotations_planned: Those that are to be written, or are stored already.
        classes: The classes, by the number of annotations.
        media: The label rows, in the order of the project.
        rejects: What is rejected, by code.
        filtered: Annotations left out, by reason.
        warnings: What is worth a look.
        unresolved_classes: Classes that are not found in the project.
        unresolved_media: Media that are not found in it.
    """

    project_title: str
    project_hash: str
    project_url: str | None
    branch: str
    on_existing: str
    annotations_read: int
    annotations_planned: int
    classes: list[PlannedClass] = field(default_factory=list)
    media: list[PlannedMedium] = field(default_factory=list)
    rejects: list[PlannedReject] = field(default_factory=list)
    filtered: dict[str, int] = field(default_factory=dict)
    warnings: list[PlannedWarning] = field(default_factory=list)
    unresolved_classes: list[Unresolved] = field(default_factory=list)
    unresolved_media: list[Unresolved] = field(default_factory=list)

    @property
    def len_bytes(self) -> int:
        """Bytes of all label rows."""
        return sum(medium.len_bytes for medium in self.media)


def planned(
    staged: Staged, todo: Iterable[Row], report: Report, standing: Mapping[str, Any], on_existing: str
) -> ImportPlan:
    """Tell what a staged import is going to do.

    Args:
        staged: The sorted annotations.
        todo: The label rows that are to be sent.
        report: What was counted so far.
        standing: The label rows of the branch, by data_hash.
        on_existing: What is done with those that hold other objects.
    """
    classes = [PlannedClass(*found) for found in staged.counts["classes"]]
    return ImportPlan(
        project_title=report.project_title or "",
        project_hash=report.project_hash or "",
        project_url=report.project_url,
        branch=report.branch or "",
        on_existing=on_existing,
        annotations_read=report.annotations_read,
        annotations_planned=report.annotations_not_sent + report.annotations_written + report.annotations_already_there,
        classes=sorted(classes, key=lambda found: (-found.annotations, found.name, found.becomes)),
        media=[_medium(staged, row, row.data_hash in standing) for row in todo],
        rejects=[
            PlannedReject(code, n, report.reject_examples[code].message, report.reject_examples[code].place)
            for code, n in sorted(report.rejects_by_code.items(), key=lambda item: (-item[1], item[0]))
        ],
        filtered=dict(report.filtered_by_reason),
        warnings=[
            PlannedWarning(name, n, NOTES.get(name, ""))
            for name, n in sorted(report.warnings.items(), key=lambda item: (-item[1], item[0]))
        ],
        unresolved_classes=report.unresolved_classes,
        unresolved_media=report.unresolved_media,
    )


def _medium(staged: Staged, row: Row, exists: bool) -> PlannedMedium:
    info, found = staged.label_row(row.index), staged.found(row.index)
    # Of the spaces of a data group the first, as of the images of a group.
    name, _, rule = found[0]
    return PlannedMedium(
        name=name,
        names=sum(names for _, names, _ in found),
        title=row.title,
        data_hash=row.data_hash,
        rule=rule,
        frames=info["frames"],
        annotations=row.annotations,
        tracks=info["tracks"],
        len_bytes=row.len_bytes,
        exists=exists,
    )
