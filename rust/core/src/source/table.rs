//! What one source is: a file, or a table that a program gives.

use std::borrow::Cow;
use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::{Folder, SourceFile};

/// One source of predictions.
#[derive(Debug)]
pub enum Source {
    /// A file, or its content in memory.
    File(SourceFile),
    /// A folder of files.
    Folder(Folder),
    /// Rows that a program gives, batch by batch.
    Table(Table),
}

impl Source {
    /// The file; none for a table.
    pub fn file(&self) -> Option<&SourceFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Folder(_) | Self::Table(_) => None,
        }
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        match self {
            Self::File(file) => file.name(),
            Self::Folder(folder) => folder.path(),
            Self::Table(_) => "a table",
        }
    }

    /// Name of the file without folders, and without the suffix that says how it is compressed.
    pub fn file_name(&self) -> Option<Cow<'_, str>> {
        self.file().and_then(SourceFile::file_name)
    }
}

impl From<Folder> for Source {
    fn from(folder: Folder) -> Self {
        Self::Folder(folder)
    }
}

impl From<Table> for Source {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<SourceFile> for Source {
    fn from(file: SourceFile) -> Self {
        Self::File(file)
    }
}

/// A table in batches, from whoever makes them.
pub struct Table {
    /// The batches, in their order.
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
}

impl Table {
    /// A table of these batches.
    pub fn new(batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static) -> Self {
        Self {
            batches: Box::new(batches),
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}
