//! What became of the annotations.

use std::collections::BTreeMap;

use crate::formats::LeftOut;
use crate::reject::{Counts, Reason, Unresolved};

/// Names that the summary lists at most, of media and of classes each; rejects beyond are counted by code alone.
const MAX_UNRESOLVED_NAMES: usize = 1000;

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
    /// Files of folders that hold no predictions.
    pub left_out: LeftOut,
    /// How many of those names are media and how many classes.
    names_of: [usize; 2],
}

impl Tally {
    pub(super) fn reject(&mut self, reason: &Reason) {
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
