"""Faults as data: what a faults file asks for, read and checked; `faulty` acts on it.

docs/guide/emulator.md describes the file.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, NoReturn

from ropewalk.errors import UsageError
from ropewalk.text import shown

OPERATIONS = ("list", "create", "get", "save", "open", "active")
# The second API has no envelope that an error's name or another answer could stand in.
_ENVELOPED = OPERATIONS[:4]
_ANY = "any"
_SELECTORS = ("nth", "every", "probability")
_LONGEST_SECONDS = 86_400
_ERROR_STATUS = {
    "ANSWER_DICTIONARY_ERROR": 400,
    "AUTHENTICATION_ERROR": 401,
    "AUTHORISATION_ERROR": 403,
    "CORRUPTED_LABEL_ERROR": 400,
    "FEATURE_DOES_NOT_EXIST_ERROR": 400,
    "INVALID_ARGUMENTS_ERROR": 400,
    "METHOD_NOT_ALLOWED_ERROR": 405,
    "OPERATION_NOT_ALLOWED": 403,
    "RATE_LIMIT_ERROR": 429,
    "RESOURCE_EXISTS_ERROR": 409,
    "RESOURCE_NOT_FOUND_ERROR": 404,
    "SSH_KEY_NOT_FOUND_ERROR": 401,
    "UNKNOWN_ERROR": 500,
    "WRONG_PROJECT_TYPE_ERROR": 400,
}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer as it is sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Fault:
    """What befalls one request.

    Attributes:
        name: What a history calls it.
        applied: Whether the request is carried out.
        wait_before_s: Seconds before it is carried out.
        wait_after_s: Seconds between that and the answer.
        reply: What is answered in place of the emulator's own answer, None for that answer.
        sent: How much of the answer arrives before the connection is cut.
    """

    name: str
    applied: bool = True
    wait_before_s: float = 0.0
    wait_after_s: float = 0.0
    reply: Reply | None = None
    sent: Literal["all", "half", "nothing"] = "all"


@dataclass(frozen=True)
class Rule:
    """A fault and the requests that it befalls: of these operations, and by exactly one of the other fields.

    Attributes:
        operations: The operations whose requests match; None for all requests.
        nth: Numbers, from 1, of matching requests.
        every: Every so many matching requests; 0 for none.
        probability: Share of the matching requests, from 0 to 1.
    """

    fault: Fault
    operations: frozenset[str] | None = None
    nth: frozenset[int] = frozenset()
    every: int = 0
    probability: float = 0.0

    def befalls(self, operation: str, numbers: Mapping[str, int], draw: Callable[[], random.Random]) -> bool:
        """Decide on one request.

        Args:
            operation: What the request asks for.
            numbers: How many requests of each operation there were, this one included.
            draw: Makes the random numbers that belong to this rule and request.
        """
        if self.operations is not None and operation not in self.operations:
            return False
        number = sum(n for name, n in numbers.items() if self.operations is None or name in self.operations)
        return (
            number in self.nth
            or (self.every > 0 and number % self.every == 0)
            or (self.probability > 0 and draw().random() < self.probability)
        )


@dataclass(frozen=True)
class Faults:
    """How an emulator misbehaves.

    Attributes:
        seed: Decides the draws of every probability.
        latency_ms: Milliseconds every answer takes at least, half of them before the request is carried out.
        latency_ms_per_mb: Milliseconds more for each megabyte (1,000,000 bytes) of body and answer.
        body_limit_bytes: Larger bodies are answered with status 413; None for no limit.
        concurrency_limit: With more requests than this in flight the next is answered with 429; None for no limit.
        rules: The first that befalls a request decides.
    """

    seed: int = 0
    latency_ms: float = 0.0
    latency_ms_per_mb: float = 0.0
    body_limit_bytes: int | None = None
    concurrency_limit: int | None = None
    rules: tuple[Rule, ...] = ()

    def fault_of(self, operation: str, numbers: Mapping[str, int]) -> Fault | None:
        """Look for the fault that befalls a request.

        A draw depends on the seed, the rule's place and the request's number within its operation alone, so that
        neither threads nor other operations change it.

        Args:
            operation: What the request asks for.
            numbers: How many requests of each operation there were, this one included.
        """
        for place, rule in enumerate(self.rules):
            key = f"{self.seed}:{place}:{operation}:{numbers[operation]}"
            if rule.befalls(operation, numbers, lambda key=key: random.Random(key)):  # type: ignore[misc]
                return rule.fault
        return None


def status_reply(status: int, *, retry_after: str | None = None, html: bool = False) -> Reply:
    """Make an answer as a gateway gives it: an HTTP status without Encord's envelope.

    Args:
        status: The HTTP status.
        retry_after: The value of a Retry-After header.
        html: Whether the body is a page for a browser.
    """
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    if html:
        title = f"{status} {phrase}"
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
        return _reply(status, page.encode("ascii"), b"text/html", retry_after)
    return _reply(status, json.dumps({"message": phrase}).encode("ascii"), retry_after=retry_after)


def read_faults(path: str | os.PathLike[str]) -> Faults:
    """Read a faults file.

    Args:
        path: A JSON file.

    Returns:
        The faults it asks for.

    Raises:
        UsageError: The file is not JSON, or a field of it is unknown or wrong; says which.
        OSError: The file cannot be opened.
    """
    where = shown(str(path))
    try:
        document = json.loads(Path(path).read_bytes(), object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except json.JSONDecodeError as e:
        raise UsageError(f"{where}: not valid JSON at line {e.lineno}, column {e.colno}: {e.msg}") from e
    except UnicodeDecodeError as e:
        raise UsageError(f"{where}: not UTF-8 at byte {e.start}") from e
    except ValueError as e:
        raise UsageError(f"{where}: not valid JSON: {e}") from e
    except RecursionError as e:
        raise UsageError(f"{where}: nested too deeply for a faults file") from e
    return parse_faults(document, where)


def parse_faults(document: Any, where: str = "faults") -> Faults:
    """Check what stands in a faults file.

    Args:
        document: The file's content, as `json.loads` gives it.
        where: What errors call it.

    Returns:
        The faults it asks for.

    Raises:
        UsageError: A field is unknown or wrong; says which and what was expected.
    """
    known = ("seed", "latency_ms", "latency_ms_per_mb", "body_limit_bytes", "concurrency_limit", "rules")
    fields = _Fields(document, where, known)
    rules = fields.values.get("rules", [])
    if not isinstance(rules, list):
        _refuse(f"{where}: rules", "a list", rules)
    return Faults(
        seed=fields.whole("seed", 0, low=None),
        latency_ms=fields.number("latency_ms", 0.0, _LONGEST_SECONDS * 1000),
        latency_ms_per_mb=fields.number("latency_ms_per_mb", 0.0, _LONGEST_SECONDS * 1000),
        body_limit_bytes=fields.whole("body_limit_bytes", None, low=0),
        concurrency_limit=fields.whole("concurrency_limit", None, low=1),
        rules=tuple(_rule(rule, f"{where}: rules[{index}]") for index, rule in enumerate(rules)),
    )


def _rule(document: Any, where: str) -> Rule:
    known = {key for kind in _KINDS.values() for key in kind.options} | {"operation", *_SELECTORS, *_KINDS}
    fields = _Fields(document, where, known)
    kind = _KINDS[fields.only_one_of(tuple(_KINDS), "fault")]
    selector = fields.only_one_of(_SELECTORS, "choice of requests")
    fields = _Fields(document, where, {"operation", selector, kind.name, *kind.options})
    operations = _operations(fields.values.get("operation", _ANY), f"{where}: operation")
    if kind.enveloped and (operations is None or not operations <= set(_ENVELOPED)):
        raise UsageError(
            f"{where}: operation: {kind.name} is an answer of the first API; name one or more of "
            f"{', '.join(_ENVELOPED)}"
        )
    return Rule(
        fault=kind.parse(fields),
        operations=operations,
        nth=_numbers(fields.values["nth"], f"{where}: nth") if selector == "nth" else frozenset(),
        every=fields.whole("every", 0, low=1),
        probability=fields.number("probability", 0.0, 1),
    )


def _operations(value: Any, where: str) -> frozenset[str] | None:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name in (*OPERATIONS, _ANY) for name in names):
        _refuse(where, f"one or a list of {', '.join(OPERATIONS)}, {_ANY}", value)
    return None if _ANY in names else frozenset(names)


def _numbers(value: Any, where: str) -> frozenset[int]:
    numbers = value if isinstance(value, list) else [value]
    if not numbers or not all(type(number) is int and number >= 1 for number in numbers):
        _refuse(where, "a whole number from 1, or a list of them", value)
    return frozenset(numbers)


def _status(fields: _Fields) -> Fault:
    status = fields.whole("status", 0, low=400, high=599)
    return Fault(
        name=str(status),
        applied=fields.flag("after_apply", False),
        reply=status_reply(status, retry_after=fields.retry_after(), html=fields.flag("html", False)),
    )


def _error(fields: _Fields) -> Fault:
    name = fields.values["error"]
    if not isinstance(name, str) or name not in _ERROR_STATUS:
        _refuse(f"{fields.where}: error", f"one of {', '.join(_ERROR_STATUS)}", name)
    envelope = {"status": _ERROR_STATUS[name], "response": [name], "payload": "as the faults file asks for"}
    return Fault(
        name=name,
        applied=fields.flag("after_apply", False),
        reply=_reply(200, json.dumps(envelope).encode("ascii"), retry_after=fields.retry_after()),
    )


def _drop(fields: _Fields) -> Fault:
    when = fields.when(fields.values["drop"], f"{fields.where}: drop")
    return Fault(name=f"drop_{when}", applied=when == "after", sent="nothing")


def _stall(fields: _Fields) -> Fault:
    stall = _Fields(fields.values["stall"], f"{fields.where}: stall", ("when", "seconds"))
    when = stall.when(stall.required("when"), f"{stall.where}: when")
    stall.required("seconds")
    seconds = stall.number("seconds", 0.0, _LONGEST_SECONDS)
    if when == "before":
        return Fault(name="stall_before", wait_before_s=seconds)
    return Fault(name="stall_after", wait_after_s=seconds)


def _half_answer(fields: _Fields) -> Fault:
    fields.must_be_true("half_answer")
    return Fault(name="half_answer", sent="half")


def _garbage(fields: _Fields) -> Fault:
    fields.must_be_true("garbage")
    # Neither JSON nor UTF-8, yet announced as JSON.
    return Fault(name="garbage", applied=fields.flag("apply", True), reply=_reply(200, b'{"status":\x00\xff\xfe<<\r\n'))


def _answer(fields: _Fields) -> Fault:
    envelope = {"status": 200, "response": fields.values["answer"]}
    return Fault(
        name="answer", applied=fields.flag("apply", True), reply=_reply(200, json.dumps(envelope).encode("ascii"))
    )


@dataclass(frozen=True)
class _Kind:
    name: str
    parse: Callable[[_Fields], Fault]
    options: tuple[str, ...] = ()
    enveloped: bool = field(default=False, kw_only=True)


_KINDS = {
    kind.name: kind
    for kind in (
        _Kind("status", _status, ("retry_after", "html", "after_apply")),
        _Kind("error", _error, ("retry_after", "after_apply"), enveloped=True),
        _Kind("drop", _drop),
        _Kind("stall", _stall),
        _Kind("half_answer", _half_answer),
        _Kind("garbage", _garbage, ("apply",)),
        _Kind("answer", _answer, ("apply",), enveloped=True),
    )
}


class _Fields:
    """The fields of one JSON object, of which all must be known."""

    def __init__(self, document: Any, where: str, known: Any) -> None:
        if not isinstance(document, dict):
            _refuse(where, "a JSON object", document)
        self.values: dict[str, Any] = document
        self.where = where
        unknown = [key for key in document if key not in known]
        if unknown:
            raise UsageError(f"{where}: unknown key {_found(unknown[0])}; expected {', '.join(sorted(known))}")

    def required(self, name: str) -> Any:
        if name not in self.values:
            raise UsageError(f"{self.where}: {name} is missing")
        return self.values[name]

    def only_one_of(self, names: tuple[str, ...], noun: str) -> str:
        present = [name for name in names if name in self.values]
        if len(present) != 1:
            found = " and ".join(present) or "none"
            raise UsageError(f"{self.where}: expected one {noun} of {', '.join(names)}, found {found}")
        return present[0]

    def whole(self, name: str, default: Any, *, low: int | None, high: int | None = None) -> Any:
        if name not in self.values:
            return default
        value = self.values[name]
        if type(value) is not int or (low is not None and value < low) or (high is not None and value > high):
            bounds = "" if low is None else f" from {low}" + ("" if high is None else f" to {high}")
            _refuse(f"{self.where}: {name}", f"a whole number{bounds}", value)
        return value

    def number(self, name: str, default: float, high: float) -> float:
        value = self.values.get(name, default)
        if type(value) not in (int, float) or not 0 <= value <= high:
            _refuse(f"{self.where}: {name}", f"a number from 0 to {high}", value)
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            _refuse(f"{self.where}: {name}", "true or false", value)
        return value

    def must_be_true(self, name: str) -> None:
        if self.values[name] is not True:
            _refuse(f"{self.where}: {name}", "true", self.values[name])

    def when(self, value: Any, where: str) -> Literal["before", "after"]:
        if value == "before":
            return "before"
        if value == "after":
            return "after"
        _refuse(where, '"before" or "after"', value)

    def retry_after(self) -> str | None:
        value = self.values.get("retry_after")
        if type(value) is int and 0 <= value < 10**9:
            return str(value)
        if "retry_after" not in self.values or (isinstance(value, str) and _is_http_date(value)):
            return value
        _refuse(f"{self.where}: retry_after", "whole seconds, or an HTTP date as text", value)


def _is_http_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return False
    return text.isascii() and text.isprintable()


def _reply(
    status: int, body: bytes, content_type: bytes = b"application/json", retry_after: str | None = None
) -> Reply:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode("ascii"))]
    if retry_after is not None:
        headers.append((b"retry-after", retry_after.encode("ascii")))
    return Reply(status, body, tuple(headers))


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in pairs:
        if name in document:
            raise ValueError(f"the key {_found(name)} appears twice in one object")
        document[name] = value
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(where: str, expected: str, value: Any) -> NoReturn:
    raise UsageError(f"{where}: expected {expected}, found {_found(value)}")


def _found(value: Any) -> str:
    # A container's content may be of any size and depth; its kind is enough.
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return shown(json.dumps(value), 60) if all(not isinstance(v, (dict, list)) for v in value) else "a list"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number out of range"
    return shown(json.dumps(value), 60)
