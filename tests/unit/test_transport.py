"""The transport against a server that plays back answers: signatures, answers that are no success, sending again."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from encord import EncordUserClient, Project

from playback import HALF, PROJECT_HASH, Act, Answer, Playback, ok, refused
from ropewalk.errors import AccessError, EncordError, RefusalError, TemporaryEncordError
from ropewalk.sinks.encord.calls import Acknowledged, DirectCalls, save_body
from ropewalk.sinks.encord.pace import Pace
from ropewalk.sinks.encord.retry import Retry, Stopped
from ropewalk.sinks.encord.rows import LabelRows
from ropewalk.sinks.encord.transport import Timeouts, Transport

CANARY = "canary-of-a-signed-url"
QUICK = Timeouts(connect=0.1, answer=0.2, seconds_per_mb=0.1)


@pytest.fixture
def transport(played_project: Project) -> Iterator[Transport]:
    made = Transport(played_project, 2, timeouts=QUICK)
    yield made
    made.close()


@pytest.fixture
def rows(transport: Transport) -> LabelRows:
    return LabelRows(DirectCalls(transport), Retry(budget_seconds=5, first_wait=0.001))


def test_a_save_is_signed_and_spelled_as_the_sdk_does(
    playback: Playback, played_project: Project, rows: LabelRows
) -> None:
    row = {"label_hash": "l-1", "data_units": {}, "object_answers": {"é": "\u2028"}}
    playback.answers = [ok(True), ok(True)]
    assert rows.save(["l-1"], [[json.dumps(row).encode("ascii")]]).len_bytes == len(playback.bodies[0])
    played_project._client.save_label_rows(["l-1"], [row])  # type: ignore[list-item]
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


def test_reads_are_spelled_as_the_sdk_does(playback: Playback, played_project: Project, rows: LabelRows) -> None:
    row = {"label_hash": "l-1", "data_hash": "d-1", "data_units": {}}
    playback.answers = [ok([row]), ok([row]), ok([row]), ok([row]), ok([]), ok([])]
    assert json.loads(rows.get(["l-1"])["l-1"]) == row
    played_project._client.get_label_rows(["l-1"], get_signed_url=False)
    assert json.loads(rows.create(["d-1"], "b")[0]["d-1"][1]) == row
    played_project._client.create_label_rows(["d-1"], branch_name="b")
    assert rows.listing("b", images_data=True) == []
    played_project.list_label_rows_v2(branch_name="b", include_images_data=True)
    for ours, theirs in zip(playback.bodies[::2], playback.bodies[1::2], strict=True):
        assert json.loads(ours) == json.loads(theirs)


def test_connections_are_kept(playback: Playback, rows: LabelRows) -> None:
    playback.answers = [ok([])] * 5
    for _ in range(5):
        rows.listing("b")
    assert len(playback.connections) == 1


def test_several_rows_make_one_body() -> None:
    body = json.loads(b"".join(save_body(["a", "b"], [[b'{"x"', b": 1}"], [b'{"y": 2}']])))
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
        HALF,
        None,
    ],
)
def test_what_is_no_success_is_not_taken_for_one(playback: Playback, transport: Transport, answer: Answer) -> None:
    playback.answers = [answer]
    with pytest.raises(EncordError):
        DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])


@pytest.mark.parametrize("hiccup", [(503, b"", {}), (429, b"", {"Retry-After": "0"}), ok(False), None])
def test_a_save_is_sent_again_with_the_same_content(playback: Playback, rows: LabelRows, hiccup: Answer | None) -> None:
    playback.answers = [hiccup, hiccup, ok(True)]
    rows.save(["l-1"], [[b'{"x": 1.0}']])
    assert len(playback.bodies) == 3 and len(set(playback.bodies)) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "name"),
    [
        (refused("CORRUPTED_LABEL_ERROR", "frame 7"), RefusalError, "CorruptedLabelError"),
        (refused("RESOURCE_EXISTS_ERROR"), RefusalError, "ResourceExistsError"),
        (refused("AUTHENTICATION_ERROR", status=401), AccessError, "AuthenticationError"),
        # By its name, whatever the status.
        (refused("AUTHORISATION_ERROR"), AccessError, "AuthorisationError"),
        (refused("OPERATION_NOT_ALLOWED"), AccessError, "OperationNotAllowed"),
        (refused("SSH_KEY_NOT_FOUND_ERROR"), AccessError, "SshKeyNotFound"),
        (refused("METHOD_NOT_ALLOWED_ERROR"), EncordError, "MethodNotAllowedError"),
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
        DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
    assert (type(raised.value), raised.value.name) == (kind, name)
    assert raised.value.status == (answer[0] if answer[0] != 200 else json.loads(answer[1])["status"])


def test_the_ontology_is_asked_for_as_the_sdk_asks(playback: Playback, transport: Transport) -> None:
    structure = {"objects": [], "later": {"unknown": 1}}
    whole = json.dumps({"ontologyUuid": "o-1", "editor": structure}).encode()
    playback.answers = [(503, b"", {}), HALF, (200, b'{"editor": null}', {}), (200, whole, {})]
    assert LabelRows(DirectCalls(transport), Retry(budget_seconds=5, first_wait=0.001)).ontology("o-1") == structure
    assert playback.paths == ["/v2/public/ontologies/o-1"] * 4
    assert all("keyid=" in headers["Signature-Input"] for headers in playback.headers)


@pytest.mark.parametrize("status", [404, 405, 410])
def test_an_address_that_is_gone_is_said_with_the_way_around(
    playback: Playback, transport: Transport, status: int
) -> None:
    playback.answers = [(status, b'{"message": "gone"}', {})]
    with pytest.raises(EncordError, match=rf"status {status}.*{playback.url}/public does not take.* sdk_calls"):
        DirectCalls(transport).list_rows("main", None)


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("Sat, 21 Nov 2020 00:00:00 GMT", 0.0)]
)
def test_retry_after_is_read(playback: Playback, transport: Transport, value: str, seconds: float | None) -> None:
    playback.answers = [(429, b"", {"Retry-After": value} if value else {})]
    with pytest.raises(TemporaryEncordError) as raised:
        DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
    assert raised.value.retry_after == seconds


def test_no_secret_in_any_message(playback: Playback, transport: Transport) -> None:
    said = f"look at https://files.example.com/a?Signature={CANARY} with Authorization: {CANARY}"
    playback.answers = [refused("CORRUPTED_LABEL_ERROR", said), (400, json.dumps({"message": said}).encode(), {})]
    for _ in range(2):
        with pytest.raises(EncordError) as raised:
            DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
        assert "files.example.com" in str(raised.value)
        assert CANARY not in str(raised.value)


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


def test_a_bearer_token_works_and_is_never_shown(
    playback: Playback, played_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = EncordUserClient.create_with_bearer_token(CANARY, domain=playback.url)
    transport = Transport(client.get_project(PROJECT_HASH), 1)
    playback.answers = [ok(True), refused("AUTHENTICATION_ERROR", CANARY, status=401), None]
    assert DirectCalls(transport).save_rows(["l-1"], [[b"{}"]]).len_bytes > 0
    assert playback.headers[0]["Authorization"] == f"Bearer {CANARY}"
    for _ in range(2):
        with pytest.raises(EncordError) as raised:
            DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
        assert CANARY not in "".join(traceback.format_exception(raised.value))
    transport.close()


FAULTS: dict[str, tuple[Any, int | None, str]] = {
    "429": ((429, b"", {}), 429, "Status429"),
    "429 with Retry-After": ((429, b"", {"Retry-After": "0"}), 429, "Status429"),
    "RATE_LIMIT_ERROR": (refused("RATE_LIMIT_ERROR", status=429), 429, "RateLimitExceededError"),
    "408": ((408, b"", {}), 408, "Status408"),
    "425": ((425, b"", {}), 425, "Status425"),
    "500 as HTML": ((500, b"<html>", {}), 500, "Status500"),
    "502 as HTML": ((502, b"<html>", {}), 502, "Status502"),
    "503": ((503, b'{"message": "later"}', {}), 503, "Status503"),
    "504": ((504, b"", {}), 504, "Status504"),
    "500 in the envelope": (refused("UNKNOWN_ERROR", status=500), 500, "UnknownException"),
    "HTML with 200": ((200, b"<html>sign in</html>", {}), 200, "BadAnswer"),
    "false": (ok(False), 200, "BadAnswer"),
    "null": (ok(None), 200, "BadAnswer"),
    "no status": ((200, b'{"response": true}', {}), 200, "BadAnswer"),
    "a status that is none": ((200, b'{"status": null, "response": ["CORRUPTED_LABEL_ERROR"]}', {}), 200, "BadAnswer"),
    "broken off": (None, None, "ConnectionError"),
    "half an answer": (HALF, None, "ConnectionError"),
    "half a gzip": ((200, b"\x1f\x8b\x08", {"Content-Encoding": "gzip"}), 200, "BadAnswer"),
    "not gzip": ((200, b"not gzip", {"Content-Encoding": "gzip"}), None, "ConnectionError"),
    "timeout": (Playback.stall, None, "Timeout"),
    "stall": (Playback.stall_within, None, "Timeout"),
    "drip": (Playback.drip, None, "Timeout"),
}
PUSH_BACKS = {"429", "429 with Retry-After", "RATE_LIMIT_ERROR", "503", "timeout", "stall", "drip"}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_temporary_bounded_in_time_and_tell_the_pace(
    playback: Playback, played_project: Project, fault: str
) -> None:
    played, status, name = FAULTS[fault]
    act: Act | Answer | None = (lambda handler: played(playback, handler)) if callable(played) else played
    pace = Pace(4)
    # With one connection, one that is not given back would be missed.
    transport = Transport(played_project, 1, pace=pace, timeouts=QUICK)
    playback.answers = [act]
    began = time.monotonic()
    with pytest.raises(TemporaryEncordError) as raised:
        DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
    assert time.monotonic() - began < 2
    assert (raised.value.status, raised.value.name) == (status, name)
    assert pace.limit == (2 if fault in PUSH_BACKS else 4)
    # What was wrapped holds the request with its signature.
    assert raised.value.__context__ is None and raised.value.__cause__ is None
    playback.answers = [ok(True)]
    DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
    transport.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_is_no_push_back_and_sent_once(playback: Playback, played_project: Project, status: int) -> None:
    pace = Pace(4)
    transport = Transport(played_project, 4, pace=pace)
    playback.answers = [(status, b"", {})]
    with pytest.raises(EncordError):
        LabelRows(DirectCalls(transport), Retry(first_wait=0.001)).save(["l-1"], [[b"{}"]])
    assert (len(playback.bodies), pace.limit) == (1, 4)
    transport.close()


@pytest.mark.parametrize("fault", ["503", "429 with Retry-After", "broken off", "half an answer"])
def test_nothing_below_the_policy_sends_again(playback: Playback, played_project: Project, fault: str) -> None:
    """The project is a user's own, with the SDK's retries: ours are the only ones all the same."""
    assert played_project._client._querier._config.requests_settings.max_retries == 3
    transport = Transport(played_project, 1)
    playback.answers = [FAULTS[fault][0]] * 2
    with pytest.raises(TemporaryEncordError, match="tried 2 times"):
        LabelRows(DirectCalls(transport), Retry(budget_seconds=0, first_wait=0.001)).save(["l-1"], [[b"{}"]])
    assert len(playback.bodies) == 2
    transport.close()


def test_a_connection_that_fails_is_tried_once(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(*_: Any, **__: Any) -> None:
        tried.append(1)
        raise ConnectionRefusedError(111, CANARY)

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    with pytest.raises(TemporaryEncordError) as raised:
        DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
    assert len(tried) == 1
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sat, 21 Nov 2026 23:48:11 GMT", datetime(2026, 11, 21, 23, 48, 11, tzinfo=timezone.utc)),
        ("Sat, 21 Nov 2026 23:48:11 +0200", datetime(2026, 11, 21, 21, 48, 11, tzinfo=timezone.utc)),
        ("Sat, 21 Nov 2026 23:48:11 -0000", datetime(2026, 11, 21, 23, 48, 11, tzinfo=timezone.utc)),
        ("now", None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        (None, None),
    ],
)
def test_a_save_tells_the_servers_time(
    playback: Playback, rows: LabelRows, date: str | None, moment: datetime | None
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = b'{"status": 200, "response": true}'
        handler.send_response_only(200)
        if date is not None:
            handler.send_header("Date", date)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    playback.answers = [answer]
    assert rows.save(["l-1"], [[b"{}"]]) == Acknowledged(len(playback.bodies[0]), moment)


def test_retry_after_as_a_date_is_read_by_the_servers_clock(playback: Playback, transport: Transport) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(503)
        handler.send_header("Date", "Sat, 21 Nov 2020 00:00:00 GMT")
        handler.send_header("Retry-After", "Sat, 21 Nov 2020 00:00:42 GMT")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    playback.answers = [answer]
    with pytest.raises(TemporaryEncordError) as raised:
        DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
    assert raised.value.retry_after == 42


def test_a_large_body_may_take_longer_than_the_connection(playback: Playback, played_project: Project) -> None:
    row = json.dumps({"a": "x" * 24_000_000}).encode()

    def read_slowly(handler: BaseHTTPRequestHandler, n: int) -> bytes:
        parts = []
        for _ in range(8):
            parts.append(handler.rfile.read(n // 8))
            time.sleep(0.1)
        return b"".join([*parts, handler.rfile.read(n - 8 * (n // 8))])

    playback.read = read_slowly
    playback.answers = [ok(True)]
    transport = Transport(played_project, 1, timeouts=Timeouts(connect=0.4, answer=0.4, seconds_per_mb=0.2))
    DirectCalls(transport).save_rows(["l-1"], [[row[:9], row[9:100_000], row[100_000:]]])
    assert playback.bodies == [b"".join(save_body(["l-1"], [[row]]))]
    transport.close()


def test_a_body_that_is_not_taken_ends_in_a_timeout(playback: Playback, played_project: Project) -> None:
    def read_forever(handler: BaseHTTPRequestHandler, n: int) -> bytes:
        while not playback.ended.wait(0.05):
            handler.rfile.read(100_000)
        return b""

    playback.read = read_forever
    transport = Transport(played_project, 1, timeouts=Timeouts(connect=0.3, answer=0.3, seconds_per_mb=0))
    began = time.monotonic()
    with pytest.raises(TemporaryEncordError) as raised:
        DirectCalls(transport).save_rows(["l-1"], [[b" " * 50_000_000]])
    assert raised.value.name == "Timeout"
    assert time.monotonic() - began < 3
    transport.close()


def test_timeouts_scale_with_the_body() -> None:
    assert Timeouts().for_bytes(0) == 60
    assert Timeouts(answer=30, seconds_per_mb=4).for_bytes(50_000_000) == 230


def test_answers_may_be_compressed(playback: Playback, rows: LabelRows) -> None:
    listed = [{"data_hash": f"d-{n}", "label_hash": None} for n in range(9_000)]
    packed = gzip.compress(ok(listed)[1])
    playback.answers = [(200, packed, {"Content-Encoding": "gzip"})]
    assert rows.listing("b") == listed


def test_who_waits_for_retry_after_holds_no_place(
    playback: Playback, played_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Transport(played_project, 1, pace=Pace(1))
    retry = Retry()
    free = []

    def other_request_meanwhile(seconds: float) -> bool:
        assert seconds >= 7
        DirectCalls(transport).save_rows(["l-2"], [[b"{}"]])
        free.append(seconds)
        return False

    monkeypatch.setattr(retry.stop, "wait", other_request_meanwhile)
    playback.answers = [(429, b"", {"Retry-After": "7"}), ok(True), ok(True)]
    LabelRows(DirectCalls(transport), retry).save(["l-1"], [[b"{}"]])
    assert len(free) == 1
    transport.close()


def test_quick_answers_let_the_pace_grow(playback: Playback, played_project: Project) -> None:
    pace = Pace(4, start=1)
    transport = Transport(played_project, 4, pace=pace)
    playback.answers = [ok([]), refused("CORRUPTED_LABEL_ERROR")]
    transport.query("labelrowmetadata", "GET", None, {})
    assert pace.limit == 2
    # A refusal was no work: how quick it was says nothing.
    with pytest.raises(RefusalError):
        transport.query("labelrowmetadata", "GET", None, {})
    assert pace.limit == 2
    transport.close()


def test_a_wait_for_a_place_ends_with_the_import(played_project: Project) -> None:
    pace, stop = Pace(1), threading.Event()
    transport = Transport(played_project, 1, pace=pace, stop=stop)
    with pace.slot(stop):
        stop.set()
        with pytest.raises(Stopped):
            DirectCalls(transport).save_rows(["l-1"], [[b"{}"]])
    transport.close()


def test_no_more_places_than_connections_by_default(played_project: Project) -> None:
    transport = Transport(played_project, connections=1)
    assert (transport._pace.most, transport._timeouts) == (1, Timeouts())
    transport.close()
