"""The unmodified SDK reads back from the emulator what the file says: frame, class, coordinates, confidence, track."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

from encord import Project
from encord.objects import LabelRowV2
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import BoundingBoxCoordinates, PolygonCoordinates
from hypothesis import given, settings
from hypothesis import strategies as st

from coco_model import STYLES, Mask, Model, Prediction, predictions, write_coco
from ropewalk.importing.run import import_predictions
from sdk_oracle import pixels_of

# One object: feature hash and, for each frame, (frame, confidence, geometry).
Object = tuple[str, tuple[tuple[int, float, Any], ...]]


@settings(max_examples=50)
@given(data=st.data())
def test_what_the_sdk_reads_is_what_the_file_says(
    data: st.DataObject, project_model: Model, shared_project: Project, new_branch: Any, tmp_path: Path
) -> None:
    model = replace(project_model, predictions=data.draw(predictions(project_model)))
    branch = next(new_branch)
    path, tables = write_coco(model, tmp_path, data.draw(STYLES))
    options = {"annotations": tables, "empty_masks": "keep", "work_dir": tmp_path / "work"}
    report = import_predictions(path, shared_project, branch=branch, **options)
    assert report.exit_code == 0
    found = {}
    for row in shared_project.list_label_rows_v2(branch_name=branch):
        if row.label_hash is not None:
            row.initialise_labels()
            found[row.data_hash] = Counter(objects_of(row))
    assert found == said(model)


def objects_of(row: LabelRowV2) -> list[Object]:
    found = []
    for instance in row.get_object_instances():
        annotations = instance.get_annotations()
        assert not any(annotation.manual_annotation for annotation in annotations)
        on_frames = sorted((a.frame, a.confidence, geometry_of(a.coordinates)) for a in annotations)
        found.append((instance.feature_hash, tuple(on_frames)))
    return found


def geometry_of(coordinates: Any) -> Any:
    if isinstance(coordinates, BoundingBoxCoordinates):
        return (coordinates.top_left_x, coordinates.top_left_y, coordinates.width, coordinates.height)
    if isinstance(coordinates, PolygonCoordinates):
        return tuple(tuple((p.x, p.y) for p in ring) for (ring,) in coordinates.polygons)
    assert isinstance(coordinates, BitmaskCoordinates)
    return rows_of_pixels(pixels_of(coordinates))


def rows_of_pixels(pixels: Any) -> tuple[tuple[bool, ...], ...]:
    return tuple(map(tuple, pixels.tolist()))


def said(model: Model) -> dict[str, Counter[Object]]:
    """Say of each medium by plain arithmetic what stands in the file."""
    objects: dict[Any, list[Prediction]] = defaultdict(list)
    for index, prediction in enumerate(model.predictions):
        track = index if prediction.track is None else f"track {prediction.track}"
        objects[prediction.medium, prediction.category, track].append(prediction)
    media: dict[str, Counter[Object]] = defaultdict(Counter)
    for (medium, category, _), own in objects.items():
        on_frames = tuple(sorted((p.frame, 1.0 if p.score is None else p.score, fractions(model, p)) for p in own))
        media[model.media[medium].data_hash][model.categories[category].feature_hash, on_frames] += 1
    return dict(media)


def fractions(model: Model, prediction: Prediction) -> Any:
    geometry = prediction.geometry
    if isinstance(geometry, Mask):
        return rows_of_pixels(geometry.pixels)
    width, height = model.file_size(prediction.medium, prediction.frame)
    if isinstance(geometry[0], list):
        return tuple(tuple((x / width, y / height) for x, y in zip(r[::2], r[1::2], strict=True)) for r in geometry)
    x, y, w, h = geometry
    return (x / width, y / height, w / width, h / height)
