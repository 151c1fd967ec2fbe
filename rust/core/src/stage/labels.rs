//! Which sources have one label.

/// Of each source, the number of the first one with its label.
#[derive(Debug, Default)]
pub(super) struct Labels(pub Vec<u32>);

impl Labels {
    /// The number that stands for the label of a source.
    pub fn of(&self, source: u32) -> u32 {
        self.0.get(source as usize).copied().unwrap_or(source)
    }
}
