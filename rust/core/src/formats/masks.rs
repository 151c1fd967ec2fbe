//! Folders of class masks: a PNG for each image or frame, in which the value of a pixel is its class.
//!
//! One channel of up to 16 bits, the index of a palette and not its colour; 0 is the background. Files are called
//! `<title>__<frame>.png`, those of images `<title>.png`. A class is one mask a picture.
//!
//! Source: Encord Active 0.1.84.

use std::collections::HashMap;
use std::sync::Arc;

use super::active_names::{mapping, title_and_frame, MAPPING};
use super::pictures::{Masks, PictureFormat, PicturePath, PictureReader, Place};
use super::{Files, Format, KnownNames, Opened, Opening, ReadOption, Sure};
use crate::error::{Error, Result};
use crate::rle::{Rle, RowMajor};
use crate::source::{ClassNames, Classes, Frames, Pixels};

/// Folders of class masks.
pub static FORMAT: Format = Format {
    name: "masks",
    about: "Class masks: a PNG for each image or frame, the value of a pixel is its class",
    files: Files::Folder {
        members: &[".png"],
        beside: &[MAPPING],
    },
    options: &[ReadOption::Classes],
    frames: Frames::FROM_0,
    // Pictures of objects look the same.
    detect: |_| Sure::No,
    open: |opening| {
        Ok(Opened::reader(PictureReader::open(
            ClassMasks::new(&opening)?,
            &opening,
        )?))
    },
};

/// What the pictures do not say.
#[derive(Debug, Clone)]
struct ClassMasks {
    /// Value to feature hash.
    hashes: Arc<HashMap<String, String>>,
    /// Value to name.
    names: Option<Arc<ClassNames>>,
    known: Option<Arc<KnownNames>>,
}

impl ClassMasks {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        let known = opening.project.map(|project| project.known_names());
        let hashes = mapping(opening)?;
        let names = opening.options.classes.as_ref().map(Classes::names).transpose()?;
        let is_mapped = known.as_ref().is_none_or(|known| known.has_class_map);
        if hashes.is_none() && names.is_none() && !is_mapped {
            return Err(Error::Plan(format!(
                "{}: pictures have numbers for classes, and there is no {MAPPING} in the folder; give --class-map or --classes",
                opening.label
            )));
        }
        Ok(Self {
            hashes: Arc::new(hashes.unwrap_or_default()),
            names: names.map(Arc::new),
            known,
        })
    }
}

impl PictureFormat for ClassMasks {
    const PIXELS: Pixels = Pixels::Index;
    const INSTEAD: &'static str =
        "colours do not say which class it is: for COCO panoptic pictures give the JSON file beside \
                                   them, for BDD100K's --format bdd-bitmask";

    fn place(&self, path: &PicturePath) -> Place {
        let (title, frame) = title_and_frame(path.stem(), self.known.as_deref());
        Place {
            media: title.to_owned(),
            frame,
            object: None,
        }
    }

    fn masks(&self, masks: &mut dyn Iterator<Item = (u32, Rle<RowMajor>)>, rows: &mut Masks<'_>) {
        for (value, mask) in masks {
            let number = value.to_string();
            let named = self.names.as_ref().and_then(|names| names.get(value.into()));
            let class = self.hashes.get(&number).map(String::as_str).or(named);
            rows.push(class.unwrap_or(&number), None, &mask);
        }
    }
}
