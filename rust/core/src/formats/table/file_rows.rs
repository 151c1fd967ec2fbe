//! The rows of a table in a file, all of them or those of some pieces.

use std::ops::Range;

use super::file::{TableBatches, TableFile};
use super::rows::TableRows;
use crate::batch::Unit;
use crate::error::Result;
use crate::formats::{Batch, OpenPiece, Reader};

/// Reads some pieces of a file.
pub struct FileRows {
    file: TableFile,
    pieces: Range<usize>,
    label: String,
    unit: Option<Unit>,
    rows: TableRows<TableBatches>,
}

impl FileRows {
    /// Reads all of a file. `label` is the source of rows that name none, `unit` that of coordinates without one.
    pub fn new(file: TableFile, label: &str, unit: Option<Unit>) -> Self {
        let pieces = 0..file.pieces();
        Self::of(file, pieces, label, unit)
    }

    fn of(file: TableFile, pieces: Range<usize>, label: &str, unit: Option<Unit>) -> Self {
        let rows = TableRows::new(label, file.batches(pieces.clone()))
            .unit(unit)
            .from_row(file.rows_before(pieces.start))
            .stored(file.len_bytes(), file.rows_before(file.pieces()));
        Self {
            file,
            pieces,
            label: label.to_owned(),
            unit,
            rows,
        }
    }
}

impl Reader for FileRows {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        self.rows.next_batch()
    }

    fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    /// Splits a file between its row groups or batches, into readers of as many rows as take about so many bytes, unless one
    /// of these has more.
    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let rows = self.file.rows_before(self.file.pieces());
        let share = u128::from(len_bytes) * u128::from(rows) / u128::from(self.file.len_bytes().max(1));
        let mut readers: Vec<OpenPiece> = Vec::new();
        let Range { start: mut from, end } = self.pieces;
        while from < end {
            let until = u128::from(self.file.rows_before(from)) + share;
            let mut to = from + 1;
            while to < end && u128::from(self.file.rows_before(to + 1)) <= until {
                to += 1;
            }
            let (file, pieces, label, unit) = (self.file.clone(), from..to, self.label.clone(), self.unit);
            readers.push(Box::new(move || Ok(Box::new(Self::of(file, pieces, &label, unit)))));
            from = to;
        }
        Ok((readers.len() > 1).then_some(readers))
    }
}
