//! Masks to polygons along pixel edges, with holes.

use super::trace::Outlines;
use super::{Rle, RowMajor, Scratch};

/// A closed ring of at least four corners `[x, y]`, in whole px; the first is not repeated.
pub type Ring = Vec<[u32; 2]>;

/// A connected piece of a mask: the inside of `outer` without the insides of `holes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Clockwise on the screen (y down), from its topmost, leftmost corner.
    pub outer: Ring,
    /// Counter-clockwise on the screen, each from its topmost, leftmost corner.
    pub holes: Vec<Ring>,
}

impl Rle<RowMajor> {
    /// Follows the pixel edges around the foreground; parts and holes come in the order of their first corner.
    ///
    /// Whole coordinates are exact under pycocotools' rule: drawing each part's outer ring minus its
    /// holes and uniting them gives the mask back. Time and memory are of the order of the runs.
    pub fn to_polygons(&self) -> Vec<Part> {
        let outlines = self.to_outlines(&mut Scratch::default());
        let mut parts: Vec<Part> = Vec::with_capacity(outlines.parts);
        for (part, ring) in outlines.rings() {
            let ring = ring.iter().map(|corner| corner.map(|v| v as u32)).collect();
            match parts.get_mut(part) {
                Some(part) => part.holes.push(ring),
                None => parts.push(Part {
                    outer: ring,
                    holes: Vec::new(),
                }),
            }
        }
        parts
    }

    /// As [`Rle::to_polygons`], the rings one after another: noisy masks have hundreds of small ones.
    pub fn to_outlines(&self, scratch: &mut Scratch) -> Outlines {
        let tracer = &mut scratch.tracer;
        tracer.clear();
        tracer.sweep(self);
        tracer.split_corner_touches();
        tracer.follow()
    }
}
