"""Requests to Encord with bodies made outside the SDK: signed as the SDK signs, sent over pooled connections, once.

Of the SDK it uses, beyond its public API, the querier of a project (endpoint, key and resource) and its configuration's
headers. What an answer means stands in `answers`; sending again is `retry`'s business, how many are in flight `pace`'s.
"""

from __future__ import annotations

import hashlib
import http.cookiejar
import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from encord.configs import SshConfig
from requests.adapters import HTTPAdapter

from ropewalk.errors import EncordError, TemporaryEncordError
from ropewalk.options import spelt
from ropewalk.sinks.encord.answers import Answer, resource_of, response_of
from ropewalk.sinks.encord.causes import PROXY_AUTHENTICATION, cause_of, is_timeout, proxy_asks_for_password
from ropewalk.sinks.encord.pace import Pace
from ropewalk.text import without_secrets

if TYPE_CHECKING:
    import encord

# What a server says or does when it has too much to do: the pace is lowered.
_PUSH_BACK_STATUS = frozenset({429, 503})
_PUSH_BACK_NAMES = frozenset({"RateLimitExceededError", "Timeout"})
# Without a name of Encord's, these are about the address. Encord marks it as deprecated.
_NO_SUCH_ADDRESS = frozenset({"Status404", "Status405", "Status410"})
_log = logging.getLogger(__name__)

_BLOCK_BYTES = 65_536
_BYTES_PER_MB = 1_000_000

# JSON in pieces: put together it would be copied, onto fresh memory.
Blocks = Sequence[bytes | memoryview]


@dataclass(frozen=True)
class Timeouts:
    """How long one attempt of a request may take; all in seconds.

    Attributes:
        connect: For the connection.
        answer: For the answer, also between two pieces of it.
        seconds_per_mb: More for each MB that is sent and that has arrived.
    """

    connect: float = 10.0
    answer: float = 60.0
    seconds_per_mb: float = 2.0

    def for_bytes(self, len_bytes: int) -> float:
        """Give the seconds for a connected exchange of so many bytes."""
        return self.answer + self.seconds_per_mb * len_bytes / _BYTES_PER_MB


class Transport:
    """Sends requests of one project. Safe to use from several threads."""

    def __init__(
        self,
        project: encord.Project,
        connections: int,
        *,
        pace: Pace | None = None,
        timeouts: Timeouts | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Take over the project's own endpoint, key and headers.

        Args:
            project: A project of the `encord` client.
            connections: Connections kept open; at least as many as threads that send.
            pace: How many requests are in flight; else at most one a connection.
            timeouts: How long an attempt may take.
            stop: Ends the wait for a place in flight when it is set.
        """
        self._pace = pace or Pace(most=connections)
        self._timeouts = timeouts or Timeouts()
        self._stop = stop or threading.Event()
        querier = project._client._querier
        self._config = querier._config
        self._resource = {"resource_id": querier.resource_id, "resource_type": querier.resource_type}
        self._session = requests.Session()
        # Retries are ours alone: what happens below would multiply them.
        adapter = _Adapter(pool_connections=1, pool_maxsize=max(connections, 1), max_retries=0, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        # A cookie jar is state that threads would share; Encord needs none.
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # Streamed, so that an answer that drips is seen to drip.
        self._settings = self._session.merge_environment_settings(self._config.endpoint, {}, True, None, None)

    @property
    def endpoint(self) -> str:
        """The URL that all requests go to."""
        return self._config.endpoint

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
        return self.send([body], f"{method} {query_type}")[0]

    def get(self, path: str) -> dict[str, Any]:
        """Fetch a resource of the second API.

        Args:
            path: Its address below `/v2/public/`.

        Raises:
            EncordError: Of the subclass that says what to do about it.
        """
        request = requests.Request("GET", urljoin(self._config.endpoint, f"/v2/public/{path}")).prepare()
        with self._pace.slot(self._stop) as slot:
            answer = self._exchange(self._config.define_headers_v2(request), 0)
            found = resource_of(answer)
            slot.answered("GET", len(answer.content))
        _log.debug("GET %s: status %d, %d bytes received", path.partition("?")[0], answer.status, len(answer.content))
        return found

    def send(self, body: Blocks, operation: str) -> tuple[Any, Mapping[str, str]]:
        """Send a request.

        Args:
            body: ASCII JSON.
            operation: Kind of request, for the pace: what is slow for one kind may be quick for another.

        Returns:
            The answer's `response`, and its headers.

        Raises:
            EncordError: Of the subclass that says what to do about it.
        """
        with self._pace.slot(self._stop) as slot:
            try:
                began = time.monotonic()
                answer = self._post(body)
                _log.debug(
                    "%s: status %d, %d bytes sent, %d received, %.3f s",
                    *(operation, answer.status, len_bytes(body), len(answer.content), time.monotonic() - began),
                )
                response = response_of(answer)
            except EncordError as e:
                if e.status in _PUSH_BACK_STATUS or e.name in _PUSH_BACK_NAMES:
                    slot.pushed_back()
                if e.name in _NO_SUCH_ADDRESS:
                    e.args = (
                        f"{e}: {self.endpoint} does not take the requests of this release of Ropewalk; try "
                        f"{spelt('sdk_calls')}, or a newer release",
                    )
                raise
            slot.answered(operation, len_bytes(body) + len(answer.content))
        return response, answer.headers

    def _post(self, body: Blocks) -> Answer:
        late_from = time.monotonic() + self._timeouts.connect + self._timeouts.for_bytes(len_bytes(body))
        request = requests.Request(
            "POST", self._config.endpoint, headers=self._headers(body), data=_Body(body, late_from)
        ).prepare()
        return self._exchange(request, len_bytes(body))

    def _exchange(self, request: requests.PreparedRequest, n_bytes: int) -> Answer:
        seconds = self._timeouts.for_bytes(n_bytes)
        began = time.monotonic()
        late_from = began + self._timeouts.connect + seconds
        answer = cause = None
        try:
            answer = self._session.send(
                request, timeout=(self._timeouts.connect, seconds), allow_redirects=False, **self._settings
            )
            if answer.status_code != PROXY_AUTHENTICATION:
                return Answer(answer.status_code, answer.headers, self._content(answer, late_from))
            cause = proxy_asks_for_password(self.endpoint)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as e:
            cause, late, kind = cause_of(e, self.endpoint), is_timeout(e), type(e).__name__
        # Raised out here, so that the exception has no context: the text of that one may hold the URL of a proxy with
        # its password, and the request in it the Authorization header.
        if answer is not None:
            answer.close()
        if cause is not None:
            # Something was answered over this connection before, if only when the project was opened.
            raise cause.error(self._host(), begun=True)
        if late:
            message = f"no whole answer from {self._host()} within {time.monotonic() - began:.3g} s"
            raise TemporaryEncordError(message, status=None, name="Timeout")
        message = f"the connection to {self._host()} failed or broke off ({kind})"
        raise TemporaryEncordError(message, status=None, name="ConnectionError")

    def _content(self, answer: requests.Response, late_from: float) -> bytes:
        parts = []
        # What is there is taken as it comes: a read of a fixed size would wait for the last byte of it, however slow.
        while part := answer.raw.read1(_BLOCK_BYTES, decode_content=True):
            parts.append(part)
            late_from += self._timeouts.seconds_per_mb * len(part) / _BYTES_PER_MB
            if time.monotonic() > late_from:
                raise requests.Timeout
        return b"".join(parts)

    def _headers(self, body: Blocks) -> dict[str, Any]:
        if not isinstance(self._config, SshConfig):
            return self._config.define_headers(**self._resource, data=b"".join(body).decode("ascii"))
        # The SDK signs a str; for bytes the same is done here with the configuration's own key.
        headers = self._config.define_headers(**self._resource, data="")
        digest = hashlib.sha256()
        for block in body:
            digest.update(block)
        signature = self._config.private_key.sign(digest.digest())
        return headers | {"Authorization": f"{self._config.public_key_hex}:{signature.hex()}"}

    def _host(self) -> str:
        return without_secrets(urlsplit(self._config.endpoint).hostname or "the server")


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, blocksize=_BLOCK_BYTES)


def len_bytes(body: Blocks) -> int:
    """Give the length of a body in bytes."""
    return sum(map(len, body))


class _Body:
    """A body as a file that is sent in pieces of a bounded size.

    In one piece, all of it would have to be sent within the timeout of the connection, however large it is.
    """

    def __init__(self, blocks: Blocks, late_from: float) -> None:
        self._len_bytes = len_bytes(blocks)
        self._blocks = iter(blocks)
        self._rest = memoryview(b"")
        self._late_from = late_from

    def __len__(self) -> int:
        return self._len_bytes

    def read(self, size: int = _BLOCK_BYTES, /) -> bytes:
        if time.monotonic() > self._late_from:
            raise TimeoutError
        parts = []
        # Small ones go together: a packet each would be many.
        while size:
            if not self._rest:
                block = next(self._blocks, None)
                if block is None:
                    break
                self._rest = memoryview(block)
            parts.append(self._rest[:size])
            self._rest = self._rest[size:]
            size -= len(parts[-1])
        return b"".join(parts)
