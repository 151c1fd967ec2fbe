"""Opening a project with the SDK: failures that most of its exceptions do not tell apart, under our own policy."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord.exceptions import EncordException

from playback import HALF, PROJECT_HASH, Answer, Playback
from ropewalk.emulator import RunningEmulator
from ropewalk.errors import AccessError, EncordError, TemporaryEncordError
from ropewalk.sinks.encord.client import open_project
from ropewalk.sinks.encord.opening import _WatchedConfig
from ropewalk.sinks.encord.retry import Retry, Stopped
from ropewalk.sinks.encord.transport import Transport

CANARY = "canary-of-a-signed-url"
SAID = json.dumps({"message": f"no, see https://files.example.com/a?Signature={CANARY}"}).encode()


def retry(**options: Any) -> Retry:
    return Retry(**{"budget_seconds": 0, "first_wait": 0.001} | options)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return path


def failure(playback: Playback, key_file: Path, timeout: float = 60) -> EncordError:
    with pytest.raises(EncordError) as raised:
        open_project(PROJECT_HASH, ssh_key=key_file, domain=playback.url, retry=retry(), timeout=timeout)
    # Nothing of the SDK's exceptions hangs on: they hold the signed request.
    assert raised.value.__context__ is None and raised.value.__cause__ is None
    assert CANARY not in "".join(traceback.format_exception(raised.value))
    return raised.value


TEMPORARY: dict[str, tuple[Answer | None, int | None, str]] = {
    "408": ((408, b"", {}), 408, "Status408"),
    "429": ((429, SAID, {"Retry-After": "0"}), 429, "Status429"),
    "500": ((500, SAID, {}), 500, "Status500"),
    "502 as HTML": ((502, b"<html>", {}), 502, "Status502"),
    "503": ((503, SAID, {}), 503, "Status503"),
    "504": ((504, b"", {}), 504, "Status504"),
    "broken off": (None, None, "ConnectionError"),
    "half an answer": (HALF, None, "BadAnswer"),
    "HTML with 200": ((200, f"<html>https://a/?{CANARY}".encode(), {}), 200, "BadAnswer"),
    "false": ((200, b"false", {}), 200, "BadAnswer"),
    "null": ((200, b"null", {}), 200, "BadAnswer"),
    "garbage": ((200, b'{"projectHash": 7}', {}), 200, "BadAnswer"),
}


@pytest.mark.parametrize("fault", TEMPORARY)
def test_what_passes_is_tried_again_by_our_policy_alone(playback: Playback, key_file: Path, fault: str) -> None:
    answer, status, name = TEMPORARY[fault]
    playback.answers = [answer] * 2
    error = failure(playback, key_file)
    assert isinstance(error, TemporaryEncordError)
    assert error.name == name
    assert status is None or error.status == status
    assert playback.url in str(error) and "; tried 2 times in" in str(error)
    assert len(playback.paths) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_does_not_open_it_stops_at_once(playback: Playback, key_file: Path, status: int) -> None:
    playback.answers = [(status, SAID, {})]
    error = failure(playback, key_file)
    assert (type(error), error.status) == (AccessError, status)
    assert f"the key does not open project {PROJECT_HASH}" in str(error)
    assert "https://files.example.com/a" in str(error)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, f"project {PROJECT_HASH} does not exist"), (400, "status 400"), (422, "status 422"), (302, "status 302")],
)
def test_what_does_not_pass_is_not_tried_again(playback: Playback, key_file: Path, status: int, said: str) -> None:
    playback.answers = [(status, SAID, {})]
    error = failure(playback, key_file)
    assert (error.status, isinstance(error, (AccessError, TemporaryEncordError))) == (status, False)
    assert said in str(error) and "tried" not in str(error)


def test_a_timeout_is_told_as_one(playback: Playback, key_file: Path) -> None:
    playback.answers = [playback.stall] * 2
    error = failure(playback, key_file, timeout=0.5)
    assert (error.status, error.name, len(playback.paths)) == (None, "Timeout", 2)


def test_a_server_that_is_not_there(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(*_: Any, **__: Any) -> None:
        tried.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    with pytest.raises(TemporaryEncordError, match=r"^http://127\.0\.0\.1:9 cannot be reached.*; tried 2 times"):
        open_project("p", ssh_key=key_file, domain="http://127.0.0.1:9", retry=retry())
    assert len(tried) == 2


def test_the_status_of_an_earlier_answer_is_not_taken_for_that_of_one_that_did_not_come(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    define_headers = _WatchedConfig.define_headers_v2

    def faulty(self: Any, request: Any) -> Any:
        if "ontologies" in request.url:
            request.url = "http://127.0.0.1:9/"
        return define_headers(self, request)

    monkeypatch.setattr(_WatchedConfig, "define_headers_v2", faulty)
    with pytest.raises(TemporaryEncordError) as raised:
        open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url, retry=retry())
    assert (raised.value.status, raised.value.name) == (None, "ConnectionError")


def test_retry_after_is_honoured(playback: Playback, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Retry()
    waits: list[float] = []
    monkeypatch.setattr(policy.stop, "wait", lambda seconds: (waits.append(seconds), len(waits) == 2)[1])
    playback.answers = [(503, b"", {"Retry-After": "7"}), (429, b"", {"Retry-After": "9"})]
    with pytest.raises(Stopped):
        open_project(PROJECT_HASH, ssh_key=key_file, domain=playback.url, retry=policy)
    assert 7 <= waits[0] < 9 <= waits[1]


def test_a_project_opens_after_faults(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults before either of the two requests; the project is then one like any other."""
    sent = []
    define_headers = _WatchedConfig.define_headers_v2

    def faulty(self: Any, request: Any) -> Any:
        sent.append(request.url)
        if len(sent) in (1, 3):
            request.url = "http://127.0.0.1:9/"
        return define_headers(self, request)

    monkeypatch.setattr(_WatchedConfig, "define_headers_v2", faulty)
    project = open_project(
        emulator.project_hash,
        ssh_key=emulator.ssh_key_path,
        domain=emulator.url,
        retry=retry(budget_seconds=10),
    )
    assert ["ontologies" in url for url in sent] == [False, False, True, False, True]
    assert project.project_hash == emulator.project_hash
    assert len(project.list_label_rows_v2()) == 3
    transport = Transport(project, 1)
    assert len(transport.query("labelrowmetadata", "GET", None, {"include_uninitialised_labels": True})) == 3
    transport.close()


def test_what_the_sdk_itself_makes_of_it(playback: Playback, key_file: Path) -> None:
    """Why the status is noted: should this fail, the SDK has come to tell them apart by itself."""
    from encord import EncordUserClient
    from encord.http.constants import RequestsSettings

    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=key_file, domain=playback.url, requests_settings=RequestsSettings(max_retries=0)
    )
    playback.answers = [(408, b"", {}), (422, b"", {}), (503, b"", {})]
    kinds = set()
    for _ in range(3):
        with pytest.raises(EncordException) as raised:
            client.get_project(PROJECT_HASH)
        kinds.add(type(raised.value))
    assert len(kinds) == 1
