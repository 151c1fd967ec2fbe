"""Label rows equal what the SDK's `LabelRowV2` gives for the same predictions with manual_annotation=False.

Compared field by field; names of objects, times and order aside (`sdk_oracle.normalised`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encord import Project
from encord.objects import Shape
from hypothesis import given, settings
from hypothesis import strategies as st

import core_rows
from coco_model import (
    BOX,
    MASK,
    MEDIA,
    POLYGON,
    STYLES,
    VIDEO,
    Category,
    Mask,
    Model,
    Prediction,
    Style,
    masks,
    models,
    predictions,
    sizes,
    write_coco,
)
from core_rows import BRANCH, encoded_rows, saved_rows
from ropewalk.emulator import RunningEmulator
from ropewalk.importing.run import import_predictions
from sdk_oracle import (
    TIMES,
    add_predictions,
    by_medium,
    detached_row,
    labels_only,
    normalised,
    ontology_of,
    row_from_server,
    server_row,
)
from snapshots import make_image, make_image_group, make_video


def sdk_rows(model: Model, *, detached: bool = False) -> dict[int, dict[str, Any]]:
    rows = {}
    structure = ontology_of(model).structure
    for index, own in by_medium(model).items():
        medium = model.media[index]
        if detached:
            row = detached_row(model, medium, BRANCH)
        else:
            row = row_from_server(model, medium, server_row(medium, BRANCH), BRANCH)
        add_predictions(row, structure, model, own)
        rows[index] = row.to_encord_dict()
    return rows


def assert_same_rows(ours: dict[int, dict[str, Any]], theirs: dict[int, dict[str, Any]]) -> None:
    assert ours.keys() == theirs.keys()
    for index, row in ours.items():
        assert normalised(row) == normalised(theirs[index])


@pytest.mark.parametrize("tracked", [False, True], ids=["untracked", "tracked"])
@pytest.mark.parametrize("shape", [BOX, POLYGON, MASK], ids=lambda shape: shape.value)
@pytest.mark.parametrize("on", MEDIA.values(), ids=MEDIA.keys())
@settings(max_examples=30)
@given(data=st.data())
def test_each_kind_of_row(on: int, shape: Shape, tracked: bool, data: st.DataObject) -> None:
    model = data.draw(models((on,), (shape,), tracked))
    assert_same_rows(encoded_rows(model, data.draw(STYLES)), sdk_rows(model))


@settings(max_examples=200)
@given(models(), STYLES)
def test_all_kinds_together(model: Model, style: Style) -> None:
    assert_same_rows(encoded_rows(model, style), sdk_rows(model))


@settings(max_examples=80)
@given(models(shapes=(BOX, POLYGON), margin=50), STYLES)
def test_outside_of_the_image_is_kept_when_asked_for(model: Model, style: Style) -> None:
    assert_same_rows(encoded_rows(model, style, off_image="keep"), sdk_rows(model))


@settings(max_examples=80)
@given(models())
def test_rows_that_no_server_knows(model: Model) -> None:
    """The SDK's detached row has no hashes and titles of media; all else is equal."""
    with tempfile.TemporaryDirectory() as folder:
        path, tables = write_coco(model, Path(folder), Style())
        staged = core_rows.staged_files(model, [path], tables, Path(folder))
        ours = core_rows.encoded(model, staged, header=None)
    theirs = sdk_rows(model, detached=True)
    assert ours.keys() == theirs.keys()
    for index, body in ours.items():
        assert normalised(labels_only(json.loads(body))) == normalised(labels_only(theirs[index]))


@settings(max_examples=40)
@given(data=st.data())
def test_saved_rows_through_the_emulator(
    data: st.DataObject,
    project_model: Model,
    shared_emulator: RunningEmulator,
    shared_project: Project,
    new_branch: Any,
    tmp_path: Path,
) -> None:
    """The import saves on one branch, the SDK on another."""
    model = replace(project_model, predictions=data.draw(predictions(project_model)))
    ours, theirs = next(new_branch), next(new_branch)
    path, tables = write_coco(model, tmp_path, data.draw(STYLES))
    options = {"annotations": tables, "empty_masks": "keep"}
    report = import_predictions(path, shared_project, branch=ours, work_dir=tmp_path / "work", **options)
    assert (report.annotations_written, report.exit_code) == (len(model.predictions), 0)

    rows = {row.data_hash: row for row in shared_project.list_label_rows_v2(branch_name=theirs)}
    for index, own in by_medium(model).items():
        row = rows[model.media[index].data_hash]
        row.initialise_labels()
        add_predictions(row, shared_project.ontology_structure, model, own)
        row.save()
    on_ours, on_theirs = saved_rows(shared_emulator, ours), saved_rows(shared_emulator, theirs)
    assert on_ours.keys() == on_theirs.keys()
    for data_hash, saved in on_ours.items():
        header = ("label_hash", "branch_name")
        assert normalised(saved, header) == normalised(on_theirs[data_hash], header)


F = Mask(np.array([[int(c) for c in line] for line in ("1111110", "1000000", "1111000", "1000000", "1000000")]) == 1)
HOOK = [[1.0, 1.0, 6.5, 1.0, 6.5, 3.25, 5.0, 3.25, 5.0, 2.0, 1.0, 2.0], [0.5, 3.0, 2.0, 4.5, 0.25, 4.75]]


def small_model(*predictions: Prediction) -> Model:
    categories = tuple(Category(shape.value, shape, f"hash000{i}") for i, shape in enumerate((BOX, POLYGON, MASK)))
    media = (make_video(width=7, height=5), make_image(width=7, height=5), make_image_group(sizes_wh=((7, 5), (4, 9))))
    return Model(media, categories, predictions)


def transposed(geometry: Any) -> Any:
    """Swap the axes, or read the mask's bytes in the other pixel order."""
    if isinstance(geometry, Mask):
        height, width = geometry.pixels.shape
        return Mask(geometry.pixels.ravel(order="F").reshape(height, width))
    if isinstance(geometry[0], list):
        return [[value for xy in zip(ring[1::2], ring[::2], strict=True) for value in xy] for ring in geometry]
    return [geometry[1], geometry[0], geometry[3], geometry[2]]


@pytest.mark.parametrize("medium", MEDIA.values(), ids=MEDIA.keys())
@pytest.mark.parametrize(
    "category, geometry", [(0, [1.5, 0.25, 3, 2]), (1, HOOK), (2, F)], ids=["box", "polygon", "mask"]
)
def test_a_transposed_geometry_does_not_pass(medium: int, category: int, geometry: Any) -> None:
    right = small_model(Prediction(medium, 0, category, geometry))
    wrong = small_model(Prediction(medium, 0, category, transposed(geometry)))
    assert_same_rows(encoded_rows(right), sdk_rows(right))
    with pytest.raises(AssertionError):
        assert_same_rows(encoded_rows(right), sdk_rows(wrong))
    with pytest.raises(AssertionError):
        assert_same_rows(encoded_rows(wrong), sdk_rows(right))


@settings(max_examples=50)
@given(st.data())
def test_random_masks_are_chiral(data: st.DataObject) -> None:
    """What the other tests draw would not pass mirrored, turned or read in the other pixel order."""
    mask = data.draw(masks(data.draw(sizes()), any_mask=False))
    pixels = mask.pixels
    turned = (np.fliplr(pixels), np.flipud(pixels), np.rot90(pixels, 2), transposed(mask).pixels)
    assert pixels.shape[0] != pixels.shape[1]
    assert not any(np.array_equal(pixels, other) for other in turned)


def test_the_comparison_sees_every_member() -> None:
    """A row with any one number, text or flag changed, or any one member left out, is another row."""
    model = small_model(
        Prediction(VIDEO, 0, 0, [1.5, 0.25, 3, 2], 0.25, "t"),
        Prediction(VIDEO, 3, 0, [1.5, 0.25, 3, 2], 0.5, "t"),
        Prediction(VIDEO, 3, 1, HOOK, 0.5),
        Prediction(VIDEO, 3, 2, F, None),
    )
    row = sdk_rows(model)[VIDEO]
    expected = normalised(row)
    seen = 0
    for path in leaves(row):
        if TIMES & set(path) or path[-1] == "objectHash":
            continue
        seen += 1
        assert normalised(changed(row, path, drop=False)) != expected, path
        assert normalised(changed(row, path, drop=True)) != expected, path
    assert seen > 80


def test_the_comparison_sees_a_track_that_fell_apart() -> None:
    """The same boxes as one object and as two."""
    boxes = [(0, [1.5, 0.25, 3, 2]), (3, [2.5, 0.25, 3, 2])]
    one = small_model(*(Prediction(VIDEO, frame, 0, box, 0.5, "t") for frame, box in boxes))
    two = small_model(*(Prediction(VIDEO, frame, 0, box, 0.5) for frame, box in boxes))
    assert normalised(sdk_rows(one)[VIDEO]) != normalised(sdk_rows(two)[VIDEO])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Iterate over the paths to all numbers, texts, flags and nulls."""
    if isinstance(value, (dict, list)):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(member, (*path, key))
    else:
        yield path


def changed(row: dict[str, Any], path: tuple[Any, ...], *, drop: bool) -> dict[str, Any]:
    row = json.loads(json.dumps(row))
    parent: Any = row
    for key in path[:-1]:
        parent = parent[key]
    old = parent.pop(path[-1])
    if not drop:
        new = not old if isinstance(old, bool) else np.nextafter(old, 2) if isinstance(old, float) else f"{old}+"
        if isinstance(parent, list):
            parent.insert(path[-1], new)
        else:
            parent[path[-1]] = new
    return row
