"""Random prediction sets as plain data, the project they belong to, and the COCO files that say the same.

Everything is chiral and not square: sizes have h != w, and a random mask differs from its mirror images and from the
mask that reading it in the other pixel order gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from encord.objects import OntologyStructure, Shape
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from ropewalk.project.snapshot import Medium, Snapshot
from snapshots import make_image, make_image_group, make_snapshot, make_video

BOX, POLYGON, MASK = Shape.BOUNDING_BOX, Shape.POLYGON, Shape.BITMASK
VIDEO, IMAGE, GROUP = 0, 1, 2
MEDIA = {"video": VIDEO, "image": IMAGE, "image group": GROUP}


@dataclass(frozen=True)
class Category:
    """An object of the ontology."""

    name: str
    shape: Shape
    feature_hash: str


@dataclass(frozen=True)
class Mask:
    """A mask; `counts` is how the file writes it: `str`, `list`, or `runs of 0` (a list that is not canonical)."""

    pixels: np.ndarray
    counts: str = "str"

    def segmentation(self) -> dict[str, Any]:
        size = list(self.pixels.shape)
        if self.counts == "str":
            return {"size": size, "counts": column_major_string(self.pixels)}
        flat = self.pixels.ravel(order="F")
        runs = [len(run) for run in np.split(flat, np.flatnonzero(np.diff(flat)) + 1)]
        if flat[0]:
            runs.insert(0, 0)
        if self.counts == "runs of 0":
            longest = int(np.argmax(runs))
            runs[longest : longest + 1] = [runs[longest] - runs[longest] // 2, 0, runs[longest] // 2]
        return {"size": size, "counts": runs}


# A box is [x, y, w, h], a polygon a list of rings x y x y ...; both in px of the file's image.
Geometry = list[float] | list[list[float]] | Mask


@dataclass(frozen=True)
class Prediction:
    """One object on one frame. `category` is an index; a track is known by its text, so that 3 and "3" are one."""

    medium: int
    frame: int
    category: int
    geometry: Geometry
    score: float | None = None
    track: int | str | None = None


@dataclass(frozen=True)
class Model:
    """A project and predictions for it; the file's images are `scale` times as large as the project's."""

    media: tuple[Medium, ...]
    categories: tuple[Category, ...]
    predictions: tuple[Prediction, ...]
    scale: int = 1

    def snapshot(self) -> Snapshot:
        structure = OntologyStructure()
        for category in self.categories:
            structure.add_object(category.name, category.shape, feature_node_hash=category.feature_hash)
        return make_snapshot(self.media, structure.to_dict())

    def file_size(self, medium: int, frame: int) -> tuple[int, int]:
        """Return the (width, height) that the file gives for a frame, in px."""
        width, height = frame_size(self.media[medium], frame)
        return width * self.scale, height * self.scale


@dataclass(frozen=True)
class Style:
    """How the file is written; none of it changes what it says.

    `extras` writes what the SDK's own importer insists on. `bait` adds members that must not be used.
    """

    layout: str = "dataset"
    ids: str = "number"
    numbers: str = "shortest"
    ascii_only: bool = True
    in_attributes: bool = False
    groups_as_videos: bool = False
    bait: bool = False
    extras: bool = False


def frame_size(medium: Medium, frame: int) -> tuple[int, int]:
    """Return the (width, height) of a frame of the project, in px."""
    of = medium.images[frame] if medium.images else medium
    assert of.width is not None and of.height is not None
    return of.width, of.height


def column_major_string(pixels: np.ndarray) -> str:
    """Encode a mask as COCO's compressed counts."""
    return coco_mask.encode(np.asfortranarray(pixels.astype(np.uint8)))["counts"].decode()


# --- writing -------------------------------------------------------------------------------------------------------


def write_coco(model: Model, folder: Path, style: Style) -> tuple[Path, Path | None]:
    """Write the model as COCO; returns the file, and the one with its images and categories if that is another."""
    text = annotations = "[" + ",\n".join(annotation_texts(model, style)) + "]"
    tables = dict(tables_of(model, style))
    folder.mkdir(parents=True, exist_ok=True)
    if style.layout == "results":
        truth = folder / "truth.json"
        truth.write_text(json.dumps(tables | {"annotations": []}, ensure_ascii=style.ascii_only), "utf-8")
    else:
        truth = None
        sections = {key: json.dumps(value, ensure_ascii=style.ascii_only) for key, value in tables.items()}
        first = {"annotations": annotations} if style.layout == "annotations first" else {}
        members = first | sections | {"annotations": annotations}
        text = "{" + ", ".join(f'"{key}": {value}' for key, value in members.items()) + "}"
    path = folder / "predictions.json"
    path.write_text(text, "utf-8")
    return path, truth


def tables_of(model: Model, style: Style) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Make the sections images, categories and videos."""
    images, videos = [], []
    for index, medium in enumerate(model.media):
        as_video = index == VIDEO or (index == GROUP and style.groups_as_videos)
        if as_video:
            videos.append({"id": own_id(style, index), "name": medium.title})
        for frame in range(medium.number_of_frames):
            width, height = model.file_size(index, frame)
            image = {"id": image_id(style, index, frame), "width": width, "height": height}
            if as_video:
                image |= {"video_id": own_id(style, index), "frame_index": frame, "file_name": f"{frame:06}.jpg"}
            else:
                image["file_name"] = medium.images[frame].title if medium.images else medium.title
            images.append(image)
    yield "images", images
    yield "categories", [{"id": own_id(style, i), "name": c.name} for i, c in enumerate(model.categories)]
    yield "videos", videos


def own_id(style: Style, number: int) -> int | str:
    return f"é/{number}" if style.ids == "text" else number


def image_id(style: Style, medium: int, frame: int) -> int | str:
    return own_id(style, 1000 * (medium + 1) + 7 * frame)


def annotation_texts(model: Model, style: Style) -> list[str]:
    """Write each annotation; ids of the style `digits` are numbers in the tables and strings here."""

    def dumped(value: Any) -> str:
        return json.dumps(value, ensure_ascii=style.ascii_only)

    def reference(value: int | str) -> str:
        return dumped(str(value) if style.ids == "digits" else value)

    def number(value: float) -> str:
        if style.numbers == "shortest" or value == 0:
            return json.dumps(value)
        # The exact value has up to a thousand digits; forty are more than a reader may use to be right by luck.
        return f"{Decimal(value):.39e}"

    def numbers(values: list[float]) -> str:
        return "[" + ", ".join(map(number, values)) + "]"

    texts = []
    for index, prediction in enumerate(model.predictions):
        geometry = prediction.geometry
        members = {
            "id": reference(index + 1),
            "image_id": reference(image_id(style, prediction.medium, prediction.frame)),
            "category_id": reference(own_id(style, prediction.category)),
        }
        if isinstance(geometry, Mask):
            members["segmentation"] = dumped(geometry.segmentation())
        elif isinstance(geometry[0], list):
            members["segmentation"] = "[" + ", ".join(map(numbers, geometry)) + "]"
        else:
            members["bbox"] = numbers(geometry)
        if style.bait:
            members.setdefault("bbox", "[1, 2, 3, 4]")
            names = [category.name for category in model.categories]
            # A box without an area gives way to a polygon.
            has_area = isinstance(geometry, Mask) or isinstance(geometry[0], list) or all(geometry[2:])
            if has_area and names.count(names[prediction.category]) == 1:
                members.setdefault("segmentation", "[[1, 2, 3, 4, 5, 7]]")
        if style.extras:
            members |= {"area": "6.5", "iscrowd": "0"}
            members.setdefault("bbox", "[0, 0, 1, 2]")
        own = {} if prediction.score is None else {"score": number(prediction.score)}
        if prediction.track is not None:
            own["track_id"] = dumped(prediction.track)
        if style.in_attributes:
            own = {"attributes": object_text(own)}
        texts.append(object_text(members | own))
    return texts


def object_text(members: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{key}": {text}' for key, text in members.items()) + "}"


# --- drawing -------------------------------------------------------------------------------------------------------

# Characters that this Python's Unicode version does not know may have a lower case in the core's.
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cn")), min_size=1, max_size=8)
# Lower cases that are no matter of course: of two characters, by the place in the word, outside the BMP.
ODD_NAMES = st.sampled_from(
    ["CAR", "car", "ΣΑΣ", "Straße É", "İ x", "\U00010400 \U0001f34e", 'a "b" \\', " A  b ", "ǅ"]
)
STYLES = st.builds(
    Style,
    layout=st.sampled_from(["dataset", "annotations first", "results"]),
    ids=st.sampled_from(["number", "digits", "text"]),
    numbers=st.sampled_from(["shortest", "many digits"]),
    ascii_only=st.booleans(),
    in_attributes=st.booleans(),
    groups_as_videos=st.booleans(),
    bait=st.booleans(),
)
SCORES = st.none() | st.floats(0, 1) | st.sampled_from([0, 1])
TRACKS = st.sampled_from([0, 7, "7", "é-1", -3, "07", 2**60])


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    """Draw (width, height) that differ."""
    width, height = draw(st.integers(3, 40)), draw(st.integers(3, 39))
    return width, height + (width <= height)


@st.composite
def media(draw: st.DrawFn) -> tuple[Medium, ...]:
    """Draw a video, an image and an image group; no two have one title."""
    titles = draw(st.lists(NAMES, min_size=2, max_size=2, unique=True))
    video_size, image_size, *group = draw(st.lists(sizes(), min_size=3, max_size=5))
    return (
        make_video(f"v/{titles[0]}.mp4", width=video_size[0], height=video_size[1]),
        make_image(f"i/{titles[1]}.jpg", width=image_size[0], height=image_size[1]),
        make_image_group(f"g {titles[0]}", tuple(group)),
    )


@st.composite
def categories(draw: st.DrawFn, *, shared_names: bool = True) -> tuple[Category, ...]:
    """Draw two classes of each shape, which may share a name with classes of other shapes."""
    names = draw(st.lists(NAMES | ODD_NAMES, min_size=6, max_size=6, unique=True))
    shapes = [BOX, POLYGON, MASK] * 2
    if shared_names and draw(st.booleans()):
        names = [names[index // 3] for index in range(6)]
    return tuple(Category(n, s, f"hash+/{i:02}") for i, (n, s) in enumerate(zip(names, shapes, strict=True)))


def pixels_up_to(limit: int, margin: int) -> st.SearchStrategy[float]:
    """Draw a coordinate; with a margin it may lie outside by so much."""
    low, high = -margin, limit + margin
    return st.floats(low, high) | st.integers(low, high)


@st.composite
def boxes(draw: st.DrawFn, size_wh: tuple[int, int], margin: int) -> list[float]:
    corner = [draw(pixels_up_to(limit, margin)) for limit in size_wh]
    return corner + [
        draw(st.floats(0, limit + margin - c) | st.just(limit - c if c <= limit else 0.0))
        for c, limit in zip(corner, size_wh, strict=True)
    ]


@st.composite
def polygons(draw: st.DrawFn, size_wh: tuple[int, int], margin: int) -> list[list[float]]:
    point = st.tuples(*(pixels_up_to(limit, margin) for limit in size_wh))
    rings = draw(st.lists(st.lists(point, min_size=3, max_size=7), min_size=1, max_size=3))
    return [[value for xy in ring for value in xy] for ring in rings]


@st.composite
def masks(draw: st.DrawFn, size_wh: tuple[int, int], *, any_mask: bool = True) -> Mask:
    """Draw a chiral mask; with `any_mask` sometimes one that is all 0 or all 1."""
    width, height = size_wh
    counts = draw(st.sampled_from(["str", "list", "runs of 0"]))
    if any_mask and draw(st.integers(0, 9)) == 0:
        return Mask(np.full((height, width), draw(st.booleans())), counts)
    pixels = np.zeros((height, width), dtype=bool)
    rows, columns = st.integers(0, height), st.integers(0, width)
    for (y0, y1), (x0, x1) in draw(st.lists(st.tuples(st.tuples(rows, rows), st.tuples(columns, columns)), max_size=4)):
        pixels[min(y0, y1) : max(y0, y1), min(x0, x1) : max(x0, x1)] ^= True
    # One marked corner: no flip keeps it. Its one neighbour: the other pixel order does not keep that.
    pixels[[0, 0, -1, -1], [0, -1, 0, -1]] = [1, 0, 0, 0]
    pixels[0, 1], pixels[1, 0] = 1, 0
    if draw(st.booleans()):
        pixels = np.rot90(pixels, 2)
    return Mask(pixels ^ draw(st.booleans()), counts)


@st.composite
def predictions(
    draw: st.DrawFn,
    model: Model,
    on: tuple[int, ...] = (VIDEO, IMAGE, GROUP),
    shapes: tuple[Shape, ...] = (BOX, POLYGON, MASK),
    tracked: bool | None = None,
    margin: int = 0,
) -> tuple[Prediction, ...]:
    """Draw objects of some shapes on some media, tracks over several frames with gaps, and exact duplicates."""
    indices = [i for i, category in enumerate(model.categories) if category.shape in shapes]
    drawn: list[Prediction] = []
    taken = set()
    for _ in range(draw(st.integers(1, 5))):
        medium, category = draw(st.sampled_from(on)), draw(st.sampled_from(indices))
        track = draw(TRACKS) if tracked or (tracked is None and draw(st.booleans())) else None
        if track is not None and (medium, category, str(track)) in taken:
            continue
        taken.add((medium, category, str(track)))
        frames = st.integers(0, model.media[medium].number_of_frames - 1)
        several = st.lists(frames, min_size=1, max_size=4, unique=True)
        for frame in [draw(frames)] if track is None else draw(several):
            size = model.file_size(medium, frame)
            shape = model.categories[category].shape
            geometry = (
                boxes(size, margin) if shape == BOX else polygons(size, margin) if shape == POLYGON else masks(size)
            )
            drawn.append(Prediction(medium, frame, category, draw(geometry), draw(SCORES), track))
    twice = [prediction for prediction in drawn if prediction.track is None]
    if twice and draw(st.integers(0, 3)) == 3:
        drawn.append(draw(st.sampled_from(twice)))
    return tuple(drawn)


@st.composite
def models(
    draw: st.DrawFn,
    on: tuple[int, ...] = (VIDEO, IMAGE, GROUP),
    shapes: tuple[Shape, ...] = (BOX, POLYGON, MASK),
    tracked: bool | None = None,
    margin: int = 0,
) -> Model:
    """Draw a project and predictions on the media `on`; `tracked` None means some."""
    scale = 1 if MASK in shapes else draw(st.sampled_from([1, 1, 3]))
    model = Model(draw(media()), draw(categories()), (), scale)
    return replace(model, predictions=draw(predictions(model, on, shapes, tracked, margin)))
