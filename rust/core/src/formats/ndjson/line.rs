//! One line: a row, or what a reject file says of one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::members::Members;
use crate::reject::{row_code, Reason, RowReject};

/// Where on its line a row stands, and what the line of a reject file says of it.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    /// First byte of the row's own text on the line.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
    pub source: Option<Cow<'a, str>>,
    pub offset: Option<u64>,
    pub annotation_id: Option<Cow<'a, str>>,
}

/// What stands on a line.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Row(Box<Members<'a>>),
    /// The text of a row that stands in a string.
    Quoted(String),
    /// A label row that was rejected as a whole.
    RejectedRow(RowReject),
    Wrong(Reason),
}

/// A line of a reject file, each of whose members may be of another type than it should.
#[derive(Deserialize)]
struct RejectLine<'a> {
    #[serde(borrow)]
    annotation: &'a RawValue,
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    byte: Option<&'a RawValue>,
    #[serde(borrow, default)]
    annotation_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data_hash: Option<&'a RawValue>,
    #[serde(borrow, default)]
    title: Option<&'a RawValue>,
    #[serde(borrow, default)]
    annotations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    len_bytes: Option<&'a RawValue>,
}

fn read<'a, T: Deserialize<'a>>(value: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(value?.get()).ok()
}

impl RejectLine<'_> {
    /// The label row that the line stands for, if it does so in place of an annotation.
    fn row(&self) -> Option<RowReject> {
        let text = |value| read::<String>(value).unwrap_or_default();
        Some(RowReject {
            code: row_code(&read::<String>(self.code)?)?,
            message: text(self.message),
            data_hash: text(self.data_hash),
            title: text(self.title),
            // No row holds more, and sums of any number of lines stay far from overflowing.
            annotations: read(self.annotations).filter(|n| (1..=u64::from(u32::MAX)).contains(n))?,
            len_bytes: read(self.len_bytes).unwrap_or_default(),
        })
    }
}

impl<'a> Line<'a> {
    /// A line that is nothing but its text.
    pub fn whole(text: &[u8]) -> Self {
        Self {
            len: text.len(),
            ..Self::default()
        }
    }

    /// Reads a line.
    pub fn read(text: &'a str) -> (Self, Found<'a>) {
        let line = Self::whole(text.as_bytes());
        match Members::read(text) {
            Ok(members) if members.has_annotation => Self::of_reject(text),
            Ok(members) => (line, Found::Row(Box::new(members))),
            Err(reason) => (line, Found::Wrong(reason)),
        }
    }

    fn of_reject(text: &'a str) -> (Self, Found<'a>) {
        let mut line = Self::whole(text.as_bytes());
        let reject = match serde_json::from_str::<RejectLine<'a>>(text) {
            Ok(reject) => reject,
            Err(cause) => {
                let message = cause.to_string();
                return (line, Found::Wrong(Reason::BadLine { message }));
            }
        };
        let own = reject.annotation.get();
        if own == "null" {
            let missing = Found::Wrong(Reason::MissingField { field: "annotation" });
            return (line, reject.row().map_or(missing, Found::RejectedRow));
        }
        // Both are part of one text.
        line.start = own.as_ptr() as usize - text.as_ptr() as usize;
        line.len = own.len();
        line.source = read::<Option<Cow<'a, str>>>(reject.source).flatten();
        line.offset = read(reject.byte);
        line.annotation_id = read::<Option<Cow<'a, str>>>(reject.annotation_id).flatten();
        if !own.starts_with('"') {
            return match Members::read(own) {
                Ok(members) => (line, Found::Row(Box::new(members))),
                Err(reason) => (line, Found::Wrong(reason)),
            };
        }
        // What was no JSON stands in its line as a string, where it can be mended.
        (line, Found::Quoted(read(Some(reject.annotation)).unwrap_or_default()))
    }
}
