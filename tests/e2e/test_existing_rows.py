"""Importing onto a branch where something stands already: the same again, another run's rows, a person's objects."""

from __future__ import annotations

import pytest
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates

from ropewalk.errors import BlockerError
from workbench import DRIVE, LEFT, STILL, Bench, Json, box, dataset, mask, ring

OURS = dataset(
    [box(1), ring(2), mask(3), box(4, image=101, track_id=7), box(5, image=102, track_id=7), box(6, image=3)]
)


def draw_by_hand(bench: Bench, title: str, frame: int = 0, *, feature_hash: str = "obj-car1") -> str:
    """Put a box on a medium as a person does, with the SDK; returns its object hash."""
    (row,) = bench.project.list_label_rows_v2(branch_name=bench.branch, data_title_eq=title)
    row.initialise_labels()
    ontology_object = bench.project.ontology_structure.get_child_by_hash(feature_hash, type_=Object)
    instance = ontology_object.create_instance()
    coordinates = BoundingBoxCoordinates(height=0.5, width=0.25, top_left_x=0.125, top_left_y=0.0625)
    instance.set_for_frames(coordinates, frame, manual_annotation=True)
    row.add_object_instance(instance)
    row.save()
    return str(instance.object_hash)


def hashes(bench: Bench) -> set[str]:
    return {item["objectHash"] for *_, item in bench.objects()}


def test_the_same_command_again_saves_nothing(bench: Bench) -> None:
    source = bench.write(OURS)
    assert bench.cli_import(source).code == 0
    before, rows = bench.stored(), bench.rows()
    for policy in ("fail", "skip", "replace", "merge"):
        ran = bench.cli_import(source, "--on-existing", policy)
        assert (ran.code, bench.stored(), bench.rows()) == (0, before, rows), policy
        assert "0 written" in ran.out and "6 already there" in ran.out


def test_the_same_content_in_another_order_saves_nothing(bench: Bench) -> None:
    bench.run(OURS)
    before = bench.stored()
    turned = {key: OURS[key] for key in ("annotations", "categories", "videos", "images")}
    turned["annotations"] = [item | {"id": 70 - item["id"]} for item in reversed(OURS["annotations"])]
    report = bench.run(turned)
    assert (report.annotations_already_there, bench.stored()) == (6, before)


def test_a_half_finished_import_is_finished(bench: Bench) -> None:
    bench.run(OURS, only_media=("still.jpg",))
    before = bench.stored()
    report = bench.run(OURS)
    assert (report.annotations_already_there, report.annotations_written, report.exit_code) == (3, 3, 0)
    assert before.items() <= bench.stored().items()
    assert len(bench.objects()) == 6


def test_rows_created_and_left_empty_are_no_reason_to_stop(bench: Bench) -> None:
    for row in bench.project.list_label_rows_v2(branch_name=bench.branch, data_title_eq="still.jpg"):
        row.initialise_labels()
    assert (bench.run(OURS).exit_code, len(bench.objects())) == (0, 6)


def test_fail_sends_nothing_at_all(bench: Bench) -> None:
    drawn = draw_by_hand(bench, "still.jpg")
    before, rows = bench.stored(), bench.rows()
    with pytest.raises(BlockerError, match=r"still\.jpg"):
        bench.run(OURS)
    ran = bench.cli_import(bench.folder / "predictions.json")
    assert (ran.code, bench.stored(), bench.rows()) == (1, before, rows)
    assert "still.jpg" in ran.err and "--on-existing" in ran.err and hashes(bench) == {drawn}


def test_a_row_that_the_source_does_not_name_is_no_reason_to_stop(bench: Bench) -> None:
    draw_by_hand(bench, "cam0/left.png")
    row = bench.rows()[LEFT]
    assert bench.run(OURS).exit_code == 0
    assert bench.rows()[LEFT] == row


def test_skip_leaves_the_row_and_counts(bench: Bench) -> None:
    draw_by_hand(bench, "still.jpg")
    row = bench.rows()[STILL]
    ran = bench.cli_import(bench.write(OURS), "--on-existing", "skip")
    assert (ran.code, bench.rows()[STILL]) == (0, row)
    assert "3 written, 0 rejected, 3 filtered" in ran.out and "1 label row skipped" in ran.out


def test_replace_touches_only_named_rows(bench: Bench) -> None:
    drawn = draw_by_hand(bench, "still.jpg")
    elsewhere = draw_by_hand(bench, "cam0/left.png")
    row = bench.rows()[LEFT]
    ran = bench.cli_import(bench.write(OURS), "--on-existing", "replace")
    assert ran.code == 0 and "6 written" in ran.out
    assert bench.rows()[LEFT] == row
    assert drawn not in hashes(bench) and elsewhere in hashes(bench)
    assert len(bench.objects()) == 7
    before = bench.stored()
    again = bench.run(OURS, on_existing="replace")
    assert (again.annotations_already_there, bench.stored()) == (6, before)


def test_merge_keeps_what_is_foreign(bench: Bench) -> None:
    on_image, on_video = draw_by_hand(bench, "still.jpg"), draw_by_hand(bench, "drive.mp4", 1)
    foreign = [found for found in bench.objects() if found[2]["objectHash"] in (on_image, on_video)]
    ran = bench.cli_import(bench.write(OURS), "--on-existing", "merge")
    assert ran.code == 0 and "6 written" in ran.out
    assert len(bench.objects()) == 8
    assert [found for found in bench.objects() if found[2]["objectHash"] in (on_image, on_video)] == foreign
    before = bench.stored()
    again = bench.run(OURS, on_existing="merge")
    assert (again.annotations_already_there, again.label_rows_saved, bench.stored()) == (6, 0, before)
    # The unmodified client reads both: what a person drew and what was imported.
    (row,) = bench.project.list_label_rows_v2(branch_name=bench.branch, data_title_eq="drive.mp4")
    row.initialise_labels()
    instances = {instance.object_hash: instance for instance in row.get_object_instances()}
    assert len(instances) == 2 and instances[on_video].get_annotation(1).manual_annotation
    (tracked,) = (instance for object_hash, instance in instances.items() if object_hash != on_video)
    assert sorted(a.frame for a in tracked.get_annotations()) == [1, 2]
    assert not tracked.get_annotation(1).manual_annotation


def test_a_longer_run_of_the_same_source_merges_into_its_tracks(bench: Bench) -> None:
    first = dataset([box(n, image=100 + n, track_id=7) for n in range(3)])
    longer = dataset([box(n, image=100 + n, track_id=7) for n in range(6)])
    bench.run(first)
    report = bench.run(longer, on_existing="merge")
    assert (report.annotations_already_there, report.annotations_written) == (3, 3)
    assert len(hashes(bench)) == 1 and len(bench.rows()[DRIVE]["object_answers"]) == 1
    assert [frame for _, frame, _ in bench.boxes()] == [0, 1, 2, 3, 4, 5]


def test_a_branch_does_not_see_another(bench: Bench) -> None:
    bench.run(OURS)
    rows = bench.rows()
    other = f"{bench.branch}-other"
    assert bench.run(OURS, branch=other).annotations_written == 6
    assert bench.rows() == rows
    theirs = {item["objectHash"] for *_, item in bench.objects(other)}
    assert not theirs & hashes(bench)


def test_exactly_equal_annotations_are_all_written(bench: Bench) -> None:
    same: list[Json] = [box(1) for _ in range(3)]
    report = bench.run(dataset(same))
    assert report.annotations_written == 3 and report.warnings == {"duplicate_annotation_id": 2}
    assert len(hashes(bench)) == 3
    before = bench.stored()
    assert bench.run(dataset(same)).annotations_already_there == 3
    assert bench.stored() == before
