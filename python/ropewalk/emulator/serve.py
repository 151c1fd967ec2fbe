"""Starts and stops the emulator: a free port on this machine only, and a key that goes with the process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from filelock import FileLock, Timeout
from starlette.types import ASGIApp

from ropewalk.emulator.app import build_app
from ropewalk.emulator.faults import Faults
from ropewalk.emulator.faulty import CuttableProtocol, FaultyApp
from ropewalk.emulator.first_api import EmulatorOptions
from ropewalk.emulator.history import Exchange
from ropewalk.emulator.signatures import KeyRing
from ropewalk.emulator.store import Store
from ropewalk.project.snapshot import Snapshot, read_snapshot

_HOST = "127.0.0.1"
_STOP_SECONDS = 5
_QUIET_SECONDS = 0.2

# Begins the name of the folder of a key, in the system's folder for temporary files.
_FOLDER = "ropewalk-emulator-"
_IN_USE = "in-use.lock"
_NEW_SECONDS = 60


@dataclass(frozen=True)
class RunningEmulator:
    """An emulator that answers: where, for which project, with which key, and the rows it holds."""

    url: str
    project_hash: str
    ssh_key_path: Path
    store: Store
    _server: uvicorn.Server = field(repr=False)

    def settle(self, timeout_s: float = 30.0) -> None:
        """Wait until no request is being answered, also of clients that are gone.

        A request whose client was killed may still be carried out; only after this do the rows and a history agree.

        Args:
            timeout_s: Longest wait, in seconds.

        Raises:
            TimeoutError: Requests are still being answered then.
        """
        now = time.monotonic()
        end, quiet_since = now + timeout_s, now
        # A while of quiet, since what a client has sent may not have been read yet.
        while now - quiet_since < _QUIET_SECONDS:
            if now > end:
                raise TimeoutError(f"the emulator is still answering after {timeout_s:g} s")
            time.sleep(_QUIET_SECONDS / 20)
            now = time.monotonic()
            if self._server.server_state.tasks:
                quiet_since = now


@contextmanager
def running_emulator(
    snapshot: Snapshot,
    db: Path | None = None,
    port: int = 0,
    options: EmulatorOptions | None = None,
    faults: Faults | None = None,
    on_request: Callable[[Exchange], None] | None = None,
) -> Iterator[RunningEmulator]:
    """Run an emulator in a thread for as long as the context lasts.

    Args:
        snapshot: The project it holds.
        db: The database file that keeps the rows; None for a temporary one.
        port: The port on 127.0.0.1; 0 for a free one.
        options: How to behave where Encord's behaviour is not known.
        faults: How to misbehave; None for not at all.
        on_request: Called with each exchange of the first API, in the emulator's thread, before the end of the answer
            is sent; `list.append` makes a history.

    Yields:
        The running emulator. Its key file is removed at the end.

    Raises:
        SnapshotError: The database holds another project.
        OSError: The port is taken.
    """
    with ExitStack() as stack:
        store = Store(snapshot, db)
        stack.callback(store.close)
        folder = stack.enter_context(_key_folder())
        private_key = Ed25519PrivateKey.generate()
        listener = stack.enter_context(socket.create_server((_HOST, port)))
        app: ASGIApp = build_app(store, KeyRing([private_key.public_key()]), options or EmulatorOptions())
        with_faults = None
        if faults is not None or on_request is not None:
            app = with_faults = FaultyApp(app, faults or Faults(), on_request)
        server = stack.enter_context(_serving(app, listener))
        if with_faults is not None:
            stack.callback(with_faults.stop)
        yield RunningEmulator(
            url=f"http://{_HOST}:{listener.getsockname()[1]}",
            project_hash=snapshot.project_hash,
            ssh_key_path=_write_key(private_key, folder / "id_ed25519"),
            store=store,
            _server=server,
        )


def serve(
    project_file: Path,
    db: Path | None = None,
    port: int = 0,
    options: EmulatorOptions | None = None,
    faults: Faults | None = None,
) -> None:
    """Run an emulator until SIGINT or SIGTERM; the first line on stdout says where it is, as JSON.

    Args:
        project_file: The project snapshot it holds.
        db: The database file that keeps the rows; None for a temporary one.
        port: The port on 127.0.0.1; 0 for a free one.
        options: How to behave where Encord's behaviour is not known.
        faults: How to misbehave; None for not at all.

    Raises:
        SnapshotError: The project file is not valid, or the database holds another project.
        OSError: The project file cannot be read or the port is taken.
    """
    snapshot = read_snapshot(project_file)
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with running_emulator(snapshot, db, port, options, faults) as emulator:
            where = {
                "url": emulator.url,
                "project_hash": emulator.project_hash,
                "ssh_key": str(emulator.ssh_key_path),
            }
            sys.stdout.write(json.dumps(where) + "\n")
            sys.stdout.flush()
            # In slices, since not every platform wakes an unbounded wait for a signal.
            while not stop.wait(timeout=0.5):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _serving(app: ASGIApp, listener: socket.socket) -> Iterator[uvicorn.Server]:
    config = uvicorn.Config(
        app,
        http=CuttableProtocol,
        lifespan="off",
        # Clients may compare their clock with the server's.
        date_header=True,
        # The logging of the process we run in is not ours to configure.
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="ropewalk-emulator", daemon=True)
    thread.start()
    try:
        # The listener accepts connections already; they wait in its queue until the thread takes them.
        yield server
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _key_folder() -> Iterator[Path]:
    """Make a folder for the key, and remove those of emulators that were killed."""
    for old in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        try:
            found = old.lstat()
            is_own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
            # A new folder may not have its lock yet.
            if is_own and old.is_dir() and time.time() - found.st_mtime > _NEW_SECONDS:
                with FileLock(old / _IN_USE, timeout=0):
                    pass
                shutil.rmtree(old)
        except (Timeout, OSError):
            continue
    with tempfile.TemporaryDirectory(prefix=_FOLDER) as name, FileLock(Path(name, _IN_USE)):
        yield Path(name)


def _write_key(key: Ed25519PrivateKey, path: Path) -> Path:
    content = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return path
