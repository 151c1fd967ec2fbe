"""The HTTP surface: routes, signature checks and the envelope of errors; the APIs themselves know no HTTP."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ropewalk.emulator.first_api import EmulatorOptions, FirstApi
from ropewalk.emulator.refusals import Refused, not_authenticated, too_large, unavailable, unknown_key
from ropewalk.emulator.second_api import SecondApi
from ropewalk.emulator.signatures import KeyRing, SignatureRefused, UnknownKey
from ropewalk.emulator.store import Store

# Several label rows of the largest size that Encord takes.
MAX_BODY_BYTES = 1 << 28

_Handler = Callable[[Request], Awaitable[Response]]
# What the second API answers to a request and its body.
_Answer = Callable[[Request, bytes], Any]


def build_app(store: Store, keys: KeyRing, options: EmulatorOptions) -> Starlette:
    """Build the emulator's ASGI application.

    Args:
        store: The label rows.
        keys: The public keys that may sign requests.
        options: How to behave where Encord's behaviour is not known.

    Returns:
        An application that any ASGI middleware may wrap.
    """
    second = SecondApi(store, options)
    first = FirstApi(store, options)

    def route(path: str, answer: _Answer, method: str = "GET") -> Route:
        return Route(f"/v2/public/{path}", _second(keys, answer), methods=[method])

    return Starlette(
        routes=[
            Route("/public", _first(keys, first), methods=["POST"]),
            Route("/public/user", _first(keys, first), methods=["POST"]),
            route("projects", lambda r, _: second.list_projects(dict(r.query_params))),
            route("projects/{project_hash}", lambda r, _: second.get_project(**r.path_params)),
            route("projects/{project_hash}/branches", lambda r, _: second.list_branches(**r.path_params)),
            route("projects/{project_hash}/datasets", lambda r, _: second.list_datasets(**r.path_params)),
            route(
                "projects/{project_hash}/labels/copy-branch",
                lambda r, body: second.copy_branch(**r.path_params, body=body),
                "POST",
            ),
            route(
                "projects/{project_hash}/priorities",
                lambda r, body: second.set_priorities(**r.path_params, body=body),
                "POST",
            ),
            route("active/{project_hash}/sync", lambda r, _: second.active_sync(**r.path_params), "POST"),
            route(
                "active/{project_hash}/import", lambda r, body: second.active_import(**r.path_params, body=body), "POST"
            ),
            route("ontologies/{ontology_hash}", lambda r, _: second.get_ontology(**r.path_params)),
            Route(
                "/v2/public/{path:path}",
                _second(keys, _unknown_address),
                methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            ),
        ],
        exception_handlers={ClientDisconnect: _gone},
    )


def _first(keys: KeyRing, api: FirstApi) -> _Handler:
    """Answer with the first API's envelope: always HTTP 200, the actual status inside."""

    def answer(request: Request, body: bytes) -> bytes:
        _checked(lambda: keys.verify_v1(request.headers, body))
        with _database():
            return b'{"status":200,"response":' + api.answer(request.headers, body).encode() + b"}"

    async def handler(request: Request) -> Response:
        try:
            # In a thread, since hashing and parsing a body of many megabytes would stall every other request.
            content = await run_in_threadpool(answer, request, await _body(request, keys))
        except Refused as e:
            content = json.dumps({"status": e.status, "response": [e.name], "payload": e.message}).encode()
        return Response(content, media_type="application/json")

    return handler


def _second(keys: KeyRing, api: _Answer) -> _Handler:
    """Answer with the second API's plain JSON, errors as HTTP status and message."""

    def answer(request: Request, body: bytes) -> bytes:
        query = request.scope["query_string"]
        target = request.scope["raw_path"] + (b"?" + query if query else b"")
        _checked(lambda: keys.verify_v2(request.method, target.decode("latin-1"), request.headers, body))
        with _database():
            return json.dumps(api(request, body)).encode()

    async def handler(request: Request) -> Response:
        try:
            status, content = 200, await run_in_threadpool(answer, request, await _body(request, keys))
        except Refused as e:
            status, content = e.status, json.dumps({"message": e.message}).encode()
        return Response(content, status, media_type="application/json")

    return handler


async def _body(request: Request, keys: KeyRing) -> bytes:
    """Read the body of a request that says it is signed, up to a bound.

    What is refused is read all the same, and forgotten: a client that is still sending would not see the answer.

    Raises:
        Refused: No registered key is named, or the body is too large.
    """
    refused: Refused | None = None
    try:
        _checked(lambda: keys.check_claim(request.headers))
    except Refused as e:
        refused = e
    body = bytearray()
    async for part in request.stream():
        if refused is None and len(body) + len(part) > MAX_BODY_BYTES:
            refused = too_large(f"the body is larger than {MAX_BODY_BYTES:,} bytes")
            body.clear()
        if refused is None:
            body += part
    if refused is not None:
        raise refused
    return bytes(body)


@contextmanager
def _database() -> Iterator[None]:
    """Answer that the database cannot be used right now, as when another process holds it."""
    try:
        yield
    except sqlite3.OperationalError as e:
        raise unavailable(f"the emulator's database: {e}") from e


def _checked(verify: Callable[[], None]) -> None:
    try:
        verify()
    except UnknownKey as e:
        raise unknown_key(str(e)) from e
    except SignatureRefused as e:
        raise not_authenticated(str(e)) from e


async def _gone(request: Request, error: Exception) -> Response:
    # A client that broke off is no fault of the emulator, hence no traceback; nobody receives this.
    return Response(status_code=400)


def _unknown_address(request: Request, body: bytes) -> Any:
    raise Refused("NOT_IMPLEMENTED", 501, f"the emulator does not answer {request.method} {request.url.path}")
