"""A project of the `encord` client from a key and a domain, without the key ever reaching a message."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ropewalk.errors import AccessError, EncordError, UsageError
from ropewalk.text import shown, without_secrets

if TYPE_CHECKING:
    import encord

KEY_VARIABLE = "ENCORD_SSH_KEY"
KEY_FILE_VARIABLE = "ENCORD_SSH_KEY_FILE"
DOMAIN_VARIABLE = "ENCORD_DOMAIN"


def open_project(project_hash: str, *, ssh_key_file: Path | None = None, domain: str | None = None) -> encord.Project:
    """Open a project.

    Args:
        project_hash: Which.
        ssh_key_file: File with the private key; else ENCORD_SSH_KEY_FILE names it or ENCORD_SSH_KEY holds it.
        domain: URL of the API; else ENCORD_DOMAIN, else the SDK's own.

    Returns:
        The project.

    Raises:
        UsageError: No key, not a usable key, or not a domain.
        AccessError: The key does not open the project.
        EncordError: Encord could not be reached or refused.
    """
    key = _checked_key(*_key_text(ssh_key_file))
    domain = domain or os.environ.get(DOMAIN_VARIABLE) or None
    # Imported late: the SDK takes longer to load than a wrong key to be found out.
    from encord import EncordUserClient
    from encord.configs import ENCORD_DOMAIN
    from encord.exceptions import (
        AuthenticationError,
        AuthorisationError,
        EncordException,
        ResourceNotFoundError,
        SshKeyNotFound,
    )

    domain = _checked_domain(domain or ENCORD_DOMAIN)
    try:
        return EncordUserClient.create_with_ssh_private_key(key, domain=domain).get_project(project_hash)
    except (AuthenticationError, AuthorisationError, SshKeyNotFound) as e:
        message = f"{domain}: the key does not open project {shown(project_hash)}: {without_secrets(e.message)}"
        raise AccessError(message, status=None, name=type(e).__name__) from None
    except ResourceNotFoundError as e:
        message = f"{domain}: there is no project {shown(project_hash)}, or the key's user may not see it"
        raise EncordError(message, status=None, name=type(e).__name__) from None
    except EncordException as e:
        message = f"{domain}: project {shown(project_hash)} could not be opened: {without_secrets(e.message)}"
        raise EncordError(message, status=None, name=type(e).__name__) from None


def _key_text(ssh_key_file: Path | None) -> tuple[bytes, str]:
    named = ssh_key_file or os.environ.get(KEY_FILE_VARIABLE)
    if named:
        path = Path(named).expanduser()
        where = f"the key file {shown(str(path))}"
        try:
            return path.read_bytes(), where
        except OSError as e:
            raise UsageError(f"{where} cannot be read: {e.strerror}") from None
    text = os.environ.get(KEY_VARIABLE)
    if not text:
        raise UsageError(f"no key: give --ssh-key FILE, or set {KEY_FILE_VARIABLE} or {KEY_VARIABLE}")
    return text.encode("utf-8", "surrogateescape"), f"the key in {KEY_VARIABLE}"


def _checked_key(content: bytes, where: str) -> str:
    # Loaded here first: the SDK's exception for a key of another kind holds the whole key. `from None` throughout,
    # since a cause's text or arguments may hold parts of it, too.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    expected = "expected an Ed25519 private key in OpenSSH format (`ssh-keygen -t ed25519` makes one)"
    try:
        key = load_ssh_private_key(content, None)
        text = content.decode("ascii")
    except TypeError:
        raise UsageError(f"{where} is protected by a passphrase; give a key without one") from None
    except Exception:  # Any failure to parse means the same, and none of their texts may be shown.
        raise UsageError(f"{where} is not a private key; {expected}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{where} is of another kind; {expected}") from None
    return text


def _checked_domain(domain: str) -> str:
    try:
        parts = urlsplit(domain)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and not parts.query
    except ValueError:
        valid = False
    if not valid:
        raise UsageError("the domain is not a URL like https://api.encord.com; see --domain and ENCORD_DOMAIN")
    return domain.rstrip("/")
