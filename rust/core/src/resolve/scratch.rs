//! Buffers that drawing reuses.

use super::keypoints::KeypointOrder;
use crate::batch::Points;
use crate::rle;

/// Flags of keypoints.
pub(super) const NOT_THERE: u8 = 0;
pub(super) const VISIBLE: u8 = 2;

/// Buffers for coordinates and run-length strings, reused from row to row.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) drawing: Drawing,
    /// What the image's edge leaves of a geometry, which may be the drawing.
    pub(super) cut: Drawing,
    pub(super) rle: Vec<u8>,
    pub(super) transpose: rle::Scratch,
}

/// Points of a geometry in the making.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
    visibility: Vec<u8>,
}

impl Drawing {
    pub(super) fn clear(&mut self) {
        self.coords.clear();
        self.rings.clear();
        self.parts.clear();
        self.visibility.clear();
        self.rings.push(0);
        self.parts.push(0);
    }

    /// Adds a keypoint to the ring that the next [`Self::push_ring`] ends.
    pub(super) fn push_keypoint(&mut self, point: [f64; 2], flag: u8) {
        self.coords.extend(point);
        self.visibility.push(flag);
    }

    pub(super) fn push_ring(&mut self, ring: &[f64]) {
        self.coords.extend_from_slice(ring);
        self.rings.push(self.coords.len() as i32);
    }

    pub(super) fn end_part(&mut self) {
        self.parts.push(self.rings.len() as i32 - 1);
    }

    /// Puts keypoints into a template's order, if they have another; those that are missing are not in the picture, as are
    /// those whose place is not a number.
    pub(super) fn place_skeleton(&mut self, ring: &[f64], visibility: &[u8], order: Option<&KeypointOrder>) {
        self.clear();
        let points = order.map_or(ring.len() / 2, |order| order.places.len());
        for at in 0..points {
            let place = order.map_or(Some(at), |order| order.places[at]);
            let given = place.and_then(|place| ring.get(2 * place..2 * place + 2).zip(Some(place)));
            match given {
                Some((&[x, y], place)) if x.is_finite() && y.is_finite() => {
                    self.push_keypoint([x, y], visibility.get(place).copied().unwrap_or(VISIBLE));
                }
                _ => self.push_keypoint([0.0; 2], NOT_THERE),
            }
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
