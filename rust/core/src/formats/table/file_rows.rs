//! The rows of a table in a file, all of them or those of some pieces.

use std::ops::Range;

use super::file::{TableBatches, TableFile};
use super::rows::TableRows;
use crate::batch::Unit;
use crate::error::Result;
use crate::formats::{Batch, Reader};

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

    /// Splits a file between its row groups or batches, into readers of about as many rows.
    fn pieces(&mut self, at_most: usize) -> Result<Option<Vec<Box<dyn Reader>>>> {
        let Range { start, end } = self.pieces;
        let first = self.file.rows_before(start);
        let rows = self.file.rows_before(end) - first;
        let mut readers: Vec<Box<dyn Reader>> = Vec::new();
        let mut from = start;
        for number in 1..=at_most as u64 {
            let until = first + (u128::from(rows) * u128::from(number) / at_most as u128) as u64;
            let mut to = from;
            while to < end && (number == at_most as u64 || self.file.rows_before(to + 1) <= until) {
                to += 1;
            }
            if from < to {
                let reader = Self::of(self.file.clone(), from..to, &self.label, self.unit);
                readers.push(Box::new(reader));
            }
            from = to;
        }
        Ok((readers.len() > 1).then_some(readers))
    }
}
