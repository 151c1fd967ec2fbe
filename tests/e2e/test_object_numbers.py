"""Numbers of objects: in the editor "Car 7" is track 7, and the SDK can save every row that an import left."""

from __future__ import annotations

import json
from typing import Any

import pytest
from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import BoundingBoxCoordinates

from ropewalk.sinks.encord import versions
from workbench import DRIVE, Bench, Json, box, dataset


def track(number: int, *frames: int, track: Any = None, category: int = 1) -> list[Json]:
    return [box(number + n, image=100 + n, category=category, track_id=track) for n in frames]


def opened(bench: Bench, data_hash: str = DRIVE) -> LabelRowV2:
    (row,) = bench.project.list_label_rows_v2(data_hashes=[data_hash], branch_name=bench.branch)
    row.initialise_labels()
    return row


def numbers(row: LabelRowV2) -> dict[str, list[int | None]]:
    found: dict[str, list[int | None]] = {}
    for instance in row.get_object_instances():
        found.setdefault(instance.ontology_item.name, []).append(instance.object_number)
    return {name: sorted(them, key=lambda number: -1 if number is None else number) for name, them in found.items()}


def test_whole_track_ids_are_numbers(bench: Bench) -> None:
    tracks = [track(10, 0, 1, 2, track=7), track(20, 1, track="12"), track(30, 2, track=0)]
    none = [track(40, 3, track="a"), track(50, 3, track="07"), track(60, 4, track=-3), track(70, 4, track=2**40)]
    report = bench.run(dataset([item for items in (*tracks, *none, track(80, 4)) for item in items]))
    assert report.warnings == {}
    assert numbers(opened(bench)) == {"Car": [None] * 5 + [0, 7, 12]}
    opened(bench).save()
    # What the server numbers itself is no difference.
    again = bench.run(bench.folder / "predictions.json")
    assert (again.label_rows_saved, again.annotations_already_there) == (0, report.annotations_written)


def test_each_class_has_its_own_numbers(bench: Bench) -> None:
    row = {"media": "drive.mp4", "frame": 3, "track": 7, "box": [0.25, 0.5, 0.125, 0.25], "unit": "frac"}
    rows = [row | {"class": name} for name in ("Car", "Ship")]
    bench.run(bench.write("".join(json.dumps(row) + "\n" for row in rows), "rows.ndjson"))
    assert numbers(opened(bench)) == {"Car": [7], "Ship": [7]}


def test_of_two_objects_of_a_class_one_keeps_the_number(bench: Bench) -> None:
    first, second = (
        bench.write(dataset(track(start, 0, 1, track=7)), f"{name}/p.json") for name, start in (("a", 10), ("b", 20))
    )
    report = bench.run([first, second])
    assert report.warnings == {"object_number_taken": 1, "track_of_several_sources": 1}
    assert numbers(opened(bench)) == {"Car": [None, 7]}
    opened(bench).save()


def test_a_merge_leaves_numbers_that_exist(bench: Bench) -> None:
    """A person drew Car 7: the track 7 that comes later gets no number, the track 8 does, and the SDK saves the row."""
    row = opened(bench)
    drawn = bench.project.ontology_structure.get_child_by_hash("obj-car1", type_=Object).create_instance(
        object_number=7
    )
    drawn.set_for_frames(BoundingBoxCoordinates(height=0.5, width=0.25, top_left_x=0.125, top_left_y=0.0625), 4)
    row.add_object_instance(drawn)
    row.save()
    source = bench.write(dataset([*track(10, 0, 1, track=7), *track(20, 1, track=8)]))
    ran = bench.cli_import(source, "--on-existing", "merge")
    assert (ran.code, "object_number_taken 1" in ran.out) == (0, True), ran.out
    row = opened(bench)
    assert numbers(row) == {"Car": [None, 7, 8]}
    by_hash = {instance.object_hash: instance.object_number for instance in row.get_object_instances()}
    assert by_hash[drawn.object_hash] == 7
    row.save()
    assert bench.run(source, on_existing="merge").warnings == {}


def test_an_sdk_that_has_no_numbers_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where its public calls write the rows."""
    monkeypatch.setattr(versions, "version", lambda _: "0.1.209")
    rows = dataset([box(1, image=101, track_id=7)])
    assert bench.run(rows, dry_run=True).notices == []
    (notice,) = bench.run(rows, dry_run=True, sdk_calls=True).notices
    assert notice.startswith(
        "tracks do not become the numbers of objects (object numbers: the encord SDK 0.1.210 or later"
    )
