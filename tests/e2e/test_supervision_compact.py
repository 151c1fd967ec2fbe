"""Masks that supervision keeps compact are, in the writer's file, the masks that supervision itself makes of them."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars
import pytest

from ropewalk import PredictionWriter, rle
from test_producers import TOOLS

pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason="`make test` installs the tools")

# An L, a ring at the frame's border, one that its box cuts, and one whose box is outside the frame (h, w) = (36, 64).
COMPACT = """
import pickle, sys
import numpy as np
import supervision as sv
from supervision.detection.compact_mask import CompactMask
h, w = 36, 64
masks = np.zeros((4, h, w), bool)
masks[0, 3:20, 5:9] = masks[0, 16:20, 5:30] = True
masks[1, 0:30, 40:64] = True
masks[1, 5:20, 50:60] = False
masks[2, 8:30, 10:50] = True
masks[3, 2:4, 2:4] = True
xyxy = np.array([[4, 2, 31, 21], [38.5, -3, 70, 31.9], [12.7, 8, 40.2, 29], [70, 1, 80, 9]], np.float32)
compact = CompactMask.from_dense(masks, xyxy, image_shape=(h, w))
detections = sv.Detections(xyxy=xyxy, mask=compact, class_id=np.arange(4))
crops = [compact.crop(at) for at in range(len(compact))]
given = {"xyxy": detections.xyxy, "class_id": detections.class_id, "crops": crops, "offsets": compact.offsets}
sys.stdout.buffer.write(pickle.dumps((given, compact.image_shape, compact.to_dense(), masks)))
"""


def test_compact_masks(tmp_path: Path) -> None:
    done = subprocess.run([TOOLS, "-c", COMPACT], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    given, image_shape, dense, whole = pickle.loads(done.stdout)
    compact = SimpleNamespace(crop=given["crops"].__getitem__, offsets=given["offsets"], image_shape=image_shape)
    detections = SimpleNamespace(
        xyxy=given["xyxy"],
        mask=compact,
        confidence=None,
        class_id=given["class_id"],
        tracker_id=None,
        data={},
    )
    path = tmp_path / "rows.parquet"
    with PredictionWriter(path) as writer:
        writer.add_detections("drive.mp4", 7, detections)
    table = polars.read_parquet(path)
    assert table["rle"].to_list() == [text.encode() for text in rle.encode_many(dense)]
    assert set(table.select("shape", "width_px", "height_px").rows()) == {("bitmask", 64, 36)}
    # Boxes cut two of them. The second ends at the frame's edges, and the fourth has no pixel left.
    assert np.flatnonzero((dense != whole).any(axis=(1, 2))).tolist() == [2, 3]
    assert writer.warnings["mask_at_box_edge"] == 1
