"""Builds small project snapshots for tests: media of sizes that are not square, an object of every common shape."""

from __future__ import annotations

import uuid
from typing import Any

from encord.objects import OntologyStructure, Shape
from encord.objects.attributes import RadioAttribute
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate

from ropewalk.project.snapshot import Medium, MediumImage, Snapshot
from ropewalk.project.spaces import Space

DATASET_HASH = str(uuid.UUID(int=0xDA7A))


def hash_of(name: str) -> str:
    """Make a UUID that is the same for one name in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"ropewalk-tests/{name}"))


def make_ontology() -> OntologyStructure:
    """Make an ontology: Car (box), Road (polygon), Tree (bitmask), other shapes, and a radio classification."""
    structure = OntologyStructure()
    for name, shape, feature_hash in (
        ("Car", Shape.BOUNDING_BOX, "obj-car1"),
        ("Road", Shape.POLYGON, "obj-road"),
        ("Tree", Shape.BITMASK, "obj-tree"),
        ("Ship", Shape.ROTATABLE_BOUNDING_BOX, "obj-ship"),
        ("Lane", Shape.POLYLINE, "obj-lane"),
        ("Light", Shape.POINT, "obj-lght"),
        ("Wheel", Shape.CIRCLE, "obj-whee"),
        ("Pond", Shape.ELLIPSE, "obj-pond"),
    ):
        structure.add_object(name, shape, feature_node_hash=feature_hash)
    weather = structure.add_classification(feature_node_hash="cls-wthr")
    attribute = weather.add_attribute(RadioAttribute, "Weather", feature_node_hash="att-wthr")
    attribute.add_option("Sunny", feature_node_hash="opt-sun1")
    attribute.add_option("Night", feature_node_hash="opt-nght")
    return structure


def make_video(title: str = "drive.mp4", *, width: int = 64, height: int = 36, number_of_frames: int = 12) -> Medium:
    """Make a video at 24 frames per second."""
    return Medium(
        data_hash=hash_of(title),
        title=title,
        data_type="VIDEO",
        dataset_hash=DATASET_HASH,
        dataset_title="Test data",
        file_type="video/mp4",
        width=width,
        height=height,
        number_of_frames=number_of_frames,
        frames_per_second=24.0,
        duration=number_of_frames / 24.0,
    )


def make_image(title: str = "still.jpg", *, width: int | None = 30, height: int | None = 50) -> Medium:
    """Make a single image; its size may be unknown."""
    return Medium(
        data_hash=hash_of(title),
        title=title,
        data_type="IMAGE",
        dataset_hash=DATASET_HASH,
        dataset_title="Test data",
        file_type="image/jpeg",
        width=width,
        height=height,
    )


def make_sound(title: str = "speech.mp3", *, duration: float | None = 5.0) -> Medium:
    """Make a sound of so many seconds, which may be unknown."""
    return Medium(
        data_hash=hash_of(title),
        title=title,
        data_type="AUDIO",
        dataset_hash=DATASET_HASH,
        dataset_title="Test data",
        file_type="audio/mpeg",
        duration=duration,
        audio_codec="mp3",
        audio_sample_rate=8000,
        audio_bit_depth=16,
        audio_num_channels=1,
    )


def make_image_group(
    title: str = "walk", sizes_wh: tuple[tuple[int, int], ...] = ((40, 24), (24, 40), (33, 21))
) -> Medium:
    """Make an image group with one image for each size (width, height)."""
    return Medium(
        data_hash=hash_of(title),
        title=title,
        data_type="IMG_GROUP",
        dataset_hash=DATASET_HASH,
        dataset_title="Test data",
        number_of_frames=len(sizes_wh),
        images=tuple(
            MediumImage(
                image_hash=hash_of(f"{title}/{index}"),
                title=f"{title}-{index}.png",
                file_type="image/png",
                width=width,
                height=height,
            )
            for index, (width, height) in enumerate(sizes_wh)
        ),
    )


def make_data_group(title: str = "scene-12", spaces: tuple[Space, ...] | None = None) -> Medium:
    """Make a data group of two cameras, a still, sound, text and a PDF, or of the spaces given."""

    def space(name: str, space_type: str, layout_key: str, **more: Any) -> Space:
        return Space(hash_of(f"{title}/{name}"), name, space_type, layout_key, **more)

    def camera(name: str, layout_key: str, width: int, height: int, number_of_frames: int) -> Space:
        return space(
            name,
            "video",
            layout_key,
            width=width,
            height=height,
            number_of_frames=number_of_frames,
            frames_per_second=25.0,
            duration=number_of_frames / 25.0,
        )

    return Medium(
        data_hash=hash_of(title),
        title=title,
        data_type="GROUP",
        dataset_hash=DATASET_HASH,
        dataset_title="Test data",
        spaces=spaces
        or (
            camera("left.mp4", "cam-left", 64, 36, 9),
            camera("right.mp4", "cam-right", 40, 54, 7),
            space("still.png", "image", "still", width=30, height=50),
            space("talk.mp3", "audio", "microphone", duration=12.345),
            space("notes.txt", "text", "notes"),
            space("report.pdf", "pdf", "report", number_of_frames=4),
        ),
    )


def make_snapshot(
    media: tuple[Medium, ...] | None = None,
    structure: dict[str, Any] | None = None,
    label_rows: tuple[dict[str, Any], ...] = (),
) -> Snapshot:
    """Make a project of a video, an image and an image group, or of the media given.

    Args:
        media: The project's media.
        structure: The ontology's structure as the SDK writes it.
        label_rows: Saved label rows.
    """
    return Snapshot(
        project_hash=hash_of("project"),
        project_title="Test project",
        project_description="Made for tests",
        ontology_hash=hash_of("ontology"),
        ontology_title="Test ontology",
        ontology_structure=make_ontology().to_dict() if structure is None else structure,
        media=(make_video(), make_image(), make_image_group()) if media is None else media,
        label_rows=label_rows,
    )


def make_format_project() -> Snapshot:
    """Make the project that the examples in tests/formats are imported into: `make_snapshot` with a skeleton."""
    structure = make_ontology()
    points = {
        str(number): SkeletonTemplateCoordinate(x=0.25 * number, y=0.125, name=name, color="#d33115", value=name)
        for number, name in enumerate(("nose", "hand", "foot"))
    }
    template = SkeletonTemplate(name="Walker", width=100, height=50, skeleton=points, skeleton_edges={})
    structure.add_skeleton_object("Walker", template, feature_node_hash="obj-walk")
    return make_snapshot(structure=structure.to_dict())
