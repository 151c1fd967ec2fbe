//! Questions and the answers to them as JSON: what the ontology says of them is rendered once.

use super::coordinate::damaged;
use super::number::{push_f64, push_u64};
use super::text::{lower_snake_case, push_string};
use crate::answers::{Answer, Value};
use crate::error::Result;
use crate::ontology::{questions, Attribute};

/// First and last frame, or millisecond; both inclusive.
pub(super) type Range = (u32, u32);

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
    pub fn push(&self, answer: &Answer<'_>, ranges: Option<&[Range]>, out: &mut Vec<u8>) -> Result<()> {
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

/// Writes ranges as `[[first,last],...]`.
pub(super) fn push_ranges(ranges: &[Range], out: &mut Vec<u8>) {
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
