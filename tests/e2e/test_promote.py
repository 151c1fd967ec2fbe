"""`promote`: label rows of a branch on `main`, never over labels that exist unless told."""

from __future__ import annotations

from typing import Any

import pytest
from encord import Project
from encord.exceptions import RequestException

from editing import add_one, edit
from ropewalk import Promotion, promote
from ropewalk.errors import BlockerError, EncordError, UsageError
from ropewalk.importing import promote as module
from ropewalk.sinks.encord import versions
from workbench import DRIVE, STILL, WALK, Bench, box, dataset, ring

CONTENT = dataset([box(1), *(box(10 + n, image=100 + n, track_id=7) for n in range(3)), ring(20, image=2)])
OTHER = dataset([box(40), box(41)])


@pytest.fixture
def target(bench: Bench) -> str:
    return f"{bench.branch}-main"


def promoted(bench: Bench, target: str, **options: Any) -> Promotion:
    result = promote(bench.project, **{"branch": bench.branch, "to": target, "confirm": lambda _: True} | options)
    assert result is not None
    return result


def test_rows_are_copied_once(bench: Bench, target: str) -> None:
    bench.run(CONTENT)
    asked: list[str] = []
    result = promoted(bench, target, confirm=lambda text: asked.append(text) or True)
    assert asked == [f"3 label rows of {bench.branch} to {target}: 3 new, 0 where {target} has an empty one"]
    assert (result.promoted, result.already_there, result.exit_code) == (3, 0, 0)
    assert bench.rows(target) == bench.rows()
    # The SDK reads there what it reads on the branch.
    for row in bench.project.list_label_rows_v2(branch_name=target):
        if row.label_hash is not None:
            row.initialise_labels()
            assert {item.object_number for item in row.get_object_instances()} <= {None, 7}
    again = promoted(bench, target, confirm=lambda _: pytest.fail("asked about nothing"))
    assert (again.promoted, again.already_there, again.exit_code) == (0, 3, 0)


def test_labels_that_exist_stay_unless_told(bench: Bench, target: str) -> None:
    bench.run(CONTENT)
    bench.run(bench.write(OTHER, "other.json"), branch=target)
    # A row that was opened and never labelled is in nobody's way.
    bench.emulator.store.create([WALK], target)
    before = bench.rows(target)
    asked: list[str] = []
    result = promoted(bench, target, confirm=lambda text: asked.append(text) or True)
    assert asked == [
        f"2 label rows of {bench.branch} to {target}: 1 new, 1 where {target} has an empty one; "
        "1 left, since they hold other labels"
    ]
    assert (result.promoted, result.held, result.exit_code) == (2, ["still.jpg"], 3)
    assert bench.rows(target)[STILL] == before[STILL]
    assert bench.rows(target)[WALK] == bench.rows()[WALK]

    told = promoted(bench, target, replace=True, confirm=lambda text: asked.append(text) or True)
    assert "1 REPLACING labels" in asked[-1]
    assert (told.promoted, told.already_there, told.exit_code) == (1, 2, 0)
    assert bench.rows(target) == bench.rows()


def test_nothing_is_replaced_by_nothing(bench: Bench, target: str) -> None:
    bench.run(CONTENT, branch=target)
    bench.emulator.store.create([STILL], bench.branch)
    result = promoted(bench, target, replace=True, confirm=lambda _: pytest.fail("asked about nothing"))
    assert (result.promoted, result.empty, result.exit_code) == (0, 1, 0)


def test_what_is_edited_after_the_plan_is_left(bench: Bench, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(CONTENT)
    bench.run(bench.write(OTHER, "other.json"), branch=target)
    made_meanwhile = bench.emulator.store

    def meanwhile(_: str) -> bool:
        monkeypatch.setattr(bench, "branch", target)
        edit(bench, "still.jpg", add_one, monkeypatch)
        made_meanwhile.create([DRIVE], target)
        return True

    branch = bench.branch
    result = promoted(bench, target, branch=branch, replace=True, confirm=meanwhile)
    assert (result.promoted, result.edited, result.not_copied, result.exit_code) == (1, ["still.jpg"], 1, 3)
    monkeypatch.setattr(bench, "branch", branch)
    # Both are seen as they are now.
    again = promoted(bench, target)
    assert (again.promoted, again.held, again.already_there) == (1, ["still.jpg"], 1)


def test_a_limit_and_what_comes_after_it(bench: Bench, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(CONTENT)
    first = promoted(bench, target, limit_rows=2)
    assert (first.promoted, first.over_limit, first.exit_code) == (2, 1, 0)
    monkeypatch.setattr(module, "_ROWS_TOGETHER", 1)
    copy = Project.copy_labels_to_branch
    calls: list[Any] = []

    def counted(self: Project, *given: Any, **named: Any) -> int:
        calls.append(named["label_hashes"])
        return copy(self, *given, **named)

    monkeypatch.setattr(Project, "copy_labels_to_branch", counted)
    assert promoted(bench, target).promoted == 1
    assert promoted(bench, f"{target}-2").promoted == 3
    assert [len(call) for call in calls] == [1, 1, 1, 1]


def test_one_that_was_stopped_is_finished_by_the_same_call(
    bench: Bench, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(CONTENT)
    copy, calls = Project.copy_labels_to_branch, []

    def lost(self: Project, *given: Any, **named: Any) -> int:
        calls.append(named)
        copied = copy(self, *given, **named)
        if len(calls) == 2:
            # Carried out, and not answered.
            raise RequestException("gone")
        return copied

    with monkeypatch.context() as patch:
        patch.setattr(module, "_ROWS_TOGETHER", 1)
        patch.setattr(Project, "copy_labels_to_branch", lost)
        with pytest.raises(EncordError):
            promoted(bench, target)
    result = promoted(bench, target)
    assert (result.promoted, result.already_there) == (1, 2)
    assert bench.rows(target) == bench.rows()


def test_what_cannot_be_promoted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run(CONTENT)
    for options, error, expected in (
        ({"to": bench.branch}, UsageError, "give two branches"),
        ({"to": "encord-consensus"}, BlockerError, "consensus"),
        ({"limit_rows": 0}, UsageError, "at least 1"),
    ):
        with pytest.raises(error, match=expected):
            promoted(bench, "main", **options)
    monkeypatch.setattr(versions, "version", lambda _: "0.1.194")
    with pytest.raises(UsageError, match="copies of branches: the encord SDK 0.1.195 or later is needed, 0.1.194 is"):
        promoted(bench, "anywhere")


def test_the_command_asks_first(bench: Bench, target: str) -> None:
    bench.run(CONTENT)
    given = [a for a in bench.arguments() if a != "--work-dir" and not a.endswith("/work")]
    declined = bench.cli("promote", *given, "--to", target)
    assert declined.code == 1
    assert f"3 label rows of {bench.branch} to {target}: 3 new" in declined.err
    assert bench.rows(target) == {}
    told = bench.cli("promote", *given, "--to", target, "--yes")
    assert (told.code, told.out) == (0, f"3 label rows promoted to {target}, 0 already there\n")
