"""The Rust core, reached through the Python modules beside it; the names in this file are the contract."""

from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any, BinaryIO, TypedDict

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from ropewalk.project.snapshot import Medium

class AnnotationBatch:
    """Some rows of the IR, schema v1, as Arrow arrays; `polars.DataFrame(batch)` takes them without a copy."""

    @staticmethod
    def empty() -> AnnotationBatch:
        """Make a batch without rows: it carries the schema."""
    @staticmethod
    def from_arrow(table: object) -> AnnotationBatch:
        """Take a table that follows the schema, from anything with `__arrow_c_array__` or `__arrow_c_stream__`.

        Columns may come as other Arrow types of the same values (large lists, plain strings). Raises SchemaError.
        """
    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_schema__(self) -> object: ...

class WrittenLabels:
    """Annotations with the hashes of the labels that they became, in the order of the stage, as Arrow arrays.

    Columns: source, member, offset, annotation_id and track say which annotation it is; data_hash, label_hash, frame
    (Encord's), feature_hash and object_hash, or classification_hash for an answer, where it is.
    """

    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_schema__(self) -> object: ...

class StageCounts(TypedDict):
    """What became of the annotations read so far; read = staged + rejected + sum of filtered."""

    read: int
    staged: int
    rejected: int
    rejects_by_code: dict[str, int]
    # crowd, min_confidence, dropped_class, only_classes, only_media, limit_rows, every, max_per_frame
    filtered_by_reason: dict[str, int]
    warnings: dict[str, int]  # duplicate_annotation_id, aspect_differs, clipped, track_split_by_class, ...
    # The first reject of each code: message, source, file inside it, the source's own id; of a whole label row only the
    # message
    examples: dict[str, tuple[str, str | None, str | None, str | None]]
    # Class in the source; name, hash and shape of what it becomes (`classification` for answers); what that is made
    # from (box, mask, polygon, keypoints, ...; range, answer); annotations; and how many of them have each warning.
    # What is rejected or left out after it was resolved is counted too.
    classes: list[tuple[str, str, str, str, str, int, dict[str, int]]]
    without_score: int  # objects drawn that have no confidence, and get 1.0
    unresolved_media: list[tuple[str, str, int]]  # (name in the source, reject code, annotations), each name once
    unresolved_classes: list[tuple[str, str, int]]
    media_by_rule: dict[str, int]  # media with annotations: media_map, data_hash, title, path, base_name, stem
    folders_differ: list[tuple[str, str, int]]  # (folder in the source, in the project, annotations)
    left_out_files: int  # files of folders that hold no predictions
    left_out_names: list[str]  # the first of them
    # The first track ids that one medium has from two sources: (track, title, label, other label)
    shared_tracks: list[tuple[str, str, str, str]]

class Plan:
    """What an import is to do, and the project that it is for."""

    def __init__(
        self,
        rules: str,  # JSON of plan.Plan in rust/core, without media
        media: tuple[Medium, ...],
        keys: list[str | None],  # what each medium is matched by instead of its title
        # Of data groups: each as a medium, its group's number, its layout key, and JSON of what label rows have of it
        spaces: list[tuple[Medium, int, str | None, str]],
    ) -> None: ...
    def find_media(self, names: list[str]) -> list[tuple[int | None, int | None, int | None, str | None]]:
        """Tell for each name of a medium where it leads by itself.

        Returns:
            The medium's index in the plan (the spaces follow the media); an image's number in it, where it is an image
            group; the source's frame, where the name is that of a frame; and for a name that was not found the
            `--frame-pattern` by which it would be a frame.
        """

class Stage:
    """Reads sources, resolves and sorts them. Nothing is sent before `finish` has returned."""

    def __init__(
        self,
        plan: Plan,
        rejects: str,  # path of the reject file, written as rejects are found
        work_dir: str | None = None,  # folder for sorted runs; None keeps all in memory
        memory_bytes: int = ...,  # budget above which runs are spilled
        threads: int = 1,
    ) -> None: ...
    def add(
        self,
        source: str | PathLike[str] | bytes | object,  # a file, its content, or a table as `read` takes it
        label: str | None = None,  # source of rows that name none, part of a tracked object's hash; None: of its path
        format: str | None = None,  # name of one of `formats()`; None leaves it to `detect`
        options: str | None = None,  # JSON of formats.ReadOptions in rust/core; only options that the format takes
        progress: Callable[[int], None] | None = None,  # called with bytes read so far
        label_parts: int = 2,  # parts of a path that make a label
    ) -> None:
        """Read a source.

        Raises:
            UsageError: An option that the format does not take, with those that it takes; two documents of one label,
                with their paths.
        """
    def finish(self) -> Staged:
        """Sort the rows. Raises UsageError for tracks of a document without a label: in memory, or part of a table."""

class LabelRowInfo(TypedDict):
    """A staged label row; media are numbered as in the plan."""

    medium: int
    data_hash: str
    title: str
    annotations: int
    frames: int  # that they are on; of ranges the first one
    tracks: int
    has_answers: bool  # whether some of its annotations answer classifications
    sized: bool  # whether the project knows the size; if not, `unfit` is to be asked once the label row is there

class Reconciled(TypedDict):
    """What is to be done with a label row that stands on the branch already."""

    verdict: str  # save, already_there, skipped, refused
    already_there: int  # annotations stored identically
    ours: int
    foreign: int  # objects and classifications this import would not write
    objects_extended: int  # objects of the row that a merge gives more frames
    labels_replaced: int  # labels and answers of the row that a merge gives other content
    numbers_taken: int  # new objects of a merge whose track is the number of another object of their class
    body: bytes | None  # the label row's JSON to save

class Compared(TypedDict):
    """How a label row on the branch differs from what the import would write.

    `equal` and the differences `missing`, `changed` and `conflicting_answer` are together the annotations that it would
    write on the row.
    """

    equal: int  # annotations that are stored as they should be
    # Lines of JSON, each with its newline: code (missing, changed, extra, or conflicting_answer where the row has
    # another answer in its place), data_hash, title, data_unit (its data_hash), frame, object_hash, class (name),
    # fields (of a changed one: the members that differ). A classification has a classification_hash in place of the
    # object_hash, and neither data_unit nor frame where it is in the answers only.
    differences: list[str]

class Staged:
    """The sorted annotations of an import, by label row. Safe to use from several threads; works without the GIL."""

    counts: StageCounts
    def __len__(self) -> int:
        """Number of label rows."""
    def documents(self) -> list[tuple[str, str, bool, str | None]]:
        """List the documents that tracks are recognised by, which are read once more.

        Returns:
            Label, path, whether the label was given, and a digest of the content (32 hex digits, the same however it
            is compressed); the digest is None where the file was changed since, and for tables in memory.
        """
    def label_row(self, index: int) -> LabelRowInfo: ...
    def found(self, index: int) -> list[tuple[str, int, str]]:
        """Tell how the medium of a label row was found; of a data group, each of its spaces that was.

        Returns:
            Name in the sources (the least of several), how many names lead to it, and the rule: media_map, data_hash,
            title, path, base_name or stem.
        """
    def encode(self, index: int, header: bytes | None, when: str) -> bytes:
        """Encode a label row as ASCII JSON.

        Args:
            index: 0..len.
            header: the label row as GET or PUT labelrow answered it; None makes one without a server (for `convert`).
            when: the import's creation time, `Sat, 21 Nov 2026 23:48:11 UTC`.
        """
    def write(self, index: int, file: BinaryIO, header: bytes | None, when: str) -> int:
        """Write what `encode` gives to a file as it is encoded, and return its length in bytes: no row is held whole.

        Raises:
            OSError: What the file's `write` raises, as anything else that it raises.
        """
    def encode_blocks(self, index: int, header: bytes | None, when: str) -> list[memoryview]:
        """Encode as `encode`, in blocks of about 64 KB that together are the text: quicker, for they are not copied."""
    def measure(self, threads: int) -> list[tuple[int, str]]:
        """Measure all label rows, in bytes, without holding any.

        Returns:
            For each label row the length of `encode(index, None, when)` and a digest of 32 hex digits: xxh3-128 of
            that text with a constant time, so that it changes with anything that would be written. Where `sized` is
            false the length is an estimate (px coordinates are taken for those of an image of 1919 x 1079, and
            annotations that will not fit are counted), and the digest covers the staged annotations as well.
        """
    def unfit(self, index: int, header: bytes | None, when: str) -> list[tuple[int, str]]:
        """Find annotations that do not fit a label row whose size the project did not tell; `encode` leaves them out.

        Returns:
            Of each its place among the row's annotations, and its line of a reject file.
        """
    def written(self, rows: list[tuple[int, str, list[int]]]) -> WrittenLabels:
        """List the annotations of label rows with the hashes of the labels that they became.

        Args:
            rows: Of each label row its number, its label_hash, and the places that `unfit` gave, ascending.
        """
    def conflicting(self, index: int, existing: bytes, when: str) -> list[tuple[int, str]]:
        """Find answers that a merge leaves out, since the label row as the server has it holds others in their place.

        Returns:
            As `unfit`.
        """
    def refuse(self, index: int, code: str, message: str) -> list[str]:
        """Reject all annotations of a label row that was not written.

        Args:
            index: 0..len.
            code: server_refused, no_answer, row_missing, existing_row, bad_label_row or row_too_large.
            message: What happened to the row.

        Returns:
            Lines of a reject file; `annotation` is null where the source was changed or removed since it was read.
        """
    def refuse_row(self, index: int, code: str, message: str, len_bytes: int) -> str:
        """Reject a label row as a whole, without the text of its annotations.

        Args:
            index: 0..len.
            code: As for `refuse`.
            message: What happened to the row.
            len_bytes: Size of the row.

        Returns:
            One line of a reject file with code, message, data_hash, title, annotations (their number) and len_bytes.
        """
    def reconcile(self, index: int, existing: bytes, when: str, policy: str) -> Reconciled:
        """Compare a label row with what the branch holds. policy: fail, skip, replace or merge."""
    def namesakes(self, index: int, existing: bytes, labels: list[str]) -> list[tuple[str, str, str]]:
        """Find tracks whose id a label row that the branch holds has under another label: those are other objects.

        Args:
            index: 0..len.
            existing: The label row's JSON.
            labels: Labels of sources that were imported before.

        Returns:
            The id, the label here, and the other one.
        """
    def compare(self, index: int, existing: bytes, when: str) -> Compared:
        """Compare a label row with what the branch holds, annotation by annotation.

        Args:
            index: 0..len.
            existing: The label row as GET labelrow answered it.
            when: As for `encode`; times are not compared.
        """

class FormatInfo(TypedDict):
    """A format of predictions; suffixes are in lower case, with their point."""

    name: str
    about: str
    suffixes: list[str]  # of files that are sources of their own
    members: list[str]  # suffixes of files in a folder that is one source
    beside: list[str]  # names of files that explain such a folder
    options: list[str]  # names of the options that it takes
    frame_base: int  # number of the first frame, unless an option says otherwise
    frame_stride: int  # video frames from one frame of the source to the next, likewise

def formats() -> list[FormatInfo]:
    """List the formats."""

def detect(source: str | PathLike[str] | bytes | object) -> str:
    """Say which format a source is of, by its name and its beginning; of a folder, its first file that is of one.

    Raises:
        SourceError: No format claims it; the message says what it looks like.
        UsageError: Several formats claim it.
    """

def len_bytes(path: str | PathLike[str]) -> int:
    """Give the size of a file or archive, or of all files below a folder (hidden ones left out), as they are stored."""

def is_folder(path: str | PathLike[str]) -> bool:
    """Say whether a path is read as a folder: one on disk, or a file that is called as an archive, as `run.zip`."""

def label_of(path: str | PathLike[str], label_parts: int = 2) -> str:
    """Give the label of a file, or of a folder as one document: the last parts of its path, links not resolved.

    An archive has the label of the folder that it is called after: `run` of `run.zip`.
    """

def read(
    source: str | PathLike[str] | bytes | object,
    label: str | None = None,
    format: str | None = None,
    options: str | None = None,
    label_parts: int = 2,
) -> Predictions:
    """Open a source for reading in batches.

    Args:
        source: A file, a folder, the content of a file, or a table: anything with `__arrow_c_stream__` or
            `__arrow_c_array__`, or an iterable of such.
        label: Source of rows that name none; None gives each document the label of its path.
        format: Name of one of `formats()`; None leaves it to `detect`.
        options: JSON of formats.ReadOptions in rust/core.
        label_parts: Parts of a path that make a label.
    """

class ReadCounts(TypedDict):
    """What became of the annotations read so far; read = rows + rejected + sum of filtered."""

    read: int
    rejected: int
    filtered_by_reason: dict[str, int]  # crowd, ...
    warnings: dict[str, int]  # duplicate_annotation_id, ...
    left_out_files: int
    left_out_names: list[str]

class ListedNames(TypedDict):
    """The media and classes that a document lists, in its order and by the names that its rows have.

    Empty where rows name them in full. An id is text, None where the document gives none; a size is None where it is
    not known.
    """

    media: list[tuple[str | None, str, int, int | None, int | None]]  # id, name, frame, width and height in px
    classes: list[tuple[str | None, str]]  # id, name

class Predictions(Iterator[AnnotationBatch]):
    """Batches of one source, document by document. Rows are checked; rejects are dicts like a reject file's lines.

    A label row that a reject file names as a whole is one dict with its number of `annotations`, and counts as so many.
    """

    def __iter__(self) -> Predictions: ...
    def __next__(self) -> AnnotationBatch: ...
    def survey(self, survey: Survey) -> bool:
        """Read some rows into a survey instead of iterating; False at the end. Rejects are counted, not kept."""
    def names(self) -> ListedNames:
        """List what the document lists; all of it is known as soon as it is opened."""
    format: str | None  # of the document that is read, the name of one of `formats()`
    rejects: list[dict[str, Any]]
    counts: ReadCounts

class Survey:
    """Sums over the rows that were read into it, by format."""

    def __new__(cls) -> Self: ...
    def to_json(self) -> str:
        """Give what was found, by format: `rows` (inspect.Surveyed in rust/core), and `rejects` by code."""

class CocoWriter:
    """A COCO dataset, written to a file batch by batch; what is kept is a line for each image, class and track."""

    def __new__(
        cls,
        file: BinaryIO,  # its `write` takes the dataset, ASCII, in blocks of about 1 MB
        project: Plan | None = None,  # puts names in the place of hashes
    ) -> Self: ...
    def write(self, batch: AnnotationBatch) -> list[dict[str, Any]]:
        """Write a batch, without the GIL.

        Returns:
            Rejects in the form of the reject file's lines: what cannot be written, as rows of a table.
        """
    def finish(self) -> None:
        """Write the images, videos and categories. Nothing can be written afterwards: ValueError."""
    written: int  # annotations
    left_out: int  # answers and lines, which have no place in COCO
    # Written with less than they had: round_as_box (circles, ellipses), attribute_left_out (names that COCO uses)
    warnings: dict[str, int]

# Masks: what `ropewalk.rle` calls, in batches but for the quickest. Sizes are (h, w) in px; counts are run lengths as
# str, bytes or a list of whole numbers, in the pixel order that `from_rows` and `to_rows` name (rows: Encord's,
# columns: COCO's).

def rle_transpose(counts: list[Any], sizes: list[tuple[int, int]], from_rows: bool, threads: int | None) -> list[str]:
    """Rewrite run lengths in the other pixel order."""

def rle_transpose_one(counts: Any, size: tuple[int, int], from_rows: bool) -> str:
    """Rewrite the run lengths of one mask."""

def rle_encode(masks: list[npt.NDArray[np.uint8]], to_rows: bool, threads: int | None) -> list[str]:
    """Encode dense masks of shape (h, w), in C or Fortran order without gaps."""

def rle_encode_above(scores: list[npt.NDArray[np.float32]], threshold: float, threads: int | None) -> list[str]:
    """Encode as rle_strings what is above a threshold in arrays of shape (h, w), in C or Fortran order without gaps."""

def rle_decode(
    counts: list[Any],
    sizes: list[tuple[int, int]],
    out: list[npt.NDArray[np.uint8]] | None,  # to be filled: (h, w), in C or Fortran order without gaps
    from_rows: bool,
    threads: int | None,
) -> list[npt.NDArray[np.uint8]]:
    """Decode into `out`, or into new arrays of shape (h, w) in C order."""

def rle_decode_one(
    counts: Any,
    size: tuple[int, int],
    out: npt.NDArray[np.uint8] | None,
    from_rows: bool,
) -> npt.NDArray[np.uint8]:
    """As `rle_decode` for one mask."""

def rle_from_parts(
    # Parts, rings (outline first, then holes), x y x y ... in px.
    items: list[list[list[npt.NDArray[np.float64] | list[float]]]],
    sizes: list[tuple[int, int]],
    threads: int | None,
) -> list[str]:
    """Draw polygons by COCO's rule as rle_strings, along the rows."""

def rle_to_parts(
    rle_strings: list[Any], sizes: list[tuple[int, int]], threads: int | None
) -> list[list[list[npt.NDArray[np.float64]]]]:
    """Follow the pixel edges of masks: parts, rings, vertices of shape (n, 2) in px."""
