//! The stage: resolved annotations sorted by (label row, frame, object), in memory while small, else merged from runs
//! on disk. Encoding and rejects (and later resume and verification) read the stage, not the source.
//!
//! [`StageBuilder`] takes [`StagedRows`] in any order; [`StageBuilder::finish`] sorts them, rejects a track's second row on a
//! frame, leaves out what exceeds a limit, and gives [`Staged`], whose label rows can be read one by one from any thread.

mod best;
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

/// Most that is set aside for rows before there are any.
const MOST_SET_ASIDE_BYTES: usize = 1 << 28;

/// Where a row's bytes lie in the arena.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    start: usize,
    end: usize,
}

/// Rows in the order in which they came.
#[derive(Debug, Default)]
pub struct StagedRows {
    arena: Vec<u8>,
    entries: Vec<Entry>,
}

impl StagedRows {
    /// None, with room for so many rows of so many bytes in all.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            arena: Vec::with_capacity(bytes),
            entries: Vec::with_capacity(rows),
        }
    }

    /// Adds a row. `text` says where the annotation lies in its source.
    pub fn push(&mut self, row: &StagedRow<'_>, text: TextSpan) {
        let start = self.arena.len();
        record::write(row, text, &mut self.arena);
        self.entries.push(Entry {
            key: row.key,
            start,
            end: self.arena.len(),
        });
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn bytes(&self) -> usize {
        self.arena.len() + self.entries.len() * size_of::<Entry>()
    }

    fn append(&mut self, other: Self) {
        if self.entries.capacity() == 0 {
            *self = other;
            return;
        }
        let base = self.arena.len();
        self.arena.extend_from_slice(&other.arena);
        let moved = other.entries.iter().map(|e| Entry {
            key: e.key,
            start: e.start + base,
            end: e.end + base,
        });
        self.entries.extend(moved);
    }

    /// Sorts by key. Most sources go from frame to frame, so that each one's rows need to be put in order alone.
    fn sort(&mut self) {
        let frame = |entry: &Entry| (entry.key.label_row, entry.key.frame);
        if self.entries.is_sorted_by_key(frame) {
            let frames = self.entries.chunk_by_mut(|a, b| frame(a) == frame(b));
            frames.for_each(|rows| rows.sort_unstable_by_key(|entry| entry.key));
        } else {
            self.entries.sort_unstable_by_key(|entry| entry.key);
        }
    }

    fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
    }
}

/// Collects rows; spills sorted runs when the budget is reached.
pub struct StageBuilder {
    rows: StagedRows,
    budget_bytes: usize,
    work_dir: Option<PathBuf>,
    runs: Vec<RunFile>,
    max_per_frame: Option<u64>,
}

impl StageBuilder {
    /// A stage that spills to `work_dir` once it holds more than `budget_bytes`; without a folder it stays in memory.
    pub fn new(work_dir: Option<PathBuf>, budget_bytes: usize) -> Self {
        // Where there is a bound all of it is set aside at once: untouched pages cost nothing, growing costs copies and leaves
        // holes.
        let rows = match work_dir {
            Some(_) => {
                let bytes = budget_bytes.min(MOST_SET_ASIDE_BYTES);
                StagedRows::with_capacity(bytes / size_of::<Entry>() / 2, bytes)
            }
            None => StagedRows::default(),
        };
        Self {
            rows,
            budget_bytes,
            work_dir,
            runs: Vec::new(),
            max_per_frame: None,
        }
    }

    /// Leaves out what exceeds so many annotations on a frame: those with the lowest scores, of equal ones the last in the
    /// stage's order. A track's second row on a frame counts among the rejects alone.
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
    /// [`Error::Io`] when a run cannot be written.
    pub fn append(&mut self, rows: StagedRows) -> Result<()> {
        self.rows.append(rows);
        if self.rows.bytes() > self.budget_bytes {
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
            self.rows.sort();
            let StagedRows { arena, entries } = self.rows;
            let rows = entries.into_iter().map(|e| (e.key, e.start, e.end));
            return staged::in_memory(arena, rows, self.max_per_frame);
        }
        self.spill()?;
        // Merging has buffers of its own.
        self.rows = StagedRows::default();
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
        staged::on_disk(Cursor::new(readers)?, &dir, self.max_per_frame)
    }

    fn spill(&mut self) -> Result<()> {
        let Some(dir) = &self.work_dir else { return Ok(()) };
        if self.rows.is_empty() {
            return Ok(());
        }
        self.rows.sort();
        let rows = self.rows.entries.iter().map(|e| &self.rows.arena[e.start..e.end]);
        self.runs.push(RunFile::write(rows, dir)?);
        self.rows.clear();
        Ok(())
    }
}
