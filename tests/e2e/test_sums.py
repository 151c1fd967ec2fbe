"""Whatever mixture of good and bad annotations comes: each ends in exactly one place, and the report's sums say so."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import CATEGORIES, IMAGES, Bench, Json, box, dataset, mask, ring

NUMBERS = st.sampled_from([0.0, 1.5, -2, 29, 30.5, 60, float("nan"), float("inf"), 1e300, -1e-300, 2**70])
SCORES = st.sampled_from([None, 0, 0.25, 0.5, 1, 1.0000001, -0.0, float("nan"), "high", True, [1]])
IMAGE_IDS = st.sampled_from([1, 2, 3, 4, 5, 99, 100, 101, 101, 111, 112, "1", "101", 9999, None, 1.5])
CATEGORY_IDS = st.sampled_from([1, 1, 2, 2, 3, 3, 4, 5, 6, 9, 77, "1", None])
TRACKS = st.sampled_from([None, 1, 1, 2, "1", "t", [1]])
BOXES = st.one_of(st.none(), st.lists(NUMBERS, max_size=5), st.lists(st.integers(0, 20), min_size=4, max_size=4))
COUNTS = st.one_of(
    st.text(st.characters(min_codepoint=40, max_codepoint=112), max_size=12),
    st.lists(st.integers(-5, 1500), max_size=5),
    st.sampled_from([[1500], [0, 1500], [700, 800], [], [2304], [100, 2204]]),
)
SIZES = st.sampled_from([[50, 30], [50, 30], [30, 50], [36, 64], [2**40, 2**40], [-1, 4], [50]])
SEGMENTATIONS = st.one_of(
    st.none(),
    st.lists(st.lists(NUMBERS, max_size=9), max_size=2),
    st.lists(st.lists(st.integers(0, 20), min_size=6, max_size=6), min_size=1, max_size=2),
    st.fixed_dictionaries({"counts": COUNTS, "size": SIZES}),
    st.just("text"),
)
ANY = st.fixed_dictionaries(
    {"image_id": IMAGE_IDS, "category_id": CATEGORY_IDS},
    optional={
        "bbox": BOXES,
        "segmentation": SEGMENTATIONS,
        "score": SCORES,
        "track_id": TRACKS,
        "iscrowd": st.sampled_from([0, 0, 0, 1, "x"]),
    },
)
GOOD = st.builds(lambda make, image: make(0, image=image), st.sampled_from([box, ring]), st.sampled_from([1, 101, 104]))
MASKS = st.builds(lambda size: mask(0, size=size), st.sampled_from([(50, 30), (30, 50)]))
COUNTER = itertools.count(1)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "off_image": st.sampled_from(["keep", "reject"]),
        "min_confidence": st.just(0.5),
        "include_crowd": st.booleans(),
        "only_classes": st.just(("Car", "Tree")),
        "only_media": st.just(("drive.mp4", "walk")),
        "limit_rows": st.just(1),
        "class_map": st.just({"1": "obj-car1", "2": "obj-bt-p", "3": None}),
    },
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(st.one_of(GOOD, MASKS, ANY, ANY, st.just(5)), max_size=25), options=OPTIONS, again=st.booleans())
def test_every_annotation_ends_in_one_place(bench: Bench, rows: list[Any], options: Json, again: bool) -> None:
    numbered = [row | {"id": n} if isinstance(row, dict) else row for n, row in enumerate(rows)]
    # A branch for each example, also where hypothesis tries the same one again.
    branch = f"{bench.branch}-{next(COUNTER)}"
    content = dataset(numbered, images=IMAGES, categories=CATEGORIES)
    report = bench.run(content, branch=branch, on_existing="replace", **options)
    assert report.annotations_read == len(rows)
    assert report.exit_code == (3 if report.annotations_rejected else 0)
    written = bench.objects(branch)
    assert len(written) == report.annotations_written
    rejects = bench.rejects(report.rejects_file) if report.rejects_file else []
    assert len(rejects) == report.annotations_rejected
    ids = [reject["annotation_id"] for reject in rejects if reject["annotation_id"] is not None]
    assert len(ids) == len(set(ids)) and len({reject["byte"] for reject in rejects}) == len(rejects)
    text = (bench.folder / "predictions.json").read_text()
    for reject in rejects:
        assert text[reject["byte"] - 1] in " [" and text[reject["byte"]] in "{5"
    for _, _, item in written:
        json.dumps(item, allow_nan=False)
        assert 0 <= item["confidence"] <= 1
    if again:
        before = bench.stored()
        second = bench.run(content, branch=branch, **options)
        assert (second.annotations_written, second.annotations_already_there) == (0, report.annotations_written)
        assert second.rejects_by_code == report.rejects_by_code and bench.stored() == before
