"""Runs the command line in this process, and takes out of its output what changes between runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from ropewalk.cli.commands import app

# So wide that no line is broken: a line that grows changes no other.
WIDE = {"COLUMNS": "1000", "NO_COLOR": "1"}


class Console:
    """Runs commands in the current folder against a local Encord.

    Attributes:
        project_hash: The project on it.
        environment: The variables that lead commands to it.
    """

    def __init__(self, project_hash: str, url: str, key: Path) -> None:
        self.project_hash = project_hash
        self._url = url
        self.environment: dict[str, str | None] = {
            "ENCORD_DOMAIN": url,
            "ENCORD_SSH_KEY_FILE": str(key),
            "ENCORD_SSH_KEY": None,
            "ENCORD_SSH_KEY_PASSPHRASE": None,
        }

    def run(self, *lines: str) -> str:
        """Run commands, with HASH for the project's hash, and give what a terminal would show of them."""
        return "\n".join(self._run(line) for line in lines)

    def _run(self, line: str) -> str:
        arguments = [self.project_hash if word == "HASH" else word for word in shlex.split(line)]
        ran = CliRunner().invoke(app, arguments, env=self.environment | WIDE)
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return f"$ ropewalk {line}\n{self._steady(ran.output)}exit code {ran.exit_code}\n"

    def _steady(self, text: str) -> str:
        for pattern, name in (
            (re.escape(self._url), "URL"),
            (r"\b\d+\.\d s\b", "N s"),
            (r'"seconds": [\d.]+', '"seconds": N'),
            (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d UTC", "TIME"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(?:Z|\+00:00)?", "TIME"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME"),
            # The names of ledgers depend on the port of the local Encord.
            (r"(?<=ledger )[0-9a-f]{8,}", "LEDGER"),
        ):
            text = re.sub(pattern, name, text)
        return words(text) if "╭" in text else text


def words(text: str) -> str:
    """Leave the words: lines without frames, and without the blanks that align columns."""
    lines = (" ".join(line.strip("─╭╮╰╯│ ").split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line) + "\n"
