//! Boxes of Open Images: a record is a box in fractions of an image.

use crate::batch::{Annotation, Shape, Unit};
use crate::formats::lines::Rows;
use crate::formats::records::{number, unlike, Cell, RecordFormat, Unread};
use crate::reject::Reason;

/// Columns that are needed, in the order in which records are read.
pub(super) const NEEDED: [&str; 6] = ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"];

/// Columns of which one may have the confidence.
pub(super) const SCORES: [&str; 2] = ["Confidence", "Score"];

/// Reads boxes.
pub(super) struct Boxes {
    names: Vec<String>,
}

impl Boxes {
    pub fn new() -> Self {
        Self {
            names: NEEDED.into_iter().chain(SCORES).map(str::to_owned).collect(),
        }
    }
}

impl RecordFormat for Boxes {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn needs(&self, name: &str) -> bool {
        NEEDED.contains(&name)
    }

    fn record(&self, cells: &[Cell<'_>], rows: &mut Rows<'_>) -> std::result::Result<(), Unread> {
        let [image, label, left, right, top, bottom, scores @ ..] = cells else {
            return Err(Reason::MissingField { field: NEEDED[0] }.into());
        };
        let image = image.as_deref().ok_or(Reason::MissingField { field: "ImageID" })?;
        let label = label.as_deref().ok_or(Reason::MissingField { field: "LabelName" })?;
        let [x, width] = side((left, "XMin"), (right, "XMax"), "a number above XMin")?;
        let [y, height] = side((top, "YMin"), (bottom, "YMax"), "a number above YMin")?;
        let score = scores.iter().find(|cell| cell.is_some());
        let row = Annotation {
            score: score.map(|cell| number(cell, "Confidence")).transpose()?,
            shape: Some(Shape::BoundingBox),
            unit: Unit::Frac,
            bbox: Some([x, y, width, height]),
            ..Annotation::object("", 0, image, 0, label)
        };
        rows.push(&row, None);
        Ok(())
    }
}

/// Where a box begins in one direction, and how long it is.
fn side(
    (first, first_name): (&Cell<'_>, &'static str),
    (last, last_name): (&Cell<'_>, &'static str),
    expected: &'static str,
) -> std::result::Result<[f64; 2], Reason> {
    let (start, end) = (number(first, first_name)?, number(last, last_name)?);
    if end <= start {
        return Err(unlike(last.as_deref().unwrap_or_default(), last_name, expected));
    }
    Ok([start, end - start])
}
