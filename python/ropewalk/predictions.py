"""Predictions of a file, to iterate as batches, to hand to polars or to import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

    from ropewalk._core import AnnotationBatch, CocoPredictions


@dataclass(frozen=True)
class Predictions:
    """A COCO file and how it is read. Iterating reads it anew each time, in bounded memory.

    Attributes:
        path: A dataset file or a bare results list.
        label: Name of the source, part of a tracked object's identity.
        annotations: File with images, categories and videos for a results list.
        confidence_field: Field of an annotation that holds the confidence, `score` where None.
        include_crowd: Whether annotations with iscrowd are kept.
    """

    path: Path
    label: str
    annotations: Path | None = None
    confidence_field: str | None = None
    include_crowd: bool = False

    def open(self) -> CocoPredictions:
        """Open the file: an iterator of batches that also keeps `rejects` and `counts`."""
        from ropewalk import _core

        return _core.read_coco(
            str(self.path),
            self.label,
            None if self.annotations is None else str(self.annotations),
            self.confidence_field,
            self.include_crowd,
        )

    def __iter__(self) -> Iterator[AnnotationBatch]:
        return iter(self.open())

    def to_polars(self) -> polars.DataFrame:
        """Read all of the file into one table of the IR's schema."""
        import polars

        frames = [polars.DataFrame(batch) for batch in self]
        return polars.concat(frames) if frames else polars.DataFrame()


def read_coco(
    path: str | os.PathLike[str],
    *,
    annotations: str | os.PathLike[str] | None = None,
    confidence_field: str | None = None,
    include_crowd: bool = False,
    source_label: str | None = None,
) -> Predictions:
    """Name a COCO file as predictions; it is read when they are iterated or imported.

    Args:
        path: A dataset file or a bare results list, told apart by content.
        annotations: File with images, categories and videos for a results list.
        confidence_field: Field of an annotation that holds the confidence, default `score`; 1.0 where it is missing.
        include_crowd: Keep annotations with iscrowd.
        source_label: Label instead of the file's name.

    Returns:
        The predictions.

    Raises:
        UsageError: There is no such file.
    """
    from ropewalk.sources import find_sources

    (source,) = find_sources(path, source_label or Path(path).name)
    tables = None if annotations is None else Path(annotations)
    return Predictions(source.path, source.label, tables, confidence_field, include_crowd)
