//! Reading COCO files in batches.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use ropewalk_core::error::Result;
use ropewalk_core::formats::coco::{CocoOptions, CocoReader, CocoTables, RotatedBox};
use ropewalk_core::source::SourceFile;

use crate::batch::AnnotationBatch;
use crate::errors::to_py;
use crate::found::Found;
use crate::memory;

/// Rows a batch.
const BATCH_ROWS: usize = 1 << 16;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<CocoPredictions>()?;
    m.add_function(wrap_pyfunction!(read_coco, m)?)
}

/// A file, or its content.
pub(crate) enum CocoSource {
    Content(Vec<u8>),
    Path(PathBuf),
}

impl<'a, 'py> FromPyObject<'a, 'py> for CocoSource {
    type Error = PyErr;

    // Not derived: that makes a TypeError of whatever is raised on the way, also of a ctrl-C inside `__fspath__`.
    fn extract(source: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match source.cast::<PyBytes>() {
            Ok(content) => Ok(Self::Content(content.as_bytes().to_vec())),
            Err(_) => source.extract().map(Self::Path),
        }
    }
}

impl CocoSource {
    /// The core's input; errors call content by its label.
    pub(crate) fn into_input(self, label: &str) -> SourceFile {
        match self {
            Self::Path(path) => SourceFile::path(path),
            Self::Content(bytes) => SourceFile::bytes(label, bytes),
        }
    }
}

/// Reads the images, categories and videos of a COCO file.
pub(crate) fn read_tables(path: &Path) -> Result<Arc<CocoTables>> {
    CocoTables::read(&SourceFile::path(path), &CocoOptions::default()).map(Arc::new)
}

/// What the numbers of a box are by the name of their format; none for COCO's own.
pub(crate) fn rotated_boxes(box_format: &str) -> PyResult<Option<RotatedBox>> {
    match box_format {
        "xywh" => Ok(None),
        "cxcywha" => Ok(Some(RotatedBox::Cxcywha)),
        "corners" => Ok(Some(RotatedBox::Corners)),
        _ => Err(PyValueError::new_err(format!(
            "box_format is {box_format:?}; expected xywh, cxcywha or corners"
        ))),
    }
}

/// Batches of one file.
#[pyclass(module = "ropewalk._core")]
struct CocoPredictions {
    reader: CocoReader,
    found: Found,
}

/// Open a COCO file for reading in batches.
#[pyfunction]
#[pyo3(signature = (source, label, tables=None, confidence_field=None, include_crowd=false, batch_rows=BATCH_ROWS, box_format="xywh"))]
#[allow(clippy::too_many_arguments)] // Each is an option of its own in Python.
fn read_coco(
    py: Python<'_>,
    source: CocoSource,
    label: &str,
    tables: Option<PathBuf>,
    confidence_field: Option<String>,
    include_crowd: bool,
    batch_rows: usize,
    box_format: &str,
) -> PyResult<CocoPredictions> {
    let options = CocoOptions {
        confidence_field,
        include_crowd,
        batch_rows,
        rotated_boxes: rotated_boxes(box_format)?,
        ..CocoOptions::default()
    };
    memory::keep_blocks();
    let input = source.into_input(label);
    let opened = py.detach(|| {
        let tables = tables.as_deref().map(read_tables).transpose()?;
        CocoReader::open(&input, label, tables, &options)
    });
    let reader = opened.map_err(|e| to_py(py, e))?;
    Ok(CocoPredictions {
        reader,
        found: Found::default(),
    })
}

#[pymethods]
impl CocoPredictions {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<AnnotationBatch>> {
        loop {
            let Some(batch) = py.detach(|| self.reader.next_batch()).map_err(|e| to_py(py, e))? else {
                return Ok(None);
            };
            let (rows, rejected) = (batch.batch.len(), batch.rejected());
            self.found.add(rows, rejected, &batch.rejects, &batch.row_rejects);
            self.found.filtered_crowd += batch.filtered_crowd;
            // A stretch of rejects only is no end of the file.
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
        self.found.counts(py, self.reader.summary().duplicate_ids)
    }
}
