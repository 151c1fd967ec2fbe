//! The rows of a table: batches of Arrow with the columns that the rows need, whoever makes them.

use arrow_array::{BooleanArray, RecordBatch};
use serde_json::Value;

use crate::batch::{row_members, AnnotationBatch, AttributeValue, Defaults, Kind, OpenBatch, Said, Shape, Unit};
use crate::error::Result;
use crate::formats::{Batch, Reader};
use crate::reject::{Origin, Reject};

/// Most rows that are taken at a time, however large the batches are that a program hands over.
const MOST_ROWS: usize = 1 << 14;

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

impl<I: Iterator<Item = Result<RecordBatch>>> TableRows<I> {
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

    /// Counts rows from `first` on.
    #[must_use]
    pub fn from_row(mut self, first: u64) -> Self {
        self.rows_read = first;
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
                Some(table) => table?,
                None => return Ok(None),
            },
        };
        let rows = table.num_rows();
        if rows > MOST_ROWS {
            self.rest = Some(table.slice(MOST_ROWS, rows - MOST_ROWS));
        }
        Ok(Some(table.slice(0, rows.min(MOST_ROWS))))
    }
}

impl<I: Iterator<Item = Result<RecordBatch>> + Send> Reader for TableRows<I> {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some(table) = self.next_slice()? else {
            return Ok(None);
        };
        let defaults = Defaults {
            source: &self.label,
            first_offset: self.rows_read,
            unit: self.unit,
        };
        let opened = AnnotationBatch::from_open_table(&table, defaults).map_err(|cause| cause.in_file(&self.label))?;
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
