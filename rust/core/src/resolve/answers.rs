//! From the source's words to the ontology's questions and options.

use super::readings::READINGS;
use crate::answers::{Given, Packer};
use crate::batch::AttributeValue;
use crate::ontology::{questions, Attribute, AttributeKind, AttributeOption, Question};
use crate::reject::Reason;

/// Longest text of an answer that a reject shows.
const SHOWN_CHARS: usize = 60;

/// What packing answers showed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    /// Whether a question below another one's option was answered.
    pub nested: bool,
}

/// Packs the answers to the questions of one class. A name may also be a feature hash; an empty one is the first
/// question's, for classifications that ask one thing. Checklists take one value for each chosen option, or a null for none.
///
/// Questions below an option are known by their names too, once that option is chosen, in whatever order answers come.
pub(super) fn pack(
    class: &str,
    attributes: &[Attribute],
    given: &[AttributeValue<'_>],
    frames: (u32, u32),
    packer: &mut Packer,
) -> Result<Packed, Reason> {
    packer.clear();
    let questions = questions(attributes);
    let mut answered: Vec<Option<Given<'_>>> = questions.iter().map(|_| None).collect();
    let mut waiting: Vec<&AttributeValue<'_>> = given.iter().collect();
    for value in given {
        let (first, last) = (
            value.frame.unwrap_or(frames.0),
            value.frame_last.or(value.frame).unwrap_or(frames.1),
        );
        if (first, last) != frames {
            return Err(Reason::BadAnswer {
                name: value.name.to_owned(),
                found: format!("on {first} to {last}"),
                expected: "the row's own frames, or none; give other frames a row of their own",
            });
        }
    }
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut left = Vec::new();
        for value in waiting {
            match asked(&questions, &answered, value.name) {
                Some(number) => answer(&questions[number], value, &mut answered[number])?,
                None => left.push(value),
            }
        }
        waiting = left;
        if waiting.len() == before {
            return Err(Reason::UnknownAttribute {
                class: class.to_owned(),
                name: waiting[0].name.to_owned(),
            });
        }
    }
    let mut packed = Packed::default();
    for ((question, value), number) in questions.iter().zip(&mut answered).zip(0..) {
        if let Some(value) = value {
            packed.nested |= question.below.is_some();
            packer.push(number, question.attribute.dynamic, value);
        }
    }
    Ok(packed)
}

/// Number of the question of this name that is asked after what was answered so far.
fn asked(questions: &[Question<'_>], answered: &[Option<Given<'_>>], name: &str) -> Option<usize> {
    if name.is_empty() {
        return (!questions.is_empty()).then_some(0);
    }
    let is_asked = |question: &Question<'_>| match question.below {
        None => true,
        Some((above, option)) => match &answered[above as usize] {
            Some(Given::Options(chosen)) => chosen.contains(&option),
            _ => false,
        },
    };
    let named = |fits: &dyn Fn(&Attribute) -> bool| {
        let mut fitting = questions
            .iter()
            .enumerate()
            .filter(|(_, question)| fits(question.attribute) && is_asked(question));
        fitting.next().map(|(number, _)| number)
    };
    named(&|attribute| attribute.name == name || attribute.feature_hash == name).or_else(|| {
        READINGS.iter().find_map(|reading| {
            let read = reading.of(name);
            named(&|attribute| reading.of(&attribute.name) == read)
        })
    })
}

fn answer<'a>(
    question: &Question<'a>,
    value: &AttributeValue<'a>,
    answered: &mut Option<Given<'a>>,
) -> Result<(), Reason> {
    let attribute = question.attribute;
    let refused = |expected| Reason::BadAnswer {
        name: attribute.name.clone(),
        found: match value.value {
            Some(text) => format!("{:?}", text.chars().take(SHOWN_CHARS).collect::<String>()),
            None => "null".to_owned(),
        },
        expected,
    };
    if answered.is_some() && attribute.kind != AttributeKind::Checklist {
        return Err(refused("one answer; only checklists take several"));
    }
    match (attribute.kind, value.value) {
        (AttributeKind::Checklist, chosen) => {
            let Given::Options(options) = answered.get_or_insert_with(|| Given::Options(Vec::new())) else {
                return Err(refused("options"));
            };
            if let Some(text) = chosen {
                options.push(option_of(&attribute.options, text).ok_or_else(|| refused("one of its options"))?);
            }
        }
        (AttributeKind::Radio, Some(text)) => {
            let option = option_of(&attribute.options, text).ok_or_else(|| refused("one of its options"))?;
            *answered = Some(Given::Options(vec![option]));
        }
        (AttributeKind::Text, Some(text)) => *answered = Some(Given::Text(text)),
        (AttributeKind::Numeric, Some(text)) => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            *answered = Some(Given::Number(number.ok_or_else(|| refused("a number"))?));
        }
        (_, None) => return Err(refused("a value")),
    }
    Ok(())
}

/// Number of the option of this label, value or feature hash; else of the only one whose label is the same in a looser
/// reading.
fn option_of(options: &[AttributeOption], text: &str) -> Option<u32> {
    let exact = options
        .iter()
        .position(|option| option.label == text || option.feature_hash == text)
        .or_else(|| options.iter().position(|option| option.value == text));
    let found = exact.or_else(|| {
        READINGS.iter().find_map(|reading| {
            let read = reading.of(text);
            let fits = |option: &AttributeOption| reading.of(&option.label) == read;
            let mut fitting = options.iter().enumerate().filter(|(_, option)| fits(option));
            let (first, _) = fitting.next()?;
            fitting.next().is_none().then_some(first)
        })
    });
    found.map(|position| position as u32)
}
