"""The page of `preview`: what it draws of each shape, which frames it chooses, and that it needs nothing else."""

from __future__ import annotations

import io
import json
import struct
from base64 import b64decode
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from preview_pages import FRAMES, HEIGHT, WIDTH, addresses_in, data_of, frame_array, write_image, write_video
from ropewalk import Preview, preview, read, read_table, rle
from ropewalk.errors import UsageError
from ropewalk.previewing.differences import likely_cause, mark_differences
from snapshots import make_image, make_image_group, make_ontology, make_snapshot, make_video

BOX = {"media": "a.jpg", "class": "Car", "unit": "px", "box": [10, 20, 30, 12], "width_px": 64, "height_px": 48}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "preview.html"


def drawn(rows: list[dict[str, Any]], out: Path, **options: Any) -> Any:
    preview(read_table(rows), out, work_dir=out.parent, **options)
    return data_of(out)


def objects_of(data: Any) -> list[Any]:
    return [item for frame in data["frames"] if frame["grid"] for item in frame["sides"][0]]


def test_the_page_names_no_outside_address_and_escapes_names(out: Path) -> None:
    row = BOX | {"media": "<script>alert(1)</script>", "class": "</script><img src=x>", "track": "<b>"}
    data = drawn([row, row | {"frame": 3}], out)
    assert addresses_in(out) == set()
    text = out.read_text("utf-8")
    assert text.count("<script") == 2
    assert "<img" not in text and "<b>" not in text
    # The names themselves arrive whole.
    assert (data["media"], data["classes"][0]["name"]) == ([row["media"]], row["class"])


def test_the_title_is_escaped(tmp_path: Path, out: Path) -> None:
    source = tmp_path / "<script>alert(2)<" / "script>.ndjson"
    source.parent.mkdir()
    source.write_text(json.dumps(BOX) + "\n", encoding="utf-8")
    preview(source, out, work_dir=tmp_path)
    text = out.read_text("utf-8")
    assert "alert(2)" in text
    assert "<script>alert(2)" not in text


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"box": [10, 20, 30, 12]}, {"k": "bounding_box", "d": [10, 20, 30, 12], "b": [10, 20, 40, 32]}),
        ({"box": [0.25, 0.5, 0.5, 0.25], "unit": "frac"}, {"d": [16, 24, 32, 12], "b": [16, 24, 48, 36]}),
        # Turned by a right angle about its centre (25, 26), width and height change places.
        (
            {"box": [10, 20, 30, 12], "theta": 90},
            {"k": "rotatable_bounding_box", "d": [10, 20, 30, 12], "a": 90, "b": [19, 11, 31, 41]},
        ),
        (
            {"shape": "polygon", "points": [[[0, 0, 20, 0, 20, 20], [9, 3, 15, 3, 15, 6]], [[30, 30, 40, 30, 40, 40]]]},
            {"d": "M0 0 20 0 20 20ZM9 3 15 3 15 6ZM30 30 40 30 40 40Z", "b": [0, 0, 40, 40]},
        ),
        ({"shape": "polyline", "points": [[[1, 2, 3, 4, 5, 2]]]}, {"d": "M1 2 3 4 5 2", "b": [1, 2, 5, 4]}),
        ({"shape": "point", "points": [[[7, 9]]]}, {"d": [7, 9], "b": [7, 9, 7, 9]}),
        (
            {"shape": "skeleton", "points": [[[1, 2, 11, 2, 11, 22]]], "visibility": [2, 0, 1]},
            {"d": [1, 2, 11, 2, 11, 22], "v": [2, 0, 1], "b": [1, 2, 11, 22]},
        ),
        ({"shape": "circle", "box": [10, 10, 8, 8]}, {"k": "circle", "d": [10, 10, 8, 8]}),
        ({"shape": "ellipse", "points": [[[20, 10, 8, 4]]], "theta": 30}, {"d": [12, 6, 16, 8], "a": 30}),
        (
            {"shape": "cuboid_2d", "points": [[[10, 10, 20, 10, 20, 20], [5, -4]]]},
            {"d": "M10 10 20 10 20 20ZM15 6 25 6 25 16ZM10 10 15 6ZM20 10 25 6ZM20 20 25 16Z", "b": [10, 6, 25, 20]},
        ),
    ],
)
def test_a_shape_is_drawn_in_px_of_its_frame(row: dict[str, Any], expected: dict[str, Any], out: Path) -> None:
    base = {key: value for key, value in BOX.items() if key != "box"}
    (found,) = objects_of(drawn([base | row], out))
    assert {key: found[key] for key in expected} == expected


def test_a_mask_is_outlined_and_the_wrong_pixel_order_shows(out: Path) -> None:
    mask = np.zeros((48, 64), bool)
    mask[10:30, 20:24] = mask[10:14, 20:40] = True
    base = {key: value for key, value in BOX.items() if key != "box"} | {"rle_order": "column_major"}
    counts = rle.encode_coco(mask)
    right, wrong = (
        objects_of(drawn([base | {"rle": counts, "rle_order": order}], out))[0]
        for order in ("column_major", "row_major")
    )
    assert (right["b"], right["d"]) == ([20, 10, 40, 30], "M20 10 40 10 40 14 24 14 24 30 20 30Z")
    # Read along the wrong side, runs of a column are spread over the frame in pieces.
    assert wrong["d"].count("M") > 1
    assert wrong["b"][2] - wrong["b"][0] > 40
    row_major = objects_of(drawn([base | {"rle": rle.encode(mask), "rle_order": "row_major"}], out))[0]
    assert row_major["d"] == right["d"]


def test_a_noisy_mask_is_drawn_from_fewer_pixels(out: Path) -> None:
    mask = np.random.default_rng(1).random((400, 600)) > 0.5
    row = {"media": "a.jpg", "class": "Fog", "rle": rle.encode(mask), "rle_order": "row_major"}
    (found,) = objects_of(drawn([row | {"width_px": 600, "height_px": 400}], out))
    assert len(found["d"]) < 40_000
    assert found["b"][2] > 500


def test_frames_count_from_0_whatever_the_source_counts_from(tmp_path: Path, out: Path) -> None:
    source = tmp_path / "street-1.txt"
    source.write_text("1,7,20,30,40,10,0.5,-1,-1,-1\n3,7,24,30,40,10,0.5,-1,-1,-1\n")
    preview(read(source, class_="Car"), out)
    assert [frame["f"] for frame in data_of(out)["frames"] if frame["sides"][0]] == [0, 2]
    preview(read(source, class_="Car", frame_base=0, frame_stride=5), out)
    assert [frame["f"] for frame in data_of(out)["frames"] if frame["sides"][0]] == [5, 15]


def test_the_extremes_each_class_and_the_ends_are_chosen(out: Path) -> None:
    video = BOX | {"media": "v.mp4"}
    rows: list[dict[str, Any]] = [
        video | {"frame": n, "score": 0.5, "box": [10, 10, 5, 5], "class": f"c{n % 3}"} for n in range(200)
    ]
    rows[70] |= {"score": 0.99}
    rows[80] |= {"score": 0.01}
    rows[90] |= {"box": [2, 2, 50, 40]}
    rows[100] |= {"box": [-9, 10, 20, 20]}
    rows[110] |= {"box": [5, 5, 0, 5]}
    rows[120] |= {"class": "rare"}
    del rows[130]
    frames = {frame["f"]: frame["why"] for frame in drawn(rows, out, frames=20)["frames"]}
    assert len(frames) == 20
    for n, why in (
        (70, "highest score 0.99: c1"),
        (80, "lowest score 0.01: c2"),
        (90, "largest: c0"),
        (100, "off the image: c1"),
        (110, "empty: c2"),
        (120, "class rare"),
        (130, "no predictions"),
        (0, "first frame"),
        (199, "last frame"),
    ):
        assert why in frames[n]
    assert frames.keys() == {frame["f"] for frame in drawn(rows[::-1], out, frames=20)["frames"]}


def test_the_page_is_bounded(out: Path) -> None:
    rows = [BOX | {"media": f"m{n}.jpg", "class": f"c{n % 50}"} for n in range(3000)]
    rows += [BOX | {"media": "crowd.jpg"}] * 500
    result = preview(read_table(rows), out, frames=300)
    data = data_of(out)
    assert len(data["frames"]) == result.frames == 300
    assert max(len(frame["sides"][0]) for frame in data["frames"]) <= 200
    assert out.stat().st_size < 500_000
    with pytest.raises(UsageError, match="from 1 to 300"):
        preview(read_table(rows), out, frames=301)


def test_names_beyond_the_bounds_are_counted(out: Path) -> None:
    rows = [
        BOX | {"media": f"m{n}.jpg", "class": f"c{n}", "track": str(n), "score": 0.9 if n < 1100 else 0.1}
        for n in range(10_050)
    ]
    result = preview(read_table(rows, source_label="x"), out)
    assert result.sides["x"] == {
        "drawable": 10_050,
        "media beyond the first 10,000": 50,
        "classes beyond the first 1,000": 9_050,
        "tracks beyond the first 5,000": 5_050,
    }


def test_a_track_has_a_strip_of_its_frames(out: Path) -> None:
    video = BOX | {"media": "v.mp4"}
    rows = [video | {"frame": n, "track": "7", "box": [n, 10, 5, 5]} for n in range(50)]
    rows += [video | {"frame": n, "track": "8", "class": "Van"} for n in (3, 9)]
    data = drawn(rows, out, frames=3)
    assert sum(frame["grid"] for frame in data["frames"]) == 3
    long, short = data["tracks"]
    assert (long["t"], long["n"], short["t"], short["n"]) == ("7", 50, "8", 2)
    strip = [data["frames"][n]["f"] for n in long["frames"]]
    assert len(strip) == 6 and strip == sorted(strip) and strip[0] == 0 and strip[-1] >= 45
    assert [data["frames"][n]["f"] for n in short["frames"]] == [3, 9]


def test_frames_of_a_video_are_the_ones_meant(tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "media" / "clips"
    folder.mkdir(parents=True)
    write_video(folder / "v%d.mp4")
    rows = [BOX | {"media": "v%d.mp4", "frame": n, "width_px": WIDTH} for n in (0, 5, 11, 12, 17, 23, 24)]
    result = preview(read_table(rows), out, media_dir=tmp_path / "media")
    # Frame 1 is there because it has no predictions, and 24 is after the last frame.
    assert result.pictures == 7
    bars = {frame["f"]: bar_of(frame["img"]) for frame in data_of(out)["frames"] if frame["img"]}
    assert bars == {n: pytest.approx(12 * n, abs=4) for n in (0, 1, 5, 11, 12, 17, 23)}
    assert FRAMES == 24


def bar_of(uri: str) -> int:
    with av.open(io.BytesIO(b64decode(uri.removeprefix("data:image/jpeg;base64,")))) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture.shape == (HEIGHT, WIDTH, 3)
    return int((picture[3, :, 2] > 150).sum())


def test_images_are_found_by_name_stem_and_place_in_a_folder(tmp_path: Path, out: Path) -> None:
    media = tmp_path / "media"
    write_image(media / "day" / "a.png", 3)
    for n in (2, 10, 9):
        write_image(media / "MOT-2" / "img1" / f"{n}.png", n)
    rows = [BOX | {"media": "a"}, *(BOX | {"media": "MOT-2", "frame": n} for n in (0, 2))]
    rows += [BOX | {"media": "elsewhere/day/a.jpg"}, BOX | {"media": "gone.jpg"}]
    preview(read_table(rows), out, media_dir=media)
    data = data_of(out)
    bars = {(data["media"][f["m"]], f["f"]): f["img"] and round(bar_of(f["img"]) / 12) for f in data["frames"]}
    assert bars == {
        ("a", 0): 3,
        ("MOT-2", 0): 2,
        ("MOT-2", 1): 9,
        ("MOT-2", 2): 10,
        ("elsewhere/day/a.jpg", 0): 3,
        ("gone.jpg", 0): None,
    }


def test_a_photo_is_upright_as_players_show_it(tmp_path: Path, out: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    encoder = av.VideoCodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "yuvj420p", Fraction(1)
    frame = av.VideoFrame.from_ndarray(frame_array(20), format="rgb24").reformat(format="yuvj420p")
    photo = b"".join(map(bytes, [*encoder.encode(frame), *encoder.encode(None)]))
    # Exif's orientation 6: to be turned by a quarter clockwise.
    exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    (media / "a.jpg").write_bytes(photo[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + photo[2:])
    row = {key: value for key, value in BOX.items() if key not in ("width_px", "height_px")}
    (found,) = drawn([row], out, media_dir=media)["frames"]
    assert (found["w"], found["h"]) == (HEIGHT, WIDTH)
    with av.open(io.BytesIO(b64decode(found["img"].split(",")[1]))) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    # The bar along the top is now along the right side, and begins at its top.
    assert picture[10, -4].min() > 200 and picture[-10, -4].max() < 100 and picture[10, 4].max() < 100


def test_a_signed_address_is_shown_without_its_signature(out: Path) -> None:
    drawn([BOX | {"media": "https://files.example.com/a.jpg?Signature=canary"}], out)
    text = out.read_text("utf-8")
    assert "files.example.com/a.jpg" in text and "canary" not in text


def test_the_file_gives_a_size_that_nothing_else_does_and_says_where_shapes_differ(tmp_path: Path, out: Path) -> None:
    write_image(tmp_path / "media" / "a.png")
    row = {key: value for key, value in BOX.items() if key not in ("width_px", "height_px")}
    (frame,) = drawn([row], out, media_dir=tmp_path / "media")["frames"]
    assert (frame["w"], frame["h"], frame["note"]) == (WIDTH, HEIGHT, None)
    (frame,) = drawn([BOX], out, media_dir=tmp_path / "media")["frames"]
    assert (frame["w"], frame["note"]) == (64, "the file has 320 x 180 px, the predictions are for 64 x 48")
    (frame,) = drawn([row], out)["frames"]
    assert (frame["w"], frame["h"]) == (41, 33)


def test_unreadable_media_are_named(tmp_path: Path, out: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    with pytest.raises(UsageError, match="neither images nor videos"):
        preview(read_table([BOX]), out, media_dir=media)
    (media / "a.jpg").write_bytes(b"not a picture")
    with pytest.raises(UsageError, match=r"a\.jpg: PyAV cannot read"):
        preview(read_table([BOX]), out, media_dir=media)
    assert not out.exists()


def test_with_a_project_it_draws_what_an_import_would_write(tmp_path: Path, out: Path) -> None:
    project = make_snapshot((make_video(), make_image(), make_image_group()), make_ontology().to_dict())
    rows = [
        {"media": "drive.mp4", "frame": 3, "class": "Car", "unit": "px", "box": [60, 30, 20, 10], "track": 1},
        {"media": "still.jpg", "class": "Ship", "unit": "px", "box": [5, 5, 8, 4], "theta": 45},
        {"media": "walk-1.png", "class": "Car", "unit": "frac", "box": [0.5, 0.5, 0.25, 0.25]},
        {"media": "drive.mp4", "frame": 99, "class": "Car", "unit": "px", "box": [1, 1, 2, 2]},
        {"media": "drive.mp4", "frame": 1, "class": "Cow", "unit": "px", "box": [1, 1, 2, 2]},
    ]
    result = preview(read_table(rows, source_label="x"), out, project=project, work_dir=tmp_path)
    data = data_of(out)
    assert result.exit_code == 3
    assert sum(n for what, n in result.sides["x"].items() if what.startswith("rejected")) == 2
    found = {data["media"][f["m"]]: (f["f"], f["w"], f["h"], f["sides"][0][0]["d"]) for f in data["frames"]}
    # Clipped to the frame, as an import clips it; the group is one medium, and the image its frame 1.
    assert found["drive.mp4"] == (3, 64, 36, [60, 30, 4, 6])
    assert found["still.jpg"] == (0, 30, 50, [5, 5, 8, 4])
    assert found["walk"][0] == 1
    assert {item["name"] for item in data["classes"]} == {"Car", "Ship"}


def test_usage(tmp_path: Path, out: Path) -> None:
    with pytest.raises(UsageError, match="nothing to draw"):
        preview(None, out)
    with pytest.raises(UsageError, match="branch needs a project"):
        preview(read_table([BOX]), out, branch="m")
    with pytest.raises(UsageError, match="every needs a project"):
        preview(read_table([BOX]), out, every=2)
    with pytest.raises(UsageError, match=r"ends in \.html"):
        preview(read_table([BOX]), tmp_path / "out.png")
    with pytest.raises(UsageError, match="no such folder"):
        preview(read_table([BOX]), out, media_dir=tmp_path / "none")


def test_a_source_without_objects_makes_an_empty_page(out: Path) -> None:
    result = preview(read_table([{"media": "a", "class": "Ripe?", "attributes": [{"name": "", "value": "Yes"}]}]), out)
    assert result == Preview(str(out), 0, 0, 0, 0, None, None, result.sides)
    assert result.sides == {"what is in memory": {"not drawn: answers and sounds": 1}}


def item(box: list[float], class_name: str = "Car", **more: Any) -> dict[str, Any]:
    bounds = [box[0], box[1], box[0] + box[2], box[1] + box[3]]
    return {"c": class_name, "t": None, "s": 0.5, "k": "bounding_box", "d": box, "b": bounds} | more


@pytest.mark.parametrize(
    ("first", "second", "marks"),
    [
        ([item([1, 1, 9, 9])], [item([1.02, 1, 9, 9])], ([None], [None])),
        ([item([1, 1, 9, 9])], [item([3, 1, 9, 9])], (["changed"], ["changed"])),
        ([item([1, 1, 9, 9])], [item([1, 1, 9, 9], s=0.6)], (["changed"], ["changed"])),
        ([item([1, 1, 9, 9])], [item([1, 1, 9, 9], "Van")], (["only"], ["only"])),
        ([item([1, 1, 9, 9], a=30)], [item([1, 1, 9, 9], a=-30)], (["changed"], ["changed"])),
        ([item([1, 1, 9, 9], a=179.98)], [item([1, 1, 9, 9], a=-180)], ([None], [None])),
        ([item([1, 1, 9, 9], s=None)], [item([1, 1, 9, 9], s=1.0)], ([None], [None])),
        ([item([1, 1, 9, 9]), item([1, 1, 9, 9])], [item([1, 1, 9, 9])], ([None, "only"], [None])),
        ([item([1, 1, 9, 9])], [item([2, 1, 9, 9]), item([6, 1, 9, 9])], (["changed"], ["changed", "only"])),
    ],
)
def test_differences(first: list[Any], second: list[Any], marks: tuple[list[Any], list[Any]]) -> None:
    n = mark_differences(first, second)
    assert tuple([found.get("m") for found in side] for side in (first, second)) == marks
    changed = marks[0].count("changed")
    assert n == changed + sum(side.count("only") for side in marks)


def test_a_usual_mistake_is_named() -> None:
    here = {("v", n): [item([10.0 * n, 1, 9, 9], a=20)] for n in range(4)}
    later = {("v", n + 1): found for (_, n), found in here.items()}
    assert likely_cause(here, here) is None
    assert "one frame later" in (likely_cause(here, later) or "")
    assert "one frame earlier" in (likely_cause(later, here) or "")
    turned = {key: [{**found[0], "a": -20}] for key, found in here.items()}
    assert "opposite angle" in (likely_cause(here, turned) or "")
    moved = {key: [item([found[0]["d"][0] + 1, 1, 9, 9], a=20)] for key, found in here.items()}
    assert likely_cause(here, moved) is None
