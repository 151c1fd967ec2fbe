//! KITTI tracking: a line is a box on a frame, a file is a sequence.
//!
//! `frame track type truncated occluded alpha left top right bottom h w l x y z ry [score]`, 17 columns, 18 with the score;
//! what is behind is ignored. px and frames from 0.
//!
//! Source: KITTI's tracking development kit, as trackeval 1.3.0 reads its files.

use super::lines::{box_of_edges, stem, LineFormat, LineReader, Rows};
use super::{Files, Format, Head, Opened, Opening, ReadOption, Sure};
use crate::batch::{Annotation, Shape};
use crate::reject::Reason;
use crate::source::{Columns, Frames};

/// Columns without a score. It is the next one.
const COLUMNS: usize = 17;

/// What KITTI calls regions in which nothing was labelled.
const REGION_TO_IGNORE: &str = "DontCare";

/// KITTI tracking.
pub static FORMAT: Format = Format {
    name: "kitti-tracking",
    about: "KITTI tracking: a line is a box on a frame, a file is a sequence",
    files: Files::Each(&[".txt", ".txt.gz", ".txt.zst"]),
    options: &[ReadOption::Media],
    frames: Frames::FROM_0,
    detect,
    open: |opening| {
        Ok(Opened::reader(LineReader::open(
            KittiTracking::new(&opening),
            &opening,
        )?))
    },
};

/// Seventeen or eighteen columns: two whole numbers, a word, numbers.
fn detect(head: &Head) -> Sure {
    head.most_lines(|line| {
        let columns = Columns::split(line);
        (COLUMNS..=COLUMNS + 1).contains(&columns.len())
            && (0..2).all(|at| columns.whole(at, "").is_ok())
            && columns.number(2, "type").is_err()
            && (3..columns.len()).all(|at| columns.number(at, "").is_ok())
    })
}

/// What the lines do not say.
#[derive(Debug, Clone)]
struct KittiTracking {
    media: Option<String>,
}

impl KittiTracking {
    fn new(opening: &Opening<'_>) -> Self {
        Self {
            media: opening.options.media.clone(),
        }
    }
}

impl LineFormat for KittiTracking {
    /// Name of the medium.
    type File = String;

    fn file(&self, name: &str) -> String {
        self.media.clone().unwrap_or_else(|| stem(name).to_owned())
    }

    fn line(&self, media: &mut String, line: &str, rows: &mut Rows<'_>) -> Result<(), Reason> {
        let columns = Columns::split(line);
        if columns.len() < COLUMNS {
            let message = format!(
                "it has {} columns; expected 17 or 18 (frame, track, type, truncated, occluded, alpha, left, top, right, bottom, ...)",
                columns.len()
            );
            return Err(Reason::BadLine { message });
        }
        let class = columns.word(2);
        if class == REGION_TO_IGNORE {
            rows.leave_out("dont_care");
            return Ok(());
        }
        let frame = columns.whole(0, "frame")?;
        let frame = u32::try_from(frame).map_err(|_| columns.unlike(0, "frame", "a number of a frame"))?;
        let track = columns.whole(1, "track")?;
        let track = (track != -1).then(|| track.to_string());
        let score = (columns.len() > COLUMNS)
            .then(|| columns.number(COLUMNS, "score"))
            .transpose()?;
        let row = Annotation {
            track: track.as_deref(),
            score,
            shape: Some(Shape::BoundingBox),
            bbox: Some(box_of_edges(&columns, 6)?),
            ..Annotation::object("", 0, media, 0, class)
        };
        rows.push(&row, Some(frame));
        Ok(())
    }
}
