//! The formats of predictions: what there are, what a source is of, and reading one batch by batch.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use ropewalk_core::batch::{AnnotationBatch as Rows, AnnotationBatchBuilder};
use ropewalk_core::error::Error;
use ropewalk_core::formats::registry::{named, FORMATS};
use ropewalk_core::formats::{
    self, table, Batch, Beside, Document, Documents, Files, Format, Opening, ReadOptions, Reader, SharedOptions,
};
use ropewalk_core::reject::Counts;
use ropewalk_core::source::{Folder, Naming};

use crate::batch::AnnotationBatch;
use crate::errors::to_py;
use crate::inspect::Survey;
use crate::memory;
use crate::pool;
use crate::source::{naming, Given, Raised, LABEL_PARTS};

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Predictions>()?;
    m.add_function(wrap_pyfunction!(list_formats, m)?)?;
    m.add_function(wrap_pyfunction!(detect, m)?)?;
    m.add_function(wrap_pyfunction!(len_bytes, m)?)?;
    m.add_function(wrap_pyfunction!(label_of, m)?)?;
    m.add_function(wrap_pyfunction!(is_folder, m)?)?;
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
            Files::Each(suffixes) | Files::Tables(suffixes) => (suffixes, &[], &[]),
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
        found.set_item("frame_stride", format.frames.stride)?;
        out.append(found)?;
    }
    Ok(out)
}

/// Say which format a file, or its content, is of.
#[pyfunction]
fn detect(py: Python<'_>, source: Given) -> PyResult<&'static str> {
    let found = py.detach(|| {
        let source = source.into_source(Some("the content"), &Raised::default())?;
        Documents::of(source, &Naming::default(), None)?.next_document()
    });
    let document = found.map_err(|e| to_py(py, e))?;
    Ok(document.map_or(table::IN_MEMORY.name, |document| document.format.name))
}

/// Give the size of a file or archive, or of all files below a folder, as they are stored.
#[pyfunction]
fn len_bytes(py: Python<'_>, path: PathBuf) -> PyResult<u64> {
    let measured = py.detach(|| -> Result<u64, Error> {
        if path.is_dir() {
            return Ok(Folder::at(&path)?.files().iter().map(|member| member.len_bytes).sum());
        }
        Ok(path.metadata().map_err(Error::io(&path))?.len())
    });
    measured.map_err(|e| to_py(py, e))
}

/// Give the label of a file or folder.
#[pyfunction]
#[pyo3(signature = (path, label_parts=LABEL_PARTS))]
fn label_of(path: PathBuf, label_parts: usize) -> String {
    let naming = Naming::Path(label_parts);
    if Folder::is_at(&path) {
        naming.of(&Folder::place_of(&path), true)
    } else {
        naming.of(&path, false)
    }
}

/// Say whether a path is read as a folder: one on disk, or an archive of one.
#[pyfunction]
fn is_folder(path: PathBuf) -> bool {
    Folder::is_at(&path)
}

/// Open a source for reading in batches.
#[pyfunction]
#[pyo3(signature = (source, label=None, format=None, options=None, label_parts=LABEL_PARTS))]
fn read(
    py: Python<'_>,
    source: Given,
    label: Option<&str>,
    format: Option<&str>,
    options: Option<&str>,
    label_parts: usize,
) -> PyResult<Predictions> {
    memory::keep_blocks();
    let (format, options) = chosen(py, format, options)?;
    let raised = Raised::default();
    let opened = py.detach(|| {
        let source = source.into_source(label, &raised)?;
        Reading::open(Documents::of(source, &naming(label, label_parts), format)?, options)
    });
    raised.raise()?;
    Ok(Predictions {
        reading: Mutex::new(opened.map_err(|e| to_py(py, e))?),
        raised,
        found: Found::default(),
    })
}

/// Rows below which batches are put together: a batch costs Python as much as some hundred rows.
const SMALL_ROWS: usize = 512;

/// Rows, and bytes of batches, after which those that were put together are handed over.
const MOST_ROWS: usize = 1 << 13;
const MOST_BYTES: usize = 1 << 24;

/// Rows that are surveyed at once.
const MOST_SURVEYED_ROWS: usize = 1 << 16;

/// What was found besides rows.
#[derive(Default)]
struct Found {
    /// Lines of a reject file.
    rejects: Vec<String>,
    read: u64,
    rejected: u64,
    filtered: Counts,
    warnings: Counts,
}

impl Found {
    fn add(&mut self, batch: &Batch) {
        self.rejects
            .extend(batch.rejects.iter().map(|reject| reject.to_json_line()));
        self.rejects
            .extend(batch.row_rejects.iter().map(|row| row.to_json_line()));
        self.count(batch);
    }

    /// Counts what was found, without the lines of the rejects.
    fn count(&mut self, batch: &Batch) {
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
    }
}

/// The documents of a source, read one after the other.
struct Reading {
    documents: Documents,
    options: SharedOptions,
    beside: Beside,
    /// The document that is read, or was read last.
    current: Option<(&'static Format, Box<dyn Reader>)>,
    /// Whether it was read to its end, and there is no other.
    at_end: bool,
}

impl Reading {
    /// Opens the first document, so that what is wrong with it is raised where it is opened.
    fn open(documents: Documents, options: ReadOptions) -> Result<Self, Error> {
        let mut reading = Self {
            options: SharedOptions::new(options, &documents),
            documents,
            beside: Beside::default(),
            current: None,
            at_end: false,
        };
        reading.next_document()?;
        Ok(reading)
    }

    fn next_document(&mut self) -> Result<bool, Error> {
        let Some(document) = self.documents.next_document()? else {
            self.options.all_taken()?;
            return Ok(false);
        };
        let Document {
            source,
            label,
            format,
            sure,
            ..
        } = document;
        let opening = Opening {
            source,
            label: &label,
            options: &self.options.of(format)?,
            project: None,
            beside: &self.beside,
            sure,
        };
        self.current = Some(formats::open(format, opening)?);
        Ok(true)
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        while let (Some((_, reader)), false) = (&mut self.current, self.at_end) {
            if let Some(batch) = reader.next_batch()? {
                return batch.checked().map(Some);
            }
            self.at_end = !self.next_document()?;
        }
        Ok(None)
    }

    /// The next rows, those of small documents put together; none at the end of the source.
    fn next_rows(&mut self, found: &mut Found) -> Result<Option<Rows>, Error> {
        let mut together = AnnotationBatchBuilder::new();
        let mut len_bytes = 0;
        while let Some(batch) = self.next_batch()? {
            found.add(&batch);
            if together.is_empty() && batch.rows.len() >= SMALL_ROWS {
                return Ok(Some(batch.rows));
            }
            together.append(&batch.rows);
            len_bytes += batch.rows.record_batch().get_array_memory_size();
            if together.len() >= MOST_ROWS || len_bytes >= MOST_BYTES {
                break;
            }
        }
        let any = !together.is_empty();
        any.then(|| together.finish()).transpose()
    }
}

impl Reading {
    /// Reads some rows into a survey; false at the end of the source. A batch is read while the one before it is counted.
    fn survey(&mut self, survey: &mut Survey, found: &mut Found) -> Result<bool, Error> {
        let mut rows = 0;
        let mut next = self.next_named()?;
        while let Some((format, batch)) = next {
            rows += batch.rows.len().max(1);
            let is_enough = rows >= MOST_SURVEYED_ROWS;
            let mut count = || {
                found.count(&batch);
                survey.add(format, &batch);
            };
            if is_enough {
                count();
                return Ok(true);
            }
            next = rayon::join(count, || self.next_named()).1?;
        }
        Ok(false)
    }

    /// The next batch, and the name of the format that it is of.
    fn next_named(&mut self) -> Result<Option<(&'static str, Batch)>, Error> {
        let batch = self.next_batch()?;
        let name = self.current.as_ref().map(|(format, _)| format.name);
        Ok(name.zip(batch))
    }
}

/// Batches of a source, whose rows are checked.
#[pyclass(module = "ropewalk._core")]
struct Predictions {
    /// In a lock only because Python may share the object; it is never held by two.
    reading: Mutex<Reading>,
    raised: Raised,
    found: Found,
}

#[pymethods]
impl Predictions {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<AnnotationBatch>> {
        let reading = self.reading.get_mut().unwrap_or_else(PoisonError::into_inner);
        let found = &mut self.found;
        let next = py.detach(|| reading.next_rows(found));
        self.raised.raise()?;
        let rows = next.map_err(|e| to_py(py, e))?;
        Ok(rows.map(AnnotationBatch))
    }

    /// Reads the next rows into a survey, not all of a source at once, so that it can be interrupted; false at the end.
    fn survey(&mut self, py: Python<'_>, survey: &mut Survey) -> PyResult<bool> {
        let reading = self.reading.get_mut().unwrap_or_else(PoisonError::into_inner);
        let found = &mut self.found;
        let pool = pool::common().map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
        let surveyed = py.detach(|| pool.install(|| reading.survey(survey, found)));
        self.raised.raise()?;
        surveyed.map_err(|e| to_py(py, e))
    }

    /// Name of the format of the document that is read.
    #[getter]
    fn format(&self) -> Option<&'static str> {
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.current.as_ref().map(|(format, _)| format.name)
    }

    /// What was rejected so far, as the lines of a reject file say it.
    #[getter]
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let loads = py.import("json")?.getattr("loads")?;
        let lines = self.found.rejects.iter().map(|line| loads.call1((line,)));
        PyList::new(py, lines.collect::<PyResult<Vec<_>>>()?)
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        counts.set_item("read", self.found.read)?;
        counts.set_item("rejected", self.found.rejected)?;
        counts.set_item("filtered_by_reason", dict(py, &self.found.filtered)?)?;
        counts.set_item("warnings", dict(py, &self.found.warnings)?)?;
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        counts.set_item("left_out_files", reading.documents.left_out().files)?;
        counts.set_item("left_out_names", &reading.documents.left_out().names)?;
        Ok(counts)
    }

    /// The media and classes that the document lists.
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let (media, classes) = (PyList::empty(py), PyList::empty(py));
        if let Some(lists) = reading.current.as_ref().and_then(|(_, reader)| reader.lists()) {
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
