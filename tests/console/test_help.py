"""The help of every command, word for word: a changed sentence shows in review."""

from __future__ import annotations

import pytest
import typer
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from ropewalk.cli.commands import app
from runs import WIDE, words

COMMANDS = sorted(typer.main.get_group(app).commands)


def help_of(*command: str) -> str:
    ran = CliRunner().invoke(app, [*command, "--help"], env=WIDE)
    assert ran.exit_code == 0
    return words(ran.output)


def test_help_of_the_program(snapshot: SnapshotAssertion) -> None:
    assert help_of() == snapshot


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, snapshot: SnapshotAssertion) -> None:
    assert help_of(command) == snapshot
