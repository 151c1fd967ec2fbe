"""Faults files: what they mean, what is refused and how the error names it; draws are the same in every run."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ropewalk.emulator import Fault, Faults, parse_faults, read_faults
from ropewalk.emulator.history import content_digest, operation_of, rows_of
from ropewalk.errors import UsageError


def faults_of(rules: list[dict[str, Any]], operations: list[str], seed: int = 0) -> list[str | None]:
    """Let requests of these operations arrive in turn; give the name of the fault that befalls each."""
    faults = parse_faults({"seed": seed, "rules": rules})
    numbers: Counter[str] = Counter()
    befallen = []
    for operation in operations:
        numbers[operation] += 1
        fault = faults.fault_of(operation, numbers)
        befallen.append(fault and fault.name)
    return befallen


def test_an_empty_file_asks_for_nothing() -> None:
    assert parse_faults({}) == Faults()


def test_global_behaviour_is_read() -> None:
    document = {
        "seed": -3,
        "latency_ms": 12.5,
        "latency_ms_per_mb": 4,
        "body_limit_bytes": 1000,
        "concurrency_limit": 2,
    }
    assert parse_faults(document) == Faults(-3, 12.5, 4.0, 1000, 2)


def test_nth_and_every_count_the_requests_of_the_operations_of_the_rule() -> None:
    operations = ["save", "get", "list", "save", "other", "save", "get"]
    assert faults_of([{"operation": "save", "nth": 2, "status": 500}], operations) == [None] * 3 + ["500"] + [None] * 3
    both = [{"operation": ["save", "get"], "nth": [1, 4], "drop": "before"}]
    assert faults_of(both, operations) == ["drop_before", None, None, None, None, "drop_before", None]
    every = [{"operation": ["get", "save"], "every": 2, "garbage": True}]
    assert faults_of(every, operations) == [None, "garbage", None, None, None, "garbage", None]
    assert faults_of([{"every": 3, "status": 429}], operations) == [None, None, "429", None, None, "429", None]


def test_the_first_rule_that_befalls_decides_and_the_others_count_on() -> None:
    rules = [{"operation": "save", "nth": 1, "status": 500}, {"operation": "save", "every": 2, "status": 503}]
    assert faults_of(rules, ["save"] * 4) == ["500", "503", None, "503"]
    rules = [{"nth": 2, "status": 500}, {"nth": 2, "status": 503}]
    assert faults_of(rules, ["save"] * 3) == [None, "500", None]


def test_draws_depend_on_seed_rule_and_number_within_the_operation_only() -> None:
    rule = {"operation": ["save", "get"], "probability": 0.3, "status": 429}
    saves = faults_of([rule], ["save"] * 500, seed=11)
    assert 100 < saves.count("429") < 200
    mixed = ["get", "save", "save", "list"] * 250
    befallen = faults_of([rule], mixed, seed=11)
    assert [name for operation, name in zip(mixed, befallen, strict=True) if operation == "save"] == saves
    assert faults_of([rule], ["get"] * 500, seed=11) != saves
    assert faults_of([rule], ["save"] * 500, seed=12) != saves
    behind = [{"nth": 10**6, "status": 500}, rule]
    assert faults_of(behind, ["save"] * 500, seed=11) != saves


def test_draws_are_the_same_in_every_process() -> None:
    befallen = faults_of([{"operation": "save", "probability": 0.25, "status": 429}], ["save"] * 24, seed=7)
    assert [number for number, name in enumerate(befallen, 1) if name] == [1, 2, 10, 13, 18, 21]


def test_probability_has_its_ends() -> None:
    assert faults_of([{"probability": 0, "status": 429}], ["save"] * 50) == [None] * 50
    assert faults_of([{"probability": 1, "status": 429}], ["save"] * 50) == ["429"] * 50


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"drop": "before"}, Fault("drop_before", applied=False, sent="nothing")),
        ({"drop": "after"}, Fault("drop_after", sent="nothing")),
        ({"stall": {"when": "before", "seconds": 2}}, Fault("stall_before", wait_before_s=2.0)),
        ({"stall": {"when": "after", "seconds": 0.5}}, Fault("stall_after", wait_after_s=0.5)),
        ({"half_answer": True}, Fault("half_answer", sent="half")),
    ],
)
def test_faults_without_an_answer_of_their_own(rule: dict[str, Any], expected: Fault) -> None:
    assert parse_faults({"rules": [{"nth": 1, **rule}]}).rules[0].fault == expected


@pytest.mark.parametrize(
    ("rule", "applied", "status", "body"),
    [
        ({"status": 503}, False, 503, b'{"message": "Service Unavailable"}'),
        ({"status": 599, "after_apply": True}, True, 599, b'{"message": "Error"}'),
        ({"operation": "get", "answer": None}, True, 200, b'{"status": 200, "response": null}'),
        ({"operation": "get", "answer": [1], "apply": False}, False, 200, b'{"status": 200, "response": [1]}'),
        ({"garbage": True, "apply": False}, False, 200, None),
        ({"garbage": True}, True, 200, None),
    ],
)
def test_faults_with_an_answer_of_their_own(
    rule: dict[str, Any], applied: bool, status: int, body: bytes | None
) -> None:
    fault = parse_faults({"rules": [{"nth": 1, **rule}]}).rules[0].fault
    assert fault.reply is not None
    assert (fault.applied, fault.reply.status, fault.sent) == (applied, status, "all")
    assert (b"content-length", str(len(fault.reply.body)).encode()) in fault.reply.headers
    if body is None:
        with pytest.raises(ValueError):
            json.loads(fault.reply.body)
    else:
        assert fault.reply.body == body


@pytest.mark.parametrize("value", [0, 30, "Sat, 21 Nov 2026 23:48:11 GMT"])
def test_retry_after_is_seconds_or_a_date(value: Any) -> None:
    for kind in ({"status": 429}, {"error": "RATE_LIMIT_ERROR", "operation": "save"}):
        fault = parse_faults({"rules": [{"nth": 1, "retry_after": value, **kind}]}).rules[0].fault
        assert fault.reply is not None
        assert (b"retry-after", str(value).encode()) in fault.reply.headers


STATUS = {"nth": 1, "status": 503}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "faults: expected a JSON object, found []"),
        ({"latency": 5}, 'faults: unknown key "latency"; expected body_limit_bytes, concurrency_limit, latency_ms, '),
        ({"seed": "x"}, 'faults: seed: expected a whole number, found "x"'),
        ({"seed": True}, "faults: seed: expected a whole number, found true"),
        ({"latency_ms": -1}, "faults: latency_ms: expected a number from 0 to 86400000, found -1"),
        ({"latency_ms": float("inf")}, "faults: latency_ms: expected a number from 0 to 86400000, found a number out"),
        ({"latency_ms": 10**400}, "faults: latency_ms: expected a number from 0 to 86400000, found 1000"),
        ({"latency_ms_per_mb": None}, "faults: latency_ms_per_mb: expected a number from 0 to 86400000, found null"),
        ({"body_limit_bytes": 1.5}, "faults: body_limit_bytes: expected a whole number from 0, found 1.5"),
        ({"concurrency_limit": 0}, "faults: concurrency_limit: expected a whole number from 1, found 0"),
        ({"rules": {}}, "faults: rules: expected a list, found an object"),
        ({"rules": [STATUS, 5]}, "faults: rules[1]: expected a JSON object, found 5"),
        ({"rules": [{**STATUS, "chance": 1}]}, 'faults: rules[0]: unknown key "chance"; expected '),
        ({"rules": [{**STATUS, "\n\x1b[2J": 1}]}, 'unknown key "\\n\\u001b[2J"'),
        ({"rules": [{"nth": 1}]}, "faults: rules[0]: expected one fault of status, error, drop, stall, half_answer, "),
        ({"rules": [{**STATUS, "drop": "after"}]}, "found status and drop"),
        (
            {"rules": [{"status": 503}]},
            "faults: rules[0]: expected one choice of requests of nth, every, probability, found none",
        ),
        ({"rules": [{**STATUS, "every": 2}]}, "found nth and every"),
        ({"rules": [{**STATUS, "apply": True}]}, 'faults: rules[0]: unknown key "apply"; expected after_apply, html, '),
        ({"rules": [{"nth": 1, "drop": "after", "html": True}]}, 'unknown key "html"; expected drop, nth, operation'),
        (
            {"rules": [{**STATUS, "operation": "load"}]},
            "expected one or a list of list, create, get, save, open, active, any",
        ),
        ({"rules": [{**STATUS, "operation": []}]}, "faults: rules[0]: operation: expected one or a list of "),
        ({"rules": [{**STATUS, "operation": [["save"]]}]}, "operation: expected one or a list of "),
        ({"rules": [{"nth": 0, "status": 503}]}, "rules[0]: nth: expected a whole number from 1, or a list of them"),
        ({"rules": [{"nth": [], "status": 503}]}, "rules[0]: nth: expected a whole number from 1, or a list of them"),
        ({"rules": [{"nth": [True], "status": 503}]}, "rules[0]: nth: expected a whole number from 1, or a list of"),
        ({"rules": [{"every": 0, "status": 503}]}, "rules[0]: every: expected a whole number from 1, found 0"),
        ({"rules": [{"probability": 1.1, "status": 503}]}, "probability: expected a number from 0 to 1, found 1.1"),
        ({"rules": [{"nth": 1, "status": 302}]}, "status: expected a whole number from 400 to 599, found 302"),
        ({"rules": [{**STATUS, "html": 1}]}, "rules[0]: html: expected true or false, found 1"),
        ({"rules": [{**STATUS, "retry_after": -1}]}, "retry_after: expected whole seconds, or an HTTP date as text"),
        (
            {"rules": [{**STATUS, "retry_after": "soon"}]},
            "retry_after: expected whole seconds, or an HTTP date as text",
        ),
        ({"rules": [{**STATUS, "retry_after": None}]}, "retry_after: expected whole seconds, or an HTTP date as text"),
        (
            {"rules": [{**STATUS, "retry_after": "Sat, 21 Nov 2026 23:48:11 GMT\r\nX: y"}]},
            "retry_after: expected whole seconds, or an HTTP date as text",
        ),
        ({"rules": [{"nth": 1, "operation": "save", "error": "NO"}]}, "rules[0]: error: expected one of ANSWER_DIC"),
        ({"rules": [{"nth": 1, "operation": "save", "error": ["NO"]}]}, "rules[0]: error: expected one of ANSWER_DIC"),
        ({"rules": [{"nth": 1, "error": "RATE_LIMIT_ERROR"}]}, "name one or more of list, create, get, save"),
        ({"rules": [{"nth": 1, "operation": ["save", "open"], "answer": 1}]}, "operation: answer is an answer of the"),
        ({"rules": [{"nth": 1, "drop": "during"}]}, 'rules[0]: drop: expected "before" or "after", found "during"'),
        ({"rules": [{"nth": 1, "stall": 3}]}, "rules[0]: stall: expected a JSON object, found 3"),
        ({"rules": [{"nth": 1, "stall": {"seconds": 3}}]}, "rules[0]: stall: when is missing"),
        ({"rules": [{"nth": 1, "stall": {"when": "after"}}]}, "rules[0]: stall: seconds is missing"),
        (
            {"rules": [{"nth": 1, "stall": {"when": "after", "seconds": 86_401}}]},
            "rules[0]: stall: seconds: expected a number from 0 to 86400, found 86401",
        ),
        ({"rules": [{"nth": 1, "half_answer": False}]}, "rules[0]: half_answer: expected true, found false"),
        ({"rules": [{"nth": 1, "garbage": "yes"}]}, 'rules[0]: garbage: expected true, found "yes"'),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(document: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults(document)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "faults.json: not valid JSON at line 1, column 1"),
        (b'{"seed": 1,\n "rules": [}', "faults.json: not valid JSON at line 2, column 12"),
        (b'{"seed": "\xff"}', "faults.json: not UTF-8 at byte 10"),
        (b'{"latency_ms": NaN}', "faults.json: not valid JSON: NaN is not JSON"),
        (b'{"seed": 1, "seed": 2}', 'faults.json: not valid JSON: the key "seed" appears twice in one object'),
        (b"[" * 100_000, "faults.json: nested too deeply"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "faults.json: not valid JSON: "),
        (b'{"rules": [{"nth": 1}]}', "faults.json: rules[0]: expected one fault of "),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_faults(path)
    assert said in str(caught.value)


def test_a_file_that_is_missing_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_faults(tmp_path / "faults.json")


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        (b'{"query_type": "labelrow", "query_method": "POST", "values": {"uid": [', "save"),
        (b'{"query_type":"labelrow","query_method":"GET","values":{}}', "get"),
        (b'{"values": {}, "query_method": "PUT", "query_type": "labelrow"}', "create"),
        (b'{"query_method": "GET", "query_type": "labelrowmetadata"}', "list"),
        (b'{"query_type": "project", "query_method": "GET", "values": {}}', "other"),
        (b'{"query_type": ["labelrow"], "query_method": {}, "values": {}}', "other"),
        (b"[" * 100_000, "other"),
        (b"\xff", "other"),
        (b"[]", "other"),
    ],
)
def test_the_operation_is_found_in_any_body(body: bytes, operation: str) -> None:
    assert operation_of(body) == operation


def test_a_digest_is_of_the_content_and_not_of_the_header() -> None:
    row = {"label_hash": "a", "last_edited_at": "now", "object_answers": {"x": {}}, "data_units": {"u": {"w": 0.5}}}
    other = {"data_units": {"u": {"w": 0.5}}, "object_answers": {"x": {}}, "label_hash": "b"}
    assert content_digest(row) == content_digest(other)
    assert content_digest(row) != content_digest({**row, "object_answers": {"y": {}}})
    assert content_digest(row) != content_digest({**row, "data_units": {"u": {"w": 0.25}}})


def test_rows_of_a_body_are_its_hashes_and_digests() -> None:
    rows = [{"object_answers": {"x": {}}}, {"object_answers": {"y": {}}}]
    values = {"uid": ["a", "b"], "payload": {"multi_request": True, "labels": rows}}
    digests = (content_digest(rows[0]), content_digest(rows[1]))
    body = json.dumps({"values": values}).encode()
    assert rows_of("save", body) == (("a", "b"), digests)
    assert rows_of("get", body) == (("a", "b"), ())
    single = json.dumps({"values": {"uid": "a", "payload": rows[0]}}).encode()
    assert rows_of("save", single) == (("a",), digests[:1])
    for broken in (b"{", b"[]", b'{"values": {}}', b'{"values": {"uid": null, "payload": null}}'):
        assert rows_of("save", broken) == ((), ())
