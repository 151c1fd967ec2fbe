//! Columns with an entry an image, packed: a file may list millions of images.

use std::collections::HashMap;

/// What stands for "none".
const NONE: u32 = u32::MAX;

/// What stands for a number that stands aside.
const ASIDE: u32 = u32::MAX - 1;

/// Numbers that are small as a rule, four bytes each.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    small: Vec<u32>,
    aside: HashMap<usize, i64>,
}

impl Numbers {
    /// Adds an entry.
    pub fn push(&mut self, value: Option<i64>) {
        let small = value.map_or(Some(NONE), |value| {
            u32::try_from(value).ok().filter(|&small| small < ASIDE)
        });
        if let (None, Some(value)) = (small, value) {
            self.aside.insert(self.small.len(), value);
        }
        self.small.push(small.unwrap_or(ASIDE));
    }

    /// Entry `at`.
    pub fn get(&self, at: usize) -> Option<i64> {
        match self.small[at] {
            NONE => None,
            ASIDE => self.aside.get(&at).copied(),
            small => Some(i64::from(small)),
        }
    }

    /// Gives back what growing took too much.
    pub fn shrink_to_fit(&mut self) {
        self.small.shrink_to_fit();
    }
}

/// Ends of texts that stand one after the other, four bytes each.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// The lower halves.
    low: Vec<u32>,
    /// Entries whose upper half is one more than that of the entry before.
    carries: Vec<usize>,
}

impl Ends {
    /// Adds the end of a text: not less than the last one, and less than 4 GiB beyond it.
    pub fn push(&mut self, end: u64) {
        let low = end as u32;
        if self.low.last().is_some_and(|&last| low < last) || (self.low.is_empty() && end > u64::from(u32::MAX)) {
            self.carries.push(self.low.len());
        }
        self.low.push(low);
    }

    /// End of text `at`.
    pub fn get(&self, at: usize) -> u64 {
        let carries = self.carries.partition_point(|&first| first <= at);
        (carries as u64) << 32 | u64::from(self.low[at])
    }

    /// Gives back what growing took too much.
    pub fn shrink_to_fit(&mut self) {
        self.low.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_come_back() {
        let given = [
            Some(0),
            None,
            Some(-1),
            Some(i64::from(ASIDE)),
            Some(i64::from(NONE)),
            Some(i64::from(ASIDE) - 1),
            Some(i64::MIN),
            Some(i64::MAX),
        ];
        let mut numbers = Numbers::default();
        given.iter().for_each(|&number| numbers.push(number));
        assert_eq!((0..given.len()).map(|at| numbers.get(at)).collect::<Vec<_>>(), given);
        assert_eq!(numbers.aside.len(), 5);
    }

    #[test]
    fn ends_beyond_32_bits_come_back() {
        let given = [
            0,
            7,
            7,
            (1 << 32) - 1,
            (1 << 32) + 5,
            (1 << 32) + 5,
            (2 << 32) + 4,
            3 << 32,
        ];
        let mut ends = Ends::default();
        given.iter().for_each(|&end| ends.push(end));
        assert_eq!((0..given.len()).map(|at| ends.get(at)).collect::<Vec<_>>(), given);
        let mut first_is_long = Ends::default();
        first_is_long.push((1 << 32) + 9);
        assert_eq!(first_is_long.get(0), (1 << 32) + 9);
    }
}
