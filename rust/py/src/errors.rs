//! The one error map: kinds of the core to the Python classes of `ropewalk.errors`.
//!
//! Each Python error carries the kind's `code` and its `fields`, so that programs need not read the text.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::IntoPyObjectExt;
use ropewalk_core::error::Error;
use ropewalk_core::rle::{PolygonError, RleError};
use serde::Serialize;
use serde_json::Value;

/// What went wrong with one item of a batch.
#[derive(Debug)]
pub(crate) enum ItemError {
    /// Run lengths or sizes.
    Rle(RleError),
    /// A ring or part, by its place in the item.
    Polygon(usize, PolygonError),
}

impl From<RleError> for ItemError {
    fn from(error: RleError) -> Self {
        Self::Rle(error)
    }
}

/// The Python error for item `index`, which the text names where there is more than one.
pub(crate) fn item_error(py: Python<'_>, error: &ItemError, index: usize, items: usize) -> PyErr {
    let place = if items > 1 {
        format!("item {index}: ")
    } else {
        String::new()
    };
    match error {
        ItemError::Rle(error) => {
            let class = match error {
                RleError::Size { .. } | RleError::Dense { .. } | RleError::Buffer { .. } => "SizeError",
                _ => "RleError",
            };
            raise_kind(
                py,
                class,
                &format!("{place}{error}"),
                error.code(),
                error,
                &[("index", index)],
            )
        }
        ItemError::Polygon(polygon, error) => {
            let message = format!("{place}polygon {polygon}: {error}");
            let places = [("index", index), ("polygon", *polygon)];
            raise_kind(py, "PolygonError", &message, error.code(), error, &places)
        }
    }
}

/// Builds `ropewalk.errors.<class>(message, code=..., **fields)`; `kind` gives the fields.
fn raise_kind(
    py: Python<'_>,
    class: &str,
    message: &str,
    code: &str,
    kind: &impl Serialize,
    places: &[(&str, usize)],
) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let arguments = PyDict::new(py);
        arguments.set_item("code", code)?;
        for (name, value) in places {
            arguments.set_item(name, value)?;
        }
        // Enums serialise as {"Kind": {field: value, ...}}.
        let kind = serde_json::to_value(kind).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        for (name, value) in kind
            .as_object()
            .and_then(|kind| kind.values().next()?.as_object())
            .into_iter()
            .flatten()
        {
            arguments.set_item(name, field(py, value)?)?;
        }
        let class = py.import("ropewalk.errors")?.getattr(class)?;
        Ok(PyErr::from_value(class.call((message,), Some(&arguments))?))
    };
    build().unwrap_or_else(|error| error)
}

/// A field's value in Python.
fn field<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Number(number) if number.is_u64() => number.as_u64().into_bound_py_any(py),
        Value::Number(number) if number.is_i64() => number.as_i64().into_bound_py_any(py),
        Value::Number(number) => number.as_f64().into_bound_py_any(py),
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(values) => values
            .iter()
            .map(|value| field(py, value))
            .collect::<PyResult<Vec<_>>>()?
            .into_bound_py_any(py),
        // NaN and infinity have no JSON number; the text names them.
        _ => Ok(py.None().into_bound(py)),
    }
}

/// The Python error for what stops the core.
pub(crate) fn to_py(py: Python<'_>, error: Error) -> PyErr {
    let class = match &error {
        Error::Io { .. } => "FileError",
        Error::Source { .. } | Error::Unknown { .. } => "SourceError",
        Error::Plan(_) | Error::Option { .. } | Error::OptionValue { .. } => "UsageError",
        Error::Stage(_) => "StageError",
        Error::LabelRow { .. } => "LabelRowError",
        Error::Schema { .. } => "SchemaError",
    };
    match message(py, &error) {
        Ok(message) => raised_as(py, class, &message),
        Err(failed) => failed,
    }
}

/// What an error says, with options spelt as the caller does.
fn message(py: Python<'_>, error: &Error) -> PyResult<String> {
    Ok(match error {
        Error::Option { option, format, takes } => {
            let takes = takes.iter().map(|name| spelt(py, name)).collect::<PyResult<Vec<_>>>()?;
            let option = spelt(py, option)?;
            format!("{format} does not take {option}; it takes {}", takes.join(", "))
        }
        Error::OptionValue { option, message } => format!("{} {message}", spelt(py, option)?),
        other => other.to_string(),
    })
}

/// An error of the class of `ropewalk.errors` that is called `class`.
pub(crate) fn raised_as(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let made = || py.import("ropewalk.errors")?.getattr(class)?.call1((message,));
    made().map_or_else(|failed| failed, PyErr::from_value)
}

/// An option's name as the caller spells it, in Python or on the command line.
fn spelt(py: Python<'_>, option: &str) -> PyResult<String> {
    py.import("ropewalk.options")?
        .call_method1("spelt", (option,))?
        .extract()
}
