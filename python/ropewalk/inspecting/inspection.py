"""What an inspection of predictions found, as plain data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Attributes:
        code: Stable name of the kind of finding.
        message: What was found, and the option that fixes it.
    """

    code: str
    message: str


@dataclass(frozen=True)
class InspectedMedium:
    """A medium of the source. Frames are counted as the source counts them.

    Attributes:
        name: As the source calls it.
        annotations: Annotations on it.
        tracks: Different tracks on it.
        first_frame: First frame with an annotation.
        last_frame: Last frame with an annotation.
        frames: Frames with annotations; None where there are too many to remember.
        step: All frames are this far apart, or a multiple of it.
        gaps: Runs of frames without annotations between the first and the last.
        first_gaps: The first of them, both ends included.
        size_px: Width and height that the source gives, px.
        reach_px: Largest right edge, lower edge, width and height of its boxes, px.
    """

    name: str
    annotations: int
    tracks: int
    first_frame: int
    last_frame: int
    frames: int | None
    step: int
    gaps: int
    first_gaps: tuple[tuple[int, int], ...] = ()
    size_px: tuple[int, int] | None = None
    reach_px: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class InspectedClass:
    """A class of the source; `shapes` counts its annotations by shape, `answer` those that draw nothing."""

    name: str
    shapes: dict[str, int]

    @property
    def annotations(self) -> int:
        """How many annotations it has."""
        return sum(self.shapes.values())


@dataclass(frozen=True)
class InspectedScores:
    """Confidences as the source has them, whatever their range; `min` and `max` are None where there are none."""

    given: int
    min: float | None
    max: float | None
    below_zero: int
    above_one: int
    not_numbers: int


@dataclass(frozen=True)
class InspectedFormat:
    """What the documents of one format hold.

    Attributes:
        name: The format.
        frame_base: Number of the first frame that an import would assume.
        frame_stride: Video frames per source frame that an import would assume.
        annotations: Annotations that can be read.
        media: Their media, at most 100,000.
        on_other_media: Annotations on further media.
        classes: Their classes, at most 10,000.
        of_other_classes: Annotations of further classes.
        tracked: Annotations with a track.
        tracks: Different tracks.
        more_tracks: Whether there may be more tracks than could be counted.
        scores: Their confidences.
        rejects: Annotations that cannot be read, by code: how many, and what the first one says.
        looks: Sums over the geometries, from which findings are made.
    """

    name: str
    frame_base: int
    frame_stride: int
    annotations: int
    media: tuple[InspectedMedium, ...]
    on_other_media: int
    classes: tuple[InspectedClass, ...]
    of_other_classes: int
    tracked: int
    tracks: int
    more_tracks: bool
    scores: InspectedScores
    rejects: dict[str, tuple[int, str]]
    looks: dict[str, Any] = field(repr=False)

    @property
    def sizes_px(self) -> list[tuple[int, int]]:
        """The sizes of media that the source gives, width and height in px, each once."""
        return sorted({medium.size_px for medium in self.media if medium.size_px is not None})


@dataclass(frozen=True)
class Inspection:
    """What predictions hold.

    Attributes:
        sources: Labels or names of the sources.
        annotations_read: Annotations, those included that cannot be read or are left out.
        filtered_by_reason: Annotations that are left out by the format's rules.
        warnings: Oddities that reading counted, by name.
        formats: What the documents of each format hold.
        findings: What looks wrong. No finding does not mean that all is right.
    """

    sources: tuple[str, ...]
    annotations_read: int
    filtered_by_reason: dict[str, int]
    warnings: dict[str, int]
    formats: tuple[InspectedFormat, ...]
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON types."""
        return dataclasses.asdict(self)
