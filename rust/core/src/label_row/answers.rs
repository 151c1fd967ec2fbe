//! Answers of a label row: rendered from the ontology once, and kept until the row's end, where they are written with the
//! ranges that they turned out to have.

use std::collections::{BTreeMap, HashMap};

use super::encode::{damaged, push_finite, Joined, Templates};
use super::number::{push_f64, push_u64};
use super::text::{lower_snake_case, push_string};
use crate::answers::{Answer, Answers, Value};
use crate::error::Result;
use crate::identity::ObjectHash;
use crate::ontology::{questions, Attribute};

/// First and last frame, or millisecond; both inclusive.
type Range = (u32, u32);

/// The constant JSON of all questions of an object or classification.
#[derive(Debug)]
pub(super) struct QuestionTexts(Vec<QuestionText>);

#[derive(Debug)]
struct QuestionText {
    /// `"name":...,"value":...`
    name: Vec<u8>,
    /// `"featureHash":...`
    feature_hash: Vec<u8>,
    options: Vec<Vec<u8>>,
}

impl QuestionTexts {
    pub fn new(attributes: &[Attribute]) -> Self {
        let text = |members: &[(&str, &str)]| {
            let mut out = Vec::new();
            for (name, value) in members {
                if !out.is_empty() {
                    out.push(b',');
                }
                push_string(&mut out, name);
                out.push(b':');
                push_string(&mut out, value);
            }
            out
        };
        let of = |attribute: &Attribute| QuestionText {
            name: text(&[("name", &attribute.name), ("value", &lower_snake_case(&attribute.name))]),
            feature_hash: text(&[("featureHash", &attribute.feature_hash)]),
            options: attribute
                .options
                .iter()
                .map(|option| {
                    let members = [
                        ("name", option.label.as_str()),
                        ("value", &option.value),
                        ("featureHash", &option.feature_hash),
                    ];
                    text(&members)
                })
                .collect(),
        };
        Self(
            questions(attributes)
                .iter()
                .map(|question| of(question.attribute))
                .collect(),
        )
    }

    fn get(&self, question: u32) -> Result<&QuestionText> {
        let of = self.0.len();
        let text = self.0.get(question as usize);
        text.ok_or_else(|| damaged(format!("an answer to question {question} of {of}")))
    }

    /// Writes an answer; `ranges` of a dynamic one. Answers keep the SDK's `manualAnnotation`, also those of predictions.
    fn push(&self, answer: &Answer<'_>, ranges: Option<&[Range]>, out: &mut Vec<u8>) -> Result<()> {
        let question = self.get(answer.question)?;
        out.push(b'{');
        out.extend_from_slice(&question.name);
        out.extend_from_slice(br#","answers":"#);
        match answer.value {
            Value::Text(text) => push_string(out, text),
            Value::Number(number) if number.is_finite() => push_f64(out, number),
            Value::Number(number) => return Err(damaged(format!("the answer {number}"))),
            Value::Options(options) => {
                out.push(b'[');
                for (at, option) in options.iter().enumerate() {
                    let Some(text) = question.options.get(option as usize) else {
                        return Err(damaged(format!("option {option} of {}", question.options.len())));
                    };
                    out.extend_from_slice(if at == 0 { b"{" } else { b",{" });
                    out.extend_from_slice(text);
                    out.push(b'}');
                }
                out.push(b']');
            }
        }
        out.push(b',');
        out.extend_from_slice(&question.feature_hash);
        out.extend_from_slice(br#","manualAnnotation":true"#);
        if let Some(ranges) = ranges {
            out.extend_from_slice(br#","dynamic":true,"range":"#);
            push_ranges(ranges, out);
            out.extend_from_slice(br#","shouldPropagate":false"#);
        }
        out.push(b'}');
        Ok(())
    }
}

/// Adds a range; those that follow each other become one.
fn add_range(ranges: &mut Vec<Range>, (first, last): Range) {
    match ranges.last_mut() {
        Some(before) if first >= before.0 && first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
        _ => ranges.push((first, last)),
    }
}

fn push_ranges(ranges: &[Range], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, (first, last)) in ranges.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"[" } else { b",[" });
        push_u64(out, (*first).into());
        out.push(b',');
        push_u64(out, (*last).into());
        out.push(b']');
    }
    out.push(b']');
}

/// What is known of an object besides its labels on frames.
#[derive(Debug, Default)]
struct AboutObject {
    /// Index of the ontology object.
    feature: u32,
    /// Packed answer by question: the first that was given.
    fixed: BTreeMap<u32, Vec<u8>>,
    /// Packed answers that hold on some frames, in the order in which they were given first.
    changing: Vec<(Vec<u8>, Vec<Range>)>,
    /// Where it sounds.
    sounds: Vec<Range>,
    /// Annotations that said so.
    sounded: usize,
}

#[derive(Debug)]
struct Classified {
    hash: ObjectHash,
    /// Index of the classification.
    feature: u32,
    packed: Vec<u8>,
    score: f64,
    ranges: Vec<Range>,
    /// Annotations that gave it.
    given: usize,
}

/// Answers of one label row in the making.
#[derive(Debug, Default)]
pub(super) struct AnswerBook {
    objects: HashMap<ObjectHash, AboutObject>,
    classified: Vec<Classified>,
    by_hash: HashMap<ObjectHash, usize>,
}

impl AnswerBook {
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

    /// Notes where an object sounds.
    pub fn sounds(&mut self, hash: ObjectHash, feature: u32, range: Range) {
        let about = self.objects.entry(hash).or_default();
        about.feature = feature;
        about.sounded += 1;
        add_range(&mut about.sounds, range);
    }

    /// Notes an answer to a classification on a range.
    pub fn classify(&mut self, hash: ObjectHash, feature: u32, score: f64, answers: Answers<'_>, range: Range) {
        let next = self.classified.len();
        let at = *self.by_hash.entry(hash).or_insert(next);
        if at == next {
            self.classified.push(Classified {
                hash,
                feature,
                packed: answers.packed().to_vec(),
                score,
                ranges: Vec::new(),
                given: 0,
            });
        }
        self.classified[at].given += 1;
        add_range(&mut self.classified[at].ranges, range);
    }

    /// How many annotations became one answer or sound.
    pub fn joined(&self) -> Joined {
        let text = |hash: &ObjectHash| String::from_utf8_lossy(hash).into_owned();
        let sounds = self.objects.iter().filter(|(_, about)| about.sounded > 0);
        let sounds = sounds.map(|(hash, about)| (text(hash), about.sounded));
        let answers = self.classified.iter().map(|answer| (text(&answer.hash), answer.given));
        sounds.chain(answers).collect()
    }

    /// Classifications in the row.
    pub fn classifications(&self) -> usize {
        self.classified.len()
    }

    /// Writes an object's entry of `object_answers`, the one at `at`.
    pub fn push_object(&self, at: usize, hash: &ObjectHash, templates: &Templates, out: &mut Vec<u8>) -> Result<()> {
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
        if let Some(about) = about.filter(|about| !about.sounds.is_empty()) {
            push_times(templates, out);
            out.push(b',');
            out.extend_from_slice(&templates.object(about.feature)?.about);
            out.extend_from_slice(br#","range":"#);
            push_ranges(&about.sounds, out);
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
        let (feature_hash, texts) = templates.classification(classified.feature)?;
        push_entry(at, &classified.hash, out);
        out.extend_from_slice(br#"{"classifications":["#);
        let answers: Vec<_> = Answers::from_packed(&classified.packed).iter().collect::<Result<_>>()?;
        push_reversed(answers.iter().map(Answer::content), texts, out)?;
        out.extend_from_slice(br#"],"classificationHash":""#);
        out.extend_from_slice(&classified.hash);
        out.extend_from_slice(br#"","featureHash":"#);
        out.extend_from_slice(feature_hash);
        out.extend_from_slice(br#","spaces":{},"range":"#);
        push_ranges(&classified.ranges, out);
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
