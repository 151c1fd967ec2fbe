"""Imports that are killed: the same command again ends with the rows of an undisturbed one, and sends none twice."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from commands import Running, cold, finish, wait_until
from killed_at import die_at, die_half_written, points
from ropewalk.emulator.checks import LabelChecker
from ropewalk.emulator.history import Exchange
from ropewalk.emulator.refusals import corrupted_label
from ropewalk.ledger.ledger import SAVED, SENDING, RowRecord, find_ledgers
from world import Json, Service, World, account, arguments, full, import_here, make_world, running_service, tell

KILLS = int(os.environ.get("ROPEWALK_SOAK_KILLS", "100" if full() else "20"))
KILLS_AN_IMPORT = 3
ROWS, PER_ROW = 40, 30
# Rows that hold something else before, in the scenes about that.
EARLIER_ROWS = 25

# Long enough that a kill finds requests in flight.
SLOW = {"latency_ms": 25}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), ROWS, PER_ROW)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same project, and a source that says something else."""
    return make_world(tmp_path_factory.mktemp("earlier"), ROWS, 7, seed=2)


@pytest.fixture(scope="module")
def undisturbed(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Json], float]:
    """What an import leaves that nothing disturbs, and the seconds it takes."""
    with running_service(world, SLOW) as service:
        finish(["--version"])
        began = time.monotonic()
        finish(arguments(world, service, tmp_path_factory.mktemp("calm")))
        seconds = time.monotonic() - began
        contents = service.contents()
    assert len(contents) == ROWS and all(map(boxes, contents.values()))
    return contents, seconds


def boxes(row: Json) -> int:
    """Count the boxes of a row."""
    units = [unit["labels"] for unit in row["data_units"].values()]
    frames = [f for labels in units for f in ([labels] if "objects" in labels else labels.values())]
    return sum(len(frame["objects"]) for frame in frames)


def records(work_dir: Path) -> list[RowRecord]:
    return [record for ledger in find_ledgers(work_dir) for record in ledger.records.values()]


def saved_rows(work_dir: Path) -> set[str]:
    """List the label rows that the ledger records as done."""
    return {record.label_hash for record in records(work_dir) if record.state == SAVED}


def check_not_sent_again(service: Service, done: set[str], stored: dict[str, int]) -> None:
    """Check that no row was applied again after a kill that found it recorded as done."""
    final = service.saves()
    assert {row: final[row] for row in done} == {row: stored[row] for row in done}


def phase(asked: list[Exchange], work_dir: Path) -> str:
    """Tell how far a process had come when it was killed, from what it had asked and what the ledger says."""
    if not asked:
        return "start-up"
    if {exchange.operation for exchange in asked} == {"list"} and not records(work_dir):
        return "staging"
    states = Counter(record.state for record in records(work_dir))
    return "after the last save" if states == {SAVED: ROWS} else "sending"


def start_up_seconds(world: World, folder: Path) -> float:
    """Measure how long a process takes until it asks something."""
    with running_service(world) as service:
        began = time.monotonic()
        process = cold(arguments(world, service, folder))
        wait_until(lambda: bool(service.history))
        seconds = time.monotonic() - began
        process.kill()
        process.wait()
        service.emulator.settle()
    return seconds


def test_kills_at_random_moments(
    world: World, undisturbed: tuple[dict[str, Json], float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected, seconds = undisturbed
    until_asking = start_up_seconds(world, tmp_path / "measured")
    draw = random.Random(5)
    phases: Counter[str] = Counter()
    in_flight = imports = 0
    while phases.total() < KILLS or imports < KILLS // KILLS_AN_IMPORT:
        imports += 1
        work_dir = tmp_path / f"work-{imports}"
        with running_service(world, SLOW) as service:
            command = arguments(world, service, work_dir)
            checks: list[tuple[set[str], dict[str, int]]] = []
            while len(checks) < KILLS_AN_IMPORT and phases.total() < KILLS:
                asked_before = len(service.history)
                if phases.total() % 10 == 9:
                    process = cold(command)
                    time.sleep(draw.uniform(0, 0.9) * until_asking)
                    process.kill()
                    died = process.wait() == -signal.SIGKILL
                else:
                    running = Running(command)
                    time.sleep(draw.uniform(0, 0.9) * seconds)
                    if not running.is_over():
                        running.kill()
                    died = running.wait()[0] == -signal.SIGKILL
                if not died:
                    break
                checks.append((saved_rows(work_dir), service.saves()))
                phases[phase(service.history[asked_before:], work_dir)] += 1
                in_flight += any(record.state == SENDING for record in records(work_dir))
            finish(command)
            assert service.contents() == expected
            service.check_history()
            for done, stored in checks:
                check_not_sent_again(service, done, stored)
            assert len(saved_rows(work_dir)) == ROWS
    tell(
        capsys,
        f"{phases.total()} kills over {imports} imports ({', '.join(f'{n} in {k}' for k, n in phases.most_common())}; "
        f"{in_flight} with rows in flight): rows as undisturbed, none recorded as done sent again",
    )
    assert phases.total() >= KILLS and imports >= KILLS // KILLS_AN_IMPORT
    # Kills that find nothing to lose would prove nothing.
    assert phases["start-up"] >= KILLS // 10 and phases["sending"] >= KILLS // 3 and in_flight >= KILLS // 5


@dataclass
class Scene:
    """What stands there when the process that is to be killed begins, and what it is to end with.

    Attributes:
        service: The emulator.
        command: What is killed, and run again.
        expected: The rows at the end.
        code: Its exit code.
        earlier: The rows before, where a rollback is to bring them back.
        rewritten: data_hashes of rows that are rightly sent again although they are recorded as done.
    """

    service: Service
    command: list[str]
    expected: dict[str, Json]
    code: int = 0
    earlier: dict[str, Json] | None = None
    rewritten: set[str] = field(default_factory=set)


class Scenes:
    """Sets scenes."""

    def __init__(
        self, world: World, earlier: World, expected: dict[str, Json], folder: Path, patch: pytest.MonkeyPatch
    ) -> None:
        self.world, self.earlier, self.expected = world, earlier, expected
        self.folder, self.work_dir, self.patch = folder, folder / "work", patch

    def set(self, name: str) -> Iterator[Scene]:
        return getattr(self, f"_{name}")()

    def _new(self) -> Iterator[Scene]:
        with running_service(self.world) as service:
            yield self._scene(service)

    def _standing(self) -> Iterator[Scene]:
        """All rows stand there as they should, and the ledger that would say so is lost."""
        with running_service(self.world) as service:
            import_here(self.world, service, self.folder / "lost")
            service.mark()
            yield self._scene(service)

    def _refused(self) -> Iterator[Scene]:
        """The server refuses one row in the middle of a batch."""
        bad = self.world.snapshot.media[16].data_hash
        check = LabelChecker.check

        def strict(checker: LabelChecker, content: Json, header: object, medium: object) -> None:
            if content["data_hash"] == bad:
                raise corrupted_label("refused for a test")
            check(checker, content, header, medium)  # type: ignore[arg-type]

        self.patch.setattr(LabelChecker, "check", strict)
        with running_service(self.world) as service:
            scene = self._scene(service)
            scene.code = 3
            scene.expected = self.expected | {bad: emptied(self.expected[bad])}
            yield scene
            (rejects,) = self.work_dir.glob("rejects-*.ndjson")
            lines = [json.loads(line) for line in rejects.read_text().splitlines()]
            assert len({line["annotation_id"] for line in lines}) == len(lines) == PER_ROW
            assert {line["code"] for line in lines} == {"server_refused"}

    def _unanswered(self) -> Iterator[Scene]:
        """The first save is lost twice on its way: all the time there was is used up."""
        with running_service(
            self.world, {"rules": [{"operation": "save", "nth": [1, 2], "drop": "before"}]}
        ) as service:
            yield self._scene(service, "--retry-seconds", "0.000001", "--jobs", "1")

    def _edited(self) -> Iterator[Scene]:
        """Somebody empties a row that is stored, while the last ones are sent."""
        scene: list[Scene] = []

        def edit(exchange: Exchange) -> None:
            service = scene[0].service
            saves = [seen for seen in service.history if seen.operation == "save"]
            if exchange.operation != "save" or len(saves) != -(-ROWS // 3):
                return
            store, label_hash = service.emulator.store, saves[0].ids[0]
            data_hash = store.header(label_hash).data_hash
            scene[0].rewritten.add(data_hash)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(store, "_clock", lambda: datetime.now(timezone.utc) + timedelta(minutes=5))
                store.save([(label_hash, emptied(json.loads(store.contents([label_hash])[0])))])
            # The edit is no request: the history does not know of it.
            service.before[label_hash] = 1

        with running_service(self.world, on_request=edit) as service:
            scene.append(self._scene(service, "--jobs", "1"))
            yield scene[0]

    def _replaced(self) -> Iterator[Scene]:
        """Most rows hold something else, which is replaced."""
        yield from self._kept("replace")

    def _merged(self) -> Iterator[Scene]:
        """Most rows hold something else, which stays."""
        yield from self._kept("merge")

    def _kept(self, policy: str) -> Iterator[Scene]:
        if policy == "merge":
            with running_service(self.world) as service:
                import_here(self.earlier, service, self.folder / "calm", limit_rows=EARLIER_ROWS)
                import_here(self.world, service, self.folder / "calm", on_existing=policy)
                self.expected = service.contents()
        with running_service(self.world) as service:
            yield self._after_earlier_rows(service, policy)

    def _rolled_back(self) -> Iterator[Scene]:
        """An import that replaced rows is undone."""
        with running_service(self.world) as service:
            scene = self._after_earlier_rows(service, "replace")
            finish(scene.command)
            service.mark()
            assert scene.earlier is not None
            scene.command = self.rollback(service)
            scene.expected, scene.earlier = scene.earlier, None
            yield scene

    def _after_earlier_rows(self, service: Service, policy: str) -> Scene:
        import_here(self.earlier, service, self.folder / "lost", limit_rows=EARLIER_ROWS)
        earlier = service.contents()
        assert len(earlier) == EARLIER_ROWS
        service.mark()
        scene = self._scene(service, "--on-existing", policy)
        scene.earlier = {data_hash: emptied(row) for data_hash, row in self.expected.items()} | earlier
        return scene

    def _scene(self, service: Service, *more: str) -> Scene:
        return Scene(service, arguments(self.world, service, self.work_dir, *more), self.expected)

    def rollback(self, service: Service) -> list[str]:
        """Build the command line that undoes the import."""
        return ["rollback", "--yes", "--work-dir", str(self.work_dir), "--jobs", "4", *account(service)]


def emptied(row: Json) -> Json:
    """Take all labels out of a row."""
    units = {name: {**unit, "labels": {}} for name, unit in row["data_units"].items()}
    return {**row, "data_units": units, "object_answers": {}, "classification_answers": {}}


# Scene, point, and at which of its times the process dies: of those in brackets with the full figures only.
NAMED: list[tuple[str, str, list[int], list[int]]] = [
    ("new", "begin", [1], []),
    ("new", "begun", [1], []),
    ("new", "sending_note", [7], [1, 14]),
    ("new", "sending_noted", [7], [1, 14]),
    ("new", "saved_note", [7], [1, 14]),
    ("new", "saved_noted", [14], [1, 7]),
    ("new", "listed_note", [1], []),
    ("new", "listed_noted", [1], []),
    ("standing", "standing_note", [1], [20, 40]),
    ("standing", "standing_noted", [20], [1, 40]),
    ("refused", "failed_note", [1], []),
    ("refused", "failed_noted", [1], []),
    ("unanswered", "unknown_note", [1], []),
    ("unanswered", "unknown_noted", [1], []),
    ("edited", "edited_note", [1], []),
    ("edited", "edited_noted", [1], []),
    ("replaced", "before_keep", [5], [1, EARLIER_ROWS]),
    ("merged", "before_keep", [], [1, EARLIER_ROWS]),
    ("replaced", "before_kept", [], [1, EARLIER_ROWS]),
    ("merged", "before_kept", [5], [1, EARLIER_ROWS]),
    ("merged", "sending_noted", [], [5]),
    ("merged", "saved_note", [5], [1]),
    ("rolled_back", "undoing_note", [1], [2]),
    ("rolled_back", "undoing_noted", [1], [2]),
    ("rolled_back", "undone_note", [1], [2]),
    ("rolled_back", "undone_noted", [1], [2]),
]
HALF_WRITTEN: list[tuple[str, str, list[int], list[int]]] = [
    ("new", ".ledger", [1, 8], [2, 3, 15]),
    ("replaced", ".before", [5], [1, EARLIER_ROWS]),
    ("merged", ".before", [], [1, 5]),
    ("rolled_back", ".ledger", [1], [2]),
]


def test_all_points_of_the_ledgers_life_are_tried() -> None:
    assert {point for _, point, in_share, _ in NAMED if in_share} == points()


def each(
    table: list[tuple[str, str, list[int], list[int]]], dies: Callable[[str, int], None]
) -> list[tuple[str, Callable[[str, int], None], str, int]]:
    return [
        (scene, dies, point, nth)
        for scene, point, in_share, in_full in table
        for nth in in_share + (in_full if full() else [])
    ]


@pytest.mark.parametrize(
    ("scene_name", "dies", "point", "nth"), each(NAMED, die_at) + each(HALF_WRITTEN, die_half_written)
)
def test_a_kill_at_a_point_of_the_ledgers_life(
    world: World,
    earlier: World,
    undisturbed: tuple[dict[str, Json], float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scene_name: str,
    dies: Callable[[str, int], None],
    point: str,
    nth: int,
) -> None:
    scenes = Scenes(world, earlier, undisturbed[0], tmp_path, monkeypatch)
    with contextmanager(scenes.set)(scene_name) as scene:
        service = scene.service
        code, said = Running(scene.command, prepare=dies, prepare_with=(point, nth)).wait()
        assert code == -signal.SIGKILL, (code, said)
        stored, done = service.saves(), saved_rows(scenes.work_dir)
        if scene_name == "unanswered":
            # What is sent again must be what was sent before, to the second of its creation.
            time.sleep(1.1)
        if scene_name == "rolled_back":
            done = set()
        else:
            done -= {r.label_hash for r in records(scenes.work_dir) if r.data_hash in scene.rewritten}
        finish(scene.command, scene.code)
        assert service.contents() == scene.expected
        service.check_history()
        check_not_sent_again(service, done, stored)
        if scene.earlier is not None:
            finish(scenes.rollback(service))
            assert service.contents() == scene.earlier
