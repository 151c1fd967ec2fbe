//! Splits sorted rows into label rows, and looks at what the rows of a label row have to do with each other.

use std::collections::HashMap;

use xxhash_rust::xxh3::{xxh3_128_with_seed, xxh3_64};

use super::equals::Equals;
use super::labels::{Labels, RowsOf};
use super::record::{Head, Key};
use super::tracks::Tracks;
use crate::answers::Answers;
use crate::identity::Distinct;
use crate::source::TextSpan;

/// The rows of one label row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRowSpan {
    /// Index in the plan of the medium that the row is of: of spaces their data group.
    pub medium: u32,
    /// Annotations in it.
    pub annotations: u64,
    /// Frames that they are on; of ranges the first one.
    pub frames: u64,
    /// Tracks among them.
    pub tracks: u64,
    /// Whether all of them are objects of their own whose hashes differ by themselves.
    pub distinct: bool,
    /// Whether some of them answer classifications.
    pub has_answers: bool,
    /// Index of the first entry (in memory) or byte of the first record (on disk).
    pub(super) start: u64,
    /// One past the last.
    pub(super) end: u64,
}

/// A row of a track that has a more confident one on the frame, or another answer to what is answered there: not staged, to
/// be rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Its place.
    pub key: Key,
    /// The source's own id.
    pub annotation_id: Option<String>,
    /// The track; none for an answer.
    pub track: Option<String>,
    /// Index of the ontology object in the plan; of the classification for an answer.
    pub feature: u32,
    /// Where its text lies in the source.
    pub text: TextSpan,
}

/// The label rows, and what of the rows is not in them.
#[derive(Default)]
pub(super) struct Split {
    pub label_rows: Vec<LabelRowSpan>,
    pub duplicates: Vec<Duplicate>,
    /// Rows that say the same as another one of their track on their frame, or that another document has as well.
    pub identical: u64,
    pub tracks: Tracks,
    /// Answers about whole objects that differ from the one on an earlier row.
    pub differing_answers: u64,
}

/// Splits sorted rows into label rows.
#[derive(Default)]
pub(super) struct Splitter {
    split: Split,
    labels: Labels,
    rows: RowsOf,
    /// The medium whose rows come, and the frame.
    medium: Option<u32>,
    frame: Option<u32>,
    equals: Equals,
    /// What is known of the hashes in the label row that is being written.
    distinct: Distinct,
    /// Of its classifications: how far what was answered last reaches, and what that was.
    answered: HashMap<u128, (u32, u128)>,
    /// The label row that they are of.
    answered_in: Option<u32>,
    /// Of the objects of the label row that is being written, by question: what was answered first.
    about: HashMap<(u128, u32), u64>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Splitter {
    /// Splits rows of sources with these labels, on these label rows.
    pub fn new(labels: Labels, rows: RowsOf) -> Self {
        Self {
            labels,
            rows,
            ..Self::default()
        }
    }

    /// Rejects a row whose track has a more confident one on the frame, or an answer where there is another.
    pub fn reject(&mut self, key: Key, head: &Head<'_>) {
        self.split.duplicates.push(Duplicate {
            key,
            annotation_id: head.annotation_id.map(text),
            track: head.track.map(text),
            feature: head.feature,
            text: head.text,
        });
    }

    /// Counts a row that says the same as another one of its track on the frame.
    pub fn leave_out_identical(&mut self) {
        self.split.identical += 1;
    }

    /// Whether an object without a track stays: those that another document has as well are the same objects.
    pub fn admit_untracked(&mut self, key: Key) -> bool {
        let stays = self.equals.admit(key, &self.labels);
        self.split.identical += u64::from(!stays);
        stays
    }

    /// Whether an answer stays: frames have one answer to a classification. Equal ones are one.
    pub fn admit_answer(&mut self, key: Key, last_frame: u32, head: &Head<'_>) -> bool {
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
        self.reject(key, head);
        false
    }

    /// Notes a row that stays and that is written from `start` to `end`.
    pub fn place(&mut self, key: Key, head: &Head<'_>, (start, end): (u64, u64)) {
        if self.medium.replace(key.label_row) != Some(key.label_row) {
            self.end_medium();
            let medium = self.rows.of(key.label_row);
            if self.split.label_rows.last().is_none_or(|row| row.medium != medium) {
                self.end_label_row();
                self.split.label_rows.push(LabelRowSpan {
                    medium,
                    annotations: 0,
                    frames: 0,
                    tracks: 0,
                    distinct: false,
                    has_answers: false,
                    start,
                    end,
                });
            }
        }
        if let Some(label_row) = self.split.label_rows.last_mut() {
            label_row.annotations += 1;
            label_row.frames += u64::from(self.frame.replace(key.frame) != Some(key.frame));
            label_row.has_answers |= head.answered_to().is_some();
            label_row.end = end;
        }
        self.distinct
            .push(key.object, head.track.is_some() || head.stands_on_range());
        self.note_answers(key, head);
        if let Some(track) = head.track {
            self.split.tracks.note(key, self.labels.of(key.source), track, head);
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
                self.split.differing_answers += u64::from(first != content);
            }
        }
    }

    fn end_medium(&mut self) {
        self.frame = None;
        let tracks = self.split.tracks.end_medium();
        if let Some(label_row) = self.split.label_rows.last_mut() {
            label_row.tracks += tracks;
        }
    }

    fn end_label_row(&mut self) {
        self.about.clear();
        if let Some(label_row) = self.split.label_rows.last_mut() {
            label_row.distinct = self.distinct.tell();
        }
    }

    /// Ends the last label row.
    pub fn finish(mut self) -> Split {
        self.end_medium();
        self.end_label_row();
        self.split
    }
}
