//! What a run of rows becomes: rows to stage, and what is worth a warning.

use super::became::{Became, Classes, ClassesFound};
use crate::answers::Packer;
use crate::identity;
use crate::reject::Counts;
use crate::stage::StagedRows;

/// What a run of rows became.
#[derive(Default)]
pub struct Resolved {
    /// Rows to stage.
    pub rows: StagedRows,
    /// Things that the summary mentions.
    pub warnings: Counts,
    /// Objects drawn that have no confidence.
    pub without_score: u64,
    pub(super) form: identity::Form,
    pub(super) packer: Packer,
    classes: Classes,
    /// Warnings of the row that is being resolved.
    of_row: Vec<&'static str>,
}

impl Resolved {
    pub(super) fn warn(&mut self, what: &'static str) {
        *self.warnings.entry(what).or_default() += 1;
        self.of_row.push(what);
    }

    /// Begins another row.
    pub(super) fn begin_row(&mut self) {
        self.of_row.clear();
    }

    /// Counts the row that was resolved under its class.
    pub(super) fn count(&mut self, class: &str, became: Became) {
        self.classes.count(class, became, &self.of_row);
    }

    /// Adds what the classes became to the sums of all rows.
    pub fn add_classes_to(&mut self, found: &mut ClassesFound) {
        std::mem::take(&mut self.classes).add_to(found);
    }
}
