"""The IR as a COCO dataset: pycocotools loads it, it reads back as it was, and what has no place in it is counted."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from encord.objects import OntologyStructure
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

import ropewalk
from ropewalk import _core, rle
from ropewalk.converting.coco_output import CocoWriter
from ropewalk.converting.convert import convert
from ropewalk.reading.sources import find_sources
from snapshots import hash_of, make_snapshot

H, W = 5, 8
# An F, which no turn or flip leaves as it is.
F = np.zeros((H, W), bool)
F[0:5, 1] = F[0, 1:6] = F[2, 1:4] = True
SCHEMA = polars.DataFrame(_core.AnnotationBatch.empty()).schema
RING = [1.0, 0.5, 6.0, 0.5, 6.0, 4.0, 2.5, 2.0]


def batch(*rows: dict[str, Any]) -> _core.AnnotationBatch:
    common = {"source": "s", "media": "still.jpg", "frame": 0, "kind": "object", "class": "Car", "unit": "px"}
    common |= {"width_px": W, "height_px": H}
    full = [common | {"offset": 10 * n} | row for n, row in enumerate(rows)]
    return _core.AnnotationBatch.from_arrow(polars.DataFrame(full, schema=SCHEMA))


def written(*rows: dict[str, Any], project: Any = None) -> tuple[dict[str, Any], list[Any], CocoWriter]:
    file = io.BytesIO()
    writer = CocoWriter(file, project)
    rejects = writer.write(batch(*rows)) if rows else []
    writer.finish()
    return json.loads(file.getvalue()), rejects, writer


def only(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    document, rejects, _ = written(*rows, **more)
    assert rejects == []
    (annotation,) = document["annotations"]
    return annotation  # type: ignore[no-any-return]


def dataset() -> dict[str, Any]:
    images = [
        {"id": 41, "file_name": "a.jpg", "width": W, "height": H},
        *(
            {"id": 70 + n, "file_name": f"v/{n}.png", "width": W, "height": H, "video_id": 3, "frame_index": n}
            for n in (4, 2)
        ),
    ]
    counts = coco_mask.encode(np.asfortranarray(F))["counts"].decode()
    runs = [1, 2, H * W - 3]
    return {
        "images": images,
        "videos": [{"id": 3, "name": "drive.mp4"}],
        "categories": [{"id": 9, "name": "Tree"}, {"id": 5, "name": "Car"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 72,
                "category_id": 9,
                "segmentation": {"size": [H, W], "counts": counts},
                "score": 0.1,
            },
            {"id": 2, "image_id": 74, "category_id": 5, "bbox": [0.1, 2, 3.3, 1.5], "track_id": "left", "score": 0.7},
            {"id": 3, "image_id": 72, "category_id": 5, "bbox": [0.2, 2, 3.3, 1.5], "track_id": "left"},
            {"id": 4, "image_id": 41, "category_id": 5, "segmentation": [RING, [0, 0, 1, 0, 0, 2]], "track_id": 7},
            {"id": 5, "image_id": 41, "category_id": 9, "segmentation": {"size": [H, W], "counts": runs}},
        ],
    }


def test_coco_comes_back_as_it_was(tmp_path: Path) -> None:
    source, out = tmp_path / "given.json", tmp_path / "x.coco.json"
    source.write_text(json.dumps(dataset()))
    report = convert(find_sources(source), out, None, work_dir=tmp_path / "work")
    assert (report.annotations_read, report.annotations_written, report.exit_code) == (5, 5, 0)
    assert report.bytes_sent == out.stat().st_size
    one, two = (ropewalk.read_coco(path).to_polars() for path in (source, out))
    # A mask or ring has a box in COCO, and tracks have numbers there.
    drop = ("source", "offset", "annotation_id", "box", "track")
    assert two.drop(drop).equals(one.drop(drop), null_equal=True)
    assert [box for box in one["box"].to_list() if box] == two["box"].to_list()[1:3]
    assert two["track"].to_list() == [None, "1", "1", "2", None]
    assert [a.get("attributes") for a in json.loads(out.read_text())["annotations"]] == [
        None,
        {"track": "left"},
        {"track": "left"},
        {"track": "7"},
        None,
    ]


def test_pycocotools_loads_it(tmp_path: Path) -> None:
    source, out = tmp_path / "given.json", tmp_path / "x.json"
    source.write_text(json.dumps(dataset()))
    convert(find_sources(source), out, None, work_dir=tmp_path / "work")
    coco = COCO(str(out))
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == ["Tree", "Car"]
    assert [i["file_name"] for i in coco.loadImgs([1, 2, 3])] == [
        "drive.mp4/000002.jpg",
        "drive.mp4/000004.jpg",
        "a.jpg",
    ]
    assert [i.get("frame_index") for i in coco.loadImgs([1, 2, 3])] == [2, 4, None]
    (tree, _, _, road, _) = coco.loadAnns([1, 2, 3, 4, 5])
    assert (coco.annToMask(tree) == F).all()
    assert (tree["area"], tree["bbox"]) == (F.sum(), [1, 0, 5, 5])
    # Shoelace by hand: the ring has 9.875, the triangle 1.
    assert (road["area"], road["bbox"]) == (10.875, [0, 0, 6, 4])


def test_rotation_is_kept_beside_the_box_before_it_is_turned() -> None:
    row = {"shape": "rotatable_bounding_box", "box": [1.0, 2.0, 4.0, 2.5], "theta": 30.0, "track": "t"}
    annotation = only(row)
    assert (annotation["bbox"], annotation["area"]) == ([1, 2, 4, 2.5], 10)
    assert annotation["attributes"] == {"track": "t", "rotation": 30.0}


def test_fractions_become_px() -> None:
    box = {"shape": "bounding_box", "unit": "frac", "box": [0.25, 0.2, 0.5, 0.4]}
    assert only(box)["bbox"] == [2, 1, 4, 2]
    ring = {"shape": "polygon", "unit": "frac", "points": [[[0.0, 0.0, 0.5, 0.0, 0.5, 1.0]]]}
    assert only(ring)["segmentation"] == [[0, 0, 4, 0, 4, 5]]
    # An image of the project has a size there.
    unsized = {"width_px": None, "height_px": None}
    assert only(box | unsized, project=make_snapshot())["bbox"] == [7.5, 10, 15, 20]
    document, (reject,), _ = written(box | unsized)
    assert (reject["code"], reject["byte"], document["annotations"], document["images"]) == ("no_size", 0, [], [])


def test_px_of_another_size_are_scaled_and_masks_are_not() -> None:
    first = {"shape": "bounding_box", "box": [1.0, 1.0, 2.0, 2.0]}
    half = first | {"width_px": 4, "height_px": 10}
    mask = {"shape": "bitmask", "rle": rle.encode_coco(F.T).encode(), "rle_order": "column_major"}
    document, (reject,), _ = written(first, half, mask | {"width_px": H, "height_px": W})
    assert [a["bbox"] for a in document["annotations"]] == [[1, 1, 2, 2], [2, 0.5, 4, 1]]
    assert (reject["code"], reject["byte"]) == ("mask_size", 20)


def test_masks_of_either_order() -> None:
    for order, encoded in (("row_major", rle.encode(F)), ("column_major", rle.encode_coco(F))):
        annotation = only({"shape": "bitmask", "rle": encoded.encode(), "rle_order": order})
        assert (coco_mask.decode(annotation["segmentation"]) == F).all()


@pytest.mark.parametrize("counts", [b"PPZ", b"\xff", b"o", b"0" * 3])
def test_run_lengths_that_are_none_are_rejected(counts: bytes) -> None:
    for order in ("row_major", "column_major"):
        _, (reject,), writer = written({"shape": "bitmask", "rle": counts, "rle_order": order})
        assert reject["code"].startswith("rle_")
        assert writer.written == 0


def test_holes_become_a_mask() -> None:
    outer, hole = [1.0, 0.0, 7.0, 0.0, 7.0, 5.0, 1.0, 5.0], [2.0, 1.0, 4.0, 1.0, 4.0, 4.0, 2.0, 4.0]
    annotation = only({"shape": "polygon", "points": [[outer, hole]]})
    pixels = np.zeros((H, W), bool)
    pixels[:, 1:7] = True
    pixels[1:4, 2:4] = False
    assert (coco_mask.decode(annotation["segmentation"]) == pixels).all()
    assert (annotation["area"], annotation["bbox"]) == (24, [1, 0, 6, 5])


def test_skeletons_are_keypoints() -> None:
    row = {"shape": "skeleton", "points": [[[1.0, 2.0, 0.0, 0.0, 5.0, 4.0]]], "visibility": [2, 0, 3]}
    annotation = only(row)
    assert annotation["keypoints"] == [1, 2, 2, 0, 0, 0, 5, 4, 1]
    assert (annotation["num_keypoints"], annotation["bbox"], annotation["area"]) == (2, [1, 2, 4, 2], 8)


def test_keypoints_have_the_names_of_the_template() -> None:
    structure = OntologyStructure()
    points = {str(n): SkeletonTemplateCoordinate(x=n, y=2 * n, name=name) for n, name in enumerate(("nose", "left"))}
    template = SkeletonTemplate(name="Figure", width=1, height=2, skeleton=points, skeleton_edges={})
    structure.add_skeleton_object("Sailor", template, feature_node_hash="obj-sail")
    project = make_snapshot(structure=structure.to_dict())
    row = {"shape": "skeleton", "class": "obj-sail", "points": [[[1.0, 2.0, 3.0, 4.0]]], "media": hash_of("still.jpg")}
    document, _, _ = written(row, {"shape": "point", "class": "Light", "points": [[[5.0, 2.0]]]}, project=project)
    figure, light = document["categories"]
    assert (figure["name"], figure["supercategory"], figure["keypoints"]) == ("Sailor", "skeleton", ["nose", "left"])
    assert (light["name"], light["keypoints"]) == ("Light", ["Light"])
    assert [a["keypoints"] for a in document["annotations"]] == [[1, 2, 2, 3, 4, 2], [5, 2, 2]]


def test_circles_and_ellipses_are_the_boxes_around_them() -> None:
    # A circle's second radius is in first ones; both are px by then.
    circle = {"shape": "circle", "unit": "frac", "points": [[[0.5, 0.4, 0.25, 0.5]]]}
    ellipse = {"shape": "ellipse", "points": [[[4.0, 2.0, 3.0, 1.0]]], "theta": 90.0}
    document, _, writer = written(circle, ellipse)
    assert [a["bbox"] for a in document["annotations"]] == [[2, 1, 4, 2], pytest.approx([3, -1, 2, 6])]
    assert writer.warnings == {"round_as_box": 2}


def test_attributes_stay_but_for_names_that_coco_uses() -> None:
    values = [("colour", "red"), ("fruit", "kiwi"), ("fruit", "apple"), ("score", "9")]
    attributes = [{"name": name, "value": value, "frame": None, "frame_last": None} for name, value in values]
    row = {"shape": "bounding_box", "box": [1.0, 1.0, 2.0, 2.0], "attributes": attributes}
    document, _, writer = written(row)
    assert document["annotations"][0]["attributes"] == {"colour": "red", "fruit": ["kiwi", "apple"]}
    assert writer.warnings == {"attribute_left_out": 1}


def test_what_has_no_place_is_counted() -> None:
    answer = {"kind": "answer", "shape": None}
    line = {"shape": "polyline", "points": [[[0.0, 0.0, 4.0, 4.0]]]}
    cuboid = {"shape": "cuboid_2d", "points": [[[0.0, 0.0, 4.0, 0.0, 4.0, 4.0], [1.0, 2.0]]]}
    document, rejects, writer = written(answer, line, cuboid)
    assert (document["annotations"], rejects, writer.left_out) == ([], [], 3)


def test_one_medium_and_class_under_name_and_hash() -> None:
    box = {"shape": "bounding_box", "box": [1.0, 1.0, 2.0, 2.0]}
    document, _, _ = written(box, box | {"media": hash_of("still.jpg"), "class": "obj-car1"}, project=make_snapshot())
    (image,), (category,) = document["images"], document["categories"]
    assert (image["file_name"], image["data_hash"]) == ("still.jpg", hash_of("still.jpg"))
    assert (category["name"], category["feature_hash"]) == ("Car", "obj-car1")


def test_an_image_inside_a_group_is_an_image_however_it_is_called() -> None:
    box = {"shape": "bounding_box", "unit": "frac", "box": [0.25, 0.5, 0.5, 0.25], "width_px": None, "height_px": None}
    rows = [("walk", 1), (hash_of("walk"), 1), ("walk-1.png", 0), (hash_of("walk/1"), 0), ("walk", 2)]
    document, rejects, _ = written(
        *(box | {"media": m, "frame": f, "track": "t"} for m, f in rows), project=make_snapshot()
    )
    assert rejects == []
    assert [(i["file_name"], i["width"], i["height"]) for i in document["images"]] == [
        ("walk-1.png", 24, 40),
        ("walk-2.png", 33, 21),
    ]
    assert [a["image_id"] for a in document["annotations"]] == [1, 1, 1, 1, 2]
    tracks = [a["track_id"] for a in document["annotations"]]
    assert tracks[0] == tracks[1] == tracks[4]
    assert "videos" not in document


def test_nothing_is_an_empty_dataset() -> None:
    document, _, _ = written()
    assert {name: document[name] for name in ("annotations", "images", "categories")} == {
        "annotations": [],
        "images": [],
        "categories": [],
    }


def test_rejects_are_counted_once_and_stand_in_their_file(tmp_path: Path) -> None:
    given = dataset()
    given["annotations"] += [
        {"id": 6, "image_id": 41, "category_id": 9, "segmentation": {"size": [W, H], "counts": [H * W]}},
        {"id": 7, "image_id": 41, "category_id": 9, "bbox": [1, 1, "x", 1]},
        {"id": 8, "image_id": 41, "category_id": 9, "bbox": [1, 1, 1, 1], "iscrowd": 1},
    ]
    source, out = tmp_path / "given.json", tmp_path / "x.json"
    source.write_text(json.dumps(given))
    report = convert(find_sources(source), out, None, work_dir=tmp_path / "work")
    assert (report.annotations_read, report.annotations_written, report.filtered_by_reason) == (8, 5, {"crowd": 1})
    assert (report.rejects_by_code, report.exit_code) == ({"mask_size": 1, "bad_field": 1}, 3)
    assert report.rejects_file is not None
    assert len(Path(report.rejects_file).read_text().splitlines()) == 2
