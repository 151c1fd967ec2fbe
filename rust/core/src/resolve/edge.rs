//! What happens at the image's edge: geometry that reaches over it is cut, kept or rejected.

use super::scratch::{Drawing, Scratch, NOT_THERE, VISIBLE};
use crate::batch::{Points, Unit};
use crate::geometry::Geometry;
use crate::plan::OffImage;
use crate::polygon;
use crate::reject::Reason;
use crate::stage::record::StagedRow;

/// How far over the edge still counts as inside: x + w of a box at the edge is rarely exact in floating point.
const EDGE_SLACK: f64 = 1e-9;

/// Far corner of an image of (w, h) px in a row's unit.
pub(super) fn far_corner(unit: Unit, (w, h): (u32, u32)) -> (f64, f64) {
    match unit {
        Unit::Px => (f64::from(w), f64::from(h)),
        Unit::Frac => (1.0, 1.0),
    }
}

/// Fits a row whose size only its label row told: `size_px` is that of the data unit it stands on.
///
/// Coordinates in px take the unit's size and then follow the policy for the edge; a mask must be of that size.
pub fn fit<'a>(
    row: &StagedRow<'a>,
    size_px: Option<(u32, u32)>,
    policy: OffImage,
    scratch: &'a mut Scratch,
) -> Result<StagedRow<'a>, Reason> {
    let known = row.width_px > 0 && row.height_px > 0;
    match row.geometry {
        Geometry::Answer(_) | Geometry::Interval(_) => Ok(*row),
        Geometry::Bitmask(_) => match size_px {
            Some((w, h)) if (w, h) != (row.width_px, row.height_px) => Err(Reason::MaskSize {
                mask: (row.height_px, row.width_px),
                media: (h, w),
            }),
            _ => Ok(*row),
        },
        _ if known || row.unit == Unit::Frac => Ok(*row),
        geometry => {
            let (width_px, height_px) = size_px.ok_or(Reason::NoSize {
                media: String::from("the medium"),
            })?;
            let size = (width_px, height_px);
            let (geometry, _) = keep_inside(geometry, row.unit, size, policy, &mut scratch.cut)?;
            Ok(StagedRow {
                geometry,
                width_px,
                height_px,
                ..*row
            })
        }
    }
}

/// Applies the policy to a geometry on an image of `size_px` (w, h), and tells whether it reached over the edge.
pub(super) fn keep_inside<'a>(
    geometry: Geometry<'a>,
    unit: Unit,
    size_px: (u32, u32),
    policy: OffImage,
    drawing: &'a mut Drawing,
) -> Result<(Geometry<'a>, bool), Reason> {
    if policy == OffImage::Keep {
        return Ok((geometry, false));
    }
    let (width, height) = far_corner(unit, size_px);
    let (inside, cut) = match geometry {
        Geometry::BoundingBox(corner_and_size) => {
            let (inside, cut) = clip_box(corner_and_size, width, height)?;
            (Geometry::BoundingBox(inside), cut)
        }
        Geometry::RotatableBoundingBox(corner_and_size, theta) if theta == 0.0 => {
            let (inside, cut) = clip_box(corner_and_size, width, height)?;
            (Geometry::RotatableBoundingBox(inside, theta), cut)
        }
        Geometry::Polygon(points) if !points.iter().flatten().all(|ring| ring_is_inside(ring, width, height)) => {
            (Geometry::Polygon(clip_polygon(&points, width, height, drawing)?), true)
        }
        Geometry::Polyline(points) if !points.iter().flatten().all(|ring| ring_is_inside(ring, width, height)) => {
            (Geometry::Polyline(clip_line(&points, width, height, drawing)?), true)
        }
        // Cutting a turned or a round shape would make another one of it. Angles are those of px.
        Geometry::RotatableBoundingBox(..) | Geometry::Circle(..) | Geometry::Ellipse(..) if unit == Unit::Px => {
            (geometry, reaches_over(&geometry, width, height)?)
        }
        Geometry::Cuboid2d(points) => (geometry, cuboid_reaches_over(&points, width, height)?),
        // Nothing of a point is left.
        Geometry::Point(points) if !points.iter().flatten().all(|ring| ring_is_inside(ring, width, height)) => {
            return Err(Reason::OffImage);
        }
        Geometry::Skeleton(points, visibility) => {
            let hidden = hide_outside(&points, visibility, (width, height), drawing)?;
            (hidden.unwrap_or(geometry), hidden.is_some())
        }
        other => (other, false),
    };
    if cut && policy == OffImage::Reject {
        return Err(Reason::OffImage);
    }
    Ok((inside, cut))
}

/// Sides that are inside keep their digits.
fn clip_box([x, y, w, h]: [f64; 4], width: f64, height: f64) -> Result<([f64; 4], bool), Reason> {
    let (x, w, cut_x) = clip_side(x, w, width)?;
    let (y, h, cut_y) = clip_side(y, h, height)?;
    Ok(([x, y, w, h], cut_x || cut_y))
}

fn clip_side(start: f64, length: f64, limit: f64) -> Result<(f64, f64, bool), Reason> {
    let end = start + length;
    if is_inside(start, limit) && is_inside(end, limit) {
        return Ok((start, length, false));
    }
    let (from, to) = (start.max(0.0), end.min(limit));
    // A box that only touches the edge from outside covers nothing of the image.
    if to <= from {
        return Err(Reason::OffImage);
    }
    Ok((from, to - from, true))
}

/// Whether a turned box, a circle or an ellipse in px reaches over the edge.
fn reaches_over(geometry: &Geometry<'_>, width: f64, height: f64) -> Result<bool, Reason> {
    let ([x, y], [across, along], theta) = match *geometry {
        Geometry::RotatableBoundingBox([x, y, w, h], theta) => ([x + w / 2.0, y + h / 2.0], [w / 2.0, h / 2.0], theta),
        Geometry::Circle([x, y, r, stretch], theta) => ([x, y], [r, r * stretch], theta),
        Geometry::Ellipse([x, y, rx, ry], theta) => ([x, y], [rx, ry], theta),
        _ => return Ok(false),
    };
    let (sin, cos) = theta.to_radians().sin_cos();
    let of_box = matches!(geometry, Geometry::RotatableBoundingBox(..));
    let half = |one: f64, other: f64| {
        if of_box {
            one.abs() + other.abs()
        } else {
            one.hypot(other)
        }
    };
    let (half_w, half_h) = (half(across * cos, along * sin), half(across * sin, along * cos));
    let (_, _, cut_x) = clip_side(x - half_w, 2.0 * half_w, width)?;
    let (_, _, cut_y) = clip_side(y - half_h, 2.0 * half_h, height)?;
    Ok(cut_x || cut_y)
}

/// Whether the front or the back of a cuboid reaches over the edge.
fn cuboid_reaches_over(points: &Points<'_>, width: f64, height: f64) -> Result<bool, Reason> {
    let mut rings = points.iter().flatten();
    let (Some(front), Some(&[x, y])) = (rings.next(), rings.next()) else {
        return Ok(false);
    };
    let size = rings.next().and_then(|ring| ring.first().copied());
    let back = |at: f64, to: f64| size.map_or(at + to, |size| to + size * (at - to));
    let mut cut = false;
    for (axis, to, limit) in [(0, x, width), (1, y, height)] {
        let corners = front
            .chunks_exact(2)
            .flat_map(|point| [point[axis], back(point[axis], to)]);
        let (least, most) = corners.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), at| {
            (least.min(at), most.max(at))
        });
        cut |= clip_side(least, most - least, limit)?.2;
    }
    Ok(cut)
}

fn ring_is_inside(ring: &[f64], width: f64, height: f64) -> bool {
    ring.chunks_exact(2)
        .all(|point| is_inside(point[0], width) && is_inside(point[1], height))
}

fn is_inside(value: f64, limit: f64) -> bool {
    let slack = limit * EDGE_SLACK;
    value >= -slack && value <= limit + slack
}

fn clip_polygon<'a>(
    points: &Points<'_>,
    width: f64,
    height: f64,
    drawing: &'a mut Drawing,
) -> Result<Points<'a>, Reason> {
    drawing.clear();
    for part in points.iter() {
        let mut drawn = false;
        for (position, ring) in part.enumerate() {
            let cut = polygon::clip(ring, width, height);
            if cut.len() >= 6 && polygon::doubled_area(&cut) != 0.0 {
                drawing.push_ring(&cut);
                drawn = true;
            } else if position == 0 {
                // Without its outer ring a part has nothing to make holes in.
                break;
            }
        }
        if drawn {
            drawing.end_part();
        }
    }
    if drawing.has_no_points() {
        return Err(Reason::OffImage);
    }
    Ok(drawing.points())
}

fn clip_line<'a>(points: &Points<'_>, width: f64, height: f64, drawing: &'a mut Drawing) -> Result<Points<'a>, Reason> {
    drawing.clear();
    for line in points.iter().flatten() {
        drawing.push_ring(&polygon::clip_line(line, width, height));
    }
    drawing.end_part();
    if drawing.has_no_points() {
        return Err(Reason::OffImage);
    }
    Ok(drawing.points())
}

/// Moves keypoints outside to the edge and flags them as not in the picture; none if all are inside. Those that are not
/// in the picture already may lie anywhere.
fn hide_outside<'a>(
    points: &Points<'_>,
    visibility: &[u8],
    (width, height): (f64, f64),
    drawing: &'a mut Drawing,
) -> Result<Option<Geometry<'a>>, Reason> {
    let flag = |at: usize| visibility.get(at).copied().unwrap_or(VISIBLE);
    let ring = points.iter().flatten().next().unwrap_or_default();
    let keypoints = || {
        let pairs = ring.chunks_exact(2).enumerate();
        pairs.map(|(at, point)| (at, point, ring_is_inside(point, width, height)))
    };
    let mut seen = keypoints().filter(|&(at, ..)| flag(at) != NOT_THERE);
    if seen.clone().all(|(.., inside)| inside) {
        return Ok(None);
    }
    if !seen.any(|(.., inside)| inside) {
        return Err(Reason::OffImage);
    }
    drawing.clear();
    for (at, point, inside) in keypoints() {
        if inside || flag(at) == NOT_THERE {
            drawing.push_keypoint([point[0], point[1]], flag(at));
        } else {
            let at_edge = [point[0].clamp(0.0, width), point[1].clamp(0.0, height)];
            drawing.push_keypoint(at_edge, NOT_THERE);
        }
    }
    drawing.push_ring(&[]);
    drawing.end_part();
    Ok(Some(Geometry::Skeleton(drawing.points(), drawing.visibility())))
}
