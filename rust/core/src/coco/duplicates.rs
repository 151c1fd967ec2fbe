//! Counts annotation ids that stand twice in a file, in bounded memory: it is a warning, not worth more.

use std::collections::{BTreeMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use super::names::Id;

/// Most ranges of integer ids, and most text ids, that are remembered (about 3 MB).
const MAX_REMEMBERED: usize = 1 << 16;

/// Counts repeated ids. The count is exact while integer ids ascend, or while they form at most 65,536 runs of
/// neighbours, and for the first 65,536 text ids; beyond that only ids equal to the one before, or to the largest so
/// far, are counted, so that the count is a lower bound.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    count: u64,
    largest: Option<i64>,
    /// First -> last of each run of neighbouring integers.
    runs: BTreeMap<i64, i64>,
    full: bool,
    texts: HashSet<u64>,
    last_text: Option<u64>,
}

impl Duplicates {
    /// Repeated ids so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Takes note of an annotation's id.
    pub fn add(&mut self, id: Id<'_>) {
        let repeated = match id {
            Id::Int(id) => self.add_integer(id),
            Id::Text(id) => self.add_text(xxh3_64(id.as_bytes())),
        };
        self.count += u64::from(repeated);
    }

    fn add_integer(&mut self, id: i64) -> bool {
        let ascends = self.largest.is_none_or(|largest| id > largest);
        if self.largest == Some(id) {
            return true;
        }
        if ascends {
            self.largest = Some(id);
        }
        !self.full && self.remember(id)
    }

    fn remember(&mut self, id: i64) -> bool {
        let before = self.runs.range(..=id).next_back().map(|(&first, &last)| (first, last));
        if before.is_some_and(|(_, last)| last >= id) {
            return true;
        }
        let after = id.checked_add(1).and_then(|next| self.runs.remove(&next));
        let last = after.unwrap_or(id);
        match before {
            Some((first, end)) if end.checked_add(1) == Some(id) => drop(self.runs.insert(first, last)),
            _ => drop(self.runs.insert(id, last)),
        }
        if self.runs.len() > MAX_REMEMBERED {
            self.full = true;
            self.runs.clear();
        }
        false
    }

    fn add_text(&mut self, hash: u64) -> bool {
        let known = self.last_text == Some(hash) || self.texts.contains(&hash);
        self.last_text = Some(hash);
        if !known && self.texts.len() < MAX_REMEMBERED {
            self.texts.insert(hash);
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(ids: impl IntoIterator<Item = i64>) -> u64 {
        let mut duplicates = Duplicates::default();
        ids.into_iter().for_each(|id| duplicates.add(Id::Int(id)));
        duplicates.count()
    }

    #[test]
    fn counts_every_repetition() {
        assert_eq!(count([0; 5]), 4);
        assert_eq!(count(1..1000), 0);
        assert_eq!(count((1..1000).chain(1..500)), 499);
        assert_eq!(count([7, 3, 5, 4, 6, 3, 4, 5, 6, 7]), 5);
        assert_eq!(count([i64::MAX, i64::MIN, i64::MAX, i64::MIN]), 2);
        let mut texts = Duplicates::default();
        ["a", "b", "a", "c", "c"].iter().for_each(|id| texts.add(Id::Text(id)));
        assert_eq!(texts.count(), 2);
    }

    #[test]
    fn stays_bounded_on_scattered_ids() {
        let mut duplicates = Duplicates::default();
        let scattered = (0..3 * MAX_REMEMBERED as i64).map(|i| i * 7 % 1_000_003);
        scattered.for_each(|id| duplicates.add(Id::Int(id)));
        assert!(duplicates.full && duplicates.runs.is_empty());
        assert_eq!(duplicates.count(), 0);
    }
}
