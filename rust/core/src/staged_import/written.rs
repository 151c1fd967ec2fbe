//! Which label each annotation became: a table of hashes, made again from the stage alone.

use arrow_array::builder::{StringViewBuilder, UInt32Builder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use std::sync::Arc;

use super::LabelRows;
use crate::error::{Error, Result};
use crate::geometry::Geometry;
use crate::identity::ObjectHashes;
use crate::label_row::label_hash_of;
use crate::stage::record::StagedRow;

/// A label row that the server holds, with what the stage cannot know of it.
#[derive(Debug, Clone, Copy)]
pub struct OnServer<'a> {
    /// Number of the staged label row.
    pub index: usize,
    /// Its label_hash.
    pub label_hash: &'a str,
    /// Places among the row's annotations, ascending, of those that [`LabelRows::unfit`] found.
    pub unfit: &'a [u64],
}

impl LabelRows {
    /// Lists the annotations of label rows with the hashes that Encord has them under, in the order of the stage.
    ///
    /// Columns: source, member, offset, annotation_id and track say which annotation it is; data_hash, label_hash, frame,
    /// feature_hash and object_hash, or classification_hash for an answer, where it is.
    ///
    /// # Errors
    /// [`Error::Stage`] where the stage was damaged.
    pub fn written(&self, rows: &[OnServer<'_>]) -> Result<RecordBatch> {
        let mut table = Table::default();
        for row in rows {
            let span = &self.spans()[row.index];
            let mut hashes = ObjectHashes::new(span.distinct);
            let (mut at, mut unfit) = (0, row.unfit.iter().peekable());
            self.staged.for_each(span, |staged, _| {
                // What is left out has no hash: it must not take one from those that follow.
                if unfit.next_if_eq(&&at).is_none() {
                    let (hash, _) = label_hash_of(&mut hashes, staged);
                    table.push(self, staged, row.label_hash, &String::from_utf8_lossy(&hash));
                }
                at += 1;
                Ok(())
            })?;
        }
        table.finish()
    }
}

#[derive(Default)]
struct Table {
    source: StringViewBuilder,
    member: StringViewBuilder,
    offset: UInt64Builder,
    annotation_id: StringViewBuilder,
    track: StringViewBuilder,
    data_hash: StringViewBuilder,
    label_hash: StringViewBuilder,
    frame: UInt32Builder,
    feature_hash: StringViewBuilder,
    object_hash: StringViewBuilder,
    classification_hash: StringViewBuilder,
}

impl Table {
    fn push(&mut self, of: &LabelRows, row: &StagedRow<'_>, label_hash: &str, hash: &str) {
        let (origin, plan) = (of.sources.origin(row.key.source), &of.plan);
        let is_answer = matches!(row.geometry, Geometry::Answer(_));
        let feature = row.feature as usize;
        self.source.append_value(&*origin.source);
        self.member.append_option(origin.member.as_deref());
        self.offset.append_value(row.key.offset);
        self.annotation_id.append_option(row.annotation_id);
        self.track.append_option(row.track);
        self.data_hash
            .append_value(&plan.media[row.key.label_row as usize].data_hash);
        self.label_hash.append_value(label_hash);
        self.frame.append_value(row.key.frame);
        self.feature_hash.append_value(match is_answer {
            true => &plan.classifications[feature].feature_hash,
            false => &plan.ontology[feature].feature_hash,
        });
        self.object_hash.append_option((!is_answer).then_some(hash));
        self.classification_hash.append_option(is_answer.then_some(hash));
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let columns: [(&str, ArrayRef, bool); 11] = [
            ("source", Arc::new(self.source.finish()), false),
            ("member", Arc::new(self.member.finish()), true),
            ("offset", Arc::new(self.offset.finish()), false),
            ("annotation_id", Arc::new(self.annotation_id.finish()), true),
            ("track", Arc::new(self.track.finish()), true),
            ("data_hash", Arc::new(self.data_hash.finish()), false),
            ("label_hash", Arc::new(self.label_hash.finish()), false),
            ("frame", Arc::new(self.frame.finish()), false),
            ("feature_hash", Arc::new(self.feature_hash.finish()), false),
            ("object_hash", Arc::new(self.object_hash.finish()), true),
            ("classification_hash", Arc::new(self.classification_hash.finish()), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).map_err(|cause| Error::Stage(cause.to_string()))
    }
}
