//! What a run of rows becomes: rows to stage, and what is worth a warning.

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
}

impl Resolved {
    pub(super) fn warn(&mut self, what: &'static str) {
        *self.warnings.entry(what).or_default() += 1;
    }
}
