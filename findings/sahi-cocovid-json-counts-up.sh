#!/usr/bin/env bash
# sahi's CocoVid.json is a property that changes what it shows: each reading adds to the instance_id of all annotations, so
# that a file written after the document was looked at once has other track ids: with two tracks in the first video and one in
# the second, ids 0, 1 and 0 become 1, 2 and 3 in the first reading, and 2, 3 and 6 in the second.
#
# Runs pinned public packages in a temporary folder, on two videos of one frame; fails if what they do has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sahi==0.12.8
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

from sahi.utils.coco import CocoCategory, CocoVid, CocoVidAnnotation, CocoVideo, CocoVidImage

print("sahi", version("sahi"))
document = CocoVid()
document.add_category(CocoCategory(id=1, name="car"))
for name, tracks in (("dock", 2), ("gate", 1)):
    image = CocoVidImage(file_name="000000.jpg", width=64, height=36)
    for track in range(tracks):
        image.add_annotation(CocoVidAnnotation(1, "car", [2, 3 + 9 * track, 8, 5], instance_id=track))
    video = CocoVideo(name=name, width=64, height=36)
    video.add_cocovidimage(image)
    document.add_video(video)

for expected in ([1, 2, 3], [2, 3, 6], [3, 4, 9]):
    found = [annotation["instance_id"] for annotation in document.json["annotations"]]
    print("instance ids:", found)
    assert found == expected, "CocoVid.json counts otherwise now"
print("as described")
PYTHON
