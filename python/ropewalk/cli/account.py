"""The options of the account, and opening a project with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from ropewalk.cli import console
from ropewalk.importing.options import ConnectOptions
from ropewalk.options import Opt, Options, fields_of, made

ACCOUNT = "Account"


@dataclass(frozen=True, kw_only=True)
class AccountOptions(Options):
    """Where Encord is, and the key that opens it."""

    domain: Annotated[
        str | None,
        Opt("URL of the API.", panel=ACCOUNT, metavar="URL", default_text="ENCORD_DOMAIN, or Encord's own"),
    ] = None
    ssh_key: Annotated[
        Path | None,
        Opt(
            "File with the private key (Ed25519).",
            panel=ACCOUNT,
            metavar="FILE",
            default_text="the file named by ENCORD_SSH_KEY_FILE, or the key in ENCORD_SSH_KEY",
        ),
    ] = None
    ssh_key_passphrase_env: Annotated[
        str | None,
        Opt(
            "Environment variable that holds the private key's passphrase.",
            panel=ACCOUNT,
            metavar="NAME",
            default_text="ENCORD_SSH_KEY_PASSPHRASE",
        ),
    ] = None


def chosen(project: str | None, project_file: Path | None) -> tuple[str | None, Path | None]:
    """Choose between a project and what can be given instead of it: what the command line has wins.

    A project of the environment or of `ropewalk.toml` gives way to a `--project-file`, or to a file of labels, that is
    given on the command line; so does a project file of `ropewalk.toml` to a `--project`.
    """
    if not console.is_typed("project") and (console.is_typed("project_file") or console.is_typed("labels")):
        project = None
    if console.is_typed("project") and not console.is_typed("project_file"):
        project_file = None
    return project, project_file


def open_project(project: str, options: Mapping[str, Any]) -> Any:
    """Open a project by the options of a command, as long as these allow and no longer than an opening is tried.

    Args:
        project: Its hash, its exact title, or its address in the app.
        options: The command's.
    """
    from ropewalk.sinks.encord.client import OPENING_SECONDS
    from ropewalk.sinks.encord.client import open_project as opened
    from ropewalk.sinks.encord.retry import Retry

    given = {name: options[name] for name in fields_of(ConnectOptions) if name in options}
    connect = made(ConnectOptions, given)
    return opened(
        project,
        **{name: options[name] for name in fields_of(AccountOptions)},
        retry=Retry(budget_seconds=min(connect.retry_seconds, OPENING_SECONDS)),
        timeout=connect.timeout,
    )


def open_project_list(query: str | None, account: Mapping[str, Any]) -> Any:
    """List the projects that the account's key may see."""
    from ropewalk.sinks.encord.client import open_project_list as opened

    return opened(query, **account)
