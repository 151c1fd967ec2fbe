"""Options that leave annotations out or change how they are drawn: each counted, each missed if it did nothing."""

from __future__ import annotations

import json
from pathlib import Path

import polars
import pytest
from pycocotools import mask as coco_mask

from ropewalk import write_snapshot
from workbench import IMAGES, Bench, Json, box, dataset, full_snapshot, mask, ring


def confidences(bench: Bench) -> list[float]:
    return sorted(item["confidence"] for _, _, item in bench.objects())


def test_confidence_field(bench: Bench) -> None:
    rows = [
        box(1, score=0.25, conf=0.75),
        box(2, conf=0.5),
        box(3, score=0.125),
        box(4, attributes={"conf": 0.375}),
        box(5, conf=3),
    ]
    assert bench.cli_import(bench.write(dataset(rows)), "--confidence-field", "conf").code == 3
    assert confidences(bench) == [0.375, 0.5, 0.75, 1.0]
    bench.run(dataset(rows), branch=f"{bench.branch}-score")
    assert sorted(item["confidence"] for *_, item in bench.objects(f"{bench.branch}-score")) == [0.125, 0.25, 1, 1, 1]


def test_include_crowd(bench: Bench) -> None:
    rows = [box(1), box(2, iscrowd=1), mask(3, iscrowd=1), box(4, iscrowd=0), box(5, iscrowd=True) | {"bbox": [1]}]
    report = bench.run(dataset(rows))
    # What is left out need not be right.
    assert (report.annotations_written, report.filtered_by_reason, report.exit_code) == (2, {"crowd": 3}, 0)
    assert report.warnings == {"crowd_left_out": 3}
    bench.branch += "-crowd"
    ran = bench.cli_import(bench.folder / "predictions.json")
    assert "crowd_left_out 3" in ran.out and "--include-crowd keeps them" in ran.out
    bench.branch += "-too"
    ran = bench.cli_import(bench.folder / "predictions.json", "--include-crowd")
    assert (ran.code, len(bench.objects())) == (3, 4)


def test_a_scored_crowd_and_one_of_a_list_are_predictions(bench: Bench) -> None:
    report = bench.run(dataset([box(1, iscrowd="1", score=0.5), mask(2, iscrowd="false")]))
    assert (report.annotations_written, report.filtered_by_reason) == (2, {})


def test_min_confidence(bench: Bench) -> None:
    rows = [box(1, score=0.49), box(2, score=0.5), box(3, score=0.51), box(4)]
    ran = bench.cli_import(bench.write(dataset(rows)), "--min-confidence", "0.5")
    assert (ran.code, confidences(bench)) == (0, [0.5, 0.51, 1.0])
    assert "min_confidence 1" in ran.out


@pytest.mark.parametrize(
    ("policy", "boxes", "rejected"),
    [("clip", [0.0, 1.0, 26.0], 1), ("keep", [-2.0, 1.0, 26.0, 40.0], 0), ("reject", [1.0], 3)],
)
def test_off_image_boxes(bench: Bench, policy: str, boxes: list[float], rejected: int) -> None:
    rows = [
        box(64),
        box(1) | {"bbox": [-2, 2, 5, 7]},
        box(2) | {"bbox": [26, 2, 5, 7]},
        box(3) | {"bbox": [40, 2, 5, 7]},
    ]
    ran = bench.cli_import(bench.write(dataset(rows)), "--off-image", policy)
    assert ran.code == (3 if rejected else 0)
    found = sorted((item["boundingBox"] for *_, item in bench.objects()), key=lambda b: b["x"])
    assert [round(b["x"] * 30, 6) for b in found] == boxes
    assert ("clipped 2" in ran.out) == (policy == "clip")
    if policy == "clip":
        assert [round(b["w"] * 30, 6) for b in found] == [3, 5, 4]
    else:
        assert {round(b["w"] * 30, 6) for b in found} == {5}


@pytest.mark.parametrize(("policy", "written"), [("clip", 1), ("keep", 2), ("reject", 0)])
def test_off_image_polygons(bench: Bench, policy: str, written: int) -> None:
    over = ring(1) | {"segmentation": [[20, 10, 40, 10, 40, 30]]}
    outside = ring(2) | {"segmentation": [[31, 10, 40, 10, 40, 30]]}
    report = bench.run(dataset([over, outside]), off_image=policy)
    assert (report.annotations_written, report.rejects_by_code.get("off_image", 0)) == (written, 2 - written)
    points = [p["x"] * 30 for *_, item in bench.objects() for p in item["polygon"].values()]
    if policy == "clip":
        assert report.warnings == {"clipped": 1} and max(points) == 30
    elif policy == "keep":
        assert max(points) == 40


def test_only_classes(bench: Bench) -> None:
    rows = [box(1), ring(2), mask(3), box(4, category=9), box(5, category=77)]
    ran = bench.cli_import(bench.write(dataset(rows)), "--only-classes", "Car, obj-tree")
    # Whoever asks for two classes does not want to hear that others are unknown.
    assert (ran.code, sorted(item["name"] for *_, item in bench.objects())) == (0, ["Car", "Tree"])
    assert "only_classes 3" in ran.out
    bench.branch += "-one"
    assert (
        bench.cli_import(bench.folder / "predictions.json", "--only-classes", "Road", "--only-classes", "Tree").code
        == 0
    )
    assert sorted(item["name"] for *_, item in bench.objects()) == ["Road", "Tree"]


def test_only_media(bench: Bench) -> None:
    rows = [box(1), box(2, image=2), box(3, image=3), box(4, image=101), box(5, image=5), box(6, image=9999)]
    ran = bench.cli_import(bench.write(dataset(rows)), "--only-media", "st*.jpg", "--only-media", "drive.???")
    assert {title for title, *_ in bench.objects()} == {"still.jpg", "drive.mp4"}
    assert "only_media 4" in ran.out and ran.code == 0
    bench.branch += "-walk"
    bench.cli_import(bench.folder / "predictions.json", "--only-media", "walk")
    assert {title for title, *_ in bench.objects()} == {"walk-0.png", "walk-1.png"}


def test_limit_rows(bench: Bench) -> None:
    rows = [box(1, image=101), box(2, image=2), box(3), box(4, image=102), box(5, image=3)]
    ran = bench.cli_import(bench.write(dataset(rows)), "--limit-rows", "2")
    # The first two media in the file's order; the rest is counted.
    assert (ran.code, len(bench.rows()), len(bench.objects())) == (0, 2, 4)
    assert "limit_rows 1" in ran.out and not any(title == "still.jpg" for title, *_ in bench.objects())


def test_empty_rows_create(bench: Bench) -> None:
    source = bench.write(dataset([box(1)]))
    assert bench.cli_import(source).code == 0
    assert len(bench.rows()) == 1
    ran = bench.cli_import(source, "--empty-rows", "create")
    everything = len(full_snapshot().media)
    assert (ran.code, len(bench.rows()), len(bench.objects())) == (0, everything, 1)
    assert f"{everything - 1} label rows without predictions created empty" in ran.out
    before = bench.stored()
    assert bench.cli_import(source, "--empty-rows", "create").code == 0
    assert bench.stored() == before
    bench.branch += "-some"
    only = bench.run(source, empty_rows="create", only_media=("*.mp4", "still.jpg", "left.*"))
    assert (only.label_rows_saved, only.label_rows_created_empty) == (1, 3)


def test_simplify(bench: Bench) -> None:
    """A staircase keeps its steps, or becomes a slope."""
    size = (50, 30)
    # Column n holds n pixels at its foot; the first one none.
    counts: list[int] = []
    gap = 50
    for column in range(1, 30):
        counts += [gap + 50 - column, column]
        gap = 0
    row = mask(1, category=2) | {"segmentation": {"size": list(size), "counts": counts}}
    report = bench.run(dataset([row]))
    assert report.exit_code == 0
    assert (
        bench.cli_import(bench.folder / "predictions.json", "--simplify", "1.5", "--on-existing", "replace").code == 0
    )
    ((_, _, item),) = bench.objects()
    simple = len(item["polygon"])
    bench.run(dataset([row]), branch=f"{bench.branch}-all")
    ((_, _, full),) = bench.objects(f"{bench.branch}-all")
    assert simple <= 6 < 50 < len(full["polygon"])


# --- report, rejects, work folder


def test_report_rejects_and_work_dir(bench: Bench) -> None:
    source = bench.write(dataset([box(1), box(2, score=7)]))
    arguments = bench.arguments(source)[:-2]
    report, rejects, work = (
        bench.folder / "new" / "a.json",
        bench.folder / "sub" / "b.ndjson",
        bench.folder / "deep" / "work",
    )
    ran = bench.process("import", *arguments, "--report", report, "--rejects", rejects, "--work-dir", work)
    assert ran.code == 3 and str(rejects) in ran.out
    saved = json.loads(report.read_text())
    assert {
        "annotations_read": 2,
        "annotations_written": 1,
        "annotations_rejected": 1,
        "annotations_filtered": 0,
        "annotations_already_there": 0,
        "rejects_by_code": {"score_range": 1},
        "label_rows_saved": 1,
    }.items() <= saved.items()
    assert saved["bytes_sent"] > 500 and saved["seconds"] > 0
    assert [reject["code"] for reject in bench.rejects(rejects)] == ["score_range"]
    # Nothing is left of the stage, and nothing anywhere else.
    assert work.is_dir() and not list(work.rglob("stage-*"))
    assert not (bench.folder / ".ropewalk").exists()

    default = bench.process("import", *arguments, "--report", "-")
    assert default.code == 3
    assert json.loads(default.out)["annotations_already_there"] == 1
    assert (bench.folder / ".ropewalk" / f"rejects-{bench.branch}.ndjson").exists()


# --- dry run


@pytest.mark.parametrize("offline", [False, True])
def test_dry_run_writes_nothing(bench: Bench, offline: bool) -> None:
    source = bench.write(dataset([box(1), ring(2), box(3, score=7), box(4, image=101)]))
    before = bench.stored()
    report = bench.folder / "report.json"
    if offline:
        write_snapshot(full_snapshot(), bench.folder / "project.json")
        where = ["--project-file", bench.folder / "project.json", "--branch", bench.branch, "--work-dir", bench.folder]
        ran = bench.cli("import", source, "--dry-run", "--report", report, *where)
    else:
        ran = bench.cli_import(source, "--dry-run", "--report", report, "--empty-rows", "create")
    assert (ran.code, bench.stored()) == (3, before)
    said = json.loads(report.read_text())
    assert (said["dry_run"], said["annotations_written"], said["annotations_rejected"]) == (True, 3, 1)
    assert "to be written" in ran.out
    real = bench.run(source)
    same = ("annotations_read", "annotations_written", "rejects_by_code", "label_rows_saved")
    assert {key: said[key] for key in same} == {key: getattr(real, key) for key in same}


# --- convert


def test_convert_to_tables(bench: Bench) -> None:
    rows = [box(1, score=0.25), ring(2, track_id="t"), mask(3), box(4, iscrowd=1), box(5, score=7), box(6, image=101)]
    source = bench.write(dataset(rows))
    frames = []
    for suffix, read in ((".parquet", polars.read_parquet), (".arrow", polars.read_ipc)):
        out = bench.folder / f"ir{suffix}"
        ran = bench.cli("convert", source, "--out", out, "--work-dir", bench.folder)
        assert ran.code == 3, ran.err
        assert "6 annotations read: 4 written, 1 rejected, 1 filtered" in ran.out
        frames.append(read(out))
    parquet, arrow = frames
    assert parquet.equals(arrow)
    assert parquet["annotation_id"].to_list() == ["1", "2", "3", "6"]
    assert parquet["media"].to_list() == ["still.jpg"] * 3 + ["drive.mp4"]
    assert parquet["frame"].to_list() == [0, 0, 0, 1]
    assert parquet["track"].to_list() == [None, "t", None, None]
    assert parquet["score"].to_list() == [0.25, None, None, None]
    assert parquet["shape"].cast(polars.String).to_list() == ["bounding_box", "polygon", "bitmask", "bounding_box"]
    content = source.read_bytes()
    assert [content[at : at + 7] for at in parquet["offset"]] == [b'{"id": ' for _ in range(4)]
    assert [json.loads(content[at:].split(b"}", 1)[0].split(b",")[0] + b"}")["id"] for at in parquet["offset"]] == [
        1,
        2,
        3,
        6,
    ]
    ((first, *_),) = [parquet["box"].to_list()]
    assert list(first.values() if isinstance(first, dict) else first) == [1 / 64, 2, 5, 7.5]
    counts = parquet["rle"].to_list()[2]
    seg = rows[2]["segmentation"]
    assert counts == coco_mask.frPyObjects(seg, *seg["size"])["counts"]


def test_convert_to_label_rows(bench: Bench) -> None:
    rows = [box(1), ring(2), mask(3), box(4, image=101), box(5, image=2), box(6, score=7)]
    source, out, project = bench.write(dataset(rows)), bench.folder / "rows.ndjson", bench.folder / "project.json"
    write_snapshot(full_snapshot(), project)
    ran = bench.process("convert", source, "--project-file", project, "--out", out, "--branch", bench.branch)
    assert (ran.code, "5 written, 1 rejected" in ran.out) == (3, True), ran.err
    converted = {row["data_hash"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert bench.run(source).annotations_written == 5
    stored = bench.rows()
    assert converted.keys() == stored.keys()
    for data_hash, row in stored.items():
        assert converted[data_hash]["object_answers"] == row["object_answers"]


def test_convert_rejects_what_needs_a_size_that_nobody_knows(bench: Bench) -> None:
    images = [{"id": 1, "file_name": "still.jpg"}, {"id": 2, "file_name": "blank.jpg"}]
    source = bench.write(dataset([box(1), box(2, image=2), box(3, image=2), mask(4, image=2)], images=images))
    project, out = bench.folder / "project.json", bench.folder / "rows.ndjson"
    write_snapshot(full_snapshot(), project)
    rejects = bench.folder / "rejects.ndjson"
    ran = bench.cli(
        "convert", source, "--project-file", project, "--out", out, "--work-dir", bench.folder, "--rejects", rejects
    )
    assert (ran.code, "2 written, 2 rejected" in ran.out) == (3, True), ran.out
    assert [(reject["code"], reject["annotation_id"]) for reject in bench.rejects(rejects)] == [
        ("no_size", "2"),
        ("no_size", "3"),
    ]
    assert sum(len(json.loads(line)["object_answers"]) for line in out.read_text().splitlines()) == 2


def test_convert_leaves_no_half_file(bench: Bench) -> None:
    whole = json.dumps(dataset([box(1)]))
    project = bench.folder / "project.json"
    write_snapshot(full_snapshot(), project)
    for name in ("x.parquet", "x.arrow", "x.ndjson"):
        out = bench.folder / name
        source = bench.write(whole[:-40])
        ran = bench.cli("convert", source, "--out", out, "--project-file", project, "--work-dir", bench.folder / "w")
        assert (ran.code, out.exists()) == (1, False), ran
        assert not list(bench.folder.glob(".x*"))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".ndjson"])
def test_convert_of_nothing(bench: Bench, suffix: str) -> None:
    project, out = bench.folder / "project.json", bench.folder / f"none{suffix}"
    write_snapshot(full_snapshot(), project)
    source = bench.write({"images": IMAGES, "annotations": []})
    ran = bench.cli("convert", source, "--out", out, "--project-file", project, "--work-dir", bench.folder / "w")
    assert (ran.code, out.exists()) == (0, True), ran.err
    if suffix != ".ndjson":
        read = {".parquet": polars.read_parquet, ".arrow": polars.read_ipc}[suffix]
        assert (len(read(out)), "annotation_id" in read(out).columns) == (0, True)


def test_convert_never_writes_over_its_source(bench: Bench) -> None:
    content: Json = dataset([box(1)])
    source: Path = bench.write(content, "rows.ndjson")
    project = bench.folder / "project.json"
    write_snapshot(full_snapshot(), project)
    ran = bench.cli("convert", source, "--out", source, "--project-file", project, "--work-dir", bench.folder / "w")
    assert (ran.code, json.loads(source.read_text())) == (2, content)
