//! Tables: Parquet and Arrow files, and batches of Arrow from whoever makes them.

mod caught;
mod ipc;
mod parquet;
mod rows;

use std::ops::Range;

use arrow_array::RecordBatch;

use crate::error::Result;
use crate::source::SourceFile;

pub use ipc::{ArrowBatches, ArrowFile};
pub use parquet::{ParquetBatches, ParquetFile};
pub use rows::TableRows;

/// How a file holds a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// Parquet.
    Parquet,
    /// Arrow IPC: a file, also called Feather version 2, or a stream.
    Arrow,
}

impl TableKind {
    /// Reads the name of a kind; none for a word that is not one.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "parquet" => Some(Self::Parquet),
            "arrow" => Some(Self::Arrow),
            _ => None,
        }
    }
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

    /// Rows by what the file says of itself; reading fails if there are others.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Parquet(file) => file.rows(),
            Self::Arrow(file) => file.rows(),
        }
    }

    /// Bytes of the file.
    pub fn len_bytes(&self) -> u64 {
        match self {
            Self::Parquet(file) => file.len_bytes(),
            Self::Arrow(file) => file.len_bytes(),
        }
    }

    /// Number of pieces that can be read by themselves, on any thread: row groups, or batches of Arrow.
    pub fn pieces(&self) -> usize {
        match self {
            Self::Parquet(file) => file.pieces(),
            Self::Arrow(file) => file.pieces(),
        }
    }

    /// The batches of some pieces, in their order.
    pub fn batches(&self, pieces: Range<usize>) -> TableBatches {
        match self {
            Self::Parquet(file) => TableBatches::Parquet(file.batches(pieces)),
            Self::Arrow(file) => TableBatches::Arrow(file.batches(pieces)),
        }
    }

    /// The rows of the whole file. `label` is the source of rows that name none.
    pub fn into_rows(self, label: &str) -> TableRows<TableBatches> {
        let batches = self.batches(0..self.pieces());
        TableRows::new(label, batches).stored(self.len_bytes(), self.rows())
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
