"""Write the examples that are binary: Parquet and Arrow tables. Run it as `python tests/formats/make_tables.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars

FOLDER = Path(__file__).resolve().parent

Row = dict[str, Any]

# A row that is right, and what makes it wrong.
CAR: Row = {"media": "drive.mp4", "frame": 3, "class": "Car", "box": [4.0, 6.0, 20.0, 10.0], "unit": "px"}
WRONG: dict[str, Row] = {
    "missing_field": {"class": None},
    "bad_field": {"box": [4.0, 6.0, 20.0]},
    "score_range": {"score": 50.0},
    "negative_box": {"box": [24.0, 16.0, -20.0, -10.0]},
    "bad_polygon": {"box": None, "shape": "polygon", "points": [[[1.0, 2.0, 9.0, 3.0]]]},
    "not_finite": {"score": float("nan")},
}


def lines(name: str) -> list[Row]:
    """Read rows of an NDJSON example, without members that are not columns."""
    text = (FOLDER / "ndjson" / "good" / name).read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return [{key: value for key, value in row.items() if not key.startswith("x_")} for row in rows]


def frame(rows: list[Row]) -> polars.DataFrame:
    """Make a table whose columns are those that any of the rows has."""
    return polars.DataFrame(rows, infer_schema_length=None, strict=False)


def full(table: polars.DataFrame) -> polars.DataFrame:
    """Give columns the types that Ropewalk itself writes, where polars chose others."""
    return table.with_columns(
        polars.col("frame").cast(polars.UInt32),
        polars.col("rle").cast(polars.Binary),
        polars.col("visibility").cast(polars.List(polars.UInt8)),
    )


def malformed(code: str) -> polars.DataFrame:
    """Make a table of three rows, the second of them wrong."""
    return frame([CAR, CAR | {"frame": 5} | WRONG[code], CAR | {"frame": 4}])


def main() -> None:
    """Write all tables."""
    for name in ("parquet", "arrow"):
        for part in ("good", *(f"malformed/{code}" for code in WRONG), "malformed/blocker-bbox"):
            (FOLDER / name / part).mkdir(parents=True, exist_ok=True)
    parquet, arrow = FOLDER / "parquet", FOLDER / "arrow"
    objects, answers = frame(lines("objects.ndjson")), frame(lines("answers.jsonl"))
    full(objects).write_parquet(
        parquet / "good" / "objects.parquet", metadata={"ropewalk.schema_version": "1"}, row_group_size=4
    )
    answers.write_parquet(parquet / "good" / "answers.parquet", compression="gzip")
    full(objects).write_ipc(arrow / "good" / "objects.arrow", record_batch_size=4)
    objects.write_ipc_stream(arrow / "good" / "stream.ipc")
    answers.write_ipc(arrow / "good" / "answers.feather", compression="zstd")
    for code in WRONG:
        table = malformed(code)
        table.write_parquet(parquet / "malformed" / code / "rows.parquet")
        table.write_ipc(arrow / "malformed" / code / "rows.arrow")
    misnamed = frame([CAR]).rename({"box": "bbox"})
    misnamed.write_parquet(parquet / "malformed" / "blocker-bbox" / "rows.parquet")
    misnamed.write_ipc(arrow / "malformed" / "blocker-bbox" / "rows.arrow")


if __name__ == "__main__":
    main()
