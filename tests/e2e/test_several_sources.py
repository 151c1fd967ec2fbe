"""Several files, folders and globs: ids belong to their file, tracks to their file and class."""

from __future__ import annotations

import gzip
import json
import os
import sys

import pytest

from ropewalk.errors import SourceError
from ropewalk.progress import NoProgress
from workbench import CATEGORIES, Bench, box, dataset, mask

CAR_IS_2 = [{"id": 2, "name": "Car"}, {"id": 1, "name": "Road"}]


def hashes(bench: Bench, title: str = "drive.mp4") -> set[str]:
    return {item["objectHash"] for found, _, item in bench.objects() if found == title}


def test_ids_are_scoped_to_their_file(bench: Bench) -> None:
    """The same image, category, track and annotation ids, and in each file they mean something else."""
    bench.write(dataset([box(1, image=1), box(2, image=101, track_id=5)]), "runs/a.json")
    images = [
        {"id": 1, "file_name": "left.png", "width": 22, "height": 14},
        {"id": 101, "video_id": 1, "frame_index": 4, "width": 64, "height": 36},
    ]
    other = dataset(
        [box(1, image=1, category=2), box(3, image=101, category=2, track_id=5)], images=images, categories=CAR_IS_2
    )
    bench.write(other, "runs/deep/b.json")
    ran = bench.cli_import(bench.folder / "runs")
    assert (ran.code, bench.boxes()) == (
        0,
        [("cam0/left.png", 0, 1.0), ("drive.mp4", 1, 2.0), ("drive.mp4", 4, 3.0), ("still.jpg", 0, 1.0)],
    )
    assert len(hashes(bench)) == 2
    # An id that two files share is no duplicate.
    assert "duplicate_annotation_id" not in ran.out


def test_files_folders_and_globs_name_a_file_once(bench: Bench) -> None:
    for name in ("x/a.json", "x/b.ndjson", "x/notes.txt", "x/.hidden.json", "y/c.json"):
        bench.write(dataset([box(len(name))]), name)
    folder = bench.folder
    ran = bench.cli_import(folder / "x", folder / "x" / "a.json", folder / "y" / "*.json", folder / "**" / "c.json")
    assert ran.code == 0 and "3 annotations read" in ran.out


def test_rejects_name_their_file(bench: Bench) -> None:
    paths = [bench.write(dataset([box(1, score=7), box(2)]), name) for name in ("a/p.json", "b/p.json", "q.json")]
    assert bench.run(paths).annotations_rejected == 3
    found = bench.rejects()
    assert [reject["source"] for reject in found] == ["a/p.json", "b/p.json", f"{bench.folder.name}/q.json"]
    assert all(
        path.read_bytes()[reject["byte"] :].startswith(b'{"id": 1') for path, reject in zip(paths, found, strict=True)
    )


def test_same_track_in_two_files_of_one_name(bench: Bench) -> None:
    content = dataset([box(1, image=101, track_id=5)])
    bench.run([bench.write(content, name) for name in ("cam0/p.json", "cam1/p.json")])
    assert len(hashes(bench)) == 2


def test_a_class_change_splits_a_track(bench: Bench) -> None:
    rows = [box(1, image=101, track_id=5), box(2, image=102, track_id=5), mask(3, image=103, size=(36, 64), track_id=5)]
    ran = bench.cli_import(bench.write(dataset(rows)))
    assert ran.code == 0 and "track_split_by_class 1" in ran.out
    by_class: dict[str, set[str]] = {}
    for *_, item in bench.objects():
        by_class.setdefault(item["name"], set()).add(item["objectHash"])
    assert {name: len(found) for name, found in by_class.items()} == {"Car": 1, "Tree": 1}
    assert not by_class["Car"] & by_class["Tree"]


def test_one_track_is_one_object_and_no_track_is_many(bench: Bench) -> None:
    tracked = [box(n, image=100 + n, attributes={"track_id": "t"}) for n in range(3)]
    loose = [box(10 + n, image=100 + n) for n in range(3)]
    bench.run(dataset([*tracked, *loose]))
    assert len(hashes(bench)) == 4
    (row,) = bench.rows().values()
    assert row["object_answers"].keys() == hashes(bench)


@pytest.mark.parametrize("texts", [False, True], ids=["numbers", "strings"])
def test_ids_as_strings_are_the_same_ids(bench: Bench, texts: bool) -> None:
    """Ids as strings where the tables have numbers, and the other way round."""
    images = [{"id": "1", "file_name": "still.jpg"}, {"id": 101, "video_id": "v", "frame_index": 3}]
    videos = [{"id": "v", "name": "drive.mp4"}]
    kind = str if texts else int
    rows = [
        box(1) | {"image_id": kind(1), "category_id": kind(1)},
        box(2) | {"image_id": kind(101), "category_id": kind(1), "track_id": kind(9)},
        box(3) | {"id": "x-3", "image_id": "1", "category_id": "1"},
    ]
    report = bench.run(dataset(rows, images=images, videos=videos, categories=CATEGORIES))
    assert (report.exit_code, bench.boxes()) == (
        0,
        [("drive.mp4", 3, 2.0), ("still.jpg", 0, 1.0), ("still.jpg", 0, 3.0)],
    )


def test_sections_and_keys_in_any_order_with_escapes(bench: Bench) -> None:
    text = (
        '{"annotations": [{"bbox": [0.125, 2, 5, 7.5], "category\\u005fid": 1, "unknown": {"id": [1]}, "image_id": 1}],'
        ' "licenses": null, "images": [{"height": 50, "file_name": "still\\u002ejpg", "width": 30, "id": 1}],'
        ' "categories": [{"name": "\\u0043ar", "id": 1}]}'
    )
    assert (bench.run(text).exit_code, bench.boxes()) == (0, [("still.jpg", 0, 8.0)])


def test_memory_budget_and_threads_change_nothing(bench: Bench) -> None:
    """Spilled to the work folder and merged, on several threads: the same rows."""
    rows = [box(n, image=100 + n % 12, **({"track_id": n // 12} if n % 5 else {})) for n in range(600)]
    rows += [mask(n, image=3, size=(40, 24)) for n in range(600, 700)]
    content = dataset(rows)
    bench.run(content)
    expected = bench.rows()
    before = bench.stored()
    report = bench.run(content, memory_bytes=4096, threads=2)
    assert (report.annotations_already_there, bench.stored(), bench.rows()) == (700, before, expected)
    tight = f"{bench.branch}-tight"
    assert bench.run(content, branch=tight, memory_bytes=4096, jobs=1, batch_rows=1).annotations_written == 700
    assert sorted(b[2] for b in bench.boxes(tight)) == sorted(b[2] for b in bench.boxes())
    assert not list((bench.folder / "work").glob("stage-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no file can have such a name")
def test_a_file_name_that_is_not_utf8(bench: Bench) -> None:
    path = bench.folder / os.fsdecode(b"run-\xff.json")
    path.write_text(json.dumps(dataset([box(1), box(2, score=7)])))
    ran = bench.process("import", *bench.arguments(path))
    assert ran.code == 3, ran.err
    assert [reject["source"] for reject in bench.rejects()] == [f"{bench.folder.name}/run-\\xff.json"]


def test_progress_goes_on_from_one_source_to_the_next(bench: Bench) -> None:
    class Seen(NoProgress):
        phase, total = "", 0

        def start(self, phase: str, total: int, unit: str) -> None:
            self.phase = phase
            if phase == "reading":
                self.total = total

        def update(self, done: int) -> None:
            if self.phase == "reading":
                seen.append(done)

    seen: list[int] = []
    progress = Seen()
    paths = [bench.write(dataset([box(n) for n in range(size)]), f"{size}.json") for size in (90, 30, 60)]
    bench.run(paths, dry_run=True, progress=progress)
    assert seen == sorted(seen)
    assert seen[-1] == progress.total == sum(path.stat().st_size for path in paths)


def test_a_compressed_file_is_the_same_source(bench: Bench) -> None:
    content = dataset([box(1), box(2, track_id=4), mask(3), box(4, bbox=[1]), box(5, image=101)])
    plain = bench.run(content)
    packed = bench.write(gzip.compress(json.dumps(content).encode()), "predictions.json.gz")
    again = bench.run(packed)
    assert (again.annotations_already_there, again.label_rows_saved) == (4, 0)
    assert again.rejects_by_code == plain.rejects_by_code
    # A reject that shows after staging quotes the text, not the compressed bytes.
    bench.branch += "-packed"
    doubled = dataset([box(1, image=101, track_id=4), box(2, image=101, track_id=4, score=0.5)])
    bench.run(bench.write(gzip.compress(json.dumps(doubled).encode()), "doubled.json.gz"))
    (reject,) = bench.rejects()
    assert (reject["code"], reject["annotation"]["id"]) == ("duplicate_track_frame", 2)


def test_a_damaged_compressed_file_stops_the_import(bench: Bench) -> None:
    packed = gzip.compress(json.dumps(dataset([box(n) for n in range(100)])).encode())
    with pytest.raises(SourceError, match=r"cut\.json\.gz.*byte \d+.*: its compressed data ends in the middle"):
        bench.run(bench.write(packed[:-30], "cut.json.gz"))
    assert bench.objects() == []
