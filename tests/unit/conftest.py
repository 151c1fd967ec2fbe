"""Fixtures of the tests that play answers back: the server, and a project of the SDK on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord import EncordUserClient, Project

from playback import PROJECT_HASH, Playback, playing


@pytest.fixture
def playback() -> Iterator[Playback]:
    with playing() as server:
        yield server


@pytest.fixture
def played_project(playback: Playback, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("encord.client.EncordClientProject.get_project_v2", lambda self: _NamedProject())
    monkeypatch.setattr("encord.user_client.EncordUserClient.get_ontology", lambda self, ontology_hash: None)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    # With the SDK's own retries, as users have it.
    return EncordUserClient.create_with_ssh_private_key(key.decode(), domain=playback.url).get_project(PROJECT_HASH)


class _NamedProject:
    ontology_hash = "ontology"
    workflow = None
