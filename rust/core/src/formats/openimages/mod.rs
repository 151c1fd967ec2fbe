//! Open Images CSV: a record is a box on an image, or names the PNG of a mask.
//!
//! The names of the header decide, their order varies: `ImageID`, `LabelName`, and `XMin`, `XMax`, `YMin`, `YMax` or `MaskPath`;
//! `Confidence` or `Score`. What else there is, such as `IsGroupOf` or the box of a mask, is ignored.
//!
//! Source: the files of boxes and masks of Open Images V6, and the submissions of its challenge.

mod boxes;
mod masks;

use self::boxes::Boxes;
use self::masks::Masks;
use super::records::{has_header, RecordReader};
use super::{Files, Format, Head, Opened, Opening, ReadOption, Sure};
use crate::error::Result;
use crate::source::Frames;

/// Open Images CSV.
pub static FORMAT: Format = Format {
    name: "openimages",
    about: "Open Images CSV: a record is a box or a mask on an image",
    files: Files::Each(&[".csv", ".csv.gz", ".csv.zst"]),
    options: &[ReadOption::PngDir],
    frames: Frames::FROM_0,
    detect: |head| {
        if has_header(head, &boxes::NEEDED) || has_header(head, &masks::NEEDED) {
            Sure::Yes
        } else {
            Sure::No
        }
    },
    open,
};

fn open(opening: Opening<'_>) -> Result<Opened> {
    let of_masks = match opening.source.file() {
        Some(file) => has_header(&Head::of(file)?, &masks::NEEDED[..1]),
        None => false,
    };
    Ok(if of_masks {
        Opened::reader(RecordReader::open(Masks::new(&opening)?, &opening)?)
    } else {
        Opened::reader(RecordReader::open(Boxes::new(), &opening)?)
    })
}
