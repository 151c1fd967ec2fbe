"""Priorities of tasks from predictions: by the formulas of the guide, on the tasks of the branch's media alone."""

from __future__ import annotations

from typing import Any

import pytest

from ropewalk import Priorities, prioritize
from ropewalk.errors import UsageError
from workbench import DRIVE, STILL, WALK, Bench, Json, box, dataset, ring


def prioritized(bench: Bench, priority_from: Any, **options: Any) -> Priorities:
    given = {"branch": bench.branch, "priority_from": priority_from, "confirm": lambda _: True} | options
    result = prioritize(bench.project, **given)
    assert result is not None
    return result


def on_tasks(bench: Bench, result: Priorities) -> dict[str, float]:
    stored = bench.emulator.store.priorities()
    return {data_hash: stored[data_hash] for data_hash in result.priorities}


def test_what_is_least_sure_comes_first(bench: Bench) -> None:
    # A track counts once, with the mean of its frames.
    track = [box(10 + n, image=100 + n, track_id=7, score=score) for n, score in enumerate((0.2, 0.4))]
    bench.run(
        dataset(
            [*track, box(20, image=105, score=0.9), box(1, score=0.25), box(2, score=0.5), ring(3, image=2, score=0.95)]
        )
    )
    asked: list[str] = []
    result = prioritized(bench, "confidence", confirm=lambda text: asked.append(text) or True)
    expected = {STILL: 1 - 0.375, DRIVE: 1 - (0.3 + 0.9) / 2, WALK: 0.05}
    assert result.priorities == pytest.approx(expected)
    assert list(result.priorities) == [STILL, DRIVE, WALK]
    assert on_tasks(bench, result) == result.priorities
    assert asked == [
        "3 tasks get a priority from confidence; highest: still.jpg 0.625, drive.mp4 0.400, walk 0.050",
    ]


def test_an_empty_row_gets_no_priority(bench: Bench) -> None:
    bench.run(dataset([box(1, score=0.5)]))
    bench.emulator.store.create([DRIVE], bench.branch)
    result = prioritized(bench, "confidence")
    assert (list(result.priorities), result.without_predictions) == ([STILL], 1)


def shifted(annotation: Json, by: float, **more: Any) -> Json:
    x, y, w, h = annotation["bbox"]
    return annotation | {"bbox": [x + by, y, w, h]} | more


def test_where_two_branches_differ_most_comes_first(bench: Bench) -> None:
    still = [box(1), shifted(box(2), 12), shifted(box(3), 20)]
    drive = [box(10 + n, image=100 + n, track_id=7) for n in range(4)]
    bench.run(dataset([*still, *drive, ring(20, image=2), box(30, image=3)]))
    other = f"{bench.branch}-other"
    # Of three boxes two are found, one of them as another class, and one is moved by half of its width.
    changed = [still[0], shifted(still[1], 2.5), still[2] | {"category_id": 5}]
    found = dataset([*changed, drive[0], *(shifted(item, 0.5) for item in drive[1:3]), box(40, image=108)])
    bench.run(bench.write(found, "other.json"), branch=other)
    result = prioritized(bench, "disagreement", against=other)
    # still.jpg: 1 of 3 and 3; drive.mp4: 3 pairs of 4 and 4, where frame 8 is seen by the other alone.
    assert result.priorities == pytest.approx({STILL: 1 - 2 / 6, DRIVE: 1 - 6 / 8}, abs=1e-6)
    assert (result.nothing_to_compare, result.without_predictions, result.unreadable) == (1, 0, {})
    assert on_tasks(bench, result) == result.priorities
    # The same from the other side.
    back = prioritized(bench, "disagreement", branch=other, against=bench.branch)
    assert back.priorities == result.priorities


def test_each_box_is_paired_once_and_the_best_first(bench: Bench) -> None:
    first, second = box(1), shifted(box(2), 0.5)
    bench.run(dataset([first]))
    other = f"{bench.branch}-other"
    bench.run(bench.write(dataset([first, second]), "other.json"), branch=other)
    assert prioritized(bench, "disagreement", against=other).priorities == pytest.approx({STILL: 1 - 2 / 3}, abs=1e-6)


def test_of_main_only_labelled_frames_count(bench: Bench) -> None:
    drive = [box(10 + n, image=100 + n, track_id=7) for n in range(4)]
    bench.run(dataset(drive))
    # On main frame 0 is labelled, as predicted; nobody has looked at the others.
    bench.run(bench.write(dataset(drive[:1]), "gt.json"), branch="main", allow_branch=True, on_existing="replace")
    assert prioritized(bench, "disagreement").priorities == {DRIVE: 0.0}


def test_what_makes_no_sense_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="confidence or disagreement"):
        prioritized(bench, "luck")
    with pytest.raises(UsageError, match="give two branches"):
        prioritized(bench, "disagreement", against=bench.branch)


def test_the_command_asks_first(bench: Bench) -> None:
    bench.run(dataset([box(1, score=0.125)]))
    account = [a for a in bench.arguments() if a != "--work-dir" and not a.endswith("/work")]
    given = [*account, "--priority-from", "confidence"]
    before = bench.emulator.store.priorities()
    declined = bench.cli("prioritize", *given)
    assert (declined.code, "highest: still.jpg 0.875" in declined.err) == (1, True)
    assert bench.emulator.store.priorities() == before
    told = bench.cli("prioritize", *given, "--yes")
    assert (told.code, told.out) == (0, "1 task got a priority from confidence\n")
    assert bench.emulator.store.priorities()[STILL] == 0.875
