"""What the soak tests import: a project with many label rows, a source for it, and a service that keeps a history."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ropewalk import Report, import_predictions
from ropewalk.emulator import RunningEmulator, parse_faults, running_emulator
from ropewalk.emulator.history import Exchange
from ropewalk.project.snapshot import Medium, Snapshot
from ropewalk.sinks.encord.client import open_project
from snapshots import make_image, make_snapshot, make_video

BRANCH = "pred-soak"
FRAMES = 12

Json = dict[str, Any]


def full() -> bool:
    """Tell whether the full figures are wanted (`make soak`) or a share of them (`make test`)."""
    return os.environ.get("ROPEWALK_SOAK") == "full"


@dataclass(frozen=True)
class World:
    """A project and a source for it, in a folder.

    Attributes:
        snapshot: The project.
        source: COCO dataset with boxes for every medium: tracks on videos, scores, nothing that is rejected.
        annotations: How many.
    """

    snapshot: Snapshot
    source: Path
    annotations: int


def make_world(folder: Path, label_rows: int, per_row: int, seed: int = 1) -> World:
    """Make a world: two thirds of its label rows are videos, the rest images."""
    media = [
        make_image(f"still-{n}.jpg") if n % 3 == 2 else make_video(f"drive-{n}.mp4", number_of_frames=FRAMES)
        for n in range(label_rows)
    ]
    draw = random.Random(seed)
    images: list[Json] = []
    annotations: list[Json] = []
    videos = []
    for number, medium in enumerate(media):
        first = len(images)
        images += _images(number, medium, first)
        if medium.data_type == "VIDEO":
            videos.append({"id": number, "name": medium.title})
        for k in range(per_row):
            image = images[first + k % (len(images) - first)]
            x, y = draw.uniform(0, image["width"] / 2), draw.uniform(0, image["height"] / 2)
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image["id"],
                "category_id": 1,
                "bbox": [x, y, image["width"] / 3, image["height"] / 5],
                "score": draw.random(),
            }
            # Every other box of a video belongs to a track that stands once on each frame.
            if medium.data_type == "VIDEO" and k % 2:
                annotation["track_id"] = k // FRAMES
            annotations.append(annotation)
    document = {
        "images": images,
        "videos": videos,
        "categories": [{"id": 1, "name": "Car"}],
        "annotations": annotations,
    }
    draw.shuffle(annotations)
    source = folder / "predictions.json"
    source.write_text(json.dumps(document), encoding="ascii")
    return World(make_snapshot(tuple(media)), source, len(annotations))


def _images(number: int, medium: Medium, first: int) -> Iterator[Json]:
    common = {"width": medium.width, "height": medium.height}
    if medium.data_type == "IMAGE":
        yield common | {"id": first + 1, "file_name": medium.title}
        return
    for frame in range(FRAMES):
        name = f"{number}/{frame:04}.png"
        yield common | {"id": first + 1 + frame, "file_name": name, "video_id": number, "frame_index": frame}


@dataclass
class Service:
    """An emulator with the history of its requests.

    Attributes:
        emulator: It.
        history: Its requests, since the last `mark`.
        before: How often each label row had been stored then: label_hash -> applies.
    """

    emulator: RunningEmulator
    history: list[Exchange] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)

    def project(self) -> Any:
        """Open the project as the command line does."""
        emulator = self.emulator
        return open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)

    def contents(self) -> dict[str, Json]:
        """Read the label rows of the branch by data_hash, without what depends on when they were written."""
        self.emulator.settle()
        store = self.emulator.store
        headers = store.headers(BRANCH)
        texts = store.contents(header.label_hash for header in headers)
        return {header.data_hash: _plain(json.loads(text)) for header, text in zip(headers, texts, strict=True)}

    def saves(self) -> dict[str, int]:
        """Count how often each label row was stored: label_hash -> applies."""
        self.emulator.settle()
        return self.applied()

    def applied(self) -> dict[str, int]:
        """Count as `saves` does, where nobody can have sent anything since the service was last waited for."""
        return {header.label_hash: header.saves for header in self.emulator.store.headers(BRANCH)}

    def frozen(self) -> sqlite3.Connection:
        """Copy the label rows of all branches; `thaw` brings them back."""
        self.emulator.settle()
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        self.emulator.store._connection.backup(kept)
        return kept

    def thaw(self, kept: sqlite3.Connection) -> None:
        """Let the label rows be again as they were when they were frozen."""
        kept.backup(self.emulator.store._connection)

    def mark(self) -> None:
        """Begin the history anew: what was asked so far set the scene."""
        self.before = self.saves()
        self.history.clear()

    def check_history(self) -> None:
        """Check that what was acknowledged is stored, what is stored was attempted, and each row had one content.

        Nobody may have sent anything since the contents were read.
        """
        stored = {row: n - self.before.get(row, 0) for row, n in self.applied().items() if n > self.before.get(row, 0)}
        sent: dict[str, set[str]] = {}
        acknowledged: set[str] = set()
        applies: dict[str, int] = {}
        for exchange in self.history:
            if exchange.operation != "save":
                continue
            for label_hash, digest in zip(exchange.ids, exchange.digests, strict=True):
                sent.setdefault(label_hash, set()).add(digest)
                applies[label_hash] = applies.get(label_hash, 0) + exchange.applied
                if exchange.answered == "ok":
                    acknowledged.add(label_hash)
        assert acknowledged <= stored.keys()
        assert stored == {label_hash: n for label_hash, n in applies.items() if n}
        assert all(len(digests) == 1 for digests in sent.values()), "a row was sent with two contents"


def _plain(row: Json) -> Json:
    for unit in row["data_units"].values():
        labels = unit["labels"]
        for frame in [labels] if isinstance(labels.get("objects"), list) else labels.values():
            for item in frame["objects"]:
                del item["createdAt"], item["lastEditedAt"]
    return {key: row[key] for key in ("data_hash", "data_units", "object_answers", "classification_answers")}


@contextmanager
def running_service(
    world: World, faults: Json | None = None, on_request: Callable[[Exchange], None] | None = None
) -> Iterator[Service]:
    """Run an emulator that holds the world's project and no label rows.

    Args:
        world: The world.
        faults: As a faults file has them.
        on_request: Told each exchange after it stands in the history.
    """
    history: list[Exchange] = []

    def note(exchange: Exchange) -> None:
        history.append(exchange)
        if on_request is not None:
            on_request(exchange)

    parsed = None if faults is None else parse_faults(faults)
    with running_emulator(world.snapshot, faults=parsed, on_request=note) as emulator:
        yield Service(emulator, history)


SMALL_BATCHES: Json = {"batch_rows": 3, "jobs": 4}


def arguments(world: World, service: Service, work_dir: Path, *more: str) -> list[str]:
    """Build the command line of an import; later options win over the small batches it asks for."""
    small = ["--batch-rows", "3", "--jobs", "4"]
    return ["import", str(world.source), *account(service), "--work-dir", str(work_dir), *small, *more]


def account(service: Service) -> list[str]:
    """Build the options that say where, and with which key."""
    emulator = service.emulator
    where = ["--project", emulator.project_hash, "--branch", BRANCH]
    return [*where, "--domain", emulator.url, "--ssh-key", str(emulator.ssh_key_path)]


def import_here(world: World, service: Service, work_dir: Path, **options: Any) -> Report:
    """Import in this process; the sums of its report must hold."""
    options = SMALL_BATCHES | options
    report = import_predictions(world.source, service.project(), branch=BRANCH, work_dir=work_dir, **options)
    report.check()
    return report


def tell_at_the_end(request: pytest.FixtureRequest, line: str) -> None:
    """Say what several tests did, from the end of a fixture that they share."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        sys.stdout.write(f"\n{line}\n")


def tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Say what was done: the figures that a green test stands for."""
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")
