//! The sorted rows, label row by label row.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::flow::{Flow, NamedRow};
use super::merge::{Cursor, RunFile, RunWriter};
use super::record::{RecordReader, StagedRow};
use super::rows::{Batches, Entry, Place};
use super::split::{Duplicate, LabelRowSpan, Split, Splitter};
use super::tracks::SharedTrack;
use crate::error::{Error, Result};
use crate::source::TextSpan;

enum Rows {
    Memory { batches: Batches, places: Vec<Place> },
    Disk(RunFile),
}

/// All annotations of an import, sorted and split into label rows.
pub struct Staged {
    rows: Rows,
    split: Split,
    left_out: u64,
}

impl Staged {
    /// The label rows, in the order of the plan's media.
    pub fn label_rows(&self) -> &[LabelRowSpan] {
        &self.split.label_rows
    }

    /// Rows left out because their frame has a more confident one of their track, or another answer.
    pub fn duplicates(&self) -> &[Duplicate] {
        &self.split.duplicates
    }

    /// Rows left out because they say the same as another row of their track on their frame, or because another document has
    /// the same object.
    pub fn identical(&self) -> u64 {
        self.split.identical
    }

    /// Tracks that became several objects because their class changed.
    pub fn split_tracks(&self) -> u64 {
        self.split.tracks.split
    }

    /// Track ids that several sources have on one medium, each counted once a medium.
    pub fn shared_tracks(&self) -> u64 {
        self.split.tracks.shared
    }

    /// The first of those.
    pub fn first_shared_tracks(&self) -> &[SharedTrack] {
        &self.split.tracks.named
    }

    /// Objects that do not get the number of their track, since another object of their class on the medium has it.
    pub fn numbers_taken(&self) -> u64 {
        self.split.tracks.numbers_taken
    }

    /// The sources that have tracks, each label by its first source.
    pub fn tracked_sources(&self) -> impl Iterator<Item = u32> + '_ {
        self.split.tracks.of_sources.iter().copied()
    }

    /// Answers about whole objects that differ from the one on an earlier row, which stays.
    pub fn differing_answers(&self) -> u64 {
        self.split.differing_answers
    }

    /// Rows left out because their frame has enough that score higher.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Hands the rows of one label row to `visit`, in order.
    ///
    /// # Errors
    /// What `visit` returns, and [`Error::Stage`] when the staged file was damaged.
    pub fn for_each(
        &self,
        label_row: &LabelRowSpan,
        mut visit: impl FnMut(&StagedRow<'_>, TextSpan) -> Result<()>,
    ) -> Result<()> {
        let mut reader = RecordReader::default();
        match &self.rows {
            Rows::Memory { batches, places } => {
                for &place in &places[label_row.start as usize..label_row.end as usize] {
                    let (row, text) = reader.read(batches.row(place))?;
                    visit(&row, text)?;
                }
            }
            Rows::Disk(run) => {
                let damaged = |cause: std::io::Error| Error::Stage(format!("the staged file cannot be read: {cause}"));
                let mut file: File = run.reopen()?;
                file.seek(SeekFrom::Start(label_row.start)).map_err(damaged)?;
                let mut file = BufReader::with_capacity(1 << 16, file);
                let mut row = Vec::new();
                for _ in 0..label_row.annotations {
                    let mut len = [0; 4];
                    file.read_exact(&mut len).map_err(damaged)?;
                    row.resize(u32::from_le_bytes(len) as usize, 0);
                    file.read_exact(&mut row).map_err(damaged)?;
                    let (row, text) = reader.read(&row)?;
                    visit(&row, text)?;
                }
            }
        }
        Ok(())
    }
}

/// Splits rows that are already sorted. At most `most` stay on a frame.
pub(super) fn in_memory(
    batches: Batches,
    entries: &[Entry],
    most: Option<u64>,
    splitter: Splitter,
    stays: &mut dyn FnMut(&NamedRow<'_>) -> Result<bool>,
) -> Result<Staged> {
    let mut places = Vec::with_capacity(entries.len());
    let write = |place: Place, _: &[u8]| {
        places.push(place);
        let end = places.len() as u64;
        Ok((end - 1, end))
    };
    let mut flow = Flow::<_, &[u8], _>::new(splitter, most, stays, write);
    for (at, entry) in entries.iter().enumerate() {
        let next = entries.get(at + 1).map(Entry::key);
        flow.take(entry.key(), entry.place, batches.row(entry.place), next)?;
    }
    let (split, left_out) = flow.finish()?;
    let rows = Rows::Memory { batches, places };
    Ok(Staged { rows, split, left_out })
}

/// Merges runs into one file in `dir`. At most `most` stay on a frame; only those are held in memory.
pub(super) fn on_disk(
    mut cursor: Cursor,
    dir: &Path,
    most: Option<u64>,
    splitter: Splitter,
    stays: &mut dyn FnMut(&NamedRow<'_>) -> Result<bool>,
) -> Result<Staged> {
    let mut out = RunWriter::create(dir)?;
    let write = |(): (), row: &[u8]| {
        let start = out.position();
        out.push(row)?;
        Ok((start, out.position()))
    };
    let mut flow = Flow::<_, Vec<u8>, _>::new(splitter, most, stays, write);
    while let Some((key, row)) = cursor.next()? {
        // What follows is read once this row has gone its way; it may be anything.
        flow.take(key, (), row, Some(key))?;
    }
    let (split, left_out) = flow.finish()?;
    let rows = Rows::Disk(out.finish()?);
    Ok(Staged { rows, split, left_out })
}
