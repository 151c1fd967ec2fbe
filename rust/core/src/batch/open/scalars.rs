//! Columns of texts, words and numbers in the types that other programs write.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Float64Array, PrimitiveArray, StringViewArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType};

use super::Reading;
use crate::error::Result;

const WHOLE: &str = "a whole number from 0 to 2^32 - 1";
const NAMES: &str = "strings or whole numbers";

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Floats beyond this do not tell each whole number from the next.
const MOST_EXACT: f64 = 9e15;

/// The whole number that a float is.
fn whole_of(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < MOST_EXACT).then_some(value as i64)
}

/// A column of texts, of numbers too, as views.
fn views(column: &ArrayRef) -> std::result::Result<StringViewArray, ArrowError> {
    if matches!(column.data_type(), DataType::Utf8View) {
        return Ok(column.as_string_view().clone());
    }
    // Not every type is cast to views in one step.
    let text = cast(column, &DataType::Utf8).or_else(|_| cast(column, &DataType::LargeUtf8))?;
    Ok(cast(&text, &DataType::Utf8View)?.as_string_view().clone())
}

impl Reading<'_> {
    /// A column of names: texts, or whole numbers as texts, of floats too, in which NaN is a missing number. None where it is
    /// missing.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<StringViewArray>> {
        let Some(column) = self.column(name).map(Arc::clone) else {
            return Ok(None);
        };
        let data_type = column.data_type();
        if data_type.is_floating() || data_type.is_decimal() {
            return self.text_of_floats(name, &column).map(Some);
        }
        if !is_text(data_type) && !data_type.is_integer() {
            return Err(self.unfit(name, NAMES));
        }
        views(&column).map(Some).map_err(|_| self.unfit(name, NAMES))
    }

    fn text_of_floats(&mut self, name: &'static str, column: &ArrayRef) -> Result<StringViewArray> {
        let floats = cast(column, &DataType::Float64).map_err(|_| self.unfit(name, NAMES))?;
        let mut texts = StringViewBuilder::with_capacity(floats.len());
        for (row, value) in floats.as_primitive::<Float64Type>().iter().enumerate() {
            let given = value.filter(|value| !value.is_nan());
            let whole = given.and_then(whole_of);
            if given.is_some() && whole.is_none() {
                self.refuse(row, name, NAMES);
            }
            texts.append_option(whole.map(|whole| whole.to_string()));
        }
        Ok(texts.finish())
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
        let unfit = || self.unfit(name, &format!("strings: {expected}"));
        if !is_text(column.data_type()) {
            return Err(unfit());
        }
        let column = views(column).map_err(|_| unfit())?;
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

    /// A column of whole numbers, also as floats without a fraction or as texts. None where it is missing.
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
        } else if data_type.is_floating() || data_type.is_decimal() || is_text(data_type) {
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

    /// A column of numbers, also as texts. None where it is missing.
    pub(super) fn float(&mut self, name: &'static str) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column(name).map(Arc::clone) else {
            return Ok(None);
        };
        if !column.data_type().is_numeric() && !is_text(column.data_type()) {
            return Err(self.unfit(name, "numbers"));
        }
        let numbers = cast(&column, &DataType::Float64).map_err(|_| self.unfit(name, "numbers"))?;
        if numbers.null_count() > column.null_count() {
            for row in (0..column.len()).filter(|&row| column.is_valid(row) && numbers.is_null(row)) {
                self.refuse(row, name, "a number");
            }
        }
        Ok(Some(numbers))
    }

    /// A column of bytes, also as texts. None where it is missing.
    pub(super) fn bytes(&self, name: &'static str) -> Result<Option<ArrayRef>> {
        let Some(column) = self.column(name) else {
            return Ok(None);
        };
        let expected = "bytes or strings";
        let bytes = match column.data_type() {
            data_type if is_text(data_type) => views(column).and_then(|text| cast(&text, &DataType::BinaryView)),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => cast(column, &DataType::BinaryView),
            _ => return Err(self.unfit(name, expected)),
        };
        bytes.map(Some).map_err(|_| self.unfit(name, expected))
    }
}
