"""Ledgers that are cut, changed, missing or of another make: never a wrong row, never a traceback."""

from __future__ import annotations

import json
import random
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from commands import finish
from ropewalk.errors import EncordError, LedgerError
from ropewalk.importing.rollback import Rollback, rollback
from ropewalk.importing.status import status
from ropewalk.ledger import lines
from ropewalk.ledger.ledger import find_ledgers
from ropewalk.ledger.lines import CheckedLines
from world import BRANCH, Json, Service, World, account, arguments, full, import_here, make_world, running_service, tell

ROWS, PER_ROW = 4, 3
STEP = 1 if full() else 40
BIT_FLIPS = 1000 if full() else 25


@dataclass
class Scene:
    """A ledger and the rows that stand there beside it, both to be had again as often as is needed.

    Attributes:
        world: The world.
        service: The emulator, without latency.
        project: Its project.
        work_dir: The ledger's work folder.
        kept: A copy of it.
        turns: Which import each branch had last: file -> content.
        rows: The label rows of the emulator.
        earlier: What the rows held before the import.
        expected: What they hold after it.
    """

    world: World
    service: Service
    project: Any
    work_dir: Path
    kept: Path
    turns: dict[Path, bytes]
    rows: sqlite3.Connection
    earlier: dict[str, Json]
    expected: dict[str, Json]

    def set_again(self) -> None:
        self.service.thaw(self.rows)
        shutil.rmtree(self.work_dir)
        shutil.copytree(self.kept, self.work_dir)
        for path, content in self.turns.items():
            path.write_bytes(content)

    def files(self, suffix: str) -> Path:
        (path,) = (self.work_dir / "ledgers").glob(f"*{suffix}")
        return path

    def damages(self, suffix: str) -> Iterator[None]:
        """Damage a file in one way after another, with rows and files as they were."""
        path = self.files(suffix)
        whole = path.read_bytes()
        kept = {file: file.read_bytes() for file in path.parent.iterdir()}
        for content in damaged(whole):
            self.service.thaw(self.rows)
            for file, text in kept.items():
                file.write_bytes(text)
            path.write_bytes(content)
            yield

    def contents(self) -> dict[str, Json]:
        # Nothing is in flight, so that there is nothing to wait for.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(self.service.emulator), "settle", lambda emulator: None)
            return self.service.contents()

    def import_again(self) -> Any:
        options = {"on_existing": "replace", "jobs": 1}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Service, "project", lambda service: self.project)
            return import_here(self.world, self.service, self.work_dir, **options)

    def roll_back(self) -> Rollback:
        result = rollback(self.project, branch=BRANCH, work_dir=self.work_dir, confirm=lambda question: True)
        assert result is not None
        return result


def damaged(whole: bytes) -> Iterator[bytes]:
    """Cut a file at its bytes, and flip bits of it."""
    yield from (whole[:n] for n in range(0, len(whole), STEP))
    draw = random.Random(3)
    for _ in range(BIT_FLIPS):
        bit = draw.randrange(8 * len(whole))
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        yield bytes(content)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), ROWS, PER_ROW)


@pytest.fixture(scope="module", params=["finished", "interrupted"])
def set_scene(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Two of four rows held something else; the import that replaced them finished, or lost the server midway."""
    folder = tmp_path_factory.mktemp(request.param)
    earlier = make_world(folder, ROWS, 2, seed=2)
    interrupted = request.param == "interrupted"
    # The second save of the import under test is stored and not acknowledged, twice.
    rules = [{"operation": "save", "nth": [3, 4], "drop": "after"}] if interrupted else []
    with running_service(world) as service:
        import_here(world, service, folder / "calm")
        calm = service.contents()
    with running_service(world, {"rules": rules}) as service:
        import_here(earlier, service, folder / "earlier", limit_rows=2)
        before = service.contents()
        work_dir = folder / "work"
        options: Json = {"on_existing": "replace", "batch_rows": 1, "jobs": 1, "retry_seconds": 1e-6}
        if interrupted:
            _import_until_lost(world, service, work_dir, options)
            assert 0 < sum(service.contents().get(k) == row for k, row in calm.items()) < ROWS
        else:
            import_here(world, service, work_dir, **options)
            assert service.contents() == calm
        kept = shutil.copytree(work_dir, folder / "kept")
        yield Scene(world, service, service.project(), work_dir, kept, last_turns(), service.frozen(), before, calm)


@pytest.fixture
def scene(set_scene: Scene) -> Scene:
    """The scene as it was set, whatever other tests did to it."""
    set_scene.set_again()
    return set_scene


def last_turns() -> dict[Path, bytes]:
    """Read which import each branch had last."""
    return {path: path.read_bytes() for path in (Path.home() / ".ropewalk" / "locks").glob("*.last")}


def _import_until_lost(world: World, service: Service, work_dir: Path, options: Json) -> None:
    from ropewalk.sinks.encord.upload import Upload

    def unreachable(upload: Upload) -> None:
        raise EncordError("away", status=None, name="ConnectionError")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Upload, "_check_server", unreachable)
        with pytest.raises(EncordError, match="away"):
            import_here(world, service, work_dir, **options)


def test_a_damaged_ledger_never_gives_a_wrong_row(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    tries = sent = 0
    for _ in scene.damages(".ledger"):
        report = scene.import_again()
        assert (report.exit_code, report.annotations_rejected, report.edited_by_others) == (0, 0, [])
        assert scene.contents() == scene.expected
        (now,) = status(scene.work_dir)
        assert now.stored == ROWS
        tries, sent = tries + 1, sent + report.label_rows_saved
    tell(capsys, f"a ledger damaged in {tries} ways: rows as undisturbed each time, {sent / tries:.2f} sent again")


@pytest.mark.parametrize("suffix", [".before", ".ledger"])
def test_a_rollback_from_a_damaged_ledger_gives_back_or_says_what_is_lost(
    scene: Scene, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    imported = scene.contents()
    empty = {key for key in imported if key not in scene.earlier}
    tries = lost = unread = 0
    for _ in scene.damages(suffix):
        tries += 1
        if not find_ledgers(scene.work_dir):
            unread += 1
            continue
        result = scene.roll_back()
        rows = scene.contents()
        assert set(result.lost) <= scene.earlier.keys()
        for data_hash, row in rows.items():
            left_alone = row == imported[data_hash]
            if data_hash in result.lost:
                assert left_alone
            elif data_hash in empty:
                assert left_alone or not row["object_answers"]
            else:
                assert left_alone or row == scene.earlier[data_hash]
        if suffix == ".before":
            # The ledger is whole: what it cannot give back is all that is left.
            given_back = {key for key in scene.earlier if rows[key] == scene.earlier[key]}
            touched = {key for key in scene.earlier if imported[key] != scene.earlier[key]}
            assert touched - given_back <= set(result.lost)
            assert result.exit_code == (3 if result.lost else 0)
        lost += len(result.lost)
    assert suffix == ".ledger" or lost
    tell(
        capsys,
        f"rollback from {suffix} damaged in {tries} ways: {lost} rows said to be lost and left as they were, "
        f"{unread} ledgers not known any more, no row emptied that held labels before",
    )


def test_the_server_decides_and_not_the_ledger(scene: Scene) -> None:
    """Rows that the ledger has as done are gone, or somebody took labels from one and nothing else says so."""
    scene.import_again()
    store = scene.service.emulator.store
    second, first = [h.label_hash for h in store.headers(BRANCH) if h.data_hash in scene.earlier]
    edited = store.header(second).data_hash
    row = json.loads(store.contents([second])[0])
    (unit,) = row["data_units"].values()
    # What is left is no row without labels: it would be kept if it were taken for what stood there before.
    left = unit["labels"]["objects"].pop() if "objects" in unit["labels"] else unit["labels"].popitem()
    assert left and unit["labels"]
    with store._transaction() as sql:
        sql.execute("DELETE FROM label_rows WHERE label_hash = ?", (first,))
        later = ("2099-01-01T00:00:00+00:00", json.dumps(row), second)
        sql.execute("UPDATE label_rows SET last_edited_at = ?, content = ? WHERE label_hash = ?", later)
    report = scene.import_again()
    assert (report.exit_code, report.label_rows_saved) == (0, 2)
    assert scene.contents() == scene.expected
    # What is given back stood there before the import, not between its runs.
    scene.roll_back()
    assert scene.contents()[edited] == scene.earlier[edited]


def test_an_older_copy_of_what_stood_there_is_not_given_back(scene: Scene) -> None:
    """A row is kept a second time, with other labels, and that line is damaged: the first one is out of date."""
    scene.import_again()
    scene.roll_back()
    assert {k: v for k, v in scene.contents().items() if k in scene.earlier} == scene.earlier
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "project", lambda service: scene.project)
        other = make_world(scene.work_dir, ROWS, 5, seed=4)
        import_here(other, scene.service, scene.work_dir.parent / "other", on_existing="replace")
    scene.import_again()
    path = scene.files(".before")
    kept = path.read_bytes().splitlines(keepends=True)
    last = max(n for n, line in enumerate(kept))
    kept[last] = kept[last].replace(b'"labels"', b'"lables"')
    path.write_bytes(b"".join(kept))
    damaged_row = json.loads(kept[last].partition(b" ")[2])["data_hash"]
    result = scene.roll_back()
    assert (result.lost, result.exit_code) == ([damaged_row], 3)
    assert scene.contents()[damaged_row] == scene.expected[damaged_row]


Spoil = Callable[[Path], object]


def as_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def folder_as_file(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("")


@pytest.mark.parametrize("spoil", [as_directory, folder_as_file])
def test_a_ledger_that_cannot_be_opened_is_a_clear_error(scene: Scene, spoil: Spoil) -> None:
    path = scene.files(".ledger")
    spoil(path)
    before = scene.service.saves()
    with pytest.raises(LedgerError, match=r"ledgers.*: (Is a directory|Not a directory|File exists)"):
        scene.import_again()
    assert scene.service.saves() == before
    said = finish(arguments(scene.world, scene.service, scene.work_dir, "--on-existing", "replace"), 1)
    assert "ledgers" in said


def test_a_ledger_that_cannot_be_written_is_a_clear_error(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a folder that is read-only; the tests' own user may be one whom no permission stops."""

    class ReadOnly:
        def __getattr__(self, name: str) -> Any:
            return getattr(__import__("os"), name)

        @staticmethod
        def open(path: Path, *_: object) -> int:
            raise PermissionError(13, "Permission denied", str(path))

    path = scene.files(".ledger")
    path.unlink()
    before = scene.service.saves()
    with monkeypatch.context() as patch:
        patch.setattr(lines, "os", ReadOnly())
        with pytest.raises(LedgerError, match=r"\.ledger: Permission denied"):
            scene.import_again()
    assert scene.service.saves() == before
    assert scene.import_again().exit_code == 0
    assert scene.contents() == scene.expected


def append_line(path: Path, content: object) -> None:
    """Add a line whose checksum holds."""
    checked = CheckedLines(path, path.stem.rpartition("-")[2])
    checked.append([content])  # type: ignore[list-item]
    checked.close()


LATER_VERSIONS: list[object] = [
    {"import": {"branch": BRANCH, "of_a_later_version": 1}},
    {"import": 7},
    {"import": {}},
    {"state": "of a later version", "data_hash": "d", "label_hash": "l", "digest": "x", "annotations": 1},
    {"state": "saved", "data_hash": "d", "more": 1},
    {"state": "saved", "data_hash": 5, "label_hash": [], "digest": {}, "annotations": "x", "seen": "never"},
    {"state": "saved", "data_hash": "d", "label_hash": "l", "digest": "x", "annotations": 1, "seen": 8},
    {},
    [],
    3,
    None,
]


@pytest.mark.parametrize(
    "content",
    LATER_VERSIONS if full() else LATER_VERSIONS[::4],
    ids=lambda content: orjson.dumps(content).decode()[:40],
)
@pytest.mark.parametrize("alone", [False, True])
def test_lines_of_another_version_are_no_lines(scene: Scene, content: object, alone: bool) -> None:
    """Their checksums hold; what they say is not understood, whether they stand among others or in their place."""
    path = scene.files(".ledger")
    if alone:
        path.write_bytes(b"")
    append_line(path, content)
    before = path.with_suffix(".before")
    append_line(before, content)
    for now in status(scene.work_dir):
        assert now.damaged == 1
    assert scene.import_again().exit_code == 0
    assert scene.contents() == scene.expected
    result = scene.roll_back()
    assert alone or (result.damaged == 1 and not result.lost)


def test_a_full_disk_stops_the_import_and_the_same_command_finishes(world: World, tmp_path: Path) -> None:
    """No file may grow beyond a size: what fits of a line is written, as on a disk that is full."""
    earlier = make_world(tmp_path, ROWS, 2, seed=2)
    with running_service(world) as service:
        import_here(earlier, service, tmp_path / "earlier", limit_rows=2)
        before = service.contents()
        work_dir = tmp_path / "work"
        command = arguments(world, service, work_dir, "--on-existing", "replace", "--batch-rows", "1")
        # The output goes to a file too, and has to fit.
        limits = (300, 500, 1000, 1700)
        for limit in limits:
            said = finish(command, 1, prepare=_limit_files, prepare_with=(limit,))
            assert "File too large" in said and f"{work_dir / 'ledgers'}" in said
        finish(command)
        after = service.contents()
        assert all(row["object_answers"] != before.get(key, {}).get("object_answers") for key, row in after.items())
        # The torn lines are told, and all rows are given back what they held.
        said = finish(["rollback", "--yes", "--work-dir", str(work_dir), *account(service)], 3)
        assert "damaged" in said
        rows = service.contents()
    assert {key: row for key, row in rows.items() if row["object_answers"]} == before


def _limit_files(most_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


def test_a_line_after_a_torn_one_begins_on_a_line_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full for a moment: what is written next by another thread must not be glued to the torn line."""
    checked = CheckedLines(tmp_path / "x.ledger", "x")
    checked.append([{"n": 1}])

    class FullOnce:
        full = True

        def __getattr__(self, name: str) -> Any:
            return getattr(__import__("os"), name)

        def write(self, file: int, text: bytes) -> int:
            import os

            if not self.full:
                return os.write(file, text)
            self.full = False
            os.write(file, text[:9])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(lines, "os", FullOnce())
    with pytest.raises(OSError, match="No space left"):
        checked.append([{"n": 2}])
    checked.append([{"n": 3}])
    checked.close()
    assert list(checked.read()) == [{"n": 1}, None, {"n": 3}]
