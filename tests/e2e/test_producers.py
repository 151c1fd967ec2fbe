"""Files that other tools write, imported into the emulator and read back with the SDK as what each tool was given.

The tools live in an environment of their own, which `make test` makes; without it these tests are skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from encord.objects import OntologyStructure, Shape
from encord.objects.coordinates import (
    BitmaskCoordinates,
    BoundingBoxCoordinates,
    PolygonCoordinates,
    SkeletonCoordinates,
)
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate
from pycocotools import mask as coco_mask

from producers.produce import PRODUCERS, SIZES, VIDEO, VIDEO_SIZE
from ropewalk.emulator import running_emulator
from ropewalk.sinks.encord.client import open_project
from snapshots import make_image, make_snapshot, make_video
from workbench import Bench, Json

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv" / "producers" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason="`make test` installs the tools")


def produce(*arguments: str | Path) -> None:
    """Run produce.py where the tools are."""
    done = subprocess.run(
        [TOOLS, ROOT / "tests" / "producers" / "produce.py", *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder with what every tool wrote."""
    folder = tmp_path_factory.mktemp("produced")
    produce(folder)
    return folder


@pytest.fixture(scope="module")
def producers_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Emulate a project of the producers' images and video, a shape a class."""
    ontology = OntologyStructure()
    for name, shape in (("Car", Shape.BOUNDING_BOX), ("Lake", Shape.POLYGON), ("Wall", Shape.BITMASK)):
        ontology.add_object(name, shape, feature_node_hash=f"obj-{name.lower():.4}")
    points = {
        str(number): SkeletonTemplateCoordinate(x=0.25 * number, y=0.125, name=name, color="#d33115", value=name)
        for number, name in enumerate(("nose", "hip", "foot"))
    }
    person = SkeletonTemplate(name="Person", width=100, height=50, skeleton=points, skeleton_edges={})
    ontology.add_skeleton_object("Person", person, feature_node_hash="obj-pers")
    media = [make_image(name, width=width, height=height) for name, (width, height) in SIZES.items()]
    media.append(make_video(VIDEO, width=VIDEO_SIZE[0], height=VIDEO_SIZE[1], number_of_frames=6))
    with running_emulator(make_snapshot(tuple(media), ontology.to_dict())) as emulator:
        project = open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)
        yield Bench(emulator, project, "unused", tmp_path_factory.mktemp("producers"))


@pytest.mark.parametrize("name", PRODUCERS)
def test_a_file_of(name: str, files: Path, producers_bench: Bench) -> None:
    bench = producers_bench
    bench.branch = name
    tables = files / f"{name}.images.json"
    more = ["--annotations", tables] if tables.exists() else []
    # Without scores, a mask with a hole is written as a crowd.
    ran = bench.cli_import(files / f"{name}.json", "--include-crowd", *more)
    assert ran.code == 0, ran.out + ran.err
    expected = json.loads((files / f"{name}.expected.json").read_text())
    assert sorted(read_back(bench)) == sorted(comparable(row) for row in expected)


def test_a_file_of_the_sdks_exporter(files: Path, producers_bench: Bench) -> None:
    """What other tools' files became on one branch, exported by the SDK, gives the same labels on another."""
    bench = producers_bench
    bench.branch = "exported-from"
    names = ["supervision-boxes", "supervision-polygons", "supervision-holes", "sahi-video"]
    assert bench.cli_import("--include-crowd", *(files / f"{name}.json" for name in names)).code == 0
    before = sorted(read_back(bench))
    rows = []
    for row in bench.project.list_label_rows_v2(branch_name=bench.branch):
        row.initialise_labels()
        rows.append(row.to_encord_dict() | {"data_title": row.data_title})
    labels = bench.write({"rows": rows, "ontology": bench.project.ontology_structure.to_dict()}, "rows.json")
    produce(bench.folder, labels)
    bench.branch = "exported-to"
    ran = bench.cli_import(bench.folder / "encord.json", "--include-crowd")
    assert ran.code == 0, ran.out + ran.err
    assert sorted(read_back(bench)) == before
    assert len(before) == 9 + 3 + 3 + 8


def comparable(row: Json) -> tuple[Any, ...]:
    """Make an expected object the tuple that `read_back` makes of what was stored; a track is its number of frames."""
    kind = next(kind for kind in ("box", "polygon", "mask", "points") if kind in row)
    geometry = row[kind]
    if kind == "points":
        geometry = [[x, y] for x, y, _ in geometry]
    if kind != "mask":
        geometry = numpy.round(numpy.asarray(geometry, float), 9).tolist()
    score = 1.0 if row["score"] is None else row["score"]
    return row["image"], row.get("frame", 0), row["class"], score, 4 if row.get("track") else 1, kind, geometry


def read_back(bench: Bench) -> list[tuple[Any, ...]]:
    """Read the branch with the SDK, in pixels: title, frame, class, score, frames of the object, kind, geometry."""
    found = []
    for row in bench.project.list_label_rows_v2(branch_name=bench.branch):
        row.initialise_labels()
        for item in row.get_object_instances():
            annotations = item.get_annotations()
            for annotation in annotations:
                kind, geometry = in_pixels(annotation.coordinates, row.width, row.height)
                common = (row.data_title, annotation.frame, item.object_name, annotation.confidence)
                found.append((*common, len(annotations), kind, geometry))
    return found


def in_pixels(coordinates: Any, width: int, height: int) -> tuple[str, Any]:
    """Turn the SDK's coordinates into those of produce.py."""
    if isinstance(coordinates, BitmaskCoordinates):
        mask = numpy.asfortranarray(coordinates.to_numpy_array().astype(numpy.uint8))
        return "mask", coco_mask.encode(mask)["counts"].decode()
    if isinstance(coordinates, BoundingBoxCoordinates):
        corner = (coordinates.top_left_x, coordinates.top_left_y, coordinates.width, coordinates.height)
        return "box", numpy.round(numpy.multiply(corner, (width, height, width, height)), 9).tolist()
    kind = "polygon" if isinstance(coordinates, PolygonCoordinates) else "points"
    assert kind == "polygon" or isinstance(coordinates, SkeletonCoordinates)
    xys = [(point.x * width, point.y * height) for point in coordinates.values]
    return kind, numpy.round(xys, 9).tolist()
