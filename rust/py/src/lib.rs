//! `ropewalk._core`: the binding. One file a core module; nothing here decides anything.

use pyo3::prelude::*;

mod batch;
mod coco_writer;
mod counts;
mod errors;
mod file;
mod formats;
mod inspect;
mod memory;
mod plan;
mod pool;
mod rle;
mod source;
mod stage;

/// The Rust core of ropewalk.
#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    pool::processors();
    batch::register(m)?;
    coco_writer::register(m)?;
    formats::register(m)?;
    inspect::register(m)?;
    plan::register(m)?;
    rle::register(m)?;
    stage::register(m)
}
