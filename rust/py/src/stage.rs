//! The stage: sources in, sorted label rows out as JSON.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use numpy::PyArray1;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView};
use ropewalk_core::error::Error;
use ropewalk_core::intake::{Example, Intake, Taken, Tally};
use ropewalk_core::label_row::{OnExisting, Verdict};
use ropewalk_core::plan::Plan as CorePlan;
use ropewalk_core::reject::{row_code, Unresolved, ROW_CODES};
use ropewalk_core::resolve::MediaFound;
use ropewalk_core::stage::{LabelRowSpan, StageBuilder};
use ropewalk_core::staged_import::{LabelRows, OnServer};

use crate::batch::WrittenLabels;
use crate::errors::to_py;
use crate::file::PyFile;
use crate::formats::{chosen, dict};
use crate::memory;
use crate::plan::Plan;
use crate::source::{naming, Given, Raised, LABEL_PARTS};

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
    plan: Arc<CorePlan>,
    /// Taken by `finish`; a blocker leaves nothing to go on with either.
    intake: Option<Intake>,
}

#[pymethods]
impl Stage {
    #[new]
    #[pyo3(signature = (plan, rejects, work_dir=None, memory_bytes=MEMORY_BYTES, threads=1))]
    fn new(
        py: Python<'_>,
        plan: &Plan,
        rejects: PathBuf,
        work_dir: Option<PathBuf>,
        memory_bytes: usize,
        threads: usize,
    ) -> PyResult<Self> {
        memory::keep_blocks();
        let plan = Arc::clone(&plan.0);
        let stage = StageBuilder::new(work_dir, memory_bytes);
        let intake = Intake::new(&plan, stage, &rejects, threads).map_err(|e| to_py(py, e))?;
        Ok(Self {
            plan,
            intake: Some(intake),
        })
    }

    #[pyo3(signature = (source, label=None, format=None, options=None, progress=None, label_parts=LABEL_PARTS))]
    #[expect(clippy::too_many_arguments, reason = "Python gives them by name")]
    fn add(
        &mut self,
        py: Python<'_>,
        source: Given,
        label: Option<&str>,
        format: Option<&str>,
        options: Option<&str>,
        progress: Option<Py<PyAny>>,
        label_parts: usize,
    ) -> PyResult<()> {
        let (format, options) = chosen(py, format, options)?;
        let raised = Raised::default();
        // Gone where a blocker stopped the stage: there is nothing to go on with.
        let mut intake = self
            .intake
            .take()
            .ok_or_else(|| PyValueError::new_err("the stage is finished"))?;
        let tell = |done: u64| {
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
        let result = py.detach(|| {
            let source = source.into_source(label, &raised)?;
            intake.add(source, naming(label, label_parts), format, &options, tell)
        });
        raised.raise()?;
        result.map_err(|e| to_py(py, e))?;
        self.intake = Some(intake);
        Ok(())
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<Staged> {
        let intake = self
            .intake
            .take()
            .ok_or_else(|| PyValueError::new_err("the stage is finished"))?;
        let finished = py.detach(|| intake.finish()).map_err(|e| to_py(py, e))?;
        Ok(Staged {
            rows: LabelRows::new(Arc::clone(&self.plan), finished.staged, finished.sources),
            tally: finished.tally,
            documents: finished.documents,
        })
    }
}

/// The sorted annotations of an import, by label row.
#[pyclass(module = "ropewalk._core", frozen)]
struct Staged {
    rows: LabelRows,
    tally: Tally,
    documents: Vec<Taken>,
}

#[pymethods]
impl Staged {
    /// The documents that tracks are recognised by.
    fn documents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let digests: Result<Vec<_>, _> = py.detach(|| self.documents.iter().map(Taken::digest).collect());
        let digests = digests.map_err(|e| to_py(py, e))?;
        let hex = |digest: Option<u128>| digest.map(|digest| format!("{digest:032x}"));
        let found = self.documents.iter().zip(digests);
        let found = found.map(|(taken, digest)| (&*taken.label, &*taken.name, taken.is_given, hex(digest)));
        PyList::new(py, found.collect::<Vec<_>>())
    }

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
        let shared = self.tally.shared_tracks.iter();
        let shared = shared.map(|found| (&*found.track, &*found.media, &*found.sources[0], &*found.sources[1]));
        counts.set_item("shared_tracks", PyList::new(py, shared.collect::<Vec<_>>())?)?;
        counts.set_item("without_score", self.tally.without_score)?;
        for (kind, name) in [
            (Unresolved::Media, "unresolved_media"),
            (Unresolved::Class, "unresolved_classes"),
        ] {
            let names = self.tally.unresolved.iter().filter(|((k, ..), _)| *k == kind);
            let names = names.map(|((_, name, code), count)| (name.as_str(), *code, *count));
            counts.set_item(name, PyList::new(py, names.collect::<Vec<_>>())?)?;
        }
        let classes = self.tally.classes.iter().map(|((class, became), sum)| {
            let plan = self.rows.plan();
            let feature = became.feature as usize;
            let (name, feature_hash, shape) = match became.is_answer {
                true => {
                    let of = &plan.classifications[feature];
                    (of.name(), &of.feature_hash, "classification")
                }
                false => {
                    let of = &plan.ontology[feature];
                    (of.name.as_str(), &of.feature_hash, of.shape.as_str())
                }
            };
            let warnings = dict(py, &sum.warnings)?;
            let found = (
                class,
                name,
                feature_hash,
                shape,
                became.made_from,
                sum.annotations,
                warnings,
            );
            found.into_pyobject(py)
        });
        counts.set_item("classes", PyList::new(py, classes.collect::<PyResult<Vec<_>>>()?)?)?;
        let examples = PyDict::new(py);
        for (code, example) in &self.tally.examples {
            let Example {
                message,
                source,
                member,
                annotation_id,
            } = example;
            examples.set_item(code, (message, source, member, annotation_id))?;
        }
        counts.set_item("examples", examples)?;
        let MediaFound { by_rule, folders, .. } = &self.tally.media_found;
        counts.set_item("media_by_rule", dict(py, by_rule)?)?;
        let folders = folders
            .iter()
            .map(|((source, project), count)| (source, project, *count));
        counts.set_item("folders_differ", PyList::new(py, folders.collect::<Vec<_>>())?)?;
        counts.set_item("left_out_files", self.tally.left_out.files)?;
        counts.set_item("left_out_names", &self.tally.left_out.names)?;
        Ok(counts)
    }

    fn label_row<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyDict>> {
        let span = self.span(index)?;
        let medium = &self.rows.plan().media[span.medium as usize];
        let info = PyDict::new(py);
        info.set_item("medium", span.medium)?;
        info.set_item("data_hash", &*medium.data_hash)?;
        info.set_item("title", medium.shown_title())?;
        info.set_item("annotations", span.annotations)?;
        info.set_item("frames", span.frames)?;
        info.set_item("tracks", span.tracks)?;
        info.set_item("sized", medium.is_sized())?;
        info.set_item("has_answers", span.has_answers)?;
        Ok(info)
    }

    fn found<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyList>> {
        let medium = self.span(index)?.medium;
        let own = std::iter::once(medium).chain(self.rows.plan().spaces_of(medium));
        let found = own.filter_map(|medium| {
            let found = self.tally.media_found.media.get(&medium)?;
            Some((found.name.as_str(), found.names, found.rule()))
        });
        PyList::new(py, found.collect::<Vec<_>>())
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

    /// Writes a label row to a file as it is encoded; gives its length, bytes.
    #[pyo3(signature = (index, file, header, when))]
    fn write(&self, py: Python<'_>, index: usize, file: Py<PyAny>, header: Option<&[u8]>, when: &str) -> PyResult<u64> {
        let span = self.span(index)?;
        let mut file = PyFile::new(file);
        let (mut len_bytes, mut failed) = (0, None);
        let take = |text: &mut Vec<u8>| {
            len_bytes += text.len() as u64;
            if failed.is_none() {
                failed = file.write_all(text).err();
            }
            text.clear();
        };
        py.detach(|| self.rows.encode_to(span, header, when, take))
            .map_err(|e| to_py(py, e))?;
        failed.map_or(Ok(len_bytes), |e| Err(e.into()))
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

    fn conflicting<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        existing: &[u8],
        when: &str,
    ) -> PyResult<Bound<'py, PyList>> {
        let span = self.span(index)?;
        let lines = py
            .detach(|| self.rows.conflicting(span, existing, when))
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
        out.set_item("objects_extended", compared.merged.objects_extended)?;
        out.set_item("labels_replaced", compared.merged.labels_replaced)?;
        out.set_item("numbers_taken", compared.merged.numbers_taken)?;
        out.set_item("body", compared.body.map(|body| PyBytes::new(py, &body)))?;
        Ok(out)
    }

    fn written(&self, py: Python<'_>, rows: Vec<(usize, String, Vec<u64>)>) -> PyResult<WrittenLabels> {
        for (index, ..) in &rows {
            self.span(*index)?;
        }
        let rows = rows.iter().map(|(index, label_hash, unfit)| OnServer {
            index: *index,
            label_hash,
            unfit,
        });
        let rows: Vec<_> = rows.collect();
        let table = py.detach(|| self.rows.written(&rows));
        table.map(WrittenLabels).map_err(|e| to_py(py, e))
    }

    fn namesakes(
        &self,
        py: Python<'_>,
        index: usize,
        existing: &[u8],
        labels: Vec<String>,
    ) -> PyResult<Vec<(String, String, String)>> {
        let span = self.span(index)?;
        let found = py.detach(|| self.rows.namesakes(span, existing, &labels));
        Ok(found.map_err(|e| to_py(py, e))?.into_iter().collect())
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
