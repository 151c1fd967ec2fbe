"""What the emulator does with bodies of any size, a database that another process holds, and folders of killed ones."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from encord import Project
from filelock import FileLock

from ropewalk.emulator import RunningEmulator, app, running_emulator
from ropewalk.errors import SnapshotError
from snapshots import make_snapshot

PART = b"x" * (1 << 16)


def parts(len_bytes: int) -> Iterator[bytes]:
    for _ in range(len_bytes // len(PART)):
        yield PART


@pytest.mark.parametrize("path", ["public", "v2/public/projects"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": f"{'ab' * 32}:{'cd' * 64}"}])
def test_a_body_that_no_key_of_ours_signed_is_not_kept(
    path: str, headers: dict[str, str], emulator: RunningEmulator
) -> None:
    tracemalloc.start()
    try:
        answer = requests.request(
            "POST" if path == "public" else "PUT", f"{emulator.url}/{path}", data=parts(64 << 20), headers=headers
        )
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    status = answer.json()["status"] if path == "public" else answer.status_code
    assert status == 401
    assert peak_bytes < 16 << 20


def test_a_body_above_the_bound_is_refused(
    emulator: RunningEmulator, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[requests.PreparedRequest] = []
    send = requests.Session.send

    def recording(session: requests.Session, request: requests.PreparedRequest, **given: object) -> requests.Response:
        sent.append(request.copy())
        return send(session, request, **given)

    monkeypatch.setattr(requests.Session, "send", recording)
    project.list_label_rows_v2(branch_name="pred-1")[0].initialise_labels()
    monkeypatch.setattr(app, "MAX_BODY_BYTES", len(sent[-1].body or b"") - 1)
    with requests.Session() as session:
        answer = session.send(sent[-1]).json()
    assert (answer["status"], answer["response"]) == (413, ["PAYLOAD_TOO_LARGE"])


def test_a_database_that_is_held_by_another_process_is_said_in_the_envelope(tmp_path: Path) -> None:
    db = tmp_path / "rows.sqlite"
    with running_emulator(make_snapshot(), db) as emulator:
        from encord import EncordUserClient
        from encord.exceptions import EncordException

        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=emulator.ssh_key_path, domain=emulator.url
        )
        project = client.get_project(emulator.project_hash)
        emulator.store._connection.execute("PRAGMA busy_timeout = 20")
        other = sqlite3.connect(db, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            with pytest.raises(EncordException, match="unknown error"):
                project.list_label_rows_v2(branch_name="pred-1")[0].initialise_labels()
        finally:
            other.execute("ROLLBACK")
            other.close()
        project.list_label_rows_v2(branch_name="pred-1")[0].initialise_labels()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_new_database_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with running_emulator(make_snapshot(), tmp_path / "rows.sqlite"):
            assert stat.S_IMODE((tmp_path / "rows.sqlite").stat().st_mode) == 0o600
    finally:
        os.umask(before)
    with (
        pytest.raises(SnapshotError, match="is not a file"),
        running_emulator(make_snapshot(), tmp_path),
    ):
        pass


def test_the_key_of_a_killed_emulator_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed, held, new = (tmp_path / f"ropewalk-emulator-{name}" for name in ("killed", "held", "new"))
    long_ago = time.time() - 3600
    for folder in (killed, held, new):
        folder.mkdir()
        (folder / "id_ed25519").write_text("not a key")
        (folder / "in-use.lock").touch()
        if folder is not new:
            os.utime(folder, (long_ago, long_ago))
    with FileLock(held / "in-use.lock"):
        with running_emulator(make_snapshot()) as emulator:
            own = emulator.ssh_key_path.parent
            assert sorted(path.name for path in tmp_path.iterdir()) == sorted([held.name, new.name, own.name])
        assert not own.exists()
