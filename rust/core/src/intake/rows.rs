//! Resolves the rows of a batch, on one thread or on several.

use std::ops::Range;

use rayon::prelude::*;

use super::names::{Learned, RowNames};
use crate::batch::AttributeValue;
use crate::formats::{Batch, GoodRings, Texts};
use crate::plan::Plan;
use crate::reject::{Counts, Reject};
use crate::resolve::{Resolved, Scratch, Verdict};
use crate::stage::StagedRows;

/// Parts of a batch for each thread that resolves: a thread that is still reading takes none, one that was reading takes
/// what is left.
const PARTS_A_THREAD: usize = 2;

/// Least rows of a part: masks take long.
pub(super) const LEAST_ROWS: usize = 16;

/// Bytes that a staged row takes at least, for the room of a batch whose text is not held.
const ROW_BYTES: usize = 128;

/// What a run of rows became.
#[derive(Default)]
pub(super) struct Outcome {
    pub resolved: Resolved,
    pub rejects: Vec<Reject>,
    pub filtered: Counts,
}

/// Resolves a batch in as many parts as keep all threads busy; the outcomes are in the order of the rows.
pub(super) fn resolve_parts(plan: &Plan, learned: &Learned, names: &RowNames<'_>, batch: &Batch) -> Vec<Outcome> {
    let rows = batch.rows.len();
    let part = rows
        .div_ceil(PARTS_A_THREAD * rayon::current_num_threads())
        .max(LEAST_ROWS);
    let starts: Vec<usize> = (0..rows).step_by(part).collect();
    let resolve = |&start: &usize| resolve_rows(plan, learned, names, batch, start..rows.min(start + part));
    starts.par_iter().map(resolve).collect()
}

/// Resolves some rows of a batch.
pub(super) fn resolve_rows(
    plan: &Plan,
    learned: &Learned,
    names: &RowNames<'_>,
    batch: &Batch,
    rows: Range<usize>,
) -> Outcome {
    let mut out = Outcome::default();
    let len_bytes = match &batch.texts {
        // A staged row is about as long as its JSON.
        Texts::Held { text, .. } => text.len() * rows.len() / batch.rows.len().max(1),
        _ => rows.len() * ROW_BYTES,
    };
    out.resolved.rows = StagedRows::with_capacity(rows.len(), len_bytes);
    let mut scratch = Scratch::default();
    let mut attributes: Vec<AttributeValue<'_>> = Vec::new();
    let has_attributes = batch.rows.has_attributes();
    for index in rows {
        let mut row = batch.rows.row(index);
        if has_attributes {
            attributes.clear();
            attributes.extend(batch.rows.attributes(index));
        }
        let (source, numbers) = learned.of(names, index, row.source);
        let span = batch.texts.span_of(index);
        let mut good_rings = GoodRings::default();
        let resolved = match batch.check(index, &mut row, &mut good_rings) {
            Ok(found) => {
                let faults = if found.is_empty() {
                    batch.faults_of(index)
                } else {
                    &found
                };
                source.resolve(
                    plan,
                    &row,
                    &attributes,
                    faults,
                    numbers,
                    span,
                    &mut scratch,
                    &mut out.resolved,
                )
            }
            Err(reason) => Verdict::Reject(reason),
        };
        match resolved {
            Verdict::Found(()) => {}
            Verdict::Filtered(why) => *out.filtered.entry(why).or_default() += 1,
            Verdict::Reject(reason) => out.rejects.push(batch.reject(index, reason)),
        }
    }
    out
}
