"""The report's sums, exit codes and nearest names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ropewalk.errors import AccountingError
from ropewalk.importing.notes import SHARED_TRACK
from ropewalk.report import Report, SharedTrack, unresolved
from ropewalk.summary import report_lines


def counts(**changes: Any) -> Any:
    return {
        "read": 10,
        "staged": 6,
        "rejected": 1,
        "rejects_by_code": {"no_size": 1},
        "left_out_files": 2,
        "left_out_names": ["run/args.json", "run/notes.md"],
        "filtered_by_reason": {"crowd": 2, "min_confidence": 1},
        "warnings": {"clipped": 4},
        "media_by_rule": {"base_name": 1, "title": 38},
        "folders_differ": [("/data/cam1", "bucket/raw", 2), ("/data/cam2", "bucket/raw", 3)],
        "shared_tracks": [],
        "examples": {"no_size": ("its size is not known", "a.json", None, "7")},
        "without_score": 3,
        "unresolved_media": [],
        "unresolved_classes": [],
    } | changes


def test_sums_hold_all_the_way() -> None:
    report = Report()
    report.add_staged(counts())
    assert report.annotations_not_sent == 6
    report.write(3, 1)
    report.filter("existing_row_skipped", 1)
    report.reject("server_refused", 1)
    report.finish()
    assert (report.annotations_written, report.annotations_already_there) == (3, 1)
    assert (report.annotations_filtered, report.annotations_rejected, report.exit_code) == (4, 2, 3)


def test_all_written_is_exit_code_0() -> None:
    report = Report()
    report.add_staged(counts(rejected=0, rejects_by_code={}, read=9))
    report.write(6, 0)
    report.finish()
    assert report.exit_code == 0


@pytest.mark.parametrize(
    "changes",
    [{"read": 11}, {"staged": 7}, {"rejected": 2, "staged": 5}, {"filtered_by_reason": {"crowd": 2}}],
)
def test_counts_that_do_not_add_up(changes: dict[str, Any]) -> None:
    with pytest.raises(AccountingError, match="sums"):
        Report().add_staged(counts(**changes))


def test_annotations_left_over_or_counted_twice() -> None:
    report = Report()
    report.add_staged(counts())
    report.write(5, 0)
    with pytest.raises(AccountingError, match="1 annotations were left over"):
        report.finish()
    report.write(2, 0)
    with pytest.raises(AccountingError):
        report.finish()


def test_tracks_of_several_sources_are_named_and_counted() -> None:
    report = Report()
    report.add_staged(counts(shared_tracks=[("7", "drive.mp4", "a/p.json", "b/p.json")], warnings={SHARED_TRACK: 1}))
    report.share_tracks([SharedTrack(str(n), "night.mp4", ("c/p.json", "a/p.json")) for n in range(30)])
    assert report.warnings == {SHARED_TRACK: 31} and len(report.shared_tracks) == 20
    lines = report_lines(report, "written")
    assert 'track "7" on "drive.mp4" is an object of a/p.json and another one of b/p.json' in lines
    assert 'track "0" on "night.mp4" is an object of c/p.json and another one of a/p.json' in lines
    assert "and 26 more tracks of several sources; --source-label NAME makes them one" in lines


def test_what_a_merge_did_to_the_branch_is_said() -> None:
    lines = report_lines(Report(objects_extended=1, labels_replaced=1200), "written")
    assert "1 object of the branch extended to more frames" in lines
    assert "1,200 labels of the branch replaced" in lines


def test_an_empty_row_that_could_not_be_made_is_not_all_written() -> None:
    report = Report(label_rows_failed=1)
    report.finish()
    assert report.exit_code == 3


def test_json_has_what_machines_look_for(tmp_path: Path) -> None:
    report = Report()
    report.add_staged(counts())
    report.save(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["rejects_by_code"] == {"no_size": 1}
    assert (written["files_left_out"], written["files_left_out_names"]) == (2, ["run/args.json", "run/notes.md"])
    assert {
        "annotations_read",
        "annotations_written",
        "annotations_rejected",
        "annotations_filtered",
        "annotations_already_there",
        "annotations_without_score",
        "rejects_by_code",
        "label_rows_saved",
        "bytes_sent",
        "seconds",
    } <= written.keys()


def test_nearest_names_and_order() -> None:
    found = unresolved([("Cra", "unknown_class", 2), ("zebra", "unknown_class", 5)], ["Car", "Road", "Crab"])
    assert [entry.name for entry in found] == ["zebra", "Cra"]
    assert set(found[1].nearest) == {"Car", "Crab"}


def test_names_from_the_input_are_shown_escaped() -> None:
    report = Report(unresolved_media=unresolved([("\x1b[2Jevil\r\n", "unknown_media", 1)], []))
    text = "\n".join(report_lines(report, "written"))
    assert "\x1b" not in text and "\r" not in text and "evil" in text


def test_the_summary_says_how_media_were_found() -> None:
    report = Report()
    report.add_staged(counts())
    lines = report_lines(report, "written")
    assert "38 media by title, 1 by base name" in lines
    differ = [line for line in lines if "folders differ" in line]
    assert [line[line.index('"/data') :] for line in differ] == [
        '"/data/cam2" in the source, "bucket/raw" in the project, 3 annotations',
        '"/data/cam1" in the source, "bucket/raw" in the project, 2 annotations',
    ]
    assert report.as_dict()["folders_differ"][0] == {"source": "/data/cam2", "project": "bucket/raw", "annotations": 3}


@pytest.mark.parametrize(
    ("name", "existing"),
    [
        ("/home/me/predictions/street/stil.jpg", "still.jpg"),
        ("stil.jpg", "bucket/a/long/path/of/folders/still.jpg"),
        (r"C:\run\stil.jpg", "bucket/raw/still.jpg"),
    ],
)
def test_nearest_names_are_found_through_folders(name: str, existing: str) -> None:
    (entry,) = unresolved([(name, "unknown_media", 1)], ["other.png", existing])
    assert entry.nearest == (existing,)


def test_what_was_done_stands_below_what_is_counted() -> None:
    report = Report()
    report.add_staged(counts())
    lines = report_lines(report, "written")
    at = lines.index("warnings: clipped 4")
    assert lines[at + 1].startswith("  clipped: cut at the edge") and "--off-image keep" in lines[at + 1]
    at = lines.index("filtered: crowd 2, min_confidence 1")
    assert "--include-crowd" in lines[at + 1]
    assert any("3 annotations without a score" in line and "--confidence-field" in line for line in lines)
