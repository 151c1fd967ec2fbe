//! A batch in the making, of a format whose records are not rows of the table.

use super::{Batch, MemberRows, Texts};
use crate::batch::AnnotationBatchBuilder;
use crate::error::Result;
use crate::reject::{Counts, Reject};

/// Most rows, or rejects, a batch.
const MOST_ROWS: usize = 1 << 13;

/// Most files a batch: each is kept until its rows are resolved.
const MOST_FILES: usize = 1 << 12;

/// A batch in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub rows: AnnotationBatchBuilder,
    pub frameless: Vec<bool>,
    pub rejects: Vec<Reject>,
    pub filtered: Counts,
    pub warnings: Counts,
    pub members: Vec<MemberRows>,
}

impl Draft {
    /// Whether it should be handed over.
    pub fn is_full(&self) -> bool {
        self.rows.len().max(self.rejects.len()) >= MOST_ROWS || self.members.len() >= MOST_FILES
    }

    /// Whether there is nothing to hand over.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.rejects.is_empty() && self.filtered.is_empty() && self.warnings.is_empty()
    }

    /// The batch.
    ///
    /// # Errors
    /// As [`AnnotationBatchBuilder::finish`].
    pub fn finish(self) -> Result<Batch> {
        Ok(Batch {
            rejects: self.rejects,
            filtered: self.filtered,
            warnings: self.warnings,
            texts: Texts::Foreign,
            frameless: self.frameless,
            members: self.members,
            ..Batch::new(self.rows.finish()?)
        })
    }
}
