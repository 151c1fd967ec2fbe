//! Coordinates that are taken for pixels and look like fractions of the image.

use crate::batch::Annotation;

/// What all coordinates of a file have in common so far.
#[derive(Debug, Default)]
pub(super) struct Fractions {
    /// Annotations whose coordinates are not all 0.
    annotations: u64,
    /// Whether one of them is beyond 1: then all are pixels.
    beyond_one: bool,
}

impl Fractions {
    /// Looks at what an annotation draws.
    pub fn see(&mut self, row: &Annotation<'_>) {
        if self.beyond_one {
            return;
        }
        let points = row.points.iter().flat_map(|points| points.iter().flatten());
        let drawn = row.bbox.iter().flatten().chain(points.flatten());
        let largest = drawn.fold(0.0, |largest: f64, value| largest.max(value.abs()));
        self.beyond_one = largest > 1.0;
        // A box of zeros stands beside masks for no box.
        self.annotations += u64::from(largest > 0.0);
    }

    /// How many annotations look like fractions: all that draw something, or none.
    pub fn found(&self) -> u64 {
        if self.beyond_one {
            0
        } else {
            self.annotations
        }
    }
}
