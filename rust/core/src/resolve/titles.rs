//! Media by title: exact, else by base name, else by stem, with the images inside image groups among them.

use std::collections::HashMap;

use crate::plan::Medium;
use crate::source::{base_name, stem};

/// What a title leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A medium of the project.
    Medium(u32),
    /// An image inside an image group: index of the group, index of the image.
    Image(u32, u32),
}

/// Outcome of a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    One(Target),
    None,
    /// How many fit.
    Many(usize),
}

/// Targets under one form of their titles: the first, and how many there are.
type Index = HashMap<Box<str>, (Target, usize)>;

pub(super) struct Titles {
    exact: Index,
    base: Index,
    stem: Index,
    hashes: HashMap<Box<str>, Target>,
}

impl Titles {
    pub(super) fn new(media: &[Medium]) -> Self {
        let mut titles = Self {
            exact: Index::new(),
            base: Index::new(),
            stem: Index::new(),
            hashes: HashMap::new(),
        };
        for (index, medium) in (0u32..).zip(media) {
            titles.insert(&medium.title, &medium.data_hash, Target::Medium(index));
            for (position, image) in (0u32..).zip(&medium.units) {
                titles.insert(&image.title, &image.data_hash, Target::Image(index, position));
            }
        }
        titles
    }

    fn insert(&mut self, title: &str, data_hash: &str, target: Target) {
        for (index, form) in [
            (&mut self.exact, title),
            (&mut self.base, base_name(title)),
            (&mut self.stem, stem(title)),
        ] {
            index
                .entry(form.into())
                .and_modify(|(_, count)| *count += 1)
                .or_insert((target, 1));
        }
        // An image group of one image may share its hash with that image: the medium came first and stays.
        self.hashes.entry(data_hash.into()).or_insert(target);
    }

    /// The medium or image with this data_hash.
    pub(super) fn by_hash(&self, data_hash: &str) -> Option<Target> {
        self.hashes.get(data_hash).copied()
    }

    /// The medium or image that a source's name means. The first form under which anything fits decides.
    pub(super) fn by_name(&self, name: &str) -> Found {
        for (index, form) in [
            (&self.exact, name),
            (&self.base, base_name(name)),
            (&self.stem, stem(name)),
        ] {
            match index.get(form) {
                Some(&(target, 1)) => return Found::One(target),
                Some(&(_, count)) => return Found::Many(count),
                None => {}
            }
        }
        Found::None
    }
}
