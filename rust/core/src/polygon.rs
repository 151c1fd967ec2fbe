//! Rings of polygons, x y x y ...: extent, clipping at the image's edge, simplification.

/// Smallest box around coordinates: x, y, w, h. `None` without a point.
pub fn extent<'a>(rings: impl Iterator<Item = &'a [f64]>) -> Option<[f64; 4]> {
    let mut bounds: Option<[f64; 4]> = None;
    for point in rings.flat_map(|ring| ring.chunks_exact(2)) {
        let (x, y) = (point[0], point[1]);
        let [x0, y0, x1, y1] = bounds.unwrap_or([x, y, x, y]);
        bounds = Some([x0.min(x), y0.min(y), x1.max(x), y1.max(y)]);
    }
    bounds.map(|[x0, y0, x1, y1]| [x0, y0, x1 - x0, y1 - y0])
}

/// Cuts a ring to 0..`w` by 0..`h` (Sutherland and Hodgman, "Reentrant polygon clipping", 1974).
///
/// Fewer than three points left means that nothing of the ring lies inside. A concave ring that leaves and comes back
/// stays one ring, joined along the edge.
pub fn clip(ring: &[f64], w: f64, h: f64) -> Vec<f64> {
    let mut points: Vec<[f64; 2]> = ring.chunks_exact(2).map(|p| [p[0], p[1]]).collect();
    for (axis, limit, keep_below) in [(0, 0.0, false), (0, w, true), (1, 0.0, false), (1, h, true)] {
        points = clip_side(&points, axis, limit, keep_below);
    }
    points.into_flattened()
}

/// Cuts an open line to 0..`w` by 0..`h`; empty where nothing of it lies inside.
///
/// A line that leaves and comes back stays one line: what is outside becomes a straight piece from where it leaves to where it
/// comes back.
pub fn clip_line(line: &[f64], w: f64, h: f64) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::new();
    for (from, to) in line.chunks_exact(2).zip(line.chunks_exact(2).skip(1)) {
        let piece = clip_segment([[from[0], from[1]], [to[0], to[1]]], w, h);
        for point in piece.iter().flatten() {
            if !out.ends_with(point) {
                out.extend_from_slice(point);
            }
        }
    }
    if out.len() < 4 {
        out.clear();
    }
    out
}

fn clip_segment([mut from, mut to]: [[f64; 2]; 2], w: f64, h: f64) -> Option<[[f64; 2]; 2]> {
    for (axis, limit, keep_below) in [(0, 0.0, false), (0, w, true), (1, 0.0, false), (1, h, true)] {
        let inside = |p: [f64; 2]| if keep_below { p[axis] <= limit } else { p[axis] >= limit };
        match (inside(from), inside(to)) {
            (true, true) => {}
            (true, false) => to = crossing(from, to, axis, limit),
            (false, true) => from = crossing(from, to, axis, limit),
            (false, false) => return None,
        }
    }
    Some([from, to])
}

fn clip_side(points: &[[f64; 2]], axis: usize, limit: f64, keep_below: bool) -> Vec<[f64; 2]> {
    let inside = |p: &[f64; 2]| if keep_below { p[axis] <= limit } else { p[axis] >= limit };
    let mut out = Vec::with_capacity(points.len() + 4);
    let Some(mut from) = points.last() else { return out };
    for to in points {
        if inside(from) != inside(to) {
            out.push(crossing(*from, *to, axis, limit));
        }
        if inside(to) {
            out.push(*to);
        }
        from = to;
    }
    out
}

/// Where the way between two points, one on each side of a limit of an axis, crosses it.
fn crossing(from: [f64; 2], to: [f64; 2], axis: usize, limit: f64) -> [f64; 2] {
    // The distance of two finite numbers may be infinite, that of their halves is not.
    let far = [0, 1].iter().any(|&at| !(to[at] - from[at]).is_finite());
    let scale = if far { 0.5 } else { 1.0 };
    let [a, b] = [from, to].map(|point| point.map(|value| value * scale));
    let share = (limit * scale - a[axis]) / (b[axis] - a[axis]);
    let mut crossing = [0, 1].map(|at| (a[at] + share * (b[at] - a[at])) / scale);
    crossing[axis] = limit;
    crossing
}

/// Whether all points of a ring lie on one line, so that it encloses nothing. A ring that crosses itself encloses something,
/// though its signed area may be 0.
pub fn is_flat(ring: &[f64]) -> bool {
    let Some((x0, y0)) = ring.get(..2).map(|p| (p[0], p[1])) else {
        return true;
    };
    let away = |p: &[f64]| (p[0] - x0, p[1] - y0);
    let mut others = ring.chunks_exact(2).map(away);
    let Some((dx, dy)) = others.find(|&way| way != (0.0, 0.0)) else {
        return true;
    };
    others.all(|(x, y)| dx * y == dy * x)
}

/// Twice the signed area of a ring.
pub fn doubled_area(ring: &[f64]) -> f64 {
    let Some((x0, y0)) = ring.get(..2).map(|p| (p[0], p[1])) else {
        return 0.0;
    };
    // Relative to the first point: large offsets would cost the digits that count.
    let mut sum = 0.0;
    for pair in ring.chunks_exact(2).zip(ring.chunks_exact(2).skip(1)) {
        let ((ax, ay), (bx, by)) = ((pair.0[0] - x0, pair.0[1] - y0), (pair.1[0] - x0, pair.1[1] - y0));
        sum += ax * by - bx * ay;
    }
    sum
}

/// Leaves out points that lie within `tolerance` px of the line between kept ones (Douglas and Peucker, 1973).
///
/// The ring is split at its first point and the one farthest from it. At least three points stay; a ring that would
/// fall below that is returned as it is.
pub fn simplify(ring: &[f64], tolerance: f64) -> Vec<f64> {
    let points: Vec<[f64; 2]> = ring.chunks_exact(2).map(|p| [p[0], p[1]]).collect();
    let n = points.len();
    if n <= 3 {
        return ring.to_vec();
    }
    let squared = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let farthest = (1..n).max_by(|&a, &b| squared(points[0], points[a]).total_cmp(&squared(points[0], points[b])));
    let Some(farthest) = farthest else { return ring.to_vec() };
    let mut kept = vec![false; n + 1];
    kept[0] = true;
    kept[farthest] = true;
    let mut spans = vec![(0, farthest), (farthest, n)];
    while let Some((from, to)) = spans.pop() {
        let (a, b) = (points[from], points[to % n]);
        let worst = (from + 1..to)
            .map(|i| (i, squared_distance(points[i], a, b)))
            .max_by(|left, right| left.1.total_cmp(&right.1));
        if let Some((i, distance)) = worst {
            if distance > tolerance * tolerance {
                kept[i] = true;
                spans.extend([(from, i), (i, to)]);
            }
        }
    }
    let out: Vec<[f64; 2]> = (0..n).filter(|&i| kept[i]).map(|i| points[i]).collect();
    if out.len() < 3 {
        return ring.to_vec();
    }
    out.into_flattened()
}

/// Squared distance of `p` from the segment `a` to `b`.
fn squared_distance(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let share = if length == 0.0 {
        0.0
    } else {
        (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length).clamp(0.0, 1.0)
    };
    (p[0] - a[0] - share * dx).powi(2) + (p[1] - a[1] - share * dy).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An F, 7 wide and 9 high.
    const F: [f64; 20] = [
        1.0, 1.0, 7.0, 1.0, 7.0, 2.0, 2.0, 2.0, 2.0, 5.0, 5.0, 5.0, 5.0, 6.0, 2.0, 6.0, 2.0, 9.0, 1.0, 9.0,
    ];

    #[test]
    fn a_ring_inside_stays_as_it_is() {
        assert_eq!(clip(&F, 7.0, 9.0), F);
        assert_eq!(extent([&F[..]].into_iter()), Some([1.0, 1.0, 6.0, 8.0]));
    }

    #[test]
    fn clipping_cuts_area_at_each_edge() {
        // Left half of the long bar, the lower arm and the stem remain below x = 4.
        let cut = clip(&F, 4.0, 9.0);
        assert_eq!(doubled_area(&cut).abs() / 2.0, 3.0 + 2.0 + 7.0);
        assert!(cut.chunks_exact(2).all(|p| p[0] <= 4.0));
        assert!(clip(&F, 0.5, 9.0).len() < 6);
        assert!(clip(&[-9.0, -9.0, -1.0, -9.0, -1.0, -2.0], 7.0, 9.0).is_empty());
    }

    #[test]
    fn clipping_reaches_to_the_largest_numbers() {
        let ring = [
            -1.7e308, -1.7e308, 1.7e308, 1.7e308, -1.6e308, 1.7e308, -1.5e308, 1.7e308,
        ];
        let cut = clip(&ring, 20.0, 30.0);
        assert!(cut
            .chunks_exact(2)
            .all(|p| (0.0..=20.0).contains(&p[0]) && (0.0..=30.0).contains(&p[1])));
        assert!(!cut.is_empty());
    }

    #[test]
    fn simplify_drops_what_lies_on_the_line_and_keeps_corners() {
        let with_steps = [0.0, 0.0, 3.0, 0.0, 6.0, 0.2, 9.0, 0.0, 9.0, 4.0, 0.0, 5.0];
        assert_eq!(simplify(&with_steps, 0.5), [0.0, 0.0, 9.0, 0.0, 9.0, 4.0, 0.0, 5.0]);
        assert_eq!(
            simplify(&with_steps, 0.05),
            [0.0, 0.0, 3.0, 0.0, 6.0, 0.2, 9.0, 0.0, 9.0, 4.0, 0.0, 5.0]
        );
        assert_eq!(simplify(&F, 0.1), F);
    }
}
