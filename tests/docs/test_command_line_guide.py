"""The blocks of the guide to the command line run as they stand there, from the first line to the last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from documents import ROOT, blocks

GUIDE = ROOT / "docs" / "guide" / "command-line.md"


@pytest.mark.usefixtures("demo_folder")
def test_the_blocks_can_be_pasted(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "ropewalk"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ropewalk "$@"\n')
    program.chmod(0o755)
    names = ("ENCORD_PROJECT", "ENCORD_DOMAIN", "ENCORD_SSH_KEY_FILE", "ENCORD_SSH_KEY")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["PATH"] = f"{program.parent}{os.pathsep}{environment['PATH']}"
    outputs = []
    for block in blocks(GUIDE, "console"):
        lines = "".join(f"{line.removeprefix('$ ')}\n" for line in block.splitlines())
        done = subprocess.run(
            ["bash", "-e", "-c", lines], env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    pasted, beside = outputs
    assert "model-1\tstreet-6.mp4\t" in pasted
    assert "Ropewalk demo" in beside
