"""Two importers on one branch, and an importer that is told to stop."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from commands import Running, finish, wait_until
from world import BRANCH, Json, World, account, arguments, full, make_world, running_service, tell

ROWS, PER_ROW = 30, 10
# A client that is told to stop while the server stalls leaves what is in flight behind after this, plus its own end.
STOP_SECONDS = 20 + 5


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), ROWS, PER_ROW)


@pytest.fixture(scope="module")
def undisturbed(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    with running_service(world) as service:
        finish(arguments(world, service, tmp_path_factory.mktemp("calm")))
        return service.contents()


def test_a_branch_has_one_importer_at_a_time(world: World, undisturbed: dict[str, Json], tmp_path: Path) -> None:
    with running_service(world, {"latency_ms": 300}) as service:
        first = Running(arguments(world, service, tmp_path / "first", "--jobs", "1"))
        wait_until(lambda: any(exchange.operation == "save" for exchange in service.history))
        # Whatever its work folder: the branch is what there is one of.
        asked = len([e for e in service.history if e.operation in ("create", "save")])
        refused = finish(arguments(world, service, tmp_path / "second"), 1)
        assert f"another import is writing on the branch {BRANCH}" in refused
        assert "ropewalk status" in refused
        rollback = ["rollback", "--yes", "--work-dir", str(tmp_path / "first"), *account(service)]
        assert "another import is writing" in finish(rollback, 1)
        (now,) = json.loads(finish(["status", "--json", "--work-dir", str(tmp_path / "first")]))
        assert now["running"] is True
        # Looking is free, and so is another branch.
        finish(arguments(world, service, tmp_path / "second", "--dry-run"))
        finish(arguments(world, service, tmp_path / "second", "--branch", "pred-other", "--limit-rows", "1"))
        assert not first.is_over() and asked
        # The lock dies with its process, however that ends.
        first.kill()
        assert first.wait()[0] == -signal.SIGKILL
        (now,) = json.loads(finish(["status", "--json", "--work-dir", str(tmp_path / "first")]))
        assert now["running"] is False
    with running_service(world) as service:
        process = Running(arguments(world, service, tmp_path / "third"))
        assert process.wait()[0] == 0
        assert service.contents() == undisturbed


MOMENTS = {
    # What the server does, and how long the end may take. Ordinary answers are waited for.
    "slow": ({"latency_ms": 500}, [], 5),
    "stalling": (
        {"rules": [{"operation": "save", "nth": list(range(4, 99)), "stall": {"when": "before", "seconds": 60}}]},
        # An attempt that runs is not cut short, but for its own timeout.
        ["--timeout", "2"],
        8,
    ),
    "refusing": (
        {"rules": [{"operation": "save", "nth": list(range(4, 999)), "status": 503, "retry_after": 60}]},
        [],
        5,
    ),
}
if full():
    MOMENTS["stalling for long"] = (
        {"rules": [{"operation": "save", "nth": list(range(4, 99)), "stall": {"when": "after", "seconds": 60}}]},
        [],
        STOP_SECONDS,
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS)
def test_told_to_stop_it_ends_soon_and_says_how_to_go_on(
    world: World,
    undisturbed: dict[str, Json],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    moment: str,
    how: signal.Signals,
) -> None:
    faults, options, bound = MOMENTS[moment]
    with running_service(world, faults) as service:  # type: ignore[arg-type]
        process = Running(arguments(world, service, tmp_path, "--report", str(tmp_path / "report.json"), *options))  # type: ignore[misc]
        # A slow server has created the rows of a second round by then, whose saves are in flight.
        operation, times = ("create", 8) if moment == "slow" else ("save", 3)
        wait_until(lambda: sum(e.operation == operation for e in service.history) >= times)
        time.sleep(0.1)
        assert not process.is_over()
        began = time.monotonic()
        process.kill(how)
        code, said = process.wait(bound + 30)
        seconds = time.monotonic() - began
        if moment == "slow":
            service.emulator.settle()
        history = service.history[:]
    assert (code, "Traceback" in said) == (1, False), said
    assert seconds < bound
    last = said.splitlines()[-1]
    assert "interrupted" in last and "run the same command again to finish" in last
    assert sum("interrupted" in line for line in said.splitlines()) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    acknowledged = {row for e in history if e.operation == "save" and e.answered == "ok" for row in e.ids}
    assert (report["exit_code"], report["stopped_by"]) == (1, "interrupted")
    assert report["annotations_written"] + report["annotations_not_sent"] == world.annotations
    # What was in flight is waited for, so that all that was acknowledged is known.
    assert report["label_rows_saved"] == len(acknowledged)
    tell(capsys, f"{how.name} while the server is {moment}: ended after {seconds:.1f} s of {bound}")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_was_stopped_is_finished_by_the_same_command(
    world: World, undisturbed: dict[str, Json], tmp_path: Path, how: signal.Signals
) -> None:
    with running_service(world, {"latency_ms": 60}) as service:
        command = arguments(world, service, tmp_path)
        for saves in (2, 5):
            process = Running(command)
            wait_until(lambda saves=saves: sum(e.operation == "save" for e in service.history) >= saves)  # type: ignore[misc]
            process.kill(how)
            assert process.wait()[0] == 1
        before = service.saves()
        assert 0 < sum(before.values()) < ROWS
        finish(command)
        assert service.contents() == undisturbed
        service.check_history()
        # Stopping waits for what is in flight, so that nothing is unknown and nothing sent twice.
        assert set(service.saves().values()) == {1}
