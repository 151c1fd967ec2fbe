//! Reads label rows one by one into batches of the IR.

use std::sync::Arc;

use super::label_row::LabelRow;
use super::rows::Rows;
use crate::error::Result;
use crate::formats::{Batch, KnownNames, ReadOptions, Reader};
use crate::json::{only_space, Window};
use crate::source::SourceFile;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Reads a file of label rows.
pub struct EncordReader {
    label: String,
    known: Option<Arc<KnownNames>>,
    window: Window,
    /// Whether the rows stand in a list; none before the first byte was seen.
    list: Option<bool>,
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
            list: None,
            records: 0,
        })
    }

    /// Finds the next row's text in the window.
    fn next_text(&mut self) -> Result<Option<(usize, usize)>> {
        const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
        self.window.release();
        let first = self.list.is_none();
        let in_list = match self.list {
            Some(in_list) => in_list,
            None => self.window.item(|scanner| {
                scanner.skip_mark(BYTE_ORDER_MARK)?;
                let in_list = !scanner.at_end()? && scanner.peek()? == b'[';
                if in_list {
                    scanner.expect(b'[', "expected a list of label rows")?;
                }
                Ok(in_list)
            })?,
        };
        self.list = Some(in_list);
        self.window.item(|scanner| {
            // Scanned anew where the window ends too early, it is the first item again.
            let mut first = first;
            let more = if in_list {
                scanner.next_item(&mut first)?
            } else {
                !scanner.at_end()?
            };
            if !more {
                return only_space(scanner).map(|()| None);
            }
            scanner.peek()?;
            let start = scanner.at;
            scanner.skip()?;
            Ok(Some((start, scanner.at)))
        })
    }
}

impl Reader for EncordReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some((start, end)) = self.next_text()? else {
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
