//! Boxes that may be turned: by the angle that the source gives, else by the four corners of a polygon.

use super::canvas::{on_image, Angle, Drawn};
use super::geometry::draw_box;
use super::places::Place;
use super::scratch::Scratch;
use crate::batch::{Annotation, Shape, Unit};
use crate::geometry::Geometry;
use crate::plan::OffImage;
use crate::rectangle;
use crate::reject::Reason;

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
                    return on_image(turned, &px, place, policy, scratch);
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

/// The corners of a polygon of four, in px, with the row in that unit; none where there are no such.
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
