//! The stage: resolved annotations sorted by (label row, frame, object), in memory while small, else merged from runs
//! on disk. Encoding and rejects (and later resume and verification) read the stage, not the source.
//!
//! [`StageBuilder`] takes [`StagedRows`] in any order; [`StageBuilder::finish`] sorts them, keeps the most confident row
//! of a track on a frame, leaves out what exceeds a limit, and gives [`Staged`], whose label rows can be read one by one from any thread.

mod best;
mod equals;
mod flow;
mod labels;
mod merge;
pub mod record;
mod rows;
mod split;
mod staged;
mod tracks;

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::plan::Plan;
pub use flow::NamedRow;
use labels::{Labels, RowsOf};
use merge::{Cursor, RunFile, RunReader};
pub use rows::StagedRows;
use rows::{Batches, Entry, Place};
use split::Splitter;
pub use split::{Duplicate, LabelRowSpan};
pub use staged::Staged;
pub use tracks::SharedTrack;

/// Runs that are merged at once; more are merged in passes, so that open files and read buffers stay bounded.
const MERGE_WIDTH: usize = 64;

/// Most that is set aside for the order of rows before there are any.
const MOST_SET_ASIDE_BYTES: usize = 1 << 28;

/// Collects rows; spills sorted runs when the budget is reached.
pub struct StageBuilder {
    batches: Batches,
    batch_bytes: usize,
    entries: Vec<Entry>,
    budget_bytes: usize,
    work_dir: Option<PathBuf>,
    runs: Vec<RunFile>,
    max_per_frame: Option<u64>,
    labels: Labels,
    rows: RowsOf,
}

impl StageBuilder {
    /// A stage that spills to `work_dir` once it holds more than `budget_bytes`; without a folder it stays in memory.
    pub fn new(work_dir: Option<PathBuf>, budget_bytes: usize) -> Self {
        // Where there is a bound half of it is set aside at once: untouched pages cost nothing, growing costs copies and
        // leaves holes.
        let most_bytes = work_dir.as_ref().map_or(0, |_| budget_bytes.min(MOST_SET_ASIDE_BYTES));
        Self {
            batches: Batches::default(),
            batch_bytes: 0,
            entries: Vec::with_capacity(most_bytes / size_of::<Entry>() / 2),
            budget_bytes,
            work_dir,
            runs: Vec::new(),
            max_per_frame: None,
            labels: Labels::default(),
            rows: RowsOf::default(),
        }
    }

    /// Says which sources have one label: of each source, the number of the first one with its label. Else each has its own.
    #[must_use]
    pub fn of_labels(self, first: Vec<u32>) -> Self {
        Self {
            labels: Labels(first),
            ..self
        }
    }

    /// Puts the spaces of a data group on its label row. Else each medium has its own.
    #[must_use]
    pub fn on_rows_of(self, plan: &Plan) -> Self {
        Self {
            rows: RowsOf::new(plan),
            ..self
        }
    }

    /// Leaves out what exceeds so many annotations on a frame: those with the lowest scores, of equal ones the last in the
    /// stage's order. What a more confident row of its track keeps from a frame is not counted here.
    #[must_use]
    pub fn max_per_frame(self, most: Option<u64>) -> Self {
        Self {
            max_per_frame: most,
            ..self
        }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`Error::Io`] when a run cannot be written, [`Error::Stage`] for more than 4 GB at once.
    pub fn append(&mut self, rows: StagedRows) -> Result<()> {
        let StagedRows { mut arena, entries } = rows;
        if arena.len() > u32::MAX as usize {
            return Err(Error::Stage(
                "a batch of annotations exceeds 4 GB; split the file".into(),
            ));
        }
        arena.shrink_to_fit();
        let batch = self.batches.0.len() as u32;
        self.entries.extend(entries.into_iter().map(|entry| Entry {
            place: Place { batch, ..entry.place },
            ..entry
        }));
        self.batch_bytes += arena.len();
        self.batches.0.push(arena);
        if self.batch_bytes + self.entries.len() * size_of::<Entry>() > self.budget_bytes {
            self.spill()?;
        }
        Ok(())
    }

    /// Sorts everything and splits it into label rows.
    ///
    /// # Errors
    /// [`Error::Io`] when a run cannot be written or read back.
    pub fn finish(self) -> Result<Staged> {
        self.finish_with(&mut |_| Ok(true))
    }

    /// As [`Self::finish`], without the rows that `stays` refuses; it is asked about those that a numbered name led to their
    /// medium, in order.
    ///
    /// # Errors
    /// As [`Self::finish`], and what `stays` returns.
    pub fn finish_with(mut self, stays: &mut dyn FnMut(&NamedRow<'_>) -> Result<bool>) -> Result<Staged> {
        if self.runs.is_empty() {
            sort(&mut self.entries);
            let splitter = Splitter::new(self.labels, self.rows);
            return staged::in_memory(self.batches, &self.entries, self.max_per_frame, splitter, stays);
        }
        self.spill()?;
        // Merging has buffers of its own.
        self.entries = Vec::new();
        let Some(dir) = self.work_dir else {
            return Err(Error::Stage("runs without a work folder".into()));
        };
        while self.runs.len() > MERGE_WIDTH {
            let rest = self.runs.split_off(MERGE_WIDTH);
            let merged = merge::merge_runs(&self.runs, &dir)?;
            self.runs = rest;
            self.runs.push(merged);
        }
        let readers = self.runs.iter().map(RunReader::open).collect::<Result<Vec<_>>>()?;
        let splitter = Splitter::new(self.labels, self.rows);
        staged::on_disk(Cursor::new(readers)?, &dir, self.max_per_frame, splitter, stays)
    }

    fn spill(&mut self) -> Result<()> {
        let Some(dir) = &self.work_dir else { return Ok(()) };
        if self.entries.is_empty() {
            return Ok(());
        }
        sort(&mut self.entries);
        let rows = self.entries.iter().map(|entry| self.batches.row(entry.place));
        self.runs.push(RunFile::write(rows, dir)?);
        self.entries.clear();
        self.batches.0.clear();
        self.batch_bytes = 0;
        Ok(())
    }
}

/// Sorts by key. Most sources go from frame to frame, so that each one's rows need to be put in order alone.
fn sort(entries: &mut [Entry]) {
    let frame = |entry: &Entry| (entry.label_row, entry.frame);
    if entries.is_sorted_by_key(frame) {
        let frames = entries.chunk_by_mut(|a, b| frame(a) == frame(b));
        frames.for_each(|rows| rows.sort_unstable_by_key(Entry::key));
    } else {
        entries.sort_unstable_by_key(Entry::key);
    }
}
