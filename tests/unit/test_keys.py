"""Keys of every kind: used, or refused without a word of them or of their passphrase."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from ropewalk.errors import UsageError
from ropewalk.sinks.encord.keys import find_key

PASSPHRASE = "canary passphrase é"
LOCKED = BestAvailableEncryption(PASSPHRASE.encode())
KEY = ed25519.Ed25519PrivateKey.generate()
OF_ANOTHER_KIND = rsa.generate_private_key(65537, 2048)


def text_of(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, lock: KeySerializationEncryption) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock).decode()


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENCORD_SSH_KEY", "ENCORD_SSH_KEY_FILE", "ENCORD_SSH_KEY_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("variable", ["ENCORD_SSH_KEY_PASSPHRASE", "MY_PASSPHRASE"])
def test_a_key_with_a_passphrase_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    path = tmp_path / "key"
    path.write_text(text_of(KEY, LOCKED))
    monkeypatch.setenv("ENCORD_SSH_KEY_PASSPHRASE", "of another key")
    monkeypatch.setenv(variable, PASSPHRASE)
    key = find_key(path, None if variable.startswith("ENCORD") else variable)
    assert key.private_bytes_raw() == KEY.private_bytes_raw()


def test_a_passphrase_for_other_keys_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORD_SSH_KEY_PASSPHRASE", "of another key")
    monkeypatch.setenv("ENCORD_SSH_KEY", text_of(KEY, NoEncryption()))
    assert find_key(None, None).private_bytes_raw() == KEY.private_bytes_raw()


LOCKED_TEXT = text_of(KEY, LOCKED)


@pytest.mark.parametrize(
    ("text", "env", "named", "said"),
    [
        (LOCKED_TEXT, {}, None, r"protected by a passphrase; .*ENCORD_SSH_KEY_PASSPHRASE.*--ssh-key-passphrase-env"),
        (LOCKED_TEXT, {"ENCORD_SSH_KEY_PASSPHRASE": ""}, None, "protected by a passphrase"),
        (LOCKED_TEXT, {"ENCORD_SSH_KEY_PASSPHRASE": PASSPHRASE[:-1]}, None, "not opened .* ENCORD_SSH_KEY_PASSPHRASE"),
        (LOCKED_TEXT, {"OTHER": PASSPHRASE + " "}, "OTHER", "not opened by the passphrase in OTHER"),
        (LOCKED_TEXT, {"ENCORD_SSH_KEY_PASSPHRASE": PASSPHRASE}, "OTHER", "OTHER, which is not set or empty"),
        (LOCKED_TEXT, {"OTHER": ""}, "OTHER", "OTHER, which is not set or empty"),
        (text_of(KEY, NoEncryption()), {"OTHER": PASSPHRASE}, "OTHER", "has no passphrase"),
        (text_of(OF_ANOTHER_KIND, NoEncryption()), {}, None, "of another kind; expected an Ed25519"),
        (text_of(OF_ANOTHER_KIND, LOCKED), {"OTHER": PASSPHRASE}, "OTHER", "expected an Ed25519"),
        (LOCKED_TEXT[:200], {"OTHER": PASSPHRASE}, "OTHER", "is not a private key; expected an Ed25519"),
        (LOCKED_TEXT.replace("b", "c"), {"OTHER": PASSPHRASE}, "OTHER", "expected an Ed25519"),
        ("", {}, None, "no key: give --ssh-key FILE"),
    ],
)
def test_what_is_refused_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, text: str, env: dict[str, str], named: str | None, said: str
) -> None:
    for name, value in ({"ENCORD_SSH_KEY": text} | env).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=said) as raised:
        find_key(None, named)
    assert raised.value.__context__ is None and raised.value.__cause__ is None
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert "canary" not in shown
    assert not any(line[:12] in shown for line in text.splitlines() if "-----" not in line)


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-such-key cannot be read: No such file") as raised:
        find_key(tmp_path / "no-such-key", None)
    assert raised.value.__context__ is None
