//! A table as a source: batches of Arrow with the columns that its rows need, from whoever makes them.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use serde_json::Value;

use super::{Batch, Files, Format, Head, Opened, Opening, ReadOption, Reader, Sure};
use crate::batch::{row_members, AnnotationBatch, AttributeValue, Defaults, Kind, OpenBatch, Said, Shape, Unit};
use crate::error::{Error, Result};
use crate::reject::{Origin, Reject};
use crate::source::{Frames, Source};

/// Most rows that are taken at a time, however large the batches are that a program hands over.
const MOST_ROWS: usize = 1 << 14;

/// Tables of Parquet.
pub static PARQUET: Format = Format {
    name: "parquet",
    about: "Tables with Ropewalk's columns, in Parquet files",
    files: Files::Each(&[".parquet"]),
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |head| by(head, &[".parquet"], b"PAR1"),
    open,
};

/// Tables of Arrow IPC.
pub static ARROW: Format = Format {
    name: "arrow",
    about: "Tables with Ropewalk's columns, in Arrow IPC files",
    files: Files::Each(&[".arrow", ".ipc", ".feather"]),
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |head| by(head, &[".arrow", ".ipc", ".feather"], b"ARROW1"),
    open,
};

/// Tables that a program gives.
pub static IN_MEMORY: Format = Format {
    name: "table",
    about: "Tables with Ropewalk's columns, from a program",
    files: Files::None,
    options: &[ReadOption::Unit],
    frames: Frames::FROM_0,
    detect: |_| Sure::No,
    open,
};

/// Tells a table by the name of its file, or by what it begins with.
fn by(head: &Head, suffixes: &[&str], magic: &[u8]) -> Sure {
    let is_named = suffixes.iter().any(|suffix| head.file_name.ends_with(suffix));
    if is_named || head.text.starts_with(magic) {
        Sure::Yes
    } else {
        Sure::No
    }
}

fn open(opening: Opening<'_>) -> Result<Opened> {
    let Source::Table(table) = opening.source else {
        return Err(opening.wrong_source("the rows of a table, which Python reads from the file"));
    };
    let rows = TableRows::new(opening.label, table.batches);
    Ok(Opened::reader(rows.unit(opening.options.unit)))
}

/// The rows of a table.
pub struct TableRows<I> {
    label: String,
    batches: I,
    unit: Option<Unit>,
    /// What is left of the batch that was taken last.
    rest: Option<RecordBatch>,
    rows_read: u64,
    /// Bytes as stored and rows, where they are known.
    size: Option<(u64, u64)>,
}

impl<I: Iterator<Item = std::result::Result<RecordBatch, ArrowError>>> TableRows<I> {
    /// Takes a table as the batches that it consists of. `label` is the source of rows that name none.
    pub fn new(label: &str, batches: I) -> Self {
        Self {
            label: label.to_owned(),
            batches,
            unit: None,
            rest: None,
            rows_read: 0,
            size: None,
        }
    }

    /// Takes coordinates of rows that do not say their unit to be in `unit`.
    #[must_use]
    pub fn unit(mut self, unit: Option<Unit>) -> Self {
        self.unit = unit;
        self
    }

    /// Makes [`Reader::bytes_read`] tell of a table of so many rows that is stored in so many bytes.
    #[must_use]
    pub fn stored(mut self, len_bytes: u64, rows: u64) -> Self {
        self.size = Some((len_bytes, rows));
        self
    }

    fn next_slice(&mut self) -> Result<Option<RecordBatch>> {
        let table = match self.rest.take() {
            Some(rest) => rest,
            None => match self.batches.next() {
                Some(table) => table.map_err(|cause| self.named(cause.to_string()))?,
                None => return Ok(None),
            },
        };
        let rows = table.num_rows();
        if rows > MOST_ROWS {
            self.rest = Some(table.slice(MOST_ROWS, rows - MOST_ROWS));
        }
        Ok(Some(table.slice(0, rows.min(MOST_ROWS))))
    }

    fn named(&self, message: String) -> Error {
        Error::Schema {
            message: format!("{}: {message}", self.label),
        }
    }
}

impl<I: Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send> Reader for TableRows<I> {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some(table) = self.next_slice()? else {
            return Ok(None);
        };
        let defaults = Defaults {
            source: &self.label,
            first_offset: self.rows_read,
            unit: self.unit,
        };
        let opened = AnnotationBatch::from_open_table(&table, defaults).map_err(|cause| match cause {
            Error::Schema { message } => self.named(message),
            other => other,
        })?;
        self.rows_read += table.num_rows() as u64;
        without_wrong(opened).map(Some)
    }

    fn bytes_read(&self) -> u64 {
        match self.size {
            Some((len_bytes, rows)) if rows > 0 => {
                (u128::from(len_bytes) * u128::from(self.rows_read.min(rows)) / u128::from(rows)) as u64
            }
            _ => 0,
        }
    }
}

/// Turns rows with a value that is none into rejects.
fn without_wrong(opened: OpenBatch) -> Result<Batch> {
    let OpenBatch {
        batch,
        wrong,
        frameless,
    } = opened;
    if wrong.is_empty() {
        return Ok(Batch {
            frameless,
            ..Batch::new(batch)
        });
    }
    let mut keep = vec![true; batch.len()];
    let mut rejects = Vec::with_capacity(wrong.len());
    for value in wrong {
        keep[value.row] = false;
        let row = batch.row(value.row);
        let attributes: Vec<AttributeValue<'_>> = batch.attributes(value.row).collect();
        let mut members = row_members(&row, &attributes);
        // What such a row is can only be told once it is mended.
        let Said { kind, shape, unit } = value.said;
        for (name, word) in [
            ("kind", kind.map(Kind::as_str)),
            ("shape", shape.map(Shape::as_str)),
            ("unit", unit.map(Unit::as_str)),
        ] {
            match word {
                Some(word) => members.insert(name.to_owned(), word.into()),
                None => members.remove(name),
            };
        }
        if let Some((name, found)) = value.found {
            members.insert(name.to_owned(), found);
        }
        let origin = Origin::of(row.source);
        let text = Value::Object(members).to_string();
        rejects.push(Reject::new(
            value.reason,
            &origin,
            row.offset,
            row.annotation_id,
            Some(text.as_bytes()),
        ));
    }
    let mut kept = keep.iter();
    let frameless = frameless
        .into_iter()
        .filter(|_| *kept.next().unwrap_or(&true))
        .collect();
    let rows = Batch::new(batch.filtered(&BooleanArray::from(keep))?);
    Ok(Batch {
        rejects,
        frameless,
        ..rows
    })
}
