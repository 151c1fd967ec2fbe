"""Counts the instructions of the core's work under callgrind, and compares them with those in `instructions.json`.

Seconds differ from hour to hour; instructions do not, however busy the machine is. Needs valgrind and cargo alone.

Exit codes: 0 nothing grew, 1 something grew or has no stored count, 2 nothing could be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
STORED = HERE / "instructions.json"
RENEW = "python benches/instructions.py --renew"

# Counts of one compiler repeat within a thousandth; a change elsewhere in a crate may move what is inlined.
TOLERANCE = 0.03

# In rust/bench/src/main.rs.
COUNTED = "*ropewalk_bench::counted*"

# Copying by the C library's loops for any x86-64: what it takes for newer processors differs between them, and copies
# with one instruction that is counted again for each byte.
PLAIN_COPIES = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"

SUCCESS, DIFFERS, NOT_COMPARED = 0, 1, 2


class CountError(Exception):
    """Nothing can be counted here; the text says what to do."""


class Counts(NamedTuple):
    """Instructions an item (annotation, mask, polygon) of each piece of work, and what they depend on."""

    rustc: str
    target: str
    per_item: dict[str, int]

    @property
    def made_by(self) -> str:
        """The compiler, with what it compiles for."""
        return f"{self.rustc} for {self.target}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, then compare or renew.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true", help="store the counts, whatever they are")
    renew = parser.parse_args(arguments).renew
    try:
        counted = count()
    except CountError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_COMPARED
    stored = Counts(**json.loads(STORED.read_text(encoding="utf-8"))) if STORED.exists() else None
    text, code = compare(stored, counted)
    if renew:
        STORED.write_text(json.dumps(counted._asdict(), indent=2) + "\n", encoding="utf-8")
        text, code = f"{table(stored, counted)}Stored in {STORED}.\n", SUCCESS
    sys.stdout.write(text)
    return code


def compare(stored: Counts | None, counted: Counts) -> tuple[str, int]:
    """Judge counts beside the stored ones.

    Returns:
        What is to be shown, and the exit code.
    """
    shown = table(stored, counted)
    if stored is None:
        return f"{shown}Nothing was compared: no counts are stored. To store these: {RENEW}\n", NOT_COMPARED
    if stored.made_by != counted.made_by:
        shown += (
            f"Nothing was compared: the stored counts are those of {stored.made_by}, these are of {counted.made_by}. "
            f"Count with that compiler, or store what this one makes of a state that is known to be good: {RENEW}\n"
        )
        return shown, NOT_COMPARED
    pairs = {name: (old, counted.per_item[name]) for name, old in stored.per_item.items() if name in counted.per_item}
    grown = [name for name, (old, new) in pairs.items() if new > old * (1 + TOLERANCE)]
    shrunk = [name for name, (old, new) in pairs.items() if new < old * (1 - TOLERANCE)]
    unpaired = sorted(stored.per_item.keys() ^ counted.per_item.keys())
    if grown:
        shown += (
            f"Grown by more than {TOLERANCE:.0%}: {'; '.join(grown)}. Find out why (callgrind_annotate shows where). "
            f"Where it is worth it, store the new counts and say so in the commit: {RENEW}\n"
        )
    if unpaired:
        shown += f"Only stored, or only counted: {'; '.join(unpaired)}. To store what there is now: {RENEW}\n"
    if shrunk:
        shown += f"Shrunk by more than {TOLERANCE:.0%}: {'; '.join(shrunk)}. To hold on to that: {RENEW}\n"
    return shown, DIFFERS if grown or unpaired else SUCCESS


def table(stored: Counts | None, counted: Counts) -> str:
    """Show counts beside the stored ones, a line for each piece of work."""
    before = stored.per_item if stored else {}
    lines = [f"{'instructions an item':<40}{'stored':>12}{'now':>12}{'change':>9}"]
    for name in [*counted.per_item, *(before.keys() - counted.per_item.keys())]:
        old, new = before.get(name), counted.per_item.get(name)
        change = f"{new / old - 1:+.2%}" if old and new else ""
        lines.append(f"{name:<40}{_number(old):>12}{_number(new):>12}{change:>9}")
    return "\n".join(lines) + "\n"


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def count() -> Counts:
    """Build the program that does the work, and count each piece.

    Raises:
        CountError: valgrind or cargo is missing, or fails.
    """
    for tool, remedy in (
        ("valgrind", "install it (apt-get install valgrind, dnf install valgrind); it runs on Linux"),
        ("cargo", "install Rust, as README.md says"),
    ):
        if shutil.which(tool) is None:
            raise CountError(f"{tool} is not on the PATH, and instructions cannot be counted without it: {remedy}")
    version = _run("rustc", "-vV").splitlines()
    (target,) = (line.removeprefix("host: ") for line in version if line.startswith("host: "))
    program = _build()
    names = _run(program).splitlines()
    return Counts(version[0], target, {name: _count_piece(program, name) for name in names})


def _build() -> str:
    """Build as users get it, and tell where cargo put the program."""
    messages = _run("cargo", "build", "--release", "--quiet", "--package=ropewalk-bench", "--message-format=json")
    built = [json.loads(line).get("executable") for line in messages.splitlines()]
    return str(next(path for path in built if path))


def _count_piece(program: str, name: str) -> int:
    """Count one piece of work, instructions an item."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        options = ["--quiet", "--tool=callgrind", f"--toggle-collect={COUNTED}", f"--callgrind-out-file={profile}"]
        items = int(_run("valgrind", *options, program, name, GLIBC_TUNABLES=PLAIN_COPIES))
        return round(read_total(profile.read_text(encoding="utf-8")) / items)


def read_total(profile: str) -> int:
    """Find the number of instructions in callgrind's file.

    Raises:
        CountError: None was counted.
    """
    totals = [int(line.removeprefix("totals: ")) for line in profile.splitlines() if line.startswith("totals: ")]
    if not any(totals):
        raise CountError(f"callgrind counted nothing; is there still a function that matches {COUNTED}?")
    return sum(totals)


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(command, cwd=HERE.parent, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise CountError(f"{' '.join(command)} failed with exit code {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
