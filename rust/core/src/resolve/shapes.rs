//! Shapes that are taken as they are, since no other can be made of them: lines, points, skeletons, circles, ellipses and
//! cuboids.

use super::canvas::{mismatch, on_image, Drawn};
use super::keypoints::KeypointOrder;
use super::places::Place;
use super::scratch::Scratch;
use crate::batch::{Annotation, Points, Shape, Unit};
use crate::geometry::Geometry;
use crate::ontology::{OntologyObject, SkeletonTemplate};
use crate::plan::OffImage;
use crate::reject::Reason;

/// The only ring that the row has.
fn only_ring<'a>(points: Points<'a>) -> Option<&'a [f64]> {
    let mut rings = points.iter().flatten();
    let ring = rings.next()?;
    (rings.next().is_none() && !ring.is_empty()).then_some(ring)
}

/// Whether the row is a skeleton of one point.
pub(super) fn is_lone_point(row: &Annotation<'_>) -> bool {
    row.shape == Some(Shape::Skeleton) && matches!(row.points.and_then(only_ring), Some([_, _]))
}

/// A ring that goes to its end and back the same way: how Encord's exporter writes a polyline as a polygon. Gives the way
/// there.
fn folded(ring: &[f64]) -> Option<&[f64]> {
    let (there, back) = ring.split_at(ring.len() / 2);
    let same = there.chunks_exact(2).eq(back.chunks_exact(2).rev());
    (ring.len().is_multiple_of(4) && same).then_some(there)
}

/// Makes a polyline or point.
pub(super) fn draw_line<'a>(
    row: &Annotation<'a>,
    object: &OntologyObject,
    place: &Place,
    policy: OffImage,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    let lone = object.ir_shape() == Some(Shape::Point) && is_lone_point(row);
    if object.ir_shape() == Some(Shape::Polyline) && row.shape == Some(Shape::Polygon) {
        return draw_folded(row, object, place, policy, scratch);
    }
    let points = row.points.filter(|_| lone || row.shape == object.ir_shape());
    let ring = points.and_then(only_ring);
    let geometry = match (object.ir_shape(), points, ring) {
        (Some(Shape::Polyline), Some(points), Some(_)) => Geometry::Polyline(points),
        (Some(Shape::Point), Some(points), Some([_, _])) => Geometry::Point(points),
        _ => return Err(mismatch(row, &object.shape)),
    };
    finite(ring.unwrap_or_default(), "points")?;
    on_image(geometry, row, place, policy, &mut scratch.cut)
}

/// Makes the polyline that a polygon without an area is.
fn draw_folded<'a>(
    row: &Annotation<'a>,
    object: &OntologyObject,
    place: &Place,
    policy: OffImage,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    let ring = row.points.and_then(only_ring).and_then(folded);
    let ring = ring.ok_or_else(|| mismatch(row, &object.shape))?;
    finite(ring, "points")?;
    let Scratch { drawing, cut, .. } = scratch;
    drawing.clear();
    drawing.push_ring(ring);
    drawing.end_part();
    on_image(Geometry::Polyline(drawing.points()), row, place, policy, cut)
}

/// Makes a skeleton, whose points are those of the ontology's template in its order.
pub(super) fn draw_skeleton<'a>(
    row: &Annotation<'a>,
    object: &OntologyObject,
    order: Option<&KeypointOrder>,
    place: &Place,
    policy: OffImage,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    let points = row.points.filter(|_| row.shape == Some(Shape::Skeleton));
    let Some((points, ring)) = points.and_then(|points| Some((points, only_ring(points)?))) else {
        return Err(mismatch(row, &object.shape));
    };
    let found = ring.len() / 2;
    let wanted = match order {
        Some(order) => order.given,
        None => object
            .template_for(found)
            .ok_or_else(|| no_template(object, found))?
            .len(),
    };
    let visibility = row.visibility.unwrap_or_default();
    if found != wanted {
        return Err(Reason::SkeletonPoints { found, wanted });
    }
    if !visibility.is_empty() && visibility.len() != wanted {
        return Err(Reason::SkeletonPoints {
            found: visibility.len(),
            wanted,
        });
    }
    if let Some(flag) = visibility.iter().find(|flag| **flag > 3) {
        return Err(Reason::BadField {
            field: "visibility",
            expected: "0 (not in the picture), 1 (hidden), 2 (visible) or 3 (hidden by itself) for each point",
            found: flag.to_string(),
        });
    }
    let Scratch { drawing, cut, .. } = scratch;
    let is_finite = ring.iter().all(|value| value.is_finite());
    if !is_finite {
        finite_where_seen(ring, visibility)?;
    }
    if order.is_none() && is_finite {
        return on_image(Geometry::Skeleton(points, visibility), row, place, policy, cut);
    }
    drawing.place_skeleton(ring, visibility, order);
    let geometry = Geometry::Skeleton(drawing.points(), drawing.visibility());
    on_image(geometry, row, place, policy, cut)
}

#[cold]
fn no_template(object: &OntologyObject, found: usize) -> Reason {
    let named = |template: &SkeletonTemplate| format!("{:?} with {} points", template.name, template.points.len());
    Reason::SkeletonTemplate {
        class: object.name.clone(),
        found,
        templates: object.templates.iter().map(named).collect(),
    }
}

/// Makes a circle or ellipse: of `points` that hold its centre and radii as Encord has them, else of the box around it.
pub(super) fn draw_round<'a>(
    row: &Annotation<'a>,
    object: &OntologyObject,
    place: &Place,
    policy: OffImage,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    let circle = object.ir_shape() == Some(Shape::Circle);
    if row.shape != object.ir_shape() {
        return Err(mismatch(row, &object.shape));
    }
    let theta = row.theta.unwrap_or(0.0);
    let numbers = match (row.points.and_then(only_ring), row.bbox) {
        (Some(&[x, y, first, second]), _) => [x, y, first, second],
        (None, Some(corner_and_size)) => around(corner_and_size, row, place, circle)?,
        _ => return Err(mismatch(row, &object.shape)),
    };
    finite(&numbers, if row.bbox.is_some() { "box" } else { "points" })?;
    finite(&[theta], "theta")?;
    let [_, _, first, second] = numbers;
    if first < 0.0 || second < 0.0 {
        return Err(Reason::NegativeBox { w: first, h: second });
    }
    let geometry = if circle {
        Geometry::Circle(numbers, theta)
    } else {
        Geometry::Ellipse(numbers, theta)
    };
    on_image(geometry, row, place, policy, &mut scratch.cut)
}

/// Makes a cuboid on a picture, whose reader has checked its rings. Cutting it at the edge would make another shape of it.
pub(super) fn draw_cuboid<'a>(
    row: &Annotation<'a>,
    object: &OntologyObject,
    place: &Place,
    policy: OffImage,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    let points = row.points.filter(|_| row.shape == Some(Shape::Cuboid2d));
    let points = points.ok_or_else(|| mismatch(row, &object.shape))?;
    points.iter().flatten().try_for_each(|ring| finite(ring, "points"))?;
    on_image(Geometry::Cuboid2d(points), row, place, policy, &mut scratch.cut)
}

/// Centre and radii of what a box is around; of a circle the second radius in first ones, both in px.
fn around([x, y, w, h]: [f64; 4], row: &Annotation<'_>, place: &Place, circle: bool) -> Result<[f64; 4], Reason> {
    let (rx, ry) = (w / 2.0, h / 2.0);
    if !circle {
        return Ok([x + rx, y + ry, rx, ry]);
    }
    let aspect = match (row.unit, place.source_width_px, place.source_height_px) {
        (Unit::Px, ..) => 1.0,
        (Unit::Frac, Some(width), Some(height)) => f64::from(height) / f64::from(width),
        _ => {
            return Err(Reason::NoSize {
                media: row.media.to_owned(),
            })
        }
    };
    if w <= 0.0 {
        return Err(Reason::EmptyGeometry);
    }
    Ok([x + rx, y + ry, rx, h / w * aspect])
}

/// Checks that points are numbers, those aside that are not in the picture.
fn finite_where_seen(ring: &[f64], visibility: &[u8]) -> Result<(), Reason> {
    let seen = |at: &usize| visibility.get(*at) != Some(&0);
    let points = ring.chunks_exact(2).enumerate();
    points
        .filter(|(at, _)| seen(at))
        .try_for_each(|(_, point)| finite(point, "points"))
}

fn finite(values: &[f64], field: &'static str) -> Result<(), Reason> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Reason::NotFinite { field })
}
