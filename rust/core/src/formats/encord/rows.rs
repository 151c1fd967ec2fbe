//! The rows of one label row, and what of it becomes none: all of it is counted.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answers::{said, Said};
use super::geometry::Object;
use super::label_row::{Answer, ClassificationAnswer, Frame, LabelRow, ObjectActions, ObjectAnswer, Space};
use crate::batch::{Annotation, AnnotationBatchBuilder, AttributeValue, Kind, Unit};
use crate::error::Result;
use crate::formats::{Batch, KnownNames};
use crate::json::Entries;
use crate::reject::{Counts, Origin, Reason, Reject};

/// Labels that the label editor has deleted: Encord keeps some of them.
const DELETED: &str = "deleted";

/// Labels that are on no frame and on no range, which the SDK does not show.
const ON_NO_FRAME: &str = "on_no_frame";

/// Classifications on frames that have no entry in `classification_answers`.
const UNANSWERED: &str = "unanswered";

const NOT_AN_ANSWER: &str = "an answer is neither text, a number nor options";

/// What a label in a space is rejected for.
const IN_SPACE: Reason = Reason::UnsupportedLabel {
    what: "a label in a space",
};

/// The rows of one label row.
pub(super) struct Rows<'r> {
    label: &'r str,
    known: Option<&'r KnownNames>,
    records: &'r mut u64,
    builder: AnnotationBatchBuilder,
    /// Whether a row says on which frame it is, one entry a row.
    frameless: Vec<bool>,
    rejects: Vec<Reject>,
    filtered: Counts,
}

impl<'r> Rows<'r> {
    /// None yet. `records` counts the labels of all label rows.
    pub fn new(label: &'r str, known: Option<&'r KnownNames>, records: &'r mut u64) -> Self {
        Self {
            label,
            known,
            records,
            builder: AnnotationBatchBuilder::new(),
            frameless: Vec::new(),
            rejects: Vec::new(),
            filtered: Counts::new(),
        }
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`AnnotationBatchBuilder::finish`].
    pub fn into_batch(self) -> Result<Batch> {
        Ok(Batch {
            rejects: self.rejects,
            frameless: self.frameless,
            filtered: self.filtered,
            ..Batch::new(self.builder.finish()?)
        })
    }

    /// Counts a label that is left out.
    fn filter(&mut self, reason: &'static str) {
        *self.filtered.entry(reason).or_default() += 1;
        *self.records += 1;
    }

    /// Rejects the text of a label, or of a label row.
    pub fn reject(&mut self, message: String, text: &[u8]) {
        self.reject_as(Reason::BadLabel { message }, text);
    }

    fn reject_as(&mut self, reason: Reason, text: &[u8]) {
        let origin = Origin::of(self.label);
        self.rejects
            .push(Reject::new(reason, &origin, *self.records, None, Some(text)));
        *self.records += 1;
    }

    /// What a class goes by, and whether that is its hash.
    fn class<'a>(&self, feature_hash: &'a str, name: &'a str) -> (&'a str, bool) {
        match self.known {
            Some(known) if !known.has_class(feature_hash) && !name.is_empty() => (name, false),
            _ => (feature_hash, true),
        }
    }

    fn push(&mut self, row: &Annotation<'_>, said: &[Said]) {
        self.push_placed(row, said, true);
    }

    fn push_placed(&mut self, row: &Annotation<'_>, said: &[Said], has_frame: bool) {
        self.frameless.push(!has_frame);
        let attributes: Vec<AttributeValue<'_>> = said.iter().map(Said::attribute).collect();
        self.builder.push_with_attributes(row, &attributes);
        *self.records += 1;
    }

    /// The next row, to be filled in.
    fn row<'a>(&self, media: &'a str, frame: u32, class: &'a str) -> Annotation<'a>
    where
        'r: 'a,
    {
        Annotation {
            unit: Unit::Frac,
            ..Annotation::object(self.label, *self.records, media, frame, class)
        }
    }

    /// Reads the entries of one of the row's dictionaries; what is not one is rejected by itself.
    fn entries<'a, T: Deserialize<'a>>(&mut self, name: &str, entries: &Entries<&'a RawValue>) -> Vec<(String, T)> {
        let mut read = Vec::with_capacity(entries.0.len());
        for (hash, raw) in &entries.0 {
            match serde_json::from_str(raw.get()) {
                Ok(entry) => read.push((hash.clone(), entry)),
                Err(cause) => self.reject(format!("`{name}` of {hash:?}: {cause}"), raw.get().as_bytes()),
            }
        }
        read
    }

    /// Adds all labels of a label row.
    pub fn add(&mut self, row: &LabelRow<'_>) {
        let media = match self.known {
            Some(known) if !known.has_medium(&row.data_hash) && !row.data_title.is_empty() => &row.data_title,
            _ => &row.data_hash,
        };
        let by_frame = !matches!(row.data_type.as_str(), "image" | "img_group");
        let object_answers: Vec<(String, ObjectAnswer<'_>)> = self.entries("object_answers", &row.object_answers);
        let object_actions: Vec<(String, ObjectActions<'_>)> = self.entries("object_actions", &row.object_actions);
        let answers: Vec<(String, ClassificationAnswer<'_>)> =
            self.entries("classification_answers", &row.classification_answers);
        let mut objects = Objects {
            fixed: object_answers
                .iter()
                .map(|(hash, about)| (hash.as_str(), about.classifications.as_deref().unwrap_or_default()))
                .collect(),
            changing: object_actions
                .iter()
                .map(|(hash, about)| (hash.as_str(), about.actions.as_slice()))
                .collect(),
        };
        // Of classifications that stand on their frames alone, as in older rows.
        let mut on_frames: HashMap<String, OnFrames> = HashMap::new();
        for (_, unit) in &row.data_units.0 {
            let Some(labels) = unit.labels.filter(|labels| !matches!(labels.get(), "{}" | "null")) else {
                continue;
            };
            let frames = match frames_of(labels, by_frame, unit.data_sequence.frame()) {
                Ok(frames) => frames,
                Err(message) => {
                    self.reject(message, labels.get().as_bytes());
                    continue;
                }
            };
            let size = (unit.width, unit.height);
            for (frame, content) in frames {
                for raw in content.objects {
                    self.object(media, frame, size, raw, &mut objects);
                }
                for on_frame in content.classifications {
                    if on_frame.is_deleted == Some(true) {
                        self.filter(DELETED);
                        continue;
                    }
                    let found = on_frames.entry(on_frame.classification_hash).or_default();
                    found.frames.push(frame);
                    found.score = found.score.or(on_frame.confidence);
                    found.feature_hash = found.feature_hash.take().or(on_frame.feature_hash);
                    found.name = found.name.take().or(on_frame.name);
                }
            }
        }
        let in_spaces = self.spaces(row, &answers);
        let on_ranges = matches!(row.data_type.as_str(), "audio" | "plain_text" | "time_series");
        self.sounds(media, on_ranges, &object_answers, &in_spaces);
        self.classifications(media, on_ranges, &answers, &on_frames);
    }

    /// Rejects the labels on the frames of spaces, and gives the hashes of their objects.
    fn spaces(&mut self, row: &LabelRow<'_>, answers: &[(String, ClassificationAnswer<'_>)]) -> HashSet<String> {
        let mut objects = HashSet::new();
        let Some(text) = row.spaces.map(RawValue::get).filter(|text| *text != "null") else {
            return objects;
        };
        let Ok(spaces) = serde_json::from_str::<Entries<Space<'_>>>(text) else {
            self.reject_as(IN_SPACE, text.as_bytes());
            return objects;
        };
        for labels in spaces.0.iter().filter_map(|(_, space)| space.labels) {
            let Ok(frames) = frames_of(labels, true, None) else {
                self.reject_as(IN_SPACE, labels.get().as_bytes());
                continue;
            };
            for (_, content) in frames {
                for object in content.objects {
                    if let Ok(Hashed { object_hash }) = serde_json::from_str(object.get()) {
                        objects.insert(object_hash);
                    }
                    self.reject_as(IN_SPACE, object.get().as_bytes());
                }
                for on_frame in content.classifications {
                    // Those with an answer are counted where that is.
                    if answers.iter().all(|(hash, _)| *hash != on_frame.classification_hash) {
                        self.reject_as(IN_SPACE, named(&on_frame.classification_hash).as_bytes());
                    }
                }
            }
        }
        objects
    }

    fn object(
        &mut self,
        media: &str,
        frame: u32,
        (width, height): (Option<u32>, Option<u32>),
        raw: &RawValue,
        objects: &mut Objects<'_>,
    ) {
        let text = raw.get().as_bytes();
        let object: Object = match serde_json::from_str(raw.get()) {
            Ok(object) => object,
            Err(cause) => return self.reject(format!("the object: {cause}"), text),
        };
        if object.is_deleted == Some(true) {
            return self.filter(DELETED);
        }
        let drawn = match object.draw() {
            Ok(drawn) => drawn,
            Err(message) => return self.reject(format!("the object cannot be taken: {message}"), text),
        };
        let (class, by_hash) = self.class(&object.feature_hash, &object.name);
        let Some(said) = objects.said(&object.object_hash, frame, by_hash) else {
            return self.reject(
                "an answer about the object is neither text, a number nor options".to_owned(),
                text,
            );
        };
        let row = Annotation {
            track: Some(&object.object_hash),
            score: object.confidence,
            width_px: width,
            height_px: height,
            ..self.row(media, frame, class)
        };
        self.push(&drawn.on(row), &said);
    }

    /// Adds the objects that are on ranges, as sounds are. `on_ranges` says whether all objects of the row are, `in_spaces`
    /// which objects were counted in a space.
    fn sounds(
        &mut self,
        media: &str,
        on_ranges: bool,
        answers: &[(String, ObjectAnswer<'_>)],
        in_spaces: &HashSet<String>,
    ) {
        const IN_HTML: Reason = Reason::UnsupportedLabel {
            what: "a range of an HTML document",
        };
        for (hash, about) in answers {
            if in_spaces.contains(hash) {
                continue;
            }
            let named = serde_json::json!({ "objectHash": hash }).to_string();
            if about.spaces.as_ref().is_some_and(|spaces| !spaces.0.is_empty()) {
                self.reject_as(IN_SPACE, named.as_bytes());
                continue;
            }
            let in_html = about.range_html.as_deref().unwrap_or_default();
            for place in in_html {
                self.reject_as(IN_HTML, place.get().as_bytes());
            }
            let ranges = about.range.as_deref().unwrap_or_default();
            if ranges.is_empty() {
                if on_ranges && in_html.is_empty() {
                    self.filter(ON_NO_FRAME);
                }
                continue;
            }
            if about.is_deleted == Some(true) {
                ranges.iter().for_each(|_| self.filter(DELETED));
                continue;
            }
            let Some(feature_hash) = &about.feature_hash else {
                self.reject("the object has no featureHash".to_owned(), named.as_bytes());
                continue;
            };
            let (class, by_hash) = self.class(feature_hash, about.name.as_deref().unwrap_or_default());
            let Some(mut said) = said(about.classifications.iter().flatten(), by_hash) else {
                self.reject(NOT_AN_ANSWER.to_owned(), named.as_bytes());
                continue;
            };
            for &(first, last) in ranges {
                let row = Annotation {
                    frame_last: Some(last),
                    track: Some(hash),
                    ..self.row(media, first, class)
                };
                self.push(&row, &std::mem::take(&mut said));
            }
        }
    }

    /// Adds the answers to classifications. `on_ranges` says whether the medium has ranges in place of frames.
    fn classifications(
        &mut self,
        media: &str,
        on_ranges: bool,
        answers: &[(String, ClassificationAnswer<'_>)],
        on_frames: &HashMap<String, OnFrames>,
    ) {
        for (hash, answer) in answers {
            let text = named(hash);
            // The SDK ignores a root among the spaces: the range is that of the root.
            let mut spaces = answer.spaces.iter().flat_map(|spaces| &spaces.0);
            if spaces.any(|(space, _)| space != "root") {
                self.reject_as(IN_SPACE, text.as_bytes());
                continue;
            }
            if answer.is_deleted == Some(true) {
                self.filter(DELETED);
                continue;
            }
            let on_frame = on_frames.get(hash);
            let hash_on_frame = on_frame.and_then(|on_frame| on_frame.feature_hash.as_deref());
            let Some(feature_hash) = answer.feature_hash.as_deref().or(hash_on_frame) else {
                self.reject("the classification has no featureHash".to_owned(), text.as_bytes());
                continue;
            };
            let questions = answer.classifications.as_deref().unwrap_or_default();
            let first = questions.last().map(|first| first.name.as_str());
            let own_name = on_frame.and_then(|on_frame| on_frame.name.as_deref());
            let (class, by_hash) = self.class(feature_hash, first.or(own_name).unwrap_or_default());
            let Some(said) = said(questions.iter(), by_hash) else {
                self.reject(NOT_AN_ANSWER.to_owned(), text.as_bytes());
                continue;
            };
            let score = answer
                .confidence
                .or_else(|| on_frame.and_then(|on_frame| on_frame.score));
            let row = |first: u32, last: u32, rows: &Self| Annotation {
                frame_last: (last != first).then_some(last),
                kind: Kind::Answer,
                score,
                ..rows.row(media, first, class)
            };
            let is_global = self.known.and_then(|known| known.classifications.get(class).copied());
            let frames = on_frame.map_or(&[][..], |on_frame| &on_frame.frames);
            let ranges = match answer.range.as_deref() {
                Some([]) | None => frames.iter().map(|&frame| (frame, frame)).collect(),
                Some(ranges) => ranges.to_vec(),
            };
            match (is_global, ranges.is_empty()) {
                (Some(true), _) => self.push_placed(&row(0, 0, self), &said, false),
                (Some(false), true) if !on_ranges => self.filter(ON_NO_FRAME),
                // Whoever reads without a project does not know whether it is global.
                (_, true) => self.push_placed(&row(0, 0, self), &said, false),
                (_, false) => {
                    for (first, last) in ranges {
                        self.push(&row(first, last, self), &said);
                    }
                }
            }
        }
        // The SDK shows none of those: nobody answered them.
        let answered: HashSet<&str> = answers.iter().map(|(hash, _)| hash.as_str()).collect();
        let unanswered = on_frames.keys().filter(|hash| !answered.contains(hash.as_str()));
        unanswered.for_each(|_| self.filter(UNANSWERED));
    }
}

/// The object hash of an object on a frame.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hashed {
    object_hash: String,
}

/// What stands for a classification in a reject.
fn named(hash: &str) -> String {
    serde_json::json!({ "classificationHash": hash }).to_string()
}

/// A classification as its frames have it.
#[derive(Default)]
struct OnFrames {
    frames: Vec<u32>,
    score: Option<f64>,
    feature_hash: Option<String>,
    name: Option<String>,
}

/// Answers about the objects of a row.
struct Objects<'a> {
    /// Those about the whole object; they go to its first label.
    fixed: HashMap<&'a str, &'a [Answer<'a>]>,
    changing: HashMap<&'a str, &'a [Answer<'a>]>,
}

impl Objects<'_> {
    fn said(&mut self, hash: &str, frame: u32, by_hash: bool) -> Option<Vec<Said>> {
        let fixed = self.fixed.remove(hash).unwrap_or_default();
        let changing = self.changing.get(hash).copied().unwrap_or_default();
        let here = |answer: &&Answer<'_>| {
            answer
                .range
                .iter()
                .any(|&(first, last)| (first..=last).contains(&frame))
        };
        said(fixed.iter().chain(changing.iter().filter(here)), by_hash)
    }
}

/// The frames of a data unit; of an image its one, under its number in the group.
fn frames_of<'a>(
    labels: &'a RawValue,
    by_frame: bool,
    sequence: Option<u32>,
) -> std::result::Result<Vec<(u32, Frame<'a>)>, String> {
    fn read<'a, T: Deserialize<'a>>(labels: &'a RawValue) -> std::result::Result<T, String> {
        serde_json::from_str(labels.get()).map_err(|cause| format!("the data unit's labels: {cause}"))
    }
    if !by_frame {
        let number = sequence.ok_or("the data unit's data_sequence is no number")?;
        return Ok(vec![(number, read(labels)?)]);
    }
    let frames: Entries<Frame<'a>> = read(labels)?;
    let numbered = frames.0.into_iter().map(|(number, frame)| {
        let parsed = number.parse();
        parsed
            .map(|number| (number, frame))
            .map_err(|_| format!("the frame {number:?} is no number"))
    });
    numbered.collect()
}
