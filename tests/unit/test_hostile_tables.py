"""Tables that hold anything: each row is written or rejected, and nothing breaks."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import polars
import pytest

from ropewalk import import_predictions, read_table
from ropewalk.converting.convert import convert
from snapshots import make_image, make_snapshot, make_video

MOST = 2**32 - 1
CLASSES = {
    "Car": "bounding_box",
    "Road": "polygon",
    "Tree": "bitmask",
    "Ship": "rotatable_bounding_box",
    "Lane": "polyline",
    "Light": "point",
    "Wheel": "circle",
    "Pond": "ellipse",
    "Weather": None,
}
NUMBERS = (0.0, -1.0, 0.5, 1e9 + 1, -1e18, 1e300, 1.7e308, 5e-324)
POINTS: tuple[Any, ...] = (
    [],
    [[]],
    [[[]]],
    *([[[x, y]]] for x, y in product(NUMBERS[::3], repeat=2)),
    *([[[x, 1.0, y, 1.0, y, x]]] for x, y in product(NUMBERS, repeat=2)),
    [[[1.0, 1.0, 9.0, 1.0, 9.0, 9.0], [2.0, 2.0, 3.0, 1e12, 3.0, 3.0]], [[-5.0, -5.0, -4.0, -5.0, -4.0, -3.0]]],
    [[[1.0, 1.0, 1e300, 5.0]]],
)
BOXES = [[x, y, w, h] for x, y, w, h in product(NUMBERS[:6:2], NUMBERS[1:6:2], NUMBERS[::2], NUMBERS[2::3])]
RLES = (b"", b"0", b"ooooooooooooooooooo", b"\xff\x00", b"04", b"P" * 40, b"1" * 1000)


def rows() -> list[dict[str, Any]]:
    base = {"media": "still.jpg", "frame": 0, "unit": "px", "rle_order": "row_major"}
    found: list[dict[str, Any]] = []
    for name, shape in CLASSES.items():
        of_class = base | {"class": name, "shape": shape}
        found += [of_class | {"points": points, "unit": unit} for points in POINTS for unit in ("px", "frac")]
        found += [of_class | {"box": box, "theta": theta} for box in BOXES for theta in (None, 1e300)]
        found += [
            of_class | {"rle": rle, "width_px": width, "height_px": height, "rle_order": order}
            for rle, (width, height), order in product(
                RLES, ((30, 50), (0, 0), (MOST - 1, MOST - 1), (2**24, 2**8)), ("row_major", "column_major")
            )
        ]
        found += [
            of_class | {"media": media, "frame": frame, "frame_last": last, "box": [1.0, 2.0, 3.0, 4.0]}
            for media, frame, last in product(
                ("drive.mp4", "blank.jpg", "", "x" * 5000), (0, 11, MOST), (None, 0, MOST)
            )
        ]
        found += [
            of_class | {"width_px": width, "height_px": 7, "box": [1.0, 2.0, 3.0, 4.0]} for width in (0, 1, MOST - 1)
        ]
        found += [
            of_class | {"attributes": [{"name": n, "value": v}]}
            for n, v in (("", None), ("x", ""), ("Weather", "Sunny"))
        ]
    return found


@pytest.mark.parametrize("kind", ["table", "lines"])
@pytest.mark.parametrize(
    "options", [{}, {"off_image": "reject"}, {"off_image": "keep", "frame_stride": 2**40, "decimals": 3}]
)
def test_every_row_is_written_or_rejected(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    given = rows()
    project = make_snapshot((make_video(), make_image(), make_image("blank.jpg", width=None, height=None)))
    if kind == "table":
        schema = {"box": polars.List(polars.Float64), "points": polars.List(polars.List(polars.List(polars.Float64)))}
        predictions = read_table(polars.DataFrame(given, schema_overrides=schema, infer_schema_length=None))
    else:
        predictions = read_table(
            [row | {"rle": row["rle"].decode("latin-1")} if "rle" in row else row for row in given]
        )
    report = import_predictions(predictions, project, branch="b", dry_run=True, work_dir=tmp_path, **options)
    assert report.annotations_read == len(given)
    assert report.annotations_written > 0
    assert report.annotations_written + report.annotations_rejected == len(given)
    out = tmp_path / "rows.ndjson"
    converted = convert(
        [predictions.source], out, project, work_dir=tmp_path, format=predictions.options.format, **options
    )
    assert converted.annotations_written + converted.annotations_rejected == len(given)
    for line in out.read_text("ascii").splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_many_sources_in_one_table(tmp_path: Path) -> None:
    """Each row with a source and a class of its own costs no more than a row."""
    n = 30_000
    frame = polars.DataFrame(
        {
            "source": [f"run-{i}" for i in range(n)],
            "media": ["still.jpg"] * n,
            "class": ["Car", *(f"class {i}" for i in range(1, n))],
            "box": [[1.0, 2.0, 3.0, 4.0]] * n,
        }
    )
    report = import_predictions(
        read_table(frame, unit="px"), make_snapshot(), branch="b", dry_run=True, work_dir=tmp_path
    )
    assert report.annotations_written == 1
    assert report.rejects_by_code == {"unknown_class": n - 1}
