//! What is counted by name: a limited number of names, in the order in which they came.

use hashbrown::HashMap;

/// Counts of type `T` by name.
#[derive(Default)]
pub(super) struct Names<T> {
    numbers: HashMap<Box<str>, usize>,
    entries: Vec<(Box<str>, T)>,
    /// The name that was asked for last: rows of one name often follow each other.
    last: usize,
    /// How often a name was asked for that is beyond the limit.
    pub others: u64,
}

impl<T: Default> Names<T> {
    /// The number and the counts of a name; none, and counted, for a new one once there are `most`.
    pub fn numbered(&mut self, name: &str, most: usize) -> Option<(usize, &mut T)> {
        let is_last = self.entries.get(self.last).is_some_and(|(last, _)| **last == *name);
        if !is_last {
            self.last = match self.numbers.get(name) {
                Some(&number) => number,
                None if self.entries.len() < most => {
                    self.numbers.insert(name.into(), self.entries.len());
                    self.entries.push((name.into(), T::default()));
                    self.entries.len() - 1
                }
                None => {
                    self.others += 1;
                    return None;
                }
            };
        }
        Some((self.last, &mut self.entries[self.last].1))
    }

    /// As [`Self::numbered`], without the number.
    pub fn get(&mut self, name: &str, most: usize) -> Option<&mut T> {
        self.numbered(name, most).map(|(_, counts)| counts)
    }

    /// The names with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, counts)| (&**name, counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_are_counted_together() {
        let mut names = Names::<u32>::default();
        for name in ["a", "b", "a", "c", "d", "b"] {
            if let Some(count) = names.get(name, 2) {
                *count += 1;
            }
        }
        assert_eq!(names.iter().collect::<Vec<_>>(), [("a", &2), ("b", &2)]);
        assert_eq!(names.others, 2);
    }
}
