"""Opening a project with the SDK: failures that most of its exceptions do not tell apart, under our own policy."""

from __future__ import annotations

import json
import traceback
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord.exceptions import EncordException

from playback import HALF, PROJECT_HASH, Answer, Playback
from ropewalk.emulator import RunningEmulator, running_emulator
from ropewalk.errors import AccessError, EncordError, TemporaryEncordError
from ropewalk.sinks.encord.client import open_project
from ropewalk.sinks.encord.opening import _WatchedConfig
from ropewalk.sinks.encord.retry import Retry, Stopped
from ropewalk.sinks.encord.transport import Transport
from snapshots import make_snapshot

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


@pytest.mark.parametrize(
    ("shape", "known_by", "said"),
    [
        ("hexagon", ["bounding_box"], "does not know the shape hexagon of the ontology's object Pole; a newer one may"),
        (
            "circle",
            ["bounding_box"],
            r"the shape circle of .* object Pole, 0\.1\.195 and later do; .*encord>=0\.1\.195",
        ),
        ("circle", ["bounding_box", "circle"], r"the encord SDK [\d.]+ cannot read Encord's answer \(ValueError\)"),
    ],
)
def test_an_ontology_that_the_sdk_cannot_read_is_final(
    monkeypatch: pytest.MonkeyPatch, shape: str, known_by: list[str], said: str
) -> None:
    structure = {
        "objects": [
            {"id": "1", "name": "Pole", "color": "#000001", "shape": shape, "featureNodeHash": "obj-pole"},
            {"id": "2", "name": "Car", "color": "#000002", "shape": "bounding_box", "featureNodeHash": "obj-car1"},
        ],
        "classifications": [],
    }
    asked = []
    define_headers = _WatchedConfig.define_headers_v2

    def counted(self: Any, request: Any) -> Any:
        asked.append(request.url)
        return define_headers(self, request)

    def older(*_: Any) -> Any:
        raise ValueError(f"'{shape}' is not a valid Shape")

    monkeypatch.setattr(_WatchedConfig, "define_headers_v2", counted)
    # What an SDK of that age does.
    monkeypatch.setattr("encord.objects.OntologyStructure.from_dict", older)
    monkeypatch.setattr("ropewalk.sinks.encord.opening.Shape", Enum("Shape", {name: name for name in known_by}))
    with (
        running_emulator(make_snapshot(structure=structure)) as running,
        pytest.raises(EncordError, match=said) as raised,
    ):
        open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url, retry=Retry())
    assert (raised.value.status, raised.value.name, len(asked)) == (200, "UnreadableAnswer", 2)
    assert not isinstance(raised.value, TemporaryEncordError) and raised.value.__context__ is None


def test_an_answer_that_is_whole_is_not_asked_for_again(playback: Playback, key_file: Path) -> None:
    playback.answers = [(200, b'{"projectHash": 7}', {})]
    error = failure(playback, key_file)
    assert (type(error), error.name, len(playback.paths)) == (EncordError, "UnreadableAnswer", 1)
    assert f"project {PROJECT_HASH} could not be opened: the encord SDK" in str(error)


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
