//! What stands beside the rows of a batch in the making.

use std::sync::Arc;

use crate::batch::AnnotationBatch;
use crate::formats::{Batch, Fault, Names, Texts};
use crate::reject::{Origin, Reject, RowReject};
use crate::source::TextSpan;

/// What stands beside the rows of a batch in the making.
#[derive(Default)]
pub(super) struct Rows {
    pub media: Vec<u32>,
    pub classes: Vec<u32>,
    pub rejects: Vec<Reject>,
    pub row_rejects: Vec<RowReject>,
    /// Where in the file each row's own text lies.
    pub spans: Vec<TextSpan>,
    /// What rows lack since it cannot be used.
    pub faults: Vec<Fault>,
    /// Of each row, where the lines of a reject file say it.
    pub origins: Vec<Option<Arc<Origin>>>,
}

impl Rows {
    /// None yet, with room for as many as `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            media: Vec::with_capacity(rows),
            classes: Vec::with_capacity(rows),
            spans: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Makes the batch of these rows. `text` is the stretch of the file from `byte` on that their own texts lie in; in a
    /// reject file a text may be a string that holds it. `counts` are those of crowds, repeated ids and dropped rings.
    pub fn finish(
        self,
        rows: AnnotationBatch,
        ids_from: Option<Arc<str>>,
        (byte, text): (u64, Vec<u8>),
        [crowds, repeated, rings_dropped]: [u64; 3],
    ) -> Batch {
        let spans = self.spans;
        let mut batch = Batch {
            names: Names::Numbered {
                media: self.media,
                classes: self.classes,
            },
            is_checked: true,
            ids_from,
            origins: self.origins,
            faults: self.faults,
            rejects: self.rejects,
            row_rejects: self.row_rejects,
            texts: Texts::Held { text, byte, spans },
            ..Batch::new(rows)
        };
        batch.filter("crowd", crowds);
        batch.warn("crowd_left_out", crowds);
        batch.warn("duplicate_annotation_id", repeated);
        batch.warn("ring_dropped", rings_dropped);
        batch
    }
}
