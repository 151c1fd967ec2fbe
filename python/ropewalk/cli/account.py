"""What commands do with the account's options: take them out of their own, and open a project with them."""

from __future__ import annotations

import math
from typing import Any

from ropewalk.cli.options import ACCOUNT


def take_account(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of the account out of those of a command."""
    return {name: options.pop(name) for name in ACCOUNT}


def open_project(project: str, account: dict[str, Any], retry_seconds: float = math.inf) -> Any:
    """Open a project; for `retry_seconds`, and no longer than an opening is tried."""
    from ropewalk.sinks.encord.client import OPENING_SECONDS
    from ropewalk.sinks.encord.client import open_project as opened
    from ropewalk.sinks.encord.retry import Retry

    return opened(project, **_key(account), retry=Retry(budget_seconds=min(retry_seconds, OPENING_SECONDS)))


def open_project_list(query: str | None, account: dict[str, Any]) -> Any:
    """List the projects that the account's key may see."""
    from ropewalk.sinks.encord.client import open_project_list as opened

    return opened(query, **_key(account))


def _key(account: dict[str, Any]) -> dict[str, Any]:
    return {"ssh_key_file" if name == "ssh_key" else name: value for name, value in account.items()}
