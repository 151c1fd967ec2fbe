"""The private key: found, unlocked and checked here, so that neither key nor passphrase ever reaches a message.

Exceptions are raised outside of the handler of what caused them: a cause or context may hold parts of the key, and the
SDK's own exception for a key of another kind holds all of it.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from ropewalk.errors import UsageError
from ropewalk.text import shown

KEY_VARIABLE = "ENCORD_SSH_KEY"
KEY_FILE_VARIABLE = "ENCORD_SSH_KEY_FILE"
PASSPHRASE_VARIABLE = "ENCORD_SSH_KEY_PASSPHRASE"

_EXPECTED = "expected an Ed25519 private key in OpenSSH format (`ssh-keygen -t ed25519` makes one)"


def find_key(ssh_key: Path | None, passphrase_env: str | None) -> Ed25519PrivateKey:
    """Read the private key.

    Args:
        ssh_key: File with the key; else ENCORD_SSH_KEY_FILE names it or ENCORD_SSH_KEY holds it.
        passphrase_env: Environment variable that holds the key's passphrase; else ENCORD_SSH_KEY_PASSPHRASE, which is
            ignored where the key has none.

    Raises:
        UsageError: No key, not a usable key, or not its passphrase.
    """
    content, where = _key_text(ssh_key)
    passphrase = os.environ.get(passphrase_env or PASSPHRASE_VARIABLE) or None
    if passphrase_env is not None and passphrase is None:
        raise UsageError(f"--ssh-key-passphrase-env names {shown(passphrase_env)}, which is not set or empty")
    key = _load(content, None)
    if isinstance(key, _Locked):
        if passphrase is None:
            raise UsageError(
                f"{where} is protected by a passphrase; put it into {PASSPHRASE_VARIABLE}, "
                "or name another variable with --ssh-key-passphrase-env"
            )
        key = _load(content, passphrase.encode("utf-8", "surrogateescape"))
        if not isinstance(key, Ed25519PrivateKey):
            variable = shown(passphrase_env or PASSPHRASE_VARIABLE)
            raise UsageError(f"{where} is not opened by the passphrase in {variable}, or is damaged; {_EXPECTED}")
        return key
    if isinstance(key, _Unreadable):
        raise UsageError(f"{where} is not a private key; {_EXPECTED}")
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{where} is of another kind; {_EXPECTED}")
    if passphrase_env is not None:
        raise UsageError(f"{where} has no passphrase; leave out --ssh-key-passphrase-env")
    return key


def _key_text(ssh_key: Path | None) -> tuple[bytes, str]:
    named = ssh_key or os.environ.get(KEY_FILE_VARIABLE)
    if named:
        path = Path(named).expanduser()
        where = f"the key file {shown(str(path))}"
        try:
            return path.read_bytes(), where
        except OSError as e:
            reason = e.strerror
        raise UsageError(f"{where} cannot be read: {reason}")
    text = os.environ.get(KEY_VARIABLE)
    if not text:
        raise UsageError(f"no key: give --ssh-key FILE, or set {KEY_FILE_VARIABLE} or {KEY_VARIABLE}")
    return text.encode("utf-8", "surrogateescape"), f"the key in {KEY_VARIABLE}"


class _Locked:
    """Instead of a key that needs a passphrase."""


class _Unreadable:
    """Instead of a key that cannot be read."""


def _load(content: bytes, passphrase: bytes | None) -> object:
    try:
        return load_ssh_private_key(content, passphrase)
    except TypeError:
        return _Locked()
    except Exception:  # Any failure to parse means the same, and none of their texts may be shown.
        return _Unreadable()
