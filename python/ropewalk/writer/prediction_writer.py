"""The writer: takes arrays frame by frame, keeps batches of rows, and writes or imports all of them at the end."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from ropewalk.errors import RopewalkError, UsageError
from ropewalk.files import make_folder
from ropewalk.options import made
from ropewalk.reading.tables import SUFFIXES
from ropewalk.text import count, is_writable, shown
from ropewalk.writer.checks import WRITABLE, Place, frame_number
from ropewalk.writer.columns import Rows
from ropewalk.writer.frames import Conventions, class_table, objects_of
from ropewalk.writer.kept import KeptRows
from ropewalk.writer.results import LEAST_KEYPOINT, objects_of_detections, objects_of_results
from ropewalk.writer.video import numbered, objects_of_item

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

    from ropewalk.importing.options import UploadKeywords
    from ropewalk.project.snapshot import Snapshot
    from ropewalk.report import Report

BATCH_ROWS = 50_000
BATCH_BYTES = 32_000_000

OnError: TypeAlias = Literal["raise", "skip"]

# Messages of skipped frames that are kept.
_ERRORS_KEPT = 100


class PredictionWriter:
    """Writes predictions as a table of the IR while a model runs; the file is there whole, or not at all.

    At the end of a `with` block, or at `close`, the file is written; an exception inside the block leaves nothing.
    Rows are kept in batches, in memory and then in temporary files beside `path`. It is not meant for several
    threads at once.

    A frame whose arguments do not fit is not added. By default `add` raises, and unless you catch that the block ends.
    With `on_error="skip"` the run goes on: `skipped` counts such frames, `errors` has the first 100 messages, and
    `close` warns.

    Args:
        path: Ends in `.parquet` or `.arrow`; replaced where it exists.
        classes: Names of the class ids that `add` is given, as a list or a dict; None writes the ids themselves.
        unit: Unit of boxes and points: `px` of the frame, or `frac`, fractions of its width and height.
        box_format: `xyxy` (two corners), `xywh` (top left corner and size) or `cxcywh` (centre and size).
        source_label: Label of these predictions, written into the file: tracked objects are recognised by it. Without
            one the file has that of its place when it is imported, its folder and name.
        buffer_rows: Rows that are kept before they go to a temporary file.
        buffer_bytes: Bytes of rows, roughly, likewise.
        threads: Threads that encode masks, default one a processor.
        on_error: What becomes of a frame whose arguments do not fit: `raise` or `skip`.

    Attributes:
        path: The file.
        report: Of the import at the end, where the writer was made by `upload`.
        skipped: Frames that were skipped.
        errors: Why, of the first 100.
        warnings: Things worth a look by name, such as `score_clamped`: scores that rounding put outside 0 to 1.

    Raises:
        UsageError: An argument does not fit.
        FileError: The folder of `path` cannot be written to.

    Examples:
        >>> import tempfile
        >>> import numpy as np
        >>> import polars
        >>> path = Path(tempfile.mkdtemp(), "predictions.parquet")
        >>> with PredictionWriter(path, classes=["Car", "Lorry"]) as writer:
        ...     writer.add("drive.mp4", 7, boxes=np.array([[2, 3, 12, 8]]), scores=[0.5], class_ids=[1])
        >>> polars.read_parquet(path).select("media", "frame", "class", "box").rows()
        [('drive.mp4', 7, 'Lorry', [2.0, 3.0, 10.0, 5.0])]
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        classes: Sequence[str] | Mapping[int, str] | None = None,
        unit: str = "px",
        box_format: str = "xyxy",
        source_label: str | None = None,
        buffer_rows: int = BATCH_ROWS,
        buffer_bytes: int = BATCH_BYTES,
        threads: int | None = None,
        on_error: OnError = "raise",
    ) -> None:
        self.path = Path(path)
        self.report: Report | None = None
        self.skipped = 0
        self.errors: list[RopewalkError] = []
        self.warnings: Counter[str] = Counter()
        if self.path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"{shown(self.path.name)}: expected a name that ends in {' or '.join(SUFFIXES)}")
        if source_label == "":
            raise UsageError("source_label is empty; give a name")
        for name, number in (("buffer_rows", buffer_rows), ("buffer_bytes", buffer_bytes)):
            if number < 1:
                raise UsageError(f"{name} is {number}; expected at least 1")
        if on_error not in get_args(OnError):
            raise UsageError(f"on_error is {on_error!r}; expected one of {', '.join(get_args(OnError))}")
        self._how = Conventions(class_table(classes), unit, box_format, threads)
        self._on_error = on_error
        self._source = source_label
        if source_label is not None and not is_writable(source_label):
            raise UsageError(f"source_label is {ascii(source_label)}, {WRITABLE}")
        self._import: Callable[[], Report] | None = None
        self._takes_tracks = True
        self._closed = False
        self._kept = KeptRows(self.path, source_label, buffer_rows, buffer_bytes)

    @classmethod
    def upload(
        cls,
        project: encord.Project | Snapshot,
        *,
        branch: str,
        path: str | os.PathLike[str] | None = None,
        classes: Sequence[str] | Mapping[int, str] | None = None,
        unit: str = "px",
        box_format: str = "xyxy",
        source_label: str | None = None,
        on_error: OnError = "raise",
        **options: Unpack[UploadKeywords],
    ) -> PredictionWriter:
        """Make a writer that imports onto a branch at its end; its `report` is there afterwards.

        Nothing is sent before the end. The file is removed when all of it was written; otherwise it stays, to be
        imported again without the model.

        Args:
            project: A project of the `encord` client; with `dry_run` also a snapshot.
            branch: The prediction branch.
            path: The file, default `predictions-BRANCH.parquet` in the work folder.
            classes: As for the writer.
            unit: As for the writer.
            box_format: As for the writer.
            source_label: Label of these predictions, needed if they have tracks: tracked objects are recognised by it,
                so give the same one next time, and another one for another model.
            on_error: As for the writer.
            **options: Options of `import_predictions`, those of reading aside.

        Raises:
            UsageError: An argument or option does not fit.
            BlockerError: The branch is not one to write on.
        """
        from ropewalk.importing.options import UploadOptions
        from ropewalk.importing.run import check_branch, import_predictions

        job = made(UploadOptions, options)
        check_branch(branch, job.allow_branch)
        make_folder(job.work_dir)
        file = Path(path) if path is not None else job.work_dir / f"predictions-{branch}.parquet"
        writer = cls(
            file, classes=classes, unit=unit, box_format=box_format, source_label=source_label, on_error=on_error
        )

        def run() -> Report:
            report = import_predictions(
                file, project, branch=branch, source_label=source_label, format=file.suffix[1:].lower(), **options
            )
            if report.exit_code == 0 and not job.dry_run:
                file.unlink()
            return report

        writer._import, writer._takes_tracks = run, source_label is not None
        return writer

    def add(
        self,
        media: str | os.PathLike[str],
        frame: int = 0,
        *,
        boxes: Any = None,
        thetas: Any = None,
        shape: str | None = None,
        masks: Any = None,
        mask_threshold: float | None = None,
        rles: Any = None,
        polygons: Any = None,
        polylines: Any = None,
        points: Any = None,
        keypoints: Any = None,
        scores: Any = None,
        class_ids: Any = None,
        class_names: str | Sequence[str] | None = None,
        track_ids: Any = None,
        attributes: Sequence[Any] | None = None,
        size_hw: tuple[int, int] | None = None,
    ) -> None:
        """Add the n objects of a frame: boxes, or one of the other shapes, with or without boxes beside them.

        Arrays may be numpy's, tensors (of any device; bfloat16 also), or lists. A frame whose arrays do not fit is not
        added.

        Args:
            media: Title, file name or data_hash.
            frame: 0-based frame of a video or image group.
            boxes: (n, 4), in the writer's format and unit; finite.
            thetas: (n,), degrees clockwise about the centre of the boxes, which are given as they are before turning.
            shape: `circle` or `ellipse` where the boxes are those around one.
            masks: (n, h, w) or (n, 1, h, w), or a list of (h, w), at the size of the frame: bool or uint8, where all
                but 0 is foreground, or any numbers with `mask_threshold`; or supervision's `CompactMask`.
            mask_threshold: What masks are above in the foreground: 0.0 for logits, 0.5 for probabilities.
            rles: n masks as run lengths, at the size of the frame: COCO's dicts of `size` (h, w) and `counts`
                (compressed str or bytes, or a list), or Encord's rle_strings with `size_hw`.
            polygons: n of: a ring (k, 2); a list of rings, each a part; a list of parts, each a list of an outline and
                its holes; None for an object that has only its box.
            polylines: n lines (k, 2).
            points: (n, 2).
            keypoints: (n, k, 2), or (n, k, 3) with a flag each: 0 not in the picture, 1 hidden, 2 visible, 3 hidden by
                itself. k points in the order of the ontology's template.
            scores: (n,), 0..1; what rounding puts outside becomes 0 or 1; confidence 1.0 where there are none.
            class_ids: (n,), whole numbers.
            class_names: n names or feature hashes, or one for all.
            track_ids: (n,), numbers, texts or None; equal ones are one object over all frames. -1, NaN and an empty
                text mean no track.
            attributes: n dicts of question and answer, or answers to the only question; as `value` of `add_answers`.
            size_hw: (h, w), px, that px coordinates refer to; default that of the masks or rles, else that of the
                media.

        Raises:
            UsageError: An argument does not fit; names it, what was found and the frame.
            FileError: The temporary file cannot be written; the frame is kept.
        """
        self._add(
            media,
            frame,
            lambda place: objects_of(
                place,
                self._how,
                boxes=boxes,
                thetas=thetas,
                shape=shape,
                masks=masks,
                mask_threshold=mask_threshold,
                rles=rles,
                polygons=polygons,
                polylines=polylines,
                points=points,
                keypoints=keypoints,
                scores=scores,
                class_ids=class_ids,
                class_names=class_names,
                track_ids=track_ids,
                attributes=attributes,
                size_hw=size_hw,
            ),
        )

    def add_answers(
        self,
        media: str | os.PathLike[str],
        frame: int | None = None,
        frame_last: int | None = None,
        *,
        classification: str,
        value: Any,
        score: float | None = None,
    ) -> None:
        """Add the answer to a classification, on a frame, a range of frames or the whole medium.

        Args:
            media: Title, file name or data_hash.
            frame: 0-based first frame; milliseconds of audio. None for the whole medium, or with `frame_last` for 0.
            frame_last: Last frame, inclusive; default `frame`.
            classification: Its name or feature hash.
            value: The option of a radio button, a list of the options of a checklist (empty for none), a text or a
                number; or a dict of these by question.
            score: 0..1; confidence 1.0 where there is none.

        Raises:
            UsageError: An argument does not fit; names it, what was found and the frame.
        """

        def rows(place: Place) -> Rows:
            last = None if frame_last is None else frame_number("frame_last", frame_last)
            if last is not None and place.frame is not None and last < place.frame:
                raise place.error(f"frame_last is {last}, expected at least {place.frame}")
            return Rows(
                place.media,
                place.frame,
                self._how.unit,
                place.texts("classification", [classification], 1),
                frame_last=last,
                scores=None if score is None else place.scores([score]),
                attributes=[place.answers("value", value)],
            )

        self._add(media, 0 if frame is None and frame_last is not None else frame, rows)

    def add_detections(
        self,
        media: str | os.PathLike[str],
        frame: int,
        detections: Any,
        *,
        size_hw: tuple[int, int] | None = None,
    ) -> None:
        """Add the `supervision.Detections` of a frame, px.

        Classes are those in `data["class_name"]`, else `class_id` by the writer's `classes`. With `data["xyxyxyxy"]`
        boxes are turned ones.

        Args:
            media: Title, file name or data_hash.
            frame: 0-based frame.
            detections: With xyxy, mask, confidence, class_id, tracker_id and data.
            size_hw: (h, w), px, of the frame; default that of the masks, else that of the media.

        Raises:
            UsageError: Something in it does not fit; names it, what was found and the frame.
        """
        self._add(media, frame, lambda place: objects_of_detections(place, self._how, detections, size_hw))

    def add_results(
        self,
        media: str | os.PathLike[str],
        frame: int,
        results: Any,
        *,
        segments: str = "masks",
        keypoint_threshold: float = LEAST_KEYPOINT,
    ) -> None:
        """Add the `Results` of Ultralytics of a frame: boxes or turned boxes, masks or their outlines, keypoints.

        Classes are named by the writer's `classes`, else by `results.names`.

        Args:
            media: Title, file name or data_hash.
            frame: 0-based frame.
            results: One image's.
            segments: `masks` takes `masks.data`, which must be of the frame's size (`retina_masks=True`); `polygons`
                takes the outlines that Ultralytics has scaled to the frame, `masks.xy`.
            keypoint_threshold: Points of less confidence are flagged as not in the picture.

        Raises:
            UsageError: Something in it does not fit; names it, what was found and the frame.
        """
        self._add(
            media, frame, lambda place: objects_of_results(place, self._how, results, segments, keypoint_threshold)
        )

    def add_video(
        self,
        media: str | os.PathLike[str],
        results: Iterable[Any],
        *,
        first_frame: int = 0,
        frame_stride: int = 1,
        class_names: str | Mapping[int, str] | None = None,
        mask_threshold: float = 0.0,
        segments: str = "masks",
        keypoint_threshold: float = LEAST_KEYPOINT,
        size_hw: tuple[int, int] | None = None,
    ) -> int:
        """Add the frames of a video as a model gives them, one after the other, and number them.

        Each item is `Results` of Ultralytics, `supervision.Detections`, or the (frame_idx, obj_ids, mask_logits) that
        `propagate_in_video` of SAM 2 yields, which has its number with it. Nothing of the stream is kept but its rows.

        Args:
            media: Title, file name or data_hash.
            results: One item for each frame, in order.
            first_frame: Number of the first frame, 0-based; added to the frame_idx of SAM 2.
            frame_stride: Frames from one item to the next, such as `vid_stride` of Ultralytics; a frame_idx is
                multiplied by it.
            class_names: SAM 2: one name for all objects, or names by object id.
            mask_threshold: SAM 2: what logits are above in the foreground.
            segments: Ultralytics: as for `add_results`.
            keypoint_threshold: Ultralytics: as for `add_results`.
            size_hw: (h, w), px, of the frames: as for `add_detections`; the masks of SAM 2 must be of it.

        Returns:
            The number of items.

        Raises:
            UsageError: An item is none of these, or something in it does not fit; the frames before it are added.
        """
        items = 0
        for frame, item in numbered(results, first_frame, frame_stride):
            items += 1
            rows = partial(
                objects_of_item,
                how=self._how,
                item=item,
                class_names=class_names,
                mask_threshold=mask_threshold,
                segments=segments,
                keypoint_threshold=keypoint_threshold,
                size_hw=size_hw,
            )
            self._add(media, frame, rows)
        return items

    def close(self) -> None:
        """Write the file, and import it where the writer was made by `upload`. Does nothing the second time.

        Raises:
            FileError: The file cannot be written; all rows are kept, and once it can be, `close` may be called again.
            RopewalkError: What stopped the import; the file is there.
        """
        if self._closed:
            return
        self._kept.write()
        self.discard()
        if self.skipped:
            warnings.warn(
                f"{shown(self.path.name)}: {count(self.skipped, 'frame')} skipped; the first: {self.errors[0]}",
                stacklevel=2,
            )
        if self._import is not None:
            try:
                self.report = self._import()
            except BaseException as e:
                # Python 3.11 and later show it below the error.
                if hasattr(e, "add_note"):
                    e.add_note(f"the predictions are kept in {shown(str(self.path))}; import that file to go on")
                raise

    def discard(self) -> None:
        """Remove what is kept: nothing more is written."""
        self._closed = True
        self._kept.discard()

    def __enter__(self) -> PredictionWriter:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __len__(self) -> int:
        """Count the rows added so far."""
        return len(self._kept)

    def _check_open(self) -> None:
        if self._closed:
            raise UsageError(f"{shown(self.path.name)}: the writer is closed")

    def _add(self, media: str | os.PathLike[str], frame: int | None, rows_of: Callable[[Place], Rows]) -> None:
        self._check_open()
        try:
            place = _place(media, frame)
            rows = rows_of(place)
        except RopewalkError as e:
            if self._on_error == "raise":
                raise
            self.skipped += 1
            if len(self.errors) < _ERRORS_KEPT:
                self.errors.append(e)
            return
        self.warnings.update(place.warnings)
        self._keep(rows)

    def _keep(self, rows: Rows) -> None:
        if not len(rows):
            return
        if not self._takes_tracks and any(track is not None for track in rows.tracks or ()):
            raise UsageError(
                f"source_label is needed: {shown(rows.media)} has tracks, which a later import recognises by it; "
                "give `PredictionWriter.upload` the same name each time"
            )
        self._kept.add(rows)


def _place(media: str | os.PathLike[str], frame: int | None) -> Place:
    name = os.fspath(media) if isinstance(media, (str, os.PathLike)) else None
    if not isinstance(name, str) or not name:
        raise UsageError(f"media is {shown(repr(media))}, expected a title, file name or data_hash")
    if not is_writable(name):
        raise UsageError(f"media is {ascii(name)}, {WRITABLE}")
    return Place(name, None if frame is None else frame_number("frame", frame))
