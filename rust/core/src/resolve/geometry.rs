//! The annotation's geometry in the shape that the ontology object has.

use super::boxes::{draw_box, draw_turned};
use super::canvas::{area, bad_rle, mask_size, mismatch, on_image, Drawn};
use super::keypoints::KeypointOrder;
use super::places::Place;
use super::scratch::Scratch;
use super::{edge, shapes};
use crate::batch::{Annotation, Points, RleOrder, Shape};
use crate::geometry::Geometry;
use crate::plan::{OntologyObject, Plan};
use crate::polygon;
use crate::reject::Reason;
use crate::rle::{transpose_string, ColumnMajor, Part, PolygonError, Rle, RowMajor, Size};

/// Shapes that can be made from what the annotation has.
pub(super) fn possible(row: &Annotation<'_>) -> &'static [Shape] {
    use Shape::{Bitmask, BoundingBox, Point, Polygon, RotatableBoundingBox};
    match row.shape {
        Some(Shape::Skeleton) if shapes::is_lone_point(row) => {
            if row.bbox.is_some() {
                &[Point, BoundingBox, RotatableBoundingBox]
            } else {
                &[Point]
            }
        }
        Some(Shape::Skeleton) => &[BoundingBox, RotatableBoundingBox],
        // What is no area has its own shape, or the box that stands beside it.
        Some(Shape::Polyline | Shape::Point | Shape::Circle | Shape::Ellipse | Shape::Cuboid2d) => {
            if row.bbox.is_some() {
                &[BoundingBox, RotatableBoundingBox]
            } else {
                &[]
            }
        }
        _ if row.rle.is_some() || row.points.is_some() => &[BoundingBox, RotatableBoundingBox, Polygon, Bitmask],
        _ => &[BoundingBox, RotatableBoundingBox],
    }
}

/// Makes the geometry of `object`'s shape; `order` is that in which a skeleton takes its points.
pub(super) fn draw<'a>(
    row: &Annotation<'a>,
    object: &OntologyObject,
    order: Option<&KeypointOrder>,
    place: &Place,
    plan: &Plan,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    match object.ir_shape() {
        Some(Shape::BoundingBox) => draw_box(row, place, plan.off_image, scratch, Geometry::BoundingBox),
        Some(Shape::RotatableBoundingBox) => draw_turned(row, place, plan.off_image, scratch),
        Some(Shape::Polygon) => draw_polygon(row, place, plan, scratch),
        Some(Shape::Bitmask) => draw_bitmask(row, place, scratch),
        Some(Shape::Polyline | Shape::Point) => shapes::draw_line(row, object, place, plan.off_image, scratch),
        Some(Shape::Skeleton) => shapes::draw_skeleton(row, object, order, place, plan.off_image, scratch),
        Some(Shape::Circle | Shape::Ellipse) => shapes::draw_round(row, object, place, plan.off_image, scratch),
        Some(Shape::Cuboid2d) => shapes::draw_cuboid(row, object, place, plan.off_image, scratch),
        None => Err(mismatch(row, &object.shape)),
    }
}

/// Width and height that the row's coordinates refer to.
fn source_size(row: &Annotation<'_>, place: &Place) -> Result<(u32, u32), Reason> {
    place
        .source_width_px
        .zip(place.source_height_px)
        .ok_or_else(|| Reason::NoSize {
            media: row.media.to_owned(),
        })
}

fn bad_polygon(error: PolygonError) -> Reason {
    Reason::BadRle {
        code: error.code(),
        message: error.to_string(),
    }
}

fn draw_polygon<'a>(
    row: &Annotation<'a>,
    place: &Place,
    plan: &Plan,
    scratch: &'a mut Scratch,
) -> Result<Drawn<'a>, Reason> {
    let Some(rle) = row.rle else {
        let Some(points) = area(row) else {
            return Err(mismatch(row, "polygon"));
        };
        return on_image(Geometry::Polygon(points), row, place, plan.off_image, &mut scratch.cut);
    };
    let size = mask_size(row, place)?;
    let mask = match row.rle_order {
        Some(RleOrder::RowMajor) => Rle::from_string(rle, size),
        _ => Rle::<ColumnMajor>::from_string(rle, size).and_then(|mask| mask.transpose()),
    }
    .map_err(bad_rle)?;
    let drawing = &mut scratch.drawing;
    drawing.clear();
    for part in mask.to_polygons() {
        for ring in std::iter::once(&part.outer).chain(&part.holes) {
            let ring = Part::flat(ring);
            match plan.simplify {
                Some(tolerance) => drawing.push_ring(&polygon::simplify(&ring, tolerance)),
                None => drawing.push_ring(&ring),
            }
        }
        drawing.end_part();
    }
    if drawing.has_no_points() {
        return Err(Reason::EmptyGeometry);
    }
    Ok(Drawn::of_mask(Geometry::Polygon(drawing.points()), size))
}

fn draw_bitmask<'a>(row: &Annotation<'a>, place: &Place, scratch: &'a mut Scratch) -> Result<Drawn<'a>, Reason> {
    scratch.rle.clear();
    let size = if let Some(rle) = row.rle {
        let size = mask_size(row, place)?;
        match row.rle_order {
            // Written anew, so that equal masks are equal strings.
            Some(RleOrder::RowMajor) => {
                let mask = Rle::<RowMajor>::from_string(rle, size).map_err(bad_rle)?;
                mask.to_string_into(&mut scratch.rle);
            }
            _ => {
                transpose_string::<ColumnMajor>(rle, size, &mut scratch.transpose, &mut scratch.rle).map_err(bad_rle)?
            }
        }
        size
    } else {
        let Some(points) = area(row) else {
            return Err(mismatch(row, "bitmask"));
        };
        let (source_w, source_h) = source_size(row, place)?;
        let (w, h) = place.width_px.zip(place.height_px).unwrap_or((source_w, source_h));
        let (limit_w, limit_h) = edge::far_corner(row.unit, (source_w, source_h));
        let size = Size::new(u64::from(h), u64::from(w)).map_err(bad_rle)?;
        let mask = rasterise(&points, (f64::from(w) / limit_w, f64::from(h) / limit_h), size)?;
        mask.transpose().map_err(bad_rle)?.to_string_into(&mut scratch.rle);
        size
    };
    Ok(Drawn::of_mask(Geometry::Bitmask(&scratch.rle), size))
}

/// Union of the parts by the rule of [`crate::rle`], at the medium's size. Where the sizes are the same the scale is
/// 1.0, which leaves every digit.
fn rasterise(points: &Points<'_>, scale: (f64, f64), size: Size) -> Result<Rle<ColumnMajor>, Reason> {
    let mut masks = Vec::new();
    let mut scaled: Vec<Vec<f64>> = Vec::new();
    for part in points.iter() {
        scaled.clear();
        scaled.extend(part.map(|ring| {
            ring.chunks_exact(2)
                .flat_map(|p| [p[0] * scale.0, p[1] * scale.1])
                .collect()
        }));
        let Some((outer, holes)) = scaled.split_first() else {
            continue;
        };
        let holes: Vec<&[f64]> = holes.iter().map(Vec::as_slice).collect();
        masks.push(Rle::from_part(outer, &holes, size).map_err(bad_polygon)?);
    }
    Rle::union_of(masks, size).map_err(bad_rle)
}
