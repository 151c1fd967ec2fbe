//! BDD100K's bitmasks: PNGs whose colours are class, attributes and instance.
//!
//! `<video>/<video>-<frame>.png`, or `<image>.png`: R is the class, the bits of G are attributes (1 ignored, 2 crowd, 4
//! occluded, 8 truncated), B * 256 + A is the instance, which is one track of the video; 0 is none.
//!
//! Source: bdd100k 1.0.1, common/bitmask.py.

use super::pictures::{Masks, PictureFormat, PicturePath, PictureReader, Place};
use super::{Files, Format, Opened, Sure};
use crate::reject::Reason;
use crate::rle::{Rle, RowMajor};
use crate::source::{Frames, Pixels};

/// Attributes of what nobody labelled one by one.
const IGNORED: u8 = 1;
const CROWD: u8 = 2;

/// BDD100K's bitmasks.
pub static FORMAT: Format = Format {
    name: "bdd-bitmask",
    about: "BDD100K bitmasks: RGBA PNGs, a folder for each video or a file for each image",
    files: Files::Folder {
        members: &[".png"],
        beside: &[],
    },
    options: &[],
    frames: Frames::FROM_0,
    // Any picture with alpha looks the same.
    detect: |_| Sure::No,
    open: |opening| Ok(Opened::reader(PictureReader::open(BddBitmask, &opening)?)),
};

#[derive(Debug, Clone)]
struct BddBitmask;

/// Class, attributes and instance of a pixel.
fn parts(value: u32) -> (u8, u8, u16) {
    let [class, attributes, high, low] = value.to_le_bytes();
    (class, attributes, u16::from_be_bytes([high, low]))
}

impl PictureFormat for BddBitmask {
    const PIXELS: Pixels = Pixels::Rgba;
    const INSTEAD: &'static str = "B * 256 + A is the instance: keep the alpha channel as it is";

    fn place(&self, path: &PicturePath) -> Place {
        let (name, folder) = (path.stem(), path.folder(0));
        let frame = name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('-'));
        let is_frame = |frame: &str| !frame.is_empty() && frame.bytes().all(|byte| byte.is_ascii_digit());
        let is_of_video = !folder.is_empty() && frame.is_some_and(is_frame);
        Place {
            media: if is_of_video { folder } else { name }.to_owned(),
            frame: path.frame().filter(|_| is_of_video),
            object: None,
        }
    }

    fn mask_of(&self, _: &Place, value: u32) -> Option<u32> {
        (parts(value).2 != 0).then_some(value)
    }

    fn masks(&self, masks: &mut dyn Iterator<Item = (u32, Rle<RowMajor>)>, rows: &mut Masks<'_>) {
        let instance = |value| parts(value).2;
        let mut masks: Vec<_> = masks.collect();
        masks.sort_by_key(|(value, _)| instance(*value));
        for same in masks.chunk_by(|(one, _), (other, _)| instance(*one) == instance(*other)) {
            let (class, attributes, instance) = parts(same[0].0);
            let track = rows.place.frame.map(|_| instance.to_string());
            if same.len() > 1 {
                let reason = Reason::BadField {
                    field: "class",
                    expected: "one class with one set of attributes for an instance",
                    found: format!("{} of them for instance {instance}", same.len()),
                };
                rows.reject(reason, track.as_deref());
            } else if attributes & IGNORED != 0 {
                rows.leave_out("ignored");
            } else if attributes & CROWD != 0 {
                rows.leave_out("crowd");
            } else {
                rows.push(&class.to_string(), track.as_deref(), &same[0].1);
            }
        }
    }
}
