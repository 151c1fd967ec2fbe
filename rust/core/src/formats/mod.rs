//! The formats of predictions, and what their readers give.

mod check;
pub mod coco;
pub mod encord;
pub mod json_names;
pub mod ndjson;
pub mod table;

use arrow_array::BooleanArray;

use crate::batch::{row_json, Annotation, AnnotationBatch, AttributeValue};
use crate::error::Result;
use crate::reject::{Origin, Reason, Reject, RowReject};
use crate::source::TextSpan;
pub use check::check_row;

/// Rows of a source, and what in it is no row.
#[derive(Debug)]
pub struct RowBatch {
    /// The rows. Their `source` is the label that they go by.
    pub batch: AnnotationBatch,
    /// Records that are no rows.
    pub rejects: Vec<Reject>,
    /// Label rows among the lines of a reject file: they are rejected again.
    pub row_rejects: Vec<RowReject>,
    /// Where each row's own text lies in the source, where it can be read again; else empty.
    pub spans: Vec<TextSpan>,
    /// Whether a row does not say on which frame it stands, one entry a row; empty where all do.
    pub frameless: Vec<bool>,
}

impl RowBatch {
    /// Rows whose text cannot be read again, and nothing else.
    pub fn new(batch: AnnotationBatch) -> Self {
        Self {
            batch,
            rejects: Vec::new(),
            row_rejects: Vec::new(),
            spans: Vec::new(),
            frameless: Vec::new(),
        }
    }

    /// Annotations that cannot be written, those of rejected label rows included.
    pub fn rejected(&self) -> u64 {
        let of_rows: u64 = self.row_rejects.iter().map(|row| row.annotations).sum();
        self.rejects.len() as u64 + of_rows
    }

    /// Checks the rows, and turns those that cannot be written into rejects: what resolving does along with its own work.
    ///
    /// # Errors
    /// As [`AnnotationBatch::filtered`].
    pub fn checked(mut self) -> Result<Self> {
        let mut keep = Vec::with_capacity(self.batch.len());
        for index in 0..self.batch.len() {
            let row = self.batch.row(index);
            let checked = check_row(&row);
            keep.push(checked.is_ok());
            if let Err(reason) = checked {
                let attributes: Vec<AttributeValue<'_>> = self.batch.attributes(index).collect();
                self.rejects.push(reject(reason, &row, &attributes));
            }
        }
        if keep.contains(&false) {
            let mut kept = keep.iter();
            self.spans.retain(|_| *kept.next().unwrap_or(&true));
            let mut kept = keep.iter();
            self.frameless.retain(|_| *kept.next().unwrap_or(&true));
            self.batch = self.batch.filtered(&BooleanArray::from(keep))?;
        }
        Ok(self)
    }
}

/// The reject of a row that was read: its text is that of a row of the table.
pub(crate) fn reject(reason: Reason, row: &Annotation<'_>, attributes: &[AttributeValue<'_>]) -> Reject {
    let origin = Origin {
        source: row.source.into(),
        ids_from: None,
    };
    let text = row_json(row, attributes);
    Reject::new(reason, &origin, row.offset, row.annotation_id, Some(text.as_bytes()))
}

/// Gives the rows of a source, some at a time.
pub trait RowSource {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// What keeps the rest of the source from being read.
    fn next_batch(&mut self) -> Result<Option<RowBatch>>;

    /// Bytes of the source read so far, as it is stored.
    fn bytes_read(&self) -> u64;
}
