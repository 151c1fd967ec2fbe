//! The sorted rows, label row by label row.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::merge::{Cursor, RunFile, RunWriter};
use super::record::{Head, Key, RecordReader, StagedRow, TextSpan};
use crate::error::{Error, Result};

/// The rows of one label row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRowSpan {
    /// Index of the medium in the plan.
    pub medium: u32,
    /// Annotations in it.
    pub annotations: u64,
    /// Index of the first entry (in memory) or byte of the first record (on disk).
    start: u64,
    /// One past the last.
    end: u64,
}

/// A track's second row on one frame: not staged, to be rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Its place.
    pub key: Key,
    /// The source's own id.
    pub annotation_id: Option<String>,
    /// The track.
    pub track: String,
    /// Where its text lies in the source.
    pub text: TextSpan,
}

enum Rows {
    Memory { arena: Vec<u8>, spans: Vec<(usize, usize)> },
    Disk(RunFile),
}

/// All annotations of an import, sorted and split into label rows.
pub struct Staged {
    rows: Rows,
    label_rows: Vec<LabelRowSpan>,
    duplicates: Vec<Duplicate>,
    split_tracks: u64,
}

impl Staged {
    /// The label rows, in the order of the plan's media.
    pub fn label_rows(&self) -> &[LabelRowSpan] {
        &self.label_rows
    }

    /// Rows left out because their track stood on the frame already.
    pub fn duplicates(&self) -> &[Duplicate] {
        &self.duplicates
    }

    /// Tracks that became several objects because their class changed.
    pub fn split_tracks(&self) -> u64 {
        self.split_tracks
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
            Rows::Memory { arena, spans } => {
                for &(start, end) in &spans[label_row.start as usize..label_row.end as usize] {
                    let (row, text) = reader.read(&arena[start..end])?;
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

/// Decides, row by row in order, what stays: a track stands once on a frame.
#[derive(Default)]
struct Splitter {
    label_rows: Vec<LabelRowSpan>,
    duplicates: Vec<Duplicate>,
    split_tracks: u64,
    last: Option<Key>,
    tracks: HashMap<u128, TrackFeatures>,
}

/// The classes that a track was seen with: its first, and whether there was another.
struct TrackFeatures {
    first: u32,
    split: bool,
}

impl Splitter {
    /// Whether the row stays; `position` is where it stands, or would stand.
    fn keep(&mut self, key: Key, row: &[u8], position: u64) -> Result<bool> {
        let last = self.last.replace(key);
        let same_row = last.is_some_and(|l| l.label_row == key.label_row);
        if !same_row {
            self.tracks.clear();
        }
        let head = Head::read(row)?;
        if let Some(track) = head.track {
            let repeated = last.is_some_and(|l| same_row && l.frame == key.frame && l.object == key.object);
            if repeated {
                let annotation_id = head.annotation_id.map(str::to_owned);
                self.duplicates.push(Duplicate {
                    key,
                    annotation_id,
                    track: track.to_owned(),
                    text: head.text,
                });
                return Ok(false);
            }
            let id = xxh3_128_with_seed(track.as_bytes(), u64::from(key.source));
            let seen = self.tracks.entry(id).or_insert(TrackFeatures {
                first: head.feature,
                split: false,
            });
            if seen.first != head.feature && !seen.split {
                seen.split = true;
                self.split_tracks += 1;
            }
        }
        if self.label_rows.last().is_none_or(|l| l.medium != key.label_row) {
            self.label_rows.push(LabelRowSpan {
                medium: key.label_row,
                annotations: 0,
                start: position,
                end: position,
            });
        }
        if let Some(label_row) = self.label_rows.last_mut() {
            label_row.annotations += 1;
        }
        Ok(true)
    }

    fn ends_at(&mut self, position: u64) {
        if let Some(label_row) = self.label_rows.last_mut() {
            label_row.end = position;
        }
    }

    fn into_staged(self, rows: Rows) -> Staged {
        let Self {
            label_rows,
            duplicates,
            split_tracks,
            ..
        } = self;
        Staged {
            rows,
            label_rows,
            duplicates,
            split_tracks,
        }
    }
}

/// Splits rows that are already sorted; entries are (key, start, end) in `arena`.
pub(super) fn in_memory(arena: Vec<u8>, entries: impl Iterator<Item = (Key, usize, usize)>) -> Result<Staged> {
    let mut splitter = Splitter::default();
    let mut spans = Vec::with_capacity(entries.size_hint().0);
    for (key, start, end) in entries {
        if splitter.keep(key, &arena[start..end], spans.len() as u64)? {
            spans.push((start, end));
            splitter.ends_at(spans.len() as u64);
        }
    }
    Ok(splitter.into_staged(Rows::Memory { arena, spans }))
}

/// Merges runs into one file in `dir`.
pub(super) fn on_disk(mut cursor: Cursor, dir: &Path) -> Result<Staged> {
    let mut splitter = Splitter::default();
    let mut out = RunWriter::create(dir)?;
    while let Some((key, row)) = cursor.next()? {
        if splitter.keep(key, row, out.position())? {
            out.push(row)?;
            splitter.ends_at(out.position());
        }
    }
    Ok(splitter.into_staged(Rows::Disk(out.finish()?)))
}
