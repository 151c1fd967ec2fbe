//! Tables: Parquet and Arrow files, and batches of Arrow from whoever makes them.

mod caught;
mod file_rows;
mod ipc;
mod parquet;
mod rows;

use std::ops::Range;

use arrow_array::RecordBatch;

use super::{Files, Format, Head, Opened, Opening, ReadOption, Sure};
use crate::batch::Unit;
use crate::error::{Error, Result};
use crate::source::{Frames, Source, SourceFile};

pub use file_rows::FileRows;
pub use ipc::{ArrowBatches, ArrowFile};
pub use parquet::{ParquetBatches, ParquetFile};
pub use rows::TableRows;

/// Tables of Parquet.
pub static PARQUET: Format = Format {
    name: "parquet",
    about: "Tables with Ropewalk's columns, in Parquet files",
    files: Files::Each(&[".parquet"]),
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |head| by(head, &[".parquet"], &[b"PAR1"]),
    open: |opening| open_file(opening, TableKind::Parquet),
};

/// Tables of Arrow IPC.
pub static ARROW: Format = Format {
    name: "arrow",
    about: "Tables with Ropewalk's columns, in Arrow IPC files",
    files: Files::Each(&[".arrow", ".ipc", ".feather"]),
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    // A stream begins with the mark of its first message.
    detect: |head| by(head, &[".arrow", ".ipc", ".feather"], &[b"ARROW1", &[0xff; 4]]),
    open: |opening| open_file(opening, TableKind::Arrow),
};

/// Tables that a program gives.
pub static IN_MEMORY: Format = Format {
    name: "table",
    about: "Tables with Ropewalk's columns, from a program",
    files: Files::None,
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |_| Sure::No,
    open: open_table,
};

/// Tells a table by the name of its file, or by what it begins with.
fn by(head: &Head, suffixes: &[&str], begins: &[&[u8]]) -> Sure {
    let is_named = suffixes.iter().any(|suffix| head.file_name.ends_with(suffix));
    if is_named || begins.iter().any(|begin| head.text.starts_with(begin)) {
        Sure::Yes
    } else {
        Sure::No
    }
}

fn open_file(opening: Opening<'_>, kind: TableKind) -> Result<Opened> {
    let Source::File(file) = &opening.source else {
        return Err(opening.wrong_source("a file"));
    };
    let file = TableFile::open(file, kind)?;
    Ok(Opened::reader(file.into_rows(opening.label, opening.options.unit)))
}

fn open_table(opening: Opening<'_>) -> Result<Opened> {
    let Source::Table(table) = opening.source else {
        return Err(opening.wrong_source("a table in memory"));
    };
    let label = opening.label.to_owned();
    let batches = table.batches.map(move |batch| {
        batch.map_err(|cause| Error::Schema {
            message: format!("{label}: {cause}"),
        })
    });
    let rows = TableRows::new(opening.label, batches);
    Ok(Opened::reader(rows.unit(opening.options.unit)))
}

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

    /// The rows of the whole file. `label` is the source of rows that name none, `unit` that of coordinates without one.
    pub fn into_rows(self, label: &str, unit: Option<Unit>) -> FileRows {
        FileRows::new(self, label, unit)
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
