"""The emulator as a process of its own: its first line, its key, its end."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from encord import EncordUserClient

from ropewalk.emulator import running_emulator
from ropewalk.errors import SnapshotError
from ropewalk.project.snapshot import write_snapshot
from snapshots import make_snapshot

SERVE = """
import sys
from pathlib import Path
from ropewalk.emulator import serve
serve(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None, int(sys.argv[3]))
"""


@contextmanager
def emulator_process(project_file: Path, db: Path | None = None, port: int = 0) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", SERVE, str(project_file), str(db or ""), str(port)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@pytest.fixture
def project_file(tmp_path: Path) -> Path:
    path = tmp_path / "project.json"
    write_snapshot(make_snapshot(), path)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_tells_where_it_is_and_ends_on_a_signal(project_file: Path, number: signal.Signals) -> None:
    with emulator_process(project_file) as process:
        where = first_line(process)
        assert where.keys() == {"url", "project_hash", "ssh_key"}
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", where["url"])
        key = Path(where["ssh_key"])
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=key, domain=where["url"])
        assert client.get_project(where["project_hash"]).title == "Test project"
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
        assert (process.returncode, rest, errors) == (0, "", "")
        assert not key.parent.exists()


def test_rows_survive_a_kill_with_a_database(project_file: Path, tmp_path: Path) -> None:
    hashes = []
    for _ in range(2):
        with emulator_process(project_file, tmp_path / "rows.sqlite") as process:
            where = first_line(process)
            client = EncordUserClient.create_with_ssh_private_key(
                ssh_private_key_path=where["ssh_key"], domain=where["url"]
            )
            row = client.get_project(where["project_hash"]).list_label_rows_v2(branch_name="pred-1")[0]
            row.initialise_labels()
            hashes.append(row.label_hash)
            process.kill()
    assert hashes[0] is not None
    assert hashes[0] == hashes[1]


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)), running_emulator(make_snapshot(), port=port):
            pass


def test_a_port_can_be_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with running_emulator(make_snapshot(), port=port) as emulator:
        assert emulator.url == f"http://127.0.0.1:{port}"


def test_a_kept_connection_is_answered_without_delay() -> None:
    # Where the answer's second packet waits for an acknowledgement of the first, each takes 40 ms.
    with running_emulator(make_snapshot()) as emulator, requests.Session() as session:
        seconds = []
        for _ in range(60):
            start = time.perf_counter()
            session.post(f"{emulator.url}/public", data=b"{}", timeout=20)
            seconds.append(time.perf_counter() - start)
    assert statistics.median(seconds) < 0.03


def test_a_database_of_another_project_or_kind_is_refused(tmp_path: Path) -> None:
    db = tmp_path / "rows.sqlite"
    with running_emulator(make_snapshot(), db):
        pass
    other = replace(make_snapshot(), project_hash="00000000-0000-0000-0000-0000000000ff")
    with pytest.raises(SnapshotError, match="another database file"), running_emulator(other, db):
        pass
    (tmp_path / "text.sqlite").write_text("no database " * 1000)
    for path in (tmp_path / "text.sqlite", tmp_path / "no folder" / "rows.sqlite"):
        with pytest.raises(SnapshotError, match="cannot hold the emulator's rows"), running_emulator(other, path):
            pass


@pytest.mark.parametrize("module", ["starlette", "uvicorn"])
def test_without_the_extra_the_error_says_what_to_install(module: str) -> None:
    code = f"import sys; sys.modules['{module}'] = None; import ropewalk.emulator"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'ropewalk[emulator]'" in done.stderr
