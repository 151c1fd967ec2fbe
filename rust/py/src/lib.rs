//! `ropewalk._core`: the binding. One file a core module; nothing here decides anything.

use pyo3::prelude::*;

mod batch;
mod coco;
mod coco_writer;
mod errors;
mod found;
mod memory;
mod rle;
mod rows;
mod stage;

/// The Rust core of ropewalk.
#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    batch::register(m)?;
    coco::register(m)?;
    coco_writer::register(m)?;
    rle::register(m)?;
    rows::register(m)?;
    stage::register(m)
}
