//! COCO panoptic: a JSON file with the segments of each image, and a PNG for each whose colours are the ids of the segments.
//!
//! id = R + 256 G + 65536 B; 0 is void. In VIPSeg's files, which list images by videos, an id is one track of its video.
//!
//! Source: panopticapi's utils and converters; VIPSeg's eval_vpq_vspw.py.

mod entries;
mod pngs;
mod reader;
mod sections;

use memchr::memmem;

use crate::error::Result;
use crate::formats::json_names::JSON_SUFFIXES;
use crate::formats::{Files, Format, Opened, ReadOption, Sure};
use crate::source::{Frames, Source, SourceFile};
use pngs::Pngs;
use reader::PanopticReader;
use sections::{Annotations, CHUNK_BYTES};

/// The key by which a file is known.
const SEGMENTS: &str = "segments_info";

/// COCO panoptic.
pub static FORMAT: Format = Format {
    name: "panoptic",
    about: "COCO panoptic and VIPSeg: a JSON file beside a folder of PNGs",
    files: Files::Each(JSON_SUFFIXES),
    options: &[ReadOption::Annotations, ReadOption::IncludeCrowd, ReadOption::PngDir],
    frames: Frames::FROM_0,
    detect: |head| {
        let is_object = head.without_mark().trim_ascii_start().starts_with(b"{");
        if is_object && head.has_name(SEGMENTS) {
            Sure::Yes
        } else {
            Sure::No
        }
    },
    open: |opening| {
        let Source::File(file) = &opening.source else {
            return Err(opening.wrong_source("a file"));
        };
        let pngs = Pngs::of(file, &opening)?;
        Ok(Opened::reader(PanopticReader::open(file, pngs, &opening)?))
    },
};

/// Whether the first annotation of a file has segments: that may be behind a long list of images.
///
/// # Errors
/// [`crate::error::Error::Source`] where the text before it is not JSON.
pub(super) fn has_segments(file: &SourceFile) -> Result<bool> {
    let Some(mut annotations) = Annotations::of(file, CHUNK_BYTES)? else {
        return Ok(false);
    };
    let first = annotations.next_entry()?;
    Ok(first.is_some_and(|(_, text)| memmem::find(text, SEGMENTS.as_bytes()).is_some()))
}
