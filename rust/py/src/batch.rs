//! Batches of the IR for anything that speaks the Arrow C interface.

use std::sync::Arc;

use arrow_array::StructArray;
use arrow_schema::Field;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use pyo3_arrow::ffi::{to_array_pycapsules, to_schema_pycapsule};

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<AnnotationBatch>()
}

/// Some rows of the IR, schema v1, as Arrow arrays.
#[pyclass(module = "ropewalk._core", frozen)]
pub(crate) struct AnnotationBatch(pub(crate) ropewalk_core::batch::AnnotationBatch);

#[pymethods]
impl AnnotationBatch {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let table = self.0.record_batch();
        let field = Field::new_struct("", table.schema_ref().fields().clone(), false);
        let field = field.with_metadata(table.schema_ref().metadata().clone());
        let rows = StructArray::from(table.clone());
        Ok(to_array_pycapsules(py, Arc::new(field), &rows, requested_schema)?)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.0.record_batch().schema_ref().as_ref())?)
    }
}
