"""The projects that a key may see: what is asked for, the order, and failures under our own policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from encord import EncordUserClient
from encord.exceptions import AuthenticationError

from playback import Playback
from ropewalk import list_projects
from ropewalk.emulator import RunningEmulator, parse_faults, running_emulator
from ropewalk.errors import AccessError, EncordError
from ropewalk.sinks.encord.client import open_project_list
from ropewalk.sinks.encord.retry import Retry
from snapshots import hash_of, make_snapshot

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


@dataclass
class Project:
    title: str
    project_hash: str
    last_edited_at: datetime


class Client:
    """Answers like the SDK's client, and keeps what was asked."""

    def __init__(self, *projects: Project) -> None:
        self.projects = projects
        self.asked: list[dict[str, Any]] = []

    def list_projects(self, **filters: Any) -> Any:
        self.asked.append(filters)
        yield from self.projects


@pytest.mark.parametrize(
    ("query", "asked"), [(None, None), ("night", "%night%"), ("night%", "night%"), ("a_b", "%a_b%")]
)
def test_a_text_is_looked_for_anywhere_and_a_pattern_is_passed_on(query: str | None, asked: str | None) -> None:
    client: Any = Client()
    assert list_projects(client, query) == []
    assert client.asked == [{"title_like": asked}]


def test_the_last_edited_comes_first_and_times_are_utc() -> None:
    east = timezone(timedelta(hours=5))
    client: Any = Client(
        Project("old", "1", NOON.replace(tzinfo=None) - timedelta(hours=1)),
        Project("b", "2", NOON),
        Project("a", "3", NOON.astimezone(east)),
        Project("https://files.example.com/x?sig=canary", "4", NOON + timedelta(minutes=1)),
    )
    found = list_projects(client)
    assert [p.project_hash for p in found] == ["4", "3", "2", "1"]
    assert found[0].title == "https://files.example.com/x"
    assert [p.as_dict()["last_edited_at"][11:] for p in found[1:]] == ["12:00:00+00:00"] * 2 + ["11:00:00+00:00"]


def test_the_unmodified_client_lists_the_emulated_project(client: EncordUserClient) -> None:
    (found,) = list_projects(client, "proj")
    assert (found.title, found.project_hash) == ("Test project", hash_of("project"))
    assert list_projects(client, "nothing like it") == []


def test_the_exceptions_of_the_sdk_are_ours() -> None:
    class Refusing(Client):
        def list_projects(self, **filters: Any) -> Any:
            raise AuthenticationError("see https://files.example.com/a?Signature=canary")

    client: Any = Refusing()
    with pytest.raises(AccessError) as raised:
        list_projects(client)
    assert raised.value.__context__ is None and "canary" not in str(raised.value)


def test_a_listing_that_fails_is_tried_again_whole(emulator: RunningEmulator) -> None:
    faults = parse_faults({"rules": [{"operation": "open", "nth": [1, 2], "status": 503, "retry_after": 0}]})
    with running_emulator(make_snapshot(), faults=faults) as running:
        account = {"ssh_key": running.ssh_key_path, "domain": running.url}
        assert len(open_project_list(retry=Retry(first_wait=0.001), **account)) == 1


def test_a_key_that_is_refused_is_told(playback: Playback, emulator: RunningEmulator) -> None:
    playback.answers = [(403, b'{"message": "not you"}', {})]
    with pytest.raises(EncordError, match=r"the key does not open the list of projects: not you"):
        open_project_list(ssh_key=emulator.ssh_key_path, domain=playback.url)
