"""One self-contained page of HTML: styles, script and data are inside, and it names no outside address."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; padding: .3rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { position: sticky; top: 0; background: Canvas; } tr:hover td { background: var(--soft); }
td { overflow-wrap: anywhere; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font-size: .9em; }
"""


def page(title: str, body: str, data: Any = None, script: str | None = None) -> str:
    """Make a page.

    Args:
        title: Of the page, as text.
        body: HTML in which all that comes from a user is escaped, as `table` and `html.escape` do.
        data: JSON types that the script finds in the element `data`.
        script: JavaScript; None for a page that only shows.

    Returns:
        The page.
    """
    # Inside an element for scripts only `<` could end it.
    stored = "" if data is None else json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    parts = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}",
        f'<script type="application/json" id="data">{stored}</script>' if stored else "",
        f"<script>{script}</script>" if script else "",
        "</body>\n</html>\n",
    )
    return "\n".join(part for part in parts if part)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Make a table of HTML; every cell is escaped, and numbers are aligned to the right.

    Args:
        columns: Their headings.
        rows: Cells; numbers get thousands separators.
    """
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"


def lines(text: str) -> str:
    """Make lines of text into HTML for a notebook; all of it is escaped."""
    return f"<pre>{escape(text)}</pre>"
