//! `ropewalk._core`: the binding. One file a core module; nothing here decides anything.

use pyo3::prelude::*;

mod errors;
mod rle;

/// The Rust core of ropewalk.
#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    rle::register(m)?;
    Ok(())
}
