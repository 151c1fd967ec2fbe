"""What `inspect` says of small sources: sums, frames with gaps, and findings that need no seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ropewalk import read, read_table
from ropewalk.errors import UsageError
from ropewalk.inspecting.folders import folders_of_frames


def row(**more: Any) -> dict[str, Any]:
    return {"media": "a.mp4", "frame": 0, "class": "Car", "box": [2, 3, 50, 40], "unit": "px", "score": 0.5} | more


def codes(rows: list[dict[str, Any]], **options: Any) -> list[str]:
    return [finding.code for finding in read_table(rows, **options).inspect().findings]


def test_sums_of_a_table() -> None:
    rows = [row(frame=frame, track=str(frame % 2), score=score) for frame, score in ((0, 0.25), (10, None), (15, 0.75))]
    rows += [row(media="b.png", **{"class": "Tree"}, width_px=640, height_px=480), row(media="a.mp4", frame=15)]
    found = read_table(rows).inspect()
    (of,) = found.formats
    assert (found.annotations_read, of.name, of.annotations, of.tracked, of.tracks) == (5, "ndjson", 5, 3, 2)
    assert {item.name: item.shapes for item in of.classes} == {"Car": {"bounding_box": 4}, "Tree": {"bounding_box": 1}}
    assert (of.scores.given, of.scores.min, of.scores.max) == (4, 0.25, 0.75)
    assert of.sizes_px == [(640, 480)]
    (video, _) = of.media
    assert (video.first_frame, video.last_frame, video.frames, video.step) == (0, 15, 3, 5)
    assert (video.gaps, video.first_gaps, video.tracks) == (1, ((5, 5),), 2)
    assert not found.findings
    json.dumps(found.as_dict())


def test_rows_that_cannot_be_read_are_counted_with_a_message() -> None:
    found = read_table([row(), row(box=[1, 2, -3, 4]), row(box=[1, 2, -3, 4])]).inspect()
    (of,) = found.formats
    assert (found.annotations_read, of.annotations) == (3, 1)
    n, first = of.rejects["negative_box"]
    assert n == 2 and "-3 wide" in first


def test_scores() -> None:
    assert codes([row(score=None)]) == ["no_scores"]
    assert codes([row(score=score) for score in (12.5, 99, 40)]) == ["scores_in_percent"]
    little = [row(score=score) for score in (0.2, 0.9, 1.01)]
    assert codes(little) == ["scores_out_of_range"]
    assert codes(little, score="clamp") == []


def test_masks_without_a_pixel() -> None:
    # Runs of 4 x 6 pixels of background, and with one pixel.
    mask = {"box": None, "height_px": 4, "width_px": 6, "rle_order": "row_major"}
    empty = row(**mask, rle="h0")
    assert codes([empty, empty]) == ["masks_empty"]
    assert codes([empty, row(**mask, rle="31d0")]) == []


def test_frames_below_the_first_one(tmp_path: Path) -> None:
    path = tmp_path / "street-1.txt"
    path.write_text("".join(f"{frame},7,20,30,40,10,0.5,-1,-1,-1\n" for frame in range(4)), encoding="ascii")
    (finding,) = read(path, class_="Car").inspect().findings
    assert finding.code == "frame_base" and finding.message.endswith("give frame_base 0")
    assert not read(path, class_="Car", frame_base=0).inspect().findings


@pytest.mark.parametrize(
    ("form", "video"),
    [
        ("cam_{}/{:06}.jpg", "cam_1"),
        ("clip{}_{:04}.png", "clip1"),
        ("run/img1/cam{}-{}.jpg", "cam1"),
        ("MOT17-0{}/img1/{:06}.jpg", "MOT17-01"),
    ],
)
def test_names_of_frames(form: str, video: str) -> None:
    rows = [row(media=form.format(n, frame)) for n in (1, 2) for frame in range(1, 13)]
    findings = {finding.code: finding.message for finding in read_table(rows).inspect().findings}
    assert f"look like frames of {video} and 1 other video" in findings["names_of_frames"]
    assert "give frame_pattern '(?P<media>" in findings["names_of_frames"]


def test_names_of_images_are_not_frames() -> None:
    names = [f"val2017/{number:012}.jpg" for number in (139, 285, 632, 724, 776, 785, 802, 872, 885, 1000)]
    assert not folders_of_frames(read_table([row(media=name) for name in names]).inspect().formats[0].media)


def test_an_option_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="media_match"):
        read_table([row()]).inspect(media_mach="exact")  # type: ignore[call-arg]
