//! Run lengths as they come from Python.

use std::borrow::Cow;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use ropewalk_core::rle::{Order, Rle, RleError, Size};

/// Characters of an invalid list of run lengths that its error shows.
const SHOWN_CHARS: usize = 80;

/// Run lengths as they come from Python.
pub(crate) enum Counts<'py> {
    /// The compressed string.
    Text(Cow<'py, [u8]>),
    /// A list of run lengths.
    List(Vec<i64>),
    /// A list of numbers that are none.
    Wrong(RleError),
}

impl<'py> Counts<'py> {
    /// Takes a str, bytes or a list of whole numbers, which may be floats.
    pub fn read(value: &'py Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            // A lone surrogate cannot be UTF-8; its replacement is outside the alphabet, and is reported so.
            return Ok(Self::Text(match text.to_str() {
                Ok(text) => Cow::Borrowed(text.as_bytes()),
                Err(_) => Cow::Owned(text.to_string_lossy().into_owned().into_bytes()),
            }));
        }
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Self::Text(Cow::Borrowed(bytes.as_bytes())));
        }
        match value.extract() {
            Ok(runs) => Ok(Self::List(runs)),
            // Beyond 64 bits a run is as wrong as the largest one of 64 bits: its sum is reported.
            Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => value
                .try_iter()?
                .map(|run| {
                    let run = run?;
                    run.extract()
                        .or_else(|_| Ok(if run.lt(0)? { i64::MIN } else { i64::MAX }))
                })
                .collect::<PyResult<_>>()
                .map(Self::List),
            Err(_) => match value.extract::<Vec<f64>>() {
                Ok(runs) => Ok(Self::of_floats(&runs)),
                Err(_) => Err(PyTypeError::new_err(format!(
                    "run lengths are a str, bytes or a list of whole numbers, not {}: {}",
                    value.get_type().name()?,
                    value
                        .repr()?
                        .to_string_lossy()
                        .chars()
                        .take(SHOWN_CHARS)
                        .collect::<String>()
                ))),
            },
        }
    }

    /// Run lengths that went through a program which knows floats alone.
    fn of_floats(runs: &[f64]) -> Self {
        match runs.iter().position(|run| run.fract() != 0.0) {
            Some(run) => Self::Wrong(RleError::Fraction { run, value: runs[run] }),
            None => Self::List(runs.iter().map(|&run| run as i64).collect()),
        }
    }

    /// Reads the mask.
    pub fn decode<O: Order>(&self, size: Size) -> Result<Rle<O>, RleError> {
        match self {
            Self::Text(text) => Rle::from_string(text, size),
            Self::List(runs) => Rle::from_counts(runs, size),
            Self::Wrong(error) => Err(error.clone()),
        }
    }
}
