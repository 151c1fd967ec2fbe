"""Someone else at work on a branch: edits of label rows that the importer knows nothing of."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from ropewalk.emulator import Store
from workbench import Bench, Json


def edit(
    bench: Bench,
    title: str,
    change: Callable[[Json], None],
    monkeypatch: pytest.MonkeyPatch,
    later: timedelta = timedelta(minutes=5),
) -> None:
    """Change a label row of the bench's branch as an annotator does, some time after it was saved."""
    store: Store = bench.emulator.store
    data_hash = next(medium.data_hash for medium in store.snapshot.media if medium.title == title)
    header = next(h for h in store.headers(bench.branch) if h.data_hash == data_hash)
    content = json.loads(store.contents([header.label_hash])[0])
    change(content)
    with monkeypatch.context() as patch:
        patch.setattr(store, "_clock", lambda: header.last_edited_at + later)
        store.save([(header.label_hash, content)])


def objects_of(row: Json) -> list[Json]:
    """List the objects of the row's first data unit and first frame, to be changed in place."""
    labels = next(iter(row["data_units"].values()))["labels"]
    frame = labels if "objects" in labels else next(iter(labels.values()))
    objects: list[Json] = frame["objects"]
    return objects


def move_first(row: Json) -> None:
    """Move the first box to the left edge."""
    next(item for item in objects_of(row) if "boundingBox" in item)["boundingBox"]["x"] = 0.0


def add_one(row: Json) -> None:
    """Add an object beside the first one."""
    first = objects_of(row)[0]
    objects_of(row).append(first | {"objectHash": "someones"})
    row["object_answers"]["someones"] = {"objectHash": "someones", "classifications": []}


def touch(row: Json) -> None:
    """Leave the labels as they are: a change of status moves last_edited_at as well."""
