"""`show`: what stands on the branches of a project, per data unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import encord

_BATCH_ROWS = 50


@dataclass(frozen=True)
class ShownUnit:
    """What stands on one data unit of one branch.

    Attributes:
        branch: The branch.
        data_title: Title of the data unit: of the image itself inside an image group.
        data_hash: data_hash of the data unit.
        label_hash: label_hash of its label row.
        objects: Objects, a track counted once.
        frames: Frames with at least one object.
        classifications: Classifications of the label row.
        classes: Objects by class name.
    """

    branch: str
    data_title: str
    data_hash: str
    label_hash: str
    objects: int
    frames: int
    classifications: int
    classes: dict[str, int] = field(default_factory=dict)


def show(project: encord.Project, branch: str | None = None) -> Iterator[ShownUnit]:
    """Read what stands on the branches of a project.

    Args:
        project: A project of the `encord` client.
        branch: Only this branch; all where None.

    Yields:
        Data units by branch and title.

    Raises:
        EncordError: Encord refused or could not be reached.
    """
    import orjson

    from ropewalk.sinks.encord.connection import connected

    with connected(project) as (rows, _):
        entries = [entry for entry in rows.listing(branch) if entry.get("label_hash")]
        entries.sort(key=lambda entry: (entry["branch_name"], entry["data_title"] or "", entry["data_hash"]))
        for at in range(0, len(entries), _BATCH_ROWS):
            batch = entries[at : at + _BATCH_ROWS]
            answers = rows.get([entry["label_hash"] for entry in batch])
            for entry in batch:
                answer = answers.pop(entry["label_hash"], None)
                if answer is not None:
                    yield from units_of(orjson.loads(answer), entry["branch_name"])


def units_of(label_row: Mapping[str, Any], branch: str) -> Iterator[ShownUnit]:
    """Count what a label row holds, per data unit, in the order of their data_sequence.

    Args:
        label_row: A label row as `GET labelrow` answers it.
        branch: Its branch.
    """
    units = label_row.get("data_units") or {}
    classifications = len(label_row.get("classification_answers") or {})
    for data_hash, unit in sorted(units.items(), key=lambda item: int(item[1].get("data_sequence") or 0)):
        labels = unit.get("labels") or {}
        # An image's labels are its objects themselves; those of a video stand below frame numbers.
        frames = [labels] if isinstance(labels.get("objects"), list) else list(labels.values())
        class_of: dict[str, str] = {}
        for frame in frames:
            class_of.update((item["objectHash"], item["name"]) for item in frame.get("objects") or [])
        yield ShownUnit(
            branch=branch,
            data_title=unit.get("data_title") or label_row.get("data_title") or "",
            data_hash=data_hash,
            label_hash=label_row["label_hash"],
            objects=len(class_of),
            frames=sum(1 for frame in frames if frame.get("objects")),
            classifications=classifications,
            classes=dict(sorted(Counter(class_of.values()).items())),
        )
