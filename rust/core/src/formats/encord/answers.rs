//! Answers as label rows have them, in the IR's words.

use super::label_row::{Answer, Chosen};
use crate::batch::AttributeValue;

/// An answer by its texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub name: String,
    pub value: Option<String>,
}

impl Said {
    pub fn attribute(&self) -> AttributeValue<'_> {
        AttributeValue {
            name: &self.name,
            value: self.value.as_deref(),
            frame: None,
            frame_last: None,
        }
    }
}

/// Takes answers apart: one text a chosen option. Questions and options go by their hashes where the project has the class
/// under its hash (`by_hash`), else by their names. None where an answer is neither text, number nor options.
pub(super) fn said<'a>(answers: impl Iterator<Item = &'a Answer<'a>>, by_hash: bool) -> Option<Vec<Said>> {
    let mut out = Vec::new();
    for answer in answers {
        let name = if by_hash { &answer.feature_hash } else { &answer.name };
        let mut push = |value: Option<String>| {
            out.push(Said {
                name: name.clone(),
                value,
            });
        };
        let text = answer.answers.get();
        if text.starts_with('[') {
            let chosen: Vec<Chosen> = serde_json::from_str(text).ok()?;
            if chosen.is_empty() {
                push(None);
            }
            for option in chosen {
                push(Some(if by_hash { option.feature_hash } else { option.name }));
            }
        } else if text.starts_with('"') {
            push(Some(serde_json::from_str(text).ok()?));
        } else {
            serde_json::from_str::<serde_json::Number>(text).ok()?;
            push(Some(text.to_owned()));
        }
    }
    Some(out)
}
