"""A mask of the letter F and a pixel in a corner: neither square nor symmetric."""

from __future__ import annotations

import numpy as np

H, W = 5, 8
F = np.array(
    [
        [0, 1, 1, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
    ],
    bool,
)
