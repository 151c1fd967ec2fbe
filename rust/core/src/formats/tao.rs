//! TAO results: COCO results whose entries name a track and a video. Images, and which frames of which videos they are, stand in
//! the ground truth, so that such a list is COCO's until that is given.
//!
//! Source: TAO's toolkit, `results.py`; trackeval 1.3.0, `datasets/tao.py`.

use super::coco::{self, CocoTables};
use super::json_names::JSON_SUFFIXES;
use super::{Files, Format, Head, Opened, Opening, Sure};
use crate::error::Result;
use crate::source::Frames;

/// TAO results.
pub static FORMAT: Format = Format {
    name: "tao",
    about: "TAO results: COCO results with tracks, of frames that --annotations lists",
    files: Files::Each(JSON_SUFFIXES),
    options: coco::OPTIONS,
    frames: Frames::FROM_0,
    detect: |head| if may_be(head) { head.is_json("coco") } else { Sure::No },
    open,
};

/// Whether a text, if it is COCO's, is a list of entries that name a track and a video.
pub(super) fn may_be(head: &Head) -> bool {
    head.without_mark().trim_ascii_start().starts_with(b"[") && head.has_name("track_id") && head.has_name("video_id")
}

fn open(opening: Opening<'_>) -> Result<Opened> {
    if opening.source.file().is_none() {
        return Err(opening.wrong_source("a file"));
    }
    let tables = coco::annotations(&opening)?;
    if tables.is_some_and(|tables| CocoTables::lists_frames(&tables)) {
        coco::open(opening)
    } else {
        Ok(Opened::This(coco::FORMAT.name))
    }
}
