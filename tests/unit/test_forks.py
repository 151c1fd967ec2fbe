"""Processes that are forked while the parent's threads stand by, as multiprocessing and torch's DataLoader do."""

from __future__ import annotations

import multiprocessing
import os

import numpy as np
import pytest

from ropewalk import rle

if not hasattr(os, "fork"):
    pytest.skip("forks need a POSIX system", allow_module_level=True)

CHILDREN = 100 if os.environ.get("ROPEWALK_SOAK") == "full" else 8


def encode(seed: int) -> list[str]:
    masks = [np.random.default_rng(seed + at).random((37, 53)) < 0.5 for at in range(6)]
    return rle.encode_many(masks)


# The parent's threads are the very thing that is tested.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_children_encode_after_their_parent_did() -> None:
    expected = encode(0)
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        # A child that waits for its parent's threads does so for ever.
        found = pool.map_async(encode, range(CHILDREN), chunksize=1).get(timeout=30 + CHILDREN)
    assert found[0] == expected
    assert found == [encode(seed) for seed in range(CHILDREN)]
