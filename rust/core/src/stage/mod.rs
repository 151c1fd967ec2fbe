//! The stage: resolved annotations sorted by (label row, frame, object), in memory while small, else merged from runs
//! on disk. Encoding and rejects (and later resume and verification) read the stage, not the source.
//!
//! [`StageBuilder`] takes rows in any order; [`StageBuilder::finish`] sorts them, rejects a track's second row on a
//! frame, and gives [`Staged`], whose label rows can be read one by one from any thread.

mod merge;
pub mod record;
mod staged;

use std::path::PathBuf;

use crate::error::{Error, Result};
use merge::{Cursor, RunFile, RunReader};
use record::{Key, StagedRow, TextSpan};
pub use staged::{Duplicate, LabelRowSpan, Staged};

/// Runs that are merged at once; more are merged in passes, so that open files and read buffers stay bounded.
const MERGE_WIDTH: usize = 64;

/// Where a row's bytes lie in the arena.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    start: usize,
    end: usize,
}

/// Collects rows; spills sorted runs when the budget is reached.
pub struct StageBuilder {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    budget_bytes: usize,
    work_dir: Option<PathBuf>,
    runs: Vec<RunFile>,
}

impl StageBuilder {
    /// A stage that spills to `work_dir` once it holds more than `budget_bytes`; without a folder it stays in memory.
    pub fn new(work_dir: Option<PathBuf>, budget_bytes: usize) -> Self {
        Self {
            arena: Vec::new(),
            entries: Vec::new(),
            budget_bytes,
            work_dir,
            runs: Vec::new(),
        }
    }

    /// Adds a row. `text` says where the annotation lies in its source.
    pub fn push(&mut self, row: &StagedRow<'_>, text: TextSpan) -> Result<()> {
        let start = self.arena.len();
        record::write(row, text, &mut self.arena);
        self.entries.push(Entry {
            key: row.key,
            start,
            end: self.arena.len(),
        });
        if self.arena.len() + self.entries.len() * size_of::<Entry>() > self.budget_bytes {
            self.spill()?;
        }
        Ok(())
    }

    /// Sorts everything and splits it into label rows.
    ///
    /// # Errors
    /// [`Error::Io`] when a run cannot be written or read back.
    pub fn finish(mut self) -> Result<Staged> {
        if self.runs.is_empty() {
            self.entries.sort_unstable_by_key(|entry| entry.key);
            return staged::in_memory(self.arena, self.entries.into_iter().map(|e| (e.key, e.start, e.end)));
        }
        self.spill()?;
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
        staged::on_disk(Cursor::new(readers)?, &dir)
    }

    fn spill(&mut self) -> Result<()> {
        let Some(dir) = &self.work_dir else { return Ok(()) };
        if self.entries.is_empty() {
            return Ok(());
        }
        self.entries.sort_unstable_by_key(|entry| entry.key);
        let rows = self.entries.iter().map(|e| &self.arena[e.start..e.end]);
        self.runs.push(RunFile::write(rows, dir)?);
        self.arena.clear();
        self.entries.clear();
        Ok(())
    }
}
