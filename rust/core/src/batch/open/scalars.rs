//! Columns of texts, words and numbers in the types that other programs write.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Float64Array, PrimitiveArray, StringViewArray};
use arrow_cast::cast;
use arrow_schema::DataType;

use super::Reading;
use crate::error::Result;

const WHOLE: &str = "a whole number from 0 to 2^32 - 1";

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

impl Reading<'_> {
    /// A column of names: texts, or whole numbers as texts. None where it is missing.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<StringViewArray>> {
        let Some(column) = self.column(name) else {
            return Ok(None);
        };
        let data_type = column.data_type();
        let expected = "strings, or whole numbers for names";
        if !is_text(data_type) && !data_type.is_integer() {
            return Err(self.unfit(name, expected));
        }
        // Not every type is cast to views in one step.
        let text = cast(column, &DataType::Utf8).or_else(|_| cast(column, &DataType::LargeUtf8));
        let text = if matches!(data_type, DataType::Utf8View) {
            Ok(Arc::clone(column))
        } else {
            text.and_then(|text| cast(&text, &DataType::Utf8View))
        };
        let text = text.map_err(|_| self.unfit(name, expected))?;
        Ok(Some(text.as_string_view().clone()))
    }

    /// The words of a column; none where it is missing, null or wrong.
    pub(super) fn parsed<T: Copy>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<Option<T>>> {
        let Some(column) = self.column(name) else {
            return Ok(vec![None; self.rows()]);
        };
        if !is_text(column.data_type()) {
            return Err(self.unfit(name, &format!("strings: {expected}")));
        }
        let Some(column) = self.text(name)? else {
            return Ok(vec![None; self.rows()]);
        };
        let mut words = Vec::with_capacity(column.len());
        for (row, text) in column.iter().enumerate() {
            let word = text.and_then(&parse);
            if text.is_some() && word.is_none() {
                self.refuse(row, name, expected);
            }
            words.push(word);
        }
        Ok(words)
    }

    /// A column of whole numbers, also as floats without a fraction. None where it is missing.
    pub(super) fn whole<T: ArrowPrimitiveType>(&mut self, name: &'static str) -> Result<Option<PrimitiveArray<T>>> {
        let Some(column) = self.column(name).map(Arc::clone) else {
            return Ok(None);
        };
        let data_type = column.data_type();
        if *data_type == T::DATA_TYPE {
            return Ok(Some(column.as_primitive::<T>().clone()));
        }
        let cast_to =
            |column: &dyn Array, to: &DataType| cast(column, to).map_err(|_| self.unfit(name, "whole numbers"));
        // What is out of range becomes null.
        let numbers = if data_type.is_integer() {
            cast_to(&column, &T::DATA_TYPE)?
        } else if data_type.is_floating() {
            let floats = cast_to(&column, &DataType::Float64)?;
            let whole = floats.as_primitive::<Float64Type>();
            let whole: Float64Array = whole
                .iter()
                .map(|value| value.filter(|value| value.fract() == 0.0))
                .collect();
            cast_to(&whole, &T::DATA_TYPE)?
        } else {
            return Err(self.unfit(name, "whole numbers"));
        };
        let numbers = numbers.as_primitive::<T>().clone();
        for row in 0..column.len() {
            if column.is_valid(row) && numbers.is_null(row) {
                self.refuse(row, name, WHOLE);
            }
        }
        Ok(Some(numbers))
    }

    /// A column of numbers. None where it is missing.
    pub(super) fn float(&self, name: &'static str) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column(name) else {
            return Ok(None);
        };
        if !column.data_type().is_numeric() {
            return Err(self.unfit(name, "numbers"));
        }
        let cast = cast(column, &DataType::Float64).map_err(|_| self.unfit(name, "numbers"))?;
        Ok(Some(cast))
    }

    /// A column of bytes, also as texts. None where it is missing.
    pub(super) fn bytes(&self, name: &'static str) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column(name) else {
            return Ok(None);
        };
        let expected = "bytes or strings";
        let bytes = match column.data_type() {
            data_type if is_text(data_type) => match self.text(name)? {
                Some(text) => cast(&text, &DataType::BinaryView),
                None => return Ok(None),
            },
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => cast(column, &DataType::BinaryView),
            _ => return Err(self.unfit(name, expected)),
        };
        bytes.map(Some).map_err(|_| self.unfit(name, expected))
    }
}
