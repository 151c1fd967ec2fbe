"""COCO's own example results onto two branches of a project of their 100 images; skipped where the data is absent."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from encord.objects import OntologyStructure, Shape
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from ropewalk.emulator import running_emulator
from ropewalk.sinks.encord.client import open_project
from snapshots import make_image, make_snapshot
from workbench import Bench, Json

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
TRUTH, BOXES, MASKS = (DATA / f"coco_val2014_100_{name}.json" for name in ("instances", "bbox_results", "segm_results"))

pytestmark = pytest.mark.skipif(not TRUTH.exists(), reason="the sample data is not beside the repository")


@pytest.fixture(scope="module")
def truth() -> Json:
    content: Json = json.loads(TRUTH.read_bytes())
    return content


@pytest.fixture(scope="module")
def val_bench(truth: Json, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Emulate a project of the 100 images; each class is a box and a bitmask, settled by the annotation's shape."""
    media = tuple(make_image(i["file_name"], width=i["width"], height=i["height"]) for i in truth["images"])
    ontology = OntologyStructure()
    for category in truth["categories"]:
        ontology.add_object(category["name"], Shape.BOUNDING_BOX, feature_node_hash=f"box{category['id']:05}")
        ontology.add_object(category["name"], Shape.BITMASK, feature_node_hash=f"msk{category['id']:05}")
    with running_emulator(make_snapshot(media, ontology.to_dict())) as emulator:
        project = open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)
        yield Bench(emulator, project, "unused", tmp_path_factory.mktemp("val"))


@pytest.mark.parametrize("results", [BOXES, MASKS], ids=["boxes", "masks"])
def test_sample_results(val_bench: Bench, truth: Json, results: Path) -> None:
    bench = val_bench
    bench.branch = results.stem
    report = bench.folder / f"{results.stem}.json"
    ran = bench.process("import", *bench.arguments(results, "--annotations", TRUTH, "--report", report))
    assert ran.code == 0, ran.err
    saved = json.loads(report.read_text())
    assert (saved["annotations_read"], saved["annotations_written"], saved["label_rows_saved"]) == (734, 734, 99)
    before, rows = bench.stored(), bench.rows()

    for policy in ("replace", "merge", "fail"):
        again = bench.cli_import(results, "--annotations", TRUTH, "--on-existing", policy)
        assert (again.code, bench.stored(), bench.rows()) == (0, before, rows)
        assert "734 already there" in again.out

    check_content(bench, truth, json.loads(results.read_bytes()))


def test_sample_truth(val_bench: Bench, truth: Json) -> None:
    """Polygons, also of several parts, and masks become masks of the pixels that pycocotools gives them."""
    bench = val_bench
    bench.branch = TRUTH.stem
    masks = bench.write({c["name"]: f"msk{c['id']:05}" for c in truth["categories"]}, "masks.json")
    ran = bench.process("import", *bench.arguments(TRUTH, "--include-crowd", "--class-map", masks))
    assert ran.code == 0, ran.err
    with contextlib.redirect_stdout(io.StringIO()):
        reader = COCO(TRUTH)
    wanted = []
    for annotation in truth["annotations"]:
        transposed = numpy.asfortranarray(reader.annToMask(annotation).T)
        title = reader.imgs[annotation["image_id"]]["file_name"]
        name = reader.cats[annotation["category_id"]]["name"]
        wanted.append((title, name, coco_mask.encode(transposed)["counts"].decode()))
    found = [(title, item["name"], item["bitmask"]["rleString"]) for title, _, item in bench.objects()]
    assert sorted(found) == sorted(wanted)


def check_content(bench: Bench, truth: Json, expected: list[Json]) -> None:
    """Assert that each image holds the source's classes, scores and geometry, masks decoded by pycocotools."""
    images = {image["id"]: image for image in truth["images"]}
    names = {category["id"]: category["name"] for category in truth["categories"]}
    wanted = []
    for row in expected:
        image = images[row["image_id"]]
        w, h = image["width"], image["height"]
        if "bbox" in row:
            x, y, bw, bh = row["bbox"]
            # Some boxes reach over the edge by a rounding of the detector's, and are clipped.
            left, top, right, bottom = max(x, 0), max(y, 0), min(x + bw, w), min(y + bh, h)
            geometry: Any = (left / w, top / h, (right - left) / w, (bottom - top) / h)
        else:
            transposed = numpy.asfortranarray(coco_mask.decode(row["segmentation"]).T)
            geometry = coco_mask.encode(transposed)["counts"].decode()
        wanted.append((image["file_name"], names[row["category_id"]], row["score"], geometry))
    found = []
    for title, _, item in bench.objects():
        if "boundingBox" in item:
            geometry = tuple(item["boundingBox"][key] for key in "xywh")
        else:
            geometry = item["bitmask"]["rleString"]
        found.append((title, item["name"], item["confidence"], geometry))
    for one, other in zip(sorted(found), sorted(wanted), strict=True):
        assert one[:3] == other[:3]
        assert one[3] == (other[3] if isinstance(other[3], str) else pytest.approx(other[3], abs=1e-12))
