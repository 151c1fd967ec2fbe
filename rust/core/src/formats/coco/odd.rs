//! Entries of a file's lists that are not what they should be. They cost nothing but the annotations that use them.

use std::collections::HashMap;

use super::names::{Id, Names, TooMany};
use crate::reject::Reason;

/// Odd entries of the images, categories and videos of a file.
#[derive(Debug, Default)]
pub(super) struct OddEntries {
    /// By number of the image, why its annotations cannot be written.
    pub images: HashMap<usize, Reason>,
    /// Likewise, by number of the category.
    pub classes: HashMap<usize, Reason>,
    /// Likewise, by number of the video.
    pub videos: HashMap<usize, Reason>,
    /// Entries that nothing can name.
    pub nameless: u64,
}

impl OddEntries {
    /// How many there are.
    pub fn len(&self) -> u64 {
        (self.images.len() + self.classes.len() + self.videos.len()) as u64 + self.nameless
    }
}

/// Keeps that an entry is odd, if it is; one without an id cannot be named.
pub(super) fn keep(
    of: &mut HashMap<usize, Reason>,
    nameless: &mut u64,
    entry: usize,
    id: Option<Id<'_>>,
    odd: Option<Reason>,
) {
    match (id, odd) {
        (_, None) => {}
        (None, Some(_)) => *nameless += 1,
        (Some(_), Some(reason)) => drop(of.entry(entry).or_insert(reason)),
    }
}

/// Why the entries of an id that is given twice, for different things, cannot be told apart.
pub(super) fn repeated(list: &'static str, id: Option<Id<'_>>) -> Reason {
    let id = match id {
        Some(Id::Int(value)) => value.to_string(),
        Some(Id::Text(text)) => text.to_owned(),
        None => String::new(),
    };
    Reason::RepeatedId { list, id }
}

/// The entry of an id, and why it is odd, if it is.
pub(super) fn add_once(
    names: &mut Names,
    list: &'static str,
    id: Option<Id<'_>>,
    name: Option<&str>,
    odd: Option<Reason>,
) -> Result<(usize, Option<Reason>), TooMany> {
    Ok(match id.and_then(|id| names.find(id)) {
        Some(known) if names.name(known) == name => (known, odd),
        Some(known) => (known, Some(repeated(list, id))),
        None => (names.add(id, name, true)?, odd),
    })
}
