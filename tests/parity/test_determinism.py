"""The encoded rows are the same bytes however the input is ordered, cut into files, read and sorted.

Files that are parts of one prediction set carry one label, as `--source-label` gives it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coco_model import BOX, STYLES, Model, Prediction, Style, models, write_coco
from core_rows import ALL_IN_MEMORY, PLAIN, encoded, staged_files


def encoded_parts(
    parts: Sequence[Model], folder: Path, style: Style = PLAIN, *, threads: int = 1, memory_bytes: int = ALL_IN_MEMORY
) -> dict[int, bytes]:
    """Import models, each from a file of its own, as one source."""
    written = [write_coco(part, folder / str(index), style) for index, part in enumerate(parts)]
    tables = written[0][1]
    paths = [path for path, _ in written]
    staged = staged_files(parts[0], paths, tables, folder, threads=threads, memory_bytes=memory_bytes)
    assert staged.counts["staged"] == sum(len(part.predictions) for part in parts)
    return encoded(parts[0], staged)


def in_parts(model: Model, order: Sequence[Prediction], ends: Sequence[int]) -> list[Model]:
    bounds = [0, *sorted(ends), len(order)]
    return [replace(model, predictions=tuple(order[a:b])) for a, b in zip(bounds, bounds[1:], strict=False)]


@settings(max_examples=80)
@given(data=st.data())
def test_order_files_writing_and_spilling_do_not_matter(data: st.DataObject, tmp_path: Path) -> None:
    model = data.draw(models())
    expected = encoded_parts([model], tmp_path)
    order = data.draw(st.permutations(model.predictions))
    ends = data.draw(st.lists(st.integers(0, len(order)), max_size=3))
    for memory_bytes in (ALL_IN_MEMORY, 1):
        parts = in_parts(model, order, ends)
        assert encoded_parts(parts, tmp_path, data.draw(STYLES), memory_bytes=memory_bytes) == expected


@pytest.fixture(scope="module")
def large(project_model: Model) -> Model:
    """Make so many predictions that a file is read in several batches: tracks, single ones, exact duplicates."""
    draw = random.Random(20261121)
    predictions = []

    def add(medium: int, frame: int, category: int, track: int | None) -> None:
        width, height = project_model.file_size(medium, frame)
        x, y = draw.uniform(0, width / 2), draw.uniform(0, height / 2)
        box = project_model.categories[category].shape == BOX
        geometry = [x, y, 1.25, 2.5] if box else [[x, y, x + 1, y + 0.5, x + 0.25, y + 2]]
        predictions.append(Prediction(medium, frame, category, geometry, draw.random(), track))

    for track in range(1200):
        medium, category = draw.randrange(3), draw.choice([0, 1, 3, 4])
        for frame in range(project_model.media[medium].number_of_frames):
            add(medium, frame, category, track)
            add(medium, frame, draw.choice([0, 1, 3, 4]), None)
            add(medium, frame, category, None)
        predictions.append(predictions[-1])
    return replace(project_model, predictions=tuple(predictions))


@pytest.fixture(scope="module")
def large_rows(large: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    return encoded_parts([large], tmp_path_factory.mktemp("large"))


@pytest.mark.parametrize(("threads", "memory_bytes"), [(1, 1), (4, ALL_IN_MEMORY), (3, 1), (4, 2_000_000)])
def test_threads_and_memory_do_not_matter(
    large: Model, large_rows: dict[int, bytes], tmp_path: Path, threads: int, memory_bytes: int
) -> None:
    order = list(large.predictions)
    random.Random(threads).shuffle(order)
    parts = in_parts(large, order, [])
    assert encoded_parts(parts, tmp_path, threads=threads, memory_bytes=memory_bytes) == large_rows


def test_many_runs_are_merged_in_passes(large: Model, large_rows: dict[int, bytes], tmp_path: Path) -> None:
    """Each file becomes a sorted run of its own, more than are merged at once."""
    order = list(large.predictions)
    random.Random(5).shuffle(order)
    parts = in_parts(large, order, range(100, len(order), len(order) // 150))
    assert len(parts) > 150
    assert encoded_parts(parts, tmp_path, memory_bytes=1) == large_rows


def test_the_large_model_has_what_it_should(large: Model, large_rows: dict[int, bytes]) -> None:
    """1200 tracks, each one object, two single objects for each of their frames, and 1200 exact duplicates."""
    objects = sum(len(json.loads(body)["object_answers"]) for body in large_rows.values())
    tracked = sum(prediction.track is not None for prediction in large.predictions)
    assert large_rows.keys() == {0, 1, 2}
    assert len(large.predictions) == 3 * tracked + 1200 > 2 * 8192
    assert objects == 1200 + 2 * tracked + 1200


def test_one_changed_score_is_seen(large: Model, large_rows: dict[int, bytes], tmp_path: Path) -> None:
    """The comparison is not empty: one annotation that says something else changes its row and no other."""
    first, *rest = large.predictions
    changed = replace(large, predictions=(replace(first, score=0.125), *rest))
    rows = encoded_parts([changed], tmp_path)
    assert [medium for medium in rows if rows[medium] != large_rows[medium]] == [first.medium]
