//! Answers of an import beside those that the server's row holds from elsewhere. Frames have one answer to a classification,
//! and a medium one to a global classification: with two of them the SDK cannot open the row.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::compare_answers::same_answer;
use super::labels::{read, LabelRow};
use super::questions::Range;
use crate::error::Result;
use crate::json::Entries;
use crate::stage::record::Key;

/// An annotation of this import that answers a classification.
#[derive(Debug)]
pub(crate) struct OwnAnswer {
    pub key: Key,
    /// Index of the classification.
    pub feature: u32,
    /// Hash of the answer that it is written as.
    pub hash: String,
    pub range: Range,
    /// Whether it holds wherever the medium has anything: it has no frames.
    pub is_global: bool,
    /// Id of the space of a data group that it is about.
    pub space: Option<String>,
}

/// Annotations that a merge cannot write, by what the row holds in their place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// The same answer, made by someone else.
    pub equal: HashSet<Key>,
    /// Hashes of those answers.
    pub equal_to: HashSet<String>,
    /// Another answer.
    pub refused: HashSet<Key>,
    /// All annotations of the answers that some of those are of, and the hashes of these answers.
    pub of_refused: HashMap<Key, String>,
}

impl Beside {
    pub fn is_empty(&self) -> bool {
        self.equal.is_empty() && self.refused.is_empty()
    }

    /// Whether an annotation is not to be written.
    pub fn leaves_out(&self, key: &Key) -> bool {
        self.equal.contains(key) || self.refused.contains(key)
    }
}

/// What an entry of `classification_answers` says of its place.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed<'a> {
    #[serde(default)]
    feature_hash: Option<String>,
    #[serde(default)]
    range: Option<Vec<Range>>,
    #[serde(borrow, default)]
    spaces: Option<Entries<&'a RawValue>>,
}

impl Placed<'_> {
    /// Where it holds, by spaces: one in a space is there alone.
    fn places(self, name: &str) -> Result<Vec<(Option<String>, Vec<Range>)>> {
        let spaces = self.spaces.map_or_else(Vec::new, |spaces| spaces.0);
        if spaces.is_empty() {
            return Ok(vec![(None, self.range.unwrap_or_default())]);
        }
        let place = |(id, raw): (String, &RawValue)| {
            let placed: InSpace = read(name, "an answer's space", raw.get())?;
            Ok((Some(id), placed.range.unwrap_or_default()))
        };
        spaces.into_iter().map(place).collect()
    }
}

/// Where an answer holds in a space.
#[derive(Deserialize)]
struct InSpace {
    #[serde(default)]
    range: Option<Vec<Range>>,
}

/// An answer of the server's row.
struct Stored<'a> {
    hash: &'a str,
    raw: &'a RawValue,
}

/// The answers to one classification that the server's row has in one place.
#[derive(Default)]
struct Answered<'a> {
    all: Vec<Stored<'a>>,
    /// Where they hold, by their first frames, and the last frame that any up to this one reaches.
    ranges: Vec<(Range, u32, usize)>,
}

impl Answered<'_> {
    /// Numbers of the answers on a range, and whether each holds on all of it.
    fn on(&self, (first, last): Range) -> impl Iterator<Item = (usize, bool)> + '_ {
        let behind = self.ranges.partition_point(|((start, _), ..)| *start <= last);
        let before = self.ranges[..behind].iter().rev();
        let near = before.take_while(move |(_, reach, _)| *reach >= first);
        near.filter(move |((_, end), ..)| *end >= first)
            .map(move |((start, end), _, at)| (*at, *start <= first && *end >= last))
    }

    fn sort(&mut self) {
        self.ranges.sort_unstable();
        let mut reach = 0;
        for ((_, end), furthest, _) in &mut self.ranges {
            reach = reach.max(*end);
            *furthest = reach;
        }
    }
}

/// Finds the answers of `ours` that the row `existing` leaves no room for; `own` are the annotations behind them. An answer
/// that the row has under the same hash is replaced, and takes no room.
///
/// # Errors
/// [`crate::error::Error::LabelRow`] where one of the two is not a label row.
pub(crate) fn beside(existing: &[u8], ours: &[u8], own: &[OwnAnswer]) -> Result<Beside> {
    let theirs = LabelRow::parse("from the server", existing)?;
    let ours = LabelRow::parse("of this import", ours)?;
    let our_raws: HashMap<&str, &RawValue> = ours
        .classification_answers
        .0
        .iter()
        .map(|(h, raw)| (h.as_str(), *raw))
        .collect();
    let feature_of = |raw: &RawValue| -> Result<Option<String>> {
        read::<Placed<'_>>(ours.name, "an answer", raw.get()).map(|placed| placed.feature_hash)
    };
    let mut answered: HashMap<(String, Option<String>), Answered<'_>> = HashMap::new();
    for (hash, raw) in &theirs.classification_answers.0 {
        let mut placed: Placed<'_> = read(theirs.name, "an answer", raw.get())?;
        // The SDK reads no answer without a feature hash.
        let Some(feature_hash) = placed.feature_hash.take() else {
            continue;
        };
        for (space, ranges) in placed.places(theirs.name)? {
            let answers = answered.entry((feature_hash.clone(), space)).or_default();
            let at = answers.all.len();
            answers.ranges.extend(ranges.into_iter().map(|range| (range, 0, at)));
            answers.all.push(Stored { hash, raw });
        }
    }
    answered.values_mut().for_each(Answered::sort);

    let mut features: HashMap<u32, Option<String>> = HashMap::new();
    for answer in own {
        if let (false, Some(raw)) = (
            features.contains_key(&answer.feature),
            our_raws.get(answer.hash.as_str()),
        ) {
            features.insert(answer.feature, feature_of(raw)?);
        }
    }
    let rivals = |answer: &OwnAnswer| {
        let feature_hash = features.get(&answer.feature)?.clone()?;
        answered.get(&(feature_hash, answer.space.clone()))
    };
    let mut found = Beside::default();
    // An answer of an earlier import keeps its room where nothing is written in its place after all: look again then.
    let mut written: HashSet<&str> = own.iter().map(|answer| answer.hash.as_str()).collect();
    loop {
        for answer in own
            .iter()
            .filter(|answer| !found.leaves_out(&answer.key))
            .collect::<Vec<_>>()
        {
            let Some(answers) = rivals(answer) else {
                continue;
            };
            let on: Vec<(usize, bool)> = match answer.is_global {
                true => (0..answers.all.len()).map(|at| (at, true)).collect(),
                false => answers.on(answer.range).collect(),
            };
            let others = on.into_iter().map(|(at, covers)| (&answers.all[at], covers));
            let others: Vec<_> = others.filter(|(stored, _)| !written.contains(stored.hash)).collect();
            let same = |stored: &Stored<'_>| match our_raws.get(answer.hash.as_str()) {
                Some(raw) => same_answer(theirs.name, stored.raw, raw),
                None => Ok(false),
            };
            match others[..] {
                [] => {}
                [(stored, true)] if same(stored)? => {
                    found.equal.insert(answer.key);
                    found.equal_to.insert(stored.hash.to_owned());
                }
                _ => {
                    found.refused.insert(answer.key);
                }
            }
        }
        let left = own.iter().filter(|answer| !found.leaves_out(&answer.key));
        let left: HashSet<&str> = left.map(|answer| answer.hash.as_str()).collect();
        if left == written {
            break;
        }
        written = left;
    }
    let refused = own.iter().filter(|answer| found.refused.contains(&answer.key));
    let refused: HashSet<&str> = refused.map(|answer| answer.hash.as_str()).collect();
    let of_refused = own.iter().filter(|answer| refused.contains(answer.hash.as_str()));
    found.of_refused = of_refused.map(|answer| (answer.key, answer.hash.clone())).collect();
    Ok(found)
}
