"""The report of an import: how many annotations went where, and why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ropewalk.errors import AccountingError, UsageError
from ropewalk.files import STDOUT, named, written_whole
from ropewalk.importing.notes import SHARED_TRACK
from ropewalk.nearest import nearest
from ropewalk.options import spelt
from ropewalk.text import count

if TYPE_CHECKING:
    import polars

    from ropewalk._core import ReadCounts, StageCounts
    from ropewalk.importing.planned import ImportPlan

EXIT_ALL_WRITTEN = 0
EXIT_STOPPED = 1
EXIT_USAGE = 2
EXIT_WITH_REJECTS = 3

# Nearest names cost a comparison each: bounded, so that a wrong project does not take minutes to say so.
_MAX_NAMES_COMPARED = 20

_MAX_SHARED_TRACKS = 20


@dataclass(frozen=True)
class Unresolved:
    """A class or medium of the source that the project does not have."""

    name: str
    code: str
    annotations: int
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoldersDiffer:
    """Two folders whose files were matched by name alone; `annotations` were placed by such a match."""

    source: str
    project: str
    annotations: int


@dataclass(frozen=True)
class SharedTrack:
    """A track id that two sources have on one medium; it is an object of each.

    Attributes:
        track: The id.
        media: Title of the medium.
        sources: Labels of the two sources; one of them may be that of an earlier import.
    """

    track: str
    media: str
    sources: tuple[str, str]


@dataclass(frozen=True)
class RejectExample:
    """The first annotation that was rejected for a reason.

    Attributes:
        message: Why, and what to do.
        place: Its source, the file inside it, the annotation's id; empty for a label row as a whole.
    """

    message: str
    place: str = ""


@dataclass(frozen=True)
class Output:
    """A file that a conversion wrote.

    Attributes:
        path: The file.
        what: What its rows are: `rows`, `label rows` or `annotations`.
        rows: How many.
        columns: Of a table; None for other files.
        len_bytes: Its size in bytes.
    """

    path: str
    what: str
    rows: int
    columns: int | None
    len_bytes: int


@dataclass
class Report:
    """What became of the annotations of an import.

    annotations_read = written + rejected + filtered + already_there + not_sent; not_sent (staged, and not known to be
    stored) is 0 unless the import was stopped. With `dry_run` the figures are those a real import would have had;
    bytes_sent is then without the headers that only the server knows.

    A merge adds to what is there: objects_extended counts objects of the branch that got more frames, labels_replaced
    labels of the branch that got other content.

    reject_examples has the first reject of each code. plan is that of a dry run, else None. project_url is the page of
    the project in Encord's app, where its address is known. output is the file of a conversion, else None.

    notices say what the version of the `encord` SDK changes, such as its public calls being used unasked.
    """

    project_title: str | None = None
    project_hash: str | None = None
    project_url: str | None = None
    branch: str | None = None
    dry_run: bool = False
    exit_code: int = EXIT_STOPPED
    stopped_by: str | None = None
    annotations_read: int = 0
    annotations_written: int = 0
    annotations_rejected: int = 0
    annotations_filtered: int = 0
    annotations_already_there: int = 0
    annotations_not_sent: int = 0
    rejects_by_code: dict[str, int] = field(default_factory=dict)
    reject_examples: dict[str, RejectExample] = field(default_factory=dict)
    filtered_by_reason: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    media_by_rule: dict[str, int] = field(default_factory=dict)
    folders_differ: list[FoldersDiffer] = field(default_factory=list)
    annotations_without_score: int = 0
    unresolved_media: list[Unresolved] = field(default_factory=list)
    unresolved_classes: list[Unresolved] = field(default_factory=list)
    shared_tracks: list[SharedTrack] = field(default_factory=list)
    objects_extended: int = 0
    labels_replaced: int = 0
    files_left_out: int = 0
    files_left_out_names: list[str] = field(default_factory=list)
    label_rows_staged: int = 0
    label_rows_saved: int = 0
    label_rows_created_empty: int = 0
    label_rows_already_there: int = 0
    label_rows_skipped: int = 0
    label_rows_failed: int = 0
    rows_not_created: dict[str, str] = field(default_factory=dict)
    edited_by_others: list[str] = field(default_factory=list)
    verification: dict[str, Any] | None = None
    active: dict[str, Any] | None = None
    notices: list[str] = field(default_factory=list)
    bytes_sent: int = 0
    seconds: float = 0.0
    rejects_file: str | None = None
    written_file: str | None = None
    output: Output | None = None
    plan: ImportPlan | None = None

    def add_staged(self, counts: StageCounts) -> None:
        """Take over what reading and resolving counted; all that was staged counts as not sent so far."""
        self.annotations_read = counts["read"]
        self.annotations_rejected = counts["rejected"]
        self.annotations_filtered = sum(counts["filtered_by_reason"].values())
        self.annotations_not_sent = counts["staged"]
        self.rejects_by_code = dict(counts["rejects_by_code"])
        self.reject_examples = {
            code: RejectExample(message, _place(*place)) for code, (message, *place) in counts["examples"].items()
        }
        self.filtered_by_reason = dict(counts["filtered_by_reason"])
        self.warnings = dict(counts["warnings"])
        self.media_by_rule = dict(counts["media_by_rule"])
        differ = sorted(counts["folders_differ"], key=lambda item: (-item[2], item))
        self.folders_differ = [FoldersDiffer(*item) for item in differ]
        self.shared_tracks = [SharedTrack(track, media, (a, b)) for track, media, a, b in counts["shared_tracks"]]
        self.annotations_without_score = counts["without_score"]
        self.leave_out(counts)
        self.check()

    def leave_out(self, counts: StageCounts | ReadCounts) -> None:
        """Count files of folders that hold no predictions, and name the first of them."""
        self.files_left_out += counts["left_out_files"]
        self.files_left_out_names += counts["left_out_names"]

    def warn(self, name: str, count: int) -> None:
        """Add to a warning that only sending can count."""
        if count:
            self.warnings[name] = self.warnings.get(name, 0) + count

    def share_tracks(self, tracks: Sequence[SharedTrack]) -> None:
        """Count tracks whose id the branch has from another source, and name the first of them."""
        if tracks:
            self.warn(SHARED_TRACK, len(tracks))
            self.shared_tracks += tracks[: max(0, _MAX_SHARED_TRACKS - len(self.shared_tracks))]

    def reject(self, code: str, annotations: int, example: RejectExample | None = None) -> None:
        """Count staged annotations that were rejected after all; the first of a code is kept as an example."""
        if example is not None:
            self.reject_examples.setdefault(code, example)
        self.annotations_rejected += annotations
        self.annotations_not_sent -= annotations
        self.rejects_by_code[code] = self.rejects_by_code.get(code, 0) + annotations

    def filter(self, reason: str, annotations: int) -> None:
        """Count staged annotations that the user's options leave out after all."""
        self.annotations_filtered += annotations
        self.annotations_not_sent -= annotations
        self.filtered_by_reason[reason] = self.filtered_by_reason.get(reason, 0) + annotations

    def write(self, written: int, already_there: int) -> None:
        """Count staged annotations that stand on the branch now."""
        self.annotations_written += written
        self.annotations_already_there += already_there
        self.annotations_not_sent -= written + already_there

    def check(self) -> None:
        """Assert that the sums hold.

        Raises:
            AccountingError: They do not.
        """
        accounted = (
            self.annotations_written
            + self.annotations_rejected
            + self.annotations_filtered
            + self.annotations_already_there
            + self.annotations_not_sent
        )
        sums = {
            "annotations": (self.annotations_read, accounted),
            "rejects": (self.annotations_rejected, sum(self.rejects_by_code.values())),
            "filtered": (self.annotations_filtered, sum(self.filtered_by_reason.values())),
        }
        wrong = [f"{name}: {a} is not {b}" for name, (a, b) in sums.items() if a != b]
        if wrong or self.annotations_not_sent < 0:
            raise AccountingError(f"the sums of the report do not hold ({'; '.join(wrong)}); please report this fault")

    def finish(self) -> None:
        """Check the sums of an import that ran to its end, and set its exit code.

        Raises:
            AccountingError: The sums do not hold, or annotations were left over.
        """
        self.check()
        if self.annotations_not_sent:
            raise AccountingError(f"{self.annotations_not_sent} annotations were left over; please report this fault")
        differs = self.verification is not None and self.verification["exit_code"] != EXIT_ALL_WRITTEN
        left_out = self.annotations_rejected or self.label_rows_failed or differs
        self.exit_code = EXIT_WITH_REJECTS if left_out else EXIT_ALL_WRITTEN

    def __str__(self) -> str:
        """Sum it up in lines, as the command line does."""
        from ropewalk.summary import report_lines

        return "\n".join(report_lines(self, "to be written" if self.dry_run else "written"))

    def _repr_html_(self) -> str:
        from ropewalk.pages.page import lines

        return lines(str(self))

    def rejects(self) -> polars.DataFrame:
        """Read the reject file as a table.

        Returns:
            A row for each line: code, message, source, member, byte, annotation_id, annotations (how many the line
            stands for), title (of a label row that was rejected whole) and annotation (its JSON text, null where there
            is none). Empty where nothing was rejected.

        Raises:
            UsageError: There are rejects, and they were not kept in a file, as those of a dry run.
            FileError: The file cannot be read.
        """
        import polars

        schema = {
            **dict.fromkeys(("code", "message", "source", "member"), polars.String),
            "byte": polars.UInt64,
            "annotation_id": polars.String,
            "annotations": polars.UInt64,
            **dict.fromkeys(("title", "annotation"), polars.String),
        }
        if self.rejects_file in (None, str(STDOUT)):
            if self.annotations_rejected:
                raise UsageError(
                    f"{count(self.annotations_rejected, 'annotation')} rejected and not kept in a file; name one with "
                    f"{spelt('rejects')}"
                )
            return polars.DataFrame(schema=schema)
        path = Path(str(self.rejects_file))
        with named(path, "read"), path.open(encoding="utf-8") as file:
            rows = [_reject_row(json.loads(line), schema) for line in file]
        return polars.DataFrame(rows, schema=schema, orient="row")

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """Return the report as JSON text, ASCII, with a line end."""
        return json.dumps(self.as_dict(), indent=1) + "\n"

    def save(self, path: Path) -> None:
        """Write the report to a file, whole or not at all; `-` is stdout.

        Raises:
            FileError: It cannot be written.
        """
        with written_whole(path) as temporary:
            temporary.write_text(self.to_json(), encoding="ascii")


def _place(source: str | None, member: str | None, annotation_id: str | None) -> str:
    named = None if annotation_id is None else f"annotation {annotation_id}"
    return ", ".join(part for part in (source, member, named) if part is not None)


def example_of(reject: Mapping[str, Any]) -> RejectExample:
    """Make an example of a line of a reject file."""
    return RejectExample(reject["message"], _place(*map(reject.get, ("source", "member", "annotation_id"))))


def _reject_row(reject: Mapping[str, Any], columns: Iterable[str]) -> tuple[Any, ...]:
    annotation = reject.get("annotation")
    whole = annotation is None or isinstance(annotation, str)
    text = annotation if whole else json.dumps(annotation, ensure_ascii=False)
    values = {"annotations": 1, **reject, "annotation": text}
    return tuple(values.get(column) for column in columns)


def unresolved(names: Iterable[tuple[str, str, int]], existing: Sequence[str]) -> list[Unresolved]:
    """Name what was not found, most frequent first, with the nearest names that exist.

    Args:
        names: (name in the source, reject code, annotations).
        existing: Names of the project.

    Returns:
        One entry a name; the nearest names are looked up for the first 20 only.
    """
    ordered = sorted(names, key=lambda item: (-item[2], item[0]))
    return [
        Unresolved(name, code, n, _near(name, existing) if rank < _MAX_NAMES_COMPARED else ())
        for rank, (name, code, n) in enumerate(ordered)
    ]


def _near(name: str, existing: Sequence[str]) -> tuple[str, ...]:
    return tuple(near for near, _ in nearest(name, existing))
