"""CVAT's XML, read by the core and by datumaro; and tracks with gaps, read by a plain reader of CVAT's rule."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import polars
import pytest

import ropewalk
from ropewalk import _core
from ropewalk.emulator import running_emulator
from ropewalk.sinks.encord.client import open_project
from snapshots import make_format_project

Json = dict[str, Any]
HEIGHT, WIDTH = 23, 41
ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv" / "producers" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

# Datumaro's reader of the XML, without the pictures that its importer asks for.
DATUMARO = """
import json, sys
from datumaro.plugins.data_formats.cvat.base import CvatBase

base = CvatBase.__new__(CvatBase)
base._subset = None
items, categories = base._parse(sys.argv[1])
names = [label.name for label in next(iter(categories.values())).items]
found = []
for frame, item in items.items():
    for annotation in item["annotations"]:
        kind = annotation.type.name
        if kind == "mask":
            drawn = annotation.image.tolist()
        elif kind == "bbox":
            drawn = list(annotation.get_bbox())
        elif kind == "rotated_bbox":
            drawn = [annotation.cx, annotation.cy, annotation.w, annotation.h, annotation.r]
        elif kind == "label":
            drawn = None
        else:
            drawn = list(annotation.points)
        attributes = annotation.attributes
        track, outside = attributes.get("track_id"), attributes.get("outside", False)
        name = item.get("name")
        found.append([name, int(frame), names[annotation.label], kind, track, outside, drawn])
json.dump(found, sys.stdout)
"""


def read(path: Path, **options: Any) -> tuple[list[Json], Any]:
    """Read a file by the core: its rows, and its reader for the counts."""
    reader = _core.read(path, "label", None, json.dumps(options))
    rows = [row for batch in reader for row in polars.DataFrame(batch).to_dicts()]
    assert reader.counts["rejected"] == 0, reader.rejects
    return rows, reader


def element(tag: str, *children: str, **attributes: Any) -> str:
    given = "".join(f" {name}={quoteattr(str(value))}" for name, value in attributes.items())
    return f"<{tag}{given}>{''.join(children)}</{tag}>"


def write(path: Path, *children: str, source: str = "v.mp4", step: int = 1) -> Path:
    labels = (element("label", element("name", name), element("attributes")) for name in ("Car", "Tree & bush"))
    size = element("original_size", element("width", str(WIDTH)), element("height", str(HEIGHT)))
    filtered = element("frame_filter", f"step={step}")
    task = element(
        "task", element("id", "3"), filtered, element("labels", *labels), size, element("source", source)
    ).replace("Tree & bush", "Tree &amp; bush")
    path.write_text(
        element("annotations", element("version", "1.1"), element("meta", task), *children), encoding="utf-8"
    )
    return path


def shape(random: np.random.Generator, **more: Any) -> str:
    """Make a shape of any kind that datumaro reads."""

    def number() -> str:
        # The middle of two of these has two decimals, which is what datumaro keeps.
        return str(random.integers(0, 40) / 2 + 0.25)

    pairs = ";".join(f"{number()},{number()}" for _ in range(random.integers(3, 7)))
    more = {"label": str(random.choice(["Car", "Tree & bush"])), **more}
    match random.integers(0, 5 if "frame" in more else 6):
        case 0:
            return element("box", xtl=number(), ytl=number(), xbr="30.25", ybr="22.25", **more)
        case 1:
            turned = {"rotation": str(random.integers(1, 1440) / 4)}
            return element("box", xtl=number(), ytl=number(), xbr="30.25", ybr="22.25", **turned, **more)
        case 2:
            return element("polygon", points=pairs, **more)
        case 3:
            return element("polyline", points=pairs, **more)
        case 4:
            return element("points", points=f"{number()},{number()}", **more)
        case _:
            left, top = random.integers(0, WIDTH - 12), random.integers(0, HEIGHT - 9)
            width, height = random.integers(1, 12), random.integers(1, 9)
            bits = random.random(width * height) < 0.4
            flat = np.concatenate([[0], bits.astype(np.int8), [2]])
            runs = np.diff(np.flatnonzero(np.diff(flat)), prepend=0).tolist()
            crop = {"left": left, "top": top, "width": width, "height": height}
            return element("mask", rle=", ".join(map(str, runs)), **crop, **more)


def comparable(row: Json) -> tuple[Any, ...]:
    """Make a row what datumaro gives."""
    if row["kind"] == "answer":
        kind, drawn = "label", None
    elif row["rle"] is not None:
        size = (row["height_px"], row["width_px"])
        assert row["rle_order"] == "row_major"
        kind, drawn = "mask", np.asarray(ropewalk.rle.decode(row["rle"].decode(), size)).astype(int).tolist()
    elif row["box"] is not None:
        x, y, w, h = row["box"]
        kind, drawn = "bbox", [x, y, w, h]
        if row["theta"]:
            kind, drawn = "rotated_bbox", [x + w / 2, y + h / 2, w, h, row["theta"]]
    else:
        (((drawn),),) = row["points"]
        kind = {"point": "points"}.get(row["shape"], row["shape"])
    return row["class"], kind, drawn


@pytest.mark.skipif(not TOOLS.exists(), reason="`make test` installs the tools")
@pytest.mark.parametrize("seed", range(3))
def test_datumaro_reads_the_same(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    images = [
        element(
            "image",
            *(shape(random) for _ in range(6)),
            element("tag", label="Car"),
            id=number,
            name=f"set/{number}.jpg",
            width=WIDTH,
            height=HEIGHT,
        )
        for number in range(4)
    ]
    tracks = [
        element(
            "track",
            *(
                shape(random, frame=frame, keyframe=1, outside=int(random.random() < 0.3), label=None)
                for frame in range(10, 20)
            ),
            id=track,
            label="Tree & bush",
        )
        for track in range(3)
    ]
    path = write(tmp_path / "annotations.xml", *images, *tracks)
    # Of a track the label is that of the track.
    path.write_text(path.read_text(encoding="utf-8").replace(' label="None"', ""), encoding="utf-8")
    done = subprocess.run([TOOLS, "-c", DATUMARO, path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    expected = []
    for name, frame, label, kind, track, outside, drawn in json.loads(done.stdout):
        if not outside:
            at = ("v.mp4", frame, str(track)) if track is not None else (name, None, None)
            expected.append((*at, label, kind, drawn))

    rows, reader = read(path)

    found = [(row["media"], row["frame"] if row["track"] else None, row["track"], *comparable(row)) for row in rows]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert len(found) > 40
    # Kinds change from frame to frame here, and no frame is left out.
    assert reader.counts["warnings"] == {}


@pytest.mark.parametrize("step", [1, 3])
def test_frames_that_a_file_leaves_out_are_filled(step: int, tmp_path: Path) -> None:
    random = np.random.default_rng(step)
    frames = np.sort(random.permutation(30)[:6]) * step
    corners = np.round(random.random((6, 4)) * 10, 2) + (0, 0, 12, 12)
    is_outside = [False, False, True, False, False, True]
    boxes = [
        element(
            "box",
            frame=frame,
            outside=int(outside),
            **dict(zip(("xtl", "ytl", "xbr", "ybr"), box.tolist(), strict=True)),
        )
        for frame, box, outside in zip(frames.tolist(), corners, is_outside, strict=True)
    ]
    path = write(tmp_path / "annotations.xml", element("track", *boxes, id=7, label="Car"), step=step)

    rows, reader = read(path)

    expected = {}
    for at, frame in enumerate(frames.tolist()):
        if is_outside[at]:
            continue
        following = int(frames[at + 1])
        for filled in range(frame, following, step):
            share = (filled - frame) / (following - frame)
            expected[filled] = corners[at] + (corners[at + 1] - corners[at]) * share
    assert len(rows) == len(expected)
    for row in rows:
        x, y, w, h = row["box"]
        assert np.allclose([x, y, x + w, y + h], expected[row["frame"]])
    assert reader.counts["warnings"] == {"interpolated": len(expected) - is_outside.count(False)}


NAMES = ("nose", "hand", "foot")


@pytest.mark.parametrize(
    ("labels", "taken"),
    [
        (("foot", "nose", "hand"), ("nose", "hand", "foot")),
        (("HAND", "Foot", "nose"), ("nose", "HAND", "Foot")),
        (("hand", "nose"), ("nose", "hand", None)),
        # The template knows none of these: the order of the file stays.
        (("a", "b", "c"), ("a", "b", "c")),
        ((None, "nose", "hand"), (None, "nose", "hand")),
    ],
    ids=str,
)
@pytest.mark.parametrize("moves", [False, True])
def test_points_of_a_skeleton_go_by_their_labels(
    labels: tuple[str | None, ...], taken: tuple[str | None, ...], moves: bool, tmp_path: Path
) -> None:
    places = {name: (3.0 + 4 * at, 5.5 + at) for at, name in enumerate(labels)}
    flags = dict(zip(labels, ({}, {"occluded": 1}, {"outside": 1}), strict=False))
    points = [
        element("points", points=f"{x},{y}", **({} if name is None else {"label": name}), **flags[name])
        for name, (x, y) in places.items()
    ]
    project = make_format_project()
    size = {"width": WIDTH, "height": HEIGHT}
    if moves:
        holder = element("track", element("skeleton", *points, frame=2), id=0, label="Walker")
    else:
        holder = element("image", element("skeleton", *points, label="Walker"), id=0, name="set/still.jpg", **size)
    path = write(tmp_path / "annotations.xml", holder, source=project.media[0].title)
    with running_emulator(project) as running:
        opened = open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url)
        report = ropewalk.import_predictions(path, opened, branch="b", work_dir=tmp_path)
        assert (report.rejects_by_code, report.annotations_written) == ({}, 1), report
        assert report.warnings.get("keypoints_missing", 0) == (len(labels) < 3)
        (row,) = [row for row in opened.list_label_rows_v2(branch_name="b") if row.label_hash]
        row.initialise_labels()
        ((annotation,),) = [instance.get_annotations() for instance in row.get_object_instances()]
    coordinates: Any = annotation.coordinates
    found = [
        (point.name, round(point.x * WIDTH, 6), round(point.y * HEIGHT, 6), str(point.visibility.value))
        for point in coordinates.values
    ]
    words = dict(zip(labels, ("visible", "occluded", "invisible"), strict=False))
    nowhere = (0.0, 0.0)
    assert found == [
        (name, *places.get(label, nowhere), words.get(label, "invisible"))
        for name, label in zip(NAMES, taken, strict=True)
    ]
