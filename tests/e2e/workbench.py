"""Tools of the end-to-end tests: a project to import into, sources to import, and what the emulator then holds."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from encord import Project
from encord.objects import OntologyStructure, Shape
from typer.testing import CliRunner

from ropewalk import Report, Snapshot, import_predictions
from ropewalk.cli.commands import app
from ropewalk.emulator import RunningEmulator
from ropewalk.project.snapshot import Medium
from snapshots import hash_of, make_image, make_image_group, make_snapshot, make_video

ACCOUNT_VARIABLES = ("ENCORD_SSH_KEY", "ENCORD_SSH_KEY_FILE", "ENCORD_SSH_KEY_PASSPHRASE", "ENCORD_DOMAIN")

Json = dict[str, Any]


def full_ontology() -> OntologyStructure:
    """Make an ontology whose names try the rules of resolving: Sign cannot be settled, Boat is settled by shape."""
    structure = OntologyStructure()
    for name, shape, feature_hash in (
        ("Car", Shape.BOUNDING_BOX, "obj-car1"),
        ("Road", Shape.POLYGON, "obj-road"),
        ("Tree", Shape.BITMASK, "obj-tree"),
        ("Sign", Shape.BOUNDING_BOX, "obj-sgn1"),
        ("Sign", Shape.BOUNDING_BOX, "obj-sgn2"),
        ("Boat", Shape.BOUNDING_BOX, "obj-bt-b"),
        ("Boat", Shape.POLYGON, "obj-bt-p"),
        ("Ship", Shape.ROTATABLE_BOUNDING_BOX, "obj-ship"),
        ("Lane", Shape.POLYLINE, "obj-lane"),
    ):
        structure.add_object(name, shape, feature_node_hash=feature_hash)
    return structure


def full_media() -> tuple[Medium, ...]:
    """Make a video, images and an image group; two images share a title, two have a path in theirs, one has no size."""
    return (
        make_video(),
        make_video("clips/night.mp4", width=48, height=32, number_of_frames=9),
        make_image(),
        make_image("blank.jpg", width=None, height=None),
        make_image("cam0/left.png", width=22, height=14),
        make_image("twin.jpg"),
        dataclasses.replace(make_image("twin.jpg"), data_hash=hash_of("the other twin")),
        make_image_group(),
    )


def full_snapshot() -> Snapshot:
    """Make the project that the end-to-end tests share."""
    return make_snapshot(full_media(), full_ontology().to_dict())


DRIVE, NIGHT, STILL, LEFT, WALK = (
    hash_of(title) for title in ("drive.mp4", "clips/night.mp4", "still.jpg", "cam0/left.png", "walk")
)

CATEGORIES = [
    {"id": number, "name": name}
    for number, name in ((1, "Car"), (2, "Road"), (3, "Tree"), (4, "Sign"), (5, "Boat"), (6, "Lane"), (9, "Cow"))
]
IMAGES: list[Json] = [
    {"id": 1, "file_name": "still.jpg", "width": 30, "height": 50},
    {"id": 2, "file_name": "walk-0.png", "width": 40, "height": 24},
    {"id": 3, "file_name": "walk-1.png", "width": 24, "height": 40},
    {"id": 4, "file_name": "twin.jpg", "width": 30, "height": 50},
    {"id": 5, "file_name": "gone.jpg", "width": 30, "height": 50},
    *(
        {"id": 100 + n, "file_name": f"f{n:04}.png", "video_id": 1, "frame_index": n, "width": 64, "height": 36}
        for n in range(-1, 14)
    ),
]
VIDEOS = [{"id": 1, "name": "drive.mp4"}]


def box(number: int, image: int = 1, category: int = 1, **more: Any) -> Json:
    """Make an annotation with a box whose x tells it from all others."""
    return {"id": number, "image_id": image, "category_id": category, "bbox": [number / 64, 2, 5, 7.5], **more}


def ring(number: int, image: int = 1, category: int = 2, **more: Any) -> Json:
    """Make an annotation with an F-like polygon whose first x tells it from all others."""
    points = [3 + number / 64, 4, 15, 4, 15, 8, 9, 8, 9, 30, 3, 30]
    return {"id": number, "image_id": image, "category_id": category, "segmentation": [points], **more}


def mask(number: int, image: int = 1, category: int = 3, size: tuple[int, int] = (50, 30), **more: Any) -> Json:
    """Make an annotation with an L-like mask whose first run tells it from all others."""
    h, w = size
    first = number % (h - 1)
    counts = [first, 1, h - 1, 2, h * w - first - h - 2]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": {"size": [h, w], "counts": counts},
        **more,
    }


def dataset(annotations: Iterable[Json], **sections: Any) -> Json:
    """Make a dataset file's content."""
    return {
        "images": IMAGES,
        "categories": CATEGORIES,
        "videos": VIDEOS,
        "annotations": list(annotations),
    } | sections


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str


class Bench:
    """Runs imports into the emulated project, and reads what they left there."""

    def __init__(self, emulator: RunningEmulator, project: Project, branch: str, folder: Path) -> None:
        self.emulator = emulator
        self.project = project
        self.folder = folder
        self.branch = branch

    def write(self, content: Any, name: str = "predictions.json") -> Path:
        """Write a source: JSON, or bytes or text as they are."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def run(self, content: Any, **options: Any) -> Report:
        """Import in this process: a path, paths, or the content of a file."""
        paths = isinstance(content, list) and all(isinstance(item, Path) for item in content)
        source = content if isinstance(content, Path) or (paths and content) else self.write(content)
        given: Json = {"branch": self.branch, "work_dir": self.folder / "work"} | options
        report = import_predictions(source, given.pop("project", self.project), **given)
        check_sums(report)
        return report

    def arguments(self, *more: str | Path) -> list[str]:
        """Build the arguments that every command line import here needs."""
        account = ["--project", self.emulator.project_hash, "--domain", self.emulator.url]
        key = ["--ssh-key", str(self.emulator.ssh_key_path), "--branch", self.branch]
        return [*map(str, more), *account, *key, "--work-dir", str(self.folder / "work")]

    def cli(self, command: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        """Run the command line in this process, with the arguments given and no others."""
        account: dict[str, str | None] = dict.fromkeys(ACCOUNT_VARIABLES)
        result = CliRunner().invoke(app, [command, *map(str, arguments)], env=account | dict(env or {}))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def cli_import(self, *more: str | Path) -> Ran:
        """Run `import` with the account's options in this process."""
        return self.cli("import", *self.arguments(*more))

    def process(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        """Run `python -m ropewalk` in a process of its own."""
        clean = {name: value for name, value in os.environ.items() if name not in ACCOUNT_VARIABLES}
        done = subprocess.run(
            [sys.executable, "-m", "ropewalk", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=clean | dict(env or {}),
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def stored(self) -> dict[str, int]:
        """Read how often each label row of any branch was saved: what changes whenever anything is written."""
        return {header.label_hash: header.saves for header in self.emulator.store.headers()}

    def rows(self, branch: str | None = None) -> dict[str, Json]:
        """Read the label rows of a branch by data_hash, without hashes and times that the server gives."""
        headers = self.emulator.store.headers(branch or self.branch)
        texts = self.emulator.store.contents(header.label_hash for header in headers)
        return {header.data_hash: plain(json.loads(text)) for header, text in zip(headers, texts, strict=True)}

    def objects(self, branch: str | None = None) -> list[tuple[str, int, Json]]:
        """Read the objects of a branch: title of the data unit, frame, object."""
        found = []
        for row in self.rows(branch).values():
            for unit in row["data_units"].values():
                labels = unit["labels"]
                frames = {0: labels} if isinstance(labels.get("objects"), list) else labels
                for frame, content in frames.items():
                    found += [(unit["data_title"], int(frame), item) for item in content["objects"]]
        return found

    def boxes(self, branch: str | None = None) -> list[tuple[str, int, float]]:
        """Read (title, frame, number) of the boxes made by `box`, sorted."""
        widths = {medium.title: medium.width for medium in self.emulator.store.snapshot.media}
        for medium in self.emulator.store.snapshot.media:
            widths |= {image.title: image.width for image in medium.images}
        return sorted(
            (title, frame, round(item["boundingBox"]["x"] * widths[title] * 64, 6))
            for title, frame, item in self.objects(branch)
            if "boundingBox" in item
        )

    def rejects(self, path: str | Path | None = None) -> list[Json]:
        """Read a reject file, by default this branch's in the work folder."""
        file = Path(path or self.folder / "work" / f"rejects-{self.branch}.ndjson")
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def plain(row: Json) -> Json:
    """Take out of a label row what depends on when and where it was written, and order its objects."""
    for unit in row["data_units"].values():
        labels = unit["labels"]
        for frame in [labels] if isinstance(labels.get("objects"), list) else labels.values():
            for item in frame["objects"]:
                del item["createdAt"], item["lastEditedAt"]
            frame["objects"].sort(key=lambda item: item["objectHash"])
    return {key: row[key] for key in ("data_hash", "data_units", "object_answers", "classification_answers")}


def check_sums(report: Report) -> None:
    """Assert that every annotation read is accounted for once."""
    assert report.annotations_read == (
        report.annotations_written
        + report.annotations_rejected
        + report.annotations_filtered
        + report.annotations_already_there
    )
    assert report.annotations_rejected == sum(report.rejects_by_code.values())
    assert report.annotations_filtered == sum(report.filtered_by_reason.values())
