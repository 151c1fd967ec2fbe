"""Damaged Parquet and Arrow files: refused, or read with all their rows; the process goes on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars
import pytest

from damage import damaged
from world import full

ROWS = 300
FILES = 500 if full() else 25

# Reads the files that it is given, and says of each how many rows it has or why it is refused.
READER = """
import json, sys
from ropewalk import read_table
from ropewalk.errors import RopewalkError
for path in sys.stdin.read().splitlines():
    try:
        found = read_table(path, unit="px").open()
        rows = sum(len(batch) for batch in found) + found.counts["rejected"]
    except RopewalkError as e:
        rows = type(e).__name__
    print(json.dumps([path, rows]), flush=True)
"""

WRITERS: dict[str, Callable[[polars.DataFrame, Path], object]] = {
    "zstd.parquet": lambda frame, path: frame.write_parquet(path, row_group_size=100),
    "snappy.parquet": lambda frame, path: frame.write_parquet(path, compression="snappy"),
    "file.arrow": lambda frame, path: frame.write_ipc(path, record_batch_size=100),
    "zstd.arrow": lambda frame, path: frame.write_ipc(path, compression="zstd"),
    "stream.arrow": lambda frame, path: frame.write_ipc_stream(path),
}


def table() -> polars.DataFrame:
    draw = random.Random(1)
    return polars.DataFrame(
        {
            "media": [f"drive-{i // 50}.mp4" for i in range(ROWS)],
            "frame": [i % 50 for i in range(ROWS)],
            "class": polars.Series([draw.choice(["Car", "Person"]) for _ in range(ROWS)], dtype=polars.Categorical),
            "track": [str(i % 9) if i % 3 else None for i in range(ROWS)],
            "score": [draw.random() for _ in range(ROWS)],
            "box": [[draw.random() * 100 for _ in range(4)] for _ in range(ROWS)],
        }
    )


@pytest.mark.parametrize("name", WRITERS)
def test_no_row_is_lost_in_silence(tmp_path: Path, name: str) -> None:
    good = tmp_path / name
    WRITERS[name](table(), good)
    paths = []
    for number, content in enumerate(damaged(good.read_bytes(), FILES, seed=len(name))):
        paths.append(tmp_path / f"{number}-{name}")
        paths[-1].write_bytes(content)
    ran = subprocess.run(
        [sys.executable, "-c", READER],
        input="\n".join(map(str, [good, *paths])),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 0 and len(lines) == 1 + FILES, (lines[-1], ran.stderr)
    assert ran.stderr == ""
    assert lines[0][1] == ROWS
    for path, rows in lines[1:]:
        assert rows == ROWS or rows in ("SourceError", "SchemaError"), (path, rows)
    assert sum(rows != ROWS for _, rows in lines) > FILES / 4
