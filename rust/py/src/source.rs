//! Sources as Python gives them: files, their content, and tables.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::ArrowError;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyString};
use pyo3_arrow::input::AnyRecordBatch;
use ropewalk_core::error::Error;
use ropewalk_core::source::{Folder, Naming, Source, SourceFile, Table};

use crate::errors::raised_as;

/// Parts of a path that make a label, where it is not said how many.
pub(crate) const LABEL_PARTS: usize = 2;

/// What errors call content without a label.
const IN_MEMORY: &str = "what is in memory";

/// How documents get their labels: all this one, or each the last parts of its path.
pub(crate) fn naming(label: Option<&str>, parts: usize) -> Naming {
    label.map_or(Naming::Path(parts), Naming::from)
}

/// A file or folder, the content of a file, or a table.
pub(crate) enum Given {
    Path(PathBuf),
    Content(Vec<u8>),
    Table(Tables),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given {
    type Error = PyErr;

    // Not derived: that makes a TypeError of whatever is raised on the way, also of a ctrl-C inside `__fspath__`.
    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(content) = given.cast::<PyBytes>() {
            return Ok(Self::Content(content.as_bytes().to_vec()));
        }
        if given.is_instance_of::<PyString>() || given.hasattr("__fspath__")? {
            return given.extract().map(Self::Path);
        }
        Tables::of(&given).map(Self::Table)
    }
}

impl Given {
    /// The core's source; folders are listed. Errors call content by `label`; what Python raises while it gives a table is kept
    /// in `raised`.
    pub(crate) fn into_source(self, label: Option<&str>, raised: &Raised) -> Result<Source, Error> {
        Ok(match self {
            Self::Path(path) if Folder::is_at(&path) => Folder::at(&path)?.into(),
            Self::Path(path) => SourceFile::path(path).into(),
            Self::Content(bytes) => SourceFile::bytes(label.unwrap_or(IN_MEMORY), bytes).into(),
            Self::Table(tables) => Source::Table(Table::new(Batches::new(tables, raised))),
        })
    }
}

/// What Python raised while the core was at work; it travels around the core, which knows nothing of it.
#[derive(Clone, Default)]
pub(crate) struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    /// Keeps an error.
    pub(crate) fn keep(&self, error: PyErr) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Raises what was kept.
    pub(crate) fn raise(&self) -> PyResult<()> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.map_or(Ok(()), Err)
    }
}

type Reader = Box<dyn RecordBatchReader + Send>;

/// A table, or an iterable that gives one piece by piece.
pub(crate) enum Tables {
    One(Reader),
    Many(Py<PyIterator>),
}

impl Tables {
    fn of(tables: &Bound<'_, PyAny>) -> PyResult<Self> {
        if is_table(tables)? {
            return Ok(Self::One(reader_of(tables)?));
        }
        match tables.try_iter() {
            Ok(iterator) => Ok(Self::Many(iterator.unbind())),
            Err(_) => Err(PyTypeError::new_err(format!(
                "expected a file, its content, a table with `__arrow_c_stream__` or `__arrow_c_array__`, or an iterable of \
                 such, not {}",
                tables.get_type().name()?
            ))),
        }
    }
}

fn is_table(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.hasattr("__arrow_c_stream__")? || value.hasattr("__arrow_c_array__")?)
}

fn reader_of(table: &Bound<'_, PyAny>) -> PyResult<Reader> {
    let reader = table.extract::<AnyRecordBatch>().and_then(AnyRecordBatch::into_reader);
    reader.map_err(|error| not_a_panic(table.py(), error))
}

/// An error of Ropewalk's in place of a panic in the library that makes a table, which `except Exception` does not catch.
fn not_a_panic(py: Python<'_>, error: PyErr) -> PyErr {
    let class = error.get_type(py);
    let is_panic = class.name().is_ok_and(|name| name == "PanicException");
    if !is_panic {
        return error;
    }
    let message = format!("the library that makes this table failed, and its rows are not complete: {error}");
    raised_as(py, "SourceError", &message)
}

/// The batches of a table, or of one table after the other.
struct Batches {
    current: Option<Reader>,
    more: Option<Py<PyIterator>>,
    raised: Raised,
}

impl Batches {
    fn new(tables: Tables, raised: &Raised) -> Self {
        let (current, more) = match tables {
            Tables::One(reader) => (Some(reader), None),
            Tables::Many(iterator) => (None, Some(iterator)),
        };
        Self {
            current,
            more,
            raised: raised.clone(),
        }
    }

    fn next_table(&self) -> PyResult<Option<Reader>> {
        let Some(more) = &self.more else { return Ok(None) };
        Python::attach(|py| {
            py.check_signals()?;
            match more.bind(py).clone().next() {
                Some(Ok(table)) => reader_of(&table).map(Some),
                Some(Err(error)) => Err(not_a_panic(py, error)),
                None => Ok(None),
            }
        })
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.current.as_mut().and_then(Iterator::next) {
                return Some(batch);
            }
            self.current = match self.next_table() {
                Ok(Some(reader)) => Some(reader),
                Ok(None) => return None,
                Err(error) => {
                    self.raised.keep(error);
                    return Some(Err(ArrowError::ExternalError("stopped".into())));
                }
            };
        }
    }
}
