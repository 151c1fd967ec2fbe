"""Answers and attributes on label rows that hold labels already: compared, kept, replaced and merged like objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project
from encord.objects import Classification, LabelRowV2, Object, OntologyStructure, Shape
from encord.objects.attributes import RadioAttribute

import ropewalk
from ropewalk.emulator import running_emulator
from snapshots import make_snapshot, make_video

CLIP = "drive.mp4"


def ontology() -> OntologyStructure:
    structure = OntologyStructure()
    car = structure.add_object("Car", Shape.BOUNDING_BOX)
    for name, dynamic in (("Colour", False), ("Brakes", True)):
        attribute = car.add_attribute(RadioAttribute, name, dynamic=dynamic)
        for option in ("red", "blue"):
            attribute.add_option(option)
    for name in ("Weather", "Road"):
        question = structure.add_classification().add_attribute(RadioAttribute, name)
        question.add_option("wet")
        question.add_option("dry")
    return structure


@pytest.fixture
def project() -> Iterator[Project]:
    with running_emulator(make_snapshot((make_video(CLIP),), ontology().to_dict())) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        yield client.get_project(running.project_hash)


def car(frame: int, colour: str, brakes: str) -> dict[str, Any]:
    attributes = [{"name": "Colour", "value": colour}, {"name": "Brakes", "value": brakes}]
    return {
        "media": CLIP,
        "class": "Car",
        "frame": frame,
        "track": 1,
        "box": [0.1, 0.2, 0.3, 0.4],
        "attributes": attributes,
    }


def weather(value: str, first: int = 2, last: int = 5) -> dict[str, Any]:
    answer = {"name": "Weather", "value": value}
    return {"media": CLIP, "class": "Weather", "frame": first, "frame_last": last, "attributes": [answer]}


ROWS = [car(1, "red", "red"), car(2, "red", "blue"), car(3, "red", "blue"), weather("wet"), weather("dry", 6, 9)]


@pytest.fixture
def run(project: Project, tmp_path: Path) -> Callable[..., ropewalk.Report]:
    def run(rows: list[dict[str, Any]], **options: Any) -> ropewalk.Report:
        # A ledger of its own each time: what stands on the branch is all that is known.
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        predictions = ropewalk.read_table(rows, unit="frac", source_label="model")
        return ropewalk.import_predictions(predictions, project, branch="b", work_dir=folder, **options)

    return run


def opened(project: Project) -> LabelRowV2:
    (row,) = project.list_label_rows_v2(branch_name="b")
    row.initialise_labels()
    return row


def answers(row: LabelRowV2) -> dict[str, list[tuple[str, list[tuple[int, int]]]]]:
    """Answers by question: the option's name and its ranges."""
    found: dict[str, Any] = {}
    for instance in row.get_classification_instances():
        answer: Any = instance.get_answer()
        ranges = [(span.start, span.end) for span in instance.range_list]
        found.setdefault(instance.classification_name, []).append((answer.title, ranges))
    for instance in row.get_object_instances():
        for attribute in instance.ontology_item.attributes:
            answer = instance.get_answer(attribute)
            if attribute.dynamic:
                answer = [(part.answer.title, [(s.start, s.end) for s in part.ranges]) for part in answer]
            else:
                answer = [(answer.title, [])]
            found[attribute.name] = answer
    return {name: sorted(values) for name, values in found.items()}


WRITTEN = {
    "Weather": [("dry", [(6, 9)]), ("wet", [(2, 5)])],
    "Colour": [("red", [])],
    "Brakes": [("blue", [(2, 3)]), ("red", [(1, 1)])],
}


def test_what_stands_there_is_not_written_again(run: Any, project: Project, tmp_path: Path) -> None:
    assert run(ROWS).annotations_written == 5
    assert answers(opened(project)) == WRITTEN
    again = run(ROWS)
    assert (again.annotations_already_there, again.label_rows_saved) == (5, 0)
    predictions = ropewalk.read_table(ROWS, unit="frac", source_label="model")
    found = ropewalk.verify_predictions(predictions, project, branch="b", work_dir=tmp_path / "v")
    assert (found.equal, found.missing, found.changed, found.extra) == (5, 0, 0, 0)


def test_an_answer_that_changed_is_a_difference_and_is_replaced(run: Any, project: Project, tmp_path: Path) -> None:
    run(ROWS)
    changed = [car(1, "blue", "red"), car(2, "blue", "red"), car(3, "blue", "blue"), weather("dry"), *ROWS[4:]]
    differences: list[dict[str, Any]] = []
    found = ropewalk.verify_predictions(
        ropewalk.read_table(changed, unit="frac", source_label="model"),
        project,
        branch="b",
        work_dir=tmp_path / "v",
        on_difference=lambda line: differences.append(json.loads(line)),
    )
    assert found.equal == 0
    assert {d["code"] for d in differences if "object_hash" in d} == {"changed"}
    assert {tuple(d["fields"]) for d in differences if "object_hash" in d} == {("attributes",)}
    assert run(changed, on_existing="replace").label_rows_saved == 1
    after = answers(opened(project))
    assert after["Colour"] == [("blue", [])]
    assert after["Brakes"] == [("blue", [(3, 3)]), ("red", [(1, 2)])]
    assert after["Weather"] == [("dry", [(2, 9)])]


def test_what_others_answered_stays(run: Any, project: Project) -> None:
    run(ROWS)
    row = opened(project)
    road = row.ontology_structure.get_child_by_title("Road", type_=Classification)
    instance = road.create_instance()
    instance.set_answer(road.attributes[0].options[0])
    instance.set_for_frames(4)
    row.add_classification_instance(instance)
    by_hand = row.ontology_structure.get_child_by_title("Car", type_=Object).create_instance()
    by_hand.set_for_frames(row.get_object_instances()[0].get_annotation(1).coordinates, 7)
    row.add_object_instance(by_hand)
    row.save()

    assert run(ROWS, on_existing="skip").label_rows_saved == 0
    changed = [car(1, "blue", "red"), *ROWS[1:]]
    changed[1:3] = [car(2, "blue", "blue"), car(3, "blue", "blue")]
    assert run(changed, on_existing="merge").label_rows_saved == 1
    row = opened(project)
    hashes = {instance.object_hash for instance in row.get_object_instances()}
    assert by_hand.object_hash in hashes and len(hashes) == 2
    (ours,) = [item for item in row.get_object_instances() if item.object_hash != by_hand.object_hash]
    answer: Any = ours.get_answer(ours.ontology_item.attributes[0])
    assert answer.title == "blue"
    found = {item.classification_name for item in row.get_classification_instances()}
    assert found == {"Road", "Weather"}
    assert run(changed, on_existing="merge").label_rows_saved == 0


def test_other_answers_on_the_same_frames_are_rejected(run: Any, project: Project) -> None:
    report = run([weather("wet"), weather("dry", 5, 8), weather("wet", 3, 4), weather("wet", 9, 9)])
    assert report.rejects_by_code == {"conflicting_answer": 1}
    assert answers(opened(project)) == {"Weather": [("wet", [(2, 5), (9, 9)])]}


def test_attributes_that_differ_are_counted(run: Any, project: Project) -> None:
    report = run([car(1, "red", "red"), car(2, "blue", "red"), car(3, "red", "red")])
    assert report.warnings == {"attribute_differs": 1}
    assert answers(opened(project))["Colour"] == [("red", [])]
