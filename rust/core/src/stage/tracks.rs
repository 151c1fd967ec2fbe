//! The tracks of a medium: which of them change their class, and which ids stand for objects of several sources.

use std::collections::{BTreeSet, HashMap, HashSet};

use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

use super::record::{Head, Key};
use crate::label_row::number_of;

/// Tracks of several sources that are named; more are counted.
const MOST_NAMED: usize = 20;

/// A track id that two sources have on one medium: an object of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedTrack {
    /// Index of the medium in the plan.
    pub label_row: u32,
    /// The id.
    pub track: String,
    /// Numbers of the two sources.
    pub sources: [u32; 2],
}

/// What is known of the tracks of the media so far.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    /// Tracks of the medium that is being written, by id and label.
    seen: HashMap<u128, Features>,
    /// Of each id of that medium the label that it was seen under first, and whether there was another.
    first: HashMap<u128, (u32, bool)>,
    /// Of each class and number in it, the label whose object has it.
    numbers: HashMap<(u32, u32), u32>,
    /// Objects of other labels, which do not get their number.
    without_number: HashSet<(u32, u32, u32)>,
    pub numbers_taken: u64,
    pub split: u64,
    pub shared: u64,
    pub named: Vec<SharedTrack>,
    /// Labels that have tracks, by the number of their first source.
    pub of_sources: BTreeSet<u32>,
}

/// The classes that a track was seen with: its first, and whether there was another.
#[derive(Debug)]
struct Features {
    first: u32,
    split: bool,
}

impl Tracks {
    /// Notes a row of a track, whose source has the label of source `label`.
    pub fn note(&mut self, key: Key, label: u32, track: &[u8], head: &Head<'_>) {
        let mut is_new = false;
        let seen = self
            .seen
            .entry(xxh3_128_with_seed(track, label.into()))
            .or_insert_with(|| {
                is_new = true;
                Features {
                    first: head.feature,
                    split: false,
                }
            });
        let is_other_class = seen.first != head.feature;
        if is_other_class && !seen.split {
            seen.split = true;
            self.split += 1;
        }
        if is_new {
            self.note_new(key.label_row, label, track);
        }
        if is_new || is_other_class {
            self.note_number(label, track, head.feature);
        }
    }

    /// Notes a track that is an object's number, which the objects of a class do not share.
    fn note_number(&mut self, label: u32, track: &[u8], feature: u32) {
        let Some(number) = number_of(track) else { return };
        let first = *self.numbers.entry((feature, number)).or_insert(label);
        if first != label && self.without_number.insert((feature, number, label)) {
            self.numbers_taken += 1;
        }
    }

    /// Notes a track with its first row.
    fn note_new(&mut self, label_row: u32, label: u32, track: &[u8]) {
        self.of_sources.insert(label);
        let (first, is_shared) = self.first.entry(xxh3_128(track)).or_insert((label, false));
        if *first == label || std::mem::replace(is_shared, true) {
            return;
        }
        self.shared += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(SharedTrack {
                label_row,
                track: String::from_utf8_lossy(track).into_owned(),
                sources: [*first, label],
            });
        }
    }

    /// Forgets the tracks of a medium that is written; gives how many they were.
    pub fn end_medium(&mut self) -> u64 {
        let tracks = self.seen.len() as u64;
        self.seen.clear();
        self.first.clear();
        self.numbers.clear();
        self.without_number.clear();
        tracks
    }
}
