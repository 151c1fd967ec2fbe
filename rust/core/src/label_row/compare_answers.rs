//! What two label rows say besides their frames: attributes of objects, answers to classifications, and sounds.

use std::collections::HashSet;

use serde_json::value::RawValue;
use serde_json::Value;

use super::answers::Joined;
use super::labels::{read, LabelRow, RawMembers};
use super::stored::{same_value, Stored};
use crate::error::Result;

/// A label of this import that stands on no frame.
pub(super) struct OurAnswer<'a> {
    pub hash: &'a str,
    pub raw: &'a RawValue,
    pub stored: Stored,
    /// Whether it answers a classification; else it is an object that sounds.
    pub classifies: bool,
    /// Annotations that it was made of.
    pub annotations: usize,
}

/// Members that make an answer what it is.
const CONTENT: [(&str, &str); 5] = [
    ("featureHash", "null"),
    ("classifications", "[]"),
    ("range", "[]"),
    ("spaces", "{}"),
    ("confidence", "1.0"),
];

/// Hashes of objects that both rows have, whose attributes differ. One without an entry in `object_answers` has none.
pub(super) fn differing_attributes<'a>(theirs: &'a LabelRow<'a>, ours: &'a LabelRow<'a>) -> Result<HashSet<&'a str>> {
    let their_answers = by_hash(&theirs.object_answers);
    let [their_actions, our_actions] = [&theirs.object_actions, &ours.object_actions].map(by_hash);
    let frames = theirs.units.iter().flat_map(|unit| &unit.frames);
    let on_frames = frames.flat_map(|frame| &frame.objects);
    let on_frames: HashSet<&str> = on_frames.map(|object| object.object_hash.as_str()).collect();
    let nothing: &RawValue = read(theirs.name, "an answer", "{}")?;
    let mut differing = HashSet::new();
    for (hash, ours_raw) in &ours.object_answers.0 {
        let hash = hash.as_str();
        let theirs_raw = match their_answers.get(hash) {
            Some(there) => there,
            None if on_frames.contains(hash) || their_actions.contains_key(hash) => nothing,
            None => continue,
        };
        let same_answers = theirs_raw.get() == ours_raw.get()
            || same_member(theirs.name, ("classifications", "[]"), theirs_raw, ours_raw)?;
        let same_actions = match (their_actions.get(hash), our_actions.get(hash)) {
            (None, None) => true,
            (Some(theirs_raw), Some(ours_raw)) => same_member(theirs.name, ("actions", "[]"), theirs_raw, ours_raw)?,
            _ => false,
        };
        if !(same_answers && same_actions) {
            differing.insert(hash);
        }
    }
    Ok(differing)
}

/// Compares this import's answers and sounds with those of the server's row.
pub(super) fn compare_answers<'a>(
    theirs: &LabelRow<'a>,
    ours: &'a LabelRow<'a>,
    joined: &Joined,
) -> Result<Vec<OurAnswer<'a>>> {
    let mut out = Vec::new();
    let sets = [
        (&theirs.object_answers, &ours.object_answers, false),
        (&theirs.classification_answers, &ours.classification_answers, true),
    ];
    for (theirs_all, ours_all, classifies) in sets {
        let stored = by_hash(theirs_all);
        for (hash, raw) in ours_all.0.iter().filter(|(_, raw)| classifies || sounds(raw)) {
            let stored = match stored.get(hash.as_str()) {
                None => Stored::No,
                Some(there) => {
                    let mut differs = Vec::new();
                    for member in CONTENT {
                        // The SDK writes a global answer without a range where it was never put on a frame.
                        let is_anywhere = member.0 == "range" && joined.is_global(hash);
                        if !is_anywhere && !same_member(theirs.name, member, there, raw)? {
                            differs.push(member.0);
                        }
                    }
                    if differs.is_empty() {
                        Stored::Same
                    } else {
                        Stored::Changed(differs)
                    }
                }
            };
            out.push(OurAnswer {
                hash,
                raw,
                stored,
                classifies,
                annotations: joined.annotations(hash),
            });
        }
    }
    Ok(out)
}

/// Hashes of answers and sounds that only the server's row has, and whether they answer a classification. Older rows have
/// some on their frames as well: those stand here twice.
pub(super) fn unknown_answers<'a>(
    theirs: &'a LabelRow<'a>,
    ours: &'a LabelRow<'a>,
) -> impl Iterator<Item = (&'a str, bool)> {
    let (our_objects, our_answers) = (by_hash(&ours.object_answers), by_hash(&ours.classification_answers));
    let on_frames = theirs
        .units
        .iter()
        .flat_map(|unit| &unit.frames)
        .flat_map(|frame| &frame.classifications);
    let on_frames = on_frames.map(|classification| classification.hash.as_str());
    let in_answers = theirs.classification_answers.0.iter().map(|(hash, _)| hash.as_str());
    let sounding = theirs.object_answers.0.iter().filter(|(_, raw)| sounds(raw));
    let sounding = sounding.map(|(hash, _)| hash.as_str());
    let answers = on_frames.chain(in_answers);
    let answers = answers.filter(move |hash| !our_answers.contains_key(hash));
    answers.map(|hash| (hash, true)).chain(
        sounding
            .filter(move |hash| !our_objects.contains_key(hash))
            .map(|hash| (hash, false)),
    )
}

fn by_hash<'a>(members: &'a RawMembers<'a>) -> std::collections::HashMap<&'a str, &'a RawValue> {
    members.0.iter().map(|(hash, raw)| (hash.as_str(), *raw)).collect()
}

/// Whether an entry of `object_answers` is that of an object that stands on ranges.
fn sounds(raw: &RawValue) -> bool {
    // Most entries have two short members; the word alone would also be found in an answer.
    raw.get().contains("\"range\"")
        && serde_json::from_str::<RawMembers<'_>>(raw.get()).is_ok_and(|members| members.get("range").is_some())
}

/// Whether two answers to a classification say the same, wherever they hold.
pub(super) fn same_answer(name: &str, theirs: &RawValue, ours: &RawValue) -> Result<bool> {
    let says = |(name, _): &(&str, &str)| !matches!(*name, "range" | "spaces");
    for member in CONTENT.into_iter().filter(says) {
        if !same_member(name, member, theirs, ours)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_member(name: &str, (key, default): (&str, &str), theirs: &RawValue, ours: &RawValue) -> Result<bool> {
    let member = |raw: &RawValue| -> Result<Value> {
        let members: RawMembers<'_> = read(name, "an answer", raw.get())?;
        let text = members.get(key).map_or(default, |raw| raw.get());
        read(name, key, if text == "null" { default } else { text }).map(plain)
    };
    Ok(same_value(&member(theirs)?, &member(ours)?))
}

/// Answers without what the server may give them, sorted; any other value as it is.
fn plain(value: Value) -> Value {
    let Value::Array(mut items) = value else { return value };
    if !items.iter().all(Value::is_object) {
        return Value::Array(items);
    }
    for item in &mut items {
        let Some(members) = item.as_object_mut() else { continue };
        members.retain(|key, _| ["featureHash", "answers", "range"].contains(&key.as_str()));
        if let Some(Value::Array(chosen)) = members.get_mut("answers") {
            for option in chosen.iter_mut() {
                *option = option.get("featureHash").cloned().unwrap_or(Value::Null);
            }
            chosen.sort_by_key(Value::to_string);
        }
    }
    items.sort_by_key(Value::to_string);
    Value::Array(items)
}
