"""What `show` and `media` say of data groups, on rows that the unmodified SDK saved."""

from __future__ import annotations

from typing import Any

import pytest
from encord import EncordUserClient, Project
from encord.objects import LabelRowV2, Object, OntologyStructure, Shape
from encord.objects.attributes import TextAttribute
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.frames import Range

from ropewalk import show
from ropewalk.emulator import running_emulator
from ropewalk.project.media import list_media, media_map
from ropewalk.showing.show import row_of, show_rows
from snapshots import hash_of, make_data_group, make_snapshot, make_video

BOX = BoundingBoxCoordinates(height=0.25, width=0.125, top_left_x=0.5, top_left_y=0.0)
LEFT, RIGHT, TALK = (hash_of(f"scene-12/{name}") for name in ("left.mp4", "right.mp4", "talk.mp3"))


@pytest.fixture(scope="module")
def saved() -> Any:
    """A group with a car on both cameras, one more on the left, a voice, and two answers; saved by the SDK."""
    structure = OntologyStructure()
    structure.add_object("Car", Shape.BOUNDING_BOX, feature_node_hash="obj-car1")
    structure.add_object("Voice", Shape.AUDIO, feature_node_hash="obj-vce1")
    note = structure.add_classification(feature_node_hash="cls-note")
    note.add_attribute(TextAttribute, "Note", feature_node_hash="att-note")
    with running_emulator(make_snapshot((make_video(), make_data_group()), structure.to_dict())) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        project = client.get_project(running.project_hash)
        (row,) = project.list_label_rows_v2(data_title_eq="scene-12")
        row.initialise_labels()
        _put(row, project)
        row.save()
        yield project


def _put(row: LabelRowV2, project: Project) -> None:
    car = project.ontology_structure.get_child_by_hash("obj-car1", type_=Object)
    left, right = (row.get_space(layout_key=key, type_="video") for key in ("cam-left", "cam-right"))
    both, one = car.create_instance(), car.create_instance()
    left.put_object_instance(both, Range(2, 4), BOX)
    right.put_object_instance(both, 6, BOX)
    left.put_object_instance(one, 4, BOX)
    voice = project.ontology_structure.get_child_by_hash("obj-vce1", type_=Object).create_instance()
    talk = row.get_space(layout_key="microphone", type_="audio")
    talk.put_object_instance(voice, Range(1500, 2750))
    for space, text, frames in ((left, "fog", [Range(4, 7)]), (talk, "wind", [])):
        answered = project.ontology_structure.classifications[0].create_instance()
        answered.set_answer(text)
        space.put_classification_instance(answered, *([frames] if frames else []))  # type: ignore[attr-defined]


def test_each_space_is_a_data_unit(saved: Project) -> None:
    (row,) = show_rows(saved)
    # The car on both cameras is one object of the row.
    assert (row.objects, row.classifications, row.frames) == (3, 2, 7)
    shown = {
        unit.data_title: (unit.data_hash, unit.data_type, unit.objects, unit.frames, unit.classifications)
        for unit in row.units
    }
    assert {title: shown[title] for title in ("left.mp4", "right.mp4", "talk.mp3")} == {
        "left.mp4": (LEFT, "VIDEO", 2, 6, 1),
        "right.mp4": (RIGHT, "VIDEO", 1, 1, 0),
        "talk.mp3": (TALK, "AUDIO", 1, None, 1),
    }
    assert {unit.group_hash for unit in row.units} == {hash_of("scene-12")}
    assert shown["report.pdf"][1:] == ("PDF", 0, 0, 0)


def test_labels_of_a_space_have_its_ranges(saved: Project) -> None:
    units = {unit.data_title: unit for unit in show(saved, labels=True)}
    voice, wind = units["talk.mp3"].labels
    assert (voice.name, voice.ranges, wind.answers[0].values, wind.ranges) == ("Voice", ((1500, 2750),), ("wind",), ())
    fog = units["left.mp4"].labels[-1]
    assert (fog.name, fog.answers[0].values, fog.ranges) == ("Note", ("fog",), ((4, 7),))
    assert [label.ranges for label in units["right.mp4"].labels] == [((6, 6),)]


def test_a_space_may_be_meant_alone(saved: Project) -> None:
    (unit,) = show(saved, only_media=["right*"])
    assert (unit.data_title, unit.objects) == ("right.mp4", 1)


def test_labels_on_the_space_of_a_whole_medium_count() -> None:
    """Images with layers have their labels on a space named root; nothing else tells of them."""
    item = {"objectHash": "o1", "featureHash": "obj-car1", "name": "Car", "confidence": 0.5}
    root = {"space_type": "image", "labels": {"0": {"objects": [item], "classifications": []}}}
    row = {
        "label_hash": "l",
        "data_hash": "d",
        "data_title": "still.png",
        "data_type": "image",
        "data_units": {"d": {"data_hash": "d", "data_title": "still.png", "data_sequence": 0, "labels": {}}},
        "object_answers": {"o1": {"objectHash": "o1", "classifications": []}},
        "classification_answers": {},
        "spaces": {"root": root},
    }
    shown = row_of(row, "main")
    assert shown is not None and (shown.objects, shown.frames) == (1, 1)


def test_media_lists_spaces() -> None:
    project = make_snapshot((make_video("left.mp4"), make_data_group()))
    video, group = list_media(project)
    assert "spaces" not in video.as_dict()
    listed = {space["layout_key"]: space for space in group.as_dict()["spaces"]}
    assert listed["cam-right"] == {
        "title": "right.mp4",
        "data_hash": RIGHT,
        "data_type": "VIDEO",
        "layout_key": "cam-right",
        "number_of_frames": 7,
        "width": 40,
        "height": 54,
    }
    found, _ = media_map([video, group])
    assert found["scene-12/left.mp4"] == LEFT and "scene-12" not in found
    assert found["left.mp4"] == video.data_hash
    (narrowed,) = list_media(project, ["*.txt"])
    assert [space.title for space in narrowed.spaces] == ["notes.txt"]
