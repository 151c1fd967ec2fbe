"""Answers to global classifications: one a label row, on no frame, and never two that the SDK cannot open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project
from encord.exceptions import LabelRowError
from encord.objects import Classification, LabelRowV2, OntologyStructure
from encord.objects.attributes import RadioAttribute
from encord.objects.classification import OntologyClassificationLevel

import ropewalk
from ropewalk.emulator import EmulatorOptions, running_emulator
from snapshots import make_data_group, make_image, make_image_group, make_snapshot, make_video

MEDIA = (make_video("drive.mp4"), make_image_group("walk"), make_image("still.jpg"), make_data_group())


def ontology() -> dict[str, Any]:
    structure = OntologyStructure()
    for name, level in (("Place", OntologyClassificationLevel.GLOBAL), ("Weather", None)):
        question = structure.add_classification()
        question._level = level
        attribute = question.add_attribute(RadioAttribute, name)
        attribute.add_option("town")
        attribute.add_option("sea")
    return structure.to_dict()


@pytest.fixture
def project(request: pytest.FixtureRequest) -> Iterator[Project]:
    options = getattr(request, "param", None)
    with running_emulator(make_snapshot(MEDIA, ontology()), options=options) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        yield client.get_project(running.project_hash)


def place(value: str, media: str = "drive.mp4", **more: Any) -> dict[str, Any]:
    return {"media": media, "class": "Place", "attributes": [{"name": "Place", "value": value}], **more}


@pytest.fixture
def run(project: Project, tmp_path: Path) -> Callable[..., ropewalk.Report]:
    def run(rows: list[dict[str, Any]], **options: Any) -> ropewalk.Report:
        # A ledger of its own each time: what is on the branch is all that is known.
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        predictions = ropewalk.read_table(rows, unit="frac", source_label="model")
        return ropewalk.import_predictions(predictions, project, branch="b", work_dir=folder, **options)

    return run


def opened(project: Project, title: str = "drive.mp4") -> LabelRowV2:
    (row,) = project.list_label_rows_v2(branch_name="b", data_title_eq=title)
    row.initialise_labels()
    return row


def answers(row: LabelRowV2) -> list[tuple[str, str, list[list[int]]]]:
    written = row.to_encord_dict()["classification_answers"]
    found = []
    for instance in row.get_classification_instances():
        answer: Any = instance.get_answer()
        found.append((instance.classification_name, answer.title, written[instance.classification_hash]["range"]))
    return sorted(found)


def answered_by_hand(project: Project, name: str, option: int, frames: Any = None) -> LabelRowV2:
    """Save an answer with the SDK; `frames` None leaves its range empty."""
    row = opened(project)
    question = row.ontology_structure.get_child_by_title(name, type_=Classification)
    instance = question.create_instance()
    instance.set_answer(question.attributes[0].options[option])
    if frames is not None:
        instance.set_for_frames(frames)
    row.add_classification_instance(instance)
    row.save()
    return row


@pytest.mark.parametrize("sdk_calls", [False, True])
@pytest.mark.parametrize("media", ["drive.mp4", "walk"])
def test_a_row_has_one_answer_without_frames(run: Any, project: Project, media: str, sdk_calls: bool) -> None:
    rows = [place("sea", media, frame=1), place("sea", media, frame=2, frame_last=2), place("town", media, frame=0)]
    # Sorted as all answers are: the first of the source stays.
    report = run(rows, verify=True, sdk_calls=sdk_calls)
    assert report.rejects_by_code == {"conflicting_answer": 1}
    assert report.warnings == {"global_answer": 3}
    assert answers(opened(project, media)) == [("Place", "sea", [[0, 0]])]
    assert report.verification is not None and report.verification["equal"] == 2
    assert report.rejects_file is not None
    (line,) = map(json.loads, Path(report.rejects_file).read_text().splitlines())
    assert "'Place'" in line["message"].replace('"', "'") and "one answer a medium" in line["message"]


def test_an_answer_that_needs_no_frame_says_none(run: Any, project: Project) -> None:
    report = run([place("town"), place("town", "walk"), place("town", "still.jpg"), place("town")])
    assert (report.exit_code, report.annotations_written, report.warnings) == (0, 4, {})
    for title in ("drive.mp4", "walk", "still.jpg"):
        assert answers(opened(project, title)) == [("Place", "town", [[0, 0]])]
    assert run([place("town")], on_existing="merge").annotations_already_there == 1


@pytest.mark.parametrize("frames", [None, 7, range(3, 9)])
@pytest.mark.parametrize("option", [0, 1])
def test_an_answer_of_someone_else_stays(run: Any, project: Project, option: int, frames: Any, tmp_path: Path) -> None:
    given = None if frames is None else list(frames) if isinstance(frames, range) else frames
    answered_by_hand(project, "Place", option, given)
    before = answers(opened(project))
    merged = run([place("town"), place("sea", "walk")], on_existing="merge")
    counts = (merged.annotations_written, merged.annotations_already_there, merged.rejects_by_code)
    assert counts == ((1, 1, {}) if option == 0 else (1, 0, {"conflicting_answer": 1}))
    assert answers(opened(project)) == before
    again = run([place("town"), place("sea", "walk")], on_existing="merge")
    assert again.annotations_already_there + again.annotations_rejected == 2

    predictions = ropewalk.read_table([place("town")], unit="frac", source_label="model")
    found = ropewalk.verify_predictions(predictions, project, branch="b", work_dir=tmp_path / "v", allow_extra=True)
    assert (found.equal, found.missing, found.changed) == (1 if option == 0 else 0, 0, 0)
    assert found.rejected == ({} if option == 0 else {"conflicting_answer": 1})
    assert run([place("sea")], on_existing="replace").annotations_written == 1
    assert answers(opened(project)) == [("Place", "sea", [[0, 0]])]


def test_an_empty_range_is_the_same_answer(run: Any, project: Project) -> None:
    run([place("town")])
    row = opened(project)
    content = row.to_encord_dict()
    for answer in content["classification_answers"].values():
        answer["range"] = []
    assert row.label_hash is not None
    project._client.save_label_rows([row.label_hash], [content])
    again = run([place("town")], verify=True)
    assert (again.annotations_already_there, again.label_rows_saved) == (1, 0)
    assert again.verification is not None and again.verification["equal"] == 1


@pytest.mark.parametrize("project", [EmulatorOptions(open_rows=False)], indirect=True)
def test_two_answers_on_a_row_are_found_by_verify(run: Any, project: Project, tmp_path: Path) -> None:
    run([place("town")])
    row = opened(project)
    content = row.to_encord_dict()
    (first,) = content["classification_answers"].values()
    content["classification_answers"]["another1"] = {**first, "classificationHash": "another1", "confidence": 0.5}
    assert row.label_hash is not None
    project._client.save_label_rows([row.label_hash], [content])
    with pytest.raises(LabelRowError, match="already added globally"):
        opened(project)
    predictions = ropewalk.read_table([place("town")], unit="frac", source_label="model")
    found = ropewalk.verify_predictions(predictions, project, branch="b", work_dir=tmp_path / "v", allow_extra=True)
    assert (found.equal, found.rejected, found.exit_code) == (0, {"conflicting_answer": 1}, 3)


def weather(value: str, first: int, last: int) -> dict[str, Any]:
    answer = {"name": "Weather", "value": value}
    return {"media": "drive.mp4", "class": "Weather", "frame": first, "frame_last": last, "attributes": [answer]}


def test_frames_with_an_answer_of_someone_else_keep_it(run: Any, project: Project) -> None:
    answered_by_hand(project, "Weather", 0, [2, 3, 4])
    rows = [weather("town", 3, 4), weather("sea", 4, 5), weather("sea", 7, 9), weather("town", 4, 6)]
    merged = run(rows, on_existing="merge", verify=True)
    assert merged.rejects_by_code == {"conflicting_answer": 2}
    assert (merged.annotations_written, merged.annotations_already_there) == (1, 1)
    assert answers(opened(project)) == [("Weather", "sea", [[7, 9]]), ("Weather", "town", [[2, 4]])]


def test_an_answer_of_an_earlier_import_keeps_its_frames(run: Any, project: Project) -> None:
    run([weather("town", 0, 3), weather("sea", 4, 6)])
    # The first is written anew on fewer frames, which leaves room for the other one.
    merged = run([weather("town", 0, 1), weather("sea", 2, 6)], on_existing="merge")
    assert (merged.exit_code, merged.annotations_rejected) == (0, 0)
    assert answers(opened(project)) == [("Weather", "sea", [[2, 6]]), ("Weather", "town", [[0, 1]])]
    merged = run([weather("sea", 0, 0)], on_existing="merge")
    assert merged.rejects_by_code == {"conflicting_answer": 1}
    assert answers(opened(project)) == [("Weather", "sea", [[2, 6]]), ("Weather", "town", [[0, 1]])]


def in_cameras(project: Project, name: str) -> dict[str, list[tuple[str, list[int]]]]:
    """Read the answers to a classification on the two cameras of the group."""
    row = opened(project, "scene-12")
    found = {}
    for key in ("cam-left", "cam-right"):
        space = row.get_space(layout_key=key, type_="video")
        instances = [item for item in space.get_classification_instances() if item.classification_name == name]
        annotations = list(space.get_annotations("classification"))
        found[key] = [
            (
                str(getattr(item.get_answer(), "title", None)),
                sorted(
                    getattr(annotation, "frame", 0)
                    for annotation in annotations
                    if annotation.classification_hash == item.classification_hash
                ),
            )
            for item in instances
        ]
    return found


def test_each_camera_of_a_group_has_one_global_answer(run: Any, project: Project) -> None:
    left, right = "scene-12/left.mp4", "scene-12/right.mp4"
    rows = [place("town", left), place("sea", right, frame=2), place("sea", left)]
    report = run(rows)
    assert (report.annotations_written, report.rejects_by_code) == (2, {"conflicting_answer": 1})
    found = in_cameras(project, "Place")
    assert [title for title, _ in found["cam-left"]] == ["town"]
    assert [title for title, _ in found["cam-right"]] == ["sea"]
    again = run(rows, on_existing="merge")
    assert (again.annotations_already_there, again.rejects_by_code) == (2, {"conflicting_answer": 1})


def test_answers_of_one_camera_leave_the_other_its_own(run: Any, project: Project) -> None:
    def weather(camera: str, value: str, first: int, last: int) -> dict[str, Any]:
        given = {"frame": first, "frame_last": last, "attributes": [{"name": "Weather", "value": value}]}
        return {"media": f"scene-12/{camera}.mp4", "class": "Weather", **given}

    assert run([weather("left", "town", 2, 4)]).annotations_written == 1
    report = run([weather("left", "sea", 3, 3), weather("right", "sea", 3, 3)], on_existing="merge")
    assert (report.annotations_written, report.rejects_by_code) == (1, {"conflicting_answer": 1})
    assert in_cameras(project, "Weather") == {"cam-left": [("town", [2, 3, 4])], "cam-right": [("sea", [3])]}
