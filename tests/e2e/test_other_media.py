"""Sound, text, time series, PDF, DICOM series and NIfTI volumes: imported onto the emulator, read back by the SDK."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project
from encord.objects import LabelRowV2, OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, RadioAttribute
from encord.objects.coordinates import (
    AudioCoordinates,
    BoundingBoxCoordinates,
    TextCoordinates,
    TimeRangeCoordinates,
)

import ropewalk
from ropewalk.emulator import RunningEmulator, running_emulator
from snapshots import make_snapshot, make_video

SLICES = {"DICOM": "scan", "NIFTI": "volume", "PDF": "report.pdf"}
SOUND = replace(
    make_video("talk.mp3"),
    data_type="AUDIO",
    file_type="audio/mpeg",
    width=None,
    height=None,
    number_of_frames=10 * 44_100,
    frames_per_second=None,
    duration=10.0,
    audio_codec="mp3",
    audio_sample_rate=44_100,
    audio_bit_depth=16,
    audio_num_channels=2,
)


NOTES, PULSE, PAGE = (
    replace(
        make_video(title),
        data_type=data_type,
        file_type=file_type,
        width=None,
        height=None,
        number_of_frames=1,
        frames_per_second=None,
        duration=None,
    )
    for title, data_type, file_type in (
        ("notes.txt", "PLAIN_TEXT", "text/plain"),
        ("pulse.csv", "TIME_SERIES", "text/csv"),
        ("page.html", "PLAIN_TEXT", "text/html"),
    )
)


def ontology() -> OntologyStructure:
    structure = OntologyStructure()
    structure.add_object("Lesion", Shape.BOUNDING_BOX)
    structure.add_object("Tumour", Shape.BITMASK)
    structure.add_object("Name", Shape.TEXT)
    structure.add_object("Beat", Shape.TIME_RANGE)
    speaker = structure.add_object("Speaker", Shape.AUDIO)
    mood = speaker.add_attribute(RadioAttribute, "Mood")
    mood.add_option("calm")
    mood.add_option("loud")
    noise = structure.add_classification().add_attribute(ChecklistAttribute, "Noise")
    for name in ("rain", "wind"):
        noise.add_option(name)
    return structure


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    slices = [
        replace(
            # Encord knows no size of a PDF's pages.
            make_video(title, number_of_frames=8),
            data_type=kind,
            width=None if kind == "PDF" else 40,
            height=None if kind == "PDF" else 30,
            file_type=f"application/{kind.lower()}",
            frames_per_second=None,
            duration=None,
        )
        for kind, title in SLICES.items()
    ]
    with running_emulator(make_snapshot((SOUND, NOTES, PULSE, PAGE, *slices), ontology().to_dict())) as running:
        yield running


@pytest.fixture(scope="module")
def project(emulator: RunningEmulator) -> Project:
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
    )
    return client.get_project(emulator.project_hash)


def imported(project: Project, rows: list[dict[str, Any]], folder: Path, branch: str) -> dict[str, LabelRowV2]:
    """Import rows twice; the second time nothing is saved."""
    predictions = ropewalk.read_table(rows, unit="frac", source_label="model")
    report = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=folder)
    assert (report.exit_code, report.annotations_written) == (0, len(rows))
    again = ropewalk.import_predictions(predictions, project, branch=branch, work_dir=folder / "again")
    assert (again.annotations_already_there, again.label_rows_saved) == (len(rows), 0)
    opened = {row.data_title: row for row in project.list_label_rows_v2(branch_name=branch) if row.label_hash}
    for row in opened.values():
        row.initialise_labels()
    return opened


def test_sound(project: Project, tmp_path: Path) -> None:
    speaker = {"media": "talk.mp3", "class": "Speaker", "kind": "object", "track": "a"}
    calm = [{"name": "Mood", "value": "calm"}]
    noise = {"media": "talk.mp3", "class": "Noise", "kind": "answer"}
    rows = [
        {**speaker, "frame": 1500, "frame_last": 2750, "attributes": calm},
        {**speaker, "frame": 4000, "frame_last": 4100},
        {**noise, "frame": 0, "frame_last": 9999, "attributes": [{"name": "Noise", "value": "wind"}], "score": 0.5},
    ]
    row = imported(project, rows, tmp_path, "sound")["talk.mp3"]
    (instance,) = row.get_object_instances()
    coordinates = instance.get_annotation(0).coordinates
    assert isinstance(coordinates, AudioCoordinates)
    assert [(span.start, span.end) for span in coordinates.range] == [(1500, 2750), (4000, 4100)]
    mood = instance.ontology_item.attributes[0]
    answer = instance.get_answer(mood)
    assert not isinstance(answer, (str, list)) and answer is not None and answer.title == "calm"
    (answered,) = row.get_classification_instances()
    assert [(span.start, span.end) for span in answered.range_list] == [(0, 9999)]
    assert answered.confidence == 0.5


@pytest.mark.parametrize(
    ("title", "name", "coordinates"),
    [("notes.txt", "Name", TextCoordinates), ("pulse.csv", "Beat", TimeRangeCoordinates)],
)
def test_ranges(title: str, name: str, coordinates: Any, project: Project, tmp_path: Path) -> None:
    """On characters of a text, and on the time of a series: nothing tells where they end."""
    label = {"media": title, "class": name, "kind": "object"}
    rows = [
        {**label, "frame": 7, "frame_last": 11, "track": "a"},
        {**label, "frame": 20, "frame_last": 1_000_000, "track": "a"},
        {**label, "frame": 0, "frame_last": 3, "track": "b"},
        {"media": title, "class": "Noise", "kind": "answer", "attributes": [{"name": "Noise", "value": "rain"}]}
        | {"frame": 0, "frame_last": 12},
    ]
    row = imported(project, rows, tmp_path, name)[title]
    found = [instance.get_annotation(0).coordinates for instance in row.get_object_instances()]
    assert all(isinstance(one, coordinates) for one in found)
    ranges = sorted([(span.start, span.end) for span in one.range] for one in found)  # type: ignore[union-attr]
    assert ranges == [[(0, 3)], [(7, 11), (20, 1_000_000)]]
    (answered,) = row.get_classification_instances()
    assert [(span.start, span.end) for span in answered.range_list] == [(0, 12)]
    row.save()


@pytest.mark.parametrize("title", SLICES.values())
def test_slices(title: str, project: Project, tmp_path: Path) -> None:
    box = {"media": title, "class": "Lesion", "track": 7, "score": 0.25}
    rows = [{**box, "frame": frame, "box": [0.1, 0.2, 0.3, 0.05 * frame]} for frame in (2, 3, 5)]
    row = imported(project, rows, tmp_path, title)[title]
    (instance,) = row.get_object_instances()
    found = {annotation.frame: annotation.coordinates for annotation in instance.get_annotations()}
    assert found == {
        frame: BoundingBoxCoordinates(height=0.05 * frame, width=0.3, top_left_x=0.1, top_left_y=0.2)
        for frame in (2, 3, 5)
    }


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"media": "talk.mp3", "class": "Lesion", "box": [0.1, 0.2, 0.3, 0.4]}, "unsupported_media"),
        ({"media": "scan", "class": "Speaker", "kind": "object", "frame": 1, "frame_last": 2}, "unsupported_media"),
        (
            {"media": "talk.mp3", "class": "Speaker", "kind": "object", "frame": 10_002, "frame_last": 10_003},
            "frame_range",
        ),
        ({"media": "talk.mp3", "class": "Speaker", "kind": "object", "frame": 9, "frame_last": 8}, "backward_range"),
        (
            {"media": "notes.txt", "class": "Speaker", "kind": "object", "frame": 7, "frame_last": 8},
            "unsupported_media",
        ),
        ({"media": "page.html", "class": "Name", "kind": "object", "frame": 7, "frame_last": 8}, "unsupported_media"),
        ({"media": "notes.txt", "class": "Lesion", "box": [0.1, 0.2, 0.3, 0.4]}, "unsupported_media"),
        ({"media": "report.pdf", "class": "Lesion", "frame": 8, "box": [0.1, 0.2, 0.3, 0.4]}, "frame_range"),
        (
            {
                "media": "report.pdf",
                "class": "Tumour",
                "frame": 1,
                "shape": "polygon",
                "points": [[[0, 0, 1, 0, 1, 1]]],
            },
            "unsupported_media",
        ),
        ({"media": "report.pdf", "class": "Lesion", "frame": 1, "box": [1, 2, 3, 4], "unit": "px"}, "no_size"),
        ({"media": "scan", "class": "Lesion", "box": [0.1, 0.2, 0.3, 0.4], "frame": 1, "frame_last": 2}, "bad_field"),
    ],
)
def test_what_cannot_stand_there_is_rejected(row: dict[str, Any], code: str, project: Project, tmp_path: Path) -> None:
    predictions = ropewalk.read_table([row], unit="frac", source_label="model")
    rehearsed = ropewalk.import_predictions(predictions, project, branch="rejects", work_dir=tmp_path, dry_run=True)
    assert rehearsed.rejects_by_code == {code: 1}
    report = ropewalk.import_predictions(predictions, project, branch="rejects", work_dir=tmp_path)
    assert (report.exit_code, report.rejects_by_code) == (3, {code: 1})
