//! MOTS: masks of tracked objects, as text or as pictures.
//!
//! Text: `frame id class h w rle`, a file is a sequence; COCO's run-length strings. Pictures: a folder of PNGs of 16 bits for
//! each sequence, in which the value of a pixel is class * 1000 + number of the object.
//!
//! Source: trackeval 1.3.0, the format's page and its loaders of KITTI MOTS and MOTSChallenge.

use super::lines::{stem, LineFormat, LineReader, Rows};
use super::pictures::{Masks, PictureFormat, PicturePath, PictureReader, Place};
use super::{Files, Format, Head, Opened, Opening, Sure};
use crate::batch::{Annotation, RleOrder, Shape};
use crate::error::{Error, Result};
use crate::reject::Reason;
use crate::rle::{Rle, RowMajor};
use crate::source::{Columns, Frames, Member, Pixels, Source};

const COLUMNS: usize = 6;

/// Values of a class: its objects are numbered from its number times this.
const CLASS_STEP: u32 = 1000;

/// Class and object of regions in which nothing was labelled.
const IGNORED_CLASS: i64 = 10;
const IGNORED_OBJECT: i64 = 10_000;

/// How regions to ignore are counted.
const IGNORED: &str = "ignore_region";

const PICTURE: &str = ".png";

/// MOTS.
pub static FORMAT: Format = Format {
    name: "mots",
    about: "MOTS: masks of tracked objects, as text or as PNGs of 16 bits",
    files: Files::Folder {
        members: &[".txt", ".txt.gz", ".txt.zst", PICTURE],
        beside: &[],
    },
    options: &[],
    frames: Frames::FROM_0,
    detect,
    open,
};

/// Five whole numbers and a word between blanks.
fn detect(head: &Head) -> Sure {
    head.most_lines(|line| {
        let columns = Columns::split(line);
        let has_columns = !line.contains(',') && columns.len() == COLUMNS;
        has_columns && (0..5).all(|at| columns.whole(at, "").is_ok()) && columns.number(5, "").is_err()
    })
}

fn open(opening: Opening<'_>) -> Result<Opened> {
    let is_picture = |name: &str| name.to_lowercase().ends_with(PICTURE);
    let (pictures, others) = match &opening.source {
        Source::Folder(folder) => {
            let pictures = folder.files().iter().map(Member::name).filter(|name| is_picture(name));
            let pictures = pictures.count();
            (pictures, folder.files().len() - pictures)
        }
        source => {
            let is_picture = source.file_name().is_some_and(|name| is_picture(&name));
            (usize::from(is_picture), usize::from(!is_picture))
        }
    };
    match (pictures, others) {
        (0, _) => Ok(Opened::reader(LineReader::open(Mots, &opening)?)),
        (_, 0) => Ok(Opened::reader(PictureReader::open(Mots, &opening)?)),
        // They may be the same masks.
        _ => Err(Error::Plan(format!(
            "{}: it holds {pictures} PNG and {others} text files; give the folder of one kind",
            opening.label
        ))),
    }
}

#[derive(Debug, Clone)]
struct Mots;

impl LineFormat for Mots {
    /// Name of the medium.
    type File = String;

    fn file(&self, name: &str) -> String {
        stem(name).to_owned()
    }

    fn line(&self, media: &mut String, line: &str, rows: &mut Rows<'_>) -> std::result::Result<(), Reason> {
        let columns = Columns::split(line);
        if columns.len() != COLUMNS {
            let message = format!(
                "it has {} columns; expected 6 (frame, id, class, h, w, rle)",
                columns.len()
            );
            return Err(Reason::BadLine { message });
        }
        let natural = |at, name, expected| {
            let number = columns.whole(at, name)?;
            u32::try_from(number).map_err(|_| columns.unlike(at, name, expected))
        };
        let frame = natural(0, "frame", "a number of a frame")?;
        let id = columns.whole(1, "id")?;
        let class = columns.whole(2, "class")?;
        if class == IGNORED_CLASS || id == IGNORED_OBJECT {
            rows.leave_out(IGNORED);
            return Ok(());
        }
        let (id, class) = (id.to_string(), class.to_string());
        let row = Annotation {
            track: Some(&id),
            shape: Some(Shape::Bitmask),
            height_px: Some(natural(3, "h", "a number of pixels")?),
            width_px: Some(natural(4, "w", "a number of pixels")?),
            rle: Some(columns.word(5).as_bytes()),
            rle_order: Some(RleOrder::ColumnMajor),
            ..Annotation::object("", 0, media, 0, &class)
        };
        rows.push(&row, Some(frame));
        Ok(())
    }
}

impl PictureFormat for Mots {
    const PIXELS: Pixels = Pixels::Index;
    const INSTEAD: &'static str = "write class * 1000 + number of the object as grey of 16 bits";

    fn place(&self, path: &PicturePath) -> Place {
        Place {
            media: path.folder(0).to_owned(),
            frame: path.frame(),
            object: None,
        }
    }

    fn masks(&self, masks: &mut dyn Iterator<Item = (u32, Rle<RowMajor>)>, rows: &mut Masks<'_>) {
        for (value, mask) in masks {
            let class = value / CLASS_STEP;
            if i64::from(class) == IGNORED_CLASS {
                rows.leave_out(IGNORED);
            } else {
                rows.push(&class.to_string(), Some(&value.to_string()), &mask);
            }
        }
    }
}
