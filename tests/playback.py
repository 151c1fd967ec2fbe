"""A server that plays back answers and faults, one by one, and keeps what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROJECT_HASH = "4ec0d4d4-0000-4000-8000-00000000000a"

Answer = tuple[int, bytes, dict[str, str]]
# Instead of an answer: None breaks the connection off, a function does with it what it likes.
Act = Callable[[BaseHTTPRequestHandler], None]


class Playback:
    """Gives the next of its answers, or where `respond` is set what that makes of a request."""

    def __init__(self) -> None:
        self.answers: list[Answer | Act | None] = []
        self.respond: Callable[[dict[str, Any]], Answer] | None = None
        self.read: Callable[[BaseHTTPRequestHandler, int], bytes] = lambda handler, n: handler.rfile.read(n)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[Any] = []
        self.connections: set[Any] = set()
        self.ended = threading.Event()
        playback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                playback.connections.add(self.client_address)
                playback.headers.append(self.headers)
                playback.paths.append(self.path)
                playback.bodies.append(playback.read(self, int(self.headers.get("Content-Length") or 0)))
                if playback.respond is not None:
                    answer: Answer | Act | None = playback.respond(json.loads(playback.bodies[-1]))
                else:
                    answer = playback.answers.pop(0)
                if not isinstance(answer, tuple):
                    self.close_connection = True
                    if answer is not None:
                        answer(self)
                    return
                status, body, headers = answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = "Content-Length" in headers

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """Say nothing when a client that gave up has closed the connection."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stall(self, handler: BaseHTTPRequestHandler) -> None:
        """Say nothing until the test ends."""
        self.ended.wait(10)

    def stall_within(self, handler: BaseHTTPRequestHandler) -> None:
        """Send half an answer and then nothing until the test ends."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"status": 200, ')
        self.ended.wait(10)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """Send an answer byte by byte, never pausing for long."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not self.ended.wait(0.02):
            handler.wfile.write(b" ")


def ok(response: Any) -> Answer:
    return 200, json.dumps({"status": 200, "response": response}).encode(), {}


def refused(name: str, payload: Any = None, status: int = 400) -> Answer:
    return 200, json.dumps({"status": status, "response": [name], "payload": payload}).encode(), {}


HALF = (200, b'{"status": 200, "respo', {"Content-Length": "900"})


@contextmanager
def playing() -> Iterator[Playback]:
    """Run a server; all of its answers are to be asked for."""
    server = Playback()
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.server.shutdown()
        server.server.server_close()
    assert not server.answers, "answers that nobody asked for"
