//! A table of the IR as a source: batches of Arrow, from whoever makes them.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use crate::batch::AnnotationBatch;
use crate::error::{Error, Result};
use crate::intake::{RowBatch, RowSource};

/// The rows of a table.
pub struct TableRows<I> {
    name: String,
    batches: I,
    bytes_read: u64,
}

impl<I: Iterator<Item = std::result::Result<RecordBatch, ArrowError>>> TableRows<I> {
    /// Takes a table of this name (for errors) as the batches that it consists of.
    pub fn new(name: &str, batches: I) -> Self {
        Self {
            name: name.to_owned(),
            batches,
            bytes_read: 0,
        }
    }
}

impl<I: Iterator<Item = std::result::Result<RecordBatch, ArrowError>>> RowSource for TableRows<I> {
    fn next_batch(&mut self) -> Result<Option<RowBatch>> {
        let Some(table) = self.batches.next() else {
            return Ok(None);
        };
        let named = |message: String| Error::Schema {
            message: format!("{}: {message}", self.name),
        };
        let table = table.map_err(|cause| named(cause.to_string()))?;
        self.bytes_read += table.get_array_memory_size() as u64;
        let batch = AnnotationBatch::from_table(&table).map_err(|cause| match cause {
            Error::Schema { message } => named(message),
            other => other,
        })?;
        Ok(Some(RowBatch {
            batch,
            rejects: Vec::new(),
            spans: Vec::new(),
        }))
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}
