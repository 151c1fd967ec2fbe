//! The options of a source that may be of several documents, of different formats.

use std::collections::HashSet;

use super::{Documents, Format, ReadOption, ReadOptions};
use crate::error::Result;

/// The options of a source that may be of several documents: each takes those that its format knows, and together they take
/// all of them.
pub struct SharedOptions {
    given: ReadOptions,
    /// Whether a document may leave options to others.
    are_shared: bool,
    taken: HashSet<ReadOption>,
    refused: Vec<(ReadOption, &'static Format)>,
}

impl SharedOptions {
    /// Options that were given for the documents of a source.
    pub fn new(given: ReadOptions, documents: &Documents) -> Self {
        Self {
            given,
            are_shared: documents.may_differ(),
            taken: HashSet::new(),
            refused: Vec::new(),
        }
    }

    /// Those that a document of a format takes.
    ///
    /// # Errors
    /// [`crate::error::Error::Option`] for one that it does not take, where it is the only document.
    pub fn of(&mut self, format: &'static Format) -> Result<ReadOptions> {
        if !self.are_shared {
            format.check_options(&self.given)?;
        }
        let mut theirs = self.given.clone();
        for option in self.given.given() {
            if format.options.contains(&option) {
                self.taken.insert(option);
            } else {
                theirs.forget(option);
                self.refused.push((option, format));
            }
        }
        Ok(theirs)
    }

    /// Checks that each was taken by some document.
    ///
    /// # Errors
    /// [`crate::error::Error::Option`] for one that was not.
    pub fn all_taken(&self) -> Result<()> {
        let lost = self.refused.iter().find(|(option, _)| !self.taken.contains(option));
        lost.map_or(Ok(()), |(option, format)| Err(format.refuses(*option)))
    }
}
