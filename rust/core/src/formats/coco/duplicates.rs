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
    /// First and last of the run of neighbouring integers that ends with the largest one: all that most files need.
    top: Option<(i64, i64)>,
    /// First -> last of each other run.
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

    #[inline]
    fn add_integer(&mut self, id: i64) -> bool {
        match &mut self.top {
            Some((_, largest)) if id == *largest => true,
            Some((_, largest)) if id.checked_sub(1) == Some(*largest) => {
                *largest = id;
                false
            }
            _ => self.add_scattered(id),
        }
    }

    fn add_scattered(&mut self, id: i64) -> bool {
        match self.top {
            Some((_, largest)) if id < largest => !self.full && self.remember(id),
            below => {
                self.top = Some((id, id));
                if let (Some((first, last)), false) = (below, self.full) {
                    self.runs.insert(first, last);
                    self.forget_too_many();
                }
                false
            }
        }
    }

    /// Takes note of an integer that is not the largest.
    fn remember(&mut self, id: i64) -> bool {
        if self.top.is_some_and(|(first, _)| first <= id) {
            return true;
        }
        let before = self.runs.range(..=id).next_back().map(|(&first, &last)| (first, last));
        if before.is_some_and(|(_, last)| last >= id) {
            return true;
        }
        let next = id.checked_add(1);
        let below = before.filter(|(_, last)| last.checked_add(1) == Some(id));
        match &mut self.top {
            Some((first, _)) if next == Some(*first) => {
                *first = below.map_or(id, |(first, _)| first);
                below.map(|(first, _)| self.runs.remove(&first));
            }
            _ => {
                let last = next.and_then(|next| self.runs.remove(&next)).unwrap_or(id);
                self.runs.insert(below.map_or(id, |(first, _)| first), last);
                self.forget_too_many();
            }
        }
        false
    }

    fn forget_too_many(&mut self) {
        if self.runs.len() >= MAX_REMEMBERED {
            self.full = true;
            self.runs.clear();
        }
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
