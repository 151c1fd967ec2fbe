"""The commands and codes of the guides to `inspect` and `map` are those of the program."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from documents import ROOT, blocks, commands, run_ropewalk

GUIDE = ROOT / "docs" / "guide"


@pytest.mark.parametrize(("page", "names"), [("inspecting", {"inspect"}), ("maps", {"map", "import"})])
def test_the_commands_run(demo_folder: Path, page: str, names: set[str]) -> None:
    lines = commands(GUIDE / f"{page}.md", "ropewalk")
    assert {arguments[0] for arguments in lines} == names
    for arguments in lines:
        done = run_ropewalk(*arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)


def test_the_python_runs(demo_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks(GUIDE / "inspecting.md", "python")
    exec(block, {})
    assert "'lorry'" in capsys.readouterr().out


def test_the_map_shown_is_json() -> None:
    (block,) = blocks(GUIDE / "maps.md", "json")
    assert json.loads(block)["*"] == "match"


def test_each_finding_is_in_its_table() -> None:
    sources = (ROOT / "python" / "ropewalk" / "inspecting").glob("*.py")
    codes = {code for path in sources for code in re.findall(r'Finding\(\s*"([a-z_]+)"', path.read_text("utf-8"))}
    rows = re.findall(r"^\| `([a-z_]+)` \|", (GUIDE / "inspecting.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(codes)
