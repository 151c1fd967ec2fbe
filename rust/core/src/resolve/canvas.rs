//! What every shape is drawn on: the image with its size and edge.

use super::edge;
use super::places::Place;
use super::scratch::Drawing;
use crate::batch::{Annotation, Points, Shape, Unit};
use crate::geometry::Geometry;
use crate::plan::OffImage;
use crate::reject::Reason;
use crate::rle::{RleError, Size};

/// A geometry ready to be staged.
pub(super) struct Drawn<'a> {
    pub geometry: Geometry<'a>,
    pub unit: Unit,
    pub width_px: u32,
    pub height_px: u32,
    pub clipped: bool,
    pub angle: Angle,
}

/// By what a rotatable box is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Angle {
    /// By what the source says, or the shape is not turned.
    Given,
    /// By the four corners of a polygon, of which it is all.
    OfCorners,
    /// By nothing: the source has no angle.
    Missing,
    /// By nothing: the source has four corners that are not those of a rectangle.
    NotOfRectangle,
}

impl<'a> Drawn<'a> {
    /// A geometry in px of a mask.
    pub fn of_mask(geometry: Geometry<'a>, size: Size) -> Self {
        Self {
            geometry,
            unit: Unit::Px,
            width_px: size.w(),
            height_px: size.h(),
            clipped: false,
            angle: Angle::Given,
        }
    }
}

/// The reject of a geometry of which the `wanted` shape cannot be made.
pub(super) fn mismatch(row: &Annotation<'_>, wanted: &str) -> Reason {
    let found = row.shape.map_or("nothing", Shape::as_str).replace('_', " ");
    Reason::ShapeMismatch {
        wanted: wanted.replace('_', " "),
        found: format!("a {found}"),
    }
}

/// The row's points, where they enclose an area.
pub(super) fn area<'a>(row: &Annotation<'a>) -> Option<Points<'a>> {
    row.points.filter(|_| {
        matches!(
            row.shape,
            None | Some(Shape::Polygon | Shape::BoundingBox | Shape::Bitmask)
        )
    })
}

/// Size of the row's mask, which must be its medium's.
pub(super) fn mask_size(row: &Annotation<'_>, place: &Place) -> Result<Size, Reason> {
    let (h, w) = (row.height_px.unwrap_or(0), row.width_px.unwrap_or(0));
    let medium = (
        place.height_px.or(place.source_height_px),
        place.width_px.or(place.source_width_px),
    );
    if let (Some(media_h), Some(media_w)) = medium {
        if (h, w) != (media_h, media_w) {
            return Err(Reason::MaskSize {
                mask: (h, w),
                media: (media_h, media_w),
            });
        }
    }
    Size::new(u64::from(h), u64::from(w)).map_err(bad_rle)
}

pub(super) fn bad_rle(error: RleError) -> Reason {
    Reason::BadRle {
        code: error.code(),
        message: error.to_string(),
    }
}

/// Applies the policy for the image's edge; what it leaves of points is put into `cut`. Where the image's size is not known yet that is left to
/// [`super::fit`], once the label row tells.
pub(super) fn on_image<'a>(
    geometry: Geometry<'a>,
    row: &Annotation<'_>,
    place: &Place,
    policy: OffImage,
    cut: &'a mut Drawing,
) -> Result<Drawn<'a>, Reason> {
    let size = place.source_width_px.zip(place.source_height_px);
    let (width_px, height_px) = size.unwrap_or((0, 0));
    let (geometry, clipped) = if row.unit == Unit::Px && size.is_none() {
        (geometry, false)
    } else {
        edge::keep_inside(geometry, row.unit, (width_px, height_px), policy, cut)?
    };
    Ok(Drawn {
        geometry,
        unit: row.unit,
        width_px,
        height_px,
        clipped,
        angle: Angle::Given,
    })
}
