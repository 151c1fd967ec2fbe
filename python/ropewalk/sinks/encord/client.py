"""Projects of the `encord` client from a key and a domain, opened under our own policy of retries."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ropewalk.errors import UsageError
from ropewalk.project.web import PROJECT_VARIABLE, domain_of_address, hash_in_address, is_hash
from ropewalk.sinks.encord.keys import find_key
from ropewalk.sinks.encord.retry import Retry
from ropewalk.sinks.encord.versions import installed
from ropewalk.text import shown

if TYPE_CHECKING:
    import encord

    from ropewalk.showing.projects import ListedProject

Opened = TypeVar("Opened")

DOMAIN_VARIABLE = "ENCORD_DOMAIN"

# Nothing has begun yet and somebody waits: a wrong domain should be found out before a server that is away comes back.
OPENING_SECONDS = 60.0

# For the answer to one request.
ANSWER_SECONDS = 60.0


def open_project(
    project: str,
    *,
    ssh_key: Path | None = None,
    ssh_key_passphrase_env: str | None = None,
    domain: str | None = None,
    retry: Retry | None = None,
    timeout: float = ANSWER_SECONDS,
) -> encord.Project:
    """Open a project.

    The SDK's own retries are off for the project, since they would multiply ours.

    Args:
        project: Its hash, its exact title, or its address in the app.
        ssh_key: File with the private key; else ENCORD_SSH_KEY_FILE names it or ENCORD_SSH_KEY holds it.
        ssh_key_passphrase_env: Environment variable with the key's passphrase, else ENCORD_SSH_KEY_PASSPHRASE.
        domain: URL of the API; else ENCORD_DOMAIN, else the SDK's own.
        retry: When a request is sent again; else for a minute.
        timeout: Seconds for the answer to one request, rounded up.

    Returns:
        The project.

    Raises:
        UsageError: No key, not a usable key, not its passphrase, or not a domain; none or several projects with that
            title.
        AccessError: The key does not open the project.
        UnreachableError: A certificate, a host name or a proxy keeps every request from being answered.
        EncordError: Encord could not be reached or refused.
        Stopped: The policy's `stop` was set.
    """
    domain = domain or os.environ.get(DOMAIN_VARIABLE) or domain_of_address(project)
    return _opened(
        f"project {shown(project)}",
        lambda client: client.get_project(_hash_of(client, project)),
        ssh_key=ssh_key,
        ssh_key_passphrase_env=ssh_key_passphrase_env,
        domain=domain,
        retry=retry,
        timeout=timeout,
    )


def _hash_of(client: encord.EncordUserClient, project: str) -> str:
    found = project if is_hash(project) else hash_in_address(project)
    if found is not None:
        return found
    titled = [item.project_hash for item in client.list_projects(title_eq=project) if item.title == project]
    if len(titled) == 1:
        return titled[0]
    if not titled:
        raise UsageError(
            f"no project that the key may see is titled {shown(project)}; give its hash, its exact title or its "
            "address in the app (`ropewalk projects` lists them)"
        )
    raise UsageError(f"{len(titled)} projects are titled {shown(project)}; give a hash: {', '.join(sorted(titled))}")


def connect(
    project: str | None = None,
    *,
    ssh_key: str | os.PathLike[str] | None = None,
    domain: str | None = None,
) -> encord.Project:
    """Open a project with what the environment says.

    Args:
        project: Its hash, its exact title, or its address in the app; else ENCORD_PROJECT.
        ssh_key: File with the private key; else ENCORD_SSH_KEY_FILE names it or ENCORD_SSH_KEY holds it, with the
            passphrase in ENCORD_SSH_KEY_PASSPHRASE.
        domain: URL of the API; else ENCORD_DOMAIN, else Encord's own.

    Returns:
        A project of the `encord` client.

    Raises:
        UsageError: No project, no usable key, or not a domain; none or several projects with that title.
        EncordError: The key was refused, or Encord could not be reached.

    Example:
        >>> project = connect()  # doctest: +SKIP
    """
    named = project or os.environ.get(PROJECT_VARIABLE)
    if not named:
        raise UsageError(f"no project is named; give its hash or title, or set {PROJECT_VARIABLE}")
    return open_project(named, ssh_key=None if ssh_key is None else Path(ssh_key), domain=domain)


def open_project_list(query: str | None = None, **account: Any) -> list[ListedProject]:
    """List the projects that a key may see, as `list_projects` does.

    Args:
        query: Only projects with such a title.
        **account: Key, domain and policy of retries, as `open_project` takes them.

    Raises:
        EncordError: As `open_project` raises it; UsageError and Stopped likewise.
    """
    from ropewalk.showing.projects import projects_of

    return _opened("the list of projects", lambda client: projects_of(client, query), **account)


def _opened(
    what: str,
    opened: Callable[[encord.EncordUserClient], Opened],
    *,
    ssh_key: Path | None = None,
    ssh_key_passphrase_env: str | None = None,
    domain: str | None = None,
    retry: Retry | None = None,
    timeout: float = ANSWER_SECONDS,
) -> Opened:
    key = find_key(ssh_key, ssh_key_passphrase_env)
    # Imported late: the SDK takes longer to load than a wrong key to be found out.
    from encord.configs import ENCORD_DOMAIN

    from ropewalk.sinks.encord.transport import Timeouts

    try:
        from ropewalk.sinks.encord.opening import Opening
    except ImportError as e:
        raise UsageError(
            f"the encord SDK {installed()} lacks what opens {what} here ({e}); open the project with its own client "
            "and use Ropewalk from Python, or install a release of either that fits the other"
        ) from e

    url = _checked_domain(domain or os.environ.get(DOMAIN_VARIABLE) or ENCORD_DOMAIN)
    opening = Opening(what, opened, key, url, Timeouts(answer=timeout))
    return (retry or Retry(budget_seconds=OPENING_SECONDS))(opening.attempt)


def _checked_domain(domain: str) -> str:
    try:
        parts = urlsplit(domain)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and not parts.query
    except ValueError:
        valid = False
    if not valid:
        raise UsageError("the domain is not a URL like https://api.encord.com; see --domain and ENCORD_DOMAIN")
    return domain.rstrip("/")
