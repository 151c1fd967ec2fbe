//! Rows of the IR as sources: tables of whoever makes them, and lines of JSON.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, RecordBatchReader};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};
use pyo3_arrow::input::AnyRecordBatch;
use ropewalk_core::batch::Unit;
use ropewalk_core::error::Error;
use ropewalk_core::formats::encord::EncordReader;
use ropewalk_core::formats::json_names::{sniff, JsonKind};
use ropewalk_core::formats::ndjson::NdjsonRows;
use ropewalk_core::formats::table::{TableFile, TableKind, TableRows};
use ropewalk_core::formats::RowSource;

use crate::batch::AnnotationBatch;
use crate::coco::CocoSource;
use crate::errors::{raised_as, to_py};
use crate::found::Found;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<RowPredictions>()?;
    m.add_function(wrap_pyfunction!(read_table, m)?)?;
    m.add_function(wrap_pyfunction!(read_ndjson, m)?)?;
    m.add_function(wrap_pyfunction!(read_label_rows, m)?)?;
    m.add_function(wrap_pyfunction!(sniff_json, m)?)
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
enum Tables {
    One(Reader),
    Many(Py<PyIterator>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Tables {
    type Error = PyErr;

    fn extract(tables: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if is_table(&tables)? {
            return Ok(Self::One(reader_of(&tables)?));
        }
        match tables.try_iter() {
            Ok(iterator) => Ok(Self::Many(iterator.unbind())),
            Err(_) => Err(PyTypeError::new_err(format!(
                "expected a table with `__arrow_c_stream__` or `__arrow_c_array__`, or an iterable of such, not {}",
                tables.get_type().name()?
            ))),
        }
    }
}

fn is_table(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.hasattr("__arrow_c_stream__")? || value.hasattr("__arrow_c_array__")?)
}

fn reader_of(table: &Bound<'_, PyAny>) -> PyResult<Reader> {
    let reader = table
        .extract::<AnyRecordBatch>()
        .and_then(|table| Ok(table.into_reader()?));
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
    label: String,
    raised: Raised,
}

impl Batches {
    fn new(tables: Tables, label: &str, raised: &Raised) -> Self {
        let (current, more) = match tables {
            Tables::One(reader) => (Some(reader), None),
            Tables::Many(iterator) => (None, Some(iterator)),
        };
        Self {
            current,
            more,
            label: label.to_owned(),
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
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.current.as_mut().and_then(Iterator::next) {
                return Some(batch.map_err(|cause| Error::Schema {
                    message: format!("{}: {cause}", self.label),
                }));
            }
            self.current = match self.next_table() {
                Ok(Some(reader)) => Some(reader),
                Ok(None) => return None,
                Err(error) => {
                    self.raised.keep(error);
                    return Some(Err(Error::Stage("stopped".into())));
                }
            };
        }
    }
}

/// The unit that an option names.
pub(crate) fn unit_of(unit: Option<&str>) -> PyResult<Option<Unit>> {
    unit.map(|word| {
        Unit::parse(word).ok_or_else(|| PyValueError::new_err(format!("unit is {word:?}; expected px or frac")))
    })
    .transpose()
}

/// Say what a file of JSON holds: "coco", "ndjson" or "encord".
#[pyfunction]
fn sniff_json(py: Python<'_>, source: CocoSource) -> &'static str {
    let input = source.into_input("");
    match py.detach(|| sniff(&input)) {
        JsonKind::Coco => "coco",
        JsonKind::Ndjson => "ndjson",
        JsonKind::Encord => "encord",
    }
}

/// The rows of a table: of a file of `kind`, or of one in memory where there is none.
pub(crate) fn table_rows(
    table: &Bound<'_, PyAny>,
    label: &str,
    unit: Option<&str>,
    kind: Option<&str>,
    raised: &Raised,
) -> PyResult<Box<dyn RowSource + Send>> {
    let py = table.py();
    let unit = unit_of(unit)?;
    let Some(kind) = kind else {
        let batches = Batches::new(table.extract()?, label, raised);
        return Ok(Box::new(TableRows::new(label, batches).unit(unit)));
    };
    let kind = TableKind::parse(kind)
        .ok_or_else(|| PyValueError::new_err(format!("kind is {kind:?}; expected parquet or arrow")))?;
    let input = table.extract::<CocoSource>()?.into_input(label);
    let file = py.detach(|| TableFile::open(&input, kind)).map_err(|e| to_py(py, e))?;
    Ok(Box::new(file.into_rows(label).unit(unit)))
}

/// Open a table for reading in batches.
#[pyfunction]
#[pyo3(signature = (table, label, unit=None, kind=None))]
fn read_table(
    table: &Bound<'_, PyAny>,
    label: &str,
    unit: Option<&str>,
    kind: Option<&str>,
) -> PyResult<RowPredictions> {
    let raised = Raised::default();
    let rows = table_rows(table, label, unit, kind, &raised)?;
    Ok(RowPredictions::new(rows, raised))
}

/// Open lines of JSON for reading in batches.
#[pyfunction]
#[pyo3(signature = (source, label, unit=None))]
fn read_ndjson(py: Python<'_>, source: CocoSource, label: &str, unit: Option<&str>) -> PyResult<RowPredictions> {
    let unit = unit_of(unit)?;
    let input = source.into_input(label);
    let rows = py.detach(|| NdjsonRows::open(&input, label, unit));
    let rows = rows.map_err(|e| to_py(py, e))?;
    Ok(RowPredictions::new(Box::new(rows), Raised::default()))
}

/// Open Encord's label rows for reading in batches.
#[pyfunction]
fn read_label_rows(py: Python<'_>, source: CocoSource, label: &str) -> PyResult<RowPredictions> {
    let input = source.into_input(label);
    let rows = py.detach(|| EncordReader::open(&input, label, None));
    let rows = rows.map_err(|e| to_py(py, e))?;
    Ok(RowPredictions::new(Box::new(rows), Raised::default()))
}

/// Batches of rows that are checked.
#[pyclass(module = "ropewalk._core")]
struct RowPredictions {
    /// In a lock only because Python may share the object; it is never held by two.
    source: Mutex<Box<dyn RowSource + Send>>,
    raised: Raised,
    found: Found,
}

impl RowPredictions {
    fn new(source: Box<dyn RowSource + Send>, raised: Raised) -> Self {
        Self {
            source: Mutex::new(source),
            raised,
            found: Found::default(),
        }
    }
}

#[pymethods]
impl RowPredictions {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<AnnotationBatch>> {
        loop {
            let source = self.source.get_mut().unwrap_or_else(PoisonError::into_inner);
            let next = py.detach(|| match source.next_batch()? {
                Some(batch) => batch.checked().map(Some),
                None => Ok(None),
            });
            self.raised.raise()?;
            let Some(batch) = next.map_err(|e| to_py(py, e))? else {
                return Ok(None);
            };
            let (rows, rejected) = (batch.batch.len(), batch.rejected());
            self.found.add(rows, rejected, &batch.rejects, &batch.row_rejects);
            // A stretch of rejects only is no end of the source.
            if !batch.batch.is_empty() {
                return Ok(Some(AnnotationBatch(batch.batch)));
            }
        }
    }

    /// What was rejected so far, as the lines of a reject file say it.
    #[getter]
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.found.rejects(py)
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.found.counts(py, 0)
    }
}
