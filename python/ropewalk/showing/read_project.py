"""`read_project`: the labels or predictions on a branch of a project, as `Predictions` that any job takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from ropewalk.errors import UsageError
from ropewalk.files import WORK_DIR
from ropewalk.importing.options import ConnectKeywords, ConnectOptions
from ropewalk.options import made
from ropewalk.project.snapshot import Snapshot
from ropewalk.reading.options import ReadOptions
from ropewalk.reading.predictions import Predictions
from ropewalk.reading.sources import Source
from ropewalk.scratch import Spool
from ropewalk.showing.show import label_row_contents
from ropewalk.text import shown, without_query

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack


def read_project(
    project: encord.Project | Snapshot,
    *,
    branch: str = "main",
    work_dir: str | os.PathLike[str] = WORK_DIR,
    **options: Unpack[ConnectKeywords],
) -> Predictions:
    """Read the labels or predictions on a branch of a project.

    Label rows are fetched in batches of about 8 MB and copied to a file, without their links. The file is read as often
    as the predictions are, and is removed with them. Rows call media by their data_hash and classes by their feature
    hash; an object is a track by its object_hash.

    Args:
        project: A project of the `encord` client, or a snapshot that holds label rows.
        branch: The branch; `main` has the labels.
        work_dir: Folder for the file, which is about as large as the label rows are as JSON.
        **options: `jobs`, `retry_seconds` (s), `timeout` (s) and `sdk_calls`, as on the command line.

    Returns:
        The predictions, to iterate as batches, to `convert`, `evaluate` or `preview`, or to import elsewhere.

    Raises:
        UsageError: The project has no such branch; names those that it has.
        EncordError: Encord refused or could not be reached.
        FileError: The file cannot be written.

    Example:
        >>> from ropewalk import Snapshot
        >>> unit = {"data_title": "a.jpg", "width": 60, "height": 40, "labels": {"objects": [
        ...     {"objectHash": "o1", "featureHash": "car", "name": "Car", "shape": "bounding_box", "confidence": 0.5,
        ...      "boundingBox": {"x": 0.5, "y": 0.25, "w": 0.1, "h": 0.2}}]}}
        >>> row = {"label_hash": "l1", "branch_name": "main", "data_hash": "d1", "data_title": "a.jpg",
        ...        "data_type": "image", "data_units": {"d1": unit}}
        >>> snapshot = Snapshot("p1", "Cars", "", "o1", "Cars", {}, (), (row,))
        >>> read_project(snapshot).to_polars().select("media", "class", "score").rows()
        [('d1', 'car', 0.5)]
    """
    connect = made(ConnectOptions, options)
    contents = _kept(project, branch) if isinstance(project, Snapshot) else _fetched(project, branch, connect)
    spool = Spool("label-rows.ndjson", Path(work_dir), partial(_write, contents))
    source = Source(spool.path, f"{project.project_hash}/{branch}", spool=spool)
    return Predictions(source, ReadOptions(format="encord"))


def _kept(project: Snapshot, branch: str) -> Iterator[bytes]:
    _check_branch(branch, {row["branch_name"] for row in project.label_rows})
    return (orjson.dumps(row) for row in project.label_rows if row["branch_name"] == branch)


def _fetched(project: encord.Project, branch: str, options: ConnectOptions) -> Iterator[bytes]:
    from ropewalk.sinks.encord.connection import connected

    with connected(project, options) as (rows, _):
        found = [entry["label_hash"] for entry in rows.listing(branch) if entry.get("label_hash")]
        if not found:
            _check_branch(branch, {entry["branch_name"] for entry in rows.listing() if entry.get("label_hash")})
        for _, content in label_row_contents(found, rows):
            yield content


def _check_branch(branch: str, known: set[str]) -> None:
    # main exists in every project, also where nothing is labelled.
    if branch not in known | {"main"}:
        names = ", ".join(map(shown, sorted(known | {"main"})))
        raise UsageError(f"branch {shown(repr(branch))} does not exist; the project has {names}")


def _write(contents: Iterable[bytes], file: BinaryIO) -> None:
    for content in contents:
        file.write(orjson.dumps(_without_links(orjson.loads(content))) + b"\n")


def _without_links(label_row: dict[str, Any]) -> dict[str, Any]:
    """Leave out the links to the media: they are signed, and the file is not the place for them."""
    units = label_row.get("data_units") or {}
    kept = {
        key: {name: value for name, value in unit.items() if name != "data_link"} | _title(unit)
        for key, unit in units.items()
    }
    spaces = {
        key: {name: value for name, value in space.items() if name != "frames"}
        for key, space in (label_row.get("spaces") or {}).items()
    }
    row = {name: value for name, value in label_row.items() if name != "data_link"}
    return row | _title(label_row) | {"data_units": kept, "spaces": spaces}


def _title(item: dict[str, Any]) -> dict[str, Any]:
    return {"data_title": without_query(item.get("data_title") or "")}
