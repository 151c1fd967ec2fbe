//! Equal objects without a track. Under one label they are objects of their own, told apart by their number. Those of another
//! label are the same objects again, as they would be in an import by itself: the most that one label has stay.

use super::labels::Labels;
use super::record::Key;

/// The rows of one object without a track that came last.
#[derive(Debug, Default)]
pub(super) struct Equals {
    last: Option<Key>,
    /// Labels, and how many of those rows each has; empty for a single row.
    of_labels: Vec<(u32, u64)>,
    kept: u64,
}

impl Equals {
    /// Whether a row stays. Rows come in order.
    pub fn admit(&mut self, key: Key, labels: &Labels) -> bool {
        let place = |key: Key| (key.label_row, key.frame, key.object);
        let before = self.last.replace(key);
        let Some(before) = before.filter(|before| place(*before) == place(key)) else {
            self.of_labels.clear();
            self.kept = 1;
            return true;
        };
        if self.of_labels.is_empty() {
            self.of_labels.push((labels.of(before.source), 1));
        }
        let label = labels.of(key.source);
        let number = match self.of_labels.iter_mut().find(|(known, _)| *known == label) {
            Some((_, number)) => {
                *number += 1;
                *number
            }
            None => {
                self.of_labels.push((label, 1));
                1
            }
        };
        let stays = number > self.kept;
        self.kept = self.kept.max(number);
        stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_one_label_has_stay() {
        let labels = Labels(vec![0, 1, 0]);
        let mut equals = Equals::default();
        let mut admit = |frame, source| {
            let key = Key {
                label_row: 0,
                frame,
                object: 7,
                source,
                offset: 0,
            };
            equals.admit(key, &labels)
        };
        assert!(admit(3, 0) && admit(4, 0) && admit(4, 0));
        // The first two of another label are there, its third is not; then the first label has a third itself.
        assert_eq!(
            [admit(4, 1), admit(4, 1), admit(4, 1), admit(4, 2)],
            [false, false, true, false]
        );
        assert!(admit(4, 2) && admit(5, 1) && !admit(5, 2));
    }
}
