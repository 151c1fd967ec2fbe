"""What the parity tests share: the same examples in every run, and an emulated project whose branches are used up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from encord import EncordUserClient, Project
from hypothesis import HealthCheck, settings

from coco_model import BOX, MASK, POLYGON, Category, Model
from ropewalk.emulator import RunningEmulator, running_emulator
from snapshots import make_image, make_image_group, make_video

settings.register_profile(
    "parity",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("parity")


@pytest.fixture(scope="session")
def project_model() -> Model:
    """Make the project that the emulator holds, without predictions."""
    shapes = [BOX, POLYGON, MASK] * 2
    names = ["Car", "Straße É", "ΣΑΣ", "car", "\U00010400 \U0001f34e", 'a "b" \\ c']
    categories = tuple(Category(n, s, f"hash+/{i:02}") for i, (n, s) in enumerate(zip(names, shapes, strict=True)))
    media = (make_video("ü/drive.mp4", width=37, height=23), make_image(width=19, height=31), make_image_group())
    return Model(media, categories, ())


@pytest.fixture(scope="session")
def shared_emulator(project_model: Model) -> Iterator[RunningEmulator]:
    with running_emulator(project_model.snapshot()) as running:
        yield running


@pytest.fixture(scope="session")
def shared_project(shared_emulator: RunningEmulator) -> Project:
    """Open the shared emulator's project with the unmodified SDK."""
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=shared_emulator.ssh_key_path, domain=shared_emulator.url
    )
    return client.get_project(shared_emulator.project_hash)


@pytest.fixture(scope="session")
def new_branch() -> Iterator[str]:
    """Name branches that nothing stands on."""
    return (f"branch-{n}" for n in count())
