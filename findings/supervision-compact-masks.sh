#!/usr/bin/env bash
# supervision's CompactMask keeps of a mask what is inside its box, and drops the rest without a warning. A mask that is
# larger than the box of its detection (a segmenter that was prompted with the detector's boxes) loses area on the way
# through it, and nothing in the result tells how much.
#
# Runs pinned public packages in a temporary folder, on one mask and boxes around it and inside it; fails if what they do
# has changed.
# Source: CompactMask.from_dense of supervision 0.31.2, whose description says that boxes are clipped to the image.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check supervision==0.31.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import warnings

import numpy as np
import supervision
from supervision.detection.compact_mask import CompactMask

print("supervision", supervision.__version__)
warnings.simplefilter("error")
mask = np.zeros((1, 60, 90), bool)
mask[0, 10:40, 20:70] = True
for box, kept in (([20, 10, 69, 39], 1500), ([25, 12, 60, 30], 684)):
    compact = CompactMask.from_dense(mask, np.array([box], float), image_shape=mask.shape[1:])
    found = int(compact.to_dense().sum())
    print(f"mask of {mask.sum()} px, box {box}: {found} px are left")
    assert found == kept, "it keeps something else now"
print("as described")
PYTHON
