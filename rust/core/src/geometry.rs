//! What is drawn, or where an answer holds, in the shape that is going to be written.

use crate::batch::Points;

/// Geometry in the shape that the ontology asks for, in the unit of its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Geometry<'a> {
    /// x, y of the top left corner, width, height.
    BoundingBox([f64; 4]),
    /// The same, and degrees clockwise.
    RotatableBoundingBox([f64; 4], f64),
    /// Parts of rings, outer ring first.
    Polygon(Points<'a>),
    /// One part, one open line.
    Polyline(Points<'a>),
    /// One part, one ring, one point.
    Point(Points<'a>),
    /// Row-major run-length string of a mask of `height_px` x `width_px`.
    Bitmask(&'a [u8]),
    /// One part, one ring of the template's points in their order; a flag a point (0 not labelled, 1 hidden, 2 visible), or none at all.
    Skeleton(Points<'a>, &'a [u8]),
    /// x, y of the centre, radius in the unit of x, second radius in first radii; degrees clockwise.
    Circle([f64; 4], f64),
    /// x, y of the centre, radius across, radius down; degrees clockwise.
    Ellipse([f64; 4], f64),
    /// One part: the ring of the front, then a ring with the back's offset; or one with the vanishing point, and one with the
    /// back's size in that of the front, across and down.
    Cuboid2d(Points<'a>),
    /// Nothing is drawn: the row answers a classification, from its frame to this one.
    Answer(u32),
    /// Nothing is drawn: the object sounds from its millisecond to this one.
    Interval(u32),
}
