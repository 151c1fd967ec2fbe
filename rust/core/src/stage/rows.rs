//! Rows as they come, and where their bytes lie.

use super::record::{write, Key, StagedRow};
use crate::source::TextSpan;

/// A row's key, and where its bytes lie: taken apart it is a quarter smaller than with a [`Key`] in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub object: u128,
    pub offset: u64,
    pub label_row: u32,
    pub frame: u32,
    pub source: u32,
    pub place: Place,
}

/// Where a row's bytes lie: in which batch, and from where to where in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub batch: u32,
    pub start: u32,
    pub end: u32,
}

impl Entry {
    pub fn key(&self) -> Key {
        Key {
            label_row: self.label_row,
            frame: self.frame,
            object: self.object,
            source: self.source,
            offset: self.offset,
        }
    }
}

/// Rows in the order in which they came.
#[derive(Debug, Default)]
pub struct StagedRows {
    pub(super) arena: Vec<u8>,
    pub(super) entries: Vec<Entry>,
}

impl StagedRows {
    /// None, with room for so many rows of so many bytes in all.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            arena: Vec::with_capacity(bytes),
            entries: Vec::with_capacity(rows),
        }
    }

    /// Adds a row. `text` says where the annotation lies in its source.
    pub fn push(&mut self, row: &StagedRow<'_>, text: TextSpan) {
        self.push_named(row, text, 0);
    }

    /// Adds a row that a name with this number led to its medium: [`super::StageBuilder::finish_with`] may refuse it.
    pub fn push_named(&mut self, row: &StagedRow<'_>, text: TextSpan, name: u32) {
        let start = self.arena.len();
        write(row, text, name, &mut self.arena);
        let key = row.key;
        self.entries.push(Entry {
            object: key.object,
            offset: key.offset,
            label_row: key.label_row,
            frame: key.frame,
            source: key.source,
            // Appending refuses batches that these do not reach.
            place: Place {
                batch: 0,
                start: start as u32,
                end: self.arena.len() as u32,
            },
        });
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Bytes of rows, batch by batch as they came: put together they would be copied, onto fresh memory.
#[derive(Debug, Default)]
pub(super) struct Batches(pub Vec<Vec<u8>>);

impl Batches {
    pub fn row(&self, place: Place) -> &[u8] {
        &self.0[place.batch as usize][place.start as usize..place.end as usize]
    }
}
