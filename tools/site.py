"""Hooks of mkdocs: folders in the navigation, and links that lead out of docs/."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(?:#[^)]*)?\)")


def on_config(config: Any) -> Any:
    """Put the pages of a folder in the place of its name, README first."""
    docs = Path(config["docs_dir"])

    def pages(entry: dict[str, Any]) -> dict[str, Any]:
        ((title, target),) = entry.items()
        if isinstance(target, list):
            return {title: [pages(below) for below in target]}
        if not (docs / target).is_dir():
            return entry
        found = sorted((docs / target).glob("*.md"), key=lambda page: (page.stem != "README", page.stem))
        return {title: [page.relative_to(docs).as_posix() for page in found]}

    config["nav"] = [pages(entry) for entry in config["nav"]]
    return config


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Name the file that a link leads to, if the site does not have it."""
    folder = posixpath.dirname(page.file.src_uri)

    def named(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", folder, link[2]))
        return link[0] if target.startswith("docs/") else f"{link[1]} (`{target}`)"

    return _LINK.sub(named, markdown)
