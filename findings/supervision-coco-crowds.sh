#!/usr/bin/env bash
# supervision's DetectionDataset.as_coco marks every object whose mask has a hole as a crowd (iscrowd 1), and writes no
# confidence. COCO's evaluation ignores crowds: as ground truth such objects count for nothing, and readers that skip crowds
# lose predictions.
#
# Runs pinned public packages in a temporary folder, on one image with one object; fails if what they do has changed.
# Source: COCO's data format page: iscrowd is for groups of objects, and says how the segmentation is written.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check supervision==0.31.2 pycocotools==2.0.11 pillow==12.0.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import contextlib
import io
import json

import numpy as np
import supervision
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

print("supervision", supervision.__version__)
Image.fromarray(np.zeros((60, 90, 3), np.uint8)).save("a.jpg")


def written(has_hole):
    mask = np.zeros((1, 60, 90), bool)
    mask[0, 10:40, 20:70] = True
    mask[0, 20:30, 30:50] = not has_hole
    detections = supervision.Detections(
        xyxy=np.array([[20.0, 10, 70, 40]]), mask=mask, class_id=np.array([0]), confidence=np.array([0.9])
    )
    dataset = supervision.DetectionDataset(classes=["car"], images=["a.jpg"], annotations={"a.jpg": detections})
    dataset.as_coco(annotations_path="out.json")
    with open("out.json") as file:
        (annotation,) = json.load(file)["annotations"]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO("out.json")
        result = {key: annotation[key] for key in ("image_id", "category_id", "bbox")}
        result["segmentation"], result["score"] = truth.annToRLE(annotation), 0.9
        evaluation = COCOeval(truth, truth.loadRes([result]), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return annotation, float(evaluation.stats[0])


for has_hole in (False, True):
    annotation, average_precision = written(has_hole)
    print(f"hole {has_hole}: iscrowd {annotation['iscrowd']}, score {'score' in annotation}, AP {average_precision:.2f}")
    assert (annotation["iscrowd"], "score" in annotation) == (int(has_hole), False), "as_coco writes something else now"
    # -1: nothing to average.
    assert round(average_precision, 6) == (-1 if has_hole else 1), "pycocotools counts something else now"
print("as described")
PYTHON
