//! Batches of the IR for anything that speaks the Arrow C interface.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader, StructArray};
use arrow_schema::Field;
use arrow_select::concat::concat_batches;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use pyo3_arrow::error::PyArrowError;
use pyo3_arrow::ffi::{to_array_pycapsules, to_schema_pycapsule};
use pyo3_arrow::input::AnyRecordBatch;
use ropewalk_core::batch::AnnotationBatchBuilder;

use crate::errors::to_py;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<AnnotationBatch>()?;
    m.add_class::<WrittenLabels>()
}

/// Gives a table as the Arrow C interface has it.
fn capsules<'py>(
    py: Python<'py>,
    table: &RecordBatch,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyTuple>> {
    let field = Field::new_struct("", table.schema_ref().fields().clone(), false);
    let field = field.with_metadata(table.schema_ref().metadata().clone());
    let rows = StructArray::from(table.clone());
    Ok(to_array_pycapsules(py, Arc::new(field), &rows, requested_schema)?)
}

/// Annotations with the hashes of the labels that they became, as Arrow arrays.
#[pyclass(module = "ropewalk._core", frozen)]
pub(crate) struct WrittenLabels(pub(crate) RecordBatch);

#[pymethods]
impl WrittenLabels {
    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        capsules(py, &self.0, requested_schema)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.0.schema_ref().as_ref())?)
    }
}

/// Some rows of the IR, schema v1, as Arrow arrays.
#[pyclass(module = "ropewalk._core", frozen)]
pub(crate) struct AnnotationBatch(pub(crate) ropewalk_core::batch::AnnotationBatch);

#[pymethods]
impl AnnotationBatch {
    #[staticmethod]
    fn empty(py: Python<'_>) -> PyResult<Self> {
        AnnotationBatchBuilder::new()
            .finish()
            .map(Self)
            .map_err(|e| to_py(py, e))
    }

    #[staticmethod]
    fn from_arrow(py: Python<'_>, table: AnyRecordBatch) -> PyResult<Self> {
        let reader = table.into_reader()?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(PyArrowError::from)?;
        let table = concat_batches(&schema, &batches).map_err(PyArrowError::from)?;
        ropewalk_core::batch::AnnotationBatch::from_table(&table)
            .map(Self)
            .map_err(|e| to_py(py, e))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        capsules(py, self.0.record_batch(), requested_schema)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.0.record_batch().schema_ref().as_ref())?)
    }
}
