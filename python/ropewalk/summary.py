"""What became of an import, in lines for people: for the command line, for `print` and for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ropewalk.files import STDOUT
from ropewalk.importing.notes import NOTES, SHARED_TRACK, WITHOUT_SCORE
from ropewalk.text import count, shown, size

if TYPE_CHECKING:
    from ropewalk.importing.planned import PlannedReject
    from ropewalk.report import FoldersDiffer, RejectExample, Report, Unresolved

_UNRESOLVED_SHOWN = 20
_FOLDERS_SHOWN = 5

# The rules by which media are found, the strongest first.
_RULES = (
    ("media_map", "--media-map"),
    ("data_hash", "data_hash"),
    ("title", "title"),
    ("path", "folder and name"),
    ("base_name", "base name"),
    ("stem", "name without suffix"),
)
_SHARED_TRACKS_SHOWN = 5

# Room for a sentence with the longest path that systems take.
MESSAGE_CHARACTERS = 5_000


def report_lines(report: Report, verb: str) -> list[str]:
    """Build the lines of a report for people; names from the input are made safe to show."""
    lines = [
        f"{count(report.annotations_read, 'annotation')} read: {report.annotations_written:,} {verb}, "
        f"{report.annotations_rejected:,} rejected, {report.annotations_filtered:,} filtered, "
        f"{report.annotations_already_there:,} already there",
        _saved_line(report),
    ]
    for number, text in (
        (report.label_rows_already_there, "already there"),
        (report.label_rows_skipped, "skipped, since they hold other objects"),
        (report.label_rows_created_empty, "without predictions created empty"),
        (report.label_rows_failed, "failed"),
    ):
        if number:
            lines.append(f"{count(number, 'label row')} {text}")
    for number, noun, text in (
        (report.objects_extended, "object", "of the branch extended to more frames"),
        (report.labels_replaced, "label", "of the branch replaced"),
    ):
        if number:
            lines.append(f"{count(number, noun)} {text}")
    if report.plan is None:
        lines += reject_lines(report.rejects_by_code, report.reject_examples)
        lines += sums_lines("filtered", report.filtered_by_reason)
        lines += sums_lines("warnings", report.warnings)
    if report.media_by_rule:
        lines.append(_media_line(report.media_by_rule))
    lines += _folders_lines(report.folders_differ)
    lines += _shared_track_lines(report)
    if report.annotations_without_score:
        without = count(report.annotations_without_score, "annotation")
        lines.append(f"{without} without a score, written with confidence 1.0; {WITHOUT_SCORE}")
    if report.files_left_out:
        names = shown_names(report.files_left_out_names, total=report.files_left_out)
        lines.append(f"{count(report.files_left_out, 'file')} without predictions left out: {names}")
    if report.edited_by_others:
        names = shown_names(report.edited_by_others)
        lines.append(f"edited by someone else since this import stored them: {names}")
    lines += [shown(notice, MESSAGE_CHARACTERS) for notice in report.notices]
    if report.verification is not None:
        lines += verification_lines(report.verification)
    if report.plan is None:
        lines += unresolved_lines("medium", report.unresolved_media)
        lines += unresolved_lines("class", report.unresolved_classes)
    if report.rejects_file not in (None, str(STDOUT)):
        lines.append(rejects_line(report.rejects_file))
    if report.written_file not in (None, str(STDOUT)):
        lines.append(f"hashes of what was written are in {shown(report.written_file)}")
    if report.project_title is not None and report.plan is None:
        lines.append(target_line(report.branch or "", report.project_title, report.project_hash or ""))
        if report.project_url is not None:
            lines.append(report.project_url)
    return lines


def target_line(branch: str, project_title: str, project_hash: str) -> str:
    """Name a branch and its project."""
    return f"branch {shown(branch)} of {shown(project_title)} ({project_hash})"


def _saved_line(report: Report) -> str:
    if report.output is None:
        saved = "to be saved" if report.dry_run else "saved"
        rows = count(report.label_rows_saved, "label row")
        return f"{rows} {saved}, {size(report.bytes_sent)}, {report.seconds:.1f} s"
    out = report.output
    columns = "" if out.columns is None else f" of {count(out.columns, 'column')}"
    return (
        f"wrote {shown(out.path)}: {count(out.rows, out.what[:-1])}{columns}, {size(out.len_bytes)}, "
        f"{report.seconds:.1f} s"
    )


def active_line(active: Mapping[str, Any]) -> str:
    """Say what was started in Active, and what it will show of videos."""
    from ropewalk.showing.sync import FRAMES_NOTE

    if active["error"] is not None:
        error = shown(active["error"], MESSAGE_CHARACTERS)
        return f"the import is done, but Active does not show it yet: {error}; `ropewalk sync` tries again"
    if active["started"] is None:
        return "Active: no sync, since nothing was saved; `ropewalk sync` starts one all the same"
    if active["started"] == "sync":
        return f"Active: sync started, the app shows how far it is; {FRAMES_NOTE}"
    rate = active["video_sampling_rate"]
    frames = FRAMES_NOTE if rate is None else f"of a video Active will show {rate:g} frames a second"
    return f"Active: import ({active['import_as']}) started, the app shows how far it is; {frames}"


def shown_names(names: Sequence[str], most: int = 5, total: int | None = None) -> str:
    """List the first of some names, and say how many more there are; `total` where not all of them are given."""
    left = (len(names) if total is None else total) - most
    more = f" and {left:,} more" if left > 0 else ""
    return ", ".join(map(shown, names[:most])) + more


def verification_lines(found: Mapping[str, Any]) -> list[str]:
    """Build the lines about how a branch differs from a source, for people."""
    lines = [
        f"verified: {found['equal']:,} of {count(found['annotations_expected'], 'annotation')} are there as they "
        f"should be, {found['missing']:,} missing, {found['changed']:,} changed, {found['extra']:,} extra"
    ]
    if found["rows_missing"]:
        lines.append(f"{count(found['rows_missing'], 'label row')} missing")
    if found["rejected"]:
        lines.append("rejected: " + ", ".join(f"{name} {n:,}" for name, n in sorted(found["rejected"].items())))
    return lines + [shown(notice, MESSAGE_CHARACTERS) for notice in found["notices"]]


def _shared_track_lines(report: Report) -> list[str]:
    lines = [
        f'track "{shown(found.track)}" on "{shown(found.media)}" is an object of {shown(found.sources[0])} '
        f"and another one of {shown(found.sources[1])}"
        for found in report.shared_tracks[:_SHARED_TRACKS_SHOWN]
    ]
    left = report.warnings.get(SHARED_TRACK, 0) - len(lines)
    if left > 0:
        lines.append(f"and {left:,} more tracks of several sources; --source-label NAME makes them one")
    return lines


def rejects_line(file: str) -> str:
    return f"rejects are in {shown(file, MESSAGE_CHARACTERS)}"


def _media_line(by_rule: Mapping[str, int]) -> str:
    found = [f"{by_rule[rule]:,} by {text}" for rule, text in _RULES if rule in by_rule]
    n, _, first = found[0].partition(" ")
    return ", ".join([f"{n} {'medium' if n == '1' else 'media'} {first}", *found[1:]])


def _folders_lines(folders: list[FoldersDiffer]) -> list[str]:
    lines = [
        f'matched by file name, though the folders differ: "{shown(entry.source)}" in the source, '
        f'"{shown(entry.project)}" in the project, {count(entry.annotations, "annotation")}'
        for entry in folders[:_FOLDERS_SHOWN]
    ]
    if len(folders) > _FOLDERS_SHOWN:
        lines.append(f"and {len(folders) - _FOLDERS_SHOWN:,} more such folders; the report names them all")
    return lines


def reject_lines(rejects: Mapping[str, int], examples: Mapping[str, RejectExample | PlannedReject]) -> list[str]:
    """Say what was rejected, by code, with the first message of each."""
    lines = sums_lines("rejected", rejects)
    for code in sorted(rejects):
        example = examples.get(code)
        if example is not None:
            place = f" ({shown(example.place)})" if example.place else ""
            lines.append(f"  {code}: {shown(example.message, MESSAGE_CHARACTERS)}{place}")
    return lines


def sums_lines(title: str, sums: Mapping[str, int]) -> list[str]:
    """Write sums in a line, and a note below for each that has one."""
    if not sums:
        return []
    line = f"{title}: " + ", ".join(f"{shown(name)} {n:,}" for name, n in sorted(sums.items()))
    return [line, *(f"  {name}: {NOTES[name]}" for name in sorted(sums) if name in NOTES)]


def unresolved_lines(what: str, names: Sequence[Unresolved]) -> list[str]:
    """Name what is not found in the project, with the nearest names that are; the first of many."""
    lines = []
    for entry in names[:_UNRESOLVED_SHOWN]:
        nearest = f"; nearest: {', '.join(map(shown, entry.nearest))}" if entry.nearest else ""
        annotations = count(entry.annotations, "annotation")
        lines.append(f'{what} "{shown(entry.name)}": {entry.code}, {annotations}{nearest}')
    if len(names) > _UNRESOLVED_SHOWN:
        lines.append(f"and {len(names) - _UNRESOLVED_SHOWN:,} more; the report names them all")
    return lines
