"""What `show` counts and lists, on rows that the unmodified SDK saved, and on rows of older clients."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from encord import EncordUserClient, Project
from encord.objects import Classification, LabelRowV2, Object, OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, RadioAttribute, TextAttribute
from encord.objects.coordinates import AudioCoordinates, BitmaskCoordinates, BoundingBoxCoordinates
from encord.objects.frames import Range

from ropewalk import show
from ropewalk.emulator import RunningEmulator, running_emulator
from ropewalk.errors import LabelRowError, UsageError
from ropewalk.project.snapshot import Medium
from ropewalk.showing.labels import ShownAnswer, length, merged
from ropewalk.showing.show import row_of, show_rows
from snapshots import DATASET_HASH, hash_of, make_image, make_image_group, make_snapshot, make_video

BOX = BoundingBoxCoordinates(height=0.25, width=0.125, top_left_x=0.5, top_left_y=0.0)


def structure() -> dict[str, Any]:
    made = OntologyStructure()
    car = made.add_object("Car", Shape.BOUNDING_BOX, feature_node_hash="obj-car1")
    colour = car.add_attribute(RadioAttribute, "Colour", feature_node_hash="att-colr")
    colour.add_option("Red", feature_node_hash="opt-red1")
    door = car.add_attribute(ChecklistAttribute, "Open", dynamic=True, feature_node_hash="att-open")
    door.add_option("Left", feature_node_hash="opt-left")
    door.add_option("Right", feature_node_hash="opt-rght")
    made.add_object("Tree", Shape.BITMASK, feature_node_hash="obj-tree")
    made.add_object("Noise", Shape.AUDIO, feature_node_hash="obj-nois")
    fruit = made.add_classification(feature_node_hash="cls-frut")
    kind = fruit.add_attribute(RadioAttribute, "Fruit", feature_node_hash="att-frut")
    apple = kind.add_option("Apple", feature_node_hash="opt-appl")
    nested = apple.add_nested_attribute(RadioAttribute, "Which", feature_node_hash="att-whch")
    nested.add_option("Gala", feature_node_hash="opt-gala")
    note = made.add_classification(feature_node_hash="cls-note")
    note.add_attribute(TextAttribute, "Note", feature_node_hash="att-note")
    return made.to_dict()


def audio() -> Medium:
    return Medium(
        data_hash=hash_of("horn.wav"),
        title="horn.wav",
        data_type="AUDIO",
        dataset_hash=DATASET_HASH,
        dataset_title="Test data",
        file_type="audio/wav",
        duration=4.0,
        number_of_frames=4000,
        audio_codec="pcm_s16le",
        audio_sample_rate=1000,
        audio_bit_depth=16,
        audio_num_channels=1,
    )


@pytest.fixture(scope="module")
def live() -> Any:
    media = (make_video(), make_image(), make_image_group(), audio())
    with running_emulator(make_snapshot(media, structure())) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        project = client.get_project(running.project_hash)
        fill(project)
        yield running, project


def fill(project: Project) -> None:
    """Save rows on two branches: a track with attributes, masks in a group, classifications, a sound."""
    rows = {row.data_title: row for row in project.list_label_rows_v2(branch_name="pred-1")}
    for row in rows.values():
        row.initialise_labels()
    ontology = project.ontology_structure
    car = ontology.get_child_by_title("Car", type_=Object)
    track = car.create_instance()
    for frame, confidence in ((3, 0.5), (4, 0.75), (8, 0.25)):
        track.set_for_frames(BOX, frame, confidence=confidence, manual_annotation=False)
    colour, doors = car.attributes
    track.set_answer(colour.options[0], attribute=colour)
    track.set_answer([doors.options[0], doors.options[1]], attribute=doors, frames=Range(3, 4))
    rows["drive.mp4"].add_object_instance(track)
    classify(rows["drive.mp4"], "Fruit", Range(4, 6), nested=True)
    tree = ontology.get_child_by_title("Tree", type_=Object).create_instance()
    for frame, size_hw in ((0, (24, 40)), (2, (21, 33))):
        mask = np.zeros(size_hw, dtype=bool)
        mask[2:9, 3:5] = True
        tree.set_for_frames(BitmaskCoordinates(mask), frame)
    rows["walk"].add_object_instance(tree)
    classify(rows["walk"], "Note", Range(1, 2), text="wet\tand\x1b[31m red")
    sound = ontology.get_child_by_title("Noise", type_=Object).create_instance()
    sound.set_for_frames(AudioCoordinates(range=[Range(100, 250), Range(900, 1000)]))
    rows["horn.wav"].add_object_instance(sound)
    for row in rows.values():
        row.save()
    (still,) = project.list_label_rows_v2(data_title_eq="still.jpg")
    still.initialise_labels()
    classify(still, "Fruit", 0, nested=False)
    still.save()


def classify(row: LabelRowV2, title: str, frames: Any, *, nested: bool = False, text: str = "") -> None:
    classification = row.ontology_structure.get_child_by_title(title, type_=Classification)
    instance = classification.create_instance()
    if text:
        instance.set_answer(text)
    else:
        apple = classification.attributes[0].options[0]
        instance.set_answer(apple)
        if nested:
            instance.set_answer(apple.attributes[0].options[0], attribute=apple.attributes[0])
    instance.set_for_frames(frames, confidence=0.5)
    row.add_classification_instance(instance)


def figures(project: Project, **options: Any) -> list[tuple[Any, ...]]:
    return [
        (unit.branch, unit.data_title, unit.objects, unit.frames, unit.classifications, unit.classes)
        for unit in show(project, **options)
    ]


def test_every_branch_and_data_unit_is_counted(live: Any) -> None:
    assert figures(live[1]) == [
        ("main", "still.jpg", 0, 1, 1, {}),
        ("pred-1", "drive.mp4", 1, 5, 1, {"Car": 1}),
        ("pred-1", "horn.wav", 1, None, 0, {"Noise": 1}),
        ("pred-1", "still.jpg", 0, 0, 0, {}),
        ("pred-1", "walk-0.png", 1, 1, 0, {"Tree": 1}),
        ("pred-1", "walk-1.png", 0, 1, 1, {}),
        ("pred-1", "walk-2.png", 1, 1, 1, {"Tree": 1}),
    ]


def test_a_track_over_a_group_is_one_object_of_the_row(live: Any) -> None:
    (walk,) = show_rows(live[1], "pred-1", only_media=["walk"])
    assert (walk.objects, walk.classifications, walk.frames) == (1, 1, 3)
    assert [(unit.data_type, unit.group_hash, unit.data_hash) for unit in walk.units] == [
        ("IMAGE", hash_of("walk"), hash_of(f"walk/{n}")) for n in range(3)
    ]


def test_globs_and_branch_narrow(live: Any, requests_sent: list[tuple[str, int]]) -> None:
    assert [line[:2] for line in figures(live[1], branch="main")] == [("main", "still.jpg")]
    assert [line[1] for line in figures(live[1], only_media=["drive*", "walk-[12]*"])] == [
        *("drive.mp4", "walk-1.png", "walk-2.png")
    ]
    # Of the rows only those were fetched that could be meant: the images of a group are known from the row alone.
    assert [n for kind, n in requests_sent if kind == "GET labelrow"] == [1, 2]
    (walk,) = show_rows(live[1], only_media=["walk-0*"], labels=True)
    assert (walk.objects, walk.classifications, walk.frames, len(walk.units)) == (1, 0, 1, 1)
    assert [(label.name, label.ranges) for label in walk.units[0].labels] == [("Tree", ((0, 0),))]
    assert figures(live[1], only_media=["nothing"]) == []
    with pytest.raises(UsageError, match="no branch named nothing; the project has main, pred-1"):
        figures(live[1], branch="nothing")


def test_labels_are_listed_with_frames_confidence_and_answers(live: Any) -> None:
    units = {unit.data_title: unit.labels for unit in show(live[1], "pred-1", labels=True)}
    car, fruit = units["drive.mp4"]
    assert (car.kind, car.name, car.feature_hash, car.shape) == ("object", "Car", "obj-car1", "bounding_box")
    assert (car.ranges, car.confidence) == (((3, 4), (8, 8)), (0.25, 0.75))
    assert car.answers == (
        ShownAnswer("Colour", ("Red",)),
        ShownAnswer("Open", ("Left", "Right"), ((3, 4),)),
    )
    # The SDK writes the nested attribute first; the classification is named after the one at the top.
    assert (fruit.kind, fruit.name, fruit.feature_hash, fruit.shape) == ("classification", "Fruit", "cls-frut", None)
    assert (fruit.ranges, fruit.confidence) == (((4, 6),), (0.5, 0.5))
    assert fruit.answers == (ShownAnswer("Fruit", ("Apple",)), ShownAnswer("Which", ("Gala",)))
    # Of a group each image has its own part of what spans several.
    (first,), (note,), (last, again) = (units[f"walk-{n}.png"] for n in range(3))
    assert (first.hash, first.ranges, last.ranges) == (last.hash, ((0, 0),), ((2, 2),))
    assert (note.name, note.ranges) == ("Note", ((1, 1),))
    assert (again.hash, again.ranges) == (note.hash, ((2, 2),))
    assert note.answers == (ShownAnswer("Note", ("wet\tand\x1b[31m red",)),)
    (noise,) = units["horn.wav"]
    assert (noise.name, noise.feature_hash, noise.shape) == ("Noise", "obj-nois", "audio")
    assert (noise.ranges, noise.confidence) == (((100, 250), (900, 1000)), None)
    assert units["still.jpg"] == ()


def test_labels_are_left_out_unless_asked_for(live: Any) -> None:
    units = list(show(live[1]))
    assert units and all(not unit.labels and "labels" not in unit.as_dict(labels=False) for unit in units)


def bare(**fields: Any) -> dict[str, Any]:
    """Make a label row of a video as a server answers it."""
    unit = {"data_hash": "d", "data_title": "v.mp4", "data_sequence": 0, "labels": {}}
    row = {"label_hash": "l", "data_hash": "d", "data_title": "v.mp4", "data_type": "video", "data_units": {"d": unit}}
    return row | fields


def test_classifications_that_older_clients_wrote_per_frame() -> None:
    row = bare(classification_answers={"c": {"featureHash": "f", "classifications": [{"name": "Day", "answers": "x"}]}})
    for frame in (2, 3, 7):
        row["data_units"]["d"]["labels"][str(frame)] = {"objects": [], "classifications": [{"classificationHash": "c"}]}
    found = row_of(row, "b", names={})
    assert found is not None
    (label,) = found.units[0].labels
    assert (found.frames, found.classifications, label.ranges) == (3, 1, ((2, 3), (7, 7)))
    assert (label.name, label.answers) == ("Day", (ShownAnswer("Day", ("x",)),))


def test_a_classification_without_ranges_holds_for_all_of_the_row() -> None:
    answers = {"c": {"featureHash": "f", "classifications": [], "range": []}}
    found = row_of(bare(classification_answers=answers), "b", names={"f": "Scene"})
    assert found is not None and (found.frames, found.classifications) == (0, 1)
    (label,) = found.units[0].labels
    assert (label.name, label.ranges) == ("Scene", ())
    image = row_of(bare(classification_answers=answers, data_type="image"), "b", names={})
    assert image is not None and image.frames == 1 and image.units[0].labels[0].ranges == ()


def test_long_ranges_cost_nothing() -> None:
    answers = {"c": {"featureHash": "f", "range": [[0, 10**15], [5, 10**16]]}}
    found = row_of(bare(classification_answers=answers), "b")
    assert found is not None and found.frames == 10**16 + 1


def test_ranges_are_joined() -> None:
    joined = merged([(8, 9), (1, 2), (3, 3), (5, 6), (5, 5)])
    assert joined == ((1, 3), (5, 6), (8, 9))
    assert length(joined) == 7


def test_a_signed_url_as_a_title_is_without_its_query() -> None:
    found = row_of(bare(data_title="https://files.example.com/v.mp4?X-Amz-Signature=canary"), "b")
    assert found is not None and found.units[0].data_title == "https://files.example.com/v.mp4"


@pytest.mark.parametrize(
    "content",
    [
        {"data_units": 7},
        {"data_units": {"d": {"labels": {"x": {}}}}},
        {"data_units": {"d": {"labels": {"0": {"objects": [{}]}}}}},
        {"classification_answers": {"c": {"range": [[1]]}}},
    ],
)
def test_a_row_that_is_none_is_named(live: Any, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]) -> None:
    from ropewalk.sinks.encord.rows import LabelRows

    get = LabelRows.get

    def spoilt(self: LabelRows, label_hashes: list[str]) -> dict[str, bytes]:
        return {key: json.dumps(json.loads(text) | content).encode() for key, text in get(self, label_hashes).items()}

    monkeypatch.setattr(LabelRows, "get", spoilt)
    with pytest.raises(LabelRowError, match=r"label row [0-9a-f-]{36} is not as Encord writes one"):
        list(show(live[1], "pred-1", only_media=["drive.mp4"]))


def test_a_row_that_is_gone_meanwhile_is_left_out(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ropewalk.sinks.encord.rows.LabelRows.get", lambda self, label_hashes: {})
    assert list(show(live[1])) == []


def test_as_many_rows_are_fetched_together_as_fit(
    monkeypatch: pytest.MonkeyPatch, requests_sent: list[tuple[str, int]]
) -> None:
    """Batches grow while rows are small, and shrink to single rows once they are large; none is kept."""
    media = tuple(dataclasses.replace(make_image(f"{n:03}.jpg"), data_hash=hash_of(f"{n}")) for n in range(40))
    with running_emulator(make_snapshot(media)) as running:
        fetched(running, media, large_from=20)
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        project = client.get_project(running.project_hash)
        monkeypatch.setattr("ropewalk.showing.show._BATCH_BYTES", 40_000)
        shown = [row.data_title for row in show(project, "pred")]
    assert shown == [f"{n:03}.jpg" for n in range(40)]
    batches = [n for kind, n in requests_sent if kind == "GET labelrow"]
    assert batches[:3] == [4, 8, 16] and batches[3:] == [1] * 12


def fetched(running: RunningEmulator, media: tuple[Medium, ...], large_from: int) -> None:
    """Put rows on the branch `pred`, large ones from a number on."""
    hashes = running.store.create([medium.data_hash for medium in media], "pred")
    for number, label_hash in enumerate(hashes):
        if number >= large_from:
            content = json.loads(running.store.contents([label_hash])[0])
            content["object_actions"] = {"padding": "x" * 60_000}
            running.store.save([(label_hash, content)])
