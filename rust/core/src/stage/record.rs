//! One staged annotation: resolved, validated, in the shape that is going to be written.
//!
//! Rows are stored as length-prefixed bytes rather than Arrow: merging moves each row whole, and the encoder wants
//! rows one after another, so columns would only be taken apart and put together again.

use crate::batch::{Points, Unit};

/// Sort key of a staged row. `source` and `offset` make the order total and independent of how the input was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Index of the medium in the plan.
    pub label_row: u32,
    /// Encord frame; index of the image in an image group.
    pub frame: u32,
    /// Identity of the object (see `label_row::identity`), equal for all rows of a track.
    pub object: u128,
    /// Index of the source, in the order in which sources were given.
    pub source: u32,
    /// Byte or record number in the source.
    pub offset: u64,
}

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
}

/// One staged annotation, borrowed from the stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StagedRow<'a> {
    /// Place in the order.
    pub key: Key,
    /// Index of the ontology object in the plan.
    pub feature: u32,
    /// The source's own id.
    pub annotation_id: Option<&'a str>,
    /// The track, where it has one.
    pub track: Option<&'a str>,
    /// 0..1.
    pub score: f64,
    /// Unit of the coordinates.
    pub unit: Unit,
    /// Width that px coordinates refer to; width of the mask.
    pub width_px: u32,
    /// Height that px coordinates refer to; height of the mask.
    pub height_px: u32,
    /// What is drawn.
    pub geometry: Geometry<'a>,
}
