//! The stage: sources in, sorted label rows out as JSON.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use numpy::PyArray1;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView};
use ropewalk_core::error::Error;
use ropewalk_core::formats::coco::{CocoOptions, CocoTables};
use ropewalk_core::formats::encord::{EncordReader, KnownNames};
use ropewalk_core::formats::ndjson::NdjsonRows;
use ropewalk_core::intake::{Intake, Tally};
use ropewalk_core::label_row::{OnExisting, Verdict};
use ropewalk_core::plan::Plan;
use ropewalk_core::reject::{row_code, Unresolved, ROW_CODES};
use ropewalk_core::resolve::Counts;
use ropewalk_core::stage::{LabelRowSpan, StageBuilder};
use ropewalk_core::staged_import::LabelRows;

use crate::coco::{read_tables, rotated_boxes, CocoSource};
use crate::errors::to_py;
use crate::memory;
use crate::rows::{table_rows, unit_of, Raised};

/// Memory that the stage takes before it spills to the work folder.
const MEMORY_BYTES: usize = 24 << 20;

/// Label rows between two looks for ctrl-C.
const MEASURED_TOGETHER: usize = 32;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Stage>()?;
    m.add_class::<Staged>()
}

/// Reads sources, resolves and sorts them.
#[pyclass(module = "ropewalk._core")]
struct Stage {
    plan: Arc<Plan>,
    /// Taken by `finish`; a blocker leaves nothing to go on with either.
    intake: Option<Intake>,
    /// The tables of `--annotations`, read once for all sources.
    tables: Option<(PathBuf, Arc<CocoTables>)>,
}

#[pymethods]
impl Stage {
    #[new]
    #[pyo3(signature = (plan, rejects, work_dir=None, memory_bytes=MEMORY_BYTES, threads=1))]
    fn new(
        py: Python<'_>,
        plan: &str,
        rejects: PathBuf,
        work_dir: Option<PathBuf>,
        memory_bytes: usize,
        threads: usize,
    ) -> PyResult<Self> {
        memory::keep_blocks();
        let plan = Arc::new(Plan::from_json(plan).map_err(|e| to_py(py, e))?);
        let stage = StageBuilder::new(work_dir, memory_bytes);
        let intake = Intake::new(&plan, stage, &rejects, threads).map_err(|e| to_py(py, e))?;
        Ok(Self {
            plan,
            intake: Some(intake),
            tables: None,
        })
    }

    #[pyo3(signature = (source, label, tables=None, confidence_field=None, include_crowd=false, progress=None, box_format="xywh"))]
    #[allow(clippy::too_many_arguments)] // Each is an option of its own in Python.
    fn add_coco(
        &mut self,
        py: Python<'_>,
        source: CocoSource,
        label: &str,
        tables: Option<PathBuf>,
        confidence_field: Option<String>,
        include_crowd: bool,
        progress: Option<Py<PyAny>>,
        box_format: &str,
    ) -> PyResult<()> {
        let options = CocoOptions {
            confidence_field,
            include_crowd,
            rotated_boxes: rotated_boxes(box_format)?,
            ..CocoOptions::default()
        };
        let tables = tables.map(|path| self.tables(py, path)).transpose()?;
        let input = source.into_input(label);
        self.add(py, &Raised::default(), progress, |intake, tell| {
            intake.add_coco(&input, label, tables, &options, tell)
        })
    }

    #[pyo3(signature = (table, label, unit=None, kind=None, progress=None))]
    fn add_table(
        &mut self,
        table: &Bound<'_, PyAny>,
        label: &str,
        unit: Option<&str>,
        kind: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let raised = Raised::default();
        let mut rows = table_rows(table, label, unit, kind, &raised)?;
        self.add(table.py(), &raised, progress, |intake, tell| {
            intake.add_rows(None, label, rows.as_mut(), tell)
        })
    }

    #[pyo3(signature = (source, label, unit=None, progress=None))]
    fn add_ndjson(
        &mut self,
        py: Python<'_>,
        source: CocoSource,
        label: &str,
        unit: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let unit = unit_of(unit)?;
        let input = source.into_input(label);
        self.add(py, &Raised::default(), progress, |intake, tell| {
            let mut rows = NdjsonRows::open(&input, label, unit)?;
            intake.add_rows(Some(&input), label, &mut rows, tell)
        })
    }

    #[pyo3(signature = (source, label, progress=None))]
    fn add_label_rows(
        &mut self,
        py: Python<'_>,
        source: CocoSource,
        label: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let known = KnownNames::of(&self.plan);
        let input = source.into_input(label);
        self.add(py, &Raised::default(), progress, |intake, tell| {
            let mut rows = EncordReader::open(&input, label, Some(known))?;
            intake.add_rows(None, label, &mut rows, tell)
        })
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<Staged> {
        let intake = self
            .intake
            .take()
            .ok_or_else(|| PyValueError::new_err("the stage is finished"))?;
        let (rows, tally, sources) = py.detach(|| intake.finish()).map_err(|e| to_py(py, e))?;
        Ok(Staged {
            rows: LabelRows::new(Arc::clone(&self.plan), rows, sources),
            tally,
        })
    }
}

impl Stage {
    /// Adds a source; `add` is given what tells `progress` of the bytes read. What Python raises in `progress` (or a pending
    /// ctrl-C) is kept in `raised`.
    fn add(
        &mut self,
        py: Python<'_>,
        raised: &Raised,
        progress: Option<Py<PyAny>>,
        add: impl Send + FnOnce(&mut Intake, &mut (dyn FnMut(u64) -> Result<(), Error> + Send)) -> Result<(), Error>,
    ) -> PyResult<()> {
        let mut intake = self
            .intake
            .take()
            .ok_or_else(|| PyValueError::new_err("the stage is finished"))?;
        let mut tell = |done: u64| {
            let told = Python::attach(|py| {
                py.check_signals()?;
                progress
                    .as_ref()
                    .map_or(Ok(()), |call| call.call1(py, (done,)).map(drop))
            });
            told.map_err(|error| {
                raised.keep(error);
                Error::Stage("stopped".into())
            })
        };
        let result = py.detach(|| add(&mut intake, &mut tell));
        raised.raise()?;
        result.map_err(|e| to_py(py, e))?;
        self.intake = Some(intake);
        Ok(())
    }

    fn tables(&mut self, py: Python<'_>, path: PathBuf) -> PyResult<Arc<CocoTables>> {
        if let Some((known, tables)) = &self.tables {
            if *known == path {
                return Ok(Arc::clone(tables));
            }
        }
        let tables = py.detach(|| read_tables(&path)).map_err(|e| to_py(py, e))?;
        self.tables = Some((path, Arc::clone(&tables)));
        Ok(tables)
    }
}

/// The sorted annotations of an import, by label row.
#[pyclass(module = "ropewalk._core", frozen)]
struct Staged {
    rows: LabelRows,
    tally: Tally,
}

#[pymethods]
impl Staged {
    fn __len__(&self) -> usize {
        self.rows.spans().len()
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        counts.set_item("read", self.tally.read)?;
        counts.set_item("staged", self.tally.staged)?;
        counts.set_item("rejected", self.tally.rejected())?;
        counts.set_item("rejects_by_code", dict(py, &self.tally.rejects)?)?;
        counts.set_item("filtered_by_reason", dict(py, &self.tally.filtered)?)?;
        counts.set_item("warnings", dict(py, &self.tally.warnings)?)?;
        for (kind, name) in [
            (Unresolved::Media, "unresolved_media"),
            (Unresolved::Class, "unresolved_classes"),
        ] {
            let names = self.tally.unresolved.iter().filter(|((k, ..), _)| *k == kind);
            let names = names.map(|((_, name, code), count)| (name.as_str(), *code, *count));
            counts.set_item(name, PyList::new(py, names.collect::<Vec<_>>())?)?;
        }
        Ok(counts)
    }

    fn label_row<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyDict>> {
        let span = self.span(index)?;
        let medium = &self.rows.plan().media[span.medium as usize];
        let info = PyDict::new(py);
        info.set_item("medium", span.medium)?;
        info.set_item("data_hash", &medium.data_hash)?;
        info.set_item("title", medium.shown_title())?;
        info.set_item("annotations", span.annotations)?;
        info.set_item("sized", medium.is_sized())?;
        Ok(info)
    }

    #[pyo3(signature = (index, header, when))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        header: Option<&[u8]>,
        when: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let blocks = self.encoded(py, index, header, when)?;
        let len_bytes = blocks.iter().map(Vec::len).sum();
        PyBytes::new_with(py, len_bytes, |mut text| {
            blocks.iter().try_for_each(|block| Ok(text.write_all(block)?))
        })
    }

    #[pyo3(signature = (index, header, when))]
    fn encode_blocks<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        header: Option<&[u8]>,
        when: &str,
    ) -> PyResult<Vec<Bound<'py, PyMemoryView>>> {
        let blocks = self.encoded(py, index, header, when)?;
        // Arrays, since they take over memory from Rust, and views of them, since these are what Python has for bytes.
        let view = |block| PyMemoryView::from(&PyArray1::from_vec(py, block));
        blocks.into_iter().map(view).collect()
    }

    fn measure<'py>(&self, py: Python<'py>, threads: usize) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(py);
        for spans in self.rows.spans().chunks(MEASURED_TOGETHER) {
            let measures = py
                .detach(|| self.rows.measure_rows(spans, threads))
                .map_err(|e| to_py(py, e))?;
            for measure in measures {
                rows.append((measure.len_bytes, format!("{:032x}", measure.digest)))?;
            }
            py.check_signals()?;
        }
        Ok(rows)
    }

    #[pyo3(signature = (index, header, when))]
    fn unfit<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        header: Option<&[u8]>,
        when: &str,
    ) -> PyResult<Bound<'py, PyList>> {
        let span = self.span(index)?;
        let lines = py
            .detach(|| self.rows.unfit(span, header, when))
            .map_err(|e| to_py(py, e))?;
        PyList::new(py, lines)
    }

    fn refuse<'py>(&self, py: Python<'py>, index: usize, code: &str, message: &str) -> PyResult<Bound<'py, PyList>> {
        let span = self.span(index)?;
        let code = known_code(code)?;
        let lines = py
            .detach(|| self.rows.refuse(span, code, message))
            .map_err(|e| to_py(py, e))?;
        PyList::new(py, lines)
    }

    fn refuse_row(&self, index: usize, code: &str, message: &str, len_bytes: u64) -> PyResult<String> {
        let span = self.span(index)?;
        Ok(self.rows.refuse_row(span, known_code(code)?, message, len_bytes))
    }

    fn reconcile<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        existing: &[u8],
        when: &str,
        policy: &str,
    ) -> PyResult<Bound<'py, PyDict>> {
        let span = self.span(index)?;
        let policy = OnExisting::parse(policy).ok_or_else(|| {
            PyValueError::new_err(format!("policy is {policy:?}; expected fail, skip, replace or merge"))
        })?;
        let compared = py
            .detach(|| self.rows.reconcile(span, existing, when, policy))
            .map_err(|e| to_py(py, e))?;
        let out = PyDict::new(py);
        let verdict = match compared.verdict {
            Verdict::Save => "save",
            Verdict::AlreadyThere => "already_there",
            Verdict::Skipped => "skipped",
            Verdict::Refused => "refused",
        };
        out.set_item("verdict", verdict)?;
        out.set_item("already_there", compared.already_there)?;
        out.set_item("ours", compared.ours)?;
        out.set_item("foreign", compared.foreign)?;
        out.set_item("body", compared.body.map(|body| PyBytes::new(py, &body)))?;
        Ok(out)
    }

    fn compare<'py>(&self, py: Python<'py>, index: usize, existing: &[u8], when: &str) -> PyResult<Bound<'py, PyDict>> {
        let span = self.span(index)?;
        let (equal, differences) = py
            .detach(|| self.rows.compare(span, existing, when))
            .map_err(|e| to_py(py, e))?;
        let out = PyDict::new(py);
        out.set_item("equal", equal)?;
        out.set_item("differences", differences)?;
        Ok(out)
    }
}

impl Staged {
    fn encoded(&self, py: Python<'_>, index: usize, header: Option<&[u8]>, when: &str) -> PyResult<Vec<Vec<u8>>> {
        let span = self.span(index)?;
        py.detach(|| self.rows.encode_blocks(span, header, when))
            .map_err(|e| to_py(py, e))
    }

    fn span(&self, index: usize) -> PyResult<&LabelRowSpan> {
        let rows = self.rows.spans();
        rows.get(index)
            .ok_or_else(|| PyIndexError::new_err(format!("label row {index} of {}", rows.len())))
    }
}

fn known_code(code: &str) -> PyResult<&'static str> {
    row_code(code).ok_or_else(|| PyValueError::new_err(format!("code is {code:?}; expected one of {ROW_CODES:?}")))
}

fn dict<'py>(py: Python<'py>, counts: &Counts) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for (name, count) in counts {
        out.set_item(name, count)?;
    }
    Ok(out)
}
