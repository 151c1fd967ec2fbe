"""Key and domain from options and environment; no key ever in what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from workbench import Bench, box, dataset

RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("given", ["key", "key file", "option over both"])
def test_key_and_domain_from_the_environment(bench: Bench, given: str) -> None:
    key = bench.emulator.ssh_key_path
    env = {"ENCORD_DOMAIN": bench.emulator.url}
    more: list[str] = []
    if given == "key":
        env["ENCORD_SSH_KEY"] = key.read_text()
    elif given == "key file":
        # The file wins, as in the SDK.
        env |= {"ENCORD_SSH_KEY_FILE": str(key), "ENCORD_SSH_KEY": "nonsense"}
    else:
        env |= {"ENCORD_SSH_KEY_FILE": "/nowhere", "ENCORD_SSH_KEY": "nonsense", "ENCORD_DOMAIN": "http://127.0.0.1:9"}
        more = ["--ssh-key", str(key), "--domain", bench.emulator.url]
    source = bench.write(dataset([box(1)]))
    arguments = [
        "--project",
        bench.emulator.project_hash,
        "--branch",
        bench.branch,
        "--work-dir",
        str(bench.folder),
        *more,
    ]
    ran = bench.cli("import", source, *arguments, env=env)
    assert (ran.code, len(bench.objects())) == (0, 1), ran.err


# The SDK's own exception for a key that it can load, but not use, holds the whole key.
@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH], ids=["PEM", "OpenSSH"])
@pytest.mark.parametrize("given", ["option", "variable", "file variable"])
def test_a_key_of_the_wrong_kind_is_never_shown(bench: Bench, given: str, form: PrivateFormat) -> None:
    text = RSA.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    path = bench.write(text, "id_rsa")
    source = bench.write(dataset([box(1)]))
    report = bench.folder / "report.json"
    arguments = ["import", source, "--project", bench.emulator.project_hash, "--branch", bench.branch,
                 "--domain", bench.emulator.url, "--report", report]  # fmt: skip
    env = {}
    if given == "option":
        arguments += ["--ssh-key", path]
    elif given == "variable":
        env["ENCORD_SSH_KEY"] = text
    else:
        env["ENCORD_SSH_KEY_FILE"] = str(path)
    before = bench.stored()
    ran = bench.process(*arguments, env=env)
    assert (ran.code, bench.stored()) == (2, before)
    assert "Ed25519" in ran.err
    written = "".join(p.read_text() for p in bench.folder.rglob("*") if p.is_file() and p not in (path, source))
    lines = [line for line in text.splitlines() if "-----" not in line]
    for shown in (ran.out, ran.err, written):
        assert "PRIVATE KEY-----" not in shown
        assert not any(line[:12] in shown or line[-12:] in shown for line in lines)


PASSPHRASE = "canary-passphrase"


def locked_key(bench: Bench) -> Path:
    """Write the emulator's key with a passphrase."""
    key = load_ssh_private_key(bench.emulator.ssh_key_path.read_bytes(), None)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    lock = BestAvailableEncryption(PASSPHRASE.encode())
    return bench.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock), "locked")


def with_key(bench: Bench, command: str, key: Path, *more: str | Path) -> list[str | Path]:
    return [command, *more, "--project", bench.emulator.project_hash, "--domain", bench.emulator.url, "--ssh-key", key]


@pytest.mark.parametrize(
    ("variable", "options"),
    [("ENCORD_SSH_KEY_PASSPHRASE", []), ("MY_PASSPHRASE", ["--ssh-key-passphrase-env", "MY_PASSPHRASE"])],
)
def test_a_key_with_a_passphrase_works_with_every_command(bench: Bench, variable: str, options: list[str]) -> None:
    key, env = locked_key(bench), {variable: PASSPHRASE}
    source = bench.write(dataset([box(1), box(2)]))
    to_branch = ["--branch", bench.branch, "--work-dir", str(bench.folder / "work")]
    ran = bench.cli(*with_key(bench, "import", key, source, *to_branch, *options), env=env)
    assert (ran.code, len(bench.objects())) == (0, 2), ran.err
    shown = bench.cli(*with_key(bench, "show", key, "--branch", bench.branch, "--json", *options), env=env)
    assert shown.code == 0 and json.loads(shown.out)
    taken = bench.cli(*with_key(bench, "snapshot", key, "--out", bench.folder / "project.json", *options), env=env)
    assert taken.code == 0, taken.err


@pytest.mark.parametrize(
    ("env", "options", "said"),
    [
        ({}, [], "protected by a passphrase"),
        ({"ENCORD_SSH_KEY_PASSPHRASE": "canary-of-another"}, [], "not opened by the passphrase"),
        ({"ENCORD_SSH_KEY_PASSPHRASE": PASSPHRASE}, ["--ssh-key-passphrase-env", "GONE"], "GONE, which is not set"),
    ],
)
def test_a_passphrase_that_is_missing_or_wrong_is_said_and_not_shown(
    bench: Bench, env: dict[str, str], options: list[str], said: str
) -> None:
    key = locked_key(bench)
    source = bench.write(dataset([box(1)]))
    before = bench.stored()
    ran = bench.process(*with_key(bench, "import", key, source, "--branch", bench.branch, *options), env=env)
    assert (ran.code, bench.stored()) == (2, before)
    assert said in ran.err
    lines = [line for line in key.read_text().splitlines() if "-----" not in line]
    assert "canary" not in ran.out + ran.err
    assert not any(line[:12] in ran.out + ran.err for line in lines)


def test_a_key_that_does_not_open_the_project_is_told_once(bench: Bench) -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    source = bench.write(dataset([box(1)]))
    path = bench.write(key, "stranger")
    ran = bench.process(*with_key(bench, "import", path, source, "--branch", bench.branch))
    assert ran.code == 1
    assert ran.err.count("the key does not open project") == 1
    assert "Traceback" not in ran.err and len(ran.err.splitlines()) == 1


def test_a_project_that_does_not_exist(bench: Bench) -> None:
    arguments = bench.arguments(bench.write(dataset([box(1)])))
    at = arguments.index(bench.emulator.project_hash)
    # A title that no project has, and a hash.
    for project, code in (("no-such\x1b[2Jproject", 2), ("0b5e0000-0000-4000-8000-000000000000", 1)):
        arguments[at] = project
        ran = bench.cli("import", *arguments)
        assert ran.code == code and project[:7] in ran.err
        assert "\x1b" not in ran.err and bench.objects() == []
