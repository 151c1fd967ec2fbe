"""A file full of wrong annotations between good ones: each wrong is rejected with its place, no good one is lost."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ropewalk import Report
from workbench import CATEGORIES, IMAGES, VIDEOS, Bench, Json, box, mask, ring

# (what is wrong, what stands in the annotation besides id, image_id and category_id, code).
# As text, since Python's json could not write all of it.
ON_STILL = (
    ("box-nan", 1, '"bbox": [NaN, 2, 5, 7]', "not_finite"),
    ("box-infinity", 1, '"bbox": [1, -Infinity, 5, 7]', "not_finite"),
    ("box-too-large-for-a-double", 1, '"bbox": [1, 2, 1e400, 7]', "not_finite"),
    ("box-negative", 1, '"bbox": [9, 2, -5, 7]', "negative_box"),
    ("box-of-three", 1, '"bbox": [1, 2, 5]', "bad_field"),
    ("box-of-five", 1, '"bbox": [1, 2, 5, 7, 9]', "bad_field"),
    ("box-of-texts", 1, '"bbox": ["a", "2", "5", "7"]', "bad_field"),
    ("box-null", 1, '"bbox": null', "no_geometry"),
    ("box-and-segmentation-empty", 1, '"bbox": [], "segmentation": []', "no_geometry"),
    ("no-geometry", 1, '"score": 0.5', "no_geometry"),
    ("box-off-image", 1, '"bbox": [40, 2, 5, 7]', "off_image"),
    ("box-beside-the-edge", 1, '"bbox": [-5, 2, 5, 7]', "off_image"),
    ("score-nan", 1, '"bbox": [1, 2, 5, 7], "score": NaN', "not_finite"),
    ("score-1.7", 1, '"bbox": [1, 2, 5, 7], "score": 1.7', "score_range"),
    ("score-negative", 1, '"bbox": [1, 2, 5, 7], "score": -0.25', "score_range"),
    ("score-high", 1, '"bbox": [1, 2, 5, 7], "score": "high"', "bad_field"),
    ("score-true", 1, '"bbox": [1, 2, 5, 7], "score": true', "bad_field"),
    ("score-in-attributes", 1, '"bbox": [1, 2, 5, 7], "attributes": {"score": 3}', "score_range"),
    ("track-is-a-list", 1, '"bbox": [1, 2, 5, 7], "track_id": [1]', "bad_field"),
    ("track-infinite", 1, '"bbox": [1, 2, 5, 7], "track_id": Infinity', "not_finite"),
    ("crowd-is-a-text", 1, '"bbox": [1, 2, 5, 7], "iscrowd": "yes"', "bad_field"),
    ("unknown-category", 77, '"bbox": [1, 2, 5, 7]', "unknown_category"),
    ("class-not-in-the-ontology", 9, '"bbox": [1, 2, 5, 7]', "unknown_class"),
    ("ambiguous-class", 4, '"bbox": [1, 2, 5, 7]', "ambiguous_class"),
    ("class-of-another-shape", 6, '"bbox": [1, 2, 5, 7]', "shape_mismatch"),
    ("mask-wanted-box-given", 3, '"bbox": [1, 2, 5, 7]', "shape_mismatch"),
    ("polygon-odd", 2, '"segmentation": [[1, 2, 3, 4, 5, 6, 7]]', "bad_polygon"),
    ("polygon-of-two-points", 2, '"segmentation": [[1, 2, 3, 4]]', "bad_polygon"),
    ("polygon-of-bad-rings", 2, '"segmentation": [[1, 2, 3, 4], []]', "bad_polygon"),
    ("polygon-not-nested", 2, '"segmentation": [1, 2, 3, 4, 5, 9]', "bad_field"),
    ("polygon-nan", 2, '"segmentation": [[1, 2, 3, 4, NaN, 9]]', "not_finite"),
    ("polygon-off-image", 2, '"segmentation": [[31, 2, 40, 4, 35, 9]]', "off_image"),
    ("segmentation-is-a-number", 2, '"segmentation": 4', "bad_field"),
    ("polygon-too-far-to-draw", 3, '"segmentation": [[1, 2, 1e300, 4, 3, 9]]', "polygon_range"),
    ("rle-sum", 3, '"segmentation": {"size": [50, 30], "counts": [10, 5, 20]}', "rle_sum"),
    ("rle-sum-of-a-string", 3, '"segmentation": {"size": [50, 30], "counts": "0122"}', "rle_sum"),
    ("rle-size", 3, '"segmentation": {"size": [30, 50], "counts": [1500]}', "mask_size"),
    ("rle-alphabet", 3, '"segmentation": {"size": [50, 30], "counts": "01!2"}', "rle_alphabet"),
    ("rle-alphabet-not-ascii", 3, '"segmentation": {"size": [50, 30], "counts": "0\\u00e92"}', "rle_alphabet"),
    ("rle-ends-inside-a-number", 3, '"segmentation": {"size": [50, 30], "counts": "01o"}', "rle_truncated"),
    ("rle-number-without-end", 3, '"segmentation": {"size": [50, 30], "counts": "oooooooooooooooo0"}', "rle_number"),
    ("rle-negative-string", 3, '"segmentation": {"size": [50, 30], "counts": "5O0"}', "rle_negative"),
    ("rle-negative", 3, '"segmentation": {"size": [50, 30], "counts": [10, -5, 1495]}', "rle_negative"),
    ("rle-fraction", 3, '"segmentation": {"size": [50, 30], "counts": [10.5, 1489.5]}', "rle_fraction"),
    ("rle-run-too-large", 3, '"segmentation": {"size": [50, 30], "counts": [4294967296]}', "rle_overflow"),
    ("rle-nan", 3, '"segmentation": {"size": [50, 30], "counts": [NaN]}', "not_finite"),
    ("rle-2^40", 3, '"segmentation": {"size": [1099511627776, 1099511627776], "counts": "0"}', "rle_size"),
    ("rle-2^31", 3, '"segmentation": {"size": [2147483648, 2147483648], "counts": "0"}', "mask_size"),
    ("rle-size-negative", 3, '"segmentation": {"size": [-50, -30], "counts": [1500]}', "rle_size"),
    ("rle-size-of-one", 3, '"segmentation": {"size": [1500], "counts": [1500]}', "bad_field"),
    ("rle-without-size", 3, '"segmentation": {"counts": [1500]}', "missing_field"),
    ("rle-without-counts", 3, '"segmentation": {"size": [50, 30]}', "missing_field"),
)
# (what is wrong, the fields before `id`, code).
ELSEWHERE = (
    ("unknown-image", '"image_id": 9999, "category_id": 1, "bbox": [1, 2, 5, 7]', "unknown_image"),
    ("medium-not-in-the-project", '"image_id": 5, "category_id": 1, "bbox": [1, 2, 5, 7]', "unknown_media"),
    ("ambiguous-title", '"image_id": 4, "category_id": 1, "bbox": [1, 2, 5, 7]', "ambiguous_media"),
    ("frame-past-the-end", '"image_id": 112, "category_id": 1, "bbox": [1, 2, 5, 7]', "frame_range"),
    ("frame-negative", '"image_id": 99, "category_id": 1, "bbox": [1, 2, 5, 7]', "frame_range"),
    ("no-image", '"category_id": 1, "bbox": [1, 2, 5, 7]', "missing_field"),
    ("image-null", '"image_id": null, "category_id": 1, "bbox": [1, 2, 5, 7]', "missing_field"),
    ("image-is-a-flag", '"image_id": true, "category_id": 1, "bbox": [1, 2, 5, 7]', "bad_field"),
    ("no-category", '"image_id": 1, "bbox": [1, 2, 5, 7]', "missing_field"),
    ("category-is-a-fraction", '"image_id": 1, "category_id": 1.5, "bbox": [1, 2, 5, 7]', "bad_field"),
    ("track-twice", '"image_id": 101, "category_id": 1, "bbox": [9, 2, 5, 7], "track_id": 7', "duplicate_track_frame"),
)  # fmt: skip
NO_OBJECTS = (("a-number", "17", "bad_field"), ("null", "null", "bad_field"), ("a-list", "[1, {}]", "bad_field"))

SEPARATOR = " ,\r\n\t"
FIRST_OF_THE_TRACK = box(500, image=101, track_id=7)


@dataclass(frozen=True)
class Case:
    """A wrong annotation: its text, its id where it has one, and the code it is to be rejected with."""

    name: str
    text: str
    code: str
    annotation_id: str | None


def cases() -> list[Case]:
    texts = [
        (name, f'"image_id": 1, "category_id": {category}, {fields}', code) for name, category, fields, code in ON_STILL
    ]
    found = []
    for number, (name, fields, code) in enumerate((*texts, *ELSEWHERE)):
        # Ids of either kind, before and after the rest.
        annotation_id = f"bad-{number}-\u00fc" if number % 2 else str(90000 + number)
        given = json.dumps(annotation_id) if number % 2 else annotation_id
        text = f'{{"id": {given}, {fields}}}' if number % 3 else f'{{ {fields}\n , "id":\t{given} }}'
        found.append(Case(name, text, code, annotation_id))
    return found + [Case(name, text, code, None) for name, text, code in NO_OBJECTS]


CASES = cases()
GOOD = [(box, ring, mask)[number % 3](number) for number in range(len(CASES) + 1)]


def source_text() -> bytes:
    """Write the file: not ASCII, with a byte order mark, and with its annotations before what they refer to."""
    items = [json.dumps(FIRST_OF_THE_TRACK), json.dumps(GOOD[-1])]
    for case, good in zip(CASES, GOOD, strict=False):
        items += [case.text, json.dumps(good, indent=1)]
    annotations = SEPARATOR.join(items)
    tables = json.dumps({"images": IMAGES, "categories": CATEGORIES, "videos": VIDEOS})[1:-1]
    description = "Stra\u00dfe \u2014 \U0001f6e3 \\ud83d\\ude00"
    text = f'{{"info": {{"description": "{description}"}}, "annotations": [\n{annotations}\n], {tables}}}\n'
    return b"\xef\xbb\xbf" + text.encode()


@dataclass(frozen=True)
class Imported:
    """The one import that the tests of this module look at."""

    bench: Bench
    source: Path
    report: Report
    rejects: list[Json]
    seconds: float


@pytest.fixture(scope="module")
def imported(module_bench: Bench) -> Imported:
    source = module_bench.write(source_text(), "bad.json")
    started = time.monotonic()
    report = module_bench.run(source)
    return Imported(module_bench, source, report, module_bench.rejects(), time.monotonic() - started)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_annotation_is_rejected_with_its_place(imported: Imported, case: Case) -> None:
    content = imported.source.read_bytes()
    before, text, after = SEPARATOR.encode(), case.text.encode(), SEPARATOR.encode()
    assert content.count(before + text + after) == 1
    byte = content.index(before + text + after) + len(before)
    found = [reject for reject in imported.rejects if reject["byte"] == byte]
    assert [reject["code"] for reject in found] == [case.code]
    (reject,) = found
    label = f"{imported.source.parent.name}/bad.json"
    assert (reject["source"], reject["annotation_id"]) == (label, case.annotation_id)
    assert reject["message"]
    # The text as it was: as JSON where it is that, else as a string of it.
    if "NaN" in case.text or "Infinity" in case.text:
        assert reject["annotation"] == case.text
    else:
        assert reject["annotation"] == json.loads(case.text)


def test_good_neighbours_are_written_and_the_sums_hold(imported: Imported) -> None:
    report = imported.report
    assert len(imported.rejects) == report.annotations_rejected == len(CASES)
    assert report.annotations_written == len(GOOD) + 1
    assert report.annotations_read == len(CASES) + len(GOOD) + 1
    assert (report.exit_code, report.annotations_filtered, report.annotations_not_sent) == (3, 0, 0)
    expected: dict[str, int] = {}
    for case in CASES:
        expected[case.code] = expected.get(case.code, 0) + 1
    assert report.rejects_by_code == expected
    by_shape = [item["shape"] for _, _, item in imported.bench.objects()]
    assert len(by_shape) == len(GOOD) + 1
    for shape, maker in (("bounding_box", 0), ("polygon", 1), ("bitmask", 2)):
        count = len(GOOD[maker::3]) + (shape == "bounding_box")
        assert by_shape.count(shape) == count
    # The first one of the track stays, not the second.
    assert ("drive.mp4", 1, 500.0) in imported.bench.boxes()


def test_hostile_sizes_cost_no_time(imported: Imported) -> None:
    assert imported.seconds < 5


def test_names_that_lead_nowhere_are_named_once(imported: Imported) -> None:
    media = {(entry.name, entry.code): entry.annotations for entry in imported.report.unresolved_media}
    assert media == {("9999", "unknown_image"): 1, ("gone.jpg", "unknown_media"): 1, ("twin.jpg", "ambiguous_media"): 1}
    classes = {(entry.name, entry.code): entry.annotations for entry in imported.report.unresolved_classes}
    assert classes == {("77", "unknown_category"): 1, ("Cow", "unknown_class"): 1, ("Sign", "ambiguous_class"): 1}


def test_the_command_line_says_the_same(imported: Imported, bench: Bench) -> None:
    rejects, report = bench.folder / "out" / "r.ndjson", bench.folder / "report.json"
    arguments = bench.arguments(imported.source, "--rejects", rejects, "--report", report)
    ran = bench.process("import", *arguments)
    assert ran.code == 3
    own = {"branch", "seconds", "rejects_file", "bytes_sent"}
    saved = json.loads(report.read_text())
    wanted = imported.report.as_dict()
    assert {k: v for k, v in saved.items() if k not in own} == json.loads(
        json.dumps({k: v for k, v in wanted.items() if k not in own})
    )
    assert bench.rejects(rejects) == imported.rejects
    assert saved["rejects_file"] == str(rejects) and str(rejects) in ran.out
    assert f"{len(CASES)} rejected" in ran.out and '"Cow": unknown_class' in ran.out
    assert len(bench.objects()) == len(GOOD) + 1


@pytest.mark.parametrize("kind", ["results", "no images"])
def test_results_lists_are_located_alike(bench: Bench, kind: str) -> None:
    """A bare list, with the tables beside it or with none at all, where every annotation's image is unknown."""
    tables = bench.write({"images": IMAGES, "categories": CATEGORIES, "videos": VIDEOS}, "gt.json")
    texts = [json.dumps(box(n, image=1 if n % 2 else 9999)) for n in range(9)]
    source = bench.write("\n[" + ",\n".join(texts) + "]\n", "results.json")
    report = bench.run(source, annotations=tables if kind == "results" else None)
    content = source.read_bytes()
    wrong = texts[::2] if kind == "results" else texts
    found = bench.rejects()
    assert [reject["byte"] for reject in found] == [content.index(text.encode()) for text in wrong]
    assert report.annotations_written == len(texts) - len(wrong)
    assert set(report.rejects_by_code) == {"unknown_image"}


def test_a_text_without_end_is_cut_in_the_reject_file(bench: Bench) -> None:
    long: dict[str, Any] = box(1, score=7, comment="x" * (3 << 20))
    report = bench.run(
        json.dumps([long, box(2)]), annotations=bench.write({"images": IMAGES, "categories": CATEGORIES}, "gt.json")
    )
    assert report.annotations_written == 1
    (reject,) = bench.rejects()
    assert isinstance(reject["annotation"], str)
    assert (bench.folder / "work" / f"rejects-{bench.branch}.ndjson").stat().st_size < 2 << 20
