//! What reading a source came to, besides its rows.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use ropewalk_core::reject::{Reject, RowReject};

/// Rejects and counts, batch by batch.
#[derive(Default)]
pub(crate) struct Found {
    /// Lines of a reject file.
    rejects: Vec<String>,
    rows: u64,
    rejected: u64,
    pub(crate) filtered_crowd: u64,
}

impl Found {
    /// Adds a batch of `rows` rows, in which `rejected` annotations were none.
    pub(crate) fn add(&mut self, rows: usize, rejected: u64, rejects: &[Reject], row_rejects: &[RowReject]) {
        self.rejects.extend(rejects.iter().map(Reject::to_json_line));
        self.rejects.extend(row_rejects.iter().map(RowReject::to_json_line));
        self.rejected += rejected;
        self.rows += rows as u64;
    }

    /// What was rejected so far, as the lines of a reject file say it.
    pub(crate) fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let loads = py.import("json")?.getattr("loads")?;
        let lines = self.rejects.iter().map(|line| loads.call1((line,)));
        PyList::new(py, lines.collect::<PyResult<Vec<_>>>()?)
    }

    /// How many annotations there were so far, and what became of them.
    pub(crate) fn counts<'py>(&self, py: Python<'py>, duplicate_ids: u64) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        counts.set_item("read", self.rows + self.rejected + self.filtered_crowd)?;
        counts.set_item("rejected", self.rejected)?;
        counts.set_item("filtered_crowd", self.filtered_crowd)?;
        counts.set_item("duplicate_annotation_id", duplicate_ids)?;
        Ok(counts)
    }
}
