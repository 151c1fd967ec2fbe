//! The server's row and this import's, label by label as they stand on data units and frames.
//!
//! Times, authors and numbers that the server gives are no content.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use serde_json::value::RawValue;

use super::answers::Joined;
use super::compare_answers::{compare_answers, differing_attributes, unknown_answers, OurAnswer};
use super::labels::{read, wrong, LabelFrame, LabelObject, LabelRow, LabelUnit, RawMembers};
use super::stored::{same_value, Stored};
use crate::error::Result;

/// Where a label stands: data unit, frame, object.
pub(super) type Place<'a> = (&'a str, u32, &'a str);

/// A label of this import.
pub(super) struct OurLabel<'a> {
    pub raw: &'a RawValue,
    pub stored: Stored,
}

/// The server's row beside this import's.
pub(super) struct Comparison<'a> {
    pub labels: HashMap<Place<'a>, OurLabel<'a>>,
    /// Labels of this import that stand on no frame, in their order.
    pub answers: Vec<OurAnswer<'a>>,
    /// Hashes whose answers the server has with other content.
    pub replaced: HashSet<&'a str>,
    /// Hashes of objects and classifications that are foreign.
    pub foreign: HashSet<&'a str>,
}

fn frames<'a>(row: &'a LabelRow<'a>) -> impl Iterator<Item = (&'a LabelUnit<'a>, &'a LabelFrame<'a>)> {
    row.units
        .iter()
        .chain(&row.layers)
        .flat_map(|unit| unit.frames.iter().map(move |frame| (unit, frame)))
}

fn labels<'a>(
    row: &'a LabelRow<'a>,
) -> impl Iterator<Item = (&'a LabelUnit<'a>, &'a LabelFrame<'a>, &'a LabelObject<'a>)> {
    frames(row).flat_map(|(unit, frame)| frame.objects.iter().map(move |object| (unit, frame, object)))
}

fn places<'a>(row: &'a LabelRow<'a>) -> impl Iterator<Item = (Place<'a>, &'a LabelObject<'a>)> {
    labels(row).map(|(unit, frame, object)| {
        let place = (unit.data_hash.as_str(), frame.number, object.object_hash.as_str());
        (place, object)
    })
}

impl<'a> Comparison<'a> {
    /// Compares; `joined` says how many annotations are behind each answer.
    pub fn new(theirs: &'a LabelRow<'a>, ours: &'a LabelRow<'a>, joined: &Joined) -> Result<Self> {
        let known: HashSet<_> = theirs.units.iter().map(|unit| unit.data_hash.as_str()).collect();
        if (theirs.by_frame, theirs.units_in) != (ours.by_frame, ours.units_in) {
            return Err(wrong(
                theirs.name,
                "`data_type`",
                "the import wrote the row as another type",
            ));
        }
        // A space without labels may be missing.
        let mut must_be_known = ours.units.iter().filter(|_| ours.units_in == "data_units");
        if let Some(unit) = must_be_known.find(|unit| !known.contains(unit.data_hash.as_str())) {
            let what = format!(
                "there is no data unit {:?}, on which the import has labels",
                unit.data_hash
            );
            return Err(wrong(theirs.name, "`data_units`", &what));
        }
        let mut labels: HashMap<Place<'a>, OurLabel<'a>> = places(ours)
            .map(|(place, LabelObject { raw, .. })| {
                (
                    place,
                    OurLabel {
                        raw,
                        stored: Stored::No,
                    },
                )
            })
            .collect();
        let mut foreign = HashSet::new();
        for (place, object) in places(theirs) {
            let same = match labels.get_mut(&place) {
                Some(label) => {
                    let differs = differing(theirs.name, object.raw, label.raw)?;
                    let same = differs.is_empty();
                    // Of an object that stands twice on a frame the first one counts; a differing second one is a change.
                    match &mut label.stored {
                        Stored::Changed(_) => {}
                        stored if same => *stored = Stored::Same,
                        stored => *stored = Stored::Changed(differs),
                    }
                    same
                }
                None => false,
            };
            if !same {
                foreign.insert(place.2);
            }
        }
        let mut replaced = differing_attributes(theirs, ours)?;
        for (place, label) in &mut labels {
            if replaced.contains(place.2) && label.stored == Stored::Same {
                label.stored = Stored::Changed(vec!["attributes"]);
                foreign.insert(place.2);
            }
        }
        let answers = compare_answers(theirs, ours, joined)?;
        for answer in &answers {
            if matches!(answer.stored, Stored::Changed(_)) {
                replaced.insert(answer.hash);
                foreign.insert(answer.hash);
            }
        }
        foreign.extend(unknown_answers(theirs, ours).map(|(hash, _)| hash));
        Ok(Self {
            labels,
            answers,
            replaced,
            foreign,
        })
    }

    /// How many annotations this import would write.
    pub fn all(&self) -> usize {
        self.labels.len() + self.answers.iter().map(|answer| answer.annotations).sum::<usize>()
    }

    /// How many of them are stored with the same content.
    pub fn equal(&self) -> usize {
        let labels = self.labels.values().filter(|label| label.stored == Stored::Same);
        let answers = self.answers.iter().filter(|answer| answer.stored == Stored::Same);
        labels.count() + answers.map(|answer| answer.annotations).sum::<usize>()
    }

    /// What differs: this import's labels in their order, then what the server's row holds besides.
    fn differences(&self, theirs: &'a LabelRow<'a>, ours: &'a LabelRow<'a>) -> Vec<Difference> {
        let stored = |unit: &'a LabelUnit<'a>, frame: &LabelFrame<'a>, object: &'a LabelObject<'a>| {
            let place = (unit.data_hash.as_str(), frame.number, object.object_hash.as_str());
            self.labels.get(&place).map(|label| &label.stored)
        };
        let own = labels(ours).filter_map(|(unit, frame, object)| {
            let kind = match stored(unit, frame, object)? {
                Stored::Same => return None,
                Stored::No => DifferenceKind::Missing,
                Stored::Changed(fields) => DifferenceKind::Changed(fields.clone()),
            };
            Some(Difference {
                kind,
                place: Some((unit.data_hash.clone(), frame_of(ours, unit, frame))),
                hash: LabelHash::Object(object.object_hash.clone()),
                class: class_of(object.raw),
            })
        });
        let unknown = labels(theirs).filter(|&(unit, frame, object)| stored(unit, frame, object).is_none());
        let extra = unknown.map(|(unit, frame, object)| Difference {
            kind: DifferenceKind::Extra,
            place: Some((unit.data_hash.clone(), frame_of(theirs, unit, frame))),
            hash: LabelHash::Object(object.object_hash.clone()),
            class: class_of(object.raw),
        });
        let named = |hash: &str, classifies: bool| match classifies {
            true => LabelHash::Classification(hash.to_owned()),
            false => LabelHash::Object(hash.to_owned()),
        };
        let own_answers = self.answers.iter().filter_map(|answer| {
            Some(Difference {
                kind: match &answer.stored {
                    Stored::Same => return None,
                    Stored::No => DifferenceKind::Missing,
                    Stored::Changed(fields) => DifferenceKind::Changed(fields.clone()),
                },
                place: None,
                hash: named(answer.hash, answer.classifies),
                class: class_of(answer.raw),
            })
        });
        // A classification has one answer, on however many frames it stands.
        let mut seen = HashSet::new();
        let mut on_frames = HashMap::new();
        for (unit, frame) in frames(theirs) {
            for classification in &frame.classifications {
                let place = (unit.data_hash.clone(), frame_of(theirs, unit, frame));
                on_frames
                    .entry(classification.hash.as_str())
                    .or_insert((place, classification.raw));
            }
        }
        let extra_answers = unknown_answers(theirs, ours).filter(|(hash, _)| seen.insert(*hash));
        let extra_answers = extra_answers.map(|(hash, classifies)| {
            let (place, raw) = on_frames.remove(hash).unzip();
            Difference {
                kind: DifferenceKind::Extra,
                place,
                hash: named(hash, classifies),
                class: raw.and_then(class_of),
            }
        });
        own.chain(extra).chain(own_answers).chain(extra_answers).collect()
    }
}

/// What [`compare`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Annotations that are stored as this import would write them.
    pub equal: usize,
    /// Everything else, one entry a label.
    pub differences: Vec<Difference>,
}

/// Why a label is a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DifferenceKind {
    /// This import would write it, and it does not stand there.
    Missing,
    /// It stands there with other content in these members.
    Changed(Vec<&'static str>),
    /// This import would not write it.
    Extra,
    /// The row has another answer in its place.
    Conflicting,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LabelHash {
    Object(String),
    Classification(String),
}

/// A label that the server's row and this import's do not have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    kind: DifferenceKind,
    /// data_hash of the data unit, and frame; none for what stands in the answers alone.
    place: Option<(String, u32)>,
    hash: LabelHash,
    class: Option<String>,
}

impl Difference {
    /// That of an answer of this import, by its hash, that the row has another one in the place of.
    pub(crate) fn conflicting(hash: &str, class: &str) -> Self {
        Self {
            kind: DifferenceKind::Conflicting,
            place: None,
            hash: LabelHash::Classification(hash.to_owned()),
            class: Some(class.to_owned()),
        }
    }

    /// Whether it is that of one of these classifications.
    pub(crate) fn is_of_classification(&self, hashes: &HashSet<String>) -> bool {
        matches!(&self.hash, LabelHash::Classification(hash) if hashes.contains(hash))
    }

    /// One line of JSON, newline included, for the row on the medium `data_hash` with this title.
    pub fn to_json_line(&self, data_hash: &str, title: &str) -> String {
        let (code, fields) = match &self.kind {
            DifferenceKind::Missing => ("missing", &[][..]),
            DifferenceKind::Changed(fields) => ("changed", fields.as_slice()),
            DifferenceKind::Extra => ("extra", &[][..]),
            DifferenceKind::Conflicting => ("conflicting_answer", &[][..]),
        };
        let (data_unit, frame) = self.place.clone().unzip();
        let (hash_name, hash) = match &self.hash {
            LabelHash::Object(hash) => ("object_hash", hash),
            LabelHash::Classification(hash) => ("classification_hash", hash),
        };
        let line = json!({
            "code": code,
            "data_hash": data_hash,
            "title": title,
            "data_unit": data_unit,
            "frame": frame,
            hash_name: hash,
            "class": self.class,
            "fields": fields,
        });
        format!("{line}\n")
    }
}

/// Compares a label row that the server holds as `existing` with what an import would write, `ours`, made by a
/// [`super::RowWriter`] with the header of the same row; `joined` is what it said of that.
///
/// # Errors
/// [`crate::error::Error::LabelRow`] where one of the two is no label row, or they are not the same one.
pub fn compare(existing: &[u8], ours: &[u8], joined: &Joined) -> Result<Compared> {
    let theirs = LabelRow::parse("from the server", existing)?;
    let import = LabelRow::parse("of this import", ours)?;
    let comparison = Comparison::new(&theirs, &import, joined)?;
    Ok(Compared {
        equal: comparison.equal(),
        differences: comparison.differences(&theirs, &import),
    })
}

/// Frame as Encord counts: that of the video, or the image's place in its group.
fn frame_of(row: &LabelRow<'_>, unit: &LabelUnit<'_>, frame: &LabelFrame<'_>) -> u32 {
    if row.by_frame {
        return frame.number;
    }
    let sequence = unit.members.get("data_sequence").map(|raw| raw.get().trim_matches('"'));
    sequence.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Name of a label's ontology object, where it says it.
fn class_of(label: &RawValue) -> Option<String> {
    let members: RawMembers<'_> = serde_json::from_str(label.get()).ok()?;
    serde_json::from_str(members.get("name")?.get()).ok()
}

/// Members that make a label what it is, besides its confidence.
const CONTENT: [&str; 14] = [
    "featureHash",
    "shape",
    "boundingBox",
    "rotatableBoundingBox",
    "polygon",
    "polygons",
    "polyline",
    "point",
    "bitmask",
    "skeleton",
    "circle",
    "ellipse",
    "cuboid",
    "cuboid_2d",
];

/// Members in which two labels differ.
fn differing(name: &str, theirs: &RawValue, ours: &RawValue) -> Result<Vec<&'static str>> {
    let theirs: RawMembers<'_> = read(name, "an object", theirs.get())?;
    let ours: RawMembers<'_> = read(name, "an object", ours.get())?;
    let same = |key: &str, default: &str| {
        let [theirs, ours] = [&theirs, &ours].map(|members| match members.get(key).map(|raw| raw.get()) {
            None | Some("null") => default,
            Some(text) => text,
        });
        Ok(theirs == ours || same_value(&read(name, key, theirs)?, &read(name, key, ours)?))
    };
    let mut differs = Vec::new();
    // The SDK reads a missing confidence as 1.
    let content = CONTENT.into_iter().map(|key| (key, "null"));
    for (key, default) in [("confidence", "1.0")].into_iter().chain(content) {
        if !same(key, default)? {
            differs.push(key);
        }
    }
    Ok(differs)
}
