//! Checks the values of a row before it is resolved, since a table may hold anything. Readers that check their own rows say so.
//! Confidences are not looked at here: [`super::Scores`] does so for all formats.

use super::Piece;
use crate::batch::{Annotation, Kind, Points, Shape};
use crate::reject::Reason;

/// The rings of a polygon that can be used, where others beside them cannot.
#[derive(Default)]
pub struct GoodRings {
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
}

/// Checks a row. Pieces of its geometry that cannot be used are taken out of it where it draws something without, and given
/// with what is wrong with them; `good_rings` then holds the rings that are left.
///
/// # Errors
/// Why it cannot be written, whatever the project is.
pub fn check_row<'a>(row: &mut Annotation<'a>, good_rings: &'a mut GoodRings) -> Result<Vec<(Piece, Reason)>, Reason> {
    for (field, name) in [("media", row.media), ("class", row.class)] {
        if name.is_empty() {
            return Err(Reason::MissingField { field });
        }
    }
    for (field, side) in [("width_px", row.width_px), ("height_px", row.height_px)] {
        if side == Some(u32::MAX) {
            return Err(Reason::BadField {
                field,
                expected: "a number of pixels below 2^32 - 1",
                found: u32::MAX.to_string(),
            });
        }
    }
    let draws = row.shape.is_some() || row.bbox.is_some() || row.points.is_some() || row.rle.is_some();
    match row.kind {
        Kind::Object => check_geometry(row, good_rings),
        Kind::Answer if draws => Err(Reason::BadField {
            field: "kind",
            expected: "object for what is drawn; an answer has neither shape nor coordinates",
            found: "answer".to_owned(),
        }),
        Kind::Answer => Ok(Vec::new()),
    }
}

fn check_geometry<'a>(row: &mut Annotation<'a>, good_rings: &'a mut GoodRings) -> Result<Vec<(Piece, Reason)>, Reason> {
    let mut found = Vec::new();
    let mut drawn = check_drawn(row);
    if let (Err(reason), Some(Shape::Polygon), Some(points)) = (&drawn, row.shape, row.points) {
        if let Some(good) = good_rings.of(points) {
            found.push((Piece::Ring, reason.clone()));
            row.points = Some(good);
            drawn = Ok(());
        }
    }
    let boxed = row.bbox.map_or(Ok(()), |corner_and_size| check_box(&corner_and_size));
    match (drawn, boxed) {
        (Ok(()), Ok(())) => {}
        // The box alone is left.
        (Err(reason), Ok(())) if row.bbox.is_some() && is_more_than_a_box(row) => {
            let piece = match row.shape {
                Some(Shape::Skeleton | Shape::Point) => Piece::Keypoints,
                _ => Piece::Area,
            };
            (row.points, row.visibility, row.rle, row.rle_order) = (None, None, None, None);
            row.shape = Some(Shape::BoundingBox);
            found.push((piece, reason));
        }
        (Ok(()), Err(reason)) if is_more_than_a_box(row) => {
            row.bbox = None;
            found.push((Piece::Box, reason));
        }
        (Err(reason), _) | (_, Err(reason)) => return Err(reason),
    }
    let Some(Err(reason)) = row.theta.map(|theta| finite(&[theta], "theta")) else {
        return Ok(found);
    };
    row.theta = None;
    if row.shape == Some(Shape::RotatableBoundingBox) {
        row.shape = Some(Shape::BoundingBox);
    }
    found.push((Piece::Angle, reason));
    Ok(found)
}

/// Whether what the row draws is known without its box.
fn is_more_than_a_box(row: &Annotation<'_>) -> bool {
    let round = matches!(row.shape, Some(Shape::Circle | Shape::Ellipse)) && row.points.is_some();
    let shapes = [
        Shape::Polygon,
        Shape::Bitmask,
        Shape::Polyline,
        Shape::Point,
        Shape::Skeleton,
        Shape::Cuboid2d,
    ];
    round || row.shape.is_some_and(|shape| shapes.contains(&shape))
}

fn check_box(corner_and_size: &[f64; 4]) -> Result<(), Reason> {
    finite(corner_and_size, "box")?;
    let [_, _, w, h] = *corner_and_size;
    if w < 0.0 || h < 0.0 {
        return Err(Reason::NegativeBox { w, h });
    }
    Ok(())
}

/// Checks what the row's shape says that it draws.
fn check_drawn(row: &Annotation<'_>) -> Result<(), Reason> {
    let points = row.points.iter().flat_map(|points| points.iter().flatten());
    for ring in points.filter(|_| row.shape != Some(Shape::Skeleton)) {
        finite(ring, "points")?;
    }
    let there = |is_there: bool, field| {
        if is_there {
            Ok(())
        } else {
            Err(Reason::MissingField { field })
        }
    };
    if row.rle.is_some() {
        there(row.rle_order.is_some(), "rle_order")?;
        there(row.width_px.is_some(), "width_px")?;
        there(row.height_px.is_some(), "height_px")?;
    }
    match row.shape {
        // What is heard has no shape. Where something must be drawn, resolving finds that there is nothing.
        None => there(row.bbox.is_none() && row.points.is_none() && row.rle.is_none(), "shape"),
        Some(Shape::BoundingBox | Shape::RotatableBoundingBox) => there(row.bbox.is_some(), "box"),
        Some(Shape::Bitmask) => there(row.rle.is_some(), "rle"),
        Some(Shape::Polygon) => check_polygon(row.points.ok_or(Reason::MissingField { field: "points" })?),
        Some(Shape::Polyline) => one_ring(
            row,
            |coordinates| coordinates >= 2,
            "one part of one ring with all points of the line",
        ),
        Some(Shape::Point) => one_ring(row, |coordinates| coordinates == 2, "one point: [[[x, y]]]"),
        Some(Shape::Skeleton) => {
            one_ring(
                row,
                |coordinates| coordinates >= 2,
                "one part of one ring with all points of the skeleton",
            )?;
            finite_where_seen(row)
        }
        Some(Shape::Circle | Shape::Ellipse) if row.points.is_some() => one_ring(
            row,
            |coordinates| coordinates == 4,
            "centre and radii: [[[x, y, rx, ry]]], of a circle [[[x, y, r, stretch]]]",
        ),
        Some(Shape::Circle | Shape::Ellipse) => there(row.bbox.is_some(), "box"),
        Some(Shape::Cuboid2d) => check_cuboid(row.points.ok_or(Reason::MissingField { field: "points" })?),
    }
}

/// Checks that a cuboid has a front, and says how its back lies to it.
fn check_cuboid(points: Points<'_>) -> Result<(), Reason> {
    let rings: Vec<&[f64]> = points.iter().flatten().collect();
    let is_front = |ring: &[f64]| ring.len() >= 6 && ring.len().is_multiple_of(2);
    let fits = match rings[..] {
        [front, [_, _]] => is_front(front),
        [front, [_, _], [across, down]] => is_front(front) && across == down && *across >= 0.0,
        _ => false,
    };
    if fits && points.parts.len() == 2 {
        return Ok(());
    }
    Err(Reason::BadField {
        field: "points",
        expected: "a front and its offset to the back, [[front, [x, y]]], or a front, its vanishing point and the size of the back in fronts, [[front, [x, y], [s, s]]]",
        found: format!("{} rings", rings.len()),
    })
}

fn check_polygon(points: Points<'_>) -> Result<(), Reason> {
    let mut parts = 0;
    for mut part in points.iter() {
        parts += 1;
        let outline = part.next().unwrap_or_default();
        for ring in std::iter::once(outline).chain(part) {
            if !encloses(ring) {
                return Err(Reason::BadPolygon {
                    coordinates: ring.len(),
                });
            }
        }
    }
    if parts == 0 {
        return Err(Reason::MissingField { field: "points" });
    }
    Ok(())
}

fn encloses(ring: &[f64]) -> bool {
    ring.len() >= 6 && ring.len().is_multiple_of(2)
}

impl GoodRings {
    /// The good rings of a polygon, of parts whose outline is good; none where there is no such part.
    fn of(&mut self, points: Points<'_>) -> Option<Points<'_>> {
        let is_good = |ring: &[f64]| encloses(ring) && finite(ring, "points").is_ok();
        (self.rings, self.parts) = (vec![0], vec![0]);
        for part in points.iter() {
            for (at, ring) in part.enumerate() {
                if is_good(ring) {
                    self.coords.extend_from_slice(ring);
                    self.rings.push(i32::try_from(self.coords.len()).ok()?);
                } else if at == 0 {
                    break;
                }
            }
            let rings = i32::try_from(self.rings.len() - 1).ok()?;
            if self.parts.last() != Some(&rings) {
                self.parts.push(rings);
            }
        }
        (self.parts.len() > 1).then_some(Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        })
    }
}

fn one_ring(row: &Annotation<'_>, fits: impl Fn(usize) -> bool, expected: &'static str) -> Result<(), Reason> {
    let points = row.points.ok_or(Reason::MissingField { field: "points" })?;
    let mut rings = points.iter().flatten();
    let (first, second) = (rings.next(), rings.next());
    let parts = points.parts.len().saturating_sub(1);
    if parts == 1 && second.is_none() && first.is_some_and(|ring| ring.len() % 2 == 0 && fits(ring.len())) {
        return Ok(());
    }
    let found = match (first, second) {
        (Some(ring), None) if parts == 1 => format!("a ring of {} coordinates", ring.len()),
        (None, _) => "empty".to_owned(),
        _ => "several rings".to_owned(),
    };
    Err(Reason::BadField {
        field: "points",
        expected,
        found,
    })
}

/// Checks the points of a skeleton: where those lie that are not in the picture does not matter.
fn finite_where_seen(row: &Annotation<'_>) -> Result<(), Reason> {
    let flags = row.visibility.unwrap_or_default();
    let points = row.points.iter().flat_map(|points| points.iter().flatten());
    points
        .flat_map(|ring| ring.chunks_exact(2))
        .enumerate()
        .filter(|(at, _)| flags.get(*at) != Some(&0))
        .try_for_each(|(_, point)| finite(point, "points"))
}

fn finite(values: &[f64], field: &'static str) -> Result<(), Reason> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Reason::NotFinite { field })
}
