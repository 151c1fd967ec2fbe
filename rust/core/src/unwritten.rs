//! Rows that a writer of files cannot write.

use serde_json::json;

use crate::batch::Annotation;
use crate::reject::Reason;

/// A row that is not written, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Unwritten {
    /// Why.
    pub reason: Reason,
    /// Label of its file or table.
    pub source: String,
    /// Byte offset or record number in it.
    pub offset: u64,
    /// The source's own id.
    pub annotation_id: Option<String>,
}

impl Unwritten {
    /// Notes a row that cannot be written.
    pub fn new(reason: Reason, row: &Annotation<'_>) -> Self {
        Self {
            reason,
            source: row.source.to_owned(),
            offset: row.offset,
            annotation_id: row.annotation_id.map(str::to_owned),
        }
    }

    /// The reject file's line for it, newline included. `annotation` is null: fix the row at its source.
    pub fn to_json_line(&self) -> String {
        let line = json!({
            "code": self.reason.code(),
            "message": self.reason.to_string(),
            "source": self.source,
            "byte": self.offset,
            "annotation_id": self.annotation_id,
            "annotation": null,
        });
        format!("{line}\n")
    }
}
