"""Rejects are mended in their file and imported: the rows end as if the source had been right from the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench import Bench, Json, box, dataset, mask, ring

# What is right, and what the source has instead.
TRACK = [box(20 + n, image=100 + n, track_id="car-1") for n in range(4)]
RIGHT: list[Json] = [box(1), ring(2), mask(3), box(4, image=2, score=0.25), *TRACK, box(30, image=105)]
WRONG: dict[int, Json] = {
    1: {"bbox": [1, 2, -3, 7.5]},
    2: {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]},
    3: {"segmentation": {"size": [50, 30], "counts": [7, 1, 3]}},
    4: {"score": float("nan")},
    # In the middle of its track, and at its end.
    21: {"image_id": 9999},
    23: {"score": 1.7},
}
SOURCE = [item | WRONG.get(item["id"], {}) for item in RIGHT]


def mend(rejects: Path, target: Path, *, left_out: frozenset[int] = frozenset()) -> Path:
    """Write the reject file again as somebody with an editor would: the annotations right, all else as it is."""
    right = {item["id"]: item for item in RIGHT}
    lines = []
    for line in rejects.read_text().splitlines():
        reject = json.loads(line)
        annotation: Any = reject["annotation"]
        number = int(reject["annotation_id"])
        if number not in left_out:
            mended = right[number]
            # A text, where the annotation was no strict JSON, may stay one.
            reject["annotation"] = json.dumps(mended) if isinstance(annotation, str) else mended
        lines.append(json.dumps(reject))
    target.write_text("\n".join(lines) + "\n")
    return target


def expected_rows(bench: Bench, content: Json, name: str) -> dict[str, Json]:
    """Import the right file on the same branch name of nothing: rows as they would have been, from `convert`."""
    from ropewalk import write_snapshot
    from workbench import full_snapshot, plain

    project, out = bench.folder / "project.json", bench.folder / "right.ndjson"
    write_snapshot(full_snapshot(), project)
    right = bench.write(content, f"right/{bench.folder.name}/{name}")
    ran = bench.cli("convert", right, "--out", out, "--project-file", project, "--branch", bench.branch)
    assert ran.code == 0, ran.err
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    return {row["data_hash"]: plain(row) for row in rows}


def labels(rows: dict[str, Json]) -> dict[str, Json]:
    """Take what the import wrote out of rows: labels by data unit, and answers."""
    return {
        data_hash: {
            "labels": {unit: content["labels"] for unit, content in row["data_units"].items()},
            "answers": row["object_answers"],
        }
        for data_hash, row in rows.items()
    }


def test_mended_rejects_give_the_rows_of_a_right_file(bench: Bench) -> None:
    original = bench.write(dataset(SOURCE), "run-7.json")
    assert bench.cli_import(original).code == 3
    rejects = bench.folder / "work" / f"rejects-{bench.branch}.ndjson"
    mended = mend(rejects, bench.folder / "mended.ndjson")
    ran = bench.cli_import(mended, "--annotations", original, "--on-existing", "merge")
    assert ran.code == 0, (ran.out, ran.err)
    assert f"{len(WRONG)} annotations read: {len(WRONG)} written" in ran.out
    assert labels(bench.rows()) == labels(expected_rows(bench, dataset(RIGHT), "run-7.json"))
    # One object, one hash, on all four frames.
    hashes = {item["objectHash"] for title, frame, item in bench.objects() if title == "drive.mp4" and frame < 4}
    assert len(hashes) == 1

    # The right file itself has nothing to add.
    before = bench.stored()
    report = bench.run(bench.write(dataset(RIGHT), f"again/{bench.folder.name}/run-7.json"))
    assert (report.exit_code, report.annotations_already_there, bench.stored()) == (0, len(RIGHT), before)


def test_what_is_still_wrong_keeps_its_place(bench: Bench) -> None:
    """Mended in the work folder itself, where the next import writes its own rejects."""
    original = bench.write(dataset(SOURCE), "run-7.json")
    assert bench.run(original).exit_code == 3
    first = bench.rejects()
    rejects = bench.folder / "work" / f"rejects-{bench.branch}.ndjson"
    mend(rejects, rejects, left_out=frozenset({3, 4}))
    content = rejects.read_bytes()
    report = bench.run(rejects, annotations=original, on_existing="merge")
    assert (report.exit_code, report.annotations_written, report.annotations_rejected) == (3, len(WRONG) - 2, 2)
    assert rejects.read_bytes() == content, "what somebody mended by hand must not be written over"
    assert report.rejects_file is not None
    again = bench.rejects(report.rejects_file)
    assert again == [reject for reject in first if reject["annotation_id"] in ("3", "4")]


def test_no_file_that_is_read_is_written_over(bench: Bench) -> None:
    source = bench.write(dataset(SOURCE))
    content = source.read_bytes()
    ran = bench.cli_import(source, "--rejects", source)
    assert (ran.code, source.read_bytes()) == (2, content)
    tables = bench.write(dataset([]), "gt.json")
    assert bench.cli_import(source, "--annotations", tables, "--rejects", tables).code == 2
    assert json.loads(tables.read_bytes()) == dataset([])
    for read in (source, tables):
        assert bench.cli_import(source, "--annotations", tables, "--report", read).code == 2
        out = bench.folder / "x.parquet"
        assert bench.cli("convert", source, "--annotations", tables, "--out", out, "--report", read).code == 2
    assert (source.read_bytes(), json.loads(tables.read_bytes())) == (content, dataset([]))


@pytest.mark.parametrize("kind", ["results", "stem"])
def test_mending_with_the_options_of_the_first_import(bench: Bench, kind: str) -> None:
    """The same command again with the reject file in the source's place: what the file's name decided stays decided."""
    if kind == "results":
        tables = bench.write(dataset([]), "gt.json")
        wrong, right = [box(1), box(2, score=3), ring(3)], [box(1), box(2, score=0.5), ring(3)]
        options: Json = {"annotations": tables}
        again = options
    else:
        images = [{"id": n, "width": 64, "height": 36} for n in range(12)]
        shared = {"images": images, "categories": [{"id": 1, "name": "Car"}]}
        rows = [box(n, image=n) for n in range(4)]
        wrong_rows = [*rows[:2], rows[2] | {"score": 3}, rows[3]]
        wrong, right = (
            shared | {"annotations": wrong_rows},
            shared | {"annotations": [*rows[:2], rows[2] | {"score": 0.5}, rows[3]]},
        )
        options = {"media_from": "stem", "frame_from": "image_id"}
        again = options | {"annotations": bench.folder / "drive.json"}
    source = bench.write(wrong, "drive.json")
    assert bench.run(source, **options).annotations_rejected == 1
    (reject,) = bench.rejects()
    reject["annotation"]["score"] = 0.5
    mended = bench.write(json.dumps(reject) + "\n", "mended.ndjson")
    report = bench.run(mended, on_existing="merge", **again)
    assert (report.exit_code, report.annotations_written) == (0, 1), report
    before = bench.stored()
    whole = bench.run(bench.write(right, "right/drive.json"), **options)
    assert (whole.label_rows_saved, bench.stored()) == (0, before)


def test_rejects_of_several_files_stay_apart(bench: Bench) -> None:
    """A track of two files, wrong in both: mended, each is its own file's, and what is still wrong says which."""
    rows = [box(1, image=101, track_id=5), box(2, image=101, track_id=5), box(3, image=102, track_id=5, score=3)]
    tables = bench.write(dataset([]), "gt.json")
    paths = [bench.write(rows, name) for name in ("a.json", "b.json")]
    assert bench.run(paths, annotations=tables).rejects_by_code == {"score_range": 2, "duplicate_track_frame": 2}
    first = {(reject["source"], reject["byte"]): reject for reject in bench.rejects()}
    lines = [
        reject | {"annotation": reject["annotation"] | {"score": 0.5, "image_id": 102}} for reject in first.values()
    ]
    mended = bench.write("".join(json.dumps(line) + "\n" for line in lines), "mended.ndjson")
    report = bench.run(mended, annotations=tables, on_existing="merge")
    # Annotations 2 and 3 stand on frame 102 now; of each file one is taken.
    assert (report.annotations_written, report.rejects_by_code) == (2, {"duplicate_track_frame": 2})
    again = bench.rejects()
    assert {reject["source"] for reject in again} == {f"{bench.folder.name}/{name}.json" for name in "ab"}
    assert all((reject["source"], reject["byte"]) in first for reject in again)
    hashes = {item["objectHash"] for *_, item in bench.objects()}
    assert len(hashes) == 2


def test_a_file_that_was_renamed_still_has_its_lists(bench: Bench) -> None:
    original = bench.write(dataset([box(1), box(2, score=3)]), "original.json")
    assert bench.run(original).rejects_by_code == {"score_range": 1}
    (reject,) = bench.rejects()
    mended = bench.write(json.dumps(reject | {"annotation": box(2)}) + "\n", "mended.ndjson")
    renamed = original.rename(bench.folder / "renamed.json")
    report = bench.run(mended, annotations=renamed, on_existing="merge")
    assert (report.annotations_written, report.exit_code) == (1, 0)


def test_ids_of_one_file_are_not_looked_up_in_another(bench: Bench) -> None:
    """Image 1 is another image in each of two datasets: a mended annotation must land on its own file's."""
    images = {"a.json": "still.jpg", "b.json": "walk-0.png"}
    paths = {}
    for name, title in images.items():
        content = dataset([box(1, score=3)])
        content["images"] = [{"id": 1, "file_name": title, "width": 64, "height": 36}]
        paths[name] = bench.write(content, name)
    assert bench.run(list(paths.values())).rejects_by_code == {"score_range": 2}
    lines = [reject | {"annotation": reject["annotation"] | {"score": 0.5}} for reject in bench.rejects()]
    assert [line["ids_from"].split("#")[0] for line in lines] == ["a.json", "b.json"]
    mended = bench.write("".join(json.dumps(line) + "\n" for line in lines), "mended.ndjson")
    first = bench.run(mended, annotations=paths["a.json"])
    assert (first.annotations_written, first.rejects_by_code) == (1, {"other_tables": 1})
    assert {title for title, *_ in bench.objects()} == {"still.jpg"}
    assert first.rejects_file is not None
    second = bench.run(Path(first.rejects_file), annotations=paths["b.json"], rejects=bench.folder / "none.ndjson")
    assert (second.annotations_written, second.exit_code) == (1, 0)
    assert {title for title, *_ in bench.objects()} == {"still.jpg", "walk-0.png"}


def test_no_later_run_costs_the_rejects_of_an_earlier_one(bench: Bench) -> None:
    source = bench.write(dataset(SOURCE), "run-7.json")
    first = bench.run(source)
    assert first.rejects_file is not None
    content = Path(first.rejects_file).read_bytes()
    cut = bench.write('{"images": [', "cut.json")
    assert bench.cli_import(cut).code == 1
    assert bench.run(bench.write(dataset([box(1)]), "good.json"), dry_run=True).rejects_file is None
    # The same again stands there already; others get a file of their own.
    assert bench.run(source).rejects_file == first.rejects_file
    other = bench.run(bench.write(dataset([box(9, score=7)]), "other.json"), on_existing="merge")
    assert other.rejects_file not in (None, first.rejects_file)
    assert Path(first.rejects_file).read_bytes() == content
