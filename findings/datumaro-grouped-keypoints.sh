#!/usr/bin/env bash
# datumaro's export to coco_person_keypoints leaves out keypoints that are alone in a group (group 1 without a box or mask of
# the same group), without a word: the file has the image and no annotation. With group 0 the same keypoints are written.
# Importers of other formats give groups, so a conversion loses people.
#
# Its search for such keypoints looks through a group by an iterator, and what is left of it to write is nothing.
# Runs pinned public packages in a temporary folder, on one image with one person; fails if what they do has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datumaro==1.13.12
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from datumaro.components.annotation import AnnotationType, LabelCategories, Points, PointsCategories
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

print("datumaro", version("datumaro"))


def written(group):
    person = Points([21, 9, 33, 12, 16, 31], [2, 1, 2], label=0, id=1, group=group)
    image = Image.from_numpy(np.zeros((36, 64, 3), np.uint8), ext=".png")
    item = DatasetItem("dock", subset="test", media=image, annotations=[person])
    categories = {
        AnnotationType.label: LabelCategories.from_iterable(["person"]),
        AnnotationType.points: PointsCategories.from_iterable([(0, ["nose", "hip", "foot"])]),
    }
    out = Path(f"group{group}")
    Dataset.from_iterable([item], categories=categories).export(str(out), "coco_person_keypoints", save_media=False)
    (file,) = out.rglob("*.json")
    return json.loads(file.read_text())


for group, expected in ((0, 1), (1, 0)):
    document = written(group)
    print(f"group {group}: {len(document['images'])} image, {len(document['annotations'])} annotations")
    assert len(document["images"]) == 1
    assert len(document["annotations"]) == expected, "datumaro writes something else now"
print("as described")
PYTHON
