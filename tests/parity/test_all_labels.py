"""Labels of every kind equal what the SDK's `LabelRowV2` gives for them, field by field."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from encord.objects import LabelRowV2, OntologyStructure, Shape
from encord.ontology import Ontology
from encord.orm.label_row import LabelRowMetadata
from encord.orm.ontology import Ontology as OrmOntology
from hypothesis import given, settings
from hypothesis import strategies as st

from all_labels import Labels, Row, add_attributes, add_labels, draw_answers, labels, structures, table
from ropewalk import _core
from ropewalk.emulator.rows import RowHeader, listing_entry
from ropewalk.project.plan import PlanOptions, plan_of
from ropewalk.project.snapshot import Medium
from sdk_oracle import LABEL_HASH, WHEN, WHEN_TEXT, normalised, server_row
from snapshots import hash_of, make_image, make_image_group, make_snapshot, make_video

BRANCH = "model-v3"
MEDIA = {
    "video": make_video("ü/drive.mp4", width=7, height=5, number_of_frames=9),
    "image": make_image(width=5, height=8),
    "image group": make_image_group("pair", ((6, 4), (4, 6), (3, 5))),
    "dicom": replace(
        make_video("slices", width=5, height=7, number_of_frames=6),
        data_type="DICOM",
        file_type="application/dicom",
        frames_per_second=None,
        duration=None,
    ),
    "nifti": replace(
        make_video("volume", width=5, height=7, number_of_frames=6),
        data_type="NIFTI",
        file_type="application/nifti",
        frames_per_second=None,
        duration=None,
    ),
    # Encord knows no size of a PDF's pages, so that there are no masks on them.
    "pdf": replace(
        make_video("report.pdf", number_of_frames=4),
        data_type="PDF",
        file_type="application/pdf",
        width=None,
        height=None,
        frames_per_second=None,
        duration=None,
    ),
}
AUDIO = Medium(
    data_hash=hash_of("talk.mp3"),
    title="talk.mp3",
    data_type="AUDIO",
    dataset_hash=make_image().dataset_hash,
    dataset_title="Test data",
    file_type="audio/mpeg",
    number_of_frames=12 * 44_100,
    duration=12.0,
    audio_codec="mp3",
    audio_sample_rate=44_100,
    audio_bit_depth=16,
    audio_num_channels=2,
)


TEXT, SERIES = (
    replace(
        AUDIO,
        data_type=data_type,
        title=title,
        file_type=file_type,
        audio_codec=None,
        audio_sample_rate=None,
        audio_bit_depth=None,
        audio_num_channels=None,
        duration=duration,
    )
    for data_type, title, file_type, duration in (
        ("PLAIN_TEXT", "notes.txt", "text/plain", None),
        ("TIME_SERIES", "pulse.csv", "text/csv", 12.5),
    )
)
ON_RANGES = {"audio": (AUDIO, Shape.AUDIO), "text": (TEXT, Shape.TEXT), "time series": (SERIES, Shape.TIME_RANGE)}


def without(medium: Medium) -> list[Shape]:
    """List the shapes that a medium cannot have."""
    return [Shape.BITMASK] if medium.data_type == "PDF" else []


def sdk_row(medium: Medium, structure: Any) -> LabelRowV2:
    """Open an empty row of a medium with the SDK."""
    header = RowHeader(LABEL_HASH, medium.data_hash, BRANCH, WHEN, WHEN, 0)
    entry = listing_entry(medium, BRANCH, header, images_data=False, image_sizes=True, workflow_graph_node=None)
    ontology = Ontology(OrmOntology("all", structure, "ontology", WHEN, WHEN), None)  # type: ignore[arg-type]
    row = LabelRowV2(LabelRowMetadata.from_dict(entry), None, ontology)  # type: ignore[arg-type]
    row.from_labels_dict(server_row(medium, BRANCH))
    return row


def core_row(medium: Medium, given: Labels) -> dict[str, Any] | None:
    """Stage and encode a table of labels."""
    rows = table(given, medium, "model")
    return staged_row(medium, given.structure, lambda stage: stage.add(rows, "model", "table"))


def staged_row(
    medium: Medium, structure: OntologyStructure, read: Callable[[_core.Stage], None]
) -> dict[str, Any] | None:
    """Stage and encode what `read` adds, None where that is nothing; asserts that nothing is rejected."""
    project = make_snapshot((medium,), structure.to_dict())
    with tempfile.TemporaryDirectory() as folder:
        rejects = Path(folder, "rejects.ndjson")
        stage = _core.Stage(plan_of(project, BRANCH, PlanOptions(off_image="keep")), str(rejects), folder)
        read(stage)
        staged = stage.finish()
        assert staged.counts["rejected"] == 0, rejects.read_text()
        if not len(staged):
            return None
        return json.loads(staged.encode(0, json.dumps(server_row(medium, BRANCH)).encode(), WHEN_TEXT))


@pytest.mark.parametrize("medium", MEDIA.values(), ids=MEDIA.keys())
@settings(max_examples=60)
@given(data=st.data())
def test_labels_equal_the_sdks(medium: Medium, data: st.DataObject) -> None:
    drawn = data.draw(labels(medium, without=without(medium)))
    theirs = sdk_row(medium, drawn.structure)
    add_labels(theirs, drawn)
    ours = core_row(medium, drawn)
    if ours is not None:
        assert normalised(ours) == normalised(theirs.to_encord_dict())


@pytest.mark.parametrize(("medium", "shape"), ON_RANGES.values(), ids=ON_RANGES.keys())
@settings(max_examples=60)
@given(data=st.data())
def test_labels_on_ranges_equal_the_sdks(medium: Medium, shape: Shape, data: st.DataObject) -> None:
    """Objects on ranges of time or characters, with attributes, and answers on ranges."""
    structure = data.draw(structures())
    voice = next(number for number, item in enumerate(structure.objects) if item.shape is shape)
    item = structure.objects[voice]
    add_attributes(data.draw, item, "voice", dynamic=False)
    ranges = st.lists(st.integers(0, 11_999), min_size=2, max_size=8, unique=True).map(sorted).filter(apart)
    sounds = []
    for track in data.draw(st.sets(st.sampled_from("abc"))):
        answers = draw_answers(data.draw, item.attributes)
        points = data.draw(ranges)
        for first, last in zip(points[::2], points[1::2], strict=False):
            sounds.append(Row(voice, first, last, None, answers, None, track))
    classified = []
    for number, classification in enumerate(structure.classifications):
        points = data.draw(ranges)
        for first, last in zip(points[::2], points[1::2], strict=False):
            answers = draw_answers(data.draw, classification.attributes, all_of=True)
            classified.append(Row(number, first, last, None, answers))
    drawn = Labels(structure, tuple(sounds), tuple(classified))
    theirs = sdk_row(medium, structure)
    add_labels(theirs, drawn)
    ours = core_row(medium, drawn)
    if ours is not None:
        assert normalised(ours) == normalised(theirs.to_encord_dict())


def apart(points: list[int]) -> bool:
    """Whether no range of (0, 1), (2, 3), ... ends where the next one begins: those become one."""
    return all(second - first > 1 for first, second in zip(points[1::2], points[2::2], strict=False))


@pytest.mark.parametrize("medium", MEDIA.values(), ids=MEDIA.keys())
@settings(max_examples=40)
@given(data=st.data())
def test_label_rows_are_a_source_that_loses_nothing(medium: Medium, data: st.DataObject) -> None:
    """What the SDK wrote is read and written again, as a list of label rows or one after the other."""
    drawn = data.draw(labels(medium, without=without(medium)))
    theirs = sdk_row(medium, drawn.structure)
    add_labels(theirs, drawn)
    row = theirs.to_encord_dict()
    content = json.dumps([row]) if data.draw(st.booleans()) else json.dumps(row, indent=1)

    def read(stage: _core.Stage) -> None:
        stage.add(content.encode(), "export.json", "encord")

    ours = staged_row(medium, drawn.structure, read)
    if drawn.objects or drawn.classified:
        assert ours is not None
        # A source's numbers are of its own label row; the objects get new ones.
        assert normalised(ours) == normalised(theirs.to_encord_dict(renumber_objects=True))
    else:
        assert ours is None
