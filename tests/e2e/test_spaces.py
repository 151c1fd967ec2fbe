"""Data groups: labels of all spaces of a row in one save, read back by the unmodified SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project
from encord.objects import LabelRowV2, OntologyStructure, Shape
from encord.objects.attributes import RadioAttribute
from encord.objects.coordinates import BoundingBoxCoordinates

import ropewalk
from ropewalk.emulator import RunningEmulator, running_emulator
from ropewalk.errors import RopewalkError, UsageError
from ropewalk.importing.rollback import rollback
from ropewalk.ledger.ledger import find_ledgers
from ropewalk.sinks.encord import versions
from snapshots import hash_of, make_data_group, make_snapshot, make_video


def ontology() -> OntologyStructure:
    structure = OntologyStructure()
    structure.add_object("Car", Shape.BOUNDING_BOX, feature_node_hash="obj-car1")
    structure.add_object("Speaker", Shape.AUDIO, feature_node_hash="obj-spkr")
    structure.add_object("Name", Shape.TEXT, feature_node_hash="obj-name")
    weather = structure.add_classification(feature_node_hash="cls-wthr")
    attribute = weather.add_attribute(RadioAttribute, "Weather", feature_node_hash="att-wthr")
    attribute.add_option("Sunny", feature_node_hash="opt-sun1")
    attribute.add_option("Night", feature_node_hash="opt-nght")
    return structure


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    media = (make_video("left.mp4"), make_data_group(), make_data_group("scene-13"))
    with running_emulator(make_snapshot(media, ontology().to_dict())) as running:
        yield running


@pytest.fixture(scope="module")
def project(emulator: RunningEmulator) -> Project:
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
    )
    return client.get_project(emulator.project_hash)


def box(media: str, frame: int, x: float, **more: Any) -> dict[str, Any]:
    return {"media": media, "class": "Car", "frame": frame, "box": [x, 0.2, 0.3, 0.125], "unit": "frac", **more}


def imported(
    project: Project, rows: list[dict[str, Any]], folder: Path, branch: str, **options: Any
) -> dict[str, LabelRowV2]:
    """Import rows twice, the second time nothing is saved, and verify them; returns the rows by title."""
    predictions = ropewalk.read_table(rows, source_label="model")
    report = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=folder, verify=True, **options)
    assert (report.exit_code, report.annotations_written, report.label_rows_failed) == (0, len(rows), 0)
    again = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=folder / "again", **options)
    assert (again.annotations_already_there, again.label_rows_saved) == (len(rows), 0)
    opened = {row.data_title: row for row in project.list_label_rows_v2(branch_name=branch) if row.label_hash}
    for row in opened.values():
        row.initialise_labels()
    return opened


def test_two_cameras_in_one_save(
    project: Project, emulator: RunningEmulator, tmp_path: Path, requests_sent: list[tuple[str, int]]
) -> None:
    rows = [
        box("scene-12/right.mp4", 6, 0.5, track=1, score=0.25),
        box("scene-12/left.mp4", 3, 0.0625, track=1),
        box("scene-12/left.mp4", 8, 0.125, track=1),
        box("scene-12/left.mp4", 3, 0.375),
    ]
    opened = imported(project, rows, tmp_path, "cameras")
    assert [sent for sent in requests_sent if sent[0] == "POST labelrow"] == [("POST labelrow", 1)]
    row = opened["scene-12"]
    found = {}
    for key in ("cam-left", "cam-right"):
        space = row.get_space(layout_key=key, type_="video")
        found[key] = sorted(
            (annotation.frame, annotation.coordinates.top_left_x, annotation.confidence)
            for annotation in space.get_annotations("object")
            if isinstance(annotation.coordinates, BoundingBoxCoordinates)
        )
    assert found == {
        "cam-left": [(3, 0.0625, 1.0), (3, 0.375, 1.0), (8, 0.125, 1.0)],
        "cam-right": [(6, 0.5, 0.25)],
    }
    # A camera's trackers count for themselves: track 1 of each is an object of its own.
    assert len(row.get_space(layout_key="cam-left", type_="video").get_object_instances()) == 2
    row.save()


def test_every_kind_of_space(project: Project, tmp_path: Path) -> None:
    rows = [
        box("scene-12/still", 0, 0.25),
        box("scene-12/report.pdf", 3, 0.5, track="p"),
        {"media": "scene-12/talk.mp3", "class": "Speaker", "frame": 1500, "frame_last": 2750, "track": "a"},
        {"media": "scene-12/talk.mp3", "class": "Speaker", "frame": 4000, "frame_last": 12345, "track": "a"},
        {"media": "scene-12/notes.txt", "class": "Name", "frame": 7, "frame_last": 11},
        answer("scene-12/left.mp4", "Sunny", 2, 5, 0.5),
        answer("scene-12/still.png", "Night", 0, 0),
        answer("scene-12/talk.mp3", "Sunny", 0, 12345),
    ]
    row = imported(project, rows, tmp_path, "kinds")["scene-12"]
    (car,) = row.get_space(layout_key="still", type_="image").get_object_instances()
    assert car.ontology_item.title == "Car"
    (page,) = row.get_space(layout_key="report", type_="pdf").get_annotations("object")
    assert (page.frame, page.coordinates) == (3, BoundingBoxCoordinates(0.125, 0.3, 0.5, 0.2))
    for key, type_, ranges in (
        ("microphone", "audio", [(1500, 2750), (4000, 12345)]),
        ("notes", "text", [(7, 11)]),
    ):
        space = row.get_space(layout_key=key, type_=type_)  # type: ignore[call-overload]
        (instance,) = space.get_object_instances()
        assert [(span.start, span.end) for span in space.get_object_ranges(instance)] == ranges
    answered = {
        (key, annotation.classification_hash in hashes, getattr(annotation, "frame", None), annotation.confidence)
        for key, type_ in (("cam-left", "video"), ("still", "image"), ("microphone", "audio"), ("notes", "text"))
        for space in [row.get_space(layout_key=key, type_=type_)]  # type: ignore[call-overload]
        for hashes in [{item.classification_hash for item in space.get_classification_instances()}]
        for annotation in space.get_annotations("classification")
    }
    assert answered == {
        *(("cam-left", True, frame, 0.5) for frame in (2, 3, 4, 5)),
        ("still", True, 0, 1.0),
        ("microphone", True, 0, 1.0),
    }
    row.save()


def answer(media: str, option: str, first: int, last: int, score: float | None = None) -> dict[str, Any]:
    attributes = [{"name": "Weather", "value": option}]
    return {
        "media": media,
        "class": "Weather",
        "kind": "answer",
        "frame": first,
        "frame_last": last,
        "attributes": attributes,
        "score": score,
    }


RIGHT = hash_of("scene-12/right.mp4")


@pytest.mark.parametrize(
    "name",
    [
        "scene-12/right.mp4",
        "scene-12/cam-right",
        "scene-12/CAM-Right",
        "/data/scene-12/right",
        RIGHT,
        f"{hash_of('scene-12')}/right.mp4",
        f"{hash_of('scene-12')}/cam-right",
    ],
)
def test_names_of_a_space(name: str, emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    """By title, layout key and storage item, behind the title or data_hash of the group."""
    predictions = ropewalk.read_table([box(name, 5, 0.5)], source_label="model")
    stored = stored_labels(project, predictions, tmp_path, f"names-{abs(hash(name))}", emulator)
    assert stored == {(RIGHT, "5")}


def test_the_guides_example(emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    guide = Path(__file__).parents[2] / "docs" / "guide" / "data-groups.md"
    (lines,) = re.findall(r"```json\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
    (tmp_path / "cameras.ndjson").write_text(lines)
    options = {"off_image": "keep"}
    stored = stored_labels(project, tmp_path / "cameras.ndjson", tmp_path / "work", "guide", emulator, **options)
    assert stored == {(hash_of("scene-12/left.mp4"), "3"), (RIGHT, "3")}


def test_a_media_map_leads_to_a_space(emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    predictions = ropewalk.read_table([box("b", 0, 0.5)], source_label="model")
    target = {"b": {"data_hash": RIGHT, "frame": 2}}
    assert stored_labels(project, predictions, tmp_path, "map", emulator, media_map=target) == {(RIGHT, "2")}


def stored_labels(
    project: Project, predictions: Any, folder: Path, branch: str, emulator: RunningEmulator, **options: Any
) -> set[tuple[str, str]]:
    report = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=folder, **options)
    assert report.exit_code == 0, report.rejects_by_code
    (header,) = emulator.store.headers(branch)
    (text,) = emulator.store.contents([header.label_hash])
    spaces = json.loads(text)["spaces"].items()
    return {(space_id, frame) for space_id, content in spaces for frame in content["labels"]}


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        (box("scene-12", 0, 0.5), "data_group", "such as scene-12/left.mp4, scene-12/right.mp4"),
        (box("cam-left", 0, 0.5), "ambiguous_media", "scene-12/left.mp4"),
        (box("scene-12/cam-left", 9, 0.5), "frame_range", "9 frames from 0 on"),
        (box("scene-12/talk.mp3", 0, 0.5), "unsupported_media", "of type audio"),
        (
            {"media": "scene-12/notes.txt", "class": "Speaker", "frame": 7, "frame_last": 11},
            "unsupported_media",
            "of type plain_text",
        ),
    ],
)
def test_what_cannot_be_on_a_space_is_rejected(
    row: dict[str, Any], code: str, said: str, project: Project, tmp_path: Path
) -> None:
    predictions = ropewalk.read_table([row], source_label="model")
    report = ropewalk.import_predictions(predictions, project, branch="rejects", work_dir=tmp_path)
    assert (report.exit_code, report.rejects_by_code) == (3, {code: 1})
    (line,) = (tmp_path / "rejects-rejects.ndjson").read_text("utf-8").splitlines()
    assert said in json.loads(line)["message"]


def test_an_answer_on_a_part_of_a_sound_is_about_all_of_it(project: Project, tmp_path: Path) -> None:
    rows = [answer("scene-12/talk.mp3", "Sunny", 5, 700), answer("scene-12/talk.mp3", "Night", 800, 900)]
    predictions = ropewalk.read_table(rows, source_label="model")
    report = ropewalk.import_predictions(predictions, project, branch="whole", work_dir=tmp_path)
    assert (report.rejects_by_code, report.warnings) == ({"conflicting_answer": 1}, {"answer_on_whole_space": 2})


def test_filters_take_groups_and_spaces(emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    """Both cameras are one label row; a glob takes the title of the group, or of the space."""
    rows = [box(f"{group}/{name}", 1, 0.5) for group in ("scene-12", "scene-13") for name in ("left.mp4", "cam-right")]
    predictions = ropewalk.read_table(rows, source_label="model")
    for number, (options, written, filtered) in enumerate(
        [
            ({"limit_rows": 1}, 2, {"limit_rows": 2}),
            ({"only_media": ["*-13"]}, 2, {"only_media": 2}),
            ({"only_media": ["right*"]}, 2, {"only_media": 2}),
        ]
    ):
        branch = f"filtered-{number}"
        report = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=tmp_path, **options)
        assert (report.annotations_written, report.filtered_by_reason) == (written, filtered)


def test_the_list_of_what_was_written_names_spaces(emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    rows = [
        box("scene-12/left.mp4", 3, 0.0625, annotation_id="a"),
        box("scene-12/right.mp4", 3, 0.5, annotation_id="b"),
    ]
    predictions = ropewalk.read_table(rows, source_label="model")
    out = tmp_path / "written.ndjson"
    ropewalk.import_predictions(predictions, project, branch="written", work_dir=tmp_path, written=out)
    listed = {line["annotation_id"]: line for line in map(json.loads, out.read_text().splitlines())}
    (header,) = emulator.store.headers("written")
    (text,) = emulator.store.contents([header.label_hash])
    for annotation_id, space_id in (("a", hash_of("scene-12/left.mp4")), ("b", RIGHT)):
        (item,) = json.loads(text)["spaces"][space_id]["labels"]["3"]["objects"]
        line = listed[annotation_id]
        assert (line["data_hash"], line["object_hash"]) == (space_id, item["objectHash"])
        assert (line["label_hash"], line["frame"]) == (header.label_hash, 3)


def test_a_merge_keeps_the_labels_of_other_spaces(emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    """What the SDK put on one camera stays when the other one is imported."""
    branch = "merged"
    imported(project, [box("scene-13/left.mp4", 1, 0.5, track="kept")], tmp_path / "one", branch)
    rows = [box("scene-13/right.mp4", 2, 0.25)]
    predictions = ropewalk.read_table(rows, source_label="other")
    refused: list[str] = []
    try:
        ropewalk.import_predictions(predictions, project, branch=branch, work_dir=tmp_path / "two")
    except RopewalkError as e:
        refused.append(str(e))
    assert len(refused) == 1 and "scene-13" in refused[0]
    merge = {"work_dir": tmp_path / "two", "on_existing": "merge"}
    report = ropewalk.import_predictions(predictions, project, branch=branch, **merge)
    assert report.annotations_written == 1
    (row,) = (row for row in project.list_label_rows_v2(branch_name=branch) if row.label_hash)
    row.initialise_labels()
    found = {
        key: [annotation.frame for annotation in row.get_space(layout_key=key, type_="video").get_annotations("object")]
        for key in ("cam-left", "cam-right")
    }
    assert found == {"cam-left": [1], "cam-right": [2]}


def test_the_sdks_own_calls_write_the_same_row(emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    rows = [box("scene-12/left.mp4", 3, 0.0625, track=1), answer("scene-12/right.mp4", "Night", 1, 2)]
    imported(project, rows, tmp_path, "by-sdk", sdk_calls=True)


def test_an_sdk_that_would_lose_answers_on_spaces_sends_nothing(
    emulator: RunningEmulator, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "version", lambda _: "0.1.202")
    predictions = ropewalk.read_table([answer("scene-12/left.mp4", "Sunny", 2, 5)], source_label="model")
    with pytest.raises(UsageError, match=r"answers on spaces: the encord SDK 0\.1\.204 or later is needed"):
        ropewalk.import_predictions(predictions, project, branch="old", work_dir=tmp_path, sdk_calls=True)
    assert [header.saves for header in emulator.store.headers("old")] == [0]


def test_a_rollback_empties_and_restores_spaces(emulator: RunningEmulator, project: Project, tmp_path: Path) -> None:
    """The second import is undone, then the first; what is kept for that has no links in it."""
    work = {"branch": "undone", "work_dir": tmp_path}
    for label, rows in (("one", [box("scene-12/left.mp4", 1, 0.5)]), ("two", [box("scene-12/right.mp4", 2, 0.25)])):
        predictions = ropewalk.read_table(rows, source_label=label)
        report = ropewalk.import_predictions(predictions, project, on_existing="replace", **work)
        assert report.annotations_written == 1

    def stored() -> set[tuple[str, str]]:
        (header,) = emulator.store.headers("undone")
        (text,) = emulator.store.contents([header.label_hash])
        return {(key, frame) for key, info in json.loads(text)["spaces"].items() for frame in info["labels"]}

    for ledger, expected in zip(
        reversed(find_ledgers(tmp_path, branch="undone")), ({(hash_of("scene-12/left.mp4"), "1")}, set()), strict=True
    ):
        undone = rollback(project, confirm=lambda _: True, also_edited=True, ledger=ledger.name, **work)
        assert undone is not None and undone.exit_code == 0
        assert stored() == expected
    assert all(b"data_link" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
