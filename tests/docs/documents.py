"""Finds what the documents show: their blocks and the commands in them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
FOR_DEVELOPERS = [ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]
GUIDES = sorted((ROOT / "docs" / "guide").rglob("*.md"))


def blocks(document: Path, language: str) -> list[str]:
    """List the fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def commands(document: Path, program: str) -> list[list[str]]:
    """List the arguments of a program's lines in console blocks, comments left out."""
    lines = [line for block in blocks(document, "console") for line in block.splitlines()]
    typed = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines if line.startswith("$ ")]
    return [arguments[1:] for arguments in typed if arguments[0] == program]


def run_ropewalk(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, wide enough that no help is cut."""
    return subprocess.run(
        [sys.executable, "-m", "ropewalk", *arguments],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "250", "NO_COLOR": "1", "PYTHONUTF8": "1"} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
