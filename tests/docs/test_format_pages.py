"""Every format of the core's table has a page that names its options and the rejects of its examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from documents import ROOT
from ropewalk import _core

PAGES = ROOT / "docs" / "guide" / "formats"
FORMATS = {found["name"]: found for found in _core.formats() if found["suffixes"] or found["members"]}
# Options of every format are described once, in the list of formats.
COMMON = set.intersection(*(set(found["options"]) for found in FORMATS.values()))


def flag(option: str) -> str:
    """Spell an option as the command line does."""
    return "--" + option.rstrip("_").replace("_", "-")


def missing(page: Path, names: set[str]) -> set[str]:
    text = page.read_text(encoding="utf-8")
    return {name for name in names if name not in text}


def test_every_format_has_a_page_and_every_page_is_a_format() -> None:
    assert {page.name for page in PAGES.iterdir()} == {"README.md", *(f"{name}.md" for name in FORMATS)}


def test_the_first_page_names_the_options_of_all_formats() -> None:
    assert missing(PAGES / "README.md", {flag(option) for option in COMMON}) == set()


@pytest.mark.parametrize("name", FORMATS)
def test_a_page_names_the_options_that_its_format_takes(name: str) -> None:
    own = {f"`{flag(option)}" for option in FORMATS[name]["options"] if option not in COMMON}
    assert missing(PAGES / f"{name}.md", own) == set()


@pytest.mark.parametrize("name", FORMATS)
def test_a_page_names_the_codes_that_its_examples_show(name: str) -> None:
    malformed = ROOT / "tests" / "formats" / name / "malformed"
    codes = {f"`{folder.name}`" for folder in malformed.iterdir() if not folder.name.startswith("blocker-")}
    assert codes
    assert missing(PAGES / f"{name}.md", codes) == set()
