//! A batch in the making, of formats whose records say little: boxes of a line, masks of a picture.

use std::sync::Arc;

use serde_json::Value;

use super::{Batch, MemberRows, Texts};
use crate::batch::{row_members, Annotation, AnnotationBatchBuilder, Kind};
use crate::error::Result;
use crate::reject::{Counts, Reject};

/// Most rows, or rejects, a batch.
const MOST_ROWS: usize = 1 << 13;

/// Most coordinates a batch, of rows that are made from others.
const MOST_NUMBERS: usize = 1 << 20;

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
    /// Coordinates of rows that are made from others, of which the text is short.
    pub numbers: usize,
    members: Vec<MemberRows>,
}

/// What is known of a row that is rejected, as members of a row of the table: whoever fixes it gives it what is missing.
pub(super) fn known_members(row: &Annotation<'_>, frame: Option<u32>) -> Value {
    let mut members = row_members(row, &[]);
    if row.kind == Kind::Object {
        members.remove("kind");
    }
    members.remove("frame");
    members.retain(|_, value| value != "");
    members.extend(frame.map(|frame| ("frame".to_owned(), frame.into())));
    Value::Object(members)
}

/// Takes what a record holds.
pub(super) struct Rows<'r> {
    /// The label of its source.
    pub source: &'r str,
    /// Byte at which it begins.
    pub offset: u64,
    pub batch: &'r mut Draft,
}

impl Rows<'_> {
    /// Adds a row that is on `frame`, or on the only one of its medium. Where it comes from is filled in.
    pub fn push(&mut self, row: &Annotation<'_>, frame: Option<u32>) {
        self.batch.rows.push(&Annotation {
            source: self.source,
            offset: self.offset,
            frame: frame.unwrap_or(0),
            ..*row
        });
        self.batch.frameless.push(frame.is_none());
    }

    /// Counts what is worth a look.
    pub fn warn(&mut self, name: &'static str) {
        self.batch.warn(name);
    }

    /// Counts a record that the format's own rules leave out.
    pub fn leave_out(&mut self, why: &'static str) {
        *self.batch.filtered.entry(why).or_default() += 1;
    }
}

impl Draft {
    /// Says of the coming rows which file they are from.
    pub fn name_member(&mut self, member: &Arc<str>) {
        self.members.push(MemberRows {
            first_row: self.rows.len(),
            name: Arc::clone(member),
        });
    }

    /// Counts what is worth a look.
    pub fn warn(&mut self, name: &'static str) {
        *self.warnings.entry(name).or_default() += 1;
    }

    pub fn is_full(&self) -> bool {
        let rows = self.rows.len().max(self.rejects.len());
        rows >= MOST_ROWS || self.members.len() >= MOST_FILES || self.numbers >= MOST_NUMBERS
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.rejects.is_empty() && self.filtered.is_empty() && self.warnings.is_empty()
    }

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
