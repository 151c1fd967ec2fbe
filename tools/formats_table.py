"""Prints README's table of formats, or writes it there with `--write`.

ropewalk formats --json | python tools/formats_table.py --write
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
BEGIN = "| format | source | |\n|---|---|---|\n"
COMPRESSED = (".gz", ".zst")


def table(formats: list[dict[str, Any]]) -> str:
    """Write a line for each format that reads files, in the order in which the program lists them."""
    lines = []
    for found in formats:
        suffixes = found["members"] or found["suffixes"]
        if suffixes:
            kinds = ", ".join(f"`{suffix}`" for suffix in suffixes if not suffix.endswith(COMPRESSED))
            source = f"folder of {kinds}" if found["members"] else kinds
            page = f"[{found['name']}](docs/guide/formats/{found['name']}.md)"
            lines.append(f"| {page} | {source} | {found['about']} |\n")
    return BEGIN + "".join(lines)


def with_table(text: str, formats: list[dict[str, Any]]) -> str:
    """Put the table in the place of the one that a text has."""
    return re.sub(re.escape(BEGIN) + r"(\|.*\n)*", lambda _: table(formats), text)


if __name__ == "__main__":
    listed = json.load(sys.stdin)
    if "--write" in sys.argv[1:]:
        README.write_text(with_table(README.read_text(encoding="utf-8"), listed), encoding="utf-8", newline="\n")
    else:
        print(table(listed), end="")
