"""Keys, passphrases, Authorization headers and signed links: searched for in all that failing commands leave behind."""

from __future__ import annotations

import base64
import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from commands import Running, wait_until
from killed_at import halt_at
from ropewalk.emulator import rows
from ropewalk.emulator.checks import LabelChecker
from ropewalk.emulator.refusals import corrupted_label
from ropewalk.emulator.signatures import KeyRing
from ropewalk.text import without_secrets
from world import BRANCH, Json, Service, World, make_world, running_service, tell_at_the_end

PASSPHRASE = "canary-passphrase-5f1c"
TOKEN = "canary0token0d41d8cd98f00b204e"
SIGNED = f"https://bucket.example/media/drive.mp4?X-Amz-Credential=me%2F{TOKEN}&X-Amz-Signature={TOKEN}"
# What a server, or something in front of it, may say back.
SAYINGS = [
    f"cannot read {SIGNED}",
    f'{{"url": "{SIGNED}"}}'.replace("/", "\\/"),
    f"request had Authorization: Bearer {TOKEN}",
    f"request had {{'Authorization': 'abc:{TOKEN}'}}",
    f"proxy http://user:{TOKEN}@proxy.example/ refused",
    f"bad parameter X-Goog-Signature={TOKEN}&x=1",
]


@dataclass
class Found:
    """What is searched for, and what it is searched in.

    Attributes:
        secrets: What must stand nowhere.
        texts: What commands wrote, by command.
        signatures: Values of the Authorization and Signature headers that the server was sent.
        searched: Counts what was searched, for all tests together.
    """

    secrets: set[str] = field(default_factory=lambda: {PASSPHRASE, TOKEN})
    texts: dict[str, str] = field(default_factory=dict)
    signatures: set[str] = field(default_factory=set)
    searched: Counter[str] = field(default_factory=Counter)

    def key(self, text: str) -> str:
        """Search for what a private key's file holds, from now on."""
        body = [line for line in text.splitlines() if line and "-----" not in line]
        # The first line of each is the format's name, and of a key without passphrase the public key.
        self.secrets |= {line[-40:] for line in body[1:] if len(line) >= 40}
        return text

    def check(self, *folders: Path) -> int:
        """Check all output and all files under folders: how many texts were searched."""
        files = {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
        texts = {name: text.encode(errors="surrogateescape") for name, text in self.texts.items()} | files
        secrets = self.secrets | {part for value in self.signatures for part in value.split(":") if len(part) > 100}
        for name, text in texts.items():
            for secret in secrets:
                assert secret.encode() not in text, f"{name} holds {secret[:9]}..."
        self.searched.update(texts=len(texts), commands=len(self.texts), signatures=len(self.signatures))
        return len(texts)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), 6, 4)


@pytest.fixture(scope="module")
def searched(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    searched: Counter[str] = Counter()
    yield searched
    tell_at_the_end(
        request,
        f"keys, passphrases, tokens and {searched['signatures']} signatures searched in {searched['texts']} texts: the "
        f"output of {searched['commands']} commands and the files they left; none found",
    )


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, searched: Counter[str]) -> Found:
    found = Found(searched=searched)
    for name in ("verify_v1", "verify_v2"):
        verify = getattr(KeyRing, name)

        def noting(ring: KeyRing, *arguments: Any, verify: Callable[..., None] = verify) -> None:
            headers: Mapping[str, str] = next(a for a in arguments if hasattr(a, "items"))
            found.signatures.update(headers[name] for name in ("authorization", "signature") if name in headers)
            verify(ring, *arguments)

        monkeypatch.setattr(KeyRing, name, noting)
    # Every label row that the server hands out has a signed link in it.
    monkeypatch.setattr(rows, "data_link", lambda data_hash: f"{SIGNED}&{data_hash}")
    return found


@dataclass
class Commands:
    """Runs commands against a service, as loudly as they can be."""

    found: Found
    service: Service
    source: Path
    work_dir: Path
    key: Path
    env: dict[str, str] = field(default_factory=dict)
    timeout: str = "0.2"

    def start(
        self, command: str, *more: str, env: Mapping[str, str] | None = None, key: bool = True, **options: Any
    ) -> Running:
        emulator = self.service.emulator
        where = ["--project", emulator.project_hash, "--domain", emulator.url]
        where += ["--ssh-key", str(self.key)] if key else []
        sources = [str(self.source)] if command in ("import", "verify") else []
        branch = ["--branch", BRANCH] if command != "snapshot" else []
        work = ["--work-dir", str(self.work_dir)] if command in ("import", "verify", "rollback") else []
        trying = (
            ["--retry-seconds", "0.01", "--timeout", self.timeout]
            if command in ("import", "verify", "rollback")
            else []
        )
        return Running(
            [command, *sources, *where, *branch, *work, *trying, *more],
            env=self.env | dict(env or {}),
            loud=True,
            **options,
        )

    def run(self, command: str, *more: str, code: int | None = 1, **options: Any) -> str:
        found, text = self.start(command, *more, **options).wait()
        name = f"{len(self.found.texts)}: {command} {' '.join(more)}"
        self.found.texts[name] = text
        assert code in (None, found), (name, found, text)
        assert "Traceback" not in text, text
        return text


def locked_key(service: Service, path: Path) -> Path:
    """Write the emulator's key again, with a passphrase."""
    key = load_ssh_private_key(service.emulator.ssh_key_path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(PASSPHRASE.encode()))
    )
    return path


@pytest.fixture
def commands(world: World, found: Found, tmp_path: Path) -> Iterator[Callable[..., Commands]]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(faults: Json | None = None, *, locked: bool = False) -> Commands:
            service = stack.enter_context(running_service(world, faults))
            secret = load_ssh_private_key(service.emulator.ssh_key_path.read_bytes(), None)
            assert isinstance(secret, ed25519.Ed25519PrivateKey)
            raw = secret.private_bytes_raw()
            found.secrets |= {raw.hex(), base64.b64encode(raw).decode()[:40]}
            found.key(service.emulator.ssh_key_path.read_text())
            key, env = service.emulator.ssh_key_path, {}
            if locked:
                key = locked_key(service, tmp_path / "locked-key")
                found.key(key.read_text())
                env = {"ENCORD_SSH_KEY_PASSPHRASE": PASSPHRASE}
            return Commands(found, service, world.source, tmp_path / "work", key, env)

        yield make


FAULTS: dict[str, Json] = {
    "access": {"status": 401},
    "access in the envelope": {"error": "AUTHENTICATION_ERROR"},
    "a page": {"status": 502, "html": True},
    "a rate limit": {"status": 429},
    "cut off before": {"drop": "before"},
    "cut off after": {"drop": "after"},
    "half an answer": {"half_answer": True},
    "garbage": {"garbage": True},
    "another answer": {"answer": {"url": SIGNED, "Authorization": f"Bearer {TOKEN}"}},
    "another answer as a text": {"answer": SIGNED},
    "a stall": {"stall": {"when": "after", "seconds": 0.4}},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_imports_that_fail(commands: Callable[..., Commands], tmp_path: Path, kind: str, home: Path) -> None:
    operations = ["list", "create", "save"]
    for operation in operations:
        given = commands(
            {"rules": [{"operation": operation, "nth": list(range(1, 99)), **FAULTS[kind]}]}, locked=operation == "save"
        )
        given.run("import", code=None)
        given.run("verify", code=None)
    assert given.found.check(tmp_path / "work", home) > 2 * len(operations)
    assert len(given.found.signatures) > 6


def test_what_a_server_says_back(
    commands: Callable[..., Commands], tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying: list[str] = []

    def refusing(checker: LabelChecker, content: Json, header: object, medium: object) -> None:
        raise corrupted_label(saying[0])

    given = commands()
    # A good import first, so that there is something to roll back.
    given.run("import", code=0)
    store = given.service.emulator.store
    assert all(TOKEN in text for text in store.contents(header.label_hash for header in store.headers(BRANCH)))
    monkeypatch.setattr(LabelChecker, "check", refusing)
    for n, text in enumerate(SAYINGS):
        saying[:] = [text]
        said = given.run(
            "import", "--branch", f"pred-{n}", "--report", str(tmp_path / "work" / f"report-{n}.json"), code=3
        )
        assert "server_refused" in said
        (rejects,) = (tmp_path / "work").glob(f"rejects-pred-{n}.ndjson")
        assert "(hidden)" in rejects.read_text()
    given.run("rollback", "--yes", code=3)
    given.run("verify", code=None)
    given.run("show", code=0)
    given.run("snapshot", "--out", str(tmp_path / "work" / "project.json"), code=0)
    given.found.check(tmp_path / "work", home)


def test_keys_of_a_wrong_kind(commands: Callable[..., Commands], tmp_path: Path, home: Path) -> None:
    given = commands()
    plain, locked = NoEncryption(), BestAvailableEncryption(PASSPHRASE.encode())
    kinds: dict[str, Any] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        "unknown": ed25519.Ed25519PrivateKey.generate(),
    }
    keys: dict[str, str] = {}
    for name, key in kinds.items():
        for lock_name, lock in (("plain", plain), ("locked", locked)):
            for form_name, form in (("OpenSSH", PrivateFormat.OpenSSH), ("PKCS8", PrivateFormat.PKCS8)):
                text = key.private_bytes(Encoding.PEM, form, lock).decode()
                keys[f"{name} {lock_name} {form_name}"] = given.found.key(text)
    whole = keys["unknown plain OpenSSH"]
    keys |= {
        "cut": whole[: len(whole) // 2],
        "changed": whole.replace("A", "B"),
        "in one line": whole.replace("\n", " "),
        "twice": whole + whole,
    }
    for n, (name, text) in enumerate(keys.items()):
        path = tmp_path / "key"
        path.write_text(text)
        command = ("import", "show")[n % 2]
        variables = {"ENCORD_SSH_KEY_PASSPHRASE": PASSPHRASE + "?" * ("changed" in name)}
        given.run(command, "--ssh-key", str(path), code=None, env=variables)
        given.run(command, code=None, env={"ENCORD_SSH_KEY": text, "ENCORD_SSH_KEY_FILE": ""}, key=False)
    given.run("import", "--ssh-key", str(tmp_path), code=2)
    given.run("import", code=None, env={"ENCORD_SSH_KEY_PASSPHRASE": PASSPHRASE, "X": PASSPHRASE})
    given.run("import", "--ssh-key-passphrase-env", "X", code=2, env={"X": PASSPHRASE})
    assert given.found.check(tmp_path / "work", home) > len(keys)


def test_a_locked_branch_and_damaged_ledgers(commands: Callable[..., Commands], tmp_path: Path, home: Path) -> None:
    given = commands({"latency_ms": 60}, locked=True)
    given.timeout = "9"
    first = given.start("import", "--batch-rows", "1", "--jobs", "1", prepare=halt_at, prepare_with=("saved_noted", 1))
    wait_until(lambda: any(e.operation == "save" for e in given.service.history))
    assert "another import" in given.run("import")
    given.run("rollback", "--yes")
    # Most rows are left, so that it is interrupted before its end.
    first.kill(signal.SIGINT)
    first.kill(signal.SIGCONT)
    code, given.found.texts["interrupted"] = first.wait()
    assert code == 1
    (ledger,) = (tmp_path / "work" / "ledgers").glob("*.ledger")
    whole = ledger.read_bytes()
    for content in (whole[: len(whole) // 2], whole.replace(b"a", b"b"), b"", b"\xff" * 999):
        ledger.write_bytes(content)
        given.run("rollback", "--yes", code=None)
        given.run("import", code=0)
    ledger.unlink()
    ledger.mkdir()
    for command in ("import", "rollback"):
        given.run(command, *(["--yes"] if command == "rollback" else []))
    shutil.rmtree(ledger)
    given.run("verify", code=0)
    status, given.found.texts["status"] = Running(["status", "--work-dir", str(tmp_path / "work")], loud=True).wait()
    assert status == 0
    given.found.check(tmp_path / "work", home)
    assert len(given.found.signatures) > 10


@pytest.mark.parametrize("saying", SAYINGS)
def test_a_servers_words_are_shown_without_secrets(saying: str) -> None:
    assert TOKEN not in without_secrets(saying)
    assert TOKEN not in without_secrets(json.dumps({"said": saying}))


def test_the_search_finds_what_it_is_for(tmp_path: Path) -> None:
    found = Found()
    (tmp_path / "rejects.ndjson").write_text(f'{{"message": "{SIGNED}"}}')
    with pytest.raises(AssertionError, match="rejects.ndjson holds canary0to"):
        found.check(tmp_path)
    key = (
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    )
    found.key(key)
    (tmp_path / "rejects.ndjson").write_text(repr(key))
    with pytest.raises(AssertionError, match="holds"):
        found.check(tmp_path)
