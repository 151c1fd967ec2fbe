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

    /// Puts keypoints into a template's order, if they have another; those that are missing are not in the picture, at 0, 0,
    /// as are those whose place is not a number.
    pub(super) fn place_skeleton(&mut self, ring: &[f64], visibility: &[u8], order: Option<&KeypointOrder>) {
        self.clear_points();
        self.visibility.clear();
        let points = order.map_or(ring.len() / 2, |order| order.places.len());
        for at in 0..points {
            let place = order.map_or(Some(at), |order| order.places[at]);
            let point = place.and_then(|place| ring.get(2 * place..2 * place + 2));
            let point = point.filter(|point| point.iter().all(|value| value.is_finite()));
            let flag = match (point, place) {
                (Some(_), Some(place)) => visibility.get(place).copied().unwrap_or(2),
                _ => 0,
            };
            self.coords.extend_from_slice(point.unwrap_or(&[0.0; 2]));
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
