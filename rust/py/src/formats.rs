//! The formats of predictions: what there are, what a source is of, and reading one batch by batch.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use ropewalk_core::error::Error;
use ropewalk_core::formats::registry::{named, FORMATS};
use ropewalk_core::formats::{self, Beside, Files, Format, Opening, ReadOptions, Reader, Sure};
use ropewalk_core::reject::Counts;

use crate::batch::AnnotationBatch;
use crate::errors::to_py;
use crate::memory;
use crate::source::{Given, Raised};

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Predictions>()?;
    m.add_function(wrap_pyfunction!(list_formats, m)?)?;
    m.add_function(wrap_pyfunction!(detect, m)?)?;
    m.add_function(wrap_pyfunction!(read, m)?)
}

/// The format and the options that are meant by the binding's arguments; without a format the source tells.
pub(crate) fn chosen(
    py: Python<'_>,
    format: Option<&str>,
    options: Option<&str>,
) -> PyResult<(Option<&'static Format>, ReadOptions)> {
    let format = format.map(named).transpose().map_err(|e| to_py(py, e))?;
    let options = options
        .map(ReadOptions::from_json)
        .transpose()
        .map_err(|e| to_py(py, e))?;
    Ok((format, options.unwrap_or_default()))
}

/// A dict of counts.
pub(crate) fn dict<'py>(py: Python<'py>, counts: &Counts) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for (name, count) in counts {
        out.set_item(name, count)?;
    }
    Ok(out)
}

/// List the formats.
#[pyfunction]
#[pyo3(name = "formats")]
fn list_formats(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let out = PyList::empty(py);
    for format in FORMATS {
        let (suffixes, members, beside): (&[&str], &[&str], &[&str]) = match format.files {
            Files::Each(suffixes) => (suffixes, &[], &[]),
            Files::Folder { members, beside } => (&[], members, beside),
            Files::None => (&[], &[], &[]),
        };
        let found = PyDict::new(py);
        found.set_item("name", format.name)?;
        found.set_item("about", format.about)?;
        found.set_item("suffixes", suffixes)?;
        found.set_item("members", members)?;
        found.set_item("beside", beside)?;
        found.set_item("options", format.option_names().collect::<Vec<_>>())?;
        found.set_item("frame_base", format.frames.base)?;
        out.append(found)?;
    }
    Ok(out)
}

/// Say which format a source is of.
#[pyfunction]
fn detect(py: Python<'_>, source: Given) -> &'static str {
    let source = source.into_source("", &Raised::default());
    py.detach(move || formats::detect::detect(&source).0.name)
}

/// Open a source for reading in batches.
#[pyfunction]
#[pyo3(signature = (source, label, format=None, options=None))]
fn read(
    py: Python<'_>,
    source: Given,
    label: &str,
    format: Option<&str>,
    options: Option<&str>,
) -> PyResult<Predictions> {
    memory::keep_blocks();
    let (format, options) = chosen(py, format, options)?;
    let raised = Raised::default();
    let source = source.into_source(label, &raised);
    let opened = py.detach(|| {
        let opening = Opening {
            source,
            label,
            options: &options,
            project: None,
            beside: &Beside::default(),
            sure: Sure::Yes,
        };
        formats::open(format, opening)
    });
    raised.raise()?;
    let (format, reader) = opened.map_err(|e| to_py(py, e))?;
    Ok(Predictions {
        reader: Mutex::new(reader),
        format,
        raised,
        rejects: Vec::new(),
        read: 0,
        rejected: 0,
        filtered: Counts::new(),
        warnings: Counts::new(),
    })
}

/// Batches of a source, whose rows are checked.
#[pyclass(module = "ropewalk._core")]
struct Predictions {
    /// In a lock only because Python may share the object; it is never held by two.
    reader: Mutex<Box<dyn Reader>>,
    format: &'static Format,
    raised: Raised,
    /// Lines of a reject file.
    rejects: Vec<String>,
    read: u64,
    rejected: u64,
    filtered: Counts,
    warnings: Counts,
}

#[pymethods]
impl Predictions {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<AnnotationBatch>> {
        loop {
            let reader = self.reader.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
            let next = py.detach(|| match reader.next_batch()? {
                Some(batch) => batch.checked().map(Some),
                None => Ok::<_, Error>(None),
            });
            self.raised.raise()?;
            let Some(batch) = next.map_err(|e| to_py(py, e))? else {
                return Ok(None);
            };
            self.rejects
                .extend(batch.rejects.iter().map(|reject| reject.to_json_line()));
            self.rejects
                .extend(batch.row_rejects.iter().map(|row| row.to_json_line()));
            self.read += batch.read();
            self.rejected += batch.rejected();
            for (counts, more) in [
                (&mut self.filtered, &batch.filtered),
                (&mut self.warnings, &batch.warnings),
            ] {
                for (&name, count) in more {
                    *counts.entry(name).or_default() += count;
                }
            }
            // A stretch of rejects only is not the end of the source.
            if !batch.rows.is_empty() {
                return Ok(Some(AnnotationBatch(batch.rows)));
            }
        }
    }

    /// Name of the format that is read.
    #[getter]
    fn format(&self) -> &'static str {
        self.format.name
    }

    /// What was rejected so far, as the lines of a reject file say it.
    #[getter]
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let loads = py.import("json")?.getattr("loads")?;
        let lines = self.rejects.iter().map(|line| loads.call1((line,)));
        PyList::new(py, lines.collect::<PyResult<Vec<_>>>()?)
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        counts.set_item("read", self.read)?;
        counts.set_item("rejected", self.rejected)?;
        counts.set_item("filtered_by_reason", dict(py, &self.filtered)?)?;
        counts.set_item("warnings", dict(py, &self.warnings)?)?;
        Ok(counts)
    }

    /// The media and classes that the document lists.
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let reader = self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (media, classes) = (PyList::empty(py), PyList::empty(py));
        if let Some(lists) = reader.lists() {
            let listed = (0..lists.media_len()).map(|number| lists.media(number));
            for medium in listed.filter(|medium| medium.declared) {
                let id = medium.image_id.as_deref();
                media.append((id, medium.label(), medium.frame(), medium.width, medium.height))?;
            }
            let listed = (0..lists.class_len()).map(|number| lists.class(number));
            for class in listed.filter(|class| class.declared) {
                classes.append((class.id.as_deref(), class.label()))?;
            }
        }
        let names = PyDict::new(py);
        names.set_item("media", media)?;
        names.set_item("classes", classes)?;
        Ok(names)
    }
}
