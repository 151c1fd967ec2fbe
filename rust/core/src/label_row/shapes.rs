//! Geometry of skeletons, circles, ellipses and cuboids.

use super::coordinate::{damaged, push_coordinate};
use super::text::push_string;
use crate::batch::Points;
use crate::error::Result;
use crate::ontology::SkeletonPoint;

/// Encord's words for the flags of keypoints, and for a point that its own object hides.
const VISIBILITY: [&str; 4] = ["invisible", "occluded", "visible", "selfOccluded"];

/// Renders what is the same for a point of all skeletons of a class: `"name":...,"color":...,...`.
pub(super) fn skeleton_point(point: &SkeletonPoint) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in [
        ("name", Some(&point.name)),
        ("color", point.color.as_ref()),
        ("featureHash", point.feature_hash.as_ref()),
        ("value", point.value.as_ref()),
    ] {
        let Some(value) = value else { continue };
        if !out.is_empty() {
            out.push(b',');
        }
        push_string(&mut out, name);
        out.push(b':');
        push_string(&mut out, value);
    }
    out
}

/// Writes the points of a skeleton, each with its flag where there are flags.
pub(super) fn push_skeleton(
    out: &mut Vec<u8>,
    ring: &[f64],
    visibility: &[u8],
    points: &[Vec<u8>],
    (width, height): (f64, f64),
    decimals: Option<u8>,
) -> Result<()> {
    if ring.len() != 2 * points.len() || !(visibility.is_empty() || visibility.len() == points.len()) {
        return Err(damaged("a skeleton of other points than the ontology's".to_owned()));
    }
    out.extend_from_slice(br#","skeleton":{"#);
    for (at, (place, point)) in ring.chunks_exact(2).zip(points).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(format!("\"{at}\":{{\"x\":").as_bytes());
        push_coordinate(out, place[0] / width, decimals)?;
        out.extend_from_slice(br#","y":"#);
        push_coordinate(out, place[1] / height, decimals)?;
        out.push(b',');
        out.extend_from_slice(point);
        if let Some(&flag) = visibility.get(at) {
            let Some(word) = VISIBILITY.get(usize::from(flag)) else {
                return Err(damaged(format!("the visibility {flag}")));
            };
            out.extend_from_slice(format!(",\"visibility\":\"{word}\"").as_bytes());
        }
        out.push(b'}');
    }
    out.push(b'}');
    Ok(())
}

/// Writes a circle; its radius is in fractions of the width.
pub(super) fn push_circle(
    out: &mut Vec<u8>,
    [x, y, r, stretch]: [f64; 4],
    theta: f64,
    (width, height): (f64, f64),
    decimals: Option<u8>,
) -> Result<()> {
    out.extend_from_slice(br#","circle":"#);
    let members = [
        ("x", x / width),
        ("y", y / height),
        ("r", r / width),
        ("stretch", stretch),
        ("theta", theta),
    ];
    push_members(out, &members, decimals)
}

/// Writes an ellipse; its radii are in fractions of the width and of the height.
pub(super) fn push_ellipse(
    out: &mut Vec<u8>,
    [x, y, rx, ry]: [f64; 4],
    theta: f64,
    (width, height): (f64, f64),
    decimals: Option<u8>,
) -> Result<()> {
    out.extend_from_slice(br#","ellipse":"#);
    let members = [
        ("x", x / width),
        ("y", y / height),
        ("rx", rx / width),
        ("ry", ry / height),
        ("theta", theta),
    ];
    push_members(out, &members, decimals)
}

/// Writes a cuboid on a picture: its front, and where its back lies.
pub(super) fn push_cuboid(
    out: &mut Vec<u8>,
    points: Points<'_>,
    (width, height): (f64, f64),
    decimals: Option<u8>,
) -> Result<()> {
    let mut rings = points.iter().flatten();
    let (Some(front), Some(&[x, y])) = (rings.next(), rings.next()) else {
        return Err(damaged("a cuboid without a front or a back".to_owned()));
    };
    out.extend_from_slice(br#","cuboid_2d":{"front":["#);
    for (at, point) in front.chunks_exact(2).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_coordinate(out, point[0] / width, decimals)?;
        out.push(b',');
        push_coordinate(out, point[1] / height, decimals)?;
    }
    out.push(b']');
    let place = [("x", x / width), ("y", y / height)];
    match rings.next() {
        None => {
            out.extend_from_slice(br#","offset":"#);
            push_members(out, &place, decimals)?;
        }
        Some(size) => {
            out.extend_from_slice(br#","vanishingPoint":"#);
            push_members(out, &place, decimals)?;
            out.extend_from_slice(br#","scaleRatio":"#);
            let ratio = size
                .first()
                .ok_or_else(|| damaged("a cuboid without the size of its back".to_owned()))?;
            push_coordinate(out, *ratio, decimals)?;
        }
    }
    out.push(b'}');
    Ok(())
}

fn push_members(out: &mut Vec<u8>, members: &[(&str, f64)], decimals: Option<u8>) -> Result<()> {
    for (at, (name, value)) in members.iter().enumerate() {
        out.push(if at == 0 { b'{' } else { b',' });
        push_string(out, name);
        out.push(b':');
        push_coordinate(out, *value, decimals)?;
    }
    out.push(b'}');
    Ok(())
}
