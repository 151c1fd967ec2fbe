"""Why a request got no answer: the message names the certificate, host or proxy at once, and holds no password."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord import Project
from typer.testing import CliRunner

from playback import PROJECT_HASH, Playback
from ropewalk.cli.commands import app
from ropewalk.errors import EncordError, TemporaryEncordError, UnreachableError
from ropewalk.sinks.encord.client import open_project
from ropewalk.sinks.encord.retry import Retry
from ropewalk.sinks.encord.sdk_calls import translated
from ropewalk.sinks.encord.transport import Transport

CANARY = "canary-of-a-password"
LINE_END = b"\r\n"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return path


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[int]]]:
    """Take connections on a port, and count them."""
    server = socket.create_server(("127.0.0.1", 0))
    taken: list[int] = []

    def run() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            taken.append(1)
            with connection, suppress(OSError):
                serve(connection)

    threading.Thread(target=run, daemon=True).start()
    try:
        yield server.getsockname()[1], taken
    finally:
        server.close()


def answering(status: str) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        head = [f"HTTP/1.1 {status}".encode(), b"Content-Length: 0", b"Connection: close", b"", b""]
        connection.sendall(LINE_END.join(head))

    return serve


def certificate(folder: Path, days: int = 1, host: str = "localhost") -> Path:
    """Make a certificate that vouches for itself, with its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=3))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}{days}.pem"
    own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(own + made.public_bytes(Encoding.PEM))
    return path


def in_tls(path: Path) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            answering("503 Busy")(encrypted)  # type: ignore[arg-type]

    return serve


def failure(domain: str, key_file: Path, seconds: float = 30) -> EncordError:
    """Open a project that nothing can open; give the error, which holds nothing of what was wrapped."""
    with pytest.raises(EncordError) as raised:
        open_project(PROJECT_HASH, ssh_key=key_file, domain=domain, retry=Retry(seconds, first_wait=0.001), timeout=5)
    assert raised.value.__context__ is None and raised.value.__cause__ is None
    assert CANARY not in str(raised.value)
    return raised.value


def test_a_certificate_of_an_unknown_authority(tmp_path: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = certificate(tmp_path)
    with listening(in_tls(path)) as (port, taken):
        error = failure(f"https://localhost:{port}", key_file)
        assert (type(error), error.name, len(taken)) == (UnreachableError, "CertificateError", 1)
        assert "certificate is not valid" in str(error) and "REQUESTS_CA_BUNDLE" in str(error)
        # With the variable that the message names it is trusted, and the server's own answer is seen.
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            with monkeypatch.context() as patch:
                patch.setenv(name, str(path))
                error = failure(f"https://localhost:{port}", key_file, seconds=0)
                assert (error.status, type(error)) == (503, TemporaryEncordError)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
        error = failure(f"https://localhost:{port}", key_file)
        assert "names a file that does not exist" in str(error) and error.name == "CertificateError"


@pytest.mark.parametrize(("days", "host", "said"), [(-1, "localhost", "clock"), (1, "elsewhere", "check the address")])
def test_a_certificate_for_another_day_or_host(
    tmp_path: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch, days: int, host: str, said: str
) -> None:
    path = certificate(tmp_path, days, host)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with listening(in_tls(path)) as (port, _):
        error = failure(f"https://localhost:{port}", key_file)
    assert (type(error), error.name) == (UnreachableError, "CertificateError") and said in str(error)


def test_tls_towards_what_speaks_none(key_file: Path) -> None:
    with listening(answering("400 Bad Request")) as (port, taken):
        error = failure(f"https://127.0.0.1:{port}", key_file)
    assert (type(error), error.name, len(taken)) == (UnreachableError, "TlsError", 1)
    assert "does not speak TLS" in str(error)


@pytest.mark.parametrize(
    ("scheme", "status", "kind", "said"),
    [
        ("http", "407 Password, please", UnreachableError, "asks for a user name and a password (status 407)"),
        ("https", "407 Password, please", UnreachableError, "asks for a user name and a password (status 407)"),
        ("https", "403 Forbidden", UnreachableError, "does not let the connection through (status 403)"),
        ("https", "502 Bad Gateway", TemporaryEncordError, "does not let the connection through (status 502)"),
    ],
)
def test_a_proxy_that_does_not_let_through(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, status: str, kind: type[EncordError], said: str
) -> None:
    with listening(answering(status)) as (port, taken):
        monkeypatch.setenv(f"{scheme}_proxy", f"http://user:{CANARY}@127.0.0.1:{port}")
        error = failure(f"{scheme}://encord.invalid", key_file, seconds=0)
    assert type(error) is kind
    assert said in str(error) and f"the proxy 127.0.0.1:{port} " in str(error)
    assert len(taken) == (2 if kind is TemporaryEncordError else 1)


def test_a_proxy_that_is_not_there(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(answering("200 OK")) as (port, _):
        pass
    monkeypatch.setenv("https_proxy", f"http://user:{CANARY}@127.0.0.1:{port}")
    error = failure("https://encord.invalid", key_file)
    assert (type(error), error.name) == (UnreachableError, "ProxyError")
    assert f"the proxy 127.0.0.1:{port} cannot be reached" in str(error)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://[::1", "http://"])
def test_an_address_of_a_proxy_that_cannot_be_used(key_file: Path, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    assert not isinstance(failure("https://encord.invalid", key_file, seconds=0), TemporaryEncordError)


def unresolvable(monkeypatch: pytest.MonkeyPatch, number: int) -> list[int]:
    asked: list[int] = []

    def getaddrinfo(*_: Any, **__: Any) -> None:
        asked.append(1)
        raise socket.gaierror(number, CANARY)

    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_is_not_known(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = unresolvable(monkeypatch, socket.EAI_NONAME)
    error = failure("https://no-such-host.invalid", key_file)
    assert (type(error), error.name, len(asked)) == (UnreachableError, "UnknownHost", 1)
    assert "no such host" in str(error) and "no-such-host.invalid" in str(error)


def test_a_resolver_that_cannot_ask_is_tried_for_some_seconds(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = unresolvable(monkeypatch, socket.EAI_AGAIN)
    monkeypatch.setattr("ropewalk.sinks.encord.opening._NAME_SECONDS", 0.5)
    began = time.monotonic()
    error = failure("https://encord.invalid", key_file)
    assert (type(error), error.name) == (UnreachableError, "UnknownHost")
    assert len(asked) > 1 and time.monotonic() - began < 5


def test_a_name_that_was_known_comes_back(played_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that has run for hours does not end with a resolver that restarts."""
    unresolvable(monkeypatch, socket.EAI_NONAME)
    transport = Transport(played_project, 1)
    with pytest.raises(TemporaryEncordError) as raised:
        transport.query("labelrow", "GET", None, {})
    assert raised.value.name == "UnknownHost" and CANARY not in str(raised.value)
    transport.close()


def test_a_proxy_that_asks_for_a_password_meanwhile_stops(playback: Playback, played_project: Project) -> None:
    playback.answers = [(407, b"", {})]
    transport = Transport(played_project, 1)
    with pytest.raises(UnreachableError, match="status 407"):
        transport.query("labelrow", "GET", None, {})
    transport.close()


def test_calls_of_the_sdk_are_told_apart_likewise(tmp_path: Path) -> None:
    import requests

    def ask(port: int) -> None:
        requests.get(f"https://localhost:{port}/?Signature={CANARY}", timeout=5)

    with (
        listening(in_tls(certificate(tmp_path))) as (port, _),
        pytest.raises(UnreachableError, match="^Encord: ") as raised,
    ):
        translated(lambda: ask(port))
    assert "certificate" in str(raised.value) and CANARY not in str(raised.value)


def test_opening_takes_no_longer_than_the_options_allow(playback: Playback, key_file: Path, tmp_path: Path) -> None:
    playback.answers = [playback.stall] * 2
    source = tmp_path / "predictions.json"
    source.write_text("[]")
    arguments = ["--project", PROJECT_HASH, "--branch", "b", "--domain", playback.url, "--ssh-key", str(key_file)]
    began = time.monotonic()
    limits = ["--timeout", "0.5", "--retry-seconds", "0.5"]
    done = CliRunner().invoke(app, ["import", str(source), *arguments, "--work-dir", str(tmp_path / "w"), *limits])
    assert done.exit_code == 1 and "did not answer in time; tried 2 times" in done.stderr
    assert time.monotonic() - began < 8
