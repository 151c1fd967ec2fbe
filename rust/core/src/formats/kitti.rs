//! KITTI detection: a text file an image or frame, in which a line is a box.
//!
//! `type truncated occluded alpha left top right bottom h w l x y z ry [score]`, 15 columns, 16 with the score; what is
//! behind is ignored. px, 0-based, width = right - left. Files are called `<title>__<frame>.txt`, those of images `<title>.txt`.
//!
//! Source: KITTI's development kit; Encord Active 0.1.84 for the names of files and `ontology_mapping.json`.

use std::collections::HashMap;
use std::sync::Arc;

use super::active_names::{mapping, title_and_frame, MAPPING};
use super::lines::{box_of_edges, stem, LineFormat, LineReader, Rows};
use super::{Files, Format, Head, KnownNames, Opened, Opening, Sure};
use crate::batch::{Annotation, Shape};
use crate::error::Result;
use crate::reject::Reason;
use crate::source::{Columns, Frames};

/// Columns without a score. It is the next one.
const COLUMNS: usize = 15;

/// What KITTI calls regions in which nothing was labelled.
const REGION_TO_IGNORE: &str = "DontCare";

/// KITTI detection.
pub static FORMAT: Format = Format {
    name: "kitti",
    about: "KITTI detection: a folder with a text file for each image or frame",
    files: Files::Folder {
        members: &[".txt", ".txt.gz", ".txt.zst", ".csv", ".csv.gz", ".csv.zst"],
        beside: &[MAPPING],
    },
    options: &[],
    frames: Frames::FROM_0,
    detect,
    open: |opening| Ok(Opened::reader(LineReader::open(Kitti::new(&opening)?, &opening)?)),
};

/// Fifteen or sixteen columns, the first a word, the fourth to the eighth numbers.
fn detect(head: &Head) -> Sure {
    head.most_lines(|line| {
        let columns = Columns::split(line);
        let count = columns.len();
        (COLUMNS..=COLUMNS + 1).contains(&count)
            && columns.number(0, "type").is_err()
            && (3..8).all(|at| columns.number(at, "").is_ok())
    })
}

/// What the lines of a folder do not say.
#[derive(Debug, Clone)]
struct Kitti {
    /// Type to feature hash; empty where there is no mapping, or a class map in its place.
    classes: Arc<HashMap<String, String>>,
    known: Option<Arc<KnownNames>>,
}

impl Kitti {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        Ok(Self {
            classes: Arc::new(mapping(opening)?.unwrap_or_default()),
            known: opening.project.map(|project| project.known_names()),
        })
    }
}

/// The image or frame that a file is about.
struct Place {
    media: String,
    frame: Option<u32>,
}

impl LineFormat for Kitti {
    type File = Place;

    fn file(&self, name: &str) -> Place {
        let (title, frame) = title_and_frame(stem(name), self.known.as_deref());
        Place {
            media: title.to_owned(),
            frame,
        }
    }

    fn line(&self, place: &mut Place, line: &str, rows: &mut Rows<'_>) -> std::result::Result<(), Reason> {
        let columns = Columns::split(line);
        if columns.len() < COLUMNS {
            let message = format!("it has {} columns; expected 15 or 16 (type, truncated, occluded, alpha, left, top, right, bottom, ...)", columns.len());
            return Err(Reason::BadLine { message });
        }
        let name = columns.word(0);
        if name == REGION_TO_IGNORE {
            rows.leave_out("dont_care");
            return Ok(());
        }
        let bbox = box_of_edges(&columns, 4)?;
        let score = (columns.len() > COLUMNS)
            .then(|| columns.number(COLUMNS, "score"))
            .transpose()?;
        let row = Annotation {
            score,
            shape: Some(Shape::BoundingBox),
            bbox: Some(bbox),
            ..Annotation::object(
                "",
                0,
                &place.media,
                0,
                self.classes.get(name).map_or(name, String::as_str),
            )
        };
        rows.push(&row, place.frame);
        Ok(())
    }
}
