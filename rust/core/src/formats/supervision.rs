//! What supervision's CSVSink and JSONSink write: a record is a box, with cells of the user's own behind it.
//!
//! `x_min, y_min, x_max, y_max` in px, `class_id`, `confidence`, `tracker_id`, then the user's, of which one may count frames
//! and one name the medium. Detections of turned boxes also have their corners, in `xyxyxyxy`. Absent values are empty.
//!
//! Source: supervision 0.31.2, detection/tools.

use super::class_numbers::ClassNumbers;
use super::lines::stem;
use super::lines::Rows;
use super::records::{has_header, number, track, unlike, whole, Cell, RecordFormat, RecordReader, Unread, SUFFIXES};
use super::{Files, Format, Head, Opened, Opening, ReadOption, Sure};
use crate::batch::{Annotation, Points, Shape};
use crate::error::Result;
use crate::reject::Reason;
use crate::source::Frames;

/// Cells of the sinks' own.
const BOX: [&str; 4] = ["x_min", "y_min", "x_max", "y_max"];
const CLASS_ID: usize = 4;
const CONFIDENCE: usize = 5;
const TRACKER_ID: usize = 6;
const CLASS_NAME: usize = 7;
const CORNERS: usize = 8;
const OTHERS: [&str; 5] = ["class_id", "confidence", "tracker_id", "class_name", "xyxyxyxy"];
/// Those that are behind them: what counts frames, then what names the medium.
const FRAME: usize = 9;

/// How users call the cell that counts frames.
const FRAME_NAMES: [&str; 3] = ["frame", "frame_index", "frame_number"];

/// Supervision's sinks.
pub static FORMAT: Format = Format {
    name: "supervision",
    about: "supervision's CSVSink and JSONSink: a record is a box",
    files: Files::Each(SUFFIXES),
    options: &[
        ReadOption::Class,
        ReadOption::Classes,
        ReadOption::Media,
        ReadOption::FrameColumn,
        ReadOption::MediaColumn,
    ],
    frames: Frames::FROM_0,
    detect,
    open: |opening| {
        Ok(Opened::reader(RecordReader::open(
            Supervision::new(&opening)?,
            &opening,
        )?))
    },
};

fn detect(head: &Head) -> Sure {
    if has_header(head, &BOX) {
        return Sure::Yes;
    }
    head.is_json(FORMAT_NAME)
}

/// By which the first names of JSON tell it.
const FORMAT_NAME: &str = "supervision";

/// What the records do not say.
struct Supervision {
    names: Vec<String>,
    /// How many of `names` may count frames: the first that has a value does.
    frames: usize,
    is_frame_needed: bool,
    /// Cells that a header must have, besides the box.
    needed: Vec<String>,
    class: Option<String>,
    classes: ClassNumbers,
    media: String,
}

impl Supervision {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        let options = opening.options;
        let frames = match &options.frame_column {
            Some(name) => vec![name.clone()],
            None => FRAME_NAMES.map(str::to_owned).to_vec(),
        };
        let own = BOX.into_iter().chain(OTHERS).map(str::to_owned);
        let file_name = opening
            .source
            .file()
            .and_then(|file| Some(stem(&file.file_name()?).to_owned()));
        Ok(Self {
            frames: frames.len(),
            is_frame_needed: options.frame_column.is_some(),
            names: own.chain(frames).chain(options.media_column.clone()).collect(),
            needed: [&options.frame_column, &options.media_column]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            class: options.class.clone(),
            classes: ClassNumbers::new(opening, || Ok(None))?,
            media: options.media.clone().or(file_name).unwrap_or_default(),
        })
    }

    /// The class of a record: its number where that is mapped or named, else its name, else the number itself.
    fn class<'a>(&'a self, cells: &'a [Cell<'_>]) -> std::result::Result<&'a str, Reason> {
        if let Some(class) = &self.class {
            return Ok(class);
        }
        let number = cells[CLASS_ID].as_deref().map(whole);
        match (number, cells[CLASS_NAME].as_deref()) {
            (Some(number), name) if name.is_none() || self.classes.are_named() || self.classes.is_mapped(number) => {
                self.classes.class(number)
            }
            (_, Some(name)) => Ok(name),
            (_, None) => Err(Reason::MissingField { field: "class_id" }),
        }
    }

    /// The frame of a record; none where no cell counts frames.
    fn frame(&self, cells: &[Cell<'_>]) -> std::result::Result<Option<u32>, Reason> {
        let counting = &cells[FRAME..FRAME + self.frames];
        let Some(text) = counting.iter().flatten().next() else {
            return if self.is_frame_needed {
                Err(Reason::MissingField { field: "frame" })
            } else {
                Ok(None)
            };
        };
        let frame = whole(text).parse();
        frame
            .map(Some)
            .map_err(|_| unlike(text, "frame", "a number of a frame"))
    }
}

impl RecordFormat for Supervision {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn needs(&self, name: &str) -> bool {
        BOX.contains(&name) || self.needed.iter().any(|needed| needed == name)
    }

    fn record(&self, cells: &[Cell<'_>], rows: &mut Rows<'_>) -> std::result::Result<(), Unread> {
        let [left, top, right, bottom] = [
            number(&cells[0], BOX[0])?,
            number(&cells[1], BOX[1])?,
            number(&cells[2], BOX[2])?,
            number(&cells[3], BOX[3])?,
        ];
        let media = match cells.get(FRAME + self.frames) {
            Some(cell) => cell.as_deref().ok_or(Reason::MissingField { field: "media" })?,
            None => &self.media,
        };
        let score = &cells[CONFIDENCE];
        let corners = cells[CORNERS].as_deref().and_then(corners);
        let row = Annotation {
            track: track(&cells[TRACKER_ID]),
            score: score.as_ref().map(|_| number(score, "confidence")).transpose()?,
            shape: Some(Shape::BoundingBox),
            bbox: Some([left, top, right - left, bottom - top]),
            ..Annotation::object("", 0, media, 0, self.class(cells)?)
        };
        let frame = self.frame(cells)?;
        match &corners {
            // Four corners make a turned box where the class is one.
            Some(corners) => rows.push(
                &Annotation {
                    shape: Some(Shape::Polygon),
                    points: Some(Points {
                        coords: corners,
                        rings: &[0, 8],
                        parts: &[0, 1],
                    }),
                    ..row
                },
                frame,
            ),
            None => rows.push(&row, frame),
        }
        Ok(())
    }
}

/// Corners of a turned box, in px; none for what older versions wrote, which is not JSON.
fn corners(text: &str) -> Option<[f64; 8]> {
    let [a, b, c, d]: [[f64; 2]; 4] = serde_json::from_str(text).ok()?;
    Some([a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]])
}
