"""What a summary or a plan says of the things it counts: what was done, and which option changes it."""

from __future__ import annotations

# Warnings that are counted while rows are sent, too.
SHARED_TRACK = "track_of_several_sources"
NUMBER_TAKEN = "object_number_taken"

WITHOUT_SCORE = "--confidence-field names the field that holds it"

# By the name of a warning, of a reason to filter that nobody asked for, or of a reject of a map.
NOTES = {
    "answer_on_whole_space": "answers on sound, text and time series in a data group are about the whole space",
    "aspect_differs": "the image has another aspect than the medium; coordinates stay fractions of the image",
    "attribute_differs": "an answer about a whole object differs from an earlier one, which is kept",
    "attribute_left_out": "COCO has no place for these answers",
    "box_3d": "3D boxes are left out; Scalabel's 2D boxes, outlines, lines and masks are read",
    "clipped": "cut at the edge of the image or the end of the sound; --off-image keep or reject changes this",
    "confidence_not_written": "Encord stores no confidence of sounds",
    "crowd": "annotations with iscrowd and no score are left out; --include-crowd keeps them",
    "deleted": "labels that the label editor marks as deleted are left out",
    "drawn_as_box": "only the box is written, since the class is a box; --class-map can lead to another shape",
    "duplicate_annotation_id": "ids only locate rejects, so nothing is lost",
    "empty_mask": "masks without a pixel are left out; --empty-masks keep writes them",
    "fractions_as_px": "all coordinates are between 0 and 1 and are read as pixels; for fractions use --unit frac",
    "geometry_ignored": "a box, segmentation, keypoints or angle that cannot be used, on a class that does not need it",
    "global_answer": "answers to global classifications hold for the whole medium; their frames are not written",
    "human_annotation": "what people annotated is left out; only predictions are read",
    "identical": "a track has the same label twice on one frame; one of them is written",
    "interpolated": "frames between keyframes, which the source does not list, are filled",
    "keypoints_missing": "points of the skeleton that the category does not have are marked as not in the picture",
    "keypoints_off_image": "points outside the image are marked as not in the picture; --off-image keep writes them",
    "nested_answer": "Encord stores these answers, its predictions do not support them",
    "no_angle": "rotatable boxes from a source without angles have angle 0",
    "no_metrics": "Encord computes no metrics for points, polylines, skeletons, circles and ellipses",
    "not_a_rectangle": "polygons of four corners that are not a rectangle became the box around them, with angle 0",
    "object_number_taken": "another object of the class on that medium has the track id as its number",
    "odd_entry": "images, categories or videos that cannot be used; no annotation needs them",
    "on_no_frame": "labels of a label row that are on no frame and no range; the SDK does not show them either",
    "over_edge": "turned boxes, round shapes and cuboids are written whole; --off-image reject rejects them",
    "point_attribute": "attributes of single points of skeletons are left out; Encord has none",
    "relation": "relations between regions are left out",
    "repeated_line": "the file has the same line twice, as when a second run of Ultralytics appended to the first",
    "ring_dropped": "polygons without their rings of fewer than three points or of invalid coordinates",
    "round_as_box": "circles and ellipses are written as the boxes around them",
    "sampled_frames": "videos of which only some frames are listed; if media have all frames, use --frame-stride",
    "score_clamped": "scores outside 0 to 1 are written as 0 or 1; without --score clamp only those within 0.000001",
    "small_angles": "all angles lie between -3.15 and 3.15 and are read as degrees; for radians use --angle radians",
    "track_split_by_class": "each class of the track is an object of its own",
    "unanswered": "classifications on frames without an answer in the row; the SDK does not show them either",
    "unmapped_class": 'not listed in --class-map; "*": "match" in it matches them by name, "*": null drops them',
    "unmapped_media": 'not listed in --media-map; "*": "match" in it matches them by name, "*": null drops them',
    "whole_medium": "answers without a frame are written from the first to the last frame of their medium",
    "zero_area": "boxes and shapes without an area are written as they are",
}
