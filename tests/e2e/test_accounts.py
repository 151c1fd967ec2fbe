"""Key and domain from options and environment; no key ever in what is printed."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

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


def test_a_project_that_does_not_exist(bench: Bench) -> None:
    arguments = bench.arguments(bench.write(dataset([box(1)])))
    arguments[arguments.index(bench.emulator.project_hash)] = "no-such\x1b[2Jproject"
    ran = bench.cli("import", *arguments)
    assert ran.code == 1 and "no-such" in ran.err
    assert "\x1b" not in ran.err and bench.objects() == []
