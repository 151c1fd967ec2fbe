//! Numbers of objects: Encord's editor shows an object of class Car with number 7 as "Car 7". Here 7 is its track id.
//!
//! The objects of a class on a label row have different numbers: the SDK does not save a row where two have the same one.
//! An object without a number gets one from the server.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::labels::{LabelRow, RawMembers};
use super::text::{push_json, push_string};
use crate::identity::ObjectHash;

/// The number that a track id is: a whole number as JSON writes it, of at most 31 bits; none for other ids.
pub(crate) fn number_of(track: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(track).ok()?;
    let number: u32 = text.parse().ok().filter(|number| *number <= i32::MAX as u32)?;
    let is_plain = text == "0" || text.starts_with(|first| matches!(first, '1'..='9'));
    is_plain.then_some(number)
}

/// The numbers of the objects of a label row in the making.
#[derive(Debug, Default)]
pub(super) struct ObjectNumbers {
    taken: HashSet<(u32, u32)>,
    of: HashMap<ObjectHash, u32>,
}

impl ObjectNumbers {
    /// Gives a new object of class `feature` the number that its track is, unless an earlier object has it.
    pub fn give(&mut self, hash: ObjectHash, feature: u32, track: &str) {
        if let Some(number) = number_of(track.as_bytes()).filter(|&number| self.taken.insert((feature, number))) {
            self.of.insert(hash, number);
        }
    }

    /// The number of an object.
    pub fn of(&self, hash: &ObjectHash) -> Option<u32> {
        self.of.get(hash).copied()
    }
}

const NUMBER: &str = "objectNumber";

/// The numbers of this import's objects once they are merged into the server's row.
#[derive(Default)]
pub(super) struct MergedNumbers<'a> {
    /// Of objects that do not get the number of their own entry in `object_answers`: that which they get.
    changed: HashMap<&'a str, Option<&'a RawValue>>,
    /// Objects that get none, since another object of their class has it.
    pub taken: usize,
}

impl<'a> MergedNumbers<'a> {
    /// Compares the numbers of both rows: those of the server's objects stay. `replaced` are the objects of the server's row
    /// that get this import's entry. What cannot be read of the server's row is as it was afterwards, and has no number.
    pub fn new(theirs: &'a LabelRow<'a>, ours: &'a LabelRow<'a>, replaced: &HashSet<&str>) -> Self {
        let mut merged = Self::default();
        if theirs.object_answers.0.is_empty() {
            return merged;
        }
        let (their_classes, our_classes) = (classes(theirs), classes(ours));
        let mut stored = HashMap::new();
        let mut taken = HashSet::new();
        for (hash, raw) in &theirs.object_answers.0 {
            let number = number_in(raw);
            stored.insert(hash.as_str(), number);
            if let Some(number) = number {
                taken.insert((their_classes.get(hash.as_str()), number.get()));
            }
        }
        for (hash, raw) in &ours.object_answers.0 {
            match stored.get(hash.as_str()) {
                Some(_) if !replaced.contains(hash.as_str()) => continue,
                Some(Some(number)) => {
                    merged.changed.insert(hash, Some(number));
                    continue;
                }
                _ => {}
            }
            let own = number_in(raw);
            if own.is_some_and(|own| taken.contains(&(our_classes.get(hash.as_str()), own.get()))) {
                merged.changed.insert(hash, None);
                merged.taken += 1;
            }
        }
        merged
    }

    /// Writes this import's entry of an object.
    pub fn push(&self, out: &mut Vec<u8>, hash: &str, entry: &'a RawValue) {
        let members = serde_json::from_str::<RawMembers<'_>>(entry.get());
        let (Some(number), Ok(mut members)) = (self.changed.get(hash), members) else {
            return push_json(out, entry.get());
        };
        members.0.retain(|(name, _)| name != NUMBER);
        members.0.extend(number.map(|number| (NUMBER.to_owned(), number)));
        for (at, (name, raw)) in members.0.iter().enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            push_string(out, name);
            out.push(b':');
            push_json(out, raw.get());
        }
        out.push(b'}');
    }
}

/// The number that an entry of `object_answers` says.
fn number_in(entry: &RawValue) -> Option<&RawValue> {
    let members: RawMembers<'_> = serde_json::from_str(entry.get()).ok()?;
    members.get(NUMBER).copied().filter(|number| number.get() != "null")
}

/// The class of each object: its featureHash, as JSON text.
fn classes<'a>(row: &'a LabelRow<'a>) -> HashMap<&'a str, &'a str> {
    let mut classes = HashMap::new();
    let frames = row.units.iter().flat_map(|unit| &unit.frames);
    let on_frames = frames.flat_map(|frame| &frame.objects);
    let on_frames = on_frames.map(|object| (object.object_hash.as_str(), object.raw));
    // Sounds say it in their answer, since they are on no frame.
    let sounds = row.object_answers.0.iter().map(|(hash, raw)| (hash.as_str(), *raw));
    for (hash, raw) in sounds.chain(on_frames) {
        if classes.contains_key(hash) {
            continue;
        }
        let members = serde_json::from_str::<RawMembers<'a>>(raw.get()).ok();
        if let Some(class) = members.as_ref().and_then(|members| members.get("featureHash")) {
            classes.insert(hash, class.get());
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    #[test]
    fn whole_numbers_are_numbers() {
        for (track, number) in [("0", 0), ("7", 7), ("120", 120), ("2147483647", i32::MAX as u32)] {
            assert_eq!(number_of(track.as_bytes()), Some(number), "{track}");
        }
        for track in [
            "",
            "-1",
            "+7",
            "07",
            "00",
            "7.0",
            "7 ",
            "é7",
            "seven",
            "2147483648",
            "99999999999999",
        ] {
            assert_eq!(number_of(track.as_bytes()), None, "{track}");
        }
    }

    /// A row with an object of each class on its frame 3, and these numbers.
    fn row(objects: &[(&str, &str, Option<u32>)]) -> Vec<u8> {
        let frame: Vec<_> = objects
            .iter()
            .map(|(hash, class, _)| json!({"objectHash": hash, "featureHash": class}))
            .collect();
        let answers = objects.iter().map(|(hash, _, number)| {
            let entry = json!({"classifications": [], "objectHash": hash});
            let mut entry = entry.as_object().cloned().unwrap_or_default();
            entry.extend(number.map(|number| (NUMBER.to_owned(), json!(number))));
            ((*hash).to_owned(), entry)
        });
        let answers: serde_json::Map<_, _> = answers.map(|(hash, entry)| (hash, entry.into())).collect();
        json!({
            "data_type": "video",
            "data_units": {"a": {"labels": {"3": {"objects": frame, "classifications": []}}}},
            "object_answers": answers,
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn a_merge_keeps_the_numbers_of_the_row() -> crate::error::Result<()> {
        let theirs = row(&[("old", "car", Some(7)), ("ours", "car", Some(5)), ("kept", "car", None)]);
        let ours = row(&[
            ("new", "car", Some(7)),
            ("other", "bus", Some(7)),
            ("free", "car", Some(6)),
            // Has another number there; its entry is replaced.
            ("ours", "car", Some(9)),
            // Has no number there, and its entry stays as it is.
            ("kept", "car", Some(7)),
        ]);
        let (theirs, ours) = (LabelRow::parse("theirs", &theirs)?, LabelRow::parse("ours", &ours)?);
        let numbers = MergedNumbers::new(&theirs, &ours, &HashSet::from(["ours"]));
        assert_eq!(numbers.taken, 1);
        let written = |hash: &str| -> Value {
            let mut out = Vec::new();
            if let Some(entry) = ours.object_answers.get(hash) {
                numbers.push(&mut out, hash, entry);
            }
            let entry: Value = serde_json::from_slice(&out).unwrap_or_default();
            assert_eq!(
                (&entry["objectHash"], &entry["classifications"]),
                (&json!(hash), &json!([]))
            );
            entry[NUMBER].clone()
        };
        let found = ["new", "other", "free", "ours"].map(written);
        assert_eq!(found, [Value::Null, json!(7), json!(6), json!(5)]);
        Ok(())
    }

    #[test]
    fn the_first_object_of_a_class_keeps_a_number() {
        let mut numbers = ObjectNumbers::default();
        for (hash, feature, track) in [(b"aaaaaaaa", 3, "7"), (b"bbbbbbbb", 3, "7"), (b"cccccccc", 4, "7")] {
            numbers.give(*hash, feature, track);
        }
        let found = [b"aaaaaaaa", b"bbbbbbbb", b"cccccccc"].map(|hash| numbers.of(hash));
        assert_eq!(found, [Some(7), None, Some(7)]);
    }
}
