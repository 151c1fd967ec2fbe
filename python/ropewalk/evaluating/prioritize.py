"""`prioritize`: priorities of tasks from predictions, so that people label first what a model is least sure of."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import polars

from ropewalk import _core
from ropewalk.errors import UsageError
from ropewalk.evaluating.coco_rows import Unfit, extent, place
from ropewalk.importing.options import ConnectKeywords, ConnectOptions
from ropewalk.options import made, spelt, takes
from ropewalk.progress import NoProgress, Progress
from ropewalk.project.live import standing_from_listing
from ropewalk.showing.show import label_row_contents
from ropewalk.text import count, shown

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

    from ropewalk.sinks.encord.rows import LabelRows

PriorityFrom: TypeAlias = Literal["confidence", "disagreement"]

# Boxes of one class are the same object from this intersection over union on.
_SAME_FROM = 0.5

_DECIMALS = 6
_ROWS_TOGETHER = 500

# Of an object: data unit, frame, class.
_Place = tuple[str, int, str]
_Boxes = dict[_Place, list[list[float]]]


@dataclass
class Priorities:
    """What a prioritization did, or would do.

    Attributes:
        branch: The branch with the predictions.
        priority_from: `confidence` or `disagreement`.
        against: The branch that it was compared with; None for confidence.
        priorities: data_hash -> priority, 0 to 1, the highest first.
        titles: data_hash -> title of the same media.
        without_predictions: Label rows of the branch without a label that has a confidence, or an object to compare.
        nothing_to_compare: Label rows that `against` lacks, or has no object on.
        unreadable: Labels that could not be used, by code.
    """

    branch: str
    priority_from: str
    against: str | None
    priorities: dict[str, float] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    without_predictions: int = 0
    nothing_to_compare: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return dataclasses.asdict(self)


@takes(ConnectOptions)
def prioritize(
    project: encord.Project,
    *,
    branch: str,
    priority_from: PriorityFrom,
    against: str = "main",
    confirm: Callable[[str], bool],
    progress: Progress | None = None,
    **options: Unpack[ConnectKeywords],
) -> Priorities | None:
    """Set the priority of each task that the branch has predictions for, through the SDK's `LabelRowV2.set_priority`.

    `confidence`: 1 - c, where c is the mean confidence of the row's objects and answers; that of an object is the mean
    over its frames. `disagreement`: 1 - 2 m / (a + b), where a and b are the boxes of the two branches and m those that
    are paired: same class, data unit and frame, and an intersection over union of at least 0.5, the best pairs first.

    Args:
        project: A project of the `encord` client, with a workflow.
        branch: The branch with the predictions.
        priority_from: Where the priority comes from.
        against: The branch to compare with. Of `main` only frames count that are labelled there.
        confirm: Asked with a sentence that says what is about to happen, if anything is.
        progress: Told about label rows.
        **options: How many requests at a time, and how long each is tried: those of `ropewalk prioritize --help`.

    Returns:
        The priorities; None when it was not confirmed.

    Raises:
        UsageError: `priority_from` is neither, or a branch is compared with itself.
        EncordError: Encord refused, or could not be reached any more; running it again sets all of them.
    """
    from ropewalk.sinks.encord.connection import connected

    if priority_from not in get_args(PriorityFrom):
        raise UsageError(f"{spelt('priority_from')} is {priority_from!r}; expected confidence or disagreement")
    if priority_from == "disagreement" and branch == against:
        raise UsageError(f"{spelt('branch')} and {spelt('against')} are both {shown(branch)}; give two branches")
    result = Priorities(branch, priority_from, against if priority_from == "disagreement" else None)
    with connected(project, made(ConnectOptions, options)) as (rows, _):
        _measure(rows, result, progress or NoProgress())
    ranked = sorted(result.priorities.items(), key=lambda item: (-item[1], item[0]))
    result.priorities = dict(ranked)
    if ranked:
        highest = ", ".join(f"{shown(result.titles[data_hash])} {value:.3f}" for data_hash, value in ranked[:3])
        if not confirm(f"{count(len(ranked), 'task')} get a priority from {priority_from}; highest: {highest}"):
            return None
        _set(project, result.priorities)
    return result


def _measure(rows: LabelRows, result: Priorities, progress: Progress) -> None:
    entries = rows.listing(result.branch)
    titles = {entry["data_hash"]: entry.get("data_title") or entry["data_hash"] for entry in entries}
    own = {data_hash: row.label_hash for data_hash, row in standing_from_listing(entries).items()}
    measured: Iterable[tuple[str, float | None]]
    if result.against is None:
        progress.start("measuring", len(own), "label rows")
        measured = ((data_hash, _doubt(_rows(content, result))) for data_hash, content in _contents(rows, own))
    else:
        other = {key: row.label_hash for key, row in standing_from_listing(rows.listing(result.against)).items()}
        both = [data_hash for data_hash in own if data_hash in other]
        result.nothing_to_compare += len(own) - len(both)
        progress.start("measuring", len(both), "label rows")
        ours = _contents(rows, {data_hash: own[data_hash] for data_hash in both})
        theirs = _contents(rows, {data_hash: other[data_hash] for data_hash in both})
        measured = _compared(ours, theirs, {data_hash: at for at, data_hash in enumerate(both)}, result)
    for done, (data_hash, value) in enumerate(measured, 1):
        if value is not None:
            result.priorities[data_hash] = round(value, _DECIMALS)
            result.titles[data_hash] = titles[data_hash]
        elif result.against is None:
            result.without_predictions += 1
        progress.update(done)
    progress.end()


def _contents(rows: LabelRows, label_hashes: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    data_hashes = {label_hash: data_hash for data_hash, label_hash in label_hashes.items()}
    for label_hash, content in label_row_contents(list(data_hashes), rows):
        yield data_hashes[label_hash], content


def _rows(content: bytes, result: Priorities) -> Iterator[dict[str, Any]]:
    """Read the labels of a label row as rows of the table."""
    opened = _core.read(content, "label row", "encord")
    for batch in opened:
        yield from polars.DataFrame(batch).iter_rows(named=True)
    for reject in opened.rejects:
        result.unreadable[reject["code"]] = result.unreadable.get(reject["code"], 0) + 1


def _doubt(rows: Iterable[Mapping[str, Any]]) -> float | None:
    """Give 1 - the mean confidence; None where no label has one."""
    scores: dict[Any, list[float]] = defaultdict(list)
    for number, row in enumerate(rows):
        if row["score"] is not None:
            scores[row["track"] if row["track"] is not None else number].append(row["score"])
    if not scores:
        return None
    return 1 - sum(sum(values) / len(values) for values in scores.values()) / len(scores)


def _compared(
    ours: Iterator[tuple[str, bytes]],
    theirs: Iterator[tuple[str, bytes]],
    places: Mapping[str, int],
    result: Priorities,
) -> Iterator[tuple[str, float | None]]:
    """Compare label rows that come in one order; either side may lack some that are gone by now."""
    other = next(theirs, None)
    for data_hash, content in ours:
        while other is not None and places[other[0]] < places[data_hash]:
            other = next(theirs, None)
        if other is None or other[0] != data_hash:
            result.nothing_to_compare += 1
            continue
        yield data_hash, _disagreement(_boxes(content, result), _boxes(other[1], result), result)


def _boxes(content: bytes, result: Priorities) -> _Boxes:
    """Read the boxes around the objects of a label row."""
    boxes: _Boxes = defaultdict(list)
    for row in _rows(content, result):
        if row["kind"] != "object" or row["shape"] is None:
            continue
        try:
            boxes[row["media"], row["frame"], row["class"]].append(_box(row))
        except Unfit as e:
            result.unreadable[e.code] = result.unreadable.get(e.code, 0) + 1
    return boxes


def _box(row: Mapping[str, Any]) -> list[float]:
    if row["shape"] == "polyline":
        flat = [value for part in row["points"] for ring in part for value in ring]
        return extent(flat[::2], flat[1::2])
    # Fractions stay fractions: what two boxes have in common does not depend on the image's size.
    box: list[float] = place(row, None if row["shape"] == "bitmask" else (1, 1))["bbox"]
    return box


def _disagreement(ours: _Boxes, theirs: _Boxes, result: Priorities) -> float | None:
    """Give 1 - 2 m / (a + b); None where one of the two has nothing."""
    if not ours:
        result.without_predictions += 1
        return None
    if not theirs:
        result.nothing_to_compare += 1
        return None
    if result.against == "main":
        labelled = {(unit, frame) for unit, frame, _ in theirs}
        ours = {key: boxes for key, boxes in ours.items() if key[:2] in labelled}
    pairs = sum(_pairs(boxes, theirs[key]) for key, boxes in ours.items() if key in theirs)
    boxes_in_all = sum(len(boxes) for side in (ours, theirs) for boxes in side.values())
    return 1 - 2 * pairs / boxes_in_all


def _pairs(ours: list[list[float]], theirs: list[list[float]]) -> int:
    """Count the boxes that are paired, the best pairs first."""
    import numpy as np
    from pycocotools import mask

    overlap = np.asarray(mask.iou(np.asarray(ours, float), np.asarray(theirs, float), [0] * len(theirs)))
    pairs = 0
    while overlap.size and overlap.max() >= _SAME_FROM:
        at = np.unravel_index(overlap.argmax(), overlap.shape)
        overlap = np.delete(np.delete(overlap, at[0], 0), at[1], 1)
        pairs += 1
    return pairs


def _set(project: encord.Project, priorities: Mapping[str, float]) -> None:
    from ropewalk.sinks.encord.sdk_calls import translated

    data_hashes = list(priorities)
    for at in range(0, len(data_hashes), _ROWS_TOGETHER):
        part = data_hashes[at : at + _ROWS_TOGETHER]

        def save(part: list[str] = part) -> None:
            # Tasks are those of the data rows, whatever the branch.
            rows = project.list_label_rows_v2(data_hashes=list(part))
            with project.create_bundle(bundle_size=len(part)) as bundle:
                for row in rows:
                    row.set_priority(priorities[row.data_hash], bundle=bundle)

        translated(save)
