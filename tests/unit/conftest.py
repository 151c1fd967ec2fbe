"""Fixtures of several unit tests: a server that plays answers back, the SDK's project on it, and imports of boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord import EncordUserClient, Project

from box_datasets import coco_boxes
from playback import PROJECT_HASH, Playback, playing
from ropewalk.importing.run import import_predictions


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


@pytest.fixture
def run(project: Project, tmp_path: Path) -> Any:
    """Import boxes by title, on few rows a request and several jobs unless told otherwise."""

    def run(content: Any, **options: Any) -> Any:
        path = tmp_path / "predictions.json"
        path.write_text(json.dumps(coco_boxes(content)))
        given = {"branch": "pred-1", "work_dir": str(tmp_path / "work"), "batch_rows": 2, "jobs": 3} | options
        return import_predictions(path, given.pop("project", project), **given)

    return run


class _NamedProject:
    ontology_hash = "ontology"
    workflow = None
