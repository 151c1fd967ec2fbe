//! The annotations of one frame that score highest, where their number is limited.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::record::Key;

/// Keeps at most `limit` rows of the frame that is under way. Rows arrive in the stage's order, and leave in it.
pub(super) struct Best<T> {
    limit: u64,
    /// Label row and frame under way.
    frame: Option<(u32, u32)>,
    /// The row to leave out next is the greatest.
    kept: BinaryHeap<Candidate<T>>,
    /// Rows that arrived.
    arrived: u64,
    left_out: u64,
}

struct Candidate<T> {
    score: f64,
    /// Number among the rows that arrived: of equal scores the first ones stay.
    number: u64,
    key: Key,
    row: T,
}

impl<T> Best<T> {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            frame: None,
            kept: BinaryHeap::new(),
            arrived: 0,
            left_out: 0,
        }
    }

    /// Takes a row. Gives the rows of the frame before, once this is the first one of another.
    pub(super) fn offer(&mut self, key: Key, score: f64, row: impl FnOnce() -> T) -> Vec<(Key, T)> {
        let frame = Some((key.label_row, key.frame));
        let done = if self.frame == frame { Vec::new() } else { self.finish() };
        self.frame = frame;
        self.arrived += 1;
        // -0.0 is no lower than 0.0.
        let score = score + 0.0;
        let full = self.kept.len() as u64 >= self.limit;
        if full {
            self.left_out += 1;
        }
        // As long as it is no better than the worst one there is, it need not be held at all.
        if full && self.kept.peek().is_some_and(|worst| worst.score >= score) {
            return done;
        }
        if full {
            self.kept.pop();
        }
        self.kept.push(Candidate {
            score,
            number: self.arrived,
            key,
            row: row(),
        });
        done
    }

    /// Gives the rows of the last frame.
    pub(super) fn finish(&mut self) -> Vec<(Key, T)> {
        let mut rows = std::mem::take(&mut self.kept).into_vec();
        rows.sort_unstable_by_key(|candidate| candidate.number);
        rows.into_iter()
            .map(|candidate| (candidate.key, candidate.row))
            .collect()
    }

    /// Rows that were left out.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl<T> Ord for Candidate<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = other.score.total_cmp(&self.score);
        by_score.then(self.number.cmp(&other.number))
    }
}

impl<T> PartialOrd for Candidate<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Candidate<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Candidate<T> {}
