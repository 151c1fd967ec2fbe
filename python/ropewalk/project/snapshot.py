"""The project snapshot: what an import has to know about a project, in one JSON file without links or people.

`read_snapshot` and `write_snapshot` are the file format, version 1 (docs/guide/emulator.md describes it);
`ropewalk.project.snapshot_from_project` takes one from a live project.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ropewalk.errors import SnapshotError
from ropewalk.files import content_of, written_whole
from ropewalk.project.spaces import ROOT_SPACE_ID, Space

SCHEMA_VERSION = 1

# The look-behinds keep the search linear: a match may not begin inside a word that was tried already.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+://\S+")
_SIGNED_QUERY = re.compile(r"\?[^\s?]*(?:signature|credential|token|sig)=[^\s?]*", re.IGNORECASE)
# A file name such as `sign@2x.png` is no address.
_FILE_ENDINGS = "avi|bmp|dcm|gif|jpe?g|mkv|mov|mp3|mp4|nii|pdf|png|tiff?|txt|wav|webm|webp"
_EMAIL = re.compile(rf"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.(?!(?:{_FILE_ENDINGS})\b)[\w-]+)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MediumImage:
    """One image of an image group; a size (px) may be unknown."""

    image_hash: str
    title: str
    file_type: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Medium:
    """One data row of a project; a size (px) may be unknown, `duration` is in seconds.

    `images` are those of an image group, `spaces` those of a data group. `stage` is the title of its label row's
    workflow stage. `client_metadata` is None where it was not asked for.
    """

    data_hash: str
    title: str
    data_type: str
    dataset_hash: str
    dataset_title: str
    file_type: str | None = None
    width: int | None = None
    height: int | None = None
    number_of_frames: int = 1
    frames_per_second: float | None = None
    duration: float | None = None
    audio_codec: str | None = None
    audio_sample_rate: int | None = None
    audio_bit_depth: int | None = None
    audio_num_channels: int | None = None
    backing_item_uuid: str | None = None
    stage: str | None = None
    stage_uuid: str | None = None
    client_metadata: dict[str, Any] | None = None
    images: tuple[MediumImage, ...] = ()
    spaces: tuple[Space, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A project, its ontology and its media; `label_rows` holds saved rows in Encord's own form."""

    project_hash: str
    project_title: str
    project_description: str
    ontology_hash: str
    ontology_title: str
    ontology_structure: dict[str, Any]
    media: tuple[Medium, ...]
    label_rows: tuple[dict[str, Any], ...] = ()


def read_snapshot(path: str | os.PathLike[str]) -> Snapshot:
    """Read a snapshot file.

    Args:
        path: A JSON file that `write_snapshot` or `ropewalk snapshot` wrote, or one written by hand.

    Returns:
        The snapshot.

    Raises:
        SnapshotError: The file is not JSON, of another version, or a field of it is missing or wrong.
        FileError: The file cannot be read.
    """
    content = content_of(Path(path))
    try:
        document = json.loads(content)
    except json.JSONDecodeError as e:
        raise SnapshotError(f"{path}: not valid JSON at line {e.lineno}, column {e.colno}: {e.msg}") from e
    except UnicodeDecodeError as e:
        raise SnapshotError(f"{path}: not UTF-8 at byte {e.start}") from e
    except ValueError as e:
        raise SnapshotError(f"{path}: not valid JSON: {e}") from e
    except RecursionError as e:
        raise SnapshotError(f"{path}: nested too deeply for a snapshot") from e
    return _snapshot_from_document(document, str(path))


def write_snapshot(snapshot: Snapshot, path: str | os.PathLike[str]) -> None:
    """Write a snapshot file, whole or not at all.

    Args:
        snapshot: What to write. It is validated as it would be when read.
        path: The file, overwritten if it exists; `-` is stdout.

    Raises:
        SnapshotError: A field is not valid, or a text holds a URL, the query of a signed one, or an e-mail address.
        FileError: The file cannot be written.
    """
    document = _document_from_snapshot(snapshot)
    _snapshot_from_document(document, "snapshot")
    _refuse_links(document, "snapshot")
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    with written_whole(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")


def without_links(value: Any) -> Any:
    """Cut URLs down to their file name and blank out e-mail addresses, in a text or in all texts of a JSON value."""
    if isinstance(value, str):
        value = _URL.sub(lambda url: re.split(r"[?#]", url[0])[0].rstrip("/").rsplit("/", 1)[-1], value)
        return _EMAIL.sub("(e-mail)", _SIGNED_QUERY.sub("", value))
    if isinstance(value, dict):
        return {key: without_links(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_links(item) for item in value]
    return value


def _refuse_links(value: Any, where: str) -> None:
    if isinstance(value, str):
        if any(pattern.search(value) for pattern in (_URL, _SIGNED_QUERY, _EMAIL)):
            raise SnapshotError(
                f"{where}: a snapshot holds no URL, signed query or e-mail address; take it out of this text"
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_links(key, where)
            _refuse_links(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_links(item, f"{where}[{index}]")


def _document_from_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ropewalk_snapshot": SCHEMA_VERSION,
        "project": {
            "project_hash": snapshot.project_hash,
            "title": snapshot.project_title,
            "description": snapshot.project_description,
        },
        "ontology": {
            "ontology_hash": snapshot.ontology_hash,
            "title": snapshot.ontology_title,
            "structure": snapshot.ontology_structure,
        },
        "media": [_compact(medium) for medium in snapshot.media],
    }
    if snapshot.label_rows:
        document["label_rows"] = list(snapshot.label_rows)
    return document


def _compact(medium: Medium) -> dict[str, Any]:
    fields = {key: value for key, value in dataclasses.asdict(medium).items() if value is not None}
    for name in ("images", "spaces"):
        items = [{k: v for k, v in item.items() if v is not None and v != ()} for item in fields.pop(name)]
        if items:
            fields[name] = items
    return fields


def _snapshot_from_document(document: Any, where: str) -> Snapshot:
    root = _Fields(document, where)
    version = root.value.get("ropewalk_snapshot")
    if version is None:
        raise SnapshotError(
            f"{where}: not a project snapshot: no key `ropewalk_snapshot`; make a snapshot with `ropewalk snapshot`"
        )
    if type(version) is not int or version != SCHEMA_VERSION:
        root.fail("ropewalk_snapshot", f"schema version {SCHEMA_VERSION}", version)
    project = root.fields("project")
    ontology = root.fields("ontology")
    media = tuple(_medium_from_fields(fields) for fields in root.list_of_fields("media", required=True))
    _refuse_duplicates([medium.data_hash for medium in media], f"{where}.media", "data_hash")
    spaces = [space.space_id for medium in media for space in medium.spaces if space.space_id != ROOT_SPACE_ID]
    _refuse_duplicates(spaces, f"{where}.media", "spaces.space_id")
    return Snapshot(
        project_hash=project.uuid("project_hash"),
        project_title=project.text("title"),
        project_description=project.text("description", default=""),
        ontology_hash=ontology.uuid("ontology_hash"),
        ontology_title=ontology.text("title", default=""),
        ontology_structure=_ontology_structure(ontology),
        media=media,
        label_rows=_label_rows(root, {medium.data_hash for medium in media}),
    )


def _ontology_structure(ontology: _Fields) -> dict[str, Any]:
    structure = ontology.fields("structure")
    for kind in ("objects", "classifications"):
        for item in structure.list_of_fields(kind, required=False):
            item.text("featureNodeHash", filled=True)
            if kind == "objects":
                item.text("name")
                item.text("shape", filled=True)
    return structure.value


def _medium_from_fields(fields: _Fields) -> Medium:
    medium = Medium(
        data_hash=fields.text("data_hash", filled=True),
        title=fields.text("title"),
        data_type=fields.text("data_type", filled=True),
        dataset_hash=fields.uuid("dataset_hash"),
        dataset_title=fields.text("dataset_title", default=""),
        file_type=fields.optional_text("file_type"),
        width=fields.optional_whole("width"),
        height=fields.optional_whole("height"),
        number_of_frames=_number_of_frames(fields),
        frames_per_second=fields.optional_real("frames_per_second"),
        duration=fields.optional_real("duration"),
        audio_codec=fields.optional_text("audio_codec"),
        audio_sample_rate=fields.optional_whole("audio_sample_rate", minimum=0),
        audio_bit_depth=fields.optional_whole("audio_bit_depth", minimum=0),
        audio_num_channels=fields.optional_whole("audio_num_channels", minimum=0),
        backing_item_uuid=fields.uuid("backing_item_uuid") if fields.value.get("backing_item_uuid") else None,
        stage=fields.optional_text("stage"),
        stage_uuid=fields.uuid("stage_uuid") if fields.value.get("stage_uuid") else None,
        client_metadata=fields.fields("client_metadata").value if fields.value.get("client_metadata") else None,
        images=tuple(_image_from_fields(image) for image in fields.list_of_fields("images", required=False)),
        spaces=tuple(_space_from_fields(space) for space in fields.list_of_fields("spaces", required=False)),
    )
    if medium.data_type != medium.data_type.upper():
        fields.fail("data_type", "a data type in capitals such as VIDEO, IMAGE or IMG_GROUP", medium.data_type)
    if medium.data_type == "IMG_GROUP":
        _refuse_duplicates([image.image_hash for image in medium.images], f"{fields.where}.images", "image_hash")
        if len(medium.images) != medium.number_of_frames:
            fields.fail("images", f"one entry for each of the {medium.number_of_frames} frames", len(medium.images))
    elif medium.images:
        fields.fail("images", "no images, since only an IMG_GROUP has them", len(medium.images))
    _refuse_duplicates([space.space_id for space in medium.spaces], f"{fields.where}.spaces", "space_id")
    if medium.spaces and medium.data_type != "GROUP":
        fields.fail("spaces", "no spaces, since only a GROUP has them", len(medium.spaces))
    return medium


def _number_of_frames(fields: _Fields) -> int:
    number = fields.optional_whole("number_of_frames", minimum=0)
    if number is None and fields.value.get("data_type") in ("VIDEO", "IMG_GROUP"):
        fields.fail("number_of_frames", "the number of frames of a video or image group", None)
    return 1 if number is None else number


def _image_from_fields(fields: _Fields) -> MediumImage:
    return MediumImage(
        image_hash=fields.text("image_hash", filled=True),
        title=fields.text("title"),
        file_type=fields.optional_text("file_type"),
        width=fields.optional_whole("width"),
        height=fields.optional_whole("height"),
    )


def _space_from_fields(fields: _Fields) -> Space:
    number_of_frames = fields.optional_whole("number_of_frames")
    return Space(
        space_id=fields.text("space_id", filled=True),
        title=fields.text("title"),
        space_type=fields.text("space_type", filled=True),
        layout_key=fields.optional_text("layout_key"),
        width=fields.optional_whole("width"),
        height=fields.optional_whole("height"),
        number_of_frames=1 if number_of_frames is None else number_of_frames,
        frames_per_second=fields.optional_real("frames_per_second"),
        duration=fields.optional_real("duration"),
        frames=tuple(frame.value for frame in fields.list_of_fields("frames", required=False)),
    )


def _label_rows(root: _Fields, data_hashes: set[str]) -> tuple[dict[str, Any], ...]:
    rows = root.list_of_fields("label_rows", required=False)
    for row in rows:
        if row.text("data_hash") not in data_hashes:
            row.fail("data_hash", "the data_hash of a medium of this snapshot", row.value["data_hash"])
        row.text("label_hash", filled=True)
        row.text("branch_name", filled=True)
        row.fields("data_units")
    _refuse_duplicates([row.value["label_hash"] for row in rows], f"{root.where}.label_rows", "label_hash")
    _refuse_duplicates(
        [f"{row.value['data_hash']} on branch {row.value['branch_name']}" for row in rows],
        f"{root.where}.label_rows",
        "data_hash",
    )
    return tuple(row.value for row in rows)


def _refuse_duplicates(keys: list[str], where: str, name: str) -> None:
    seen: set[str] = set()
    for index, key in enumerate(keys):
        if key in seen:
            raise SnapshotError(f"{where}[{index}].{name}: {_shown(key)} appears twice")
        seen.add(key)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class _Fields:
    """A JSON object together with the place it stands at, for errors that name the field."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise SnapshotError(f"{where}: expected a JSON object, found {_shown(value)}")
        self.value: dict[str, Any] = value
        self.where = where

    def fail(self, name: str, expected: str, found: Any) -> NoReturn:
        raise SnapshotError(f"{self.where}.{name}: expected {expected}, found {_shown(found)}")

    def _required(self, name: str, expected: str) -> Any:
        if name not in self.value:
            raise SnapshotError(f"{self.where}.{name}: missing; expected {expected}")
        return self.value[name]

    def fields(self, name: str) -> _Fields:
        return _Fields(self._required(name, "a JSON object"), f"{self.where}.{name}")

    def list_of_fields(self, name: str, *, required: bool) -> list[_Fields]:
        items = self._required(name, "a list") if required else self.value.get(name, [])
        if not isinstance(items, list):
            self.fail(name, "a list", items)
        return [_Fields(item, f"{self.where}.{name}[{index}]") for index, item in enumerate(items)]

    def text(self, name: str, *, default: str | None = None, filled: bool = False) -> str:
        value = self._required(name, "a text") if default is None else self.value.get(name, default)
        if not isinstance(value, str) or (filled and not value):
            self.fail(name, "a text that is not empty" if filled else "a text", value)
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self.value.get(name) is None else self.text(name)

    def uuid(self, name: str) -> str:
        value = self.text(name)
        try:
            uuid.UUID(value)
        except ValueError:
            self.fail(name, "a UUID", value)
        return value

    def optional_whole(self, name: str, *, minimum: int = 1) -> int | None:
        value = self.value.get(name)
        if value is not None and (type(value) is not int or value < minimum):
            self.fail(name, f"a whole number of at least {minimum}, or null", value)
        return value

    def optional_real(self, name: str) -> float | None:
        value = self.value.get(name)
        # NaN fails both comparisons, and a whole number too large for a double has no business here either.
        if value is not None and (type(value) not in (int, float) or not 0 <= value < math.inf or value > 1e300):
            self.fail(name, "a number of at least 0, or null", value)
        return value
