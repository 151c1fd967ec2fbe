"""How a source's classes, media and frames are found: maps, titles, patterns, and what options change about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ropewalk.errors import UsageError
from snapshots import hash_of
from workbench import CATEGORIES, DRIVE, IMAGES, LEFT, NIGHT, STILL, WALK, Bench, Json, box, dataset, mask, ring


def classes(bench: Bench) -> list[str]:
    return sorted(item["featureHash"] for _, _, item in bench.objects())


# --- classes


@pytest.mark.parametrize(
    "class_map",
    [
        {"1": "obj-sgn1", "2": "obj-bt-p", "9": None, "4": "obj-sgn2"},
        {"Car": "obj-sgn1", "Road": "obj-bt-p", "Cow": None, "Sign": "obj-sgn2"},
        # Encord Active's ontology_mapping.json: the other way round, ids as numbers, and names.
        {"obj-sgn1": 1, "obj-bt-p": "Road", "obj-sgn2": 4},
    ],
    ids=["by id", "by name", "Active"],
)
def test_class_map(bench: Bench, class_map: Json) -> None:
    content = dataset([box(1), ring(2), box(3, category=9), box(4, category=4), mask(5)])
    ran = bench.cli_import(bench.write(content), "--class-map", bench.write(class_map, "ontology_mapping.json"))
    assert classes(bench) == ["obj-bt-p", "obj-sgn1", "obj-sgn2"]
    dropped = None in class_map.values()
    codes = ["unmapped_class"] * (1 if dropped else 2)
    assert ([reject["code"] for reject in bench.rejects()], ran.code) == (codes, 3)
    assert ("dropped_class 1" in ran.out) == dropped
    assert '"Tree": unmapped_class' in ran.out


def test_class_map_before_names_and_id_before_name(bench: Bench) -> None:
    """Category 1 is named "2": the map's key 2 is category 2's, and what stands under the id decides."""
    categories = [{"id": 1, "name": "2"}, {"id": 2, "name": "Car"}]
    content = dataset([box(1, category=1), box(2, category=2)], categories=categories)
    bench.run(content, class_map={"1": "obj-sgn1", "2": "obj-sgn2", "Car": "obj-car1"})
    assert classes(bench) == ["obj-sgn1", "obj-sgn2"]


def test_class_map_needs_no_categories(bench: Bench) -> None:
    content = {"images": IMAGES, "annotations": [box(1, category="a b"), box(2, category=77)]}
    report = bench.run(content, class_map={"a b": "obj-car1", "77": "obj-sgn2"})
    assert (classes(bench), report.exit_code) == (["obj-car1", "obj-sgn2"], 0)


def test_names_exact_then_folded_then_by_shape(bench: Bench) -> None:
    categories = [{"id": 1, "name": "cAR"}, {"id": 2, "name": "BOAT"}, {"id": 3, "name": "Boat"}]
    annotations = [box(1), box(2, category=2), ring(3, category=2), ring(4, category=3), mask(5, category=3)]
    report = bench.run(dataset(annotations, categories=categories))
    # A mask could become a box or a polygon: which Boat it is stays open.
    assert classes(bench) == ["obj-bt-b", "obj-bt-p", "obj-bt-p", "obj-car1"]
    assert report.rejects_by_code == {"ambiguous_class": 1}


def test_nearest_names_are_offered(bench: Bench) -> None:
    images = [{"id": 1, "file_name": "stil.jpg"}]
    categories = [{"id": 1, "name": "Caar"}]
    report = bench.run(dataset([box(1)], images=images))
    assert [(entry.name, entry.nearest[:1]) for entry in report.unresolved_media] == [("stil.jpg", ("still.jpg",))]
    ran = bench.cli_import(bench.write(dataset([box(1), box(2)], categories=categories)))
    assert ran.code == 3
    assert 'class "Caar": unknown_class, 2 annotations; nearest: Car' in ran.out


# --- media


@pytest.mark.parametrize(
    "media_map",
    [
        {"1": hash_of("blank.jpg"), "7": {"data_hash": NIGHT, "frame": 3}, "8": hash_of("walk/2")},
        {"still.jpg": hash_of("blank.jpg"), "a.png": {"data_hash": NIGHT, "frame": 3}, "dir/b.png": hash_of("walk/2")},
    ],
    ids=["by id", "by file name"],
)
def test_media_map(bench: Bench, media_map: Json) -> None:
    images = [
        {"id": 1, "file_name": "still.jpg", "width": 30, "height": 50},
        {"id": 7, "file_name": "a.png", "width": 48, "height": 32},
        {"id": 8, "file_name": "dir/b.png", "width": 33, "height": 21},
        {"id": 9, "file_name": "drive.mp4", "width": 64, "height": 36},
    ]
    content = dataset([box(n, image=i) for n, i in enumerate((1, 7, 8, 9))], images=images)
    ran = bench.cli_import(bench.write(content), "--media-map", bench.write(media_map, "image_mapping.json"))
    assert ran.code == 3
    found = {(title, frame) for title, frame, _ in bench.objects()}
    assert found == {("blank.jpg", 0), ("clips/night.mp4", 3), ("walk-2.png", 0)}
    # The map is the rule: a title it does not name is not looked for.
    assert [reject["code"] for reject in bench.rejects()] == ["unmapped_media"]


def test_media_map_for_ids_without_images(bench: Bench) -> None:
    """A bare results list with Active's image_mapping.json; sizes come from the media."""
    report = bench.run(
        [box(1, image=1), box(2, image="x y")], media_map={1: STILL, "x y": LEFT}, class_map={1: "obj-car1"}
    )
    assert (report.exit_code, bench.boxes()) == (0, [("cam0/left.png", 0, 2.0), ("still.jpg", 0, 1.0)])


@pytest.mark.parametrize(
    "media_map", [{"1": "no-hash"}, {"1": {"data_hash": DRIVE, "frame": 12}}, {"1": {"data_hash": DRIVE}}, {"1": 5}]
)
def test_a_media_map_that_does_not_fit_is_refused(bench: Bench, media_map: Json) -> None:
    before = bench.stored()
    with pytest.raises(UsageError, match="media_map"):
        bench.run(dataset([box(1)]), media_map=media_map)
    assert bench.stored() == before


@pytest.mark.parametrize(
    ("file_name", "title"),
    [
        ("cam0/left.png", "cam0/left.png"),
        ("left.png", "cam0/left.png"),
        ("/data/run 3/cam1/left.png", "cam0/left.png"),
        ("C:\\data\\left.png", "cam0/left.png"),
        ("left.jpeg", "cam0/left.png"),
        ("left", "cam0/left.png"),
        ("walk-1.png", "walk-1.png"),
        ("frames/walk-1.jpg", "walk-1.png"),
    ],
)
def test_titles_exact_base_name_stem(bench: Bench, file_name: str, title: str) -> None:
    report = bench.run(dataset([box(1)], images=[{"id": 1, "file_name": file_name, "width": 22, "height": 14}]))
    assert (report.exit_code, [found for found, *_ in bench.objects()]) == (0, [title])


def test_images_of_a_group_by_their_own_titles(bench: Bench) -> None:
    bench.run(dataset([box(1, image=2), box(2, image=3), mask(3, image=3, size=(40, 24))]))
    assert list(bench.rows()) == [WALK]
    found = sorted((title, item["shape"]) for title, _, item in bench.objects())
    assert found == [("walk-0.png", "bounding_box"), ("walk-1.png", "bitmask"), ("walk-1.png", "bounding_box")]
    # Fractions of the image's own size, not of the group's first.
    assert bench.boxes() == [("walk-0.png", 0, 1.0), ("walk-1.png", 0, 2.0)]


def test_a_group_by_its_title_and_frame_index(bench: Bench) -> None:
    images = [{"id": n, "file_name": f"{n}.png", "video_id": 5, "frame_index": n, "width": w, "height": h}
              for n, (w, h) in enumerate(((40, 24), (24, 40), (33, 21)))]  # fmt: skip
    bench.run(dataset([box(n, image=n) for n in range(3)], images=images, videos=[{"id": 5, "name": "walk"}]))
    assert bench.boxes() == [("walk-0.png", 0, 0.0), ("walk-1.png", 0, 1.0), ("walk-2.png", 0, 2.0)]


# --- frames


def test_videos_with_video_id_and_frame_index(bench: Bench) -> None:
    images = [
        {"id": 1, "video_id": "v", "frame_index": 4, "width": 64, "height": 36},
        {"id": 2, "video_id": "v", "frame_id": 11, "width": 64, "height": 36},
        {"id": 3, "video_id": "w", "frame_index": 0, "width": 48, "height": 32},
        {"id": 4, "video_id": "w", "width": 48, "height": 32},
    ]
    videos = [{"id": "v", "file_name": "x/drive.avi"}, {"id": "w", "name": "night.mp4"}]
    report = bench.run(dataset([box(n, image=n) for n in (1, 2, 3, 4)], images=images, videos=videos))
    assert bench.boxes() == [("clips/night.mp4", 0, 3.0), ("drive.mp4", 4, 1.0), ("drive.mp4", 11, 2.0)]
    assert report.rejects_by_code == {"no_frame": 1}


def test_media_from_stem_with_frames_from_image_ids(bench: Bench) -> None:
    """One video a file: the file's name is the medium, a bare list is enough."""
    drive = bench.write([box(1, image=0), box(2, image=11), box(3, image=12)], "drive.json")
    night = bench.write([box(4, image="8"), box(5, image="x")], "night.json")
    gt = bench.write({"images": [], "categories": CATEGORIES}, "gt.json")
    stem = ("--media-from", "stem", "--frame-from", "image_id", "--annotations", gt)
    assert bench.cli_import(drive, night, *stem).code == 3
    assert bench.boxes() == [("clips/night.mp4", 8, 4.0), ("drive.mp4", 0, 1.0), ("drive.mp4", 11, 2.0)]
    assert [reject["code"] for reject in bench.rejects()] == ["frame_range", "bad_field"]
    # The label is who the objects are, the stem is which medium they are on.
    labelled = bench.run(
        drive,
        media_from="stem",
        frame_from="image_id",
        annotations=gt,
        source_label="model-7",
        branch=f"{bench.branch}-b",
    )
    assert labelled.annotations_written == 2


def test_frame_pattern_base_and_stride(bench: Bench) -> None:
    names = [
        "out/drive/000001.png",
        "out/drive/000003.png",
        "out/drive/000007.png",
        "out/night/000002.png",
        "cover.png",
    ]
    images = [{"id": n, "file_name": name} for n, name in enumerate(names)]
    content = bench.write(dataset([box(n, image=n) for n in range(5)], images=images))
    pattern = r"(?P<media>[^/]+)/(?P<frame>\d+)\.png$"
    ran = bench.cli_import(content, "--frame-pattern", pattern, "--frame-base", "1", "--frame-stride", "2")
    assert ran.code == 3
    # (source frame - base) * stride; the seventh is frame 12 of twelve.
    assert bench.boxes() == [("clips/night.mp4", 2, 3.0), ("drive.mp4", 0, 0.0), ("drive.mp4", 4, 1.0)]
    assert [reject["code"] for reject in bench.rejects()] == ["frame_range", "pattern_mismatch"]


def test_frame_base_for_frame_indices(bench: Bench) -> None:
    report = bench.run(dataset([box(1, image=101), box(2, image=112), box(3, image=100)]), frame_base=1)
    assert bench.boxes() == [("drive.mp4", 0, 1.0), ("drive.mp4", 11, 2.0)]
    assert report.rejects_by_code == {"frame_range": 1}


# --- results lists


@pytest.mark.parametrize("option", ["--annotations", "--ground-truth"])
def test_results_lists_with_annotations(bench: Bench, option: str) -> None:
    # The ground truth's own size is what the pixels refer to: twice the medium's here.
    images = [{"id": 1, "file_name": "still.jpg", "width": 60, "height": 100}]
    tables = bench.write(dataset([ring(9)], images=images), "gt.json")
    ran = bench.cli_import(bench.write([box(64), box(66)]), option, tables)
    assert (ran.code, bench.boxes()) == (0, [("still.jpg", 0, 32.0), ("still.jpg", 0, 33.0)])


def test_results_lists_with_sizes_from_the_media(bench: Bench) -> None:
    images = [{"id": 1, "file_name": "still.jpg"}, {"id": 2, "file_name": "blank.jpg"}]
    tables = bench.write(dataset([], images=images), "gt.json")
    report = bench.run([box(64), box(2, image=2)], annotations=tables)
    assert bench.boxes() == [("still.jpg", 0, 64.0)]
    # Nobody knows the size of blank.jpg: not the source, not the listing, not the label row.
    assert report.rejects_by_code == {"no_size": 1}
    assert [reject["annotation_id"] for reject in bench.rejects()] == ["2"]


def test_an_aspect_that_differs_is_a_warning(bench: Bench) -> None:
    images = [{"id": 1, "file_name": "still.jpg", "width": 100, "height": 50}]
    ran = bench.cli_import(bench.write(dataset([box(1), mask(2)], images=images)))
    assert ran.code == 0 and "aspect_differs 2" in ran.out


def test_a_class_map_that_is_no_map(bench: Bench) -> None:
    before = bench.stored()
    for content in ('{"1": "obj-car1", "1": "obj-road"}', '{"1": 1.5}', "[]", '{"1": "obj-none"}', '{"1": ', b"\xff"):
        ran = bench.cli_import(bench.write(dataset([box(1)])), "--class-map", bench.write(content, "map.json"))
        assert (ran.code, "map.json" in ran.err) == (2, True), content
    assert bench.stored() == before


def test_snapshot_and_show(bench: Bench) -> None:
    """What `snapshot` takes of the emulated project is enough to rehearse the import; `show` says what came of it."""
    content = bench.write(dataset([box(1), ring(2), box(3, image=101, track_id=1), box(4, image=102, track_id=1)]))
    account = bench.arguments()[:-4]
    taken = bench.folder / "taken.json"
    assert bench.cli("snapshot", *account[:6], "--out", taken).code == 0
    assert "http" not in taken.read_text()
    rehearsed = bench.cli("import", content, "--branch", bench.branch, "--dry-run", "--project-file", taken,
                          "--work-dir", bench.folder / "w", "--report", bench.folder / "r.json")  # fmt: skip
    assert rehearsed.code == 0, rehearsed.err
    assert bench.cli_import(content).code == 0
    shown = bench.process("show", *account[:6], "--branch", bench.branch, "--json")
    assert shown.code == 0
    (units,) = json.loads(shown.out)["branches"].values()
    by_title = {unit["data_title"]: unit for unit in units}
    assert (by_title["drive.mp4"]["objects"], by_title["drive.mp4"]["frames"]) == (1, 2)
    assert by_title["still.jpg"]["classes"] == {"Car": 1, "Road": 1}
    plain = bench.cli("show", *account[:6], "--branch", bench.branch)
    assert "drive.mp4\t1\t2" in plain.out
    assert Path(taken).stat().st_size > 0
