"""Whatever documents are imported together, in whatever order: the branch holds the same objects and labels.

What it should hold is worked out from the documents alone, by an oracle that knows no hashes: a track is one object of
its document, medium and class; what has no track is as often there as the document that has it most often.
"""

from __future__ import annotations

import gzip
import itertools
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars
import pytest
from encord import Project
from encord.objects import OntologyStructure, Shape
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ropewalk import import_predictions
from ropewalk.emulator import RunningEmulator, running_emulator
from ropewalk.sinks.encord.client import open_project
from snapshots import make_image, make_snapshot, make_video
from world import full

WIDTH, HEIGHT = 64, 32
MEDIA = {"drive.mp4": 6, "night.mp4": 6, "still.jpg": 1}
CLASSES = ("Car", "Lorry")
EXAMPLES = 400 if full() else 12

# Paths of documents: none has the folder and name of another. Those without a suffix are folders of parts.
PATHS = ("a/p.json", "b/p.json", "deep/er/p.json", "q.json.gz", "a/p.ndjson", "b/r.parquet", "table", "deep/table-2")
PART_NAMES = ("part-0000.{}", "part-0001.{}", "day=1/00000000.{}")

# An object: its medium, its class, and what is on each frame.
Content = tuple[str, str, frozenset[tuple[int, tuple[int, ...], float]]]


@dataclass(frozen=True)
class Row:
    """A box on a frame; `track` is None for one without a track."""

    media: str
    frame: int
    class_: str
    track: str | None
    box: tuple[int, int, int, int]
    score: float


@st.composite
def rows(draw: st.DrawFn) -> Row:
    # Few values each, so that documents have much in common.
    media = draw(st.sampled_from(sorted(MEDIA)))
    return Row(
        media=media,
        frame=draw(st.integers(0, MEDIA[media] - 1)),
        class_=draw(st.sampled_from(CLASSES)),
        track=draw(st.sampled_from((None, None, "1", "2"))),
        box=(draw(st.integers(0, 2)), 2, 16, 8),
        score=draw(st.sampled_from((0.5, 1.0))),
    )


@st.composite
def documents(draw: st.DrawFn) -> dict[str, list[Row]]:
    paths = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=5, unique=True))
    found = {path: once(draw(st.lists(rows(), min_size=1, max_size=12))) for path in paths}
    # The same content under another name stops an import: it would be the same file, renamed.
    assume(len(set(map(tuple, found.values()))) == len(found))
    return found


def once(found: list[Row]) -> list[Row]:
    """Keep the first row of each track on a frame: a second one is rejected, whatever else there is."""
    seen = set()
    kept = []
    for row in found:
        place = (row.media, row.frame, row.class_, row.track)
        if row.track is None or place not in seen:
            kept.append(row)
        seen.add(place)
    return kept


def expected(content: dict[str, list[Row]]) -> Counter[Content]:
    """Work out which objects documents make."""
    tracks: dict[tuple[str, ...], set[tuple[int, tuple[int, ...], float]]] = {}
    loose: Counter[Row] = Counter()
    for path, found in content.items():
        for row in found:
            if row.track is not None:
                track = tracks.setdefault((path, row.media, row.class_, row.track), set())
                track.add((row.frame, row.box, row.score))
        loose |= Counter(row for row in found if row.track is None)
    objects: Counter[Content] = Counter(
        (media, class_, frozenset(labels)) for (_, media, class_, _), labels in tracks.items()
    )
    for row, count in loose.items():
        objects[row.media, row.class_, frozenset({(row.frame, row.box, row.score)})] += count
    return objects


def write(folder: Path, path: str, found: Sequence[Row]) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if ".json" in path:
        text = json.dumps(as_coco(found)).encode()
        file.write_bytes(gzip.compress(text) if path.endswith(".gz") else text)
    elif file.suffix:
        write_table(file, found)
    else:
        suffix = "parquet" if path == "table" else "ndjson"
        size = -(-len(found) // len(PART_NAMES))
        for number, name in enumerate(PART_NAMES):
            if part := found[number * size : (number + 1) * size]:
                write_table(file / name.format(suffix), part)
        (file / "_SUCCESS").touch()


def as_coco(found: Sequence[Row]) -> dict[str, Any]:
    images = [
        {"id": 10 * number + frame, "file_name": media, "frame_index": frame, "width": WIDTH, "height": HEIGHT}
        for number, (media, frames) in enumerate(MEDIA.items())
        for frame in range(frames)
    ]
    ids = {(image["file_name"], image["frame_index"]): image["id"] for image in images}
    annotations = [
        {
            "id": number,
            "image_id": ids[row.media, row.frame],
            "category_id": CLASSES.index(row.class_),
            "bbox": row.box,
            "score": row.score,
        }
        | ({} if row.track is None else {"track_id": int(row.track)})
        for number, row in enumerate(found)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES)]
    return {"images": images, "categories": categories, "annotations": annotations}


def write_table(file: Path, found: Sequence[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    table = [
        {
            "media": row.media,
            "frame": row.frame,
            "class": row.class_,
            "track": row.track,
            "box": list(map(float, row.box)),
            "unit": "px",
            "score": row.score,
        }
        for row in found
    ]
    frame = polars.DataFrame(table, schema_overrides={"track": polars.String})
    if file.suffix == ".parquet":
        frame.write_parquet(file)
    else:
        frame.write_ndjson(file)


def stored(emulator: RunningEmulator, branch: str) -> Counter[Content]:
    """Read the objects of a branch."""
    found: dict[tuple[str, str, str], set[tuple[int, tuple[int, ...], float]]] = {}
    headers = emulator.store.headers(branch)
    for text in emulator.store.contents(header.label_hash for header in headers):
        row = json.loads(text)
        for unit in row["data_units"].values():
            labels = unit["labels"]
            frames = {"0": labels} if row["data_type"] == "image" else labels
            for frame, content in frames.items():
                for item in content.get("objects", ()):
                    box = item["boundingBox"]
                    pixels = tuple(
                        round(box[name] * size) for name, size in zip("xywh", (WIDTH, HEIGHT) * 2, strict=True)
                    )
                    one = found.setdefault((row["data_title"], item["name"], item["objectHash"]), set())
                    one.add((int(frame), pixels, item["confidence"]))
    return Counter((media, class_, frozenset(labels)) for (media, class_, _), labels in found.items())


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    structure = OntologyStructure()
    for number, name in enumerate(CLASSES):
        structure.add_object(name, Shape.BOUNDING_BOX, feature_node_hash=f"object-{number}")
    media = tuple(
        make_video(title, width=WIDTH, height=HEIGHT, number_of_frames=frames)
        if frames > 1
        else make_image(title, width=WIDTH, height=HEIGHT)
        for title, frames in MEDIA.items()
    )
    with running_emulator(make_snapshot(media, structure.to_dict())) as running:
        yield running


@pytest.fixture(scope="module")
def project(emulator: RunningEmulator) -> Project:
    return open_project(emulator.project_hash, ssh_key=emulator.ssh_key_path, domain=emulator.url)


BRANCHES = itertools.count()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=documents(), data=st.data())
def test_any_partition_into_commands_makes_the_same_objects(
    emulator: RunningEmulator, project: Project, tmp_path_factory: pytest.TempPathFactory, content: Any, data: Any
) -> None:
    folder = tmp_path_factory.mktemp("identity")
    for path, found in content.items():
        write(folder / "sources", path, found)
    order = data.draw(st.permutations(sorted(content)))
    ends = data.draw(st.sets(st.integers(1, len(order) - 1))) if len(order) > 1 else set()
    commands = [order[a:b] for a, b in itertools.pairwise([0, *sorted(ends), len(order)])]
    branches = [f"once-{next(BRANCHES)}", f"parts-{next(BRANCHES)}"]

    def run(branch: str, paths: Sequence[str], **options: Any) -> Any:
        sources = [folder / "sources" / path for path in paths]
        given = {"branch": branch, "work_dir": folder / "work", "on_existing": "merge", "threads": 1} | options
        return import_predictions(sources, project, **given)

    try:
        wanted = expected(content)
        # Files by name, or all of them as the folder that they are in.
        together = order if data.draw(st.booleans()) else [""]
        assert run(branches[0], together).exit_code == 0
        assert stored(emulator, branches[0]) == wanted
        for command in commands:
            report = run(branches[1], command, memory_bytes=data.draw(st.sampled_from((1 << 20, 300))))
            assert (report.exit_code, report.labels_replaced, report.objects_extended) == (0, 0, 0)
        assert stored(emulator, branches[1]) == wanted
        # The same hashes too: nothing is left to be written.
        for branch in branches:
            for command in (together, *commands):
                again = run(branch, command)
                assert (again.annotations_written, again.exit_code) == (0, 0)
    finally:
        shutil.rmtree(folder)
