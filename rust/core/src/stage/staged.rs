//! The sorted rows, label row by label row.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use xxhash_rust::xxh3::{xxh3_128_with_seed, xxh3_64};

use super::best::Best;
use super::equals::Equals;
use super::labels::Labels;
use super::merge::{Cursor, RunFile, RunWriter};
use super::record::{Head, Key, RecordReader, StagedRow};
use super::rows::{Batches, Entry, Place};
use super::tracks::{SharedTrack, Tracks};
use crate::answers::Answers;
use crate::error::{Error, Result};
use crate::identity::Distinct;
use crate::source::TextSpan;

/// The rows of one label row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRowSpan {
    /// Index of the medium in the plan.
    pub medium: u32,
    /// Annotations in it.
    pub annotations: u64,
    /// Whether all of them are objects of their own whose hashes differ by themselves.
    pub distinct: bool,
    /// Index of the first entry (in memory) or byte of the first record (on disk).
    start: u64,
    /// One past the last.
    end: u64,
}

/// A track's second row on one frame, or another answer to what is answered there: not staged, to be rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Its place.
    pub key: Key,
    /// The source's own id.
    pub annotation_id: Option<String>,
    /// The track; none for an answer.
    pub track: Option<String>,
    /// Where its text lies in the source.
    pub text: TextSpan,
}

/// A row that a numbered name led to its medium.
#[derive(Debug, Clone, Copy)]
pub struct NamedRow<'a> {
    /// Number of the name, at least 1.
    pub name: u32,
    /// The row's place.
    pub key: Key,
    /// The source's own id.
    pub annotation_id: Option<&'a str>,
    /// Where its text lies in the source.
    pub text: TextSpan,
}

impl<'a> NamedRow<'a> {
    fn of(key: Key, head: &Head<'a>) -> Self {
        Self {
            name: head.name,
            key,
            annotation_id: head.annotation_id.and_then(|id| std::str::from_utf8(id).ok()),
            text: head.text,
        }
    }
}

enum Rows {
    Memory { batches: Batches, places: Vec<Place> },
    Disk(RunFile),
}

/// All annotations of an import, sorted and split into label rows.
pub struct Staged {
    rows: Rows,
    label_rows: Vec<LabelRowSpan>,
    duplicates: Vec<Duplicate>,
    tracks: Tracks,
    differing_answers: u64,
    identical: u64,
    left_out: u64,
}

impl Staged {
    /// The label rows, in the order of the plan's media.
    pub fn label_rows(&self) -> &[LabelRowSpan] {
        &self.label_rows
    }

    /// Rows left out because their track stood on the frame already, or another answer.
    pub fn duplicates(&self) -> &[Duplicate] {
        &self.duplicates
    }

    /// Tracks that became several objects because their class changed.
    pub fn split_tracks(&self) -> u64 {
        self.tracks.split
    }

    /// Track ids that several sources have on one medium, each counted once a medium.
    pub fn shared_tracks(&self) -> u64 {
        self.tracks.shared
    }

    /// The first of those.
    pub fn first_shared_tracks(&self) -> &[SharedTrack] {
        &self.tracks.named
    }

    /// The sources that have tracks, each label by its first source.
    pub fn tracked_sources(&self) -> impl Iterator<Item = u32> + '_ {
        self.tracks.of_sources.iter().copied()
    }

    /// Answers about whole objects that differ from the one on an earlier row, which stays.
    pub fn differing_answers(&self) -> u64 {
        self.differing_answers
    }

    /// Rows left out because another document has the same object.
    pub fn identical(&self) -> u64 {
        self.identical
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

/// Splits sorted rows into label rows.
#[derive(Default)]
struct Splitter {
    label_rows: Vec<LabelRowSpan>,
    duplicates: Vec<Duplicate>,
    labels: Labels,
    tracks: Tracks,
    equals: Equals,
    /// The row that arrived last.
    last: Option<Key>,
    /// What is known of the hashes in the label row that is being written.
    distinct: Distinct,
    /// Of its classifications: how far what was answered last reaches, and what that was.
    answered: HashMap<u128, (u32, u128)>,
    /// The label row that they are of.
    answered_in: Option<u32>,
    /// Of the objects of the label row that is being written, by question: what was answered first.
    about: HashMap<(u128, u32), u64>,
    differing_answers: u64,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Splitter {
    fn new(labels: Labels) -> Self {
        Self {
            labels,
            ..Self::default()
        }
    }

    /// Whether the row stays: a track stands once on a frame. Rows come in order.
    fn admit(&mut self, key: Key, head: &Head<'_>) -> bool {
        let last = self.last.replace(key);
        if let Some(last_frame) = head.answered_to() {
            return self.admit_answer(key, last_frame, head);
        }
        let Some(track) = head.track else {
            return self.equals.admit(key, &self.labels);
        };
        let place = |key: Key| (key.label_row, key.frame, key.object);
        if last.is_none_or(|last| place(last) != place(key)) {
            return true;
        }
        self.duplicates.push(Duplicate {
            key,
            annotation_id: head.annotation_id.map(text),
            track: Some(text(track)),
            text: head.text,
        });
        false
    }

    /// Whether an answer stays: frames have one answer to a classification. Equal ones are one.
    fn admit_answer(&mut self, key: Key, last_frame: u32, head: &Head<'_>) -> bool {
        if self.answered_in.replace(key.label_row) != Some(key.label_row) {
            self.answered.clear();
        }
        let content = xxh3_128_with_seed(head.answers, head.score.to_bits());
        let answered = self.answered.entry(key.object).or_insert((last_frame, content));
        if key.frame > answered.0 {
            *answered = (last_frame, content);
        }
        if answered.1 == content {
            answered.0 = answered.0.max(last_frame);
            return true;
        }
        self.duplicates.push(Duplicate {
            key,
            annotation_id: head.annotation_id.map(text),
            track: None,
            text: head.text,
        });
        false
    }

    /// Notes a row that stays and that is written from `start` to `end`.
    fn place(&mut self, key: Key, head: &Head<'_>, (start, end): (u64, u64)) {
        if self.label_rows.last().is_none_or(|l| l.medium != key.label_row) {
            self.end_label_row();
            self.label_rows.push(LabelRowSpan {
                medium: key.label_row,
                annotations: 0,
                distinct: false,
                start,
                end,
            });
        }
        if let Some(label_row) = self.label_rows.last_mut() {
            label_row.annotations += 1;
            label_row.end = end;
        }
        self.distinct
            .push(key.object, head.track.is_some() || head.stands_on_range());
        self.note_answers(key, head);
        if let Some(track) = head.track {
            self.tracks.note(key, self.labels.of(key.source), track, head);
        }
    }

    /// Counts the answers about an object that differ from those on its rows before.
    fn note_answers(&mut self, key: Key, head: &Head<'_>) {
        if head.answered_to().is_some() {
            return;
        }
        for answer in Answers::from_packed(head.answers).iter().flatten() {
            if !answer.varies {
                let content = xxh3_64(answer.content());
                let first = *self.about.entry((key.object, answer.question)).or_insert(content);
                self.differing_answers += u64::from(first != content);
            }
        }
    }

    fn end_label_row(&mut self) {
        self.tracks.end_label_row();
        self.about.clear();
        if let Some(label_row) = self.label_rows.last_mut() {
            label_row.distinct = self.distinct.tell();
        }
    }

    fn into_staged(mut self, rows: Rows, left_out: u64) -> Staged {
        self.end_label_row();
        let Self {
            label_rows,
            duplicates,
            tracks,
            equals,
            differing_answers,
            ..
        } = self;
        Staged {
            rows,
            label_rows,
            duplicates,
            tracks,
            differing_answers,
            identical: equals.identical,
            left_out,
        }
    }
}

/// Splits rows that are already sorted. At most `most` stay on a frame.
pub(super) fn in_memory(
    batches: Batches,
    entries: &[Entry],
    most: Option<u64>,
    labels: Labels,
    stays: &mut dyn FnMut(&NamedRow<'_>) -> Result<bool>,
) -> Result<Staged> {
    let mut splitter = Splitter::new(labels);
    let mut best = most.map(Best::new);
    let mut places = Vec::with_capacity(entries.len());
    let mut write = |splitter: &mut Splitter, key, head: &Head<'_>, place| {
        let at = places.len() as u64;
        places.push(place);
        splitter.place(key, head, (at, at + 1));
    };
    for entry in entries {
        let (key, place) = (entry.key(), entry.place);
        let head = Head::read(batches.row(place))?;
        if head.name > 0 && !stays(&NamedRow::of(key, &head))? {
            continue;
        }
        if !splitter.admit(key, &head) {
            continue;
        }
        let Some(best) = &mut best else {
            write(&mut splitter, key, &head, place);
            continue;
        };
        for (key, place) in best.offer(key, head.score, || place) {
            write(&mut splitter, key, &Head::read(batches.row(place))?, place);
        }
    }
    for (key, place) in best.iter_mut().flat_map(Best::finish) {
        write(&mut splitter, key, &Head::read(batches.row(place))?, place);
    }
    let left_out = best.map_or(0, |best| best.left_out());
    Ok(splitter.into_staged(Rows::Memory { batches, places }, left_out))
}

/// Merges runs into one file in `dir`. At most `most` stay on a frame; only those are held in memory.
pub(super) fn on_disk(
    mut cursor: Cursor,
    dir: &Path,
    most: Option<u64>,
    labels: Labels,
    stays: &mut dyn FnMut(&NamedRow<'_>) -> Result<bool>,
) -> Result<Staged> {
    let mut splitter = Splitter::new(labels);
    let mut best = most.map(Best::new);
    let mut out = RunWriter::create(dir)?;
    let mut write = |splitter: &mut Splitter, key, head: &Head<'_>, row: &[u8]| {
        let start = out.position();
        out.push(row)?;
        splitter.place(key, head, (start, out.position()));
        Ok::<_, Error>(())
    };
    while let Some((key, row)) = cursor.next()? {
        let head = Head::read(row)?;
        if head.name > 0 && !stays(&NamedRow::of(key, &head))? {
            continue;
        }
        if !splitter.admit(key, &head) {
            continue;
        }
        let Some(best) = &mut best else {
            write(&mut splitter, key, &head, row)?;
            continue;
        };
        for (key, row) in best.offer(key, head.score, || row.to_vec()) {
            write(&mut splitter, key, &Head::read(&row)?, &row)?;
        }
    }
    for (key, row) in best.iter_mut().flat_map(Best::finish) {
        write(&mut splitter, key, &Head::read(&row)?, &row)?;
    }
    let left_out = best.map_or(0, |best| best.left_out());
    Ok(splitter.into_staged(Rows::Disk(out.finish()?), left_out))
}
