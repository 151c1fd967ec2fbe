"""Options that one repeats, from the file `ropewalk.toml` in the current folder.

```toml
project = "046550d1-13fe-4052-ac99-e6a2d84f9b72"   # for every command that takes it

[import]                                            # for one command
on-existing = "merge"
```

The command line wins over environment variables, these over the file, and the file over defaults.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ropewalk.errors import UsageError
from ropewalk.files import content_of
from ropewalk.text import shown

SETTINGS = Path("ropewalk.toml")


def defaults_of_folder(options: Mapping[str, Collection[str | None]]) -> dict[str, dict[str, Any]]:
    """Read the settings of the current folder.

    Args:
        options: Of each command the names of its options, as Python has them.

    Returns:
        The options of each command and their values; empty without such a file.

    Raises:
        UsageError: The file is not TOML, or it has an option or a command that does not exist.
        FileError: The file cannot be read.
    """
    if not SETTINGS.is_file():
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        given = tomllib.loads(content_of(SETTINGS).decode())
    except ValueError as e:
        raise UsageError(f"{SETTINGS} is not TOML: {e}") from e
    defaults: dict[str, dict[str, Any]] = {}
    # Those of one command come last, so that they win.
    for name, value in sorted(given.items(), key=lambda item: isinstance(item[1], dict)):
        if not isinstance(value, dict):
            option = _option(name)
            takers = [command for command, known in options.items() if option in known]
            if not takers:
                raise UsageError(_unknown("no command has the option", name, {o for k in options.values() for o in k}))
            for command in takers:
                defaults.setdefault(command, {})[option] = value
            continue
        if name not in options:
            raise UsageError(_unknown("no command is named", name, options))
        for key, own in value.items():
            if _option(key) not in options[name]:
                raise UsageError(_unknown(f"`{name}` does not have the option", key, options[name]))
            defaults.setdefault(name, {})[_option(key)] = own
    return defaults


def _option(name: str) -> str:
    # Python keeps `class` for itself.
    return "class_" if name == "class" else name.replace("-", "_")


def _unknown(what: str, name: str, known: Collection[str | None]) -> str:
    spelt = [option.rstrip("_").replace("_", "-") for option in known if option is not None]
    near = get_close_matches(name, spelt, n=1)
    return f'{SETTINGS}: {what} "{shown(name)}"' + (f"; did you mean {near[0]}?" if near else "")
