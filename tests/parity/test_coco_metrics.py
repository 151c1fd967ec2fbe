"""COCO's metrics of random sets are those of pycocotools."""

from __future__ import annotations

import pytest

import ropewalk
from coco_metric_sets import by_pycocotools, random_set
from ropewalk import evaluate

SETS = 500
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_random_sets_give_the_numbers_of_pycocotools(part: int) -> None:
    counted = 0
    for seed in range(part, SETS, PARTS):
        iou, labels, results = random_set(seed)
        if not results:
            continue
        found = evaluate(ropewalk.read_coco(results), labels, iou=iou)
        assert (found.rejects_by_code, found.filtered_by_reason) == ({}, {}), (seed, iou)
        expected = by_pycocotools(iou, labels, results)
        assert list(found.metrics.values()) == pytest.approx(expected, abs=1e-9), (seed, iou)
        counted += 0 < (found.metrics["AP"] or 0) < 1
    # Sets in which nothing or everything is found would hide what differs.
    assert counted > SETS / PARTS / 2


@pytest.mark.parametrize("seed", range(0, 45))
def test_a_label_with_the_id_0_counts_as_any_other(seed: int) -> None:
    """pycocotools takes a prediction that matches such a label for a wrong one."""
    iou, labels, results = random_set(seed)
    from_0 = labels | {"annotations": [item | {"id": item["id"] - 1} for item in labels["annotations"]]}
    given = [evaluate(ropewalk.read_coco(results), document, iou=iou) for document in (labels, from_0)]
    assert given[0] == given[1]
