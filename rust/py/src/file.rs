//! Files of Python's that the core writes to.

use std::io::{self, Write};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A binary file of Python's.
pub(crate) struct PyFile(Py<PyAny>);

impl PyFile {
    /// Takes an object with a method `write` for bytes.
    pub fn new(file: Py<PyAny>) -> Self {
        Self(file)
    }
}

impl Write for PyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What Python raises travels inside the error, and is raised again.
        Python::attach(|py| self.0.call_method1(py, "write", (PyBytes::new(py, bytes),)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
