"""COCO documents for the small test project: a video with tracks, an image and an image group, none of them square."""

from __future__ import annotations

from typing import Any

CAR, ROAD, TREE = 1, 2, 3
VIDEO_WH, STILL_WH, GROUP_WH = (64, 36), (30, 50), (40, 24)
FIRST_FRAME_ID, STILL_ID, GROUP_ID = 1, 50, 60


def document(annotations: list[dict[str, Any]], **sections: Any) -> dict[str, Any]:
    """Make a dataset file with all of the project's media and the given annotations."""
    frames = [
        {
            "id": FIRST_FRAME_ID + frame,
            "file_name": f"drive/{frame:06d}.jpg",
            "video_id": 1,
            "frame_index": frame,
            "width": VIDEO_WH[0],
            "height": VIDEO_WH[1],
        }
        for frame in range(13)  # One more than the video has.
    ]
    others = [
        {"id": STILL_ID, "file_name": "still.jpg", "width": STILL_WH[0], "height": STILL_WH[1]},
        {"id": GROUP_ID, "file_name": "walk-0.png", "width": GROUP_WH[0], "height": GROUP_WH[1]},
    ]
    return {
        "images": frames + others,
        "videos": [{"id": 1, "name": "drive.mp4"}],
        "categories": [
            {"id": CAR, "name": "Car"},
            {"id": ROAD, "name": "Road"},
            {"id": TREE, "name": "Tree"},
            {"id": 9, "name": "Zebra"},
        ],
        "annotations": annotations,
    } | sections


def box(annotation_id: int, image_id: int, xywh: list[float], **fields: Any) -> dict[str, Any]:
    """Make a box annotation (px) of a car."""
    return {"id": annotation_id, "image_id": image_id, "category_id": CAR, "bbox": xywh, "score": 0.5} | fields


def tracked_video() -> list[dict[str, Any]]:
    """Make two tracks on frames 2 to 4 of the video, and a box on the image and in the group."""
    tracks = [
        box(10 * track + frame, FIRST_FRAME_ID + frame, [frame + track, 3, 8, 4.5], track_id=track)
        for track in (1, 2)
        for frame in (2, 3, 4)
    ]
    return [*tracks, box(31, STILL_ID, [3, 5, 6, 25]), box(32, GROUP_ID, [4, 6, 10, 3])]
