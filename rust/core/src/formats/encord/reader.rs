//! Reads label rows one by one into batches of the IR.

use std::sync::Arc;

use super::label_row::LabelRow;
use super::rows::Rows;
use crate::error::Result;
use crate::formats::{Batch, KnownNames, ReadOptions, Reader};
use crate::json::{Values, Window};
use crate::source::SourceFile;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Reads a file of label rows.
pub struct EncordReader {
    label: String,
    known: Option<Arc<KnownNames>>,
    window: Window,
    values: Values,
    /// Labels read so far.
    records: u64,
}

impl EncordReader {
    /// Opens a file. With `known`, media and classes go by their hashes where the project has them, else by title and name;
    /// without, all go by their hashes.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`] where it cannot be opened.
    pub fn open(
        input: &SourceFile,
        label: &str,
        known: Option<Arc<KnownNames>>,
        options: &ReadOptions,
    ) -> Result<Self> {
        Ok(Self {
            label: label.to_owned(),
            known,
            window: Window::open(input, 0, options.chunk_bytes.unwrap_or(CHUNK_BYTES))?,
            values: Values::default(),
            records: 0,
        })
    }
}

impl Reader for EncordReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some((start, end)) = self.values.next(&mut self.window, "expected a list of label rows")? else {
            return Ok(None);
        };
        let mut rows = Rows::new(&self.label, self.known.as_deref(), &mut self.records);
        let text = &self.window.text()[start..end];
        match serde_json::from_slice::<LabelRow<'_>>(text) {
            Ok(row) => rows.add(&row),
            Err(cause) => rows.reject(format!("the label row: {cause}"), text),
        }
        rows.into_batch().map(Some)
    }

    fn bytes_read(&self) -> u64 {
        self.window.stored_bytes()
    }
}
