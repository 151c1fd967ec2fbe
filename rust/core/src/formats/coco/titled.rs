//! Titles that images have beside their file names, as Encord's exports give them: few files have any, and then the frames of
//! a video share one.

use super::names::{Id, Names, TooMany};

/// What stands for "none".
const NONE: u32 = u32::MAX;

/// Titles by the number of the image.
#[derive(Debug, Default)]
pub(super) struct Titled {
    titles: Names,
    /// By image, index into `titles`; no longer than up to the last image that has one.
    of: Vec<u32>,
}

impl Titled {
    /// Gives an image its title.
    pub fn set(&mut self, image: usize, title: &str) -> Result<(), TooMany> {
        let id = Id::Text(title);
        let known = match self.titles.find(id) {
            Some(known) => known,
            None => self.titles.add(Some(id), None, true)?,
        };
        self.of.resize(self.of.len().max(image + 1), NONE);
        self.of[image] = known as u32;
        Ok(())
    }

    /// The title of an image.
    pub fn get(&self, image: usize) -> Option<&str> {
        let title = *self.of.get(image).filter(|title| **title != NONE)?;
        Some(self.titles.label(title as usize))
    }
}
