"""The unmodified SDK lists, creates, fills, saves and reads back label rows on the emulator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encord import EncordUserClient, Project
from encord.exceptions import ResourceExistsError, ResourceNotFoundError
from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import (
    BitmaskCoordinates,
    BoundingBoxCoordinates,
    CircleCoordinates,
    EllipseCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
)
from encord.orm.label_row import AnnotationTaskStatus, LabelRow, ShadowDataState
from encord.utilities.coco.datastructure import FrameIndex

from ropewalk.emulator import EmulatorOptions, RunningEmulator, running_emulator
from ropewalk.project.live import snapshot_from_project
from ropewalk.project.snapshot import Snapshot, read_snapshot, write_snapshot
from snapshots import hash_of, make_image, make_image_group, make_snapshot, make_video

BOX = BoundingBoxCoordinates(height=0.25, width=0.125, top_left_x=0.5, top_left_y=0.0)
POLYGON = PolygonCoordinates(
    polygons=[
        [[PointCoordinate(0.1, 0.2), PointCoordinate(0.7, 0.2), PointCoordinate(0.4, 0.9)]],
        [[PointCoordinate(0.8, 0.1), PointCoordinate(0.9, 0.1), PointCoordinate(0.9, 0.3)]],
    ]
)


def letter_f(width: int, height: int) -> np.ndarray:
    """Draw an F, which no flip or transposition leaves as it is."""
    mask = np.zeros((height, width), dtype=bool)
    mask[2:-2, 3:5] = True
    mask[2:4, 3:-4] = True
    mask[8:10, 3 : width // 2] = True
    return mask


def open_project(emulator: RunningEmulator) -> Project:
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
    )
    return client.get_project(emulator.project_hash)


def rows_by_title(project: Project, branch_name: str | None = None) -> dict[str, LabelRowV2]:
    return {row.data_title: row for row in project.list_label_rows_v2(branch_name=branch_name)}


def add(row: LabelRowV2, project: Project, title: str, coordinates: Any, frames: Any = 0, **kwargs: Any) -> str:
    item = project.ontology_structure.get_child_by_title(title, type_=Object)
    instance = item.create_instance()
    instance.set_for_frames(coordinates, frames, manual_annotation=False, **kwargs)
    row.add_object_instance(instance)
    return instance.object_hash


def content(row: LabelRowV2) -> dict[str, Any]:
    encord_dict = row.to_encord_dict()
    del encord_dict["last_edited_at"]
    return encord_dict


def test_project_ontology_and_datasets_are_those_of_the_snapshot(client: EncordUserClient, project: Project) -> None:
    snapshot = make_snapshot()
    assert (project.project_hash, project.title) == (snapshot.project_hash, snapshot.project_title)
    assert project.ontology_structure.to_dict() == snapshot.ontology_structure
    assert [(str(d.dataset_hash), d.title) for d in project.list_datasets()] == [
        (snapshot.media[0].dataset_hash, "Test data")
    ]
    assert [p.project_hash for p in client.list_projects()] == [snapshot.project_hash]
    assert [p.project_hash for p in client.list_projects(title_eq="Other")] == []
    assert [stage.title for stage in project.workflow.stages] == ["Annotate 1"]


def test_another_project_is_not_found(client: EncordUserClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.get_project(hash_of("another project"))


@pytest.mark.parametrize("branch_name", [None, "pred-1"])
def test_listing_shows_every_data_row_before_any_label_row_exists(project: Project, branch_name: str | None) -> None:
    rows = project.list_label_rows_v2(branch_name=branch_name, include_images_data=True)
    assert [(r.data_title, r.label_hash, r.branch_name) for r in rows] == [
        ("drive.mp4", None, branch_name or "main"),
        ("still.jpg", None, branch_name or "main"),
        ("walk", None, branch_name or "main"),
    ]
    assert [(r.width, r.height, r.number_of_frames, r.fps) for r in rows] == [
        (64, 36, 12, 24.0),
        (30, 50, 1, None),
        (None, None, 3, None),
    ]
    assert [(i.title, i.width, i.height) for i in rows[2].get_frames_metadata()] == [
        ("walk-0.png", 40, 24),
        ("walk-1.png", 24, 40),
        ("walk-2.png", 33, 21),
    ]


def test_every_shape_on_every_medium_reads_back_equal(project: Project) -> None:
    rows = rows_by_title(project, "pred-1")
    with project.create_bundle() as bundle:
        for row in rows.values():
            row.initialise_labels(bundle=bundle)
    video, image, group = rows["drive.mp4"], rows["still.jpg"], rows["walk"]
    tracked = add(video, project, "Car", BOX, [0, 3, 11], confidence=0.5)
    add(video, project, "Road", POLYGON, 7)
    add(video, project, "Tree", BitmaskCoordinates(letter_f(64, 36)), 4, confidence=0.25)
    add(image, project, "Tree", BitmaskCoordinates(letter_f(30, 50)))
    add(
        image,
        project,
        "Ship",
        RotatableBoundingBoxCoordinates(height=0.2, width=0.3, top_left_x=0.1, top_left_y=0.4, theta=31.5),
    )
    add(image, project, "Light", PointCoordinate(0.25, 0.75))
    add(image, project, "Lane", PolylineCoordinates([PointCoordinate(0.1, 0.2), PointCoordinate(0.3, 0.9)]))
    add(image, project, "Wheel", CircleCoordinates(center_x=0.5, center_y=0.25, radius=0.1))
    add(image, project, "Pond", EllipseCoordinates(center_x=0.5, center_y=0.25, rx=0.1, ry=0.2))
    add(group, project, "Tree", BitmaskCoordinates(letter_f(24, 40)), 1)
    add(group, project, "Car", BOX, [0, 2])
    with project.create_bundle() as bundle:
        for row in rows.values():
            row.save(bundle=bundle)

    stored = rows_by_title(project, "pred-1")
    for title, row in rows.items():
        stored[title].initialise_labels()
        assert content(stored[title]) == content(row)
    frames = stored["drive.mp4"].get_object_instances(filter_frames=[3])
    assert [(i.object_hash, [a.frame for a in i.get_annotations()]) for i in frames] == [(tracked, [0, 3, 11])]
    mask = stored["walk"].get_object_instances(filter_frames=[1])[0].get_annotation(1).coordinates
    assert np.array_equal(mask.to_numpy_array(), letter_f(24, 40))


def test_branches_are_independent(project: Project) -> None:
    for branch_name, frame in (("main", 1), ("pred-1", 2), ("pred-2", 3)):
        row = rows_by_title(project, branch_name)["drive.mp4"]
        row.initialise_labels()
        add(row, project, "Car", BOX, frame)
        row.save()
    assert list(project.list_branches()) == ["main", "pred-1", "pred-2"]
    seen = {}
    for row in project.list_label_rows_v2(include_all_label_branches=True, data_title_eq="drive.mp4"):
        row.initialise_labels()
        seen[row.branch_name] = [a.frame for i in row.get_object_instances() for a in i.get_annotations()]
    assert seen == {"main": [1], "pred-1": [2], "pred-2": [3]}
    assert rows_by_title(project, "pred-3")["drive.mp4"].label_hash is None


def test_a_save_overwrites_the_row(project: Project, emulator: RunningEmulator) -> None:
    row = rows_by_title(project, "pred-1")["drive.mp4"]
    row.initialise_labels()
    instance_hash = add(row, project, "Car", BOX, 1)
    row.save()
    row.remove_object(next(i for i in row.get_object_instances() if i.object_hash == instance_hash))
    add(row, project, "Road", POLYGON, 2)
    row.save()
    stored = rows_by_title(project, "pred-1")["drive.mp4"]
    stored.initialise_labels()
    assert [i.object_name for i in stored.get_object_instances()] == ["Road"]
    assert emulator.store.header(row.label_hash or "").saves == 2


def test_reading_can_be_narrowed_to_features(project: Project) -> None:
    row = rows_by_title(project, "pred-1")["walk"]
    row.initialise_labels()
    add(row, project, "Car", BOX, [0, 1])
    add(row, project, "Road", POLYGON, 1)
    row.save()
    stored = rows_by_title(project, "pred-1")["walk"]
    stored.initialise_labels(include_object_feature_hashes={"obj-road"})
    assert [i.object_name for i in stored.get_object_instances()] == ["Road"]
    assert list(stored.to_encord_dict()["object_answers"]) == [stored.get_object_instances()[0].object_hash]


def test_classifications_read_back_equal(project: Project) -> None:
    row = rows_by_title(project, "pred-1")["drive.mp4"]
    row.initialise_labels()
    instance = project.ontology_structure.get_child_by_hash("cls-wthr").create_instance()
    instance.set_answer(project.ontology_structure.get_child_by_hash("opt-nght"))
    instance.set_for_frames([2, 3, 4], manual_annotation=False)
    row.add_classification_instance(instance)
    row.save()
    stored = rows_by_title(project, "pred-1")["drive.mp4"]
    stored.initialise_labels()
    assert content(stored) == content(row)
    stored.initialise_labels(include_classification_feature_hashes={"none"}, overwrite=True)
    assert stored.get_classification_instances() == []


def test_creating_a_row_twice_is_refused_and_creates_nothing(project: Project) -> None:
    stale = project.list_label_rows_v2(branch_name="pred-1")
    rows_by_title(project, "pred-1")["still.jpg"].initialise_labels()
    with pytest.raises(ResourceExistsError, match=hash_of("still.jpg")):
        stale[1].initialise_labels()
    with pytest.raises(ResourceExistsError), project.create_bundle() as bundle:
        for row in stale:
            row.initialise_labels(bundle=bundle)
    assert [row.label_hash is None for row in project.list_label_rows_v2(branch_name="pred-1")] == [True, False, True]


def test_single_forms_of_create_get_and_save(project: Project) -> None:
    created = project.create_label_row(hash_of("still.jpg"))
    assert created["branch_name"] == "main"
    assert project.get_label_row(created["label_hash"]) == LabelRow(created)
    assert project.save_label_row(created["label_hash"], created) is True


def test_times_move_with_saves_and_filter_the_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 11, 21, 23, 48, 11, tzinfo=timezone.utc)
    with running_emulator(make_snapshot()) as emulator:
        now = [start]
        monkeypatch.setattr(emulator.store, "_clock", lambda: now[0])
        project = open_project(emulator)
        row = rows_by_title(project, "pred-1")["drive.mp4"]
        row.initialise_labels()
        assert row.to_encord_dict()["created_at"] == "Sat, 21 Nov 2026 23:48:11 UTC"
        now[0] = start + timedelta(minutes=5)
        row.save()
        listed = rows_by_title(project, "pred-1")["drive.mp4"]
        assert (listed.created_at, listed.last_edited_at) == (start, start + timedelta(minutes=5))

        def titles(**filters: Any) -> list[str]:
            return [r.data_title for r in project.list_label_rows_v2(branch_name="pred-1", **filters)]

        assert titles(edited_after=start + timedelta(minutes=4)) == ["drive.mp4"]
        assert titles(edited_after=start + timedelta(minutes=5)) == []
        assert titles(edited_before=start + timedelta(minutes=6)) == ["drive.mp4"]
        assert titles(edited_before=start + timedelta(minutes=5)) == []


def test_listing_filters(project: Project) -> None:
    video = rows_by_title(project, "pred-1")["drive.mp4"]
    video.initialise_labels()

    def titles(**filters: Any) -> list[str]:
        return [r.data_title for r in project.list_label_rows_v2(branch_name="pred-1", **filters)]

    assert titles(data_hashes=[hash_of("walk"), hash_of("nowhere")]) == ["walk"]
    assert titles(label_hashes=[video.label_hash]) == ["drive.mp4"]
    assert titles(data_title_eq="still.jpg") == ["still.jpg"]
    assert titles(data_title_like="%.j_g") == ["still.jpg"]
    assert titles(data_title_like="still") == []
    assert titles(label_statuses=[AnnotationTaskStatus.COMPLETED]) == []
    assert titles(workflow_graph_node_title_eq="Annotate 2") == []
    assert titles(workflow_graph_node_title_like="annotate%", label_statuses=[AnnotationTaskStatus.QUEUED]) == [
        "drive.mp4",
        "still.jpg",
        "walk",
    ]
    assert titles(shadow_data_state=ShadowDataState.SHADOW_DATA) == []
    assert project._client.list_label_rows(branch_name="main") == []
    assert [r.label_hash for r in project._client.list_label_rows(branch_name="pred-1")] == [video.label_hash]
    assert len(project.list_label_rows_v2(include_all_label_branches=True)) == 4


def test_coco_import_of_the_sdk(project: Project) -> None:
    labels = {
        "info": {},
        "images": [{"id": 5, "width": 64, "height": 36, "file_name": "a", "coco_url": "", "flickr_url": ""}],
        "categories": [{"id": 1, "name": "Car", "supercategory": ""}],
        "annotations": [
            {
                "id": 9,
                "image_id": 5,
                "category_id": 1,
                "bbox": [16, 9, 32, 18],
                "area": 576,
                "iscrowd": 0,
                "segmentation": [[16, 9, 48, 9, 48, 27]],
                "score": 0.75,
            }
        ],
    }
    project.import_coco_labels(
        labels,
        category_id_to_feature_hash={1: "obj-car1"},
        image_id_to_frame_index={5: FrameIndex(data_hash=hash_of("drive.mp4"), frame=6)},
        branch_name="pred-1",
        confidence_field_name="score",
    )
    row = rows_by_title(project, "pred-1")["drive.mp4"]
    row.initialise_labels()
    annotation = row.get_object_instances()[0].get_annotations()[0]
    assert (annotation.frame, annotation.confidence) == (6, 0.75)
    assert annotation.coordinates == BoundingBoxCoordinates(height=0.5, width=0.5, top_left_x=0.25, top_left_y=0.25)


def test_rows_survive_a_restart_with_a_database(tmp_path: Path) -> None:
    db = tmp_path / "rows.sqlite"
    with running_emulator(make_snapshot(), db) as emulator:
        project = open_project(emulator)
        row = rows_by_title(project, "pred-1")["drive.mp4"]
        row.initialise_labels()
        add(row, project, "Car", BOX, 5)
        row.save()
        saved = content(row)
    with running_emulator(make_snapshot(), db) as emulator:
        row = rows_by_title(open_project(emulator), "pred-1")["drive.mp4"]
        row.initialise_labels()
        assert content(row) == saved


def test_label_rows_of_a_snapshot_are_there_and_the_database_wins(tmp_path: Path) -> None:
    db = tmp_path / "rows.sqlite"
    with running_emulator(make_snapshot(), db) as emulator:
        project = open_project(emulator)
        row = rows_by_title(project, "main")["walk"]
        row.initialise_labels()
        add(row, project, "Car", BOX, 2)
        row.save()
        saved = row.to_encord_dict()
    snapshot = make_snapshot(label_rows=(saved,))
    with running_emulator(snapshot) as emulator:
        project = open_project(emulator)
        row = rows_by_title(project)["walk"]
        row.initialise_labels()
        assert row.label_hash == saved["label_hash"]
        assert [a.frame for i in row.get_object_instances() for a in i.get_annotations()] == [2]
        row.remove_object(row.get_object_instances()[0])
        row.save()
    with running_emulator(make_snapshot(label_rows=({**saved, "data_units": {}},)), db) as emulator:
        row = rows_by_title(open_project(emulator))["walk"]
        row.initialise_labels()
        assert len(row.get_object_instances()) == 1


def full_snapshot() -> Snapshot:
    base = make_snapshot()
    media = (
        *base.media,
        make_image("unsized.png", width=None, height=None),
        make_video("b/drive.mp4", width=7, height=5),
    )
    return make_snapshot(media=media)


def test_snapshot_of_a_project_equals_the_snapshot_it_was_made_from(tmp_path: Path) -> None:
    whole = full_snapshot()
    media = tuple(replace(medium, stage="Annotate 1", stage_uuid=hash_of("stage")) for medium in whole.media)
    whole = replace(whole, media=media)
    with running_emulator(whole) as emulator:
        taken = snapshot_from_project(open_project(emulator))
    assert taken == whole
    write_snapshot(taken, tmp_path / "project.json")
    assert "://" not in (tmp_path / "project.json").read_text()
    assert read_snapshot(tmp_path / "project.json") == taken


def test_links_and_addresses_of_a_project_stay_out_of_its_snapshot(tmp_path: Path) -> None:
    medium = make_video("https://bucket.example/a/drive%201.mp4?X-Signature=abc#t")
    structure = make_snapshot().ontology_structure
    structure["objects"][0]["name"] = "Car (ask jo.doe@example.org)"
    group = make_image_group("walk", ((5, 3),))
    images = (replace(group.images[0], title="https://bucket.example/a/w0.png?sig=abc"),)
    media = (medium, make_image("bucket/still.jpg?X-Amz-Signature=abc"), replace(group, images=images))
    with running_emulator(make_snapshot(media=media, structure=structure)) as emulator:
        taken = snapshot_from_project(open_project(emulator))
    assert [medium.title for medium in taken.media] == ["drive%201.mp4", "bucket/still.jpg", "walk"]
    assert [image.title for image in taken.media[2].images] == ["w0.png"]
    assert taken.ontology_structure["objects"][0]["name"] == "Car (ask (e-mail))"
    write_snapshot(taken, tmp_path / "project.json")


def test_image_sizes_can_be_missing_from_listings_but_not_from_rows() -> None:
    options = EmulatorOptions(list_image_sizes=False)
    with running_emulator(make_snapshot(), options=options) as emulator:
        row = rows_by_title(open_project(emulator), "pred-1")["still.jpg"]
        assert (row.width, row.height) == (None, None)
        row.initialise_labels()
        assert (row.width, row.height) == (30, 50)


def test_eight_threads_save_through_one_client(project: Project, emulator: RunningEmulator) -> None:
    rows = [
        row
        for branch_name in (f"pred-{index}" for index in range(24))
        for row in project.list_label_rows_v2(branch_name=branch_name, data_title_eq="drive.mp4")
    ]

    def fill(row: LabelRowV2) -> None:
        row.initialise_labels()
        add(row, project, "Car", BOX, list(range(12)))
        row.save()
        row.save()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, rows))
    stored = project.list_label_rows_v2(include_all_label_branches=True, label_hashes=[row.label_hash for row in rows])
    with project.create_bundle() as bundle:
        for row in stored:
            row.initialise_labels(bundle=bundle)
    by_hash = {row.label_hash: content(row) for row in stored}
    assert [by_hash[row.label_hash] for row in rows] == [content(row) for row in rows]
    assert [header.saves for header in emulator.store.headers()] == [2] * 24


def test_thousands_of_rows_in_bundles() -> None:
    snapshot = make_snapshot(media=tuple(make_image_group(f"group {index}", ((5, 3),)) for index in range(2500)))
    with running_emulator(snapshot) as emulator:
        project = open_project(emulator)
        rows = project.list_label_rows_v2(branch_name="pred-1")
        with project.create_bundle() as bundle:
            for row in rows:
                row.initialise_labels(bundle=bundle)
        with project.create_bundle() as bundle:
            for row in rows:
                row.save(bundle=bundle)
        assert {header.saves for header in emulator.store.headers("pred-1")} == {1}
        assert len(emulator.store.headers()) == 2500
