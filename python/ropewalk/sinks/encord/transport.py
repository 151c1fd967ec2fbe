"""Requests to Encord with bodies made outside the SDK: signed as the SDK signs, sent over pooled connections, once.

What is used of the SDK beyond its public API stands in this file and nowhere else: the querier of a project (endpoint,
key and resource), its configuration's headers, and the table of error names. Sending again is `retry`'s business.
"""

from __future__ import annotations

import hashlib
import http.cookiejar
import json
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import requests
from encord.configs import SshConfig
from encord.exceptions import EncordException
from encord.http.error_utils import check_error_response
from requests.adapters import HTTPAdapter

from ropewalk.errors import AccessError, EncordError, RefusalError, TemporaryEncordError
from ropewalk.text import without_secrets

if TYPE_CHECKING:
    import encord

_TEMPORARY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_TEMPORARY_NAMES = frozenset({"RateLimitExceededError", "UnknownException"})
_ACCESS_STATUS = frozenset({401, 403, 407})
_ACCESS_NAMES = frozenset({"AuthenticationError", "AuthorisationError", "OperationNotAllowed", "SshKeyNotFound"})
# Refusals of the project or of the request's kind, not of what the request holds.
_GENERAL_NAMES = frozenset({"MethodNotAllowedError", "WrongProjectTypeError"})
_OK = 200
_TOO_LARGE = 413


class Transport:
    """Sends requests of one project. Safe to use from several threads."""

    def __init__(self, project: encord.Project, connections: int) -> None:
        """Take over the project's own endpoint, key and headers.

        Args:
            project: A project of the `encord` client.
            connections: Connections kept open; at least as many as threads that send.
        """
        querier = project._client._querier
        self._config = querier._config
        self._resource = {"resource_id": querier.resource_id, "resource_type": querier.resource_type}
        self._session = requests.Session()
        # Retries are ours alone: what happens below would multiply them.
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=max(connections, 1), max_retries=0, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        # A cookie jar is state that threads would share; Encord needs none.
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._settings = self._session.merge_environment_settings(self._config.endpoint, {}, None, None, None)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def query(self, query_type: str, method: str, uid: Any, payload: Mapping[str, Any]) -> Any:
        """Send a small request.

        Args:
            query_type: Kind of thing, as the SDK spells it: `labelrow`, `labelrowmetadata`.
            method: GET, PUT or POST, as a word in the body; the HTTP method is always POST.
            uid: Ids, or None.
            payload: The rest.

        Returns:
            The answer's `response`.

        Raises:
            EncordError: Of the subclass that says what to do about it.
        """
        values = {"uid": uid, "payload": payload}
        body = json.dumps({"query_type": query_type, "query_method": method, "values": values}).encode("ascii")
        return self._send(body, self._config.read_timeout if method == "GET" else self._config.write_timeout)

    def save_label_rows(self, label_hashes: Sequence[str], rows: Sequence[bytes]) -> int:
        """Send label rows to be stored.

        Args:
            label_hashes: Their label_hash, parallel to `rows`.
            rows: Each label row as ASCII JSON.

        Returns:
            Size of the body, in bytes.

        Raises:
            EncordError: Of the subclass that says what to do about it; an answer that is not a plain yes is one.
        """
        body = save_body(label_hashes, rows)
        answer = self._send(body, self._config.write_timeout)
        stored = answer is True or (isinstance(answer, (list, dict)) and answer and not _holds_a_no(answer))
        if not stored:
            raise _bad_answer(f"a save was answered with {without_secrets(json.dumps(answer), 60)}, not with a yes")
        return len(body)

    def _send(self, body: bytes, timeout: float) -> Any:
        request = requests.Request("POST", self._config.endpoint, headers=self._headers(body), data=body).prepare()
        try:
            answer = self._session.send(
                request, timeout=(self._config.connect_timeout, timeout), allow_redirects=False, **self._settings
            )
            content = answer.content
        except requests.Timeout:
            raise TemporaryEncordError(
                f"no answer from {self._host()} within {timeout:g} s", status=None, name="Timeout"
            ) from None
        except (requests.RequestException, OSError) as e:
            # The exception's own text may hold the URL of a proxy with its password.
            raise TemporaryEncordError(
                f"the connection to {self._host()} failed or broke off ({type(e).__name__})",
                status=None,
                name="ConnectionError",
            ) from None
        return _response(answer.status_code, content, _retry_after(answer.headers))

    def _headers(self, body: bytes) -> dict[str, Any]:
        if not isinstance(self._config, SshConfig):
            return self._config.define_headers(**self._resource, data=body.decode("ascii"))
        # The SDK signs a str; for bytes the same is done with the configuration's own key and spelling of the header.
        headers = self._config.define_headers(**self._resource, data="")
        signature = self._config.private_key.sign(hashlib.sha256(body).digest())
        key = self._config.public_key_hex
        return headers | {"Authorization": self._config._get_v1_ssh_authorization_header(key, signature)}

    def _host(self) -> str:
        return without_secrets(urlsplit(self._config.endpoint).hostname or "the server")


def save_body(label_hashes: Sequence[str], rows: Sequence[bytes]) -> bytes:
    """Join encoded label rows to the body of a save, as the SDK spells it."""
    uid = json.dumps(list(label_hashes)).encode("ascii")
    return b"".join(
        (
            b'{"query_type": "labelrow", "query_method": "POST", "values": {"uid": ',
            uid,
            b', "payload": {"multi_request": true, "labels": [',
            b", ".join(rows),
            b'], "validate_before_saving": false}}}',
        )
    )


def _response(status: int, content: bytes, retry_after: float | None) -> Any:
    try:
        envelope = orjson.loads(content)
    except orjson.JSONDecodeError:
        envelope = None
    if status != _OK:
        raise _error_of_status(status, envelope, retry_after)
    if not isinstance(envelope, dict) or "status" not in envelope:
        raise _bad_answer("the answer is not what Encord answers (cut off, or from something in between)")
    if envelope["status"] != _OK:
        raise _error_of_envelope(envelope, retry_after)
    if envelope.get("response") is None:
        raise _bad_answer("the answer holds no response")
    return envelope["response"]


def _error_of_status(status: int, envelope: Any, retry_after: float | None) -> EncordError:
    if isinstance(envelope, dict) and isinstance(envelope.get("response"), list):
        return _error_of_envelope(envelope | {"status": status}, retry_after)
    said = (
        next((envelope[k] for k in ("message", "detail") if isinstance(envelope.get(k), str)), "")
        if isinstance(envelope, dict)
        else ""
    )
    message = f"Encord answered with status {status}" + (f": {without_secrets(said)}" if said else "")
    return _error(status, f"Status{status}", message, retry_after)


def _error_of_envelope(envelope: dict[str, Any], retry_after: float | None) -> EncordError:
    status = envelope["status"] if type(envelope["status"]) is int else None
    try:
        check_error_response(envelope.get("response"), None, envelope.get("payload"))
    except EncordException as e:
        return _error(status, type(e).__name__, without_secrets(str(e.message)), retry_after)
    except Exception:  # The table itself stumbles over payloads it does not expect.
        return _error(status, "UnexpectedError", "Encord answered with an error of an unexpected form", retry_after)
    return _bad_answer("Encord answered with an error that has no name")


def _error(status: int | None, name: str, message: str, retry_after: float | None) -> EncordError:
    from_encord = not name.startswith("Status")
    kind = EncordError
    if name in _ACCESS_NAMES or status in _ACCESS_STATUS:
        kind = AccessError
    elif name in _TEMPORARY_NAMES or (
        status in _TEMPORARY_STATUS and (not from_encord or name == "GenericServerError")
    ):
        kind = TemporaryEncordError
    elif (from_encord and name not in _GENERAL_NAMES) or status == _TOO_LARGE:
        kind = RefusalError
    return kind(message, status=status, name=name, retry_after=retry_after)


def _bad_answer(message: str) -> EncordError:
    return TemporaryEncordError(message, status=_OK, name="BadAnswer")


def _holds_a_no(answer: list[Any] | dict[str, Any]) -> bool:
    return any(item is None or item is False for item in (answer if isinstance(answer, list) else answer.values()))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
