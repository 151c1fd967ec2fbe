//! Classes that a source numbers: by the names that a file gives them, or by a class map that has the numbers.

use std::sync::Arc;

use super::{KnownNames, Opening};
use crate::error::Result;
use crate::reject::Reason;
use crate::source::ClassNames;

/// Characters of a wrong number that a reject's sentence shows.
const SHOWN_CHARS: usize = 40;

/// What class numbers mean.
#[derive(Debug, Clone)]
pub(super) struct ClassNumbers {
    names: Option<Arc<ClassNames>>,
    known: Option<Arc<KnownNames>>,
}

impl ClassNumbers {
    /// Takes the names that the option gives, else those that `beside` finds.
    ///
    /// # Errors
    /// As [`ClassNames::read`], and those of `beside`.
    pub fn new(opening: &Opening<'_>, beside: impl FnOnce() -> Result<Option<ClassNames>>) -> Result<Self> {
        let names = match &opening.options.classes {
            Some(classes) => Some(classes.names()?),
            None => beside()?,
        };
        Ok(Self {
            names: names.map(Arc::new),
            known: opening.project.map(|project| project.known_names()),
        })
    }

    /// Whether nothing says what the numbers mean, though the project asks.
    pub fn are_unknown(&self) -> bool {
        self.names.is_none() && self.known.as_ref().is_some_and(|known| !known.has_class_map)
    }

    /// Whether there are names.
    pub fn are_named(&self) -> bool {
        self.names.is_some()
    }

    /// Whether a class map has this number: that counts before its name.
    pub fn is_mapped(&self, number: &str) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| known.has_class_map && known.has_class(number))
    }

    /// The class that a number is; the number itself without names.
    ///
    /// # Errors
    /// [`Reason::BadField`] for what is not a number, or one without a name.
    pub fn class<'a>(&'a self, word: &'a str) -> std::result::Result<&'a str, Reason> {
        let unlike = |expected| Reason::BadField {
            field: "class",
            expected,
            found: format!("{:?}", word.chars().take(SHOWN_CHARS).collect::<String>()),
        };
        let number: u64 = word.parse().map_err(|_| unlike("the number of a class, from 0"))?;
        match &self.names {
            Some(names) if !self.is_mapped(word) => names
                .get(number)
                .ok_or_else(|| unlike("a number that the names of classes have")),
            _ => Ok(word),
        }
    }
}
