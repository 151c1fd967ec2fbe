"""What disks and networks do to files."""

from __future__ import annotations

import random
from collections.abc import Iterator


def damaged(content: bytes, files: int, seed: int) -> Iterator[bytes]:
    """Cut it off, change a bit, zero a stretch, leave one out, repeat one."""
    draw = random.Random(seed)
    for number in range(files):
        at = draw.randrange(len(content))
        # Half of the places are where files of tables say what is in them.
        if number % 2:
            at = len(content) - 1 - draw.randrange(min(len(content), 2000))
        length = draw.choice((1, 8, 64, 512))
        match number % 5:
            case 0:
                yield content[:at]
            case 1:
                yield content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]
            case 2:
                yield content[:at] + bytes(len(content[at : at + length])) + content[at + length :]
            case 3:
                yield content[:at] + content[at + length :]
            case 4:
                yield content[: at + length] + content[at:]
