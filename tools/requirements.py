"""Prints what the package needs to run, and with the names of extras what these need too: `requirements.py test`.

One requirement a line, as pip's `--requirement` reads it. So `make` installs them while the Rust core is being built.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    # Python 3.10 has no reader of TOML; its pip brings one.
    from pip._vendor import tomli as tomllib


def requirements(project: dict, extras: list[str]) -> Iterator[str]:
    """List requirements; an extra may name others of the same project: `ropewalk[emulator]`."""
    yield from project["dependencies"]
    for extra in extras:
        for requirement in project["optional-dependencies"][extra]:
            own = re.fullmatch(rf"{project['name']}\[(\w+)\]", requirement)
            yield from requirements({**project, "dependencies": []}, [own[1]]) if own else [requirement]


if __name__ == "__main__":
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    for line in requirements(tomllib.loads(text)["project"], sys.argv[1:]):
        print(line)
