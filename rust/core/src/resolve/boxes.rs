//! Boxes: the row's own, or around what it draws. Rotatable ones are turned by the angle that the source gives, else by the
//! four corners of a polygon.

use super::canvas::{area, bad_rle, mask_size, on_image, Angle, Drawn};
use super::places::Place;
use super::scratch::Scratch;
use crate::batch::{Annotation, RleOrder, Shape, Unit};
use crate::geometry::Geometry;
use crate::plan::OffImage;
use crate::reject::Reason;
use crate::rle::{ColumnMajor, Rle, RowMajor};
use crate::{polygon, rectangle};

/// Whether a box has an area.
fn has_area([_, _, w, h]: &[f64; 4]) -> bool {
    *w > 0.0 && *h > 0.0
}

/// Box around what the row draws besides its box: an area, or the points of a skeleton that are in the picture.
fn extent(row: &Annotation<'_>) -> Option<[f64; 4]> {
    if row.shape != Some(Shape::Skeleton) {
        return polygon::extent(area(row)?.iter().flatten());
    }
    let flags = row.visibility.unwrap_or_default();
    let points = row.points?;
    let points = points
        .iter()
        .flatten()
        .flat_map(|ring| ring.chunks_exact(2))
        .enumerate();
    polygon::extent(
        points
            .filter(|(at, _)| flags.get(*at) != Some(&0))
            .map(|(_, point)| point),
    )
}

/// Makes a box: the row's own, or what it draws if that has an area and the box has none.
pub(super) fn draw_box<'a>(
    row: &Annotation<'a>,
    place: &Place,
    policy: OffImage,
    scratch: &'a mut Scratch,
    shape: impl Fn([f64; 4]) -> Geometry<'a>,
) -> Result<Drawn<'a>, Reason> {
    let own = row.bbox.filter(has_area);
    if let (None, Some(rle)) = (own, row.rle) {
        let size = mask_size(row, place)?;
        let bbox = match row.rle_order {
            Some(RleOrder::RowMajor) => Rle::<RowMajor>::from_string(rle, size).map(|mask| mask.bbox()),
            _ => Rle::<ColumnMajor>::from_string(rle, size).map(|mask| mask.bbox()),
        };
        let corner_and_size = bbox.map_err(bad_rle)?.ok_or(Reason::EmptyGeometry)?.map(f64::from);
        return Ok(Drawn::of_mask(shape(corner_and_size), size));
    }
    let drawn = || extent(row).filter(|drawn| row.bbox.is_none() || has_area(drawn));
    let corner_and_size = own.or_else(drawn).or(row.bbox).ok_or(match row.shape {
        Some(Shape::Skeleton) => Reason::NoKeypoints,
        _ => Reason::NoGeometry,
    })?;
    // Around finite points too: the largest numbers lie further apart than any number says.
    if !corner_and_size.iter().all(|value| value.is_finite()) {
        return Err(Reason::NotFinite { field: "bbox" });
    }
    on_image(shape(corner_and_size), row, place, policy, &mut scratch.cut)
}

/// Makes a rotatable box.
pub(super) fn draw_turned<'a>(
    row: &Annotation<'a>,
    place: &Place,
    policy: OffImage,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    let angle = match row.theta {
        Some(theta) if theta != 0.0 => Angle::Given,
        theta => match corners_px(row, place) {
            Some((corners, px)) => match rectangle::from_any_corner(corners) {
                Some((corner_and_size, theta)) => {
                    let turned = Geometry::RotatableBoundingBox(corner_and_size, theta);
                    let drawn = on_image(turned, &px, place, policy, &mut scratch.cut)?;
                    return Ok(Drawn {
                        angle: Angle::OfCorners,
                        ..drawn
                    });
                }
                None => Angle::NotOfRectangle,
            },
            None if theta.is_none() => Angle::Missing,
            None => Angle::Given,
        },
    };
    let theta = row.theta.unwrap_or(0.0);
    let drawn = draw_box(row, place, policy, scratch, |corner_and_size| {
        Geometry::RotatableBoundingBox(corner_and_size, theta)
    })?;
    Ok(Drawn { angle, ..drawn })
}

/// The corners of a polygon of four, in px, with the row in that unit; none for other polygons.
fn corners_px<'a>(row: &Annotation<'a>, place: &Place) -> Option<([f64; 8], Annotation<'a>)> {
    let points = row.points.filter(|_| row.shape == Some(Shape::Polygon))?;
    let mut rings = points.iter().flatten();
    let (Some(ring), None) = (rings.next(), rings.next()) else {
        return None;
    };
    let mut corners = rectangle::corners_of(ring)?;
    if row.unit == Unit::Frac {
        let (width, height) = place.source_width_px.zip(place.source_height_px)?;
        for corner in corners.chunks_exact_mut(2) {
            corner[0] *= f64::from(width);
            corner[1] *= f64::from(height);
        }
    }
    Some((corners, Annotation { unit: Unit::Px, ..*row }))
}
