"""The tutorials run command by command, and print what they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from documents import ROOT, run_ropewalk
from ropewalk.emulator import running_emulator
from ropewalk.project.snapshot import read_snapshot

TUTORIALS = ROOT / "docs" / "tutorial"


def write_files(text: str) -> None:
    """Write the files that a tutorial shows."""
    for name, content in re.findall(r"^`([^`\n]+)`:\n\n```text\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")


def steps(text: str) -> list[tuple[list[str], list[str]]]:
    """List the commands with the lines that are shown below each."""
    found: list[tuple[list[str], list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((shlex.split(line[2:]), []))
            else:
                found[-1][1].append(line)
    return [(command[1:], shown) for command, shown in found if command[0] == "ropewalk" and command[1] != "demo"]


def timeless(line: str) -> str:
    """Cut what differs from run to run: sizes and seconds; progress is drawn beside what is said."""
    return re.sub(r"[\d.]+ (kB|B|s)\b", "", line)


@pytest.mark.usefixtures("demo_folder")
@pytest.mark.parametrize("name", ["emulator.md", "account.md"])
def test_a_tutorial_runs(name: str, demo_folder: Path) -> None:
    text = (TUTORIALS / name).read_text(encoding="utf-8")
    write_files(text)
    commands = steps(text)
    assert len(commands) > 5
    with running_emulator(read_snapshot(demo_folder / "project.json")) as local:
        account = {
            "ENCORD_DOMAIN": local.url,
            "ENCORD_SSH_KEY_FILE": str(local.ssh_key_path),
            "ENCORD_PROJECT": local.project_hash,
        }
        for arguments, shown in commands:
            done = run_ropewalk(*arguments, **account)
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)
            printed = {timeless(line) for line in (done.stdout + done.stderr).splitlines()}
            missing = [line for line in shown if timeless(line) not in printed]
            assert not missing, (arguments, done.stdout, done.stderr)
