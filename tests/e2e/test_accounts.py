"""Key and domain from options and environment; no key ever in what is printed."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from workbench import Bench, box, dataset

RSA_PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)


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


@pytest.mark.parametrize("given", ["option", "variable", "file variable"])
def test_a_key_of_the_wrong_kind_is_never_shown(bench: Bench, given: str) -> None:
    path = bench.write(RSA_PEM, "id_rsa")
    source = bench.write(dataset([box(1)]))
    report = bench.folder / "report.json"
    arguments = ["import", source, "--project", bench.emulator.project_hash, "--branch", bench.branch,
                 "--domain", bench.emulator.url, "--report", report]  # fmt: skip
    env = {}
    if given == "option":
        arguments += ["--ssh-key", path]
    elif given == "variable":
        env["ENCORD_SSH_KEY"] = RSA_PEM
    else:
        env["ENCORD_SSH_KEY_FILE"] = str(path)
    before = bench.stored()
    ran = bench.process(*arguments, env=env)
    assert (ran.code, bench.stored()) == (2, before)
    assert "Ed25519" in ran.err
    written = "".join(p.read_text() for p in bench.folder.rglob("*") if p.is_file() and p not in (path, source))
    lines = [line for line in RSA_PEM.splitlines() if "-----" not in line]
    for text in (ran.out, ran.err, written):
        assert "PRIVATE KEY-----" not in text
        assert not any(line[:12] in text or line[-12:] in text for line in lines)


def test_a_project_that_does_not_exist(bench: Bench) -> None:
    arguments = bench.arguments(bench.write(dataset([box(1)])))
    arguments[arguments.index(bench.emulator.project_hash)] = "no-such\x1b[2Jproject"
    ran = bench.cli("import", *arguments)
    assert ran.code == 1 and "no-such" in ran.err
    assert "\x1b" not in ran.err and bench.objects() == []
