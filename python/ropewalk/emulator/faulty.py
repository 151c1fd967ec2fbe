"""The faults at work: a middleware that delays, refuses, cuts and falsifies answers, and writes down what it did."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ropewalk.emulator.faults import Fault, Faults, Reply, status_reply
from ropewalk.emulator.history import OTHER, Exchange, answered, operation_of, rows_of

_TRANSPORT = "ropewalk.transport"
_MEGABYTE = 1_000_000
_STOP_CHECK_SECONDS = 0.1
_NO_FAULT = Fault(name="")


class CuttableProtocol(H11Protocol):
    """HTTP over a connection that the application may cut: ASGI itself has no word for that."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the connection where the application finds it: in the state of each request's scope."""
        super().connection_made(transport)
        # Head and body of an answer are two writes: on a kept connection the second would wait some 40 ms for the
        # client to acknowledge the first. asyncio turns that off for some sockets only.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


class FaultyApp:
    """An ASGI application whose answers suffer faults; needs to be served over `CuttableProtocol`.

    Args:
        app: The emulator's application.
        faults: What to do.
        on_request: Called with each exchange of the first API before the end of its answer is sent, so that a client
            that has the answer finds it written down. Called in the server's thread, one call at a time.
    """

    def __init__(self, app: ASGIApp, faults: Faults, on_request: Callable[[Exchange], None] | None = None) -> None:
        self._app = app
        self._faults = faults
        self._on_request = on_request
        # All of this is touched in the event loop's thread only.
        self._in_flight = 0
        self._numbers: Counter[str] = Counter()
        self._unread = 0
        self._stopping = False

    def stop(self) -> None:
        """End all waiting; may be called from any thread."""
        self._stopping = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self._in_flight += 1
        try:
            await self._answer(_Connection(scope, receive, send))
        except _Gone:
            # The client broke off before its request was complete: there is nothing to carry out and nobody to answer.
            return
        finally:
            self._in_flight -= 1

    async def _answer(self, connection: _Connection) -> None:
        faults = self._faults
        if faults.concurrency_limit is not None and self._in_flight > faults.concurrency_limit:
            await self._refuse_unread(connection, "concurrency_limit", 429)
            return
        try:
            body = await connection.read(faults.body_limit_bytes)
        except _TooLarge:
            await self._refuse_unread(connection, "body_limit", 413)
            return
        operation = await run_in_threadpool(operation_of, body) if connection.first_api else connection.operation
        self._numbers[operation] += 1
        number = self._numbers[operation]
        fault = faults.fault_of(operation, self._numbers) or _NO_FAULT

        await self._wait(faults.latency_ms / 2000 + self._transfer_s(body) + fault.wait_before_s)
        own = await self._carried_out(connection.scope, body) if fault.applied else None
        reply = fault.reply or own
        await self._wait(faults.latency_ms / 2000 + self._transfer_s(reply.body if reply else b"") + fault.wait_after_s)

        if self._on_request is not None and connection.first_api:
            ids, digests = await run_in_threadpool(rows_of, operation, body)
            said = answered(own.body) if own is not None else ""
            changed = fault.reply is not None or fault.sent != "all"
            self._on_request(
                Exchange(
                    operation=operation,
                    number=number,
                    ids=ids,
                    digests=digests,
                    applied=said == "ok",
                    answered=f"fault:{fault.name}" if changed else said,
                    delivered=fault.sent == "all" and connection.is_open(),
                )
            )
        await connection.reply(reply, fault.sent)

    async def _refuse_unread(self, connection: _Connection, name: str, status: int) -> None:
        """Answer without reading on; the server throws away what the client still sends."""
        if self._on_request is not None and connection.first_api:
            self._unread += 1
            self._on_request(Exchange("unread", self._unread, (), (), False, f"fault:{name}", connection.is_open()))
        await connection.reply(status_reply(status), "all")

    async def _carried_out(self, scope: Scope, body: bytes) -> Reply:
        start: Message = {}
        content = bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                content.extend(message.get("body", b""))

        await self._app(scope, receive, send)
        return Reply(start["status"], bytes(content), tuple(start["headers"]))

    def _transfer_s(self, content: bytes) -> float:
        return self._faults.latency_ms_per_mb / 1000 * len(content) / _MEGABYTE

    async def _wait(self, seconds: float) -> None:
        # In slices, since a stall must not hold up the end of the emulator.
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while not self._stopping and (left := end - clock()) > 0:
            await asyncio.sleep(min(left, _STOP_CHECK_SECONDS))


class _Gone(Exception):
    """The client closed the connection before its request was complete."""


class _TooLarge(Exception):
    """The body is larger than the limit."""


class _Connection:
    """One request's connection: its body in, its answer out, in full or in part."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.first_api = scope["method"] == "POST" and scope["path"] in ("/public", "/public/user")
        self.operation = OTHER
        if scope["method"] == "GET" and scope["path"].startswith("/v2/public/"):
            self.operation = "open"
        elif scope["method"] == "POST" and scope["path"].startswith("/v2/public/active/"):
            self.operation = "active"
        self._receive = receive
        self._send = send
        self._transport: asyncio.Transport = scope["state"][_TRANSPORT]

    def is_open(self) -> bool:
        return not self._transport.is_closing()

    async def read(self, limit: int | None) -> bytes:
        """Read the body; one that is announced as larger than the limit is not begun."""
        if limit is not None and any(int(v) > limit for k, v in self.scope["headers"] if k == b"content-length"):
            raise _TooLarge
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if limit is not None and size > limit:
                raise _TooLarge
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def reply(self, reply: Reply | None, sent: str) -> None:
        """Send all, half or nothing of an answer; the last two cut the connection."""
        if reply is None or sent == "nothing":
            self._transport.abort()
        else:
            start: Message = {"type": "http.response.start", "status": reply.status, "headers": list(reply.headers)}
            await self._send(start)
            if sent == "all":
                await self._send({"type": "http.response.body", "body": reply.body})
                return
            half = reply.body[: len(reply.body) // 2]
            await self._send({"type": "http.response.body", "body": half, "more_body": True})
            # Closed and not aborted, since an abort may take the half back that was sent.
            self._transport.close()
        # The server must know of the end before the application returns, or it takes the missing rest for a mistake.
        while (await self._receive())["type"] != "http.disconnect":
            pass
