//! Which sources have one label, and which media one label row.

use crate::plan::{Medium, Plan};

/// Of each source, the number of the first one with its label.
#[derive(Debug, Default)]
pub(super) struct Labels(pub Vec<u32>);

impl Labels {
    /// The number that stands for the label of a source.
    pub fn of(&self, source: u32) -> u32 {
        self.0.get(source as usize).copied().unwrap_or(source)
    }
}

/// Which label row each medium is on.
#[derive(Debug, Default)]
pub(super) struct RowsOf {
    /// The first medium that is not on a row of its own: a space.
    first: u32,
    /// Of it and those that follow, the data group.
    groups: Vec<u32>,
}

impl RowsOf {
    pub fn new(plan: &Plan) -> Self {
        let groups: Vec<u32> = plan.media.iter().filter_map(Medium::group).collect();
        Self {
            first: (plan.media.len() - groups.len()) as u32,
            groups,
        }
    }

    /// The medium that the label row of a medium is of.
    pub fn of(&self, medium: u32) -> u32 {
        let space = medium.checked_sub(self.first);
        space
            .and_then(|at| self.groups.get(at as usize).copied())
            .unwrap_or(medium)
    }
}
