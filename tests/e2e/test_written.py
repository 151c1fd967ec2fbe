"""The file of what was written: every annotation of the branch, under the hashes that the SDK reads there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest
from encord import EncordUserClient, Project
from encord.objects import OntologyStructure, Shape
from encord.objects.attributes import RadioAttribute

from ropewalk import import_predictions
from ropewalk.emulator import running_emulator
from ropewalk.errors import EncordError, FileError, UsageError
from ropewalk.importing import written
from ropewalk.sinks.encord.rows import LabelRows
from snapshots import make_image, make_image_group, make_snapshot, make_video
from workbench import Bench, box, dataset

COLUMNS = [
    "source",
    "member",
    "offset",
    "annotation_id",
    "track",
    "data_hash",
    "label_hash",
    "frame",
    "feature_hash",
    "object_hash",
    "classification_hash",
]


def ontology() -> OntologyStructure:
    structure = OntologyStructure()
    structure.add_object("Car", Shape.BOUNDING_BOX, feature_node_hash="obj-car1")
    weather = structure.add_classification(feature_node_hash="cls-wthr").add_attribute(RadioAttribute, "Weather")
    weather.add_option("wet")
    weather.add_option("dry")
    return structure


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    media = (make_video(), make_image(), make_image_group())
    with running_emulator(make_snapshot(media, ontology().to_dict())) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        yield client.get_project(running.project_hash)


def row(media: str, x: float, **more: Any) -> dict[str, Any]:
    return {"media": media, "class": "Car", "box": [x, 0.25, 0.125, 0.5], "unit": "frac"} | more


ROWS = [
    *(row("drive.mp4", n / 64, frame=n, track=7, annotation_id=f"t{n}") for n in (1, 3, 4)),
    row("drive.mp4", 0.5, frame=3, annotation_id="lone"),
    # Equal boxes are objects of their own.
    row("still.jpg", 0.25, annotation_id="same"),
    row("still.jpg", 0.25, annotation_id="same again"),
    row("walk-1.png", 0.125, annotation_id="in a group"),
    {
        "media": "drive.mp4",
        "kind": "answer",
        "class": "Weather",
        "frame": 2,
        "frame_last": 5,
        "annotation_id": "answer",
        "attributes": [{"name": "Weather", "value": "wet"}],
    },
]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def on_branch(project: Project, branch: str) -> set[tuple[str, str | None, int, str]]:
    """Read (data_hash, label_hash, frame, hash) of every label with the SDK; an answer by its first frame."""
    found = set()
    for label_row in project.list_label_rows_v2(branch_name=branch):
        if label_row.label_hash is None:
            continue
        label_row.initialise_labels()
        for instance in label_row.get_object_instances():
            for annotation in instance.get_annotations():
                found.add((label_row.data_hash, label_row.label_hash, annotation.frame, instance.object_hash))
        for answer in label_row.get_classification_instances():
            first = answer.range_list[0].start
            found.add((label_row.data_hash, label_row.label_hash, first, answer.classification_hash))
    return found


def listed(rows: list[dict[str, Any]]) -> set[tuple[str, str, int, str]]:
    assert all((item["object_hash"] is None) != (item["classification_hash"] is None) for item in rows)
    return {
        (item["data_hash"], item["label_hash"], item["frame"], item["object_hash"] or item["classification_hash"])
        for item in rows
    }


@pytest.mark.parametrize("name", ["written.ndjson", "written.parquet"])
def test_every_annotation_is_found_on_the_branch(project: Project, tmp_path: Path, name: str) -> None:
    source = tmp_path / "rows.ndjson"
    source.write_text("".join(json.dumps(item) + "\n" for item in ROWS), encoding="utf-8")
    out, branch = tmp_path / name, name.replace(".", "-")
    report = import_predictions(source, project, branch=branch, work_dir=tmp_path / "work", written=out)
    assert (report.annotations_written, report.written_file) == (len(ROWS), str(out))

    rows = lines(out) if out.suffix == ".ndjson" else polars.read_parquet(out).to_dicts()
    assert list(rows[0]) == COLUMNS
    assert {item["annotation_id"] for item in rows} == {item["annotation_id"] for item in ROWS}
    assert len(listed(rows)) == len(ROWS)
    assert listed(rows) == on_branch(project, branch)
    by_id = {item["annotation_id"]: item for item in rows}
    assert len({by_id[f"t{n}"]["object_hash"] for n in (1, 3, 4)}) == 1
    assert {by_id[f"t{n}"]["track"] for n in (1, 3, 4)} == {"7"}
    assert by_id["answer"]["feature_hash"] == "cls-wthr"
    # The offset leads back to the line, also where an annotation has no id.
    text = source.read_bytes()
    for item in rows:
        line = json.loads(text[item["offset"] :].split(b"\n", 1)[0])
        assert line["annotation_id"] == item["annotation_id"]


def test_the_file_is_written_piece_by_piece(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many annotations are held at a time is not seen in the file, whose label rows are many."""
    content = dataset([box(1), box(2, image=2), box(3, image=3), *(box(10 + n, image=100 + n) for n in range(3))])
    whole, pieces = bench.folder / "whole.ndjson", bench.folder / "pieces.ndjson"
    bench.run(content, written=whole)
    tables: list[int] = []
    make = written._table
    with monkeypatch.context() as patch:
        patch.setattr(written, "_ANNOTATIONS_TOGETHER", 2)
        patch.setattr(written, "_table", lambda *given: tables.append(len(made := make(*given))) or made)
        bench.run(content, written=pieces)
    assert tables == [3, 1, 2]
    assert pieces.read_bytes() == whole.read_bytes()


def test_a_resumed_import_lists_what_the_run_before_stored(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    content = dataset([box(1), box(2, image=2), *(box(10 + n, image=100 + n, track_id=3) for n in range(3))])
    out = bench.folder / "written.ndjson"
    whole = bench.folder / "whole.ndjson"
    save, saves = LabelRows.save, []

    def once(self: LabelRows, *given: Any) -> Any:
        saves.append(given)
        if len(saves) > 1:
            raise EncordError("the line is dead", status=None, name="ConnectionError")
        return save(self, *given)

    options = {"batch_rows": 1, "jobs": 1, "retry_seconds": 0.1}
    with monkeypatch.context() as patch:
        patch.setattr(LabelRows, "save", once)
        with pytest.raises(EncordError, match="the line is dead"):
            bench.run(content, written=out, **options)
    # A list that is not complete is not written.
    assert not out.exists()

    again = bench.run(content, written=out, **options)
    assert (again.label_rows_already_there, again.label_rows_saved) == (1, 2)
    assert listed(lines(out)) == on_branch(bench.project, bench.branch)
    assert sorted(item["annotation_id"] for item in lines(out)) == ["1", "10", "11", "12", "2"]

    # All is there: nothing is sent, and the file is the same.
    third = bench.run(content, written=whole, **options)
    assert third.label_rows_saved == 0
    assert whole.read_bytes() == out.read_bytes()


def test_what_a_row_does_not_hold_is_not_in_the_file(bench: Bench) -> None:
    """Nobody knows the size of blank.jpg: fractions need none, boxes in px are rejected once the row is there."""
    boxes = [row("blank.jpg", x, unit=unit, annotation_id=f"{unit}{x}") for x in (0.25, 0.5) for unit in ("px", "frac")]
    # An equal one is an object of its own, whatever was left out before it.
    boxes.append(boxes[-1] | {"annotation_id": "again"})
    out = bench.folder / "written.ndjson"
    source = bench.write("".join(json.dumps(item) + "\n" for item in boxes), "boxes.ndjson")
    report = bench.run(source, written=out)
    assert report.rejects_by_code == {"no_size": 2}
    assert sorted(item["annotation_id"] for item in lines(out)) == ["again", "frac0.25", "frac0.5"]
    assert len(listed(lines(out))) == 3
    assert listed(lines(out)) == on_branch(bench.project, bench.branch)


def test_the_file_is_checked_before_anything_is_sent(bench: Bench) -> None:
    source = bench.write(dataset([box(1)]))
    for name, more, expected in (
        ("written.csv", {}, "ends in .parquet or .ndjson"),
        ("written.ndjson", {"dry_run": True}, "dry_run writes nothing"),
        ("predictions.json", {}, "ends in"),
    ):
        with pytest.raises(UsageError, match=expected):
            bench.run(source, written=bench.folder / name, **more)
    with pytest.raises(FileError, match="cannot be written"):
        bench.run(source, written=bench.folder / "no-such-folder" / "written.ndjson")
    assert bench.rows() == {}


def test_the_command_line_says_where_the_hashes_are(bench: Bench) -> None:
    out = bench.folder / "written.parquet"
    ran = bench.cli_import(bench.write(dataset([box(1)])), "--written", out)
    assert (ran.code, "hashes of what was written are in" in ran.out) == (0, True)
    to_stdout = bench.cli_import(bench.folder / "predictions.json", "--written", "-")
    assert listed([json.loads(to_stdout.out)]) == listed(polars.read_parquet(out).to_dicts())
