//! Masks of Open Images: a record names the PNG of an object. Pixels that are not 0 are the object.

use std::path::{Component, Path};

use super::boxes::SCORES;
use crate::batch::{Annotation, RleOrder, Shape};
use crate::error::{Error, Result};
use crate::formats::lines::Rows;
use crate::formats::pictures::regions;
use crate::formats::records::{number, unlike, Cell, RecordFormat, Unread};
use crate::formats::Opening;
use crate::reject::Reason;
use crate::source::{Directory, PictureError, Pixels};

/// Columns that are needed, in the order in which records are read.
pub(super) const NEEDED: [&str; 3] = ["MaskPath", "ImageID", "LabelName"];

/// What to do with pictures of colours.
const INSTEAD: &str = "write 0 for the background and anything else for the object";

/// Reads masks.
pub(super) struct Masks {
    names: Vec<String>,
    folder: Directory,
    chunk_bytes: Option<usize>,
}

impl Masks {
    /// Looks for PNGs in the folder that was given, else in that of the file.
    ///
    /// # Errors
    /// [`Error::Plan`] where there is no such folder.
    pub fn new(opening: &Opening<'_>) -> Result<Self> {
        let given = opening.options.png_dir.as_deref().map(Directory::at);
        let beside = || opening.source.file()?.folder();
        let Some(folder) = given.or_else(beside) else {
            return Err(Error::Plan(format!(
                "{}: the masks are PNG files, and content in memory has none beside it; give --png-dir DIR",
                opening.label
            )));
        };
        if opening.options.png_dir.is_some() && !folder.exists() {
            return Err(Error::Plan(format!(
                "{}: there is no folder {}; give another --png-dir",
                opening.label,
                folder.shown()
            )));
        }
        Ok(Self {
            names: NEEDED.into_iter().chain(SCORES).map(str::to_owned).collect(),
            folder,
            chunk_bytes: opening.options.chunk_bytes,
        })
    }
}

impl RecordFormat for Masks {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn needs(&self, name: &str) -> bool {
        NEEDED.contains(&name)
    }

    fn record(&self, cells: &[Cell<'_>], rows: &mut Rows<'_>) -> std::result::Result<(), Unread> {
        let needed = |at: usize| cells[at].as_deref().ok_or(Reason::MissingField { field: NEEDED[at] });
        let (name, image, label) = (needed(0)?, needed(1)?, needed(2)?);
        let score = cells[NEEDED.len()..].iter().find(|cell| cell.is_some());
        let score = score.map(|cell| number(cell, SCORES[0])).transpose()?;
        let path = Path::new(name);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(unlike(name, NEEDED[0], "the name of a PNG in the folder of the masks").into());
        }
        let bad = |message: String| Unread::Reject(Reason::BadPicture { message });
        let Some(file) = self.folder.file(path) else {
            return Err(bad(format!(
                "there is no {name} in the folder of the masks; add it, or give another --png-dir"
            )));
        };
        let mask_of = |value| (value != 0).then_some(1);
        let found = regions(&file, self.chunk_bytes, Pixels::Index, INSTEAD, mask_of).map_err(|cause| match cause {
            PictureError::Content(message) => bad(format!("{name}: {message}")),
            PictureError::File(error) => Unread::Stop(error),
        })?;
        let Some((_, mask)) = found.finish().next() else {
            rows.leave_out("empty_mask");
            return Ok(());
        };
        let mut string = Vec::new();
        mask.to_string_into(&mut string);
        let row = Annotation {
            score,
            shape: Some(Shape::Bitmask),
            width_px: Some(mask.size().w()),
            height_px: Some(mask.size().h()),
            rle: Some(&string),
            rle_order: Some(RleOrder::RowMajor),
            ..Annotation::object("", 0, image, 0, label)
        };
        rows.push(&row, None);
        Ok(())
    }
}
