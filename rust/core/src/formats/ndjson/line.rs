//! One line: a row, or what a reject file says of one.

use std::sync::Arc;

use super::members::Members;
use crate::formats::rejects::{self, Held};
use crate::json::{Scanner, Stop};
use crate::reject::{Origin, Reason, RowReject};

/// Where on its line a row stands, and what the line of a reject file says of it.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// First byte of the row's own text on the line.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
    pub origin: Option<Arc<Origin>>,
    pub offset: Option<u64>,
    pub annotation_id: Option<String>,
}

/// What stands on a line.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Row(Box<Members<'a>>),
    /// The text of a row that stands in a string, or that had to be changed to be JSON.
    Quoted(String),
    /// A label row that was rejected as a whole.
    RejectedRow(RowReject),
    Wrong(Reason),
}

impl Place {
    /// The place of a row that is its line.
    pub fn whole(text: &[u8]) -> Self {
        Self {
            len: text.len(),
            ..Self::default()
        }
    }
}

/// Reads a line; `reject` is what lines of a reject file are read into.
pub(super) fn read<'a>(text: &'a str, reject: &mut rejects::Line) -> (Place, Found<'a>) {
    let found = match Members::read(text) {
        Ok(members) if members.has_annotation => return of_reject(text, reject),
        Ok(members) => Found::Row(Box::new(members)),
        Err(reason) => without_nan(text).map_or(Found::Wrong(reason), Found::Quoted),
    };
    (Place::whole(text.as_bytes()), found)
}

/// A row whose track is NaN, as Python writes a number that its table has not, with null in its place.
fn without_nan(text: &str) -> Option<String> {
    let value = text
        .split_once("\"track\"")?
        .1
        .trim_start()
        .strip_prefix(':')?
        .trim_start();
    let rest = value.strip_prefix("NaN")?;
    let before = &text[..text.len() - value.len()];
    Some(format!("{before}null{rest}"))
}

fn of_reject<'a>(text: &'a str, line: &mut rejects::Line) -> (Place, Found<'a>) {
    let wrong = |reason| (Place::whole(text.as_bytes()), Found::Wrong(reason));
    if let Err(stop) = line.read(&mut Scanner::new(text.as_bytes(), 0, true)) {
        let message = match stop {
            Stop::Bad { message, .. } => message,
            Stop::Incomplete => "it ends too early",
        };
        return wrong(Reason::BadLine {
            message: message.to_owned(),
        });
    }
    let found = match line.annotation {
        Held::Missing | Held::Null => match line.row.take() {
            Some(row) => Found::RejectedRow(row),
            None => return wrong(Reason::MissingField { field: "annotation" }),
        },
        // What was not JSON stands in its line as a string, where it can be mended.
        Held::Quoted => {
            let text = String::from_utf8_lossy(&line.text);
            Found::Quoted(without_nan(&text).unwrap_or_else(|| text.into_owned()))
        }
        Held::Value => match Members::read(&text[line.start..line.end]) {
            Ok(members) => Found::Row(Box::new(members)),
            Err(reason) => Found::Wrong(reason),
        },
    };
    let place = Place {
        start: line.start,
        len: line.end - line.start,
        origin: line.origin(None),
        offset: line.offset,
        annotation_id: line.annotation_id.take(),
    };
    (place, found)
}
