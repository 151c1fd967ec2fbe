"""Memory that does not grow with a source, whatever its format: reading is held to the bound of COCO sources."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

import pytest

from commands import finish, note_peak
from long_sources import LONG_SOURCES, write_long_source
from ropewalk import _core
from world import full, tell

# What a long source may take above one of two records.
BYTES_BESIDE = 100_000_000
# Above it, of each byte of the source. A pickle's memo may name again what the file had before, so it is held: some 7
# bytes a byte, for boxes.
BYTES_A_BYTE = {"active-pkl": 8}

LEN_BYTES, FILES = (100_000_000, 100_000) if full() else (1_000_000, 400)
PROBE = 1_000


def len_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def peak_of(name: str, folder: Path, records: int) -> tuple[int, int]:
    """Convert a source to a table: give the source's bytes, and the process's peak memory."""
    path, options = write_long_source(name, folder, records)
    given, peak = len_bytes(folder), folder / "peak"
    command = ["convert", str(path), "--format", name, "--out", str(folder / "out.parquet"), "--threads", "2"]
    finish([*command, "--work-dir", str(folder / "work"), *options], prepare=note_peak, prepare_with=(str(peak),))
    found = int(peak.read_text())
    shutil.rmtree(folder)
    return given, found


@pytest.mark.parametrize("name", LONG_SOURCES)
def test_a_long_source_takes_no_more_memory(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if LONG_SOURCES[name].is_folder:
        many = FILES
    else:
        write_long_source(name, tmp_path / "probe", PROBE)
        many = max(8, LEN_BYTES * PROBE // len_bytes(tmp_path / "probe"))
        shutil.rmtree(tmp_path / "probe")
    own = peak_of_two()
    given, more = peak_of(name, tmp_path / "many", many)
    bound = BYTES_BESIDE + BYTES_A_BYTE.get(name, 0) * given
    tell(
        capsys,
        f"peak memory of {name}: {(more - own) / 1e6:+.0f} MB for {many:,} ({given / 1e6:.1f} MB) above "
        f"{own / 1e6:.0f} MB for two records of NDJSON; at most {bound / 1e6:+.0f} MB",
    )
    assert more - own <= bound


@functools.cache
def peak_of_two() -> int:
    """Tell what a process needs that converts two records: the interpreter and the packages, whatever the format."""
    with tempfile.TemporaryDirectory() as folder:
        return peak_of("ndjson", Path(folder) / "two", 2)[1]


def test_every_format_is_measured() -> None:
    assert set(LONG_SOURCES) == {found["name"] for found in _core.formats() if found["suffixes"] or found["members"]}
