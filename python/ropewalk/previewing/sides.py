"""One side of a preview: predictions as tables whose media, frames and classes have the names that the page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars

from ropewalk.previewing.known import Known
from ropewalk.reading.formats import formats
from ropewalk.reading.options import ReadOptions
from ropewalk.reading.predictions import Predictions
from ropewalk.text import without_query


@dataclass
class Side:
    """Predictions to draw.

    Attributes:
        name: What the page calls them.
        predictions: One after the other; are read twice.
        known: What a project tells about them.
        left_out: Annotations that were left out before, by reason.
        counts: What became of the annotations when they were read last: `drawable` and, by reason, the others.
    """

    name: str
    predictions: Sequence[Predictions]
    known: Known = field(default_factory=Known)
    left_out: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def tables(self) -> Iterator[polars.DataFrame]:
        """Read the objects that can be drawn, batch by batch.

        Yields:
            The IR's columns; `media` and `class` as the page shows them, `frame` counted from 0 in the medium.

        Raises:
            RopewalkError: The source cannot be read.
        """
        self.counts = Counter(self.left_out)
        for predictions in self.predictions:
            yield from self._tables(predictions)
        self.counts = +self.counts

    def _names(self, media: Iterable[str]) -> dict[str, str]:
        """Give the names of media on the page; URLs are without their query, where signatures are."""
        return {name: self.known.media.get(name) or without_query(name) for name in media}

    def _tables(self, predictions: Predictions) -> Iterator[polars.DataFrame]:
        opened = predictions.open()
        for batch in opened:
            table = polars.DataFrame(batch)
            drawable = table.filter((polars.col("kind") == "object") & polars.col("shape").is_not_null())
            self.counts["drawable"] += len(drawable)
            self.counts["not drawn: answers and sounds"] += len(table) - len(drawable)
            base, stride = _numbering(opened.format, predictions.options)
            number = (polars.col("frame").cast(polars.Int64) - base) * stride
            yield drawable.with_columns(
                number.fill_null(0).alias("frame"),
                polars.col("media").cast(polars.String).replace(self._names(drawable["media"].unique())),
                polars.col("class").cast(polars.String).replace(dict(self.known.classes)),
            )
        for reject in opened.rejects:
            self.counts[f"rejected: {reject['code']}"] += reject.get("annotations", 1)
        for reason, n in opened.counts["filtered_by_reason"].items():
            self.counts[f"left out: {reason}"] += n


def _numbering(format_name: str | None, options: ReadOptions) -> tuple[int, int]:
    """Give the number of the first frame in a source, and video frames per frame of the source."""
    info = formats().get(format_name or "")
    base, stride = (0, 1) if info is None else (info["frame_base"], info["frame_stride"])
    return (
        base if options.frame_base is None else options.frame_base,
        stride if options.frame_stride is None else options.frame_stride,
    )
