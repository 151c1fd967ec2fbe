//! Answers of a label row: kept until the row's end, where they are written with the ranges that they turned out to have.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::coordinate::{damaged, push_finite};
use super::number::push_u64;
use super::questions::{push_ranges, QuestionTexts, Range};
use super::templates::Templates;
use super::text::push_string;
use crate::answers::{Answer, Answers};
use crate::error::Result;
use crate::identity::ObjectHash;

/// What is behind labels that the JSON of a row does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// How many annotations became one label, by its hash: answers and sounds on several ranges. Of others it is one.
    annotations: HashMap<String, usize>,
    /// Hashes of answers to global classifications.
    globals: HashSet<String>,
}

impl Joined {
    /// Nothing: each label is one annotation.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many annotations became the label of this hash.
    pub(super) fn annotations(&self, hash: &str) -> usize {
        self.annotations.get(hash).copied().unwrap_or(1)
    }

    /// Whether the label of this hash answers a global classification.
    pub(super) fn is_global(&self, hash: &str) -> bool {
        self.globals.contains(hash)
    }
}

/// Adds a range; those that follow each other become one.
fn add_range(ranges: &mut Vec<Range>, (first, last): Range) {
    match ranges.last_mut() {
        Some(before) if first >= before.0 && first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
        _ => ranges.push((first, last)),
    }
}

/// A space of a data group, where labels name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space<'a> {
    pub id: &'a str,
    /// Whether answers lie on its frames; else they are about all of it.
    pub has_frames: bool,
}

/// What is known of an object besides its labels on frames.
#[derive(Debug, Default)]
struct AboutObject<'a> {
    /// Index of the ontology object.
    feature: u32,
    /// Packed answer by question: the first that was given.
    fixed: BTreeMap<u32, Vec<u8>>,
    /// Packed answers that hold on some frames, in the order in which they were given first.
    changing: Vec<(Vec<u8>, Vec<Range>)>,
    /// The ranges that it lies on: of time, or of characters.
    ranges: Vec<Range>,
    /// Those are of this space.
    space: Option<Space<'a>>,
    /// Annotations that said so.
    given: usize,
}

#[derive(Debug)]
struct Classified<'a> {
    hash: ObjectHash,
    /// Index of the classification.
    feature: u32,
    packed: Vec<u8>,
    score: f64,
    ranges: Vec<Range>,
    /// Those are of this space.
    space: Option<Space<'a>>,
    /// Annotations that gave it.
    given: usize,
}

/// Answers of one label row in the making.
#[derive(Debug, Default)]
pub(super) struct AnswerBook<'a> {
    objects: HashMap<ObjectHash, AboutObject<'a>>,
    classified: Vec<Classified<'a>>,
    by_hash: HashMap<ObjectHash, usize>,
}

impl<'a> AnswerBook<'a> {
    /// Notes answers about an object that stands on `frame`.
    pub fn about_object(&mut self, hash: ObjectHash, feature: u32, frame: u32, answers: Answers<'_>) -> Result<()> {
        let about = self.objects.entry(hash).or_default();
        about.feature = feature;
        for answer in answers.iter() {
            let answer = answer?;
            let content = answer.content();
            if answer.varies {
                match about.changing.iter_mut().find(|(known, _)| known == content) {
                    Some((_, ranges)) => add_range(ranges, (frame, frame)),
                    None => about.changing.push((content.to_vec(), vec![(frame, frame)])),
                }
                continue;
            }
            // The first one stays; staging counted those that differ.
            about.fixed.entry(answer.question).or_insert_with(|| content.to_vec());
        }
        Ok(())
    }

    /// Notes a range that an object lies on.
    pub fn lies_on(&mut self, hash: ObjectHash, feature: u32, range: Range, space: Option<Space<'a>>) {
        let about = self.objects.entry(hash).or_default();
        about.feature = feature;
        about.space = space;
        about.given += 1;
        add_range(&mut about.ranges, range);
    }

    /// Notes an answer to a classification on a range.
    pub fn classify(
        &mut self,
        hash: ObjectHash,
        feature: u32,
        score: f64,
        answers: Answers<'_>,
        range: Range,
        space: Option<Space<'a>>,
    ) {
        let next = self.classified.len();
        let at = *self.by_hash.entry(hash).or_insert(next);
        if at == next {
            self.classified.push(Classified {
                hash,
                feature,
                packed: answers.packed().to_vec(),
                score,
                ranges: Vec::new(),
                space,
                given: 0,
            });
        }
        self.classified[at].given += 1;
        add_range(&mut self.classified[at].ranges, range);
    }

    /// What became of the annotations behind answers and sounds.
    pub fn joined(&self, templates: &Templates) -> Joined {
        let text = |hash: &ObjectHash| String::from_utf8_lossy(hash).into_owned();
        let on_ranges = self.objects.iter().filter(|(_, about)| about.given > 0);
        let on_ranges = on_ranges.map(|(hash, about)| (text(hash), about.given));
        let answers = self.classified.iter().map(|answer| (text(&answer.hash), answer.given));
        let is_global = |answer: &&Classified| {
            let template = templates.classification(answer.feature);
            template.is_ok_and(|template| template.is_global)
        };
        let globals = self.classified.iter().filter(is_global);
        Joined {
            annotations: on_ranges.chain(answers).collect(),
            globals: globals.map(|answer| text(&answer.hash)).collect(),
        }
    }

    /// Classifications in the row.
    pub fn classifications(&self) -> usize {
        self.classified.len()
    }

    /// Writes an object's entry of `object_answers`, the one at `at`.
    pub fn push_object(
        &self,
        at: usize,
        hash: &ObjectHash,
        number: Option<u32>,
        templates: &Templates,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        push_entry(at, hash, out);
        out.extend_from_slice(br#"{"classifications":["#);
        let about = self.objects.get(hash);
        if let Some(about) = about {
            let texts = &templates.object(about.feature)?.questions;
            push_reversed(about.fixed.values(), texts, out)?;
        }
        out.extend_from_slice(br#"],"objectHash":""#);
        out.extend_from_slice(hash);
        out.push(b'"');
        if let Some(number) = number {
            out.extend_from_slice(br#","objectNumber":"#);
            push_u64(out, number.into());
        }
        if let Some(about) = about.filter(|about| !about.ranges.is_empty()) {
            push_times(templates, out);
            out.push(b',');
            out.extend_from_slice(&templates.object(about.feature)?.about);
            out.extend_from_slice(br#","range":"#);
            match about.space {
                None => push_ranges(&about.ranges, out),
                Some(space) => {
                    out.extend_from_slice(br#"[],"spaces":"#);
                    push_space(space.id, &about.ranges, out);
                }
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// Writes the entries of `object_actions`: answers that differ from frame to frame.
    pub fn push_actions(&self, objects: &[ObjectHash], templates: &Templates, out: &mut Vec<u8>) -> Result<()> {
        let with_actions = objects.iter().filter_map(|hash| {
            let about = self.objects.get(hash)?;
            (!about.changing.is_empty()).then_some((hash, about))
        });
        for (at, (hash, about)) in with_actions.enumerate() {
            push_entry(at, hash, out);
            out.extend_from_slice(br#"{"actions":["#);
            let texts = &templates.object(about.feature)?.questions;
            for (at, (content, ranges)) in about.changing.iter().rev().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                texts.push(&unpacked(content)?, Some(ranges), out)?;
            }
            out.extend_from_slice(br#"],"objectHash":""#);
            out.extend_from_slice(hash);
            out.extend_from_slice(b"\"}");
        }
        Ok(())
    }

    /// Writes the entry of `classification_answers` at `at`.
    pub fn push_classification(&self, at: usize, templates: &Templates, out: &mut Vec<u8>) -> Result<()> {
        let classified = &self.classified[at];
        let template = templates.classification(classified.feature)?;
        push_entry(at, &classified.hash, out);
        out.extend_from_slice(br#"{"classifications":["#);
        let answers: Vec<_> = Answers::from_packed(&classified.packed).iter().collect::<Result<_>>()?;
        push_reversed(answers.iter().map(Answer::content), &template.questions, out)?;
        out.extend_from_slice(br#"],"classificationHash":""#);
        out.extend_from_slice(&classified.hash);
        out.extend_from_slice(br#"","featureHash":"#);
        out.extend_from_slice(&template.feature_hash);
        out.extend_from_slice(br#","spaces":"#);
        match classified.space {
            None => {
                out.extend_from_slice(br#"{},"range":"#);
                push_ranges(&classified.ranges, out);
            }
            Some(space) => {
                let has_frames = space.has_frames && !template.is_global;
                let ranges: &[Range] = if has_frames { &classified.ranges } else { &[] };
                push_space(space.id, ranges, out);
                out.extend_from_slice(br#","range":[]"#);
            }
        }
        push_times(templates, out);
        out.extend_from_slice(br#","confidence":"#);
        push_finite(out, classified.score)?;
        out.push(b'}');
        Ok(())
    }
}

/// Begins the entry of a hash: a comma behind the one before, its name.
fn push_entry(at: usize, hash: &ObjectHash, out: &mut Vec<u8>) {
    out.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
    out.extend_from_slice(hash);
    out.extend_from_slice(b"\":");
}

/// Writes on which ranges of a space a label lies.
fn push_space(id: &str, ranges: &[Range], out: &mut Vec<u8>) {
    out.push(b'{');
    push_string(out, id);
    out.extend_from_slice(br#":{"range":"#);
    push_ranges(ranges, out);
    out.extend_from_slice(br#","type":"frame"}}"#);
}

/// Writes who made a label and when.
fn push_times(templates: &Templates, out: &mut Vec<u8>) {
    for name in [
        &br#","createdBy":null,"createdAt":"#[..],
        br#","lastEditedBy":null,"lastEditedAt":"#,
    ] {
        out.extend_from_slice(name);
        out.extend_from_slice(&templates.when);
    }
    out.extend_from_slice(br#","manualAnnotation":false"#);
}

/// Writes answers in the SDK's order: the last question first.
fn push_reversed<'a>(
    contents: impl DoubleEndedIterator<Item = impl AsRef<[u8]>> + 'a,
    texts: &QuestionTexts,
    out: &mut Vec<u8>,
) -> Result<()> {
    for (at, content) in contents.rev().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        texts.push(&unpacked(content.as_ref())?, None, out)?;
    }
    Ok(())
}

fn unpacked(content: &[u8]) -> Result<Answer<'_>> {
    Answer::from_content(content).ok_or_else(|| damaged("an answer that is none".to_owned()))
}
