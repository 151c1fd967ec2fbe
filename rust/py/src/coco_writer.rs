//! Writing COCO datasets batch by batch.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use ropewalk_core::formats::coco::{CocoWriter as Writer, Written};
use ropewalk_core::formats::known::KnownProject;

use crate::batch::AnnotationBatch;
use crate::file::PyFile;
use crate::formats::dict;
use crate::plan::Plan;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<CocoWriter>()
}

/// A COCO dataset that is being written to a file of Python's.
#[pyclass(module = "ropewalk._core", subclass)]
struct CocoWriter {
    /// None once the dataset is finished.
    writer: Option<Writer>,
    finished: Written,
    file: PyFile,
}

impl CocoWriter {
    fn counts(&self) -> &Written {
        self.writer.as_ref().map_or(&self.finished, Writer::written)
    }
}

#[pymethods]
impl CocoWriter {
    #[new]
    #[pyo3(signature = (file, project=None))]
    fn new(file: Py<PyAny>, project: Option<&Plan>) -> Self {
        let project = project.map(|plan| KnownProject::of(&plan.0));
        Self {
            writer: Some(Writer::new(project.unwrap_or_default())),
            finished: Written::default(),
            file: PyFile::new(file),
        }
    }

    fn write<'py>(&mut self, py: Python<'py>, batch: &Bound<'py, AnnotationBatch>) -> PyResult<Bound<'py, PyList>> {
        let Self { writer, file, .. } = self;
        let writer = writer.as_mut().ok_or_else(finished)?;
        let rows = &batch.get().0;
        let rejects = py.detach(|| writer.write(rows, file))?;
        let loads = py.import("json")?.getattr("loads")?;
        let lines = rejects.iter().map(|reject| loads.call1((reject.to_json_line(),)));
        PyList::new(py, lines.collect::<PyResult<Vec<_>>>()?)
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<()> {
        let writer = self.writer.take().ok_or_else(finished)?;
        let file = &mut self.file;
        self.finished = py.detach(|| writer.finish(file))?;
        Ok(())
    }

    #[getter]
    fn written(&self) -> u64 {
        self.counts().annotations
    }

    #[getter]
    fn left_out(&self) -> u64 {
        self.counts().left_out
    }

    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict(py, &self.counts().warnings)
    }
}

fn finished() -> PyErr {
    PyValueError::new_err("the dataset is finished; make another writer")
}
