//! What the reader hands on: rows of the IR, and beside them what resolving and rejecting need.

use std::sync::Arc;

use crate::batch::AnnotationBatch;
use crate::reject::{Origin, Reject, RowReject};
use crate::source::TextSpan;

/// A batch of rows, and what the resolver needs beside them.
#[derive(Debug)]
pub struct SourceBatch {
    /// The rows.
    pub batch: AnnotationBatch,
    /// Index into [`super::CocoReader::tables`]'s images, one a row.
    pub media: Vec<u32>,
    /// Index into [`super::CocoReader::tables`]'s categories, one a row.
    pub classes: Vec<u32>,
    /// Annotations among the rows that cannot be written.
    pub rejects: Vec<Reject>,
    /// Label rows among the lines of a reject file: they are rejected again.
    pub row_rejects: Vec<RowReject>,
    /// `iscrowd` annotations among the rows that were left out.
    pub filtered_crowd: u64,
    text: Vec<u8>,
    /// Byte in the file where `text` starts.
    text_byte: u64,
    /// Byte in the file and length of each row's own text.
    spans: Vec<(u64, usize)>,
    /// Where the ids of all rows are from; of a reject file's rows each line says it.
    ids_from: Option<Arc<str>>,
    ids_from_of_lines: Vec<Option<Arc<str>>>,
}

impl SourceBatch {
    /// Annotations that cannot be written, those of rejected label rows included.
    pub fn rejected(&self) -> u64 {
        let of_rows: u64 = self.row_rejects.iter().map(|row| row.annotations).sum();
        self.rejects.len() as u64 + of_rows
    }

    /// Bytes of the stretch of the file that the batch was read from.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Where row `row` came from.
    ///
    /// # Panics
    /// When `row` is not one of the batch's.
    pub fn origin_of(&self, row: usize) -> Origin {
        let ids_from = self.ids_from_of_lines.get(row).unwrap_or(&self.ids_from).clone();
        Origin {
            source: self.batch.row(row).source.into(),
            ids_from,
        }
    }

    /// Where the JSON text of row `row`'s annotation lies in the file.
    ///
    /// # Panics
    /// When `row` is not one of the batch's.
    pub fn span_of(&self, row: usize) -> TextSpan {
        let (at, len) = self.spans[row];
        TextSpan {
            at,
            len: u32::try_from(len).unwrap_or(u32::MAX),
        }
    }

    /// The JSON text of row `row`'s annotation. In a reject file that may be a string that holds it.
    ///
    /// # Panics
    /// When `row` is not one of the batch's.
    pub fn text_of(&self, row: usize) -> &[u8] {
        let (byte, len) = self.spans[row];
        let start = (byte - self.text_byte) as usize;
        &self.text[start..start + len]
    }
}

/// What stands beside the rows of a batch in the making.
#[derive(Default)]
pub(super) struct Rows {
    pub media: Vec<u32>,
    pub classes: Vec<u32>,
    pub rejects: Vec<Reject>,
    pub row_rejects: Vec<RowReject>,
    /// Byte in the file and length of each row's own text.
    pub spans: Vec<(u64, usize)>,
    /// Of each row, where the lines of a reject file say it.
    pub ids_from: Vec<Option<Arc<str>>>,
}

impl Rows {
    /// None yet, with room for as many as `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            media: Vec::with_capacity(rows),
            classes: Vec::with_capacity(rows),
            spans: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Makes the batch of `batch`'s rows. `text` is the stretch of the file from `text_byte` on that the rows' own texts lie in.
    pub fn finish(
        self,
        batch: AnnotationBatch,
        filtered_crowd: u64,
        text: Vec<u8>,
        text_byte: u64,
        origin: &Origin,
    ) -> SourceBatch {
        SourceBatch {
            batch,
            media: self.media,
            classes: self.classes,
            rejects: self.rejects,
            row_rejects: self.row_rejects,
            filtered_crowd,
            text,
            text_byte,
            spans: self.spans,
            ids_from: origin.ids_from.clone(),
            ids_from_of_lines: self.ids_from,
        }
    }
}
