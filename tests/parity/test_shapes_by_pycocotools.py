"""Masks from polygons and polygons from masks agree with pycocotools, read from the saved row by the SDK."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encord import Project
from encord.objects import LabelRowV2
from encord.objects.coordinates import PolygonCoordinates
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from coco_model import (
    MASK,
    MEDIA,
    POLYGON,
    Mask,
    Model,
    Prediction,
    Style,
    categories,
    masks,
    media,
    polygons,
    write_coco,
)
from core_rows import BRANCH, encoded_rows
from ropewalk.importing.run import import_predictions
from sdk_oracle import pixels_of, row_from_server


def drawn(rings: list[list[float]], height: int, width: int) -> np.ndarray:
    """Draw rings by COCO's rule, each filled, and unite them; (height, width)."""
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(rings, height, width))).astype(bool)


def drawn_with_holes(coordinates: PolygonCoordinates, height: int, width: int) -> np.ndarray:
    """Draw each part as its outer ring minus its holes."""
    pixels = np.zeros((height, width), dtype=bool)
    for part in coordinates.polygons:
        outer, *holes = [[value for p in ring for value in (p.x * width, p.y * height)] for ring in part]
        own = drawn([outer], height, width)
        for hole in holes:
            own &= ~drawn([hole], height, width)
        pixels |= own
    return pixels


def only_coordinates(row: LabelRowV2) -> Any:
    (instance,) = row.get_object_instances()
    (annotation,) = instance.get_annotations()
    return annotation.coordinates


def imported(model: Model) -> Any:
    """Import one prediction, and read its coordinates from the encoded row with the SDK."""
    ((index, row),) = encoded_rows(model).items()
    return only_coordinates(row_from_server(model, model.media[index], row, BRANCH))


def one_prediction(data: st.DataObject, on: int, shape: Any, draw_geometry: Any) -> tuple[Model, tuple[int, int]]:
    """Draw a project and one prediction for a class of `shape`; returns (height, width) of its frame, too."""
    model = Model(
        data.draw(media()), data.draw(categories(shared_names=False)), (), data.draw(st.sampled_from([1, 1, 3]))
    )
    frame = data.draw(st.integers(0, model.media[on].number_of_frames - 1))
    category = next(i for i, c in enumerate(model.categories) if c.shape == shape)
    geometry = data.draw(draw_geometry(model.file_size(on, frame)))
    size = replace(model, scale=1).file_size(on, frame)[::-1]
    return replace(model, predictions=(Prediction(on, frame, category, geometry),)), size


@pytest.mark.parametrize("on", MEDIA.values(), ids=MEDIA.keys())
@settings(max_examples=100)
@given(data=st.data())
def test_bitmask_from_polygons(on: int, data: st.DataObject) -> None:
    """Union of the rings by pycocotools' rule; rings of a larger image are scaled to the medium first."""
    model, (height, width) = one_prediction(
        data, on, MASK, lambda size: polygons(size, data.draw(st.sampled_from([0, 9])))
    )
    file_width, file_height = model.file_size(on, model.predictions[0].frame)
    scale = (width / file_width, height / file_height)
    rings: Any = model.predictions[0].geometry
    scaled = [[value * scale[i % 2] for i, value in enumerate(ring)] for ring in rings]
    assert np.array_equal(pixels_of(imported(model)), drawn(scaled, height, width))


@pytest.mark.parametrize("on", MEDIA.values(), ids=MEDIA.keys())
@settings(max_examples=100)
@given(data=st.data())
def test_polygon_from_rle_draws_the_mask_again(on: int, data: st.DataObject) -> None:
    model, (height, width) = one_prediction(data, on, POLYGON, lambda size: st.just(None))
    mask = data.draw(masks((width, height), any_mask=False) | noise((height, width)))
    model = replace(model, scale=1, predictions=(replace(model.predictions[0], geometry=mask),))
    coordinates = imported(model)
    for part in coordinates.polygons:
        corners = np.array([(p.x * width, p.y * height) for ring in part for p in ring])
        assert np.abs(corners - corners.round()).max() < 1e-9, "vertices lie on corners of pixels"
    assert np.array_equal(drawn_with_holes(coordinates, height, width), mask.pixels)


def noise(size_hw: tuple[int, int]) -> st.SearchStrategy[Mask]:
    """Draw masks of single pixels: many parts, holes, islands in holes, parts that touch at corners."""

    def make(seed: int) -> Mask:
        pixels = np.random.default_rng(seed).random(size_hw) < 0.55
        pixels.flat[:2] = [True, False]
        return Mask(pixels)

    return st.integers(0, 2**32).map(make)


def test_both_through_the_emulator(
    project_model: Model, shared_project: Project, new_branch: Any, tmp_path: Path
) -> None:
    """The same from saved rows: an F with a hole in it as polygons, two overlapping rings as a bitmask."""
    expected = {}
    predictions = []
    for medium, frame in ((0, 5), (1, 0), (2, 1)):
        width, height = project_model.file_size(medium, frame)
        pixels = np.zeros((height, width), dtype=bool)
        pixels[1:-2, 2:7] = pixels[1:4, 2:-3] = pixels[9:12, 2:12] = True
        pixels[4:8, 3:6] = False
        pixels[5:7, 4] = True
        rings = [[0.3, 0.2, 9.7, 1.5, 3.25, height - 0.1], [4.0, 4.5, width - 0.5, 6.0, 2.5, 11.75, 1.0, 9.0]]
        predictions += [Prediction(medium, frame, 1, Mask(pixels)), Prediction(medium, frame, 2, rings)]
        expected[project_model.media[medium].data_hash] = (frame, pixels, drawn(rings, height, width))
    path, _ = write_coco(replace(project_model, predictions=tuple(predictions)), tmp_path, Style())
    branch = next(new_branch)
    assert import_predictions(path, shared_project, branch=branch, work_dir=tmp_path / "work").exit_code == 0
    for row in shared_project.list_label_rows_v2(branch_name=branch):
        row.initialise_labels()
        frame, from_rle, from_rings = expected[row.data_hash]
        found = {}
        for instance in row.get_object_instances():
            (annotation,) = instance.get_annotations()
            assert annotation.frame == frame
            found[instance.ontology_item.shape] = annotation.coordinates
        assert np.array_equal(drawn_with_holes(found[POLYGON], *from_rle.shape), from_rle)
        assert np.array_equal(pixels_of(found[MASK]), from_rings)
