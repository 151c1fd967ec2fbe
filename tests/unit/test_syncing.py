"""Active's sync is asked for once: what an answer means, and when an import into Active follows."""

from __future__ import annotations

import json
import math
import traceback
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encord import EncordUserClient, Project
from encord.configs import SshConfig, UserConfig
from encord.http.constants import RequestsSettings
from encord.http.querier import Querier

from playback import HALF, Answer, Playback
from ropewalk import sync_project
from ropewalk.emulator import EmulatorOptions, RunningEmulator, parse_faults, running_emulator
from ropewalk.emulator.store import ActiveStart
from ropewalk.errors import AccessError, EncordError, RefusalError, TemporaryEncordError, UsageError
from ropewalk.showing.sync import ActiveStarted, ImportAs
from ropewalk.sinks.encord.client import open_project
from ropewalk.sinks.encord.retry import Retry
from snapshots import make_snapshot

CANARY = "canary-of-a-signed-url"
SAID = json.dumps({"message": f"no, see https://files.example.com/a?Signature={CANARY}"}).encode()
DONE: Answer = (200, b"{}", {})


class Started:
    """A project whose starts in Active a playback answers."""

    def __init__(self, playback: Playback) -> None:
        settings = RequestsSettings(max_retries=0, connection_retries=0)
        config = UserConfig(SshConfig(Ed25519PrivateKey.generate(), domain=playback.url, requests_settings=settings))
        self._client = EncordUserClient(config, Querier(config))
        self._api = self._client._api_client

    def active_sync(self) -> None:
        self._api.post("active/x/sync", params=None, payload=None, result_type=None)

    def active_import(self, mode: Any, *, video_sampling_rate: float | None = None) -> None:
        self._api.post("active/x/import", params=None, payload=None, result_type=None)


@pytest.fixture
def started(playback: Playback) -> Any:
    return Started(playback)


def quick(seconds: float = 0.0) -> Retry:
    return Retry(budget_seconds=seconds, first_wait=0.001)


def failure(project: Any, **options: Any) -> EncordError:
    with pytest.raises(EncordError) as raised:
        sync_project(project, retry=quick(), **options)
    assert raised.value.__cause__ is None
    shown = "".join(traceback.format_exception(raised.value))
    assert CANARY not in shown and "Signature-Input" not in shown
    return raised.value


def test_modes_are_those_of_the_sdk() -> None:
    from encord.orm.active import ActiveProjectMode

    assert {mode.value for mode in ActiveProjectMode} == set(get_args(ImportAs))


def test_a_sync_is_one_request(playback: Playback, started: Any) -> None:
    playback.answers = [DONE]
    assert sync_project(started, import_as="metric") == ActiveStarted("sync")
    assert playback.paths == ["/v2/public/active/x/sync"]


@pytest.mark.parametrize("answer", [(500, SAID, {}), (503, b"", {}), None, HALF, (200, b"<html>", {})])
def test_what_may_have_been_carried_out_is_not_sent_again(playback: Playback, started: Any, answer: Any) -> None:
    playback.answers = [answer]
    error = failure(started, import_as="metric")
    assert isinstance(error, TemporaryEncordError) and "whether Active's sync began is not known" in str(error)
    assert len(playback.paths) == 1


def test_too_many_requests_are_waited_for(playback: Playback, started: Any) -> None:
    playback.answers = [(429, b"", {"Retry-After": "0"}), (429, b"", {}), DONE]
    assert sync_project(started, retry=quick(5.0)).started == "sync"
    assert len(playback.paths) == 3


@pytest.mark.parametrize("status", [401, 403])
def test_without_access_nothing_else_is_tried(playback: Playback, started: Any, status: int) -> None:
    playback.answers = [(status, SAID, {})]
    error = failure(started, import_as="data")
    assert isinstance(error, AccessError) and "--import-as" not in str(error)
    assert len(playback.paths) == 1


def test_an_address_that_the_server_does_not_know_is_no_reason_to_import(playback: Playback, started: Any) -> None:
    playback.answers = [(405, b"", {})]
    assert not isinstance(failure(started, import_as="data"), RefusalError)
    assert len(playback.paths) == 1


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_refusal_says_how_to_import_and_does_it_where_it_is_asked_to(
    playback: Playback, started: Any, status: int
) -> None:
    playback.answers = [(status, SAID, {}), (status, SAID, {}), DONE]
    error = failure(started)
    assert isinstance(error, RefusalError) and "--import-as MODE" in str(error)
    assert sync_project(started, import_as="label", video_sampling_rate=0.5, retry=quick()) == ActiveStarted(
        "import", "label", 0.5
    )
    assert playback.paths == [f"/v2/public/active/x/{what}" for what in ("sync", "sync", "import")]


def test_both_refusals_are_told(playback: Playback, started: Any) -> None:
    playback.answers = [(404, b"", {}), (400, b'{"message": "no such mode"}', {})]
    error = failure(started, import_as="data")
    assert "Active's sync was refused" in str(error)
    assert "then Active's import was refused (no such mode)" in str(error)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"import_as": "all"}, "data, label, metric, advanced"),
        ({"import_as": "data", "video_sampling_rate": 0}, "above 0"),
        ({"import_as": "data", "video_sampling_rate": math.nan}, "above 0"),
        ({"import_as": "data", "video_sampling_rate": math.inf}, "above 0"),
        ({"video_sampling_rate": 2.0}, "give import_as"),
    ],
)
def test_options_that_do_not_fit_send_nothing(
    playback: Playback, started: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        sync_project(started, **options)
    assert playback.paths == []


def test_the_real_client_starts_a_sync_once(project: Project, emulator: RunningEmulator) -> None:
    first = sync_project(project, import_as="advanced", video_sampling_rate=4)
    assert first == ActiveStarted("import", "advanced", 4)
    assert sync_project(project, import_as="data") == ActiveStarted("sync")
    assert emulator.store.started_in_active() == [ActiveStart("import", "advanced", 4.0), ActiveStart("sync")]


def test_a_sync_whose_answer_is_lost_is_started_once(tmp_path: Path) -> None:
    faults = parse_faults({"rules": [{"operation": "active", "nth": 1, "drop": "after"}]})
    options = EmulatorOptions(sync_before_import=None)
    with running_emulator(make_snapshot(), faults=faults, options=options) as running:
        opened = open_project(running.project_hash, ssh_key=running.ssh_key_path, domain=running.url)
        with pytest.raises(TemporaryEncordError, match="is not known"):
            sync_project(opened)
        assert running.store.started_in_active() == [ActiveStart("sync")]
