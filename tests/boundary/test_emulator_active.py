"""The unmodified SDK lists projects by every filter, and starts Active's sync and import on the emulator."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from encord import EncordUserClient, Project
from encord.exceptions import EncordException, ResourceNotFoundError
from encord.orm.active import ActiveProjectMode

from ropewalk.emulator import EmulatorOptions, RunningEmulator, running_emulator
from ropewalk.emulator.store import ActiveStart
from snapshots import hash_of, make_snapshot
from test_emulator_rows import open_project

NOW = datetime.now(timezone.utc)
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("filters", "listed"),
    [
        ({}, True),
        ({"title_eq": "Test project"}, True),
        ({"title_eq": "Test"}, False),
        ({"title_like": "%PROJ_CT"}, True),
        ({"title_like": "project"}, False),
        ({"desc_eq": "Made for tests"}, True),
        ({"desc_like": "made%"}, True),
        ({"desc_like": "%toys"}, False),
        ({"edited_after": YESTERDAY, "created_before": TOMORROW}, True),
        ({"edited_before": YESTERDAY}, False),
        ({"created_after": TOMORROW}, False),
        ({"title_like": "Test%", "desc_eq": "another"}, False),
    ],
)
def test_projects_are_listed_by_filters(client: EncordUserClient, filters: dict[str, Any], listed: bool) -> None:
    found = [project.project_hash for project in client.list_projects(**filters)]
    assert found == ([hash_of("project")] if listed else [])


def test_a_sync_needs_an_import_before(project: Project, emulator: RunningEmulator) -> None:
    with pytest.raises(ResourceNotFoundError):
        project.active_sync()
    assert emulator.store.started_in_active() == []
    project.active_import(ActiveProjectMode.METRIC, video_sampling_rate=2.5)
    project.active_sync()
    project.active_import(ActiveProjectMode.DATA)
    assert emulator.store.started_in_active() == [
        ActiveStart("import", "metric", 2.5),
        ActiveStart("sync"),
        ActiveStart("import", "data", None),
    ]


@pytest.mark.parametrize("status", [None, 400, 409])
def test_what_a_sync_before_an_import_gets_is_an_option(status: int | None) -> None:
    with running_emulator(make_snapshot(), options=EmulatorOptions(sync_before_import=status)) as running:
        project = open_project(running)
        if status is None:
            project.active_sync()
        else:
            with pytest.raises(EncordException, match="never imported"):
                project.active_sync()
        assert running.store.started_in_active() == ([ActiveStart("sync")] if status is None else [])


def test_what_was_started_is_kept_in_the_database(tmp_path: Path) -> None:
    with running_emulator(make_snapshot(), tmp_path / "rows.sqlite") as running:
        open_project(running).active_import(ActiveProjectMode.ADVANCED)
    with running_emulator(make_snapshot(), tmp_path / "rows.sqlite") as running:
        open_project(running).active_sync()
        assert [start.started for start in running.store.started_in_active()] == ["import", "sync"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"projectMode": "all"}',
        b'{"projectMode": ["data"]}',
        b'{"projectMode": "data", "videoSamplingRate": 0}',
        b'{"projectMode": "data", "videoSamplingRate": true}',
        b'{"projectMode": "data", "videoSamplingRate": NaN}',
        b'{"projectMode": "data", "videoSamplingRate": 1' + b"0" * 400 + b"}",
    ],
)
def test_an_import_that_makes_no_sense_is_refused(project: Project, emulator: RunningEmulator, body: bytes) -> None:
    url = f"{emulator.url}/v2/public/active/{emulator.project_hash}/import"
    request = requests.Request("POST", url, data=body, headers={"Content-Type": "application/json"}).prepare()
    signed = project._client._api_client._config.define_headers_v2(request)
    answer = requests.Session().send(signed)
    assert answer.status_code == 400 and json.loads(answer.content)["message"]
    assert emulator.store.started_in_active() == []


@pytest.mark.parametrize("what", ["sync", "import"])
def test_nothing_is_started_without_a_signature_or_for_another_project(
    project: Project, emulator: RunningEmulator, what: str
) -> None:
    url = f"{emulator.url}/v2/public/active/{emulator.project_hash}/{what}"
    assert requests.post(url, json={"projectMode": "data"}).status_code == 401
    other = requests.Request("POST", url.replace(emulator.project_hash, hash_of("another")), data=b"{}").prepare()
    signed = project._client._api_client._config.define_headers_v2(other)
    assert requests.Session().send(signed).status_code == 404
    assert emulator.store.started_in_active() == []
