"""Who an object is: what its file says and where that is, whatever else is imported with it, before it or after it."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import polars
import pytest

import ropewalk
from ropewalk.errors import BlockerError, UsageError
from workbench import Bench, box, dataset

FRAMES = range(100, 106)


def track(*frames: int, number: int = 1, track_id: Any = 5) -> list[dict[str, Any]]:
    """Make one box a frame of a track; frames count from 0."""
    return [box(number + frame, image=100 + frame, track_id=track_id) for frame in frames]


def rows(*frames: int, track_id: str = "5", number: int = 1) -> polars.DataFrame:
    """Make the same as a table."""
    count = len(frames)
    return polars.DataFrame(
        {
            "media": ["drive.mp4"] * count,
            "class": ["Car"] * count,
            "frame": list(frames),
            "track": [track_id] * count,
            "box": [[(number + frame) / 64, 2.0, 5.0, 7.5] for frame in frames],
            "unit": ["px"] * count,
        }
    )


def objects(bench: Bench) -> dict[str, list[int]]:
    """Read the frames of each object."""
    found: dict[str, list[int]] = {}
    for _, frame, item in bench.objects():
        found.setdefault(item["objectHash"], []).append(frame)
    return {hash_: sorted(frames) for hash_, frames in found.items()}


def test_a_merge_counts_what_it_does_to_objects_that_are_there(bench: Bench) -> None:
    source = bench.write(dataset(track(0, 1, 2)))
    first = bench.run(source)
    assert (first.objects_extended, first.labels_replaced) == (0, 0)
    # A second track, the first one on two frames more and elsewhere on one: of three frames two are there already.
    changed = [*track(0, 1), *track(2, number=9), *track(3, 4), *track(0, track_id=6, number=30)]
    bench.write(dataset(changed))
    rehearsed = bench.run(source, on_existing="merge", dry_run=True)
    report = bench.run(source, on_existing="merge")
    for found in (rehearsed, report):
        assert (found.objects_extended, found.labels_replaced, found.annotations_already_there) == (1, 1, 2)
    assert sorted(objects(bench).values()) == [[0], [0, 1, 2, 3, 4]]
    again = bench.run(source, on_existing="merge")
    assert (again.objects_extended, again.labels_replaced, again.annotations_already_there) == (0, 0, 6)


def test_a_merge_says_what_it_did(bench: Bench) -> None:
    source = bench.write(dataset(track(0, 1)))
    bench.run(source)
    bench.write(dataset([*track(0, 2), *track(1, number=9)]))
    ran = bench.cli_import(source, "--on-existing", "merge")
    assert ran.code == 0
    assert "1 object of the branch extended to more frames" in ran.out and "1 label of the branch replaced" in ran.out


def test_another_file_with_the_same_track_is_another_object_and_named(bench: Bench) -> None:
    first, second = (
        bench.write(dataset(track(*frames)), f"{name}/p.json") for name, frames in (("a", (0, 1)), ("b", (1, 2)))
    )
    bench.run(first)
    report = bench.run(second, on_existing="merge")
    assert (report.objects_extended, report.labels_replaced) == (0, 0)
    assert report.warnings == {"track_of_several_sources": 1, "object_number_taken": 1}
    (found,) = report.shared_tracks
    assert (found.track, found.media, found.sources) == ("5", "drive.mp4", ("a/p.json", "b/p.json"))
    assert sorted(objects(bench).values()) == [[0, 1], [1, 2]]
    # Told once: what is there already is as it should be.
    assert bench.run(second, on_existing="merge").warnings == {}


def test_one_label_makes_files_and_folders_one_source(bench: Bench) -> None:
    for name, frames in (("a/p.json", (0,)), ("b/p.json", (1,)), ("more/deep/q.json", (2,)), ("more/r.json", (3,))):
        bench.write(dataset(track(*frames)), name)
    folder = bench.folder
    ran = bench.cli_import(
        folder / "a" / "p.json", folder / "b" / "p.json", folder / "more", "--source-label", "model-7"
    )
    assert ran.code == 0 and "track_of_several_sources" not in ran.out
    assert list(objects(bench).values()) == [[0, 1, 2, 3]]


def test_a_file_given_twice_is_read_once(bench: Bench) -> None:
    source = bench.write(dataset(track(0, 1)), "run/p.json")
    report = bench.run([source, source.parent], source_label="one")
    assert (report.annotations_read, report.exit_code) == (2, 0)


@pytest.mark.parametrize("in_folders", [False, True])
def test_two_documents_of_one_label_stop_with_both_paths(bench: Bench, in_folders: bool) -> None:
    paths = [bench.write(dataset(track(0, number=n)), f"{n}/run/p.json") for n in (1, 2)]
    given = [path.parents[1] for path in paths] if in_folders else paths
    with pytest.raises(UsageError) as refused:
        bench.run(given)
    assert all(str(path) in str(refused.value) for path in paths)
    assert "source_label" in str(refused.value) or "--source-label" in str(refused.value)
    assert bench.objects() == []
    bench.run(given, label_parts=3)
    assert len(objects(bench)) == 2


PARTS = {
    "Spark": (
        "part-00000-9f3b2c1a-1111-4222-8333-123456789abc-c000.snappy.parquet",
        "part-00001-9f3b2c1a-1111-4222-8333-123456789abc-c000.snappy.parquet",
    ),
    "Ray": ("0_000000_000000.parquet", "1_000000_000000.parquet"),
    "polars": ("00000000.parquet", "00000001.parquet"),
    "lines": ("part-0000.jsonl", "part-0001.jsonl"),
    "Arrow": ("data-00000-of-00002.arrow", "data-00001-of-00002.arrow"),
    "hive": ("day=1/cam=a/00000000.parquet", "day=2/cam=a/00000000.parquet"),
}


def write_part(frame: polars.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".arrow":
        frame.write_ipc(path)
    else:
        frame.write_ndjson(path)


@pytest.mark.parametrize("tool", PARTS)
def test_the_parts_of_a_table_are_one_document(bench: Bench, tool: str) -> None:
    first, second = (bench.folder / "table" / name for name in PARTS[tool])
    write_part(rows(0, 1), first)
    write_part(rows(1, 2, 3).with_columns(track=polars.Series(["5", "5", "6"])).head(3).slice(1), second)
    (first.parents[0] / "_SUCCESS").touch()
    (bench.folder / "table" / "_metadata").write_bytes(b"PAR1")
    report = bench.run(bench.folder / "table")
    assert (report.annotations_written, report.exit_code, report.warnings) == (4, 0, {})
    assert sorted(objects(bench).values()) == [[0, 1, 2], [3]]
    # Whatever is beside it, and from above.
    bench.write(dataset([box(1)]), "beside.json")
    again = bench.run([bench.folder / "table", bench.folder / "beside.json"], on_existing="merge")
    assert (again.annotations_already_there, again.annotations_written) == (4, 1)
    above = bench.folder / "above"
    shutil.move(bench.folder / "table", above / "table")
    write_part(rows(5), above / "table-2" / "part-0.parquet")
    found = bench.run(above, on_existing="merge")
    assert (found.annotations_already_there, found.annotations_written) == (4, 1)
    assert sorted(objects(bench).values()) == [[0], [0, 1, 2], [3], [5]]


def test_rejects_name_the_part_that_they_are_in(bench: Bench) -> None:
    for name, found in (("part-0.parquet", rows(0)), ("part-1.parquet", rows(1).with_columns(score=7.0))):
        write_part(found, bench.folder / "table" / name)
    report = bench.run(bench.folder / "table")
    assert (report.annotations_written, report.rejects_by_code) == (1, {"score_range": 1})
    (reject,) = bench.rejects()
    assert (reject["source"], reject["member"]) == ("table", "part-1.parquet")
    # The line of the reject file has the label, and is the same object's again.
    text = (bench.folder / "work" / f"rejects-{bench.branch}.ndjson").read_text()
    mended = bench.write(text.replace("7.0", "0.5"), "mended.ndjson")
    found = bench.run(mended, on_existing="merge")
    assert (found.annotations_written, found.objects_extended) == (1, 1)
    assert list(objects(bench).values()) == [[0, 1]]


def test_lines_in_parts_are_read_again_for_rejects_after_staging(bench: Bench) -> None:
    for name, found in (("part-0.jsonl", rows(0, 1)), ("part-1.jsonl", rows(1, 2, number=9))):
        write_part(found, bench.folder / "table" / name)
    assert bench.run(bench.folder / "table").rejects_by_code == {"duplicate_track_frame": 1}
    (reject,) = bench.rejects()
    assert (reject["member"], reject["annotation"]["frame"]) == ("part-1.jsonl", 1)


def test_a_part_by_itself_needs_a_label(bench: Bench) -> None:
    part = bench.folder / "table" / "part-0001.parquet"
    write_part(rows(0), part)
    with pytest.raises(UsageError, match=r"source_label is needed: .*part-0001\.parquet has tracks"):
        bench.run(part)
    assert bench.objects() == []
    assert bench.run(part, source_label="table").annotations_written == 1
    # Under the label of its folder it is the same object.
    assert bench.run(part.parent).annotations_already_there == 1


def test_tracks_in_memory_need_a_label(bench: Bench) -> None:
    options: dict[str, Any] = {"branch": bench.branch, "work_dir": bench.folder / "work"}
    for given in (ropewalk.read_table(rows(0)), ropewalk.read_coco(dataset(track(0)))):
        with pytest.raises(UsageError, match="source_label is needed"):
            ropewalk.import_predictions(given, bench.project, **options)
    assert ropewalk.import_predictions(given, bench.project, source_label="m", **options).annotations_written == 1
    loose = ropewalk.read_table(rows(0, number=7).drop("track"))
    assert ropewalk.import_predictions(loose, bench.project, on_existing="merge", **options).annotations_written == 1


@pytest.mark.parametrize("policy", ["fail", "merge", "skip"])
def test_content_that_comes_again_under_another_name_stops(bench: Bench, policy: str) -> None:
    content = dataset(track(0, 1))
    bench.run(bench.write(content, "tmp-1/p.json"))
    before = bench.stored()
    renamed = bench.write(content, "tmp-2/p.json")
    packed = bench.write(gzip.compress(json.dumps(content).encode()), "other.json.gz")
    for path in (renamed, packed):
        with pytest.raises(BlockerError) as refused:
            bench.run(path, on_existing=policy)
        assert str(path) in str(refused.value) and "source_label tmp-1/p.json" in str(refused.value)
        assert bench.stored() == before
    # With the label the objects are the same; with the file's own they are meant to be others.
    assert bench.run(renamed, on_existing=policy, source_label="tmp-1/p.json").annotations_already_there == 2
    if policy == "merge":
        assert bench.run(renamed, on_existing=policy, source_label="tmp-2/p.json").annotations_written == 2
        assert bench.run(renamed, on_existing=policy).annotations_already_there == 2
        assert len(objects(bench)) == 2


def test_a_rehearsal_stops_for_it_too(bench: Bench) -> None:
    bench.run(bench.write(dataset(track(0)), "tmp-1/p.json"))
    with pytest.raises(BlockerError, match="tmp-1/p.json"):
        bench.run(bench.write(dataset(track(0)), "tmp-2/p.json"), on_existing="merge", dry_run=True)


def test_a_folder_of_parts_that_was_moved_stops(bench: Bench) -> None:
    write_part(rows(0), bench.folder / "one" / "part-0.parquet")
    bench.run(bench.folder / "one")
    shutil.move(bench.folder / "one", bench.folder / "two")
    with pytest.raises(BlockerError, match="source_label one "):
        bench.run(bench.folder / "two", on_existing="merge")


def test_what_leaves_no_other_objects_behind_does_not_stop(bench: Bench) -> None:
    """Untracked objects have no label in them, rows that are replaced hold nothing else, what was undone is gone."""
    bench.run(bench.write(dataset([box(1, image=101)]), "tmp-1/p.json"))
    loose = bench.write(dataset([box(1, image=101)]), "tmp-2/p.json")
    assert bench.run(loose, on_existing="merge").annotations_already_there == 1

    bench.branch += "-b"
    bench.run(bench.write(dataset(track(0)), "tmp-1/q.json"))
    moved = bench.write(dataset(track(0)), "tmp-2/q.json")
    assert bench.run(moved, on_existing="replace").annotations_written == 1
    assert len(objects(bench)) == 1

    bench.branch += "-c"
    bench.run(moved)
    ropewalk.rollback(bench.project, branch=bench.branch, work_dir=bench.folder / "work", confirm=lambda _: True)
    again = bench.write(dataset(track(0)), "tmp-3/q.json")
    assert bench.run(again, on_existing="merge").annotations_written == 1


def test_a_table_that_names_its_source_may_be_moved(bench: Bench) -> None:
    named = rows(0, 1).with_columns(source=polars.lit("model-7"))
    write_part(named, bench.folder / "tmp-1" / "p.parquet")
    write_part(named, bench.folder / "tmp-2" / "p.parquet")
    bench.run(bench.folder / "tmp-1" / "p.parquet")
    report = bench.run(bench.folder / "tmp-2" / "p.parquet")
    assert (report.annotations_already_there, report.exit_code) == (2, 0)
