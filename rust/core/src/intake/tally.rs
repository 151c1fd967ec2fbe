//! What became of the annotations.

use std::collections::BTreeMap;

use crate::formats::LeftOut;
use crate::reject::{Counts, Reason, Reject, RowReject, Unresolved};
use crate::resolve::{ClassesFound, MediaFound};

/// Names that the summary lists at most, of media and of classes each; rejects beyond are counted by code alone.
const MAX_UNRESOLVED_NAMES: usize = 1000;

/// A track id that two sources have on one medium: an object of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedTrack {
    /// The id.
    pub track: String,
    /// Title of the medium.
    pub media: String,
    /// Labels of the two.
    pub sources: [String; 2],
}

/// The first reject of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Why it is rejected.
    pub message: String,
    /// Label of its source; none for a label row as a whole.
    pub source: Option<String>,
    /// File inside the source where that is a folder.
    pub member: Option<String>,
    /// The source's own id of the annotation.
    pub annotation_id: Option<String>,
}

/// What became of the annotations. read = staged + rejected + the sum of filtered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Annotations found in the sources.
    pub read: u64,
    /// Annotations in the stage.
    pub staged: u64,
    /// Annotations that were rejected, by code.
    pub rejects: Counts,
    /// Annotations left out on request, by reason.
    pub filtered: Counts,
    /// Things worth a look.
    pub warnings: Counts,
    /// Objects drawn that have no confidence, and are written with 1.0.
    pub without_score: u64,
    /// (name in the source, code) -> annotations.
    pub unresolved: BTreeMap<(Unresolved, String, &'static str), u64>,
    /// The first reject of each code.
    pub examples: BTreeMap<&'static str, Example>,
    /// What classes became; annotations that are rejected, or left out, after they were resolved are counted too.
    pub classes: ClassesFound,
    /// How media were found.
    pub media_found: MediaFound,
    /// Files of folders that hold no predictions.
    pub left_out: LeftOut,
    /// The first tracks that several sources have on one medium.
    pub shared_tracks: Vec<SharedTrack>,
    /// How many of those names are media and how many classes.
    names_of: [usize; 2],
}

impl Tally {
    pub(super) fn reject(&mut self, reject: &Reject) {
        self.examples.entry(reject.reason.code()).or_insert_with(|| Example {
            message: reject.reason.to_string(),
            source: Some(reject.origin.source.to_string()),
            member: reject.origin.member.as_deref().map(str::to_owned),
            annotation_id: reject.annotation_id.clone(),
        });
        self.count(&reject.reason);
    }

    /// Counts the annotations of a label row that is rejected as a whole.
    pub(super) fn reject_row(&mut self, row: &RowReject) {
        *self.rejects.entry(row.code).or_default() += row.annotations;
        self.examples.entry(row.code).or_insert_with(|| Example {
            message: row.message.clone(),
            source: None,
            member: None,
            annotation_id: None,
        });
    }

    fn count(&mut self, reason: &Reason) {
        *self.rejects.entry(reason.code()).or_default() += 1;
        if let Some((kind, name)) = reason.unresolved() {
            let key = (kind, name.to_owned(), reason.code());
            if let Some(count) = self.unresolved.get_mut(&key) {
                *count += 1;
            } else if self.names_of[kind as usize] < MAX_UNRESOLVED_NAMES {
                self.names_of[kind as usize] += 1;
                self.unresolved.insert(key, 1);
            }
        }
    }

    /// Counts annotations that are left out, if there are any.
    pub(super) fn filter(&mut self, reason: &'static str, annotations: u64) {
        if annotations > 0 {
            *self.filtered.entry(reason).or_default() += annotations;
        }
    }

    /// Counts what is worth a look, if there is any.
    pub(super) fn warn(&mut self, name: &'static str, count: u64) {
        if count > 0 {
            *self.warnings.entry(name).or_default() += count;
        }
    }

    /// Annotations that were rejected.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }

    /// Number of annotations left out on request.
    pub fn filtered_total(&self) -> u64 {
        self.filtered.values().sum()
    }
}

/// Adds `more` to `counts`, name by name.
pub(super) fn add(counts: &mut Counts, more: &Counts) {
    for (&name, count) in more {
        *counts.entry(name).or_default() += count;
    }
}
