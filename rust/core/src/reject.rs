//! Rejects: annotations that are not written, each with a code, a reason and its place in the source.

use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::reason::{Reason, Unresolved};

/// Longest text of an annotation that a reject carries whole, in bytes; longer ones are cut and marked.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Codes of what can keep a whole label row from being written.
pub const ROW_CODES: [&str; 6] = [
    "server_refused",
    "no_answer",
    "row_missing",
    "existing_row",
    "bad_label_row",
    "row_too_large",
];

/// The code of [`ROW_CODES`] that reads `code`.
pub fn row_code(code: &str) -> Option<&'static str> {
    ROW_CODES.into_iter().find(|known| *known == code)
}

/// Counts of what was left out, or is worth a look, by name.
pub type Counts = BTreeMap<&'static str, u64>;

/// Where a rejected annotation came from, so that it can be imported again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Label of the source (see identity: part of a tracked object's hash).
    pub source: Arc<str>,
    /// File whose images and categories its ids are (its own, or that of --annotations): name, `#`, digest of the lists.
    pub ids_from: Option<Arc<str>>,
    /// Name of the format that the source is of; it says how frames are counted.
    pub format: Option<Arc<str>>,
    /// File inside the source where that is a folder.
    pub member: Option<Arc<str>>,
}

impl Origin {
    /// A source of which its label is all that is to be said.
    pub fn of(source: &str) -> Self {
        Self {
            source: source.into(),
            ids_from: None,
            format: None,
            member: None,
        }
    }
}

/// One annotation that is not written.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Why.
    pub reason: Reason,
    /// Where it came from.
    pub origin: Origin,
    /// Offset of the annotation's first byte, or the record's number in a table.
    pub offset: u64,
    /// The source's own id of the annotation.
    pub annotation_id: Option<String>,
    /// The annotation's own text, at most [`MAX_TEXT_BYTES`]; none where its source was changed or removed meanwhile.
    pub text: Option<Vec<u8>>,
    /// Whether the source is a table, whose rows have no text to be read again.
    pub of_table: bool,
}

impl Reject {
    /// The reject file's line for it, newline included: one JSON object.
    ///
    /// The annotation stands in it as an object, so that it can be mended and imported again; text that strict JSON
    /// does not allow (NaN, or cut at [`MAX_TEXT_BYTES`]) stands in it as a string. Without its text it is null, and the
    /// message says so.
    pub fn to_json_line(&self) -> String {
        let mut message = self.reason.to_string();
        let annotation = match &self.text {
            Some(text) => annotation_json(&String::from_utf8_lossy(text)),
            None if self.of_table => {
                message.push_str(&format!("; it is row {} of its table, counted from 0", self.offset));
                "null".to_owned()
            }
            None => {
                message.push_str("; its text is not here, since its source was changed or removed after it was read");
                "null".to_owned()
            }
        };
        format!(
            "{{\"code\":{},\"message\":{},\"source\":{},\"byte\":{},\"format\":{},\"member\":{},\"ids_from\":{},\"annotation_id\":{},\"annotation\":{annotation}}}\n",
            json_string(self.reason.code()),
            json_string(&message),
            json_string(&self.origin.source),
            self.offset,
            json_or_null(self.origin.format.as_deref()),
            json_or_null(self.origin.member.as_deref()),
            json_or_null(self.origin.ids_from.as_deref()),
            json_or_null(self.annotation_id.as_deref()),
        )
    }

    /// Makes a reject, keeping at most [`MAX_TEXT_BYTES`] of the annotation's text.
    pub fn new(reason: Reason, origin: &Origin, offset: u64, annotation_id: Option<&str>, text: Option<&[u8]>) -> Self {
        Self {
            reason,
            origin: origin.clone(),
            offset,
            annotation_id: annotation_id.map(str::to_owned),
            text: text.map(|text| text[..text.len().min(MAX_TEXT_BYTES)].to_vec()),
            of_table: false,
        }
    }
}

/// A label row that is not written, for which one line stands instead of one for each annotation: their text would be as
/// large as the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReject {
    /// One of [`ROW_CODES`].
    pub code: &'static str,
    /// What happened to the row.
    pub message: String,
    /// data_hash of the medium.
    pub data_hash: String,
    /// Its title.
    pub title: String,
    /// Annotations in it, at least one.
    pub annotations: u64,
    /// Bytes of the row's JSON.
    pub len_bytes: u64,
}

impl RowReject {
    /// The reject file's line for it, newline included. `annotation` is null: there is nothing in it to mend.
    pub fn to_json_line(&self) -> String {
        // `annotation` comes first: by it a file is known as a reject file.
        format!(
            "{{\"code\":{},\"message\":{},\"annotation\":null,\"data_hash\":{},\"title\":{},\"annotations\":{},\"len_bytes\":{}}}\n",
            json_string(self.code),
            json_string(&self.message),
            json_string(&self.data_hash),
            json_string(&self.title),
            self.annotations,
            self.len_bytes,
        )
    }
}

fn annotation_json(text: &str) -> String {
    let object = serde_json::from_str::<&serde_json::value::RawValue>(text).ok();
    // Line breaks of a pretty-printed annotation can only stand between its tokens.
    object.map_or_else(|| json_string(text), |raw| raw.get().replace(['\n', '\r'], " "))
}

fn json_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), json_string)
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
