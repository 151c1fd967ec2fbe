//! What to do where the server's row already holds labels. A merged row is put together from the texts of both, so that
//! what is not ours stays as it is, to the last digit.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::answers::Joined;
use super::compare::Comparison;
use super::labels::{LabelFrame, LabelRow, LabelUnit, RawMembers};
use super::object_numbers::MergedNumbers;
use super::stored::Stored;
use super::text::{push_json, push_string};
use crate::error::Result;

/// Policy for rows that hold something else than what this import would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Stop.
    Fail,
    /// Leave the row as it is.
    Skip,
    /// Write this import's labels alone.
    Replace,
    /// Put this import's labels in, and leave everything else as it is.
    Merge,
}

impl OnExisting {
    /// Reads the command line's word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "fail" => Some(Self::Fail),
            "skip" => Some(Self::Skip),
            "replace" => Some(Self::Replace),
            "merge" => Some(Self::Merge),
            _ => None,
        }
    }
}

/// What is to happen with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Save [`Reconciled::body`].
    Save,
    /// All of this import's labels are stored: nothing to save.
    AlreadyThere,
    /// The row holds other labels, and the policy leaves it alone.
    Skipped,
    /// The row holds other labels, and the policy is to stop.
    Refused,
}

/// Outcome of [`reconcile`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// What is to happen.
    pub verdict: Verdict,
    /// Annotations that this import would write.
    pub ours: usize,
    /// How many of them are stored with the same content.
    pub already_there: usize,
    /// Objects and classifications of the row that this import would not write: unknown ones, and those of its own that
    /// stand on other frames or with other content.
    pub foreign: usize,
    /// What a merge does to objects that are there already.
    pub merged: Merged,
    /// The row to save; there exactly when the verdict is [`Verdict::Save`].
    pub body: Option<Vec<u8>>,
}

/// What a merge does to objects that the row holds already. All zero for other policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Objects that get frames which they did not have.
    pub objects_extended: usize,
    /// Labels, and answers, that get other content.
    pub labels_replaced: usize,
    /// New objects that get no number, since an object of their class has the number of their track.
    pub numbers_taken: usize,
}

/// Decides what to do with a label row that the server holds as `existing` when an import would write `ours`, made by a
/// [`super::RowWriter`] with the header of the same row; `joined` is what it said of that.
///
/// # Errors
/// [`crate::error::Error::LabelRow`] where one of the two is no label row, or they are not the same one.
pub fn reconcile(existing: &[u8], ours: &[u8], joined: &Joined, policy: OnExisting) -> Result<Reconciled> {
    let theirs = LabelRow::parse("from the server", existing)?;
    let import = LabelRow::parse("of this import", ours)?;
    let comparison = Comparison::new(&theirs, &import, joined)?;
    let already_there = comparison.equal();
    let all = already_there == comparison.all();
    let foreign = comparison.foreign.len();
    let verdict = match policy {
        _ if all && foreign == 0 => Verdict::AlreadyThere,
        OnExisting::Merge if all => Verdict::AlreadyThere,
        OnExisting::Fail if foreign > 0 => Verdict::Refused,
        OnExisting::Skip if foreign > 0 => Verdict::Skipped,
        _ => Verdict::Save,
    };
    let (body, merged) = match (verdict, policy) {
        (Verdict::Save, OnExisting::Merge) => {
            let numbers = MergedNumbers::new(&theirs, &import, &comparison.replaced);
            let merged = Merged {
                numbers_taken: numbers.taken,
                ..comparison.merged(&theirs)
            };
            (Some(comparison.merge(&theirs, &import, &numbers)), merged)
        }
        (Verdict::Save, _) => (Some(ours.to_vec()), Merged::default()),
        _ => (None, Merged::default()),
    };
    Ok(Reconciled {
        verdict,
        ours: comparison.all(),
        already_there,
        foreign,
        merged,
        body,
    })
}

impl<'a> Comparison<'a> {
    /// What a merge does to the objects of the server's row.
    fn merged(&self, theirs: &LabelRow<'a>) -> Merged {
        let frames = theirs.units.iter().flat_map(|unit| &unit.frames);
        let there: HashSet<&str> = frames
            .flat_map(|frame| &frame.objects)
            .map(|object| object.object_hash.as_str())
            .collect();
        let new = self.labels.iter().filter(|(_, label)| label.stored == Stored::No);
        let extended: HashSet<&str> = new
            .map(|((_, _, hash), _)| *hash)
            .filter(|hash| there.contains(hash))
            .collect();
        let stored = self.labels.values().map(|label| &label.stored);
        let stored = stored.chain(self.answers.iter().map(|answer| &answer.stored));
        Merged {
            objects_extended: extended.len(),
            labels_replaced: stored.filter(|stored| matches!(stored, Stored::Changed(_))).count(),
            ..Merged::default()
        }
    }

    /// Writes the server's row with this import's labels in it.
    fn merge(&self, theirs: &LabelRow<'a>, ours: &LabelRow<'a>, numbers: &MergedNumbers<'a>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut row = Object::begin(&mut out);
        let parts = [
            theirs.units_in,
            "object_answers",
            "classification_answers",
            "object_actions",
        ];
        row.copy(&theirs.members, &parts);
        row.copy_missing(&ours.members, &theirs.members, &parts);
        self.merge_objects(row.name("object_answers"), theirs, ours, numbers);
        for (name, theirs, ours) in [
            (
                "classification_answers",
                &theirs.classification_answers,
                &ours.classification_answers,
            ),
            ("object_actions", &theirs.object_actions, &ours.object_actions),
        ] {
            let mut entries = Object::begin(row.name(name));
            for (hash, raw) in &theirs.0 {
                let raw = if self.replaced.contains(hash.as_str()) {
                    ours.get(hash)
                } else {
                    Some(raw)
                };
                if let Some(raw) = raw {
                    push_json(entries.name(hash), raw.get());
                }
            }
            entries.copy_missing(ours, theirs, &[]);
            entries.end();
        }

        let our_units: HashMap<_, _> = ours.units.iter().map(|unit| (unit.data_hash.as_str(), unit)).collect();
        let mut units = Object::begin(row.name(theirs.units_in));
        for unit in &theirs.units {
            let out = units.name(&unit.data_hash);
            let mut members = Object::begin(out);
            members.copy(&unit.members, &["labels"]);
            let our_frames = our_units
                .get(unit.data_hash.as_str())
                .map_or(&[][..], |unit| &unit.frames);
            let out = members.name("labels");
            if theirs.by_frame {
                self.merge_frames(out, unit, our_frames);
            } else {
                match (unit.frames.first(), our_frames.first()) {
                    (Some(frame), our) => self.merge_frame(out, &unit.data_hash, frame, our),
                    (None, Some(our)) => push_json(out, our.raw.get()),
                    (None, None) => out.extend_from_slice(b"{}"),
                }
            }
            members.end();
        }
        for unit in &ours.units {
            if !theirs.units.iter().any(|known| known.data_hash == unit.data_hash) {
                let mut members = Object::begin(units.name(&unit.data_hash));
                members.copy(&unit.members, &[]);
                members.end();
            }
        }
        units.end();
        row.end();
        out
    }

    fn merge_objects(
        &self,
        out: &mut Vec<u8>,
        theirs: &LabelRow<'a>,
        ours: &LabelRow<'a>,
        numbers: &MergedNumbers<'a>,
    ) {
        let (theirs, ours) = (&theirs.object_answers, &ours.object_answers);
        let mut missing: HashMap<_, _> = ours.0.iter().map(|(hash, raw)| (hash.as_str(), *raw)).collect();
        let mut entries = Object::begin(out);
        for (hash, raw) in &theirs.0 {
            match missing.remove(hash.as_str()) {
                Some(ours) if self.replaced.contains(hash.as_str()) => numbers.push(entries.name(hash), hash, ours),
                _ => push_json(entries.name(hash), raw.get()),
            }
        }
        for (hash, raw) in ours.0.iter().filter(|(hash, _)| missing.contains_key(hash.as_str())) {
            numbers.push(entries.name(hash), hash, raw);
        }
        entries.end();
    }

    fn merge_frames(&self, out: &mut Vec<u8>, unit: &LabelUnit<'a>, our_frames: &[LabelFrame<'a>]) {
        let mut missing: HashMap<_, _> = our_frames.iter().map(|frame| (frame.number, frame)).collect();
        let mut frames = Object::begin(out);
        for frame in &unit.frames {
            let ours = missing.remove(&frame.number);
            self.merge_frame(frames.name(&frame.number.to_string()), &unit.data_hash, frame, ours);
        }
        for frame in our_frames.iter().filter(|frame| missing.contains_key(&frame.number)) {
            push_json(frames.name(&frame.number.to_string()), frame.raw.get());
        }
        frames.end();
    }

    fn merge_frame(&self, out: &mut Vec<u8>, data_hash: &str, theirs: &LabelFrame<'a>, ours: Option<&LabelFrame<'a>>) {
        let mut frame = Object::begin(out);
        frame.copy(&theirs.members, &["objects"]);
        if let Some(ours) = ours {
            frame.copy_missing(&ours.members, &theirs.members, &["objects"]);
        }
        let out = frame.name("objects");
        out.push(b'[');
        let mut written = HashSet::new();
        let mut first = true;
        let mut push = |out: &mut Vec<u8>, raw: &RawValue| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            push_json(out, raw.get());
        };
        for object in &theirs.objects {
            let hash = object.object_hash.as_str();
            match self.labels.get(&(data_hash, theirs.number, hash)) {
                None => push(out, object.raw),
                Some(_) if !written.insert(hash) => {}
                Some(label) if label.stored == Stored::Same => push(out, object.raw),
                Some(label) => push(out, label.raw),
            }
        }
        for object in ours.map_or(&[][..], |frame| &frame.objects) {
            if !written.contains(object.object_hash.as_str()) {
                push(out, object.raw);
            }
        }
        out.push(b']');
        frame.end();
    }
}

/// Writes a JSON object member by member.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        push_string(self.out, name);
        self.out.push(b':');
        self.out
    }

    fn copy(&mut self, members: &RawMembers<'_>, except: &[&str]) {
        for (name, raw) in members.0.iter().filter(|(name, _)| !except.contains(&name.as_str())) {
            push_json(self.name(name), raw.get());
        }
    }

    /// Copies those of `members` that `present` lacks.
    fn copy_missing(&mut self, members: &RawMembers<'_>, present: &RawMembers<'_>, except: &[&str]) {
        let present: HashSet<_> = present.0.iter().map(|(name, _)| name.as_str()).collect();
        for (name, raw) in members.0.iter().filter(|(name, _)| !present.contains(name.as_str())) {
            if !except.contains(&name.as_str()) {
                push_json(self.name(name), raw.get());
            }
        }
    }

    fn end(self) {
        self.out.push(b'}');
    }
}
