"""One attempt to open something with the SDK, its retries off and its failures told apart by the status.

Most statuses arrive as one and the same exception of the SDK: 408, 422 and 503 alike, and a failed connection like an
answer that is cut off. So the configuration notes the status of each answer through a hook of `requests`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from encord import EncordUserClient
from encord.configs import SshConfig, UserConfig
from encord.exceptions import EncordException, RequestException
from encord.http.constants import RequestsSettings
from encord.http.querier import Querier
from encord.objects import Shape

from ropewalk.errors import EncordError, RopewalkError, TemporaryEncordError
from ropewalk.sinks.encord.answers import bad_answer, error_of_name, retry_after
from ropewalk.sinks.encord.causes import PROXY_AUTHENTICATION, cause_of, is_timeout, proxy_asks_for_password
from ropewalk.sinks.encord.transport import Timeouts
from ropewalk.sinks.encord.versions import FIRST_WITH, installed, upgrade
from ropewalk.text import shown, without_secrets

if TYPE_CHECKING:
    import requests
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Opened = TypeVar("Opened")

_OK = 200
_ACCESS_STATUS = frozenset({401, 403})
_NOT_FOUND = 404

# A resolver that cannot ask is back within seconds, or not for hours.
_NAME_SECONDS = 10.0


class Opening(Generic[Opened]):
    """Opens something of Encord's, once with each attempt.

    Args:
        what: What it is, for messages: `project 1234`.
        opened: Gives it, asked of the SDK's client.
        key: The private key.
        domain: URL of the API.
        timeouts: How long one request may take.
    """

    def __init__(
        self,
        what: str,
        opened: Callable[[EncordUserClient], Opened],
        key: Ed25519PrivateKey,
        domain: str,
        timeouts: Timeouts,
    ) -> None:
        self._what = what
        self._opened = opened
        self._domain = domain
        self._config = _WatchedConfig(key, domain=domain, requests_settings=_settings(timeouts))
        self._began = time.monotonic()

    def attempt(self) -> Opened:
        """Open it.

        Raises:
            EncordError: Of the subclass that says what to do about it.
        """
        try:
            config = UserConfig(self._config)
            return self._opened(EncordUserClient(config, Querier(config)))
        except RopewalkError:
            # Ours, about what was asked for.
            raise
        except Exception as e:  # What an unexpected answer makes of the SDK may be anything.
            error = self._error(e)
        # Raised out here: the SDK's exceptions hold requests with their signatures.
        raise error

    def _error(self, e: Exception) -> EncordError:
        status = self._config.status
        cause = proxy_asks_for_password(self._domain) if status == PROXY_AUTHENTICATION else None
        if status is None:
            cause = cause_of(e, self._domain)
        if cause is not None:
            if cause.name == "UnknownHost" and time.monotonic() - self._began > _NAME_SECONDS:
                cause = replace(cause, lasts=True)
            return cause.error(self._domain, begun=False)
        if status is None and isinstance(e, RequestException):
            name = "Timeout" if is_timeout(e) else "ConnectionError"
            what = "did not answer in time" if name == "Timeout" else "cannot be reached, or broke the connection off"
            return TemporaryEncordError(f"{self._domain} {what}", status=None, name=name)
        if status is None:
            newer = f"the encord SDK {installed()} may be newer than this release of Ropewalk"
            message = f"{self._domain}: {self._what} could not be opened ({type(e).__name__}); {newer}"
            return EncordError(message, status=None, name=type(e).__name__)
        if status == _OK:
            content = self._config.content()
            if content is None:
                return bad_answer(
                    f"{self._domain}: the answer is not what Encord answers (cut off, or not from Encord)"
                )
            # All of it arrived: asked again, the server would say the same.
            what = f"{self._domain}: {self._what} could not be opened: {_unreadable(content, e)}"
            return EncordError(what, status=_OK, name="UnreadableAnswer")
        if status == _NOT_FOUND:
            what = f"{self._what} does not exist, or the key's user may not see it"
        elif status in _ACCESS_STATUS:
            what = f"the key does not open {self._what}"
        else:
            what = f"{self._what} could not be opened (status {status})"
        # Of the SDK's texts only those hold the server's own words.
        said = f": {without_secrets(str(e.message))}" if isinstance(e, EncordException) and status != _NOT_FOUND else ""
        return error_of_name(status, f"Status{status}", f"{self._domain}: {what}{said}", self._config.retry_after)


class _WatchedConfig(SshConfig):
    """A key's configuration that keeps the last answer and its status, None where none arrived."""

    status: int | None = None
    retry_after: float | None = None
    _answer: requests.Response | None = None

    def content(self) -> dict[str, Any] | None:
        """Give the JSON object that the last answer holds; None where it is cut off or something else."""
        try:
            found = None if self._answer is None else json.loads(self._answer.content)
        except (ValueError, RecursionError, RuntimeError, OSError):
            return None
        return found if isinstance(found, dict) else None

    def define_headers_v2(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.status = self.retry_after = self._answer = None
        request.register_hook("response", self._note)
        return super().define_headers_v2(request)

    def _note(self, answer: requests.Response, **_: Any) -> None:
        self.status, self.retry_after, self._answer = answer.status_code, retry_after(answer.headers), answer


def _unreadable(content: Mapping[str, Any], error: Exception) -> str:
    """Say why the SDK cannot read an answer that is whole: mostly for a shape of the ontology that came later."""
    sdk = f"the encord SDK {installed()}"
    known = {shape.value for shape in Shape}
    editor = content.get("editor")
    objects = editor.get("objects") if isinstance(editor, dict) else None
    for item in objects if isinstance(objects, list) else []:
        shape = item.get("shape") if isinstance(item, dict) else None
        if not isinstance(shape, str) or shape in known:
            continue
        which = f"{sdk} does not know the shape {shown(shape)} of the ontology's object {shown(str(item.get('name')))}"
        if shape not in FIRST_WITH:
            return f"{which}; a newer one may: {upgrade()}"
        return f"{which}, {FIRST_WITH[shape]} and later do; {upgrade(FIRST_WITH[shape])}"
    return f"{sdk} cannot read Encord's answer ({type(error).__name__}); a newer one may: {upgrade()}"


def _settings(timeouts: Timeouts) -> RequestsSettings:
    # The SDK takes whole seconds, and 0 for no time at all.
    answer = math.ceil(timeouts.answer)
    return RequestsSettings(
        max_retries=0,
        connection_retries=0,
        connect_timeout=math.ceil(min(timeouts.connect, timeouts.answer)),
        read_timeout=answer,
        write_timeout=answer,
    )
