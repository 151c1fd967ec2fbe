//! Tables of the IR, as other programs write them: columns of any of their types, slices, nulls in every place.
//!
//! Files (Parquet, Arrow) are read by polars, so that what reaches the core are arrays that follow Arrow's own rules but
//! hold anything; the input's bytes say what. See [`super::ir_columns`] for the columns.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use ropewalk_core::batch::{Annotation, AnnotationBatch, AnnotationBatchBuilder, VERSION_KEY};

use super::ir_columns::{Columns, Row};
use crate::bytes::Bytes;
use crate::memory::within;

pub(super) const WORDS: &[&str] = &["refused", "refused for what is not used", "taken"];

/// Bytes that taking a table may hold: its columns in the schema's types.
fn taking_bytes(table: &RecordBatch) -> usize {
    16 * table.get_array_memory_size() + (1 << 16)
}

/// Takes a table in any types, and as it is.
pub fn ir_table(input: &[u8]) -> &'static str {
    let mut bytes = Bytes(input);
    let (before, rows, after) = (bytes.below(3), bytes.below(7), bytes.below(3));
    let (left_out, turned, version) = (usize::from(bytes.byte()), bytes.byte(), bytes.byte());
    let mut columns = Columns::draw(&mut bytes, before..before + rows, before + rows + after);
    if left_out < columns.arrays.len() {
        columns.arrays.remove(left_out);
        columns.must_fail = true;
    }
    if turned % 2 == 1 {
        columns.arrays.reverse();
    }
    let metadata = match version % 4 {
        0 => Some("2"),
        1 => Some("1"),
        _ => None,
    };
    columns.must_fail |= metadata == Some("2");
    let fields = columns
        .arrays
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let metadata = metadata.map(|version| (VERSION_KEY.to_owned(), version.to_owned()));
    let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata.into_iter().collect());
    let arrays = columns.arrays.iter().map(|(_, array)| array.clone()).collect();
    let table = RecordBatch::try_new(Arc::new(schema), arrays).map(|table| table.slice(before, rows));
    let Ok(table) = table else { panic!("{table:?}") };
    let most = taking_bytes(&table);
    let as_it_is = within(most, || AnnotationBatch::try_from_record_batch(table.clone()));
    let taken = within(most, || AnnotationBatch::from_table(&table));
    match taken {
        Ok(taken) => {
            assert!(!columns.must_fail, "a table was taken that should not be: {table:?}");
            check(&taken, &columns.rows);
            if let Ok(batch) = as_it_is {
                check(&batch, &columns.rows);
            }
            "taken"
        }
        Err(error) => {
            assert!(columns.must_fail || columns.may_fail, "{error}: {table:?}");
            assert!(as_it_is.is_err());
            if columns.must_fail {
                "refused"
            } else {
                "refused for what is not used"
            }
        }
    }
}

/// A batch has the rows that were drawn, and so has one that is built of its rows.
fn check(batch: &AnnotationBatch, rows: &[Row]) {
    assert_eq!(batch.len(), rows.len());
    let mut builder = AnnotationBatchBuilder::new();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(shown(&batch.row(index)), row.shown());
        builder.push(&batch.row(index));
    }
    match builder.finish() {
        Ok(built) => (0..rows.len()).for_each(|row| assert_eq!(shown(&built.row(row)), shown(&batch.row(row)))),
        Err(error) => panic!("{error}"),
    }
}

/// A row and its coordinates: offsets into shared buffers are left out.
fn shown(row: &Annotation<'_>) -> (String, Option<Vec<Vec<Vec<f64>>>>) {
    let parts = row
        .points
        .map(|points| points.iter().map(|part| part.map(<[f64]>::to_vec).collect()).collect());
    (format!("{:?}", Annotation { points: None, ..*row }), parts)
}
