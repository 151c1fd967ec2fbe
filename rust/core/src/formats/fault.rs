//! What of a row's geometry cannot be used.

use crate::reject::Reason;

/// A piece of the geometry of a row that cannot be used, and was left out of it: why a class that needs the piece cannot be
/// drawn. For other classes it only counts as a warning.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Number of the row in the batch.
    pub row: usize,
    /// The piece.
    pub piece: Piece,
    /// What is wrong with it.
    pub reason: Reason,
}

/// A piece of the geometry of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The box.
    Box,
    /// Polygons or a mask.
    Area,
    /// Points of a skeleton.
    Keypoints,
    /// The angle of the box.
    Angle,
    /// Rings of a polygon that has others.
    Ring,
}

impl Fault {
    /// Warns of it where the piece is not needed; not where nobody labelled it.
    pub fn tell(&self, mut warn: impl FnMut(&'static str)) {
        match self.piece {
            _ if self.reason == Reason::NoKeypoints => {}
            Piece::Ring => warn("ring_dropped"),
            _ => warn("geometry_ignored"),
        }
    }
}
