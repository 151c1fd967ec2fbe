"""Shows how a branch differs from its source: a table by medium, class and kind of difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from ropewalk.cli.grid import write_grid
from ropewalk.text import count

# Lines that are shown; `--json` has more of them, `--out` each difference.
_SHOWN = 20

_COLUMNS = ("medium", "data hash", "class", "difference", "annotations")


def show_differences(found: Sequence[Mapping[str, Any]], *, err: bool) -> None:
    """Write differences to stdout, or to stderr; of many the most frequent ones, and the sum of the others.

    Args:
        found: `Verification.differences` as dicts.
        err: To stderr instead of stdout.
    """
    if not found:
        return
    listed = [item for item in found if item["title"] is not None][:_SHOWN]
    rows = (
        (item["title"], item["data_hash"], item["class_name"] or "", item["code"], f"{item['annotations']:,}")
        for item in listed
    )
    write_grid(_COLUMNS, rows, err=err)
    left = sum(item["annotations"] for item in found) - sum(item["annotations"] for item in listed)
    if left:
        typer.echo(f"and {count(left, 'more difference')}; `ropewalk verify --out FILE` lists each", err=err)
