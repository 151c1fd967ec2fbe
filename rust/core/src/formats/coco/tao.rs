//! TAO results: COCO results whose entries name a track and a video. Images, and which frames of which videos they are, stand in
//! the ground truth, so that such a list is COCO's until that is given.
//!
//! Source: TAO's toolkit, `results.py`; trackeval 1.3.0, `datasets/tao.py`.

use super::{annotations, names_tracks, CocoTables};
use crate::error::Result;
use crate::formats::json_names::JSON_SUFFIXES;
use crate::formats::{Files, Format, Opened, Opening, Sure};
use crate::source::Frames;

/// TAO results.
pub static FORMAT: Format = Format {
    name: "tao",
    about: "TAO results: COCO results with tracks, of frames that --annotations lists",
    files: Files::Each(JSON_SUFFIXES),
    options: super::OPTIONS,
    frames: Frames::FROM_0,
    detect: |head| {
        if names_tracks(head) {
            head.is_json("coco")
        } else {
            Sure::No
        }
    },
    open,
};

fn open(opening: Opening<'_>) -> Result<Opened> {
    if opening.source.file().is_none() {
        return Err(opening.wrong_source("a file"));
    }
    let tables = annotations(&opening)?;
    if tables.is_some_and(|tables| CocoTables::lists_frames(&tables)) {
        super::open(opening)
    } else {
        Ok(Opened::This(super::FORMAT.name))
    }
}
