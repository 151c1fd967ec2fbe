"""Bad annotations, and rows that the server refuses, among many good ones: named once each, and nothing else harmed."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from ropewalk.emulator import refusals
from ropewalk.emulator.checks import LabelChecker
from world import Json, World, full, import_here, make_world, running_service, tell

ROWS = 200
PER_ROW = 500 if full() else 50

# What is wrong with an annotation, and the code it is rejected with.
WRONGS: list[tuple[str, Json]] = [
    ("negative_box", {"bbox": [3, 2, -5, 4]}),
    ("not_finite", {"bbox": [3, 2, float("inf"), 4]}),
    ("not_finite", {"bbox": [float("nan"), 2, 5, 4]}),
    ("score_range", {"score": 1.5}),
    ("score_range", {"score": -0.25}),
    ("unknown_image", {"image_id": 10_000_000}),
    ("unknown_category", {"category_id": 77}),
    ("bad_field", {"bbox": [1, 2, 3]}),
    ("bad_field", {"bbox": "all of it"}),
]
REFUSALS = [
    refusals.corrupted_label,
    refusals.missing_answer,
    refusals.missing_feature,
    refusals.invalid,
]


@pytest.mark.parametrize("seed", [1, 2] if full() else [1])
def test_the_bad_ones_are_named_once_each_and_mended_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    world = make_world(tmp_path, ROWS, PER_ROW, seed=seed)
    right: Json = json.loads(world.source.read_text())
    with running_service(world) as service:
        import_here(world, service, tmp_path / "calm", batch_rows=20)
        expected = service.contents()

    # A fifth of the rows has no bad one: with many to a row there would be none to be found untouched.
    with_bad = rows_of(world, right, {medium.data_hash for medium in world.snapshot.media[ROWS // 5 :]})
    wrong, bad = spoilt(right, with_bad, seed)
    world.source.write_text(json.dumps(right | {"annotations": wrong}))
    # One row for each way to refuse, in batches of their own and of others.
    draw = random.Random(seed)
    refused = dict(zip(draw.sample([m.data_hash for m in world.snapshot.media], len(REFUSALS)), REFUSALS, strict=True))
    in_refused = rows_of(world, right, set(refused))
    check, strict = LabelChecker.check, [True]

    def checking(checker: LabelChecker, content: Json, header: object, medium: object) -> None:
        refusal = refused.get(content["data_hash"])
        if strict and refusal is not None:
            raise refusal(f"refused: {content['label_hash']}")
        check(checker, content, header, medium)  # type: ignore[arg-type]

    monkeypatch.setattr(LabelChecker, "check", checking)
    with running_service(world) as service:
        report = import_here(world, service, tmp_path / "work", batch_rows=20)
        stored = service.contents()
        lines = rejects(report.rejects_file)
        assert report.exit_code == 3
        assert report.label_rows_failed == len(refused)
        # Each once, and no other; those of a refused row that were bad before stand there as that.
        named = Counter(int(line["annotation_id"]) for line in lines)
        assert set(named.values()) == {1}
        assert named.keys() == bad.keys() | in_refused
        source = world.source.read_bytes()
        for line in lines:
            number = int(line["annotation_id"])
            assert line["code"] == bad.get(number, "server_refused"), line
            label = f"{world.source.parent.name}/{world.source.name}"
            assert (line["source"], line["message"] != "") == (label, True)
            there = source[line["byte"] : line["byte"] + 200]
            assert there.startswith(b"{") and f'"id": {number},'.encode() in there
        assert report.annotations_rejected == len(lines)
        assert report.annotations_written == world.annotations - len(lines)
        untouched = {row for row in expected if row not in refused and row not in media_of(world, right, set(bad))}
        assert len(untouched) > ROWS // 10
        assert {row: stored[row] for row in untouched} == {row: expected[row] for row in untouched}
        assert all(not stored[row]["object_answers"] for row in refused)

        # Mended by hand, and the server takes the rows by now.
        strict.clear()
        by_id = {annotation["id"]: annotation for annotation in right["annotations"]}
        mended = tmp_path / "mended.ndjson"
        mended.write_text(
            "".join(json.dumps(line | {"annotation": by_id[int(line["annotation_id"])]}) + "\n" for line in lines)
        )
        again = import_here(
            World(world.snapshot, mended, len(lines)),
            service,
            tmp_path / "work",
            annotations=world.source,
            on_existing="merge",
        )
        assert (again.exit_code, again.annotations_written, again.annotations_rejected) == (0, len(lines), 0)
        final = service.contents()
    assert {row: labels(content) for row, content in final.items()} == {
        row: labels(content) for row, content in expected.items()
    }
    kinds = ", ".join(f"{n} {code}" for code, n in sorted(report.rejects_by_code.items()))
    tell(capsys, f"{world.annotations:,} annotations in {ROWS} rows, rejected {kinds}: named once each, then mended")


def spoilt(right: Json, among: set[int], seed: int) -> tuple[list[Json], dict[int, str]]:
    """Make annotations wrong, one for each hundred there are: the annotations, and the code by id."""
    draw = random.Random(seed)
    numbers = draw.sample(sorted(among), len(right["annotations"]) // 100)
    kinds = {number: WRONGS[n % len(WRONGS)] for n, number in enumerate(numbers)}
    annotations = [a | kinds[a["id"]][1] if a["id"] in kinds else a for a in right["annotations"]]
    return annotations, {number: code for number, (code, _) in kinds.items()}


def rejects(path: str | None) -> list[Json]:
    assert path is not None
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def _media_by_image(world: World, document: Json) -> dict[int, str]:
    by_title = {medium.title: medium.data_hash for medium in world.snapshot.media}
    videos = {video["id"]: video["name"] for video in document["videos"]}
    return {
        image["id"]: by_title[videos[image["video_id"]] if "video_id" in image else image["file_name"]]
        for image in document["images"]
    }


def rows_of(world: World, document: Json, media: set[str]) -> set[int]:
    """List the annotations on media."""
    of = _media_by_image(world, document)
    return {a["id"] for a in document["annotations"] if of[a["image_id"]] in media}


def media_of(world: World, document: Json, numbers: set[int]) -> set[str]:
    """List the media of annotations."""
    of = _media_by_image(world, document)
    return {of[a["image_id"]] for a in document["annotations"] if a["id"] in numbers}


def labels(row: Json) -> Json:
    """Take the labels of a row in an order that does not depend on when they were added."""
    units = {}
    for name, unit in row["data_units"].items():
        content = unit["labels"]
        frames = {"": content} if "objects" in content else content
        units[name] = {
            frame: sorted(json.dumps(item, sort_keys=True) for item in f["objects"]) for frame, f in frames.items()
        }
    return {"units": units, "answers": row["object_answers"]}
