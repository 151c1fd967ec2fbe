"""`verify`: does a branch hold what a source says? Read back and compared object by object."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ropewalk.bars import progress_of
from ropewalk.importing.options import VerifyKeywords, VerifyOptions
from ropewalk.importing.staging import staged_sources
from ropewalk.options import takes
from ropewalk.progress import Progress
from ropewalk.project.live import StandingRow, project_from_listing, standing_from_listing
from ropewalk.project.narrowing import asks_metadata
from ropewalk.reading.predictions import Given, sources_of
from ropewalk.report import EXIT_ALL_WRITTEN, EXIT_WITH_REJECTS, Report

if TYPE_CHECKING:
    import encord
    from typing_extensions import Unpack

    from ropewalk._core import Staged
    from ropewalk.sinks.encord.rows import LabelRows

_BATCH_ROWS = 20
_EXAMPLES = 20

# Places with differences that are counted one by one.
_PLACES = 1_000

# Told a difference as one line of JSON, with its line end.
OnDifference = Callable[[str], object]


@dataclass(frozen=True)
class Difference:
    """How many differences of a kind there are on a medium, in a class.

    Attributes:
        title: Title of the medium; None for all those that are not listed one by one.
        data_hash: Its hash; None likewise.
        class_name: Name of the ontology object or classification; None where a whole label row is missing.
        code: missing, changed, extra, conflicting_answer, or row_missing.
        annotations: How many.
    """

    title: str | None
    data_hash: str | None
    class_name: str | None
    code: str
    annotations: int


@dataclass
class Verification:
    """How a branch differs from a source; annotations_expected = equal + missing + changed.

    Attributes:
        annotations_expected: Annotations that an import of the source would write.
        equal: Those that stand there as it would write them.
        missing: Those that do not stand there, rows that are missing included.
        changed: Those that stand there with other content.
        extra: Objects and classifications on the source's label rows that it would not write.
        rows_missing: Label rows of the source that the branch does not have.
        rows_elsewhere: Label rows of the branch that the source does not mention; they are not looked at.
        rejected: Annotations of the source that no import could write, by code; `conflicting_answer` also for answers
            where the branch holds other ones.
        differences: How many there are by medium, class and code, the most frequent first. Of more than 1,000 such
            places the others are summed by code.
        examples: The first differences.
        notices: What the version of the `encord` SDK changes.
        exit_code: 0 when nothing differs, 3 when something does.
    """

    annotations_expected: int = 0
    equal: int = 0
    missing: int = 0
    changed: int = 0
    extra: int = 0
    rows_missing: int = 0
    rows_elsewhere: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    exit_code: int = EXIT_ALL_WRITTEN

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        """Sum it up in lines, as the command line does."""
        from ropewalk.summary import verification_lines

        places = [
            f"{d.code} {d.annotations:,}: {', '.join(filter(None, (d.title, d.class_name))) or 'other media'}"
            for d in self.differences[:_EXAMPLES]
        ]
        return "\n".join((*verification_lines(self.as_dict()), *places))

    def _repr_html_(self) -> str:
        from ropewalk.pages.page import lines, table
        from ropewalk.summary import verification_lines

        columns = ("medium", "data hash", "class", "difference", "annotations")
        rows = ((d.title or "", d.data_hash or "", d.class_name or "", d.code, d.annotations) for d in self.differences)
        return lines("\n".join(verification_lines(self.as_dict()))) + (table(columns, rows) if self.differences else "")

    def finish(self, *, allow_extra: bool) -> None:
        """Set the exit code."""
        differs = self.missing or self.changed or self.rejected or (self.extra and not allow_extra)
        self.exit_code = EXIT_WITH_REJECTS if differs else EXIT_ALL_WRITTEN


@takes(VerifyOptions)
def verify_predictions(
    predictions: Given,
    project: encord.Project,
    *,
    branch: str,
    allow_extra: bool = False,
    on_difference: OnDifference | None = None,
    progress: Progress | Literal["auto"] | None = None,
    **options: Unpack[VerifyKeywords],
) -> Verification:
    """Compare a branch with predictions.

    Args:
        predictions: As `import_predictions` takes them; labels of sources must be those of the import.
        project: A project of the `encord` client.
        branch: The branch.
        allow_extra: Whether other objects may stand on the same label rows, as after a merge.
        on_difference: Told each difference: a line of JSON with code (missing, changed, extra,
            conflicting_answer, row_missing) and place.
        progress: Told about phases; "auto" shows a bar on a terminal or in a notebook.
        **options: Those of `ropewalk verify --help`, under the same names: the import's, where it has them.

    Returns:
        How they differ.

    Raises:
        UsageError: An option, a map or a path does not fit.
        BlockerError: The source cannot be read.
        EncordError: Encord refused the key or could not be reached any more.
    """
    sources, job = sources_of(predictions, VerifyOptions, options)
    from ropewalk.sinks.encord.connection import connected

    with connected(project, job) as (rows, _), progress_of(progress) as told:
        entries = rows.listing(branch, images_data=True, client_metadata=asks_metadata(job.media_key))
        known, standing = (
            project_from_listing(project, rows.ontology(str(project.ontology_hash)), entries),
            standing_from_listing(entries),
        )
        report = Report(branch=branch)
        with staged_sources(sources, known, branch, job, report, told, None) as (
            staged,
            _rejects,
        ):
            result = compare_rows(staged, range(len(staged)), rows, standing, on_difference, told)
    for code, n in report.rejects_by_code.items():
        result.rejected[code] = result.rejected.get(code, 0) + n
    result.notices = rows.notices
    result.finish(allow_extra=allow_extra)
    return result


def compare_rows(
    staged: Staged,
    indices: Iterable[int],
    rows: LabelRows,
    standing: Mapping[str, StandingRow],
    on_difference: OnDifference | None,
    progress: Progress,
) -> Verification:
    """Compare staged label rows with those of a branch.

    Args:
        staged: The sorted annotations.
        indices: Label rows of the stage.
        rows: The project's.
        standing: data_hash -> row on the branch.
        on_difference: Told each difference.
        progress: Told about rows.
    """
    result = Verification()
    places = _Places()
    wanted = list(indices)
    mentioned = {staged.label_row(index)["data_hash"] for index in wanted}
    result.rows_elsewhere = sum(data_hash not in mentioned for data_hash in standing)
    progress.start("verifying", sum(staged.label_row(index)["annotations"] for index in wanted), "annotations")
    done = 0
    for index, existing in _read_back(staged, wanted, rows, standing):
        lines = _missing_row(staged, index, result) if existing is None else _compare(staged, index, existing, result)
        for line in lines:
            difference = json.loads(line)
            places.count(difference)
            if len(result.examples) < _EXAMPLES:
                result.examples.append(difference)
            if on_difference is not None:
                on_difference(line)
        done += staged.label_row(index)["annotations"]
        progress.update(done)
    progress.end()
    result.differences = places.found()
    return result


class _Places:
    """Counts differences by medium, class and code; memory is bounded."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str | None, str | None, str | None, str]] = Counter()

    def count(self, difference: Mapping[str, Any]) -> None:
        code = difference["code"]
        place = (difference["title"], difference["data_hash"], difference.get("class"), code)
        if place not in self._counts and len(self._counts) >= _PLACES:
            place = (None, None, None, code)
        self._counts[place] += difference.get("annotations", 1)

    def found(self) -> list[Difference]:
        ordered = sorted(self._counts.items(), key=lambda item: (item[0][0] is None, -item[1], str(item[0])))
        return [Difference(*place, n) for place, n in ordered]


def _missing_row(staged: Staged, index: int, result: Verification) -> list[str]:
    info = staged.label_row(index)
    result.rows_missing += 1
    result.missing += info["annotations"]
    result.annotations_expected += info["annotations"]
    named = {key: info[key] for key in ("data_hash", "title", "annotations")}
    return [json.dumps({"code": "row_missing", **named}) + "\n"]


def _compare(staged: Staged, index: int, existing: bytes, result: Verification) -> list[str]:
    info = staged.label_row(index)
    compared = staged.compare(index, existing, _WHEN)
    result.annotations_expected += info["annotations"]
    result.equal += compared["equal"]
    unfit = (line for _, line in staged.unfit(index, existing, _WHEN))
    for line in (*unfit, *compared["differences"]):
        code = json.loads(line)["code"]
        if code in _DIFFERENCES:
            setattr(result, code, getattr(result, code) + 1)
        else:
            result.rejected[code] = result.rejected.get(code, 0) + 1
            result.annotations_expected -= 1
    return compared["differences"]


# Codes of differences that are counted under their own names; others are those of rejects.
_DIFFERENCES = frozenset({"missing", "changed", "extra"})

# Times are no content: any will do.
_WHEN = "Thu, 01 Jan 1970 00:00:00 UTC"


def _read_back(
    staged: Staged, indices: list[int], rows: LabelRows, standing: Mapping[str, StandingRow]
) -> Iterator[tuple[int, bytes | None]]:
    for at in range(0, len(indices), _BATCH_ROWS):
        stands = {index: standing.get(staged.label_row(index)["data_hash"]) for index in indices[at : at + _BATCH_ROWS]}
        answers = rows.get([row.label_hash for row in stands.values() if row is not None])
        for index, row in stands.items():
            yield index, None if row is None else answers.pop(row.label_hash, None)
