//! Rows of the IR as sources: tables of whoever makes them, and lines of JSON.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::ArrowError;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};
use pyo3_arrow::input::AnyRecordBatch;
use ropewalk_core::batch::Unit;
use ropewalk_core::formats::encord::EncordReader;
use ropewalk_core::formats::json_names::{sniff, JsonKind};
use ropewalk_core::formats::ndjson::NdjsonRows;
use ropewalk_core::formats::table::TableRows;
use ropewalk_core::formats::RowSource;

use crate::batch::AnnotationBatch;
use crate::coco::CocoSource;
use crate::errors::to_py;
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
pub(crate) enum Tables {
    One(Reader),
    Many(Py<PyIterator>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Tables {
    type Error = PyErr;

    fn extract(tables: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if is_table(&tables)? {
            return Ok(Self::One(tables.extract::<AnyRecordBatch>()?.into_reader()?));
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

/// The batches of a table, or of one table after the other.
pub(crate) struct Batches {
    current: Option<Reader>,
    more: Option<Py<PyIterator>>,
    raised: Raised,
}

impl Batches {
    pub(crate) fn new(tables: Tables, raised: &Raised) -> Self {
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
            let Some(table) = more.bind(py).clone().next().transpose()? else {
                return Ok(None);
            };
            Ok(Some(table.extract::<AnyRecordBatch>()?.into_reader()?))
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

/// Open a table for reading in batches.
#[pyfunction]
#[pyo3(signature = (table, label, unit=None))]
fn read_table(table: Tables, label: &str, unit: Option<&str>) -> PyResult<RowPredictions> {
    let raised = Raised::default();
    let rows = TableRows::new(label, Batches::new(table, &raised)).unit(unit_of(unit)?);
    Ok(RowPredictions::new(Box::new(rows), raised))
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
