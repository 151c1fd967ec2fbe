"""What an answer of Encord means: its response, or an error of the class that says what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
from encord.exceptions import EncordException

from ropewalk.errors import AccessError, EncordError, RefusalError, TemporaryEncordError
from ropewalk.text import without_secrets

_TEMPORARY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_TEMPORARY_NAMES = frozenset({"RateLimitExceededError", "UnknownException"})
_ACCESS_STATUS = frozenset({401, 403})
_ACCESS_NAMES = frozenset({"AuthenticationError", "AuthorisationError", "OperationNotAllowed", "SshKeyNotFound"})
# Refusals of the project or of the request's kind, not of what the request holds.
_GENERAL_NAMES = frozenset({"MethodNotAllowedError", "WrongProjectTypeError"})
_OK = 200
TOO_LARGE = 413


@dataclass(frozen=True)
class Answer:
    """An answer that arrived whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def response_of(answer: Answer) -> Any:
    """Take the response out of an answer.

    Raises:
        EncordError: It is an error, or not what Encord answers.
    """
    try:
        envelope = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        envelope = None
    if answer.status != _OK:
        raise _error_of_status(answer.status, envelope, retry_after(answer.headers))
    if not isinstance(envelope, dict) or type(envelope.get("status")) is not int:
        raise bad_answer("the answer is not what Encord answers (cut off, or from something in between)")
    if envelope["status"] != _OK:
        raise _error_of_envelope(envelope, retry_after(answer.headers))
    if envelope.get("response") is None:
        raise bad_answer("the answer holds no response")
    return envelope["response"]


def resource_of(answer: Answer) -> dict[str, Any]:
    """Take a resource of the second API out of an answer: a JSON object.

    Raises:
        EncordError: It is an error, or not what Encord answers.
    """
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        found = None
    if answer.status != _OK:
        raise _error_of_status(answer.status, found, retry_after(answer.headers))
    if not isinstance(found, dict):
        raise bad_answer("the answer is not what Encord answers (cut off, or from something in between)")
    return found


def _error_of_status(status: int, envelope: Any, wait: float | None) -> EncordError:
    if isinstance(envelope, dict) and isinstance(envelope.get("response"), list):
        return _error_of_envelope(envelope | {"status": status}, wait)
    said = (
        next((envelope[k] for k in ("message", "detail") if isinstance(envelope.get(k), str)), "")
        if isinstance(envelope, dict)
        else ""
    )
    message = f"Encord answered with status {status}" + (f": {without_secrets(said)}" if said else "")
    return error_of_name(status, f"Status{status}", message, wait)


def _error_of_envelope(envelope: dict[str, Any], wait: float | None) -> EncordError:
    # Not public: `connection` looks whether it exists before anything is sent.
    from encord.http.error_utils import check_error_response

    status = envelope["status"]
    try:
        check_error_response(envelope.get("response"), None, envelope.get("payload"))
    except EncordException as e:
        return error_of_name(status, type(e).__name__, without_secrets(str(e.message)), wait)
    except Exception:  # The table itself stumbles over payloads it does not expect.
        return error_of_name(status, "UnexpectedError", "Encord answered with an error of an unexpected form", wait)
    return bad_answer("Encord answered with an error that has no name")


def error_of_name(status: int, name: str, message: str, wait: float | None) -> EncordError:
    """Make the error for a status and a name.

    Args:
        status: The answer's.
        name: The SDK's name for the error, or `Status` and the status where Encord did not name one.
        message: Without secrets.
        wait: Seconds the server asks to wait, if it does.
    """
    from_encord = not name.startswith("Status")
    kind = EncordError
    if name in _ACCESS_NAMES or status in _ACCESS_STATUS:
        kind = AccessError
    elif name in _TEMPORARY_NAMES or (
        status in _TEMPORARY_STATUS and (not from_encord or name == "GenericServerError")
    ):
        kind = TemporaryEncordError
    elif (from_encord and name not in _GENERAL_NAMES) or status == TOO_LARGE:
        kind = RefusalError
    return kind(message, status=status, name=name, retry_after=wait)


def bad_answer(message: str) -> EncordError:
    """Make the error for an answer that claims success and is none."""
    return TemporaryEncordError(message, status=_OK, name="BadAnswer")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds the server asks to wait, also where it names a moment by its own clock."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    moment = http_date(value)
    if moment is None:
        return None
    now = http_date(headers.get("Date", "")) or datetime.now(timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def http_date(value: str) -> datetime | None:
    """Read the moment that a header names, in UTC; None where it names none."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (ValueError, TypeError, OverflowError):
        return None
