"""Every code that a reject, a filter or a warning can have stands in the guide, and nothing else does."""

from __future__ import annotations

import re

import pytest

from documents import ROOT
from ropewalk import errors

CORE = ROOT / "rust" / "core" / "src"
PACKAGE = ROOT / "python" / "ropewalk"
GUIDE = (ROOT / "docs" / "guide" / "errors.md").read_text(encoding="utf-8")

RUST = "".join(
    path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    for crate in ("core", "py")
    for path in sorted((ROOT / "rust" / crate / "src").rglob("*.rs"))
    if not path.stem.endswith("tests")
)
PYTHON = "".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py")))


def documented(heading: str) -> set[str]:
    """Codes in a section of the guide: in the first column, or, in a sentence, those that look like one."""
    section = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert section is not None
    rows = re.findall(r"^\| (`.*?) \|", section[1], re.MULTILINE)
    prose = "\n".join(line for line in section[1].splitlines() if not line.startswith("|"))
    words = re.findall(r"`([a-z_]+)`", " ".join(rows))
    return {*words, *re.findall(r"`((?:rle|polygon|size|mask)_[a-z_]+)`", prose)}


def quoted(pattern: str, text: str) -> set[str]:
    found = set(re.findall(pattern, text, re.MULTILINE))
    assert found, pattern
    return found


def test_rejects_of_annotations() -> None:
    reasons = (CORE / "reason.rs").read_text(encoding="utf-8")
    assert documented("Rejects of annotations") == quoted(r'^        [A-Z]\w+ = "([a-z_]+)"', reasons)


def test_rejects_of_masks() -> None:
    # `rle_order` is a column of the table.
    codes = quoted(r'"((?:rle|polygon)_[a-z_]+)"', RUST) - {"rle_order"}
    assert documented("Of masks") == codes | quoted(r'code="([a-z_]+)"', PYTHON)


def test_rejects_of_label_rows() -> None:
    (codes,) = re.findall(r"const ROW_CODES: .*?= \[(.*?)\];", RUST, re.DOTALL)
    assert documented("Rejects of label rows") == quoted(r'"([a-z_]+)"', codes)


def test_reasons_to_filter() -> None:
    rust = quoted(r'Filtered\("([a-z_]+)"\)', RUST) | quoted(r'\.filter\("([a-z_]+)"', RUST)
    assert documented("Filtered") == rust | quoted(r'report\.filter\("([a-z_]+)"', PYTHON)


def test_warnings() -> None:
    assert documented("Warnings") == quoted(r'warn\("([a-z_]+)"', RUST)


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error") and name != "RopewalkError"])
def test_an_error_class_is_described_with_its_bases(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| (.*?) \|", GUIDE, re.MULTILINE)
    assert row is not None
    bases = {base.__name__ for base in getattr(errors, name).__bases__} - {"RopewalkError"}
    assert set(re.findall(r"`(\w+)`", row[1])) == bases
