"""Imports that are killed: the same command again ends with the rows of an undisturbed one, and sends none twice."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from ropewalk.ledger.ledger import SAVED, find_ledgers
from world import Json, Service, World, arguments, finish, full, make_world, running_service, start, tell

KILLS = int(os.environ.get("ROPEWALK_SOAK_KILLS", "100" if full() else "20"))
KILLS_AN_IMPORT = 3
ROWS, PER_ROW = 40, 30

# Long enough that a kill finds requests in flight.
SLOW = {"latency_ms": 25}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), ROWS, PER_ROW)


@pytest.fixture(scope="module")
def undisturbed(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Json], float]:
    """What an import leaves that nothing disturbs, and the seconds its process takes."""
    with running_service(world, SLOW) as service:
        began = time.monotonic()
        finish(start(arguments(world, service, tmp_path_factory.mktemp("calm"))))
        seconds = time.monotonic() - began
        contents = service.contents()
    assert len(contents) == ROWS
    return contents, seconds


def saved_rows(work_dir: Path) -> dict[str, int]:
    """Read which label rows the ledger records as done: label_hash -> attempts."""
    return {
        record.label_hash: record.attempts
        for ledger in find_ledgers(work_dir)
        for record in ledger.records.values()
        if record.state == SAVED
    }


def check_done_rows(service: Service, done: list[dict[str, int]], stored: list[dict[str, int]]) -> None:
    """Check that no row was applied again after a kill that found it recorded as done."""
    final = service.saves()
    for rows, saves in zip(done, stored, strict=True):
        assert {row: final[row] for row in rows} == {row: saves[row] for row in rows}


def test_kills_at_random_moments(
    world: World, undisturbed: tuple[dict[str, Json], float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected, seconds = undisturbed
    draw = random.Random(5)
    kills = in_start_up = imports = 0
    while kills < KILLS or imports < KILLS // KILLS_AN_IMPORT:
        imports += 1
        work_dir = tmp_path / f"work-{imports}"
        done: list[dict[str, int]] = []
        stored: list[dict[str, int]] = []
        with running_service(world, SLOW) as service:
            command = arguments(world, service, work_dir)
            while len(done) < KILLS_AN_IMPORT and kills < KILLS:
                process = start(command)
                # A tenth while the process comes up, the rest once it may be at work.
                early = kills % 10 == 9
                time.sleep(draw.uniform(0, 0.3) * seconds if early else draw.uniform(0.3, 1) * seconds)
                process.send_signal(signal.SIGKILL)
                process.communicate()
                if process.returncode != -signal.SIGKILL:
                    break
                kills, in_start_up = kills + 1, in_start_up + early
                stored.append(service.saves())
                done.append(saved_rows(work_dir))
            finish(start(command))
            assert service.contents() == expected
            service.check_history()
            check_done_rows(service, done, stored)
            assert len(saved_rows(work_dir)) == ROWS
    tell(
        capsys,
        f"{kills} kills ({in_start_up} in start-up) over {imports} imports: rows as undisturbed, none sent twice",
    )
    assert kills >= KILLS and imports >= KILLS // KILLS_AN_IMPORT and in_start_up >= KILLS // 10


# Points that every import of new rows passes, and how often it does.
POINTS = [
    ("begin", 1),
    ("begun", 1),
    ("sending_note", 1),
    ("sending_note", 7),
    ("sending_noted", 1),
    ("sending_noted", 7),
    ("saved_note", 1),
    ("saved_note", 7),
    ("saved_noted", 1),
    ("saved_noted", 14),
    ("half_written", 1),
    ("half_written", 2),
    ("half_written", 3),
    ("half_written", 12),
]


@pytest.mark.parametrize(("point", "nth"), POINTS)
def test_a_kill_at_a_point_of_the_ledgers_life(
    world: World, undisturbed: tuple[dict[str, Json], float], tmp_path: Path, point: str, nth: int
) -> None:
    with running_service(world) as service:
        command = arguments(world, service, tmp_path)
        killed = start([point, str(nth), *command], script=Path(__file__).with_name("killed_at.py"))
        killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL
        stored, done = service.saves(), saved_rows(tmp_path)
        finish(start(command))
        assert service.contents() == undisturbed[0]
        service.check_history()
        check_done_rows(service, [done], [stored])
