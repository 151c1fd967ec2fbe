#!/usr/bin/env bash
# A ground truth object whose annotation id is 0 is never found by pycocotools' COCOeval: it keeps the id of the match and
# takes 0 for "none", so that a perfect prediction on it counts as a false positive. Ids from 0 are what enumerate() gives.
# faster-coco-eval counts the same way; hotcoco does not.
#
# Runs pinned public packages in a temporary folder, on one image with two objects and two perfect predictions; fails if
# what they do has changed.
# Source: COCO's data format page gives ids no other rule than that they are integers.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pycocotools==2.0.11 hotcoco==1.3.0 faster-coco-eval==1.7.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import contextlib
import importlib.metadata
import io
import json

import faster_coco_eval
import hotcoco
import pycocotools.coco
import pycocotools.cocoeval

boxes = [[10.0, 20, 70, 41], [120, 15, 33, 90]]


def average_precision(coco, evaluator, first_id):
    truth = {
        "images": [{"id": 1, "width": 200, "height": 120}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [
            {"id": first_id + at, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            for at, box in enumerate(boxes)
        ],
    }
    results = [{"image_id": 1, "category_id": 1, "bbox": box, "score": 0.9} for box in boxes]
    for name, content in (("truth.json", truth), ("results.json", results)):
        with open(name, "w") as file:
            json.dump(content, file)
    with contextlib.redirect_stdout(io.StringIO()):
        ground_truth = coco("truth.json")
        evaluation = evaluator(ground_truth, ground_truth.loadRes("results.json"), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[0]), 3)


tools = {
    "pycocotools": (pycocotools.coco.COCO, pycocotools.cocoeval.COCOeval),
    "hotcoco": (hotcoco.COCO, hotcoco.COCOeval),
    "faster-coco-eval": (faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster),
}
found = {}
for name, (coco, evaluator) in tools.items():
    found[name] = [average_precision(coco, evaluator, first_id) for first_id in (0, 1)]
    print(name, importlib.metadata.version(name), "AP with ids from 0 and from 1:", *found[name])
assert found == {
    "pycocotools": [0.252, 1.0],
    "hotcoco": [1.0, 1.0],
    "faster-coco-eval": [0.252, 1.0],
}, "one of them counts something else now"
print("as described")
PYTHON
