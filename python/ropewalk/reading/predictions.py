"""Predictions of a file, folder or table, to iterate as batches, to hand to polars or to import."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast

from ropewalk.errors import UsageError
from ropewalk.files import WORK_DIR
from ropewalk.options import given_of, made
from ropewalk.reading.formats import check_taken, format_of, open_source
from ropewalk.reading.options import Angle, BoxFormat, ReadOptions, Scores, Unit
from ropewalk.reading.sources import Paths, Source, find_sources
from ropewalk.text import shown

if TYPE_CHECKING:
    import encord
    import polars
    from typing_extensions import Unpack

    from ropewalk._core import AnnotationBatch
    from ropewalk._core import Predictions as Opened
    from ropewalk.inspecting.inspection import Inspection
    from ropewalk.project.options import MediaKeywords
    from ropewalk.project.snapshot import Snapshot
    from ropewalk.reading.options import ReadKeywords


@dataclass(frozen=True)
class Predictions:
    """A source of any format, and how it is read. Iterating reads it anew each time, in bounded memory.

    Attributes:
        source: A file, a folder, content in memory or a table, and its label.
        options: How it is read.
    """

    source: Source
    options: ReadOptions = ReadOptions()

    def open(self) -> Opened:
        """Open the document: an iterator of batches that also keeps `rejects` and `counts`."""
        return open_source(self.source, self.options)

    def __iter__(self) -> Iterator[AnnotationBatch]:
        return iter(self.open())

    def to_polars(self) -> polars.DataFrame:
        """Read everything into one table of the IR's schema."""
        import polars

        from ropewalk import _core

        empty = polars.DataFrame(_core.AnnotationBatch.empty())
        return polars.concat([empty, *(polars.DataFrame(batch) for batch in self)])

    def inspect(self, project: Snapshot | encord.Project | None = None, **options: Unpack[MediaKeywords]) -> Inspection:
        """Read everything once, in bounded memory, and say what it holds and what looks wrong.

        Args:
            project: Project to compare media, frames and sizes with: a snapshot, or a project of the `encord` client.
            **options: How media are matched with those of the project; see `ropewalk inspect --help`.

        Returns:
            Media with their frames, classes, tracks, scores and sizes; findings, each with the option that fixes it.

        Raises:
            UsageError: A map does not fit the project, or an option does not exist.
            RopewalkError: The source cannot be read.

        Examples:
            >>> rows = [{"media": "a.jpg", "class": "Car", "box": [2, 3, 5, 4], "unit": "px"}]
            >>> read_table(rows).inspect().findings[0].message
            'no annotation has a score: each gets the confidence 1.0'
        """
        from ropewalk.inspecting.inspect import inspect_sources
        from ropewalk.project.live import as_snapshot
        from ropewalk.project.narrowing import asks_metadata
        from ropewalk.project.options import PlanOptions

        rules = made(PlanOptions, options)
        known = None
        if project is not None:
            known = as_snapshot(project, client_metadata=asks_metadata(rules.media_key))
        return inspect_sources([self.source], self.options, known, rules=rules)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export all of it as an Arrow stream: `polars.DataFrame(predictions)` is `to_polars()`."""
        return self.to_polars().__arrow_c_stream__(requested_schema)

    def __str__(self) -> str:
        """Name the source and its format."""
        return f"predictions of {shown(self.source.name)}, format {self.options.format}"

    def _repr_html_(self) -> str:
        from ropewalk.pages.page import lines

        return lines(str(self))


class Table(Protocol):
    """A table in memory, such as those of polars and pyarrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export it as an Arrow stream."""


# What a job reads, as its caller names it; sources that were found before stay as they are.
Given: TypeAlias = Paths | Predictions | Sequence[Source] | Table | Mapping[str, Any] | Sequence[Mapping[str, Any]]

Family = TypeVar("Family", bound=ReadOptions)


def read(path: str | os.PathLike[str], **options: Unpack[ReadKeywords]) -> Predictions:
    """Name the predictions of a file or folder of any format; they are read when they are iterated or imported.

    Rows are those of the table, whatever the format: media, classes and frames are as the source calls and counts
    them. An import resolves them. What cannot be read is among the `rejects` of `Predictions.open()`.

    Args:
        path: A file, or a folder or archive of files, in one of the formats that `ropewalk formats` lists.
        **options: `format`, by default told from names and content, and the options that the format takes, named as on
            the command line (`class_` for `--class`): `classes`, `frame_base`, `annotations`, ...

    Returns:
        The predictions. `to_polars()` reads all of them; iterating gives Arrow batches in bounded memory.

    Raises:
        UsageError: The file does not exist, its format is unknown, or the format does not take an option.
        RopewalkError: The source cannot be read; also while it is iterated.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> path = Path(tempfile.mkdtemp(), "street-1.txt")
        >>> _ = path.write_text("1,7,20,30,40,10,0.5,-1,-1,-1\\n")  # MOTChallenge
        >>> read(path, class_="Car").to_polars().select("media", "frame", "track", "box").rows()
        [('street-1', 1, '7', [20.0, 30.0, 40.0, 10.0])]
    """
    if not isinstance(path, (str, os.PathLike)):
        raise UsageError(
            f"{type(path).__name__} is not a path; tables in memory go to read_table, documents of COCO to read_coco"
        )
    sources, job = sources_of(path, ReadOptions, options)
    if len(sources) > 1:
        raise UsageError(f"{shown(os.fsdecode(path))} names {len(sources)} sources; give one file or folder")
    return Predictions(sources[0], job)


def read_coco(
    predictions: str | os.PathLike[str] | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    annotations: str | os.PathLike[str] | None = None,
    confidence_field: str | None = None,
    score: Scores = "reject",
    include_crowd: bool = False,
    box_format: BoxFormat | None = None,
    angle: Angle | None = None,
    unit: Unit | None = None,
    source_label: str | None = None,
) -> Predictions:
    """Name COCO predictions; they are read when they are iterated or imported.

    Args:
        predictions: A file, or what would stand in one: a dataset ({"images": ..., "annotations": ..., "categories":
            ...}) or a list of results; a file may also have one result on each line. In Python an RLE's counts may be
            bytes, as `pycocotools.mask.encode` gives them.
        annotations: File with images, categories and videos for a results list.
        confidence_field: Field of an annotation that holds the confidence, default `score`; 1.0 where it is missing.
        score: What becomes of confidences outside 0 to 1: `reject` rejects the annotation, `clamp` takes 0 or 1. Those
            within 0.000001 are rounding, and are always clamped.
        include_crowd: Keep annotations of a dataset with iscrowd and without a score.
        box_format: What the numbers of a `bbox` are: xywh, as COCO has them (the default); cxcywha: centre, size,
            angle; corners: x and y of the four corners.
        angle: Unit of angles, with `-ccw` if they count counter-clockwise; degrees clockwise by default, and radians
            where Ultralytics wrote them (`rbox`).
        unit: px or frac: unit of boxes, polygons and keypoints; px by default.
        source_label: Label instead of the folder and name of the file. Tracked objects are recognised by it: the same
            label next time means the same objects. An import of what is in memory needs one.

    Returns:
        The predictions.

    Raises:
        UsageError: An option does not fit, there is no such file, or a value that JSON cannot hold.

    Examples:
        >>> frame = read_coco([{"image_id": 7, "category_id": 1, "bbox": [2, 3, 5, 4], "score": 0.5}]).to_polars()
        >>> frame["box"].to_list()
        [[2.0, 3.0, 5.0, 4.0]]
    """
    options = made(
        ReadOptions,
        {
            "format": "coco",
            "annotations": annotations,
            "confidence_field": confidence_field,
            "score": score,
            "include_crowd": include_crowd,
            "box_format": box_format,
            "angle": angle,
            "unit": unit,
        },
    )
    if isinstance(predictions, (str, os.PathLike)):
        (source,) = find_sources(predictions, source_label)
    else:
        source = Source(_as_json(predictions), source_label)
    return Predictions(source, options)


def read_table(
    table: Any, *, unit: Unit | None = None, score: Scores = "reject", source_label: str | None = None
) -> Predictions:
    """Name predictions that stand in a table; they are read when they are iterated or imported.

    Args:
        table: A polars or pyarrow table, a polars LazyFrame, anything with `__arrow_c_stream__`, a list of dicts, or a
            `.parquet`, `.arrow` or `.ndjson` file. The guide's page on tables names the columns.
        unit: px or frac: unit of `box` and `points` where no column `unit` says it.
        score: What becomes of scores outside 0 to 1: `reject` rejects the row, `clamp` takes 0 or 1. Those within
            0.000001 are rounding, and are always clamped.
        source_label: Label instead of the folder and name of the file. Tracked objects are recognised by it: the same
            label next time means the same objects. An import of what is in memory needs one.

    Returns:
        The predictions.

    Raises:
        UsageError: There is no such file, this is no table, or it holds a value that JSON cannot hold.

    Examples:
        >>> rows = [{"media": "a.jpg", "class": "Car", "box": [2, 3, 5, 4], "unit": "px", "score": 0.5}]
        >>> read_table(rows).to_polars()["shape"].to_list()
        ['bounding_box']
    """
    options = ReadOptions(unit=unit, score=score)
    if isinstance(table, (str, os.PathLike)):
        (source,) = find_sources(table, source_label)
        kind = format_of(source)
        return Predictions(source, replace(options, format="ndjson" if kind == "coco" else kind))
    if isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table):
        lines = b"".join(_as_json(row) + b"\n" for row in table)
        return Predictions(Source(lines, source_label), replace(options, format="ndjson"))
    if not any(hasattr(table, name) for name in ("__arrow_c_stream__", "__arrow_c_array__", "collect_batches")):
        raise UsageError(
            f"{type(table).__name__} is not a table; expected one with `__arrow_c_stream__`, a list of dicts or a file"
        )
    return Predictions(Source(table, source_label), options)


def _as_json(document: Any) -> bytes:
    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.decode("ascii")
        # Numbers and arrays of numpy, without importing it for those who use none.
        if hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError(f"{type(value).__name__} is no part of predictions")

    try:
        return json.dumps(document, default=plain).encode("ascii")
    except (TypeError, ValueError) as e:
        raise UsageError(f"the predictions cannot be written as JSON: {e}") from None


def sources_of(given: Given, family: type[Family], options: Mapping[str, Any]) -> tuple[list[Source], Family]:
    """Find the sources of a job, and make its options, with those that opened predictions bring along.

    Args:
        given: What the caller names, or sources that were found before.
        family: The options of the job.
        options: What the caller gave of them.

    Raises:
        UsageError: A path names no file, an option does not fit, or a label is given for predictions that have one.
    """
    given = _in_memory(given)
    if isinstance(given, Predictions):
        if options.get("source_label") is not None and given.source.label is not None:
            raise UsageError("source_label: the predictions have a label already; give it where they are read")
        options = given_of(given.options, ReadOptions) | dict(options)
    job = made(family, options)
    if isinstance(given, Predictions):
        label = given.source.label if job.source_label is None else job.source_label
        sources = [replace(given.source, label=label, label_parts=job.label_parts)]
    else:
        sources = _found(cast(Paths, given), job)
    check_taken(sources, job)
    return sources, job


def _in_memory(given: Any) -> Any:
    """Name predictions that are in memory; anything else is left as it is."""
    if isinstance(given, Predictions):
        return given
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "collect_batches"):
        return read_table(given)
    if isinstance(given, Mapping):
        return read_coco(given)
    if isinstance(given, list) and given and all(isinstance(row, Mapping) for row in given):
        # Rows of a table name their medium, results of COCO number their image.
        return read_coco(given) if "image_id" in given[0] and "media" not in given[0] else read_table(given)
    return given


def _found(given: Paths | Sequence[Source], job: ReadOptions) -> list[Source]:
    if isinstance(given, list) and given and all(isinstance(item, Source) for item in given):
        return given
    # Reading alone needs no folder to work in.
    work_dir = getattr(job, "work_dir", WORK_DIR)
    return find_sources(cast(Paths, given), job.source_label, job.label_parts, work_dir)
