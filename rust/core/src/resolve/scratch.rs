//! Buffers that drawing reuses.

use super::keypoints::KeypointOrder;
use crate::batch::Points;
use crate::rle;

/// Buffers for coordinates and run-length strings, reused from row to row.
#[derive(Debug, Default)]
pub struct Scratch {
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
    visibility: Vec<u8>,
    pub(super) rle: Vec<u8>,
    pub(super) transpose: rle::Scratch,
}

impl Scratch {
    pub(super) fn clear_points(&mut self) {
        self.coords.clear();
        self.rings.clear();
        self.parts.clear();
        self.rings.push(0);
        self.parts.push(0);
    }

    pub(super) fn push_ring(&mut self, ring: &[f64]) {
        self.coords.extend_from_slice(ring);
        self.rings.push(self.coords.len() as i32);
    }

    pub(super) fn end_part(&mut self) {
        self.parts.push(self.rings.len() as i32 - 1);
    }

    /// Puts keypoints into a template's order; those that are missing are not in the picture.
    pub(super) fn reorder(&mut self, ring: &[f64], visibility: &[u8], order: &KeypointOrder) {
        self.clear_points();
        self.visibility.clear();
        for place in &order.places {
            let given = place.and_then(|place| ring.get(2 * place..2 * place + 2).zip(Some(place)));
            let (point, flag) = match given {
                Some((point, place)) => (point, visibility.get(place).copied().unwrap_or(2)),
                None => ([0.0; 2].as_slice(), 0),
            };
            self.coords.extend_from_slice(point);
            self.visibility.push(flag);
        }
        self.push_ring(&[]);
        self.end_part();
    }

    pub(super) fn visibility(&self) -> &[u8] {
        &self.visibility
    }

    pub(super) fn has_no_points(&self) -> bool {
        self.coords.is_empty()
    }

    pub(super) fn points(&self) -> Points<'_> {
        Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        }
    }
}
