//! The column of answers: lists of names, values and frames.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, ListArray, StringViewArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType};

use super::columns::{attribute_fields, item_field};
use super::AttributeValue;

/// The column under its types.
#[derive(Debug, Clone)]
pub(super) struct AttributesColumn {
    rows: ListArray,
    name: StringViewArray,
    value: StringViewArray,
    frame: UInt32Array,
    frame_last: UInt32Array,
}

impl AttributesColumn {
    /// Takes the column; none where all its rows are null. An error names what is null that may not be.
    pub fn new(column: &ArrayRef) -> Result<Option<Self>, &'static str> {
        let rows = column.as_list::<i32>();
        if rows.null_count() == rows.len() {
            return Ok(None);
        }
        let items = rows.values().as_struct();
        let name = items.column(0).as_string_view().clone();
        if items.null_count() > 0 || name.null_count() > 0 {
            return Err("holds a null item or name; expected none");
        }
        Ok(Some(Self {
            rows: rows.clone(),
            name,
            value: items.column(1).as_string_view().clone(),
            frame: items.column(2).as_primitive::<UInt32Type>().clone(),
            frame_last: items.column(3).as_primitive::<UInt32Type>().clone(),
        }))
    }

    /// The answers of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = AttributeValue<'_>> {
        let [start, end] = [row, row + 1].map(|at| self.rows.value_offsets()[at] as usize);
        let number = |column: &UInt32Array, at| column.is_valid(at).then(|| column.value(at));
        let there = if self.rows.is_valid(row) { start..end } else { 0..0 };
        there.map(move |at| AttributeValue {
            name: self.name.value(at),
            value: self.value.is_valid(at).then(|| self.value.value(at)),
            frame: number(&self.frame, at),
            frame_last: number(&self.frame_last, at),
        })
    }
}

/// Collects the column; it costs nothing where no row has answers.
#[derive(Default)]
pub(super) struct AttributesBuilder {
    name: Vec<String>,
    value: Vec<Option<String>>,
    frame: Vec<Option<u32>>,
    frame_last: Vec<Option<u32>>,
    /// Row and number of items of each row that has any.
    rows: Vec<(usize, usize)>,
}

impl AttributesBuilder {
    /// Adds the answers of row `row`.
    pub fn push(&mut self, row: usize, attributes: &[AttributeValue<'_>]) {
        if attributes.is_empty() {
            return;
        }
        self.rows.push((row, attributes.len()));
        for attribute in attributes {
            self.name.push(attribute.name.to_owned());
            self.value.push(attribute.value.map(str::to_owned));
            self.frame.push(attribute.frame);
            self.frame_last.push(attribute.frame_last);
        }
    }

    /// Makes the column of `rows` rows; none where none has answers.
    pub fn take(&mut self, rows: usize) -> Result<Option<ArrayRef>, ArrowError> {
        let Self {
            name,
            value,
            frame,
            frame_last,
            rows: filled,
        } = std::mem::take(self);
        if filled.is_empty() {
            return Ok(None);
        }
        let mut lengths = vec![0; rows];
        for &(row, items) in &filled {
            lengths[row] = items;
        }
        let valid: NullBuffer = lengths.iter().map(|&items| items > 0).collect::<Vec<_>>().into();
        let items = StructArray::try_new(
            attribute_fields(),
            vec![
                Arc::new(name.iter().map(Some).collect::<StringViewArray>()),
                Arc::new(value.iter().map(Option::as_deref).collect::<StringViewArray>()),
                Arc::new(UInt32Array::from(frame)),
                Arc::new(UInt32Array::from(frame_last)),
            ],
            None,
        )?;
        let field = item_field(DataType::Struct(attribute_fields()));
        let lists = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), Arc::new(items), Some(valid))?;
        Ok(Some(Arc::new(lists)))
    }
}
