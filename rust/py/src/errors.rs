//! The one map from the core's errors to Python's: each kind arrives under its own class of `ropewalk.errors`.

use pyo3::prelude::*;
use ropewalk_core::error::Error;

/// Makes the Python exception for an error of the core.
pub(crate) fn to_py(py: Python<'_>, error: Error) -> PyErr {
    let class = match &error {
        Error::Io { .. } => "FileError",
        Error::Source { .. } => "SourceError",
        Error::Plan(_) => "UsageError",
        Error::Stage(_) => "StageError",
        Error::LabelRow { .. } => "LabelRowError",
        Error::Schema { .. } => "SchemaError",
    };
    raise(py, class, error.to_string())
}

/// An exception of the class named `class` in `ropewalk.errors`.
pub(crate) fn raise(py: Python<'_>, class: &str, message: String) -> PyErr {
    let made = || py.import("ropewalk.errors")?.getattr(class)?.call1((message,));
    match made() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
