//! A file with a table in it, whichever way it holds one.

use std::ops::Range;

use arrow_array::RecordBatch;

use super::ipc::{ArrowBatches, ArrowFile};
use super::parquet::{ParquetBatches, ParquetFile};
use crate::error::Result;
use crate::source::SourceFile;

/// How a file holds a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// Parquet.
    Parquet,
    /// Arrow IPC: a file, also called Feather version 2, or a stream.
    Arrow,
}

/// An open file with a table in it. Copies share what was read of it.
#[derive(Debug, Clone)]
pub enum TableFile {
    /// Parquet.
    Parquet(ParquetFile),
    /// Arrow IPC.
    Arrow(ArrowFile),
}

impl TableFile {
    /// Opens a file: reads what it says of itself, and no rows.
    ///
    /// # Errors
    /// As [`ParquetFile::open`] and [`ArrowFile::open`].
    pub fn open(input: &SourceFile, kind: TableKind) -> Result<Self> {
        match kind {
            TableKind::Parquet => ParquetFile::open(input).map(Self::Parquet),
            TableKind::Arrow => ArrowFile::open(input).map(Self::Arrow),
        }
    }

    /// Of each piece, the rows of the file up to its end by what the file says of itself; reading fails if there are others.
    /// Pieces can be read by themselves, on any thread: row groups of Parquet, batches of Arrow.
    pub fn ends(&self) -> &[u64] {
        match self {
            Self::Parquet(file) => file.ends(),
            Self::Arrow(file) => file.ends(),
        }
    }

    /// Number of pieces.
    pub fn pieces(&self) -> usize {
        self.ends().len()
    }

    /// Rows before a piece.
    pub fn rows_before(&self, piece: usize) -> u64 {
        let before = piece.checked_sub(1).and_then(|last| self.ends().get(last));
        before.copied().unwrap_or(0)
    }

    /// Bytes of the file.
    pub fn len_bytes(&self) -> u64 {
        match self {
            Self::Parquet(file) => file.len_bytes(),
            Self::Arrow(file) => file.len_bytes(),
        }
    }

    /// The batches of some pieces, in their order.
    pub fn batches(&self, pieces: Range<usize>) -> TableBatches {
        match self {
            Self::Parquet(file) => TableBatches::Parquet(file.batches(pieces)),
            Self::Arrow(file) => TableBatches::Arrow(file.batches(pieces)),
        }
    }
}

/// The batches of a file. After an error there are none.
#[derive(Debug)]
pub enum TableBatches {
    /// Of Parquet.
    Parquet(ParquetBatches),
    /// Of Arrow IPC.
    Arrow(ArrowBatches),
}

impl Iterator for TableBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Parquet(batches) => batches.next(),
            Self::Arrow(batches) => batches.next(),
        }
    }
}
