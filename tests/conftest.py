"""Fixtures that several kinds of tests share: an emulated project and the unmodified client on it."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from encord import EncordUserClient, Project

from ropewalk.emulator import RunningEmulator, running_emulator
from snapshots import make_snapshot


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give all tests, and the processes that they start, a home of their own: locks of branches are kept there."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Let ctrl-C interrupt tests and the processes that they start, also where a shell started all of it with `&`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    """Run an emulator that holds the small test project."""
    with running_emulator(make_snapshot()) as running:
        yield running


@pytest.fixture
def client(emulator: RunningEmulator) -> EncordUserClient:
    """Open the SDK's client on the emulator."""
    return EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url)


@pytest.fixture
def project(client: EncordUserClient, emulator: RunningEmulator) -> Project:
    """Open the small test project with the SDK."""
    return client.get_project(emulator.project_hash)


@pytest.fixture
def requests_sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """Record (method of the query, ids) of every request of the transport."""
    from ropewalk.sinks.encord import transport

    sent: list[tuple[str, int]] = []
    lock = threading.Lock()
    send = transport.Transport.send

    def recording(self: transport.Transport, body: transport.Blocks, operation: str) -> Any:
        query = json.loads(b"".join(body))
        with lock:
            sent.append((query["query_method"] + " " + query["query_type"], len(query["values"]["uid"] or [])))
        return send(self, body, operation)

    monkeypatch.setattr(transport.Transport, "send", recording)
    yield sent
