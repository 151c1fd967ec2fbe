//! DAVIS, YouTube-VOS and SAM 2: a folder of PNGs for each video, in which the value of a pixel is its object.
//!
//! `<video>/<frame>.png`: one channel, the value (of a palette its index) is the object, which is one track of the video; 0 is
//! the background, 254 and 255 are void. `<video>/<object>/<frame>.png`: the object is where the value is not 0.
//!
//! Source: trackeval 1.3.0 for DAVIS; sam2's tools/vos_inference.py for a folder an object.

use std::sync::Arc;

use super::pictures::{Masks, PictureFormat, PicturePath, PictureReader, Place};
use super::{Files, Format, KnownNames, Opened, Opening, ReadOption, Sure};
use crate::error::{Error, Result};
use crate::rle::{Rle, RowMajor};
use crate::source::{Frames, Pixels};

/// Values of pixels that nobody labelled: DAVIS's and YouTube-VOS's.
const VOID: [u32; 2] = [254, 255];

/// DAVIS.
pub static FORMAT: Format = Format {
    name: "davis",
    about: "DAVIS, YouTube-VOS, SAM 2: a folder of PNGs for each video, the value of a pixel is its object",
    files: Files::Folder {
        members: &[".png"],
        beside: &[],
    },
    options: &[ReadOption::Class],
    frames: Frames::FROM_0,
    // A folder of masks of classes looks the same.
    detect: |_| Sure::No,
    open: |opening| Ok(Opened::reader(PictureReader::open(Davis::new(&opening)?, &opening)?)),
};

/// What the pictures do not say.
#[derive(Debug, Clone)]
struct Davis {
    class: Option<String>,
    known: Option<Arc<KnownNames>>,
}

impl Davis {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        let davis = Self {
            class: opening.options.class.clone(),
            known: opening.project.map(|project| project.known_names()),
        };
        let is_mapped = davis.known.as_ref().is_none_or(|known| known.has_class_map);
        if davis.class.is_none() && !is_mapped {
            return Err(Error::Plan(format!(
                "{}: pictures of objects do not say what they show; give --class NAME, or --class-map with the numbers of the \
                 objects",
                opening.label
            )));
        }
        Ok(davis)
    }

    /// Whether a picture is in a folder of one object: a folder of digits in the one of its video.
    fn is_of_one_object(&self, path: &PicturePath) -> bool {
        let (folder, above) = (path.folder(0), path.folder(1));
        let is_number = !folder.is_empty() && folder.bytes().all(|byte| byte.is_ascii_digit());
        let is_title = |name| self.known.as_ref().is_some_and(|known| known.has_title(name));
        // Videos may have numbers as names, too.
        is_number && (is_title(above) || !is_title(folder) && path.below > 2)
    }
}

impl PictureFormat for Davis {
    const PIXELS: Pixels = Pixels::Index;
    const INSTEAD: &'static str = "colours do not say which object it is: write palette indices or grey levels";

    fn place(&self, path: &PicturePath) -> Place {
        let is_of_one_object = self.is_of_one_object(path);
        let number = path.folder(0).trim_start_matches('0');
        Place {
            media: path.folder(usize::from(is_of_one_object)).to_owned(),
            frame: path.frame(),
            object: is_of_one_object.then(|| if number.is_empty() { "0" } else { number }.to_owned()),
        }
    }

    fn mask_of(&self, place: &Place, value: u32) -> Option<u32> {
        let mask = if place.object.is_some() { 1 } else { value };
        (value != 0).then_some(mask)
    }

    fn masks(&self, masks: &mut dyn Iterator<Item = (u32, Rle<RowMajor>)>, rows: &mut Masks<'_>) {
        for (value, mask) in masks {
            let object = match &rows.place.object {
                Some(object) => object.clone(),
                None if VOID.contains(&value) => {
                    rows.leave_out("void");
                    continue;
                }
                None => value.to_string(),
            };
            rows.push(self.class.as_deref().unwrap_or(&object), Some(&object), &mask);
        }
    }
}
