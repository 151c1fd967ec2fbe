"""Memory that does not grow with the rows that are sent: what an import holds of each is a few hundred bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import finish, note_peak
from world import BRANCH, arguments, full, make_world, running_service, tell

ROWS, FEW_ROWS = (10_000, 1_000) if full() else (600, 60)
PER_ROW = 2
# Of each row stay its number, hashes, title and size, its record in the ledger and its entry in the listing of who
# edited what: 4 kB in all. If bodies or answers stayed as well it would be 10 kB and more a row. The rest is for
# the allocator and for requests in flight, which do not depend on the number of rows.
BYTES_A_ROW, BYTES_BESIDE = 4_000, 24_000_000


def test_memory_is_flat_over_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The same project for both: its listing is one answer, which costs what it costs.
    world = make_world(tmp_path, ROWS, PER_ROW)
    peaks = {}
    for rows in (FEW_ROWS, ROWS):
        peak = tmp_path / f"peak-{rows}"
        with running_service(world) as service:
            command = arguments(world, service, tmp_path / f"work-{rows}", "--limit-rows", str(rows))
            finish([*command, "--batch-rows", "20"], prepare=note_peak, prepare_with=(str(peak),))
            assert len(service.emulator.store.headers(BRANCH)) == rows
        peaks[rows] = int(peak.read_text())
    growth = peaks[ROWS] - peaks[FEW_ROWS]
    bound = BYTES_BESIDE + BYTES_A_ROW * (ROWS - FEW_ROWS)
    tell(
        capsys,
        f"peak memory: {peaks[FEW_ROWS] / 1e6:.0f} MB for {FEW_ROWS:,} rows, {peaks[ROWS] / 1e6:.0f} MB for {ROWS:,}; "
        f"{growth / 1e6:+.0f} MB of at most {bound / 1e6:.0f}",
    )
    assert growth < bound
