"""What warnings of the summary mean: a sentence for those that an option changes, or that may hide a mistake."""

from __future__ import annotations

WARNINGS = {
    "crowd_left_out": "annotations with iscrowd and no score are left out; --include-crowd keeps them",
    "geometry_ignored": "a box, segmentation or keypoints that cannot be used, on a class that does not need them",
    "no_angle": "rotatable boxes from a source without angles have angle 0",
    "not_a_rectangle": "polygons of four corners that are not a rectangle became the box around them, with angle 0",
    "odd_entry": "images, categories or videos that cannot be used; no annotation needs them",
    "ring_dropped": "polygons without their rings of fewer than three points or of invalid coordinates",
    "small_angles": "all angles lie between -3.15 and 3.15 and are read as degrees; for radians use --angle radians",
}
