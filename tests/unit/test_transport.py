"""The transport against a server that plays back answers: signatures, answers that are no success, sending again."""

from __future__ import annotations

import hashlib
import json
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord import EncordUserClient, Project
from encord.http.constants import RequestsSettings

from ropewalk.errors import AccessError, EncordError, RefusalError, TemporaryEncordError
from ropewalk.sinks.encord.retry import Retry, Stopped
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Transport, save_body

PROJECT_HASH = "4ec0d4d4-0000-4000-8000-00000000000a"
CANARY = "canary-of-a-signed-url"
Answer = tuple[int, bytes, dict[str, str]]


class Playback:
    """A server that gives the next of its answers, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Answer | None] = []
        self.bodies: list[bytes] = []
        self.headers: list[Any] = []
        self.connections: set[Any] = set()
        playback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                playback.connections.add(self.client_address)
                playback.headers.append(self.headers)
                playback.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = playback.answers.pop(0)
                if answer is None:  # Break off.
                    self.close_connection = True
                    return
                status, body, headers = answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = "Content-Length" in headers

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def ok(response: Any) -> Answer:
    return 200, json.dumps({"status": 200, "response": response}).encode(), {}


def refused(name: str, payload: Any = None, status: int = 400) -> Answer:
    return 200, json.dumps({"status": status, "response": [name], "payload": payload}).encode(), {}


@pytest.fixture
def playback() -> Iterator[Playback]:
    playing = Playback()
    thread = threading.Thread(target=playing.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield playing
    playing.server.shutdown()
    playing.server.server_close()
    assert not playing.answers, "answers that nobody asked for"


@pytest.fixture
def project(playback: Playback, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("encord.client.EncordClientProject.get_project_v2", lambda self: _NamedProject())
    monkeypatch.setattr("encord.user_client.EncordUserClient.get_ontology", lambda self, ontology_hash: None)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    client = EncordUserClient.create_with_ssh_private_key(
        key.decode(), domain=playback.url, requests_settings=RequestsSettings(read_timeout=2, write_timeout=2)
    )
    return client.get_project(PROJECT_HASH)


class _NamedProject:
    ontology_hash = "ontology"
    workflow = None


@pytest.fixture
def transport(project: Project) -> Iterator[Transport]:
    made = Transport(project, 2)
    yield made
    made.close()


@pytest.fixture
def rows(transport: Transport) -> LabelRows:
    return LabelRows(transport, Retry(attempts=3, first_wait=0.001))


def test_a_save_is_signed_and_spelled_as_the_sdk_does(playback: Playback, project: Project, rows: LabelRows) -> None:
    row = {"label_hash": "l-1", "data_units": {}, "object_answers": {"é": "\u2028"}}
    playback.answers = [ok(True), ok(True)]
    assert rows.save(["l-1"], [json.dumps(row).encode("ascii")]) == len(playback.bodies[0])
    project._client.save_label_rows(["l-1"], [row])  # type: ignore[list-item]
    ours, theirs = playback.bodies
    assert json.loads(ours) == json.loads(theirs)
    assert ours == theirs
    header = playback.headers[0]
    assert {name.lower() for name in playback.headers[0]} == {name.lower() for name in playback.headers[1]}
    assert (header["ResourceID"], header["ResourceType"]) == (PROJECT_HASH, playback.headers[1]["ResourceType"])
    key, signature = header["Authorization"].split(":")
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
        bytes.fromhex(signature), hashlib.sha256(ours).digest()
    )


def test_reads_are_spelled_as_the_sdk_does(playback: Playback, project: Project, rows: LabelRows) -> None:
    row = {"label_hash": "l-1", "data_hash": "d-1", "data_units": {}}
    playback.answers = [ok([row]), ok([row]), ok([row]), ok([row]), ok([]), ok([])]
    assert json.loads(rows.get(["l-1"])["l-1"]) == row
    project._client.get_label_rows(["l-1"], get_signed_url=False)
    assert json.loads(rows.create(["d-1"], "b")[0]["d-1"][1]) == row
    project._client.create_label_rows(["d-1"], branch_name="b")
    assert rows.listing("b", images_data=True) == []
    project.list_label_rows_v2(branch_name="b", include_images_data=True)
    for ours, theirs in zip(playback.bodies[::2], playback.bodies[1::2], strict=True):
        assert json.loads(ours) == json.loads(theirs)


def test_connections_are_kept(playback: Playback, rows: LabelRows) -> None:
    playback.answers = [ok([])] * 5
    for _ in range(5):
        rows.listing("b")
    assert len(playback.connections) == 1


def test_several_rows_make_one_body() -> None:
    body = json.loads(save_body(["a", "b"], [b'{"x": 1}', b'{"y": 2}']))
    assert body["values"]["uid"] == ["a", "b"]
    assert body["values"]["payload"]["labels"] == [{"x": 1}, {"y": 2}]


@pytest.mark.parametrize(
    "answer",
    [
        ok(False),
        ok(None),
        ok([]),
        ok({}),
        ok([True, False]),
        ok("yes"),
        ok(1),
        (200, b"<html>sign in</html>", {}),
        (200, b"[]", {}),
        (200, b'{"response": true}', {}),
        (200, b"", {}),
        (503, b"", {}),
        (502, b"<html>", {}),
        (429, b"", {}),
        (302, b"", {"Location": "http://127.0.0.1:1/"}),
        (200, b'{"status": 200, "respo', {"Content-Length": "900"}),
        None,
    ],
)
def test_what_is_no_success_is_not_taken_for_one(playback: Playback, transport: Transport, answer: Answer) -> None:
    playback.answers = [answer]
    with pytest.raises(EncordError):
        transport.save_label_rows(["l-1"], [b"{}"])


@pytest.mark.parametrize("hiccup", [(503, b"", {}), (429, b"", {"Retry-After": "0"}), ok(False), None])
def test_a_save_is_sent_again_with_the_same_content(playback: Playback, rows: LabelRows, hiccup: Answer | None) -> None:
    playback.answers = [hiccup, hiccup, ok(True)]
    rows.save(["l-1"], [b'{"x": 1.0}'])
    assert len(playback.bodies) == 3 and len(set(playback.bodies)) == 1


def test_attempts_are_bounded(playback: Playback, rows: LabelRows) -> None:
    playback.answers = [(503, b"", {})] * 3
    with pytest.raises(TemporaryEncordError, match="503"):
        rows.listing("b")


@pytest.mark.parametrize(
    ("answer", "kind", "name"),
    [
        (refused("CORRUPTED_LABEL_ERROR", "frame 7"), RefusalError, "CorruptedLabelError"),
        (refused("RESOURCE_EXISTS_ERROR"), RefusalError, "ResourceExistsError"),
        (refused("AUTHENTICATION_ERROR", status=401), AccessError, "AuthenticationError"),
        (refused("RATE_LIMIT_ERROR", status=429), TemporaryEncordError, "RateLimitExceededError"),
        (refused("SOMETHING_NEW", {"a": 1}, 418), RefusalError, "GenericServerError"),
        (refused("SOMETHING_NEW", None, 503), TemporaryEncordError, "GenericServerError"),
        (refused("MULTI_LABEL_LIMIT_ERROR", "not a dict"), RefusalError, "UnexpectedError"),
        ((401, b"", {}), AccessError, "Status401"),
        ((403, b'{"message": "no"}', {}), AccessError, "Status403"),
        ((413, b'{"detail": "at most 50 MB"}', {}), RefusalError, "Status413"),
        ((404, b"<html>", {}), EncordError, "Status404"),
        ((302, b"", {"Location": "http://127.0.0.1:1/"}), EncordError, "Status302"),
        (refused("WRONG_PROJECT_TYPE_ERROR"), EncordError, "WrongProjectTypeError"),
        ((504, b"<html>", {}), TemporaryEncordError, "Status504"),
    ],
)
def test_errors_carry_status_and_name(
    playback: Playback, transport: Transport, answer: Answer, kind: type[EncordError], name: str
) -> None:
    playback.answers = [answer]
    with pytest.raises(EncordError) as raised:
        transport.save_label_rows(["l-1"], [b"{}"])
    assert (type(raised.value), raised.value.name) == (kind, name)
    assert raised.value.status == (answer[0] if answer[0] != 200 else json.loads(answer[1])["status"])


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("Sat, 21 Nov 2020 00:00:00 GMT", 0.0)]
)
def test_retry_after_is_read(playback: Playback, transport: Transport, value: str, seconds: float | None) -> None:
    playback.answers = [(429, b"", {"Retry-After": value} if value else {})]
    with pytest.raises(TemporaryEncordError) as raised:
        transport.save_label_rows(["l-1"], [b"{}"])
    assert raised.value.retry_after == seconds


def test_no_secret_in_any_message(playback: Playback, transport: Transport) -> None:
    said = f"look at https://files.example.com/a?Signature={CANARY} with Authorization: {CANARY}"
    playback.answers = [refused("CORRUPTED_LABEL_ERROR", said), (400, json.dumps({"message": said}).encode(), {})]
    for _ in range(2):
        with pytest.raises(EncordError) as raised:
            transport.save_label_rows(["l-1"], [b"{}"])
        assert "files.example.com" in str(raised.value)
        assert CANARY not in str(raised.value)


def test_a_timeout_is_temporary(project: Project, playback: Playback) -> None:
    late = threading.Event()
    respond: Callable[..., Any] = playback.server.finish_request
    playback.server.finish_request = lambda *a: (late.wait(5), respond(*a))[1]  # type: ignore[method-assign]
    project._client._querier._config.write_timeout = 0.1  # type: ignore[assignment]
    transport = Transport(project, 1)
    try:
        with pytest.raises(TemporaryEncordError, match=r"within 0\.1 s") as raised:
            transport.save_label_rows(["l-1"], [b"{}"])
        assert (raised.value.status, raised.value.name) == (None, "Timeout")
    finally:
        playback.answers = [ok(True)]
        late.set()
        transport.close()
        while playback.answers:
            pass


def test_a_create_is_never_repeated_blindly(playback: Playback, rows: LabelRows) -> None:
    listed = [{"data_hash": "d-1", "label_hash": "l-1"}, {"data_hash": "d-2", "label_hash": None}]
    created = [{"data_hash": "d-2", "label_hash": "l-2"}]
    playback.answers = [None, ok(listed), ok(created)]
    new, there = rows.create(["d-1", "d-2"], "b")
    assert (new.keys(), there) == ({"d-2"}, {"d-1": "l-1"})
    queries = [json.loads(body) for body in playback.bodies]
    assert [query["query_method"] for query in queries] == ["PUT", "GET", "PUT"]
    assert queries[1]["values"]["payload"]["data_hashes"] == ["d-1", "d-2"]
    assert queries[2]["values"]["uid"] == ["d-2"]


def test_a_row_that_exists_is_used(playback: Playback, rows: LabelRows) -> None:
    playback.answers = [refused("RESOURCE_EXISTS_ERROR"), ok([{"data_hash": "d-1", "label_hash": "l-1"}])]
    assert rows.create(["d-1"], "b") == ({}, {"d-1": "l-1"})


def test_waiting_ends_when_the_import_stops(
    playback: Playback, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    retry = Retry(first_wait=600, longest_wait=600)
    playback.answers = [(503, b"", {})]
    timer = threading.Timer(0.2, retry.stop.set)
    timer.start()
    with pytest.raises(Stopped):
        LabelRows(transport, retry).listing("b")
    timer.join()
    # And nothing more is sent once it has stopped.
    for call in (lambda rows: rows.listing("b"), lambda rows: rows.create(["d-1"], "b")):
        with pytest.raises(Stopped):
            call(LabelRows(transport, retry))
    assert len(playback.bodies) == 1


def test_waits_grow_with_jitter_and_honour_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    retry = Retry(attempts=20, first_wait=1, longest_wait=10, longest_retry_after=50)
    waited: list[float] = []
    monkeypatch.setattr(retry.stop, "wait", waited.append)
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    for attempt, retry_after in enumerate((None, None, None, None, None, 7, 9000)):
        retry.wait(attempt, TemporaryEncordError("", status=429, name="Status429", retry_after=retry_after))
    assert waited == [1, 2, 4, 8, 10, 17, 60]


def test_a_bearer_token_works_and_is_never_shown(
    playback: Playback, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = EncordUserClient.create_with_bearer_token(CANARY, domain=playback.url)
    transport = Transport(client.get_project(PROJECT_HASH), 1)
    playback.answers = [ok(True), refused("AUTHENTICATION_ERROR", CANARY, status=401), None]
    assert transport.save_label_rows(["l-1"], [b"{}"]) > 0
    assert playback.headers[0]["Authorization"] == f"Bearer {CANARY}"
    for _ in range(2):
        with pytest.raises(EncordError) as raised:
            transport.save_label_rows(["l-1"], [b"{}"])
        assert CANARY not in "".join(traceback.format_exception(raised.value))
    transport.close()
