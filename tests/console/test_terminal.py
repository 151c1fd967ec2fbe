"""What only a terminal shows: a question before something is sent, bars that end, tables that fit."""

from __future__ import annotations

import os
import pty
import re
import sys

import pytest

from runs import Console

if sys.platform == "win32":
    pytest.skip("terminals of this kind are of Unix", allow_module_level=True)

COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(console: Console, line: str, answer: str = "", *, columns: int = 100) -> tuple[str, int]:
    """Run a command on a terminal of its own; give what that shows, and the exit code."""
    arguments = [console.project_hash if word == "HASH" else word for word in line.split()]
    environment = os.environ | {k: v for k, v in console.environment.items() if v is not None}
    environment |= {"COLUMNS": str(columns), "TERM": "xterm"}
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-m", "ropewalk", *arguments], environment)
    os.write(terminal, answer.encode())
    parts = []
    try:
        while part := os.read(terminal, 1 << 16):
            parts.append(part)
    except OSError:
        # Linux says so that the other end is closed.
        pass
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    text = COLOURS.sub("", b"".join(parts).decode("utf-8", "replace"))
    return text.replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


IMPORT = "import predictions --project HASH --branch model-1"


def test_an_import_shows_its_plan_and_asks(console: Console) -> None:
    text, code = on_terminal(console, IMPORT, "n\n")
    assert code == 1
    assert re.search(r"Send 400 annotations in 8 label rows, [0-9.]+ kB, to branch model-1 of Ropewalk demo", text)
    order = ("plan: onto branch model-1", "Send 400", "not confirmed; nothing was sent")
    assert sorted(order, key=text.index) == list(order)
    assert "sending" not in text
    text, code = on_terminal(console, IMPORT, "y\n")
    assert (code, "400 annotations read: 400 written" in text) == (0, True)
    text, code = on_terminal(console, f"{IMPORT} --yes")
    assert (code, "Send 400" in text) == (0, False)
    assert "400 already there" in text


def test_it_does_not_ask_where_nobody_can_answer(console: Console) -> None:
    assert "400 annotations read: 400 written" in console.run(IMPORT)


def test_verify_shows_its_answer_below_its_bars(console: Console) -> None:
    console.run(IMPORT)
    text, code = on_terminal(console, "verify predictions --project HASH --branch model-1")
    assert code == 0
    assert text.splitlines()[-1].startswith("verified: 400 of 400 annotations")
    assert "verifying" not in text[text.index("verified:") :]
