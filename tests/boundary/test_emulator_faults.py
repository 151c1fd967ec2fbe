"""Each fault as a client meets it and as the store keeps it; clients are the unmodified SDK and plain `requests`."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from encord import EncordUserClient, Project
from encord.exceptions import GenericServerError, RateLimitExceededError, UnknownException
from encord.http.utils import RequestsSettings

from ropewalk.emulator import Exchange, RunningEmulator, content_digest, parse_faults, running_emulator
from ropewalk.project.snapshot import write_snapshot
from snapshots import make_snapshot, make_video
from test_emulator_rows import BOX, add

BRANCH = "pred-1"


@dataclass
class Bench:
    """An emulator with faults, a project that was opened on it, and its history."""

    emulator: RunningEmulator
    project: Project
    history: list[Exchange] = field(default_factory=list)

    def post(self, method: str, kind: str, uid: Any, payload: Any, timeout: float = 20) -> requests.Response:
        """Send one signed request, once."""
        values = {"uid": uid, "payload": payload}
        body = json.dumps({"query_type": kind, "query_method": method, "values": values})
        config = self.project._client._config
        headers = config.define_headers(self.project.project_hash, "project", body)
        return requests.post(config.endpoint, data=body, headers=headers, timeout=timeout)

    def list(self, timeout: float = 20) -> requests.Response:
        return self.post("GET", "labelrowmetadata", None, {"include_uninitialised_labels": True}, timeout)

    def save(self, row: dict[str, Any], timeout: float = 20) -> requests.Response:
        return self.post("POST", "labelrow", [row["label_hash"]], {"multi_request": True, "labels": [row]}, timeout)

    def new_row(self) -> dict[str, Any]:
        """Create a label row and put a box on it, unsaved."""
        row = self.project.list_label_rows_v2(branch_name=BRANCH, data_title_eq="drive.mp4")[0]
        row.initialise_labels()
        add(row, self.project, "Car", BOX, [0, 3])
        return row.to_encord_dict()

    def saves(self, row: dict[str, Any]) -> int:
        self.emulator.settle()
        return self.emulator.store.header(row["label_hash"]).saves

    def outcomes(self, operation: str) -> list[tuple[bool, str, bool]]:
        self.emulator.settle()
        return [(e.applied, e.answered, e.delivered) for e in self.history if e.operation == operation]


@contextmanager
def bench(*rules: dict[str, Any], **behaviour: Any) -> Iterator[Bench]:
    history: list[Exchange] = []
    faults = parse_faults({"rules": list(rules), **behaviour})
    with running_emulator(make_snapshot(), faults=faults, on_request=history.append) as emulator:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=emulator.ssh_key_path,
            domain=emulator.url,
            requests_settings=RequestsSettings(max_retries=0, connection_retries=0),
        )
        yield Bench(emulator, client.get_project(emulator.project_hash), history)


@pytest.mark.parametrize("after_apply", [False, True])
def test_a_status_is_answered_and_applied_only_if_asked(after_apply: bool) -> None:
    statuses = [401, 403, 408, 413, 429, 500, 502, 503, 504, 599]
    rules = [
        {"operation": "save", "nth": number, "status": status, "after_apply": after_apply}
        for number, status in enumerate(statuses, 1)
    ]
    with bench(*rules) as b:
        row = b.new_row()
        for number, status in enumerate(statuses, 1):
            answer = b.save(row)
            assert answer.status_code == status
            assert answer.json().keys() == {"message"}
            assert "Retry-After" not in answer.headers
            assert b.emulator.store.header(row["label_hash"]).saves == number * after_apply
        assert b.outcomes("save") == [(after_apply, f"fault:{status}", True) for status in statuses]
        assert b.save(row).json() == {"status": 200, "response": True}


@pytest.mark.parametrize("retry_after", [3, "Sat, 21 Nov 2026 23:48:11 GMT"])
def test_retry_after_and_an_html_page(retry_after: Any) -> None:
    with bench({"operation": "list", "nth": 1, "status": 503, "retry_after": retry_after, "html": True}) as b:
        answer = b.list()
        assert answer.headers["Retry-After"] == str(retry_after)
        assert answer.headers["Content-Type"] == "text/html"
        assert answer.text.startswith("<html>")
        assert "503 Service Unavailable" in answer.text


def test_the_sdk_meets_a_raw_429_and_an_error_by_name() -> None:
    rules = [
        {"operation": "list", "nth": 1, "status": 429, "retry_after": 7},
        {"operation": "list", "nth": 2, "error": "RATE_LIMIT_ERROR"},
        {"operation": "list", "nth": 3, "status": 504},
    ]
    with bench(*rules) as b:
        with pytest.raises(RateLimitExceededError) as caught:
            b.project.list_label_rows_v2()
        assert caught.value.retry_after == 7
        with pytest.raises(RateLimitExceededError):
            b.project.list_label_rows_v2()
        with pytest.raises(GenericServerError):
            b.project.list_label_rows_v2()
        assert len(b.project.list_label_rows_v2()) == 3


@pytest.mark.parametrize("after_apply", [False, True])
def test_an_error_by_name_comes_with_http_200(after_apply: bool) -> None:
    rule = {"operation": "save", "nth": 1, "error": "UNKNOWN_ERROR", "after_apply": after_apply, "retry_after": 4}
    with bench(rule) as b:
        row = b.new_row()
        answer = b.save(row)
        assert (answer.status_code, answer.headers["Retry-After"]) == (200, "4")
        assert (answer.json()["status"], answer.json()["response"]) == (500, ["UNKNOWN_ERROR"])
        assert b.saves(row) == int(after_apply)
        assert b.outcomes("save") == [(after_apply, "fault:UNKNOWN_ERROR", True)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_connection_gives_no_answer(when: str) -> None:
    with bench({"operation": "save", "nth": 1, "drop": when}) as b:
        row = b.new_row()
        with pytest.raises(requests.ConnectionError):
            b.save(row)
        assert b.saves(row) == int(when == "after")
        assert b.outcomes("save") == [(when == "after", f"fault:drop_{when}", False)]


def test_a_drop_sends_not_one_byte() -> None:
    with bench({"operation": "list", "nth": 1, "drop": "after"}) as b:
        body = b'{"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": {}}}'
        with connection(b.emulator) as client:
            client.sendall(head(len(body)) + body)
            assert read_until_closed(client) == b""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stall_delays_the_answer(when: str) -> None:
    with bench({"operation": "save", "nth": 1, "stall": {"when": when, "seconds": 0.6}}) as b:
        row = b.new_row()
        start = time.monotonic()
        assert b.save(row).json()["response"] is True
        assert time.monotonic() - start >= 0.6
        assert b.outcomes("save") == [(True, "ok", True)]


@pytest.mark.parametrize(("when", "stored_at_the_timeout"), [("before", 0), ("after", 1)])
def test_a_stalled_request_is_carried_out_though_the_client_has_given_up(when: str, stored_at_the_timeout: int) -> None:
    with bench({"operation": "save", "nth": 1, "stall": {"when": when, "seconds": 2}}) as b:
        row = b.new_row()
        with pytest.raises(requests.ReadTimeout):
            b.save(row, timeout=0.6)
        assert b.emulator.store.header(row["label_hash"]).saves == stored_at_the_timeout
        assert [e for e in b.history if e.operation == "save"] == []
        assert b.saves(row) == 1
        assert b.outcomes("save") == [(True, "ok", False)]


def test_a_stall_does_not_hold_up_the_end() -> None:
    with bench({"operation": "list", "nth": 1, "stall": {"when": "after", "seconds": 600}}) as b:
        with pytest.raises(requests.ReadTimeout):
            b.list(timeout=0.3)
        with pytest.raises(TimeoutError, match="still answering after 0.3 s"):
            b.emulator.settle(timeout_s=0.3)
        start = time.monotonic()
    assert time.monotonic() - start < 4


def test_half_an_answer_is_noticed_and_the_request_applied() -> None:
    with bench({"operation": ["save", "list"], "nth": [2, 3], "half_answer": True}) as b:
        row = b.new_row()
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            b.save(row)
        assert b.saves(row) == 1
        assert b.outcomes("save") == [(True, "fault:half_answer", False)]
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            b.list()


def test_of_half_an_answer_half_arrives() -> None:
    with bench({"operation": "list", "nth": 2, "half_answer": True}) as b:
        body = b'{"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": {}}}'
        received = []
        for _ in range(2):
            with connection(b.emulator) as client:
                client.sendall(head(len(body), "Connection: close") + body)
                received.append(read_until_closed(client).split(b"\r\n\r\n"))
        (whole_head, whole), (half_head, half) = received
        assert f"content-length: {len(whole)}".encode() in whole_head
        assert f"content-length: {len(whole)}".encode() in half_head
        assert half == whole[: len(whole) // 2]


@pytest.mark.parametrize("apply", [True, False])
def test_garbage_is_no_json(apply: bool) -> None:
    with bench({"operation": "save", "nth": 1, "garbage": True, "apply": apply}) as b:
        row = b.new_row()
        answer = b.save(row)
        assert answer.status_code == 200
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()
        assert b.saves(row) == int(apply)
        assert b.outcomes("save") == [(apply, "fault:garbage", True)]


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize("value", [False, None, [], {"a": [0.5]}])
def test_any_other_answer_can_stand_in_the_envelope(value: Any, apply: bool) -> None:
    with bench({"operation": "save", "nth": 1, "answer": value, "apply": apply}) as b:
        row = b.new_row()
        answer = b.save(row)
        assert answer.status_code == 200
        assert answer.json() == {"status": 200, "response": value}
        assert b.saves(row) == int(apply)
        assert b.outcomes("save") == [(apply, "fault:answer", True)]


def test_the_sdk_takes_false_for_success() -> None:
    with bench({"operation": "save", "nth": 1, "answer": False, "apply": False}) as b:
        row = b.project.list_label_rows_v2(branch_name=BRANCH)[0]
        row.initialise_labels()
        row.save()
        assert b.emulator.store.header(row.label_hash or "").saves == 0


def test_faults_find_their_operation() -> None:
    def statuses(operation: str) -> list[int]:
        with bench({"operation": operation, "nth": 1, "status": 500}) as b:
            row_hash = b.project.list_label_rows_v2(branch_name="other")[0].data_hash if operation != "list" else ""
            created = b.post("PUT", "labelrow", [row_hash], {"branch_name": BRANCH})
            again = b.emulator.store.create([row_hash], "third")[0] if row_hash else ""
            got = b.post("GET", "labelrow", [again], {})
            return [b.list().status_code, created.status_code, got.status_code, b.save({"label_hash": ""}).status_code]

    assert statuses("list") == [500, 200, 200, 200]
    assert statuses("create") == [200, 500, 200, 200]
    assert statuses("get") == [200, 200, 500, 200]
    assert statuses("save") == [200, 200, 200, 500]


def test_opening_a_project_can_fail() -> None:
    faults = parse_faults({"rules": [{"operation": "open", "nth": 2, "status": 503, "retry_after": 5}]})
    with running_emulator(make_snapshot(), faults=faults) as emulator:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=emulator.ssh_key_path,
            domain=emulator.url,
            requests_settings=RequestsSettings(max_retries=0, connection_retries=0),
        )
        with pytest.raises(UnknownException, match="Service Unavailable"):
            client.get_project(emulator.project_hash)
        assert client.get_project(emulator.project_hash).title == "Test project"


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(announced: bool) -> None:
    with bench(body_limit_bytes=100_000) as b:
        body = b"x" * 20_000_000
        data = body if announced else iter([body[:50_000], body[:50_000], body])
        answer = requests.post(f"{b.emulator.url}/public", data=data, timeout=20)
        assert answer.status_code == 413
        assert b.outcomes("unread") == [(False, "fault:body_limit", True)]
        assert b.list().status_code == 200
        assert requests.post(f"{b.emulator.url}/public", data=b"x" * 100_000, timeout=20).status_code == 200


def test_a_body_over_the_limit_is_refused_before_it_is_sent() -> None:
    with bench(body_limit_bytes=1000) as b, connection(b.emulator) as client:
        client.sendall(head(1001))
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_requests_over_the_concurrency_limit_are_refused() -> None:
    rule = {"operation": "list", "nth": [1, 2], "stall": {"when": "before", "seconds": 1.5}}
    with bench(rule, concurrency_limit=2) as b:
        with ThreadPoolExecutor(2) as pool:
            slow = [pool.submit(b.list) for _ in range(2)]
            time.sleep(0.5)
            assert b.list().status_code == 429
            assert [answer.result().status_code for answer in slow] == [200, 200]
        assert b.list().status_code == 200
        assert b.outcomes("unread") == [(False, "fault:concurrency_limit", True)]


def test_latency_is_waited_for_once_and_by_size() -> None:
    with bench(latency_ms=300) as b:
        start = time.monotonic()
        b.list()
        assert 0.3 <= time.monotonic() - start < 0.6
    with bench(latency_ms_per_mb=400) as b:
        start = time.monotonic()
        b.list()
        assert time.monotonic() - start < 0.3
        start = time.monotonic()
        requests.post(f"{b.emulator.url}/public", data=b"x" * 1_500_000, timeout=20)
        assert time.monotonic() - start >= 0.6
    many = make_snapshot(tuple(make_video(f"drive-{n}.mp4") for n in range(1500)))
    with running_emulator(many, faults=parse_faults({"latency_ms_per_mb": 400})) as emulator:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
        )
        large = Bench(emulator, client.get_project(emulator.project_hash))
        start = time.monotonic()
        size = len(large.list().content)
        assert size > 1_000_000
        assert time.monotonic() - start >= 0.4 * size / 1e6


def test_every_answer_has_a_date() -> None:
    rules: list[dict[str, Any]] = [
        {"operation": "list", "nth": 1, "status": 503},
        {"operation": "list", "nth": 2, "error": "RATE_LIMIT_ERROR"},
        {"operation": "list", "nth": 3, "garbage": True},
        {"operation": "list", "nth": 4, "answer": False},
    ]
    with bench(*rules) as b:
        for _ in range(5):
            date = parsedate_to_datetime(b.list().headers["Date"])
            assert abs(date.timestamp() - time.time()) < 10


def test_draws_do_not_depend_on_threads() -> None:
    rule = {"operation": "save", "probability": 0.4, "status": 503}
    with bench(rule, seed=5) as b:
        row = b.new_row()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: b.save(row), range(40)))
        b.emulator.settle()
        failed = {e.number for e in b.history if e.operation == "save" and e.answered == "fault:503"}
        assert {e.number for e in b.history if e.operation == "save"} == set(range(1, 41))
        assert b.saves(row) == 40 - len(failed)
    faults = parse_faults({"rules": [rule], "seed": 5})
    assert failed == {n for n in range(1, 41) if faults.fault_of("save", {"save": n})}
    assert 5 < len(failed) < 30


def test_a_history_tells_attempts_and_what_is_stored_apart() -> None:
    rules = [{"operation": "save", "nth": 2, "drop": "after"}, {"operation": "save", "nth": 3, "status": 503}]
    with bench(*rules) as b:
        row = b.new_row()
        label_hash = row["label_hash"]
        changed = json.loads(json.dumps(row).replace("0.125", "0.375"))
        assert changed != row
        b.save(row)
        with pytest.raises(requests.ConnectionError):
            b.save(changed)
        b.save(row)
        broken = json.loads(json.dumps(row).replace('"confidence": 1.0', '"confidence": 7.0'))
        b.save(broken)
        b.emulator.settle()
        saves = [e for e in b.history if e.operation == "save"]
        assert [(e.number, e.ids, e.applied, e.answered, e.delivered) for e in saves] == [
            (1, (label_hash,), True, "ok", True),
            (2, (label_hash,), True, "fault:drop_after", False),
            (3, (label_hash,), False, "fault:503", True),
            (4, (label_hash,), False, "refused:CORRUPTED_LABEL_ERROR", True),
        ]
        assert saves[0].digests == saves[2].digests == (content_digest(row),)
        stored = content_digest(json.loads(b.emulator.store.contents([label_hash])[0]))
        assert saves[1].digests == (stored,)
        assert stored == content_digest(changed)
        created = [e for e in b.history if e.operation == "create"]
        assert [(e.number, e.applied, e.digests) for e in created] == [(1, True, ())]
        assert created[0].ids == (row["data_hash"],)


def test_an_answer_that_arrived_stands_in_the_history() -> None:
    with bench() as b:
        for number in range(1, 31):
            b.list()
            assert len([e for e in b.history if e.operation == "list"]) == number


@pytest.mark.parametrize("with_faults", [True, False])
def test_a_client_that_breaks_off_leaves_no_trace(with_faults: bool, caplog: pytest.LogCaptureFixture) -> None:
    history: list[Exchange] = []
    on_request: Callable[[Exchange], None] | None = history.append if with_faults else None
    with running_emulator(make_snapshot(), on_request=on_request) as emulator:
        with connection(emulator) as client:
            client.sendall(head(1000) + b'{"query_type"')
            time.sleep(0.2)
        emulator.settle()
    assert history == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_cut_connections_are_no_errors_of_the_emulator(caplog: pytest.LogCaptureFixture) -> None:
    rules: list[dict[str, Any]] = [
        {"operation": "list", "nth": 1, "drop": "before"},
        {"operation": "list", "nth": 2, "drop": "after"},
        {"operation": "list", "nth": 3, "half_answer": True},
    ]
    with bench(*rules) as b:
        for _ in rules:
            with pytest.raises(requests.RequestException):
                b.list()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_the_command_takes_a_faults_file(tmp_path: Path) -> None:
    write_snapshot(make_snapshot(), tmp_path / "project.json")
    faults = tmp_path / "faults.json"
    faults.write_text('{"rules": [{"nth": 1, "operation": "open", "status": 503, "retry_after": 9}]}')
    command = [sys.executable, "-m", "ropewalk", "emulator", "--project-file", str(tmp_path / "project.json")]
    with subprocess.Popen([*command, "--faults", str(faults)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            where = json.loads(process.stdout.readline())
            assert where.keys() == {"url", "project_hash", "ssh_key"}
            answer = requests.get(f"{where['url']}/v2/public/projects", timeout=20)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "9")
            assert requests.get(f"{where['url']}/v2/public/projects", timeout=20).status_code == 401
        finally:
            process.terminate()
    faults.write_text('{"rules": [{"nth": 1, "status": 200}]}')
    done = subprocess.run([*command, "--faults", str(faults)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "rules[0]: status: expected a whole number from 400 to 599, found 200" in " ".join(done.stderr.split())


def head(content_length: int, *more: str) -> bytes:
    lines = ["POST /public HTTP/1.1", "Host: x", f"Content-Length: {content_length}", *more, "", ""]
    return "\r\n".join(lines).encode()


@contextmanager
def connection(emulator: RunningEmulator) -> Iterator[socket.socket]:
    host, port = emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        yield client


def read_until_closed(client: socket.socket) -> bytes:
    received = bytearray()
    try:
        while chunk := client.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return bytes(received)
